/* The app's own server as a node of the world: it ends and starts again, loses its way to others, and has a
 * door. Needs the client core from npm. */
#include "stage_run.h"

static const char down[] = "app: notes\nusers: [alice]\nupload: {path: upload-endpoint}\n"
                           "run: {for: 30s}\nfault-points: false\nrandom-knobs: false\n"
                           "server-faults:\n"
                           "  backend: [{at: \"PUT *\", nth: 2, do: {answer: {status: 503}}}]\n"
                           "  issuer: [{at: \"GET /token*\", nth: 1, do: reset}]\n"
                           "steps:\n"
                           "  - {at: 8s, write: alice-1, action: add-notes, rows: 2}\n"
                           "  - {at: 10s, crash: backend, lasts: 9s}\n"
                           "  - {at: 11s, crash: backend, lasts: 2s}\n"
                           "  - {at: 12s, write: alice-1, action: add-notes, rows: 2}\n"
                           "  - {at: 21s, partition: [alice-1, backend], lasts: 2s}\n"
                           "  - {at: 22s, partition: [backend, convex], lasts: 60s}\n"
                           "  - {at: 28s, crash: backend, lasts: 60s}\n";

static void test_backend_down(void **state) {
    struct stage_result result;
    (void)state;
    struct scenario *scenario = stage_run_text(down, 1, &result);
    if (!result.passed)
        fail_msg("%s: %s", result.violations[0].property, result.violations[0].explanation);
    assert_int_equal(result.local_writes, 2);
    assert_int_equal(stage_run_fault(&result, "backend-crash"), 3);
    assert_int_equal(stage_run_fault(&result, "partition"), 2);
    assert_int_equal(stage_run_fault(&result, "backend: answer at PUT *"), 1);
    assert_int_equal(stage_run_fault(&result, "issuer: reset at GET /token*"), 1);
    /* down from 10 s to 19 s: the second upload meets nobody, and goes through later */
    assert_non_null(strstr(buffer_text(&result.narration), "refused"));
    stage_result_free(&result);
    scenario_free(scenario);
}

/* Who comes back to his own data keeps it, queue and all; who finds somebody else's clears it first. The app
 * dies while it does. */
static const char owners[] = "users: [alice, bob]\nclear-at: sign-in\ncredentials: config-then-token\n"
                             "run: {for: 60s}\nfault-points: false\nrandom-knobs: false\n"
                             "steps:\n"
                             "  - {at: 8s, offline: alice-1, lasts: 6s}\n"
                             "  - {at: 9s, write: alice-1, action: add-list, rows: 2}\n"
                             "  - {at: 10s, switch-user: alice-1, to: alice, lasts: 1s}\n"
                             "  - {at: 25s, switch-user: alice-1, to: bob, lasts: 1s}\n"
                             "  - {at: 26.1s, crash: alice-1, lasts: 1s}\n"
                             "  - {at: 28s, crash: alice-1, lasts: 100ms}\n"
                             "  - {at: 40s, write: alice-1, action: add-list, rows: 2}\n";

static void test_owners(void **state) {
    struct stage_result result;
    (void)state;
    struct scenario *scenario = stage_run_text(owners, 1, &result);
    const char *told = buffer_text(&result.narration);
    const char *cleared = strstr(told, "alice-1 empties its database");
    const char *back = strstr(told, "alice-1 is signed in as alice");
    if (!result.passed)
        fail_msg("%s: %s", result.violations[0].property, result.violations[0].explanation);
    assert_int_equal(result.local_writes, 2);
    assert_non_null(back);
    assert_non_null(strstr(back, "alice-1 uploads transaction 1")); /* written before she left */
    assert_non_null(cleared);
    assert_true(cleared > back);
    assert_non_null(strstr(cleared, "alice-1 is signed in as bob"));
    stage_result_free(&result);
    scenario_free(scenario);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_backend_down), cmocka_unit_test(test_owners)};
    return cmocka_run_group_tests(tests, stage_run_open_core, stage_run_close_core);
}
