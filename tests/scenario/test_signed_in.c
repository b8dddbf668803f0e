/* Signed-in plain Convex clients in whole worlds: everybody sees his own while keys change, and a plan with a
 * change of keys can be written down. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "scenario/stage.h"

static struct scenario *load(void) {
    struct scenario *scenario = NULL;
    struct error error = {0};
    if (scenario_load(SYNCLINE_SOURCE_DIR "/scenarios/smoke/signed-in.yaml", &scenario, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return scenario;
}

static struct plan *make(const struct scenario *scenario, uint64_t seed) {
    struct plan *plan = NULL;
    assert_int_equal(plan_make(scenario, seed, &plan, NULL), STATUS_OK);
    return plan;
}

static void run(const struct scenario *scenario, const struct plan *plan, struct stage_result *result) {
    const struct stage_options options = {.narrate = true};
    struct error error = {0};
    if (stage_run(scenario, plan, &options, result, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static uint64_t rotations(const struct stage_result *result) {
    for (size_t i = 0; i < result->n_faults; i++)
        if (!strcmp(result->faults[i].name, "rotate-keys"))
            return result->faults[i].count;
    fail_msg("rotate-keys is not counted");
    return 0;
}

static const struct scenario_step *rotation_of(const struct plan *plan) {
    for (size_t i = 0; i < plan->n_steps; i++)
        if (plan->steps[i].kind == STEP_ROTATE_KEYS)
            return &plan->steps[i];
    return NULL;
}

static void test_seeds(void **state) {
    (void)state;
    struct scenario *scenario = load();
    uint64_t rotated = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct plan *plan = make(scenario, seed);
        struct stage_result result = {0};
        run(scenario, plan, &result);
        if (!result.passed)
            fail_msg("seed %llu: %s", (unsigned long long)seed, result.violations[0].explanation);
        assert_true(result.virtual_time < scenario->duration + scenario->settle_within); /* it settled */
        assert_true(result.commits > 5); /* visitors' notes are refused, users' are not */
        rotated += rotations(&result);
        stage_result_free(&result);
        plan_free(plan);
    }
    assert_true(rotated > 0);
    scenario_free(scenario);
}

static void test_pinned_rotation(void **state) {
    (void)state;
    struct scenario *scenario = load(), *again = NULL;
    struct plan *plan = NULL;
    struct buffer text = {0};
    struct stage_result first = {0}, second = {0};
    for (uint64_t seed = 1; !plan || !rotation_of(plan); seed++) {
        assert_in_range(seed, 1, 50);
        plan_free(plan);
        plan = make(scenario, seed);
    }
    assert_int_equal(strncmp(rotation_of(plan)->id, "issuer.r", 8), 0);
    plan_write(plan, scenario, &text);
    assert_int_equal(scenario_parse(buffer_text(&text), text.length, "x.yaml", &again, NULL), STATUS_OK);
    struct plan *same = make(again, again->seed);
    run(scenario, plan, &first);
    run(again, same, &second);
    assert_true(hash128_equal(first.trace_hash, second.trace_hash));
    assert_true(rotations(&second) > 0);
    assert_non_null(strstr(buffer_text(&second.narration), "issuer signs with a new key"));
    stage_result_free(&first);
    stage_result_free(&second);
    plan_free(plan);
    plan_free(same);
    scenario_free(scenario);
    scenario_free(again);
    buffer_free(&text);
}

/* A key that goes at once, and a deployment that has forgotten it: the old token is refused, the next is not.
 */
static void test_rotation_matters(void **state) {
    (void)state;
    static const char text[] = "users: 0\n"
                               "backend: " SYNCLINE_SOURCE_DIR "/backends/notes.yaml\n"
                               "run: {for: 20s, settle-within: 30s}\n"
                               "fault-points: false\n"
                               "reactive: [{user: alice, queries: [{query: 'notes:whoAmI'}]}]\n"
                               "steps:\n"
                               "%s"
                               "  - {at: 6s, crash: convex, lasts: 500ms}\n"
                               "  - {at: 12s, call: web-1, mutation: 'notes:add', args: {text: a}}\n";
    static const char *const rotation[] = {"", "  - {at: 5s, rotate-keys: issuer, lasts: 0s}\n"};
    for (size_t i = 0; i < 2; i++) {
        struct scenario *scenario = NULL;
        struct stage_result result = {0};
        char *whole = memory_format(text, rotation[i]);
        assert_int_equal(scenario_parse(whole, strlen(whole), "x.yaml", &scenario, NULL), STATUS_OK);
        struct plan *plan = make(scenario, 1);
        run(scenario, plan, &result);
        assert_true(result.passed);
        assert_int_equal(result.commits, 1); /* signed in again: the call is accepted */
        bool refused = strstr(buffer_text(&result.narration), "refuses a token: Unauthenticated") != NULL;
        assert_int_equal(refused, i);
        stage_result_free(&result);
        plan_free(plan);
        scenario_free(scenario);
        free(whole);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_seeds), cmocka_unit_test(test_pinned_rotation),
                                       cmocka_unit_test(test_rotation_matters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
