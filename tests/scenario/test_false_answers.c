/* Answers that are not what they seem: a captive portal's pages, tokens for somebody else. */
#include "stage_run.h"

static const char portal[] = "users: [alice]\nrun: {for: 40s}\nfault-points: false\nrandom-knobs: false\n"
                             "reactive: [{name: web, queries: [{query: \"todo:listLists\"}]}]\n"
                             "steps:\n"
                             "  - {at: 5s, captive-portal: alice-1, lasts: 10s}\n"
                             "  - {at: 6s, captive-portal: alice-1, lasts: 15s}\n"
                             "  - {at: 7s, write: alice-1, action: add-list, rows: 2}\n"
                             "  - {at: 8s, captive-portal: web-1, lasts: 5s}\n"
                             "  - {at: 38s, captive-portal: alice-1, lasts: 60s}\n"
                             "  - {at: 39s, write: alice-1, action: add-list, rows: 2}\n";

static size_t count(const char *text, const char *part) {
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        n++;
    return n;
}

static void test_portal(void **state) {
    struct stage_result result;
    (void)state;
    struct scenario *scenario = stage_run_text(portal, 1, &result);
    const char *told = buffer_text(&result.narration);
    if (!result.passed)
        fail_msg("%s: %s", result.violations[0].property, result.violations[0].explanation);
    assert_int_equal(stage_run_fault(&result, "captive-portal"), 4);
    assert_true(strstr(told, "HTTP 200 without a status") != NULL); /* the upload's answer was a page */
    /* 5 s between two attempts: at most 4 uploads fail in 16 s, and 2 in the second portal and after it */
    assert_true(count(told, "HTTP 200 without a status") <= 6);
    stage_result_free(&result);
    scenario_free(scenario);
}

/* PSYNC_S2105 is the service's word for an audience that it does not serve; the app gets to see it. */
static void test_wrong_audience(void **state) {
    static const char text[] = "users: [alice]\nrun: {for: 40s}\nfault-points: false\nrandom-knobs: false\n"
                               "steps:\n"
                               "  - {at: 10ms, wrong-audience: issuer, lasts: 3s}\n"
                               "  - {at: 20ms, wrong-audience: issuer, lasts: 12s}\n";
    struct stage_result result;
    (void)state;
    struct scenario *scenario = stage_run_text(text, 1, &result);
    const char *told = buffer_text(&result.narration);
    if (!result.passed)
        fail_msg("%s: %s", result.violations[0].property, result.violations[0].explanation);
    assert_int_equal(stage_run_fault(&result, "wrong-audience"), 2);
    assert_non_null(strstr(told, "HTTP 401: "));
    /* attempts 5 s (+-10 %) apart in 12 s: 2 or 3 */
    const size_t refused = count(told, "PSYNC_S2105");
    if (refused < 2 || refused > 3)
        fail_msg("%zu refusals:\n%s", refused, told);
    stage_result_free(&result);
    scenario_free(scenario);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_portal), cmocka_unit_test(test_wrong_audience)};
    return cmocka_run_group_tests(tests, stage_run_open_core, stage_run_close_core);
}
