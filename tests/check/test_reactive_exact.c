/* The property reactive-exact on hand-written histories, with a deployment of one counter: the query
 * "counter:get" gives, as of timestamp T, the number of commits up to T. */
#include "history_fixture.h"

#include <stdlib.h>

#include "base/memory.h"

static const char *const only_reactive[] = {"reactive-exact"};

struct deployment {
    struct history *history;
    struct checker *checker;
    struct arena arena;
    int64_t commits[32];
    size_t n_commits, evaluations;
    bool down;
    int64_t time;
};

static enum status evaluate(void *context, const char *path, const char *args, const char *user, int64_t ts,
                            bool *failed, char **text, struct error *error) {
    struct deployment *deployment = context;
    size_t count = 0;
    deployment->evaluations++;
    if (deployment->down)
        return error_set(error, STATUS_MISSING, "down");
    if (strcmp(path, "counter:random") == 0)
        return error_set(error, STATUS_INVALID, "random");
    while (count < deployment->n_commits && deployment->commits[count] <= ts)
        count++;
    *failed = strcmp(path, "counter:fail") == 0;
    *text = *failed ? memory_format("Server Error\nUncaught Error: %zu", count)
                    : memory_format("{\"count\":%zu.0,\"user\":\"%s\",\"with\":%s}", count,
                                    user == NULL ? "" : user, args);
    return STATUS_OK;
}

static struct deployment *open(void) {
    struct deployment *deployment = memory_allocate(sizeof *deployment);
    const struct check_settings settings = {.schema = &fixture_schema,
                                            .sync_config = fixture_config,
                                            .clients = fixture_clients,
                                            .users = fixture_users,
                                            .n_clients = 3,
                                            .properties = only_reactive,
                                            .n_properties = 1,
                                            .evaluate = evaluate,
                                            .evaluate_context = deployment};
    struct error error;
    deployment->history = history_create();
    if (checker_create(deployment->history, NULL, &settings, &deployment->checker, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return deployment;
}

static void shut(struct deployment *deployment) {
    checker_destroy(deployment->checker);
    history_destroy(deployment->history);
    arena_free(&deployment->arena);
    free(deployment);
}

static uint64_t add(struct deployment *deployment, const char *node, const struct note *note) {
    return history_add(deployment->history, deployment->time += TIME_MILLISECOND, node, note)->number;
}

static uint64_t commit(struct deployment *deployment, int64_t ts) {
    const struct note note = {.kind = NOTE_COMMIT, .timestamp = ts, .text = "counter:add"};
    deployment->commits[deployment->n_commits++] = ts;
    return add(deployment, "convex", &note);
}

/* A value of counter:get for nobody. */
static const char *value(struct deployment *deployment, int count) {
    return arena_format(&deployment->arena, "{\"count\":%d.0,\"user\":\"\",\"with\":{}}", count);
}

static struct note_row get(const char *values) {
    return (struct note_row){"VALUE", "counter:get", "{}", values};
}

static uint64_t transition(struct deployment *deployment, int64_t ts, const struct note_row *rows,
                           size_t n_rows, const char *user) {
    const struct note note = {
        .kind = NOTE_TRANSITION, .timestamp = ts, .rows = rows, .n_rows = n_rows, .text = user};
    return add(deployment, "tab-1", &note);
}

static uint64_t shows(struct deployment *deployment, int64_t ts, int count) {
    const struct note_row row = get(value(deployment, count));
    return transition(deployment, ts, &row, 1, NULL);
}

static const struct violation *violation_of(struct deployment *deployment, size_t expected) {
    const struct violation *const *violations;
    checker_finish(deployment->checker);
    const size_t count = checker_violations(deployment->checker, &violations);
    for (size_t i = 0; i < count && count != expected; i++)
        print_error("%s: %s\n", violations[i]->property, violations[i]->explanation);
    assert_int_equal(count, expected);
    return expected > 0 ? violations[0] : NULL;
}

static void test_exact(void **state) {
    (void)state;
    struct deployment *deployment = open();
    shows(deployment, 5, 0);
    commit(deployment, 10);
    commit(deployment, 20);
    shows(deployment, 10, 1);
    shows(deployment, 15, 1);
    shows(deployment, 20, 2);
    violation_of(deployment, 0);
    shut(deployment);
}

/* Another layout of the same JSON, a user, a failure with its request id, and what cannot be told. */
static void test_what_agrees(void **state) {
    (void)state;
    struct deployment *deployment = open();
    commit(deployment, 10);
    const struct note_row rows[] = {
        {"VALUE", "counter:get", "{\"a\":1}",
         "{\"with\": {\"a\": 1}, \"user\": \"https://i|alice\", \"count\": 1e0}"},
        {"ERROR", "counter:fail", "{}", "[Request ID: 0123456789abcdef] Server Error\nUncaught Error: 1"},
        {"VALUE", "counter:random", "{}", "17"}};
    transition(deployment, 10, rows, 3, "https://i|alice");
    violation_of(deployment, 0);
    shut(deployment);
}

/* One query of a transition is a commit behind. */
static void test_split_snapshot(void **state) {
    (void)state;
    struct deployment *deployment = open();
    commit(deployment, 10);
    const uint64_t newest = commit(deployment, 20);
    const struct note_row rows[] = {
        get(value(deployment, 2)),
        {"VALUE", "counter:get", "{\"b\":2}", "{\"count\":1.0,\"user\":\"\",\"with\":{\"b\":2}}"}};
    const uint64_t shown = transition(deployment, 20, rows, 2, NULL);
    const struct violation *violation = violation_of(deployment, 1);
    assert_string_equal(violation->property, "reactive-exact");
    assert_string_equal(violation->client, "tab-1");
    assert_string_equal(violation->table, "counter:get");
    assert_string_equal(violation->row, "{\"b\":2}");
    assert_string_equal(violation->expected, "{\"count\":2.0,\"user\":\"\",\"with\":{\"b\":2}}");
    assert_int_equal(violation->first_record, newest);
    assert_int_equal(violation->second_record, shown);
    assert_non_null(strstr(violation->explanation, "the result as of 10, 1 commit too old"));
    shut(deployment);
}

static void test_from_nowhere(void **state) {
    (void)state;
    struct deployment *deployment = open();
    commit(deployment, 10);
    commit(deployment, 20);
    shows(deployment, 20, 7);
    assert_non_null(strstr(violation_of(deployment, 1)->explanation, "nor of one of the commits before"));
    shut(deployment);
}

static void test_failure_instead(void **state) {
    (void)state;
    struct deployment *deployment = open();
    commit(deployment, 10);
    const struct note_row row = {"ERROR", "counter:get", "{}", value(deployment, 1)};
    transition(deployment, 10, &row, 1, NULL);
    violation_of(deployment, 1);
    shut(deployment);
}

/* Each transition was right at its time, but the last commit never arrived. */
static void test_stale_at_the_end(void **state) {
    (void)state;
    struct deployment *deployment = open();
    commit(deployment, 10);
    shows(deployment, 10, 1);
    commit(deployment, 20);
    const struct violation *violation = violation_of(deployment, 1);
    assert_non_null(strstr(violation->explanation, "At the end tab-1 shows the result as of 10"));
    shut(deployment);
}

/* A commit that changes nothing of what is shown needs no transition. */
static void test_untouched_at_the_end(void **state) {
    (void)state;
    struct deployment *deployment = open();
    commit(deployment, 10);
    shows(deployment, 10, 1);
    const struct note note = {.kind = NOTE_COMMIT, .timestamp = 20, .text = "other:add"};
    add(deployment, "convex", &note);
    violation_of(deployment, 0);
    shut(deployment);
}

static void test_going_back(void **state) {
    (void)state;
    struct deployment *deployment = open();
    commit(deployment, 10);
    commit(deployment, 20);
    const uint64_t before = shows(deployment, 20, 2);
    const uint64_t after = shows(deployment, 10, 1);
    shows(deployment, 20, 2);
    const struct violation *violation = violation_of(deployment, 1);
    assert_string_equal(violation->expected, "20 or later");
    assert_string_equal(violation->seen, "10");
    assert_int_equal(violation->first_record, before);
    assert_int_equal(violation->second_record, after);
    shut(deployment);
}

/* While the deployment is down nothing can be compared; it is made up for. */
static void test_down(void **state) {
    (void)state;
    struct deployment *deployment = open();
    commit(deployment, 10);
    deployment->down = true;
    shows(deployment, 10, 5);
    deployment->down = false;
    shows(deployment, 10, 1);
    violation_of(deployment, 1);
    shut(deployment);
}

/* The same call as of the same timestamp is evaluated once, however many clients show it. */
static void test_cache(void **state) {
    (void)state;
    struct deployment *deployment = open();
    commit(deployment, 10);
    for (int i = 0; i < 100; i++)
        shows(deployment, 10, 1);
    assert_int_equal(deployment->evaluations, 1);
    shut(deployment);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exact),
                                       cmocka_unit_test(test_what_agrees),
                                       cmocka_unit_test(test_split_snapshot),
                                       cmocka_unit_test(test_from_nowhere),
                                       cmocka_unit_test(test_failure_instead),
                                       cmocka_unit_test(test_stale_at_the_end),
                                       cmocka_unit_test(test_untouched_at_the_end),
                                       cmocka_unit_test(test_going_back),
                                       cmocka_unit_test(test_down),
                                       cmocka_unit_test(test_cache)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
