/* The newest timestamp of an idle deployment: 5 s after the last commit, then every 60 to 120 min. */
#include "fixture.h"

static int64_t cursor_of(struct fixture *fixture, int64_t cursor) {
    char target[96];
    snprintf(target, sizeof target, "/api/document_deltas?cursor=%lld", (long long)cursor);
    json_t *json = get_json(fixture, target);
    assert_int_equal(json_array_size(json_object_get(json, "values")), 0);
    int64_t next = json_integer_value(json_object_get(json, "cursor"));
    json_decref(json);
    return next;
}

static void test_bumps(void **state) {
    (void)state;
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    options.bumps_when_idle = true;
    fixture_deploy(fixture, &options);
    fixture_run(fixture, 3 * TIME_SECOND);
    mutate(fixture, "pets:add", "{}"); /* the 5 s begin again */
    int64_t committed = convex_deployment_latest(fixture->deployment);
    fixture_run(fixture, 4 * TIME_SECOND);
    assert_int_equal(convex_deployment_latest(fixture->deployment), committed);
    fixture_run(fixture, 2 * TIME_SECOND);
    int64_t first = convex_deployment_latest(fixture->deployment);
    assert_int_equal(first - committed, 5 * TIME_SECOND);
    assert_int_equal(cursor_of(fixture, committed), first); /* a jump without rows */
    for (int i = 0; i < 50; i++) {
        int64_t before = convex_deployment_latest(fixture->deployment);
        fixture_run(fixture, before + 60 * TIME_MINUTE - host_wall_clock(fixture->convex) - 1);
        assert_int_equal(convex_deployment_latest(fixture->deployment), before);
        for (int minute = 0; minute <= 60; minute++) {
            if (convex_deployment_latest(fixture->deployment) == before) {
                fixture_run(fixture, TIME_MINUTE);
            }
        }
        int64_t pause = convex_deployment_latest(fixture->deployment) - before;
        assert_in_range(pause, 60 * TIME_MINUTE, 120 * TIME_MINUTE);
    }
    mutate(fixture, "pets:add", "{}");
    committed = convex_deployment_latest(fixture->deployment);
    fixture_run(fixture, 6 * TIME_SECOND);
    assert_int_equal(convex_deployment_latest(fixture->deployment) - committed, 5 * TIME_SECOND);
    fixture_free(fixture);
}

static void test_off(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    mutate(fixture, "pets:add", "{}");
    int64_t committed = convex_deployment_latest(fixture->deployment);
    fixture_run(fixture, 5 * TIME_HOUR);
    assert_int_equal(convex_deployment_latest(fixture->deployment), committed);
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bumps), cmocka_unit_test(test_off)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
