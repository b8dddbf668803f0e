/* `backend: FILE` in scenarios: found beside the scenario, part of the deployment, kept by pinned plans. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scenario/scenario_backend.h"
#include "scenario/stage.h"

static char folder[] = "/tmp/syncline-backend-XXXXXX";

static void write_file(const char *name, const char *text) {
    char *path = memory_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    fclose(file);
    free(path);
}

static int make_files(void **state) {
    (void)state;
    assert_non_null(mkdtemp(folder));
    write_file("wishes.yaml", "tables:\n"
                              "  wishes:\n"
                              "    document: {text: string}\n"
                              "functions:\n"
                              "  wishes:add:\n"
                              "    args: {text: string}\n"
                              "    mutation:\n"
                              "      - {insert: wishes, value: =args}\n"
                              "  wishes:all:\n"
                              "    query:\n"
                              "      - {collect: wishes, as: wishes}\n"
                              "      - return: =wishes\n");
    write_file("wrong.yaml", "tables:\n  wishes: {documents: {}}\n");
    write_file("lists.yaml", "tables:\n  lists: {}\n");
    write_file("adds.yaml", "functions:\n  todo:addList:\n    mutation: [{return: 1}]\n");
    return 0;
}

static int remove_files(void **state) {
    (void)state;
    static const char *const names[] = {"wishes.yaml", "wrong.yaml", "lists.yaml", "adds.yaml"};
    for (size_t i = 0; i < 4; i++) {
        char *path = memory_format("%s/%s", folder, names[i]);
        assert_int_equal(unlink(path), 0);
        free(path);
    }
    return rmdir(folder);
}

static enum status parse_as(const char *text, const char *file, struct scenario **scenario,
                            struct error *error) {
    char *path = memory_format("%s/%s", folder, file);
    enum status status = scenario_parse(text, strlen(text), path, scenario, error);
    free(path);
    return status;
}

static struct scenario *parse(const char *text) {
    struct scenario *scenario = NULL;
    struct error error = {0};
    if (parse_as(text, "scenario.yaml", &scenario, &error) != STATUS_OK)
        fail_msg("refused at %d:%d: %s\n%s", error.line, error.column, error.message, text);
    return scenario;
}

struct refusal {
    const char *text, *file;
    int line, column;
    const char *message;
};

static void test_refusals(void **state) {
    (void)state;
    static const struct refusal refusals[] = {
        {"backend: 5\n", "scenario.yaml", 1, 10, "must be a text"},
        {"backend: none.yaml\n", "scenario.yaml", 1, 10, "none.yaml"},
        {"users: 2\nbackend: wrong.yaml\n", "wrong.yaml", 2, 12, "documents"}, /* its own place */
        {"backend: lists.yaml\n", "scenario.yaml", 1, 10, "there is a table `lists` already"},
        {"backend: adds.yaml\n", "scenario.yaml", 1, 10, "there is a function `todo:addList` already"}};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *wanted = &refusals[i];
        struct scenario *scenario = NULL;
        struct error error = {0};
        assert_int_equal(parse_as(wanted->text, "scenario.yaml", &scenario, &error), STATUS_INVALID);
        if (!strstr(error.message, wanted->message) || !strstr(error.file, wanted->file) ||
            error.line != wanted->line || error.column != wanted->column)
            fail_msg("%sis refused at %s:%d:%d with `%s`", wanted->text, error.file, error.line, error.column,
                     error.message);
    }
}

static bool has_table(const struct convex_deployment_options *options, const char *name) {
    for (size_t i = 0; i < options->n_tables; i++)
        if (!strcmp(options->tables[i].name, name))
            return true;
    return false;
}

/* With users the app is there too; without, a backend stands alone, also one with the app's names. */
static void test_with_and_without_the_app(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool lists, wishes, schemaless;
    } cases[] = {{"backend: wishes.yaml\n", true, true, false},
                 {"users: 0\nreactive: [{}]\nbackend: wishes.yaml\n", false, true, false},
                 {"users: 0\nreactive: [{}]\nbackend: lists.yaml\n", true, false, false},
                 {"users: 0\nreactive: [{}]\nbackend: adds.yaml\n", false, false, true},
                 {"users: 0\nreactive: [{}]\n", true, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scenario *scenario = parse(cases[i].text);
        struct convex_deployment_options options = {0};
        struct arena arena = {0};
        assert_int_equal(scenario_fill_deployment(scenario, &arena, &options, NULL), STATUS_OK);
        assert_int_equal(has_table(&options, "lists"), cases[i].lists);
        assert_int_equal(has_table(&options, "wishes"), cases[i].wishes);
        assert_int_equal(options.schemaless, cases[i].schemaless);
        assert_string_equal(options.providers[options.n_providers - 1].issuer, "https://issuer");
        arena_free(&arena);
        scenario_free(scenario);
    }
}

/* A plan that was written down in another folder finds the backend and gives the same run. */
static void test_pinned_plan(void **state) {
    (void)state;
    struct scenario *scenario = parse("users: 0\nbackend: wishes.yaml\nrun: {for: 10s}\n"
                                      "reactive:\n"
                                      "  - clients: 2\n"
                                      "    queries: [{query: 'wishes:all'}]\n"
                                      "    calls: [{mutation: 'wishes:add', args: {text: {$uuid: true}}}]\n"
                                      "    between-calls: 1s\n");
    struct plan *plan = NULL, *same = NULL;
    struct scenario *again = NULL;
    struct error error = {0};
    struct buffer text = {0};
    struct stage_result first = {0}, second = {0};
    const struct stage_options options = {.core = NULL};
    assert_int_equal(plan_make(scenario, 7, &plan, &error), STATUS_OK);
    plan_write(plan, scenario, &text);
    assert_int_equal(scenario_parse(buffer_text(&text), text.length, "/elsewhere/x.yaml", &again, &error),
                     STATUS_OK);
    assert_int_equal(plan_make(again, again->seed, &same, &error), STATUS_OK);
    assert_int_equal(stage_run(scenario, plan, &options, &first, &error), STATUS_OK);
    assert_int_equal(stage_run(again, same, &options, &second, &error), STATUS_OK);
    assert_true(first.passed && second.passed);
    assert_int_equal(first.commits, plan->n_steps); /* each call is one wish */
    assert_true(first.commits > 5);
    assert_true(hash128_equal(first.trace_hash, second.trace_hash));
    stage_result_free(&first);
    stage_result_free(&second);
    plan_free(plan);
    plan_free(same);
    scenario_free(scenario);
    scenario_free(again);
    buffer_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_with_and_without_the_app),
                                       cmocka_unit_test(test_pinned_plan)};
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
