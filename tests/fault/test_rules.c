/* Reading of rules: what is refused, where, and why. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "fault/fault_file.h"
#include "fault/kind.h"

static enum status read_text(const char *text, struct arena *arena, struct fault_file *file,
                             struct error *error) {
    struct yaml_document document;
    enum status status = yaml_parse(&document, text, strlen(text), "faults.yaml", NULL, error);
    if (status != STATUS_OK)
        return status;
    struct reader reader = {&document, arena, error};
    status = fault_file_read(&reader, (struct reader_value){NULL, NULL, document.root}, file);
    yaml_release(&document);
    return status;
}

static const struct {
    const char *text;
    int line, column;
    const char *says;
} refusals[] = {
    {"text\n", 1, 1, "must be a list of rules, or a mapping"},
    {"- reset\n", 1, 3, "`rule` must be a mapping"},
    {"- {do: reset}\n", 1, 3, "needs `at` and `do`"},
    {"- {at: \"GET /\"}\n", 1, 3, "needs `at` and `do`"},
    {"- {at: /api, do: reset}\n", 1, 8, "a method and a path"},
    {"- {at: \"GET api\", do: reset}\n", 1, 8, "a method and a path"},
    {"- {at: \"GET /\", do: rest}\n", 1, 21, "did you mean `reset`?"},
    {"- at: GET /\n  do: {closing: {}}\n", 2, 8, "unknown fault `closing`"},
    {"- {at: \"GET /\", do: {reset: 1}}\n", 1, 29, "takes nothing more"},
    {"- {at: \"GET /\", do: {reset: 1, close: {}}}\n", 1, 21, "`do` is what happens"},
    {"- {at: \"GET /\", do: delay}\n", 1, 21, "`delay` needs a time"},
    {"- {at: \"GET /\", do: {delay: 2}}\n", 1, 29, "needs a unit"},
    {"- {at: \"GET /\", do: swallow}\n", 1, 3, "strikes messages"},
    {"- {at: \"GET /\", message: A, do: truncate}\n", 1, 3, "strikes requests"},
    {"- {at: \"GET /\", do: {answer: {status: 99}}}\n", 1, 39, "from 200 to 599"},
    {"- {at: \"GET /\", do: {answer: {code: A, body: b}}}\n", 1, 30, "either `body`, or `code`"},
    {"- {at: \"GET /\", do: {answer: {message: b}}}\n", 1, 30, "needs `code`"},
    {"- {at: \"GET /\", do: {answer: {headers: {\"a b\": c}}}}\n", 1, 48, "no header field"},
    {"- {at: \"GET /\", do: {answer: {content-type: \"a\\r\\nb\"}}}\n", 1, 30, "must be one line"},
    {"- {at: \"GET /\", do: {close: {code: 1006}}}\n", 1, 29, "no closing frame may hold the code 1006"},
    {"- {at: \"GET /\", do: {close: {code: 999}}}\n", 1, 29, "no closing frame"},
    {"- {at: \"GET /\", do: {close: {code: 0, reason: a}}}\n", 1, 29, "without a code"},
    {"- {at: \"GET /\", do: {slow: {bytes: 0}}}\n", 1, 36, "from 1 to"},
    {"- {at: \"GET /\", every: 2, rate: 1%, do: reset}\n", 1, 33, "one of `every`, `nth` and `rate`"},
    {"- {at: \"GET /\", every: 0, do: reset}\n", 1, 24, "from 1 to"},
    {"- {at: \"GET /\", nth: [5, 2], do: reset}\n", 1, 22, "smaller to the larger"},
    {"- {at: \"GET /\", rate: 101%, do: reset}\n", 1, 23, "at most 100%"},
    {"- {at: \"GET /\", during: 5, do: reset}\n", 1, 25, "needs a unit"},
    {"- {name: a, at: \"GET /\", do: reset}\n- {name: a, at: \"GET /\", do: reset}\n", 2, 3,
     "two rules have the name"},
    {"convex: {}\n", 1, 9, "must be a list of at most"},
    {"convx: []\n", 1, 1, "did you mean `convex`?"},
    {"deployment: {clock: [{at: 1s}]}\n", 1, 22, "goes `back` or `forward`"},
    {"deployment: {clock: 1}\n", 1, 21, "must be a list of steps"},
    {"deployment: {conflicts: 11}\n", 1, 25, "from 0 to 10"},
    {"deployment: {knobs: {a: b}}\n", 1, 25, "must be a whole number"},
};

static void test_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct arena arena = {0};
        struct fault_file file;
        struct error error = {0};
        if (read_text(refusals[i].text, &arena, &file, &error) != STATUS_INVALID)
            fail_msg("accepted: %s", refusals[i].text);
        if (!strstr(error.message, refusals[i].says))
            fail_msg("%s: says \"%s\"", refusals[i].text, error.message);
        if (error.line != refusals[i].line || error.column != refusals[i].column)
            fail_msg("%s: at %d:%d", refusals[i].text, error.line, error.column);
        assert_string_equal(error.file, "faults.yaml");
        arena_free(&arena);
    }
}

static void test_names_and_defaults(void **state) {
    struct arena arena = {0};
    struct fault_file file;
    struct error error = {0};
    (void)state;
    assert_int_equal(read_text("- {at: \"GET /a\", do: reset}\n- {at: \"GET /a\", do: reset}\n"
                               "- {name: mine, at: \"* /a\", message: B, nth: 3, do: {delay: [1s, 2s]}}\n",
                               &arena, &file, &error),
                     STATUS_OK);
    const struct fault_rule *rules = file.convex.rules.rules;
    assert_int_equal(file.convex.rules.count, 3);
    assert_string_equal(rules[0].name, "reset at GET /a");
    assert_string_equal(rules[1].name, "reset at GET /a, rule 2");
    assert_string_equal(rules[2].name, "mine");
    assert_int_equal(rules[2].nth.low, 3);
    assert_int_equal(rules[2].nth.high, 3);
    assert_int_equal(file.powersync.rules.count, 0);
    assert_int_equal(file.conflicts, 0);
    arena_free(&arena);
}

static void test_globs(void **state) {
    static const struct {
        const char *glob, *text;
        bool matches;
    } cases[] = {{"", "", true},
                 {"*", "", true},
                 {"a", "", false},
                 {"/api/*/sync", "/api/1.48.0/sync", true},
                 {"/api/*sync", "/api/sync", true},
                 {"/api/*/sync", "/api/sync", false},
                 {"*a*b", "xaxbxb", true},
                 {"*a*b", "xaxbx", false},
                 {"a*", "b", false},
                 {"**", "abc", true},
                 {"a", "ab", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (fault_glob_matches(cases[i].glob, cases[i].text, strlen(cases[i].text)) != cases[i].matches)
            fail_msg("%s and %s", cases[i].glob, cases[i].text);
}

static void test_paths(void **state) {
    struct fault_rule rule = {.method = "GET", .path = "/a"};
    const struct http_request request = {.method = "GET", .target = "/a?b=1"};
    (void)state;
    assert_true(fault_rule_matches(&rule, &request));
    rule.path = "/a?c=*";
    assert_false(fault_rule_matches(&rule, &request));
    rule.path = "*?b=*";
    assert_true(fault_rule_matches(&rule, &request));
    rule.method = "POST";
    assert_false(fault_rule_matches(&rule, &request));
}

/* The reference has a line for every fault. */
static void test_reference(void **state) {
    struct buffer text = {0};
    char block[4096];
    size_t got;
    FILE *file = fopen(SYNCLINE_SOURCE_DIR "/docs/faults.md", "rb");
    (void)state;
    assert_non_null(file);
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        buffer_append(&text, block, got);
    fclose(file);
    for (size_t i = 0; door_faults[i]; i++) {
        char *quoted = memory_format("| `%s` |", door_faults[i]->name);
        char *opened = memory_format("| `{%s: ", door_faults[i]->name);
        if (!strstr(buffer_text(&text), quoted) && !strstr(buffer_text(&text), opened))
            fail_msg("docs/faults.md does not mention %s", door_faults[i]->name);
        free(quoted);
        free(opened);
        assert_true(door_faults[i]->requests || door_faults[i]->messages);
    }
    buffer_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_names_and_defaults),
        cmocka_unit_test(test_globs), cmocka_unit_test(test_paths), cmocka_unit_test(test_reference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
