/* What a file of faults says of the deployment arrives where it belongs. */
#include "cmocka_all.h"

#include <string.h>

#include "scenario/switches.h"

static enum status read(const char *text, struct fault_file *file, struct error *error) {
    struct yaml_document document;
    struct arena arena = {0};
    enum status status = yaml_parse(&document, text, strlen(text), "faults.yaml", NULL, error);
    assert_int_equal(status, STATUS_OK);
    struct reader reader = {&document, &arena, error};
    status = fault_file_read(&reader, (struct reader_value){NULL, NULL, document.root}, file);
    yaml_release(&document);
    arena_free(&arena);
    return status;
}

static void test_given(void **state) {
    const struct convex_limits usual = convex_limits_real();
    struct fault_file file;
    struct error error = {0};
    (void)state;
    assert_int_equal(
        read("deployment: {retention: 1h, snapshot-max-age: 2h, summaries-delay: 3s, restart-loses: 4s, "
             "system-noise: 5, no-streaming-export: true, ignores-tableName: true, "
             "limits: {function-slots: 6, write-rate: 0, request-timeout: 7s}}",
             &file, &error),
        STATUS_OK);
    const struct convex_switches switches = scenario_switches(&file.deployment, &usual);
    assert_int_equal(switches.retention, TIME_HOUR);
    assert_int_equal(switches.snapshot_max_age, 2 * TIME_HOUR);
    assert_int_equal(switches.summaries_delay, 3 * TIME_SECOND);
    assert_int_equal(switches.restart_loses, 4 * TIME_SECOND);
    assert_int_equal(switches.system_noise, 5);
    assert_true(switches.no_streaming_export && switches.ignores_table_name_alias);
    assert_int_equal(switches.limits.function_slots, 6);
    assert_int_equal(switches.limits.write_rate, 0);
    assert_int_equal(switches.limits.request_timeout, 7 * TIME_SECOND);
    /* not given: those of a real deployment */
    assert_int_equal(switches.limits.action_slots, 64);
    assert_int_equal(switches.limits.requests, 128);
}

static void test_silent(void **state) {
    const struct convex_limits none = {0};
    const struct fault_file file = fault_file_empty();
    const struct convex_switches switches = scenario_switches(&file.deployment, &none), expected = {0};
    (void)state;
    assert_memory_equal(&switches.limits, &expected.limits, sizeof switches.limits);
    assert_int_equal(switches.retention, 0);
    assert_int_equal(switches.system_noise, 0);
    assert_false(switches.no_streaming_export || switches.ignores_table_name_alias);
}

static void test_refused(void **state) {
    struct fault_file file;
    struct error error = {0};
    (void)state;
    assert_int_equal(read("deployment: {system-noise: 1001}", &file, &error), STATUS_INVALID);
    assert_int_equal(read("deployment: {limits: {slots: 3}}", &file, &error), STATUS_INVALID);
    assert_int_equal(read("deployment: {limits: [3]}", &file, &error), STATUS_INVALID);
}

int main(void) {
    const struct CMUnitTest all[] = {cmocka_unit_test(test_given), cmocka_unit_test(test_silent),
                                     cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(all, NULL, NULL);
}
