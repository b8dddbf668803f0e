/* Plain Convex clients in scenarios: the language, plans, and whole worlds without devices (so without the
 * client core), in which every mutation must have had its effect once. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/generator.h"
#include "scenario/stage.h"

static struct scenario *parse(const char *text) {
    struct scenario *scenario = NULL;
    struct error error = {0};
    if (scenario_parse(text, strlen(text), "x.yaml", &scenario, &error) != STATUS_OK)
        fail_msg("refused at %d:%d: %s\n%s", error.line, error.column, error.message, text);
    return scenario;
}

struct refusal {
    const char *text;
    int line, column;
    const char *message;
};

static const struct refusal refusals[] = {
    {"users: 0\n", 1, 8, "nobody takes part"},
    {"reactive: 5\n", 1, 11, "`reactive` must be a list"},
    {"reactive:\n  - {clients: 0}\n", 2, 15, "`clients` must be from 1 to 10000"},
    {"reactive:\n  - {name: Web}\n", 2, 12, "`Web` is no name for a group"},
    {"reactive:\n  - {name: alice}\n", 2, 12, "a user or another group is called `alice` already"},
    {"reactive:\n  - {name: web}\n  - {name: web}\n", 3, 12, "is called `web` already"},
    {"reactive:\n  - {querys: []}\n", 2, 6, "unknown key `querys`; did you mean `queries`?"},
    {"reactive:\n  - queries: [{args: {}}]\n", 2, 15, "this needs `query`"},
    {"reactive:\n  - calls: [{args: {}}]\n", 2, 13, "this needs `mutation` or `action`"},
    {"reactive:\n  - calls: [{mutation: a, action: b}]\n", 2, 13, "not both"},
    {"reactive:\n  - calls: [{mutation: a, weight: 0}]\n", 2, 35, "`weight` must be from 1"},
    {"reactive:\n  - calls: [{mutation: a, args: []}]\n", 2, 33, "`args` must be a mapping"},
    {"reactive:\n  - calls: [{mutation: a, args: {x: {$choose: []}}}]\n", 2, 47, "at least one value"},
    {"reactive:\n  - calls: [{mutation: a, args: {x: {$uuid: 1}}}]\n", 2, 45, "`$uuid` must be true"},
    {"reactive:\n  - calls: [{mutation: a, args: {x: {$number: [1]}}}]\n", 2, 47, "[lowest, highest]"},
    {"reactive:\n  - calls: [{mutation: a, args: {x: {$int: [2, 1]}}}]\n", 2, 44, "the lowest comes first"},
    {"reactive: [{}]\nsteps:\n  - {at: 1s, write: web-1, action: edit}\n", 3, 21, "does `call`"},
    {"reactive: [{}]\nsteps:\n  - {at: 1s, call: alice-1, mutation: a}\n", 3, 20, "does `write`"},
    {"reactive: [{}]\nsteps:\n  - {at: 1s, call: web-2, mutation: a}\n", 3, 20,
     "there is no client `web-2`; clients are `alice-1` to `bob-1`, `web-1` to `web-1`"},
    {"reactive: [{}]\nsteps:\n  - {at: 1s, call: web-1}\n", 3, 5, "a step needs `mutation`"},
    {"reactive: [{}]\nsteps:\n  - {at: 1s, call: web-1, mutation: a, action: b}\n", 3, 40, "not both"},
    {"reactive: [{}]\nsteps:\n  - {at: 1s, call: web-1, mutation: a, rows: 2}\n", 3, 40,
     "`rows` is not for calls"},
    {"reactive: [{}]\nsteps:\n  - {at: 1s, offline: web-1, lasts: 1s, args: {}}\n", 3, 41, "is for calls"},
    {"reactive:\n  - {user: Al}\n", 2, 12, "`Al` is no name for a user"},
    {"reactive: [{}]\nfaults: {rotate-keys: {every: 1s, lasts: 1s}}\n", 2, 10, "needs tokens of key pairs"},
    {"reactive: [{user: a}]\nsteps:\n  - {at: 1s, rotate-keys: convex, lasts: 1s}\n", 3, 27,
     "only `issuer` has keys"},
    {"reactive: [{}]\nsteps:\n  - {at: 1s, rotate-keys: issuer, lasts: 1s}\n", 3, 27,
     "needs tokens of key pairs"},
    {"users: 0\nreactive: [{}]\nsteps:\n  - {at: 1s, crash: powersync, lasts: 1s}\n", 4, 21,
     "there is no client `powersync`"},
};

static void test_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *wanted = &refusals[i];
        struct scenario *scenario = NULL;
        struct error error = {0};
        if (scenario_parse(wanted->text, strlen(wanted->text), "x.yaml", &scenario, &error) != STATUS_INVALID)
            fail_msg("not refused:\n%s", wanted->text);
        if (!strstr(error.message, wanted->message))
            fail_msg("%s\nis refused with `%s`\nand not with  `%s`", wanted->text, error.message,
                     wanted->message);
        if (error.line != wanted->line || error.column != wanted->column)
            fail_msg("%s\nis refused at %d:%d and not at %d:%d", wanted->text, error.line, error.column,
                     wanted->line, wanted->column);
    }
}

/* --- arguments --- */

static void draw(const char *generator, uint64_t seed, struct buffer *out) {
    struct random_stream stream = random_stream_make(seed, "test");
    buffer_clear(out);
    generator_draw_text(generator, &stream, out);
}

static void test_literals(void **state) {
    (void)state;
    struct buffer out = {0};
    draw("{\"b\":[1,2.5,null,true,\"$uuid\"],\"a\":{\"$integer\":\"BwAAAAAAAAA=\"}}", 1, &out);
    assert_string_equal(buffer_text(&out),
                        "{\"a\":{\"$integer\":\"BwAAAAAAAAA=\"},\"b\":[1.0,2.5,null,true,\"$uuid\"]}");
    draw("{\"n\":{\"$int\":[7,7]},\"m\":{\"$number\":[-3,-3]},\"c\":{\"$choose\":[{\"uuid\":1}]}}", 1, &out);
    assert_string_equal(buffer_text(&out),
                        "{\"c\":{\"uuid\":1.0},\"m\":-3.0,\"n\":{\"$integer\":\"BwAAAAAAAAA=\"}}");
    buffer_free(&out);
}

static void test_draws(void **state) {
    (void)state;
    struct buffer out = {0};
    unsigned seen[4] = {0};
    for (uint64_t seed = 0; seed < 200; seed++) {
        draw("{\"$number\":[1,3]}", seed, &out);
        int number = atoi(buffer_text(&out));
        assert_in_range(number, 1, 3);
        seen[number]++;
        draw("{\"$choose\":[\"a\",\"b\"]}", seed, &out);
        assert_true(!strcmp(buffer_text(&out), "\"a\"") || !strcmp(buffer_text(&out), "\"b\""));
        draw("[{\"$uuid\":true},{\"$uuid\":true}]", seed, &out);
        assert_int_equal(out.length, 79); /* two texts of 36 bytes */
        assert_memory_not_equal(out.data + 2, out.data + 41, 36);
    }
    for (int number = 1; number <= 3; number++)
        assert_in_range(seen[number], 40, 95); /* a third of 200, give or take */
    buffer_free(&out);
}

/* --- plans and worlds --- */

#define WORLD(faults)                                                                                        \
    "users: 0\n"                                                                                             \
    "run: {for: 40s, settle-within: 60s}\n"                                                                  \
    "network: {latency: [20ms, 200ms], jitter: 20ms}\n"                                                      \
    "reactive:\n"                                                                                            \
    "  - name: web\n"                                                                                        \
    "    clients: 3\n"                                                                                       \
    "    queries: [{query: 'todo:listLists'}]\n"                                                             \
    "    calls:\n"                                                                                           \
    "      - {mutation: 'todo:addList', args: {list: {uuid: {$uuid: true}, name: a}, todos: []}}\n"          \
    "    between-calls: [500ms, 2s]\n" faults

static const char rough[] = WORLD("swarm: false\n"
                                  "faults:\n"
                                  "  disconnect: {every: 8s, lasts: [100ms, 1s]}\n"
                                  "  offline: {every: 20s, lasts: [1s, 5s]}\n"
                                  "  refuse: 10%\n"
                                  "  reset: 30%\n"
                                  "  lose-response: 10%\n"
                                  "  stall: {rate: 20%, lasts: [100ms, 2s]}\n");

static struct plan *make(const struct scenario *scenario, uint64_t seed) {
    struct plan *plan = NULL;
    struct error error = {0};
    if (plan_make(scenario, seed, &plan, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return plan;
}

static void run(const struct scenario *scenario, const struct plan *plan, struct stage_result *result) {
    const struct stage_options options = {.core = NULL};
    struct error error = {0};
    if (stage_run(scenario, plan, &options, result, &error) != STATUS_OK)
        fail_msg("seed %llu: %s", (unsigned long long)plan->seed, error.message);
}

static uint64_t calls_of(const struct plan *plan) {
    uint64_t calls = 0;
    for (size_t i = 0; i < plan->n_steps; i++)
        calls += plan->steps[i].kind == STEP_CALL;
    return calls;
}

/* Each call inserts a list, so it is one commit; nothing else commits. */
static void test_exactly_once(void **state) {
    (void)state;
    struct scenario *scenario = parse(rough);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct plan *plan = make(scenario, seed);
        struct stage_result result;
        run(scenario, plan, &result);
        if (!result.passed)
            fail_msg("seed %llu: %s", (unsigned long long)seed, result.violations[0].explanation);
        assert_true(calls_of(plan) > 20);
        assert_int_equal(result.commits, calls_of(plan));
        assert_true(result.virtual_time < scenario->duration + scenario->settle_within);
        stage_result_free(&result);
        plan_free(plan);
    }
    scenario_free(scenario);
}

/* Calls die with their process, so some may be lost; none runs twice. */
static void test_crashes(void **state) {
    (void)state;
    struct scenario *scenario =
        parse(WORLD("swarm: false\nfaults: {client-crash: {every: 8s, lasts: [100ms, 2s]}}\n"));
    uint64_t lost = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct plan *plan = make(scenario, seed);
        struct stage_result result;
        run(scenario, plan, &result);
        assert_true(result.passed);
        assert_true(result.commits <= calls_of(plan));
        lost += calls_of(plan) - result.commits;
        assert_true(result.virtual_time < scenario->duration + scenario->settle_within);
        stage_result_free(&result);
        plan_free(plan);
    }
    assert_true(lost > 0);
    scenario_free(scenario);
}

static void test_mutant(void **state) {
    (void)state;
    char *text = memory_format("%smutants: [new-request-id]\n", rough);
    struct scenario *scenario = parse(text);
    size_t found = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct plan *plan = make(scenario, seed);
        struct stage_result result;
        run(scenario, plan, &result);
        for (size_t i = 0; i < result.n_violations; i++)
            assert_string_equal(result.violations[i].property, "exactly-once");
        found += result.n_violations > 0;
        if (result.n_violations > 0)
            assert_non_null(strstr(result.steps_text, " calls todo:addList with {"));
        stage_result_free(&result);
        plan_free(plan);
    }
    assert_true(found > 0);
    scenario_free(scenario);
    free(text);
}

/* What is written down is the same plan, and the same run. */
static void test_pinned_plan(void **state) {
    (void)state;
    struct scenario *scenario = parse(rough);
    struct plan *plan = make(scenario, 3);
    struct buffer text = {0};
    struct stage_result first, second;
    plan_write(plan, scenario, &text);
    struct scenario *again = parse(buffer_text(&text));
    struct plan *same = make(again, again->seed);
    assert_int_equal(plan->n_steps, same->n_steps);
    for (size_t i = 0; i < plan->n_steps; i++) {
        assert_string_equal(plan->steps[i].id, same->steps[i].id);
        assert_int_equal(plan->steps[i].at, same->steps[i].at);
        if (plan->steps[i].kind == STEP_CALL)
            assert_string_equal(plan->steps[i].args, same->steps[i].args);
    }
    run(scenario, plan, &first);
    run(again, same, &second);
    assert_true(hash128_equal(first.trace_hash, second.trace_hash));
    stage_result_free(&first);
    stage_result_free(&second);
    plan_free(plan);
    plan_free(same);
    scenario_free(scenario);
    scenario_free(again);
    buffer_free(&text);
}

static void test_another_client_moves_nobody(void **state) {
    (void)state;
    struct scenario *scenario = parse(rough);
    struct plan *few = make(scenario, 4);
    ((struct scenario_reactive *)(uintptr_t)scenario->reactive)->clients = 4;
    scenario->n_reactive_clients = 4;
    struct plan *more = make(scenario, 4);
    size_t j = 0;
    for (size_t i = 0; i < few->n_steps; i++, j++) {
        while (strncmp(more->steps[j].id, "web-4.", 6) == 0)
            j++;
        assert_string_equal(few->steps[i].id, more->steps[j].id);
        assert_int_equal(few->steps[i].at, more->steps[j].at);
    }
    assert_true(more->n_steps > few->n_steps);
    plan_free(few);
    plan_free(more);
    scenario_free(scenario);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),    cmocka_unit_test(test_literals),
        cmocka_unit_test(test_draws),       cmocka_unit_test(test_exactly_once),
        cmocka_unit_test(test_crashes),     cmocka_unit_test(test_mutant),
        cmocka_unit_test(test_pinned_plan), cmocka_unit_test(test_another_client_moves_nobody)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
