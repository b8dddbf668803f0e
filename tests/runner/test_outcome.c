/* What a seed's result means, what a run's sums say, and that the catalogue knows every mark and fault point.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "runner/catalogue.h"
#include "runner/summary.h"
#include "runner/violation_text.h"

static json_t *parse(const char *text) {
    json_t *json = json_parse(text, strlen(text), NULL);
    assert_non_null(json);
    return json;
}

static void outcomes_follow_expectation(void **state) {
    json_t *passed = parse("{\"passed\":true,\"as_expected\":true,\"violations\":[]}");
    json_t *wrong = parse("{\"passed\":false,\"as_expected\":false,\"violations\":[{\"property\":\"x\"}]}");
    json_t *planted = parse("{\"passed\":false,\"as_expected\":true,\"violations\":[{\"property\":\"x\"}]}");
    (void)state;
    assert_int_equal(outcome_of(passed, EXPECTS_NOTHING), OUTCOME_PASSED);
    assert_int_equal(outcome_of(passed, EXPECTS_VIOLATION), OUTCOME_SILENT);
    assert_int_equal(outcome_of(wrong, EXPECTS_NOTHING), OUTCOME_FAILED);
    assert_int_equal(outcome_of(wrong, EXPECTS_VIOLATION), OUTCOME_FAILED);
    assert_int_equal(outcome_of(planted, EXPECTS_VIOLATION), OUTCOME_EXPECTED);
    assert_int_equal(outcome_of(planted, EXPECTS_NOTHING), OUTCOME_FAILED); /* nobody expected anything */
    json_decref(passed);
    json_decref(wrong);
    json_decref(planted);
}

static void a_crash_can_be_expected(void **state) {
    json_t *crash =
        parse("{\"passed\":false,\"as_expected\":false,\"violations\":[{\"property\":\"no-crash\"}]}");
    json_t *wrong = parse("{\"passed\":false,\"as_expected\":false,\"violations\":[{\"property\":\"x\"}]}");
    json_t *passed = parse("{\"passed\":true,\"as_expected\":true,\"violations\":[]}");
    (void)state;
    assert_int_equal(outcome_of(crash, EXPECTS_CRASH), OUTCOME_EXPECTED);
    assert_int_equal(outcome_of(crash, EXPECTS_VIOLATION), OUTCOME_FAILED);
    assert_int_equal(outcome_of(crash, EXPECTS_NOTHING), OUTCOME_FAILED);
    assert_int_equal(outcome_of(wrong, EXPECTS_CRASH), OUTCOME_FAILED);
    assert_int_equal(outcome_of(passed, EXPECTS_CRASH), OUTCOME_SILENT);
    json_decref(crash);
    json_decref(wrong);
    json_decref(passed);
}

static void add(struct run_tally *tally, size_t scenario, enum outcome outcome, const char *text) {
    json_t *json = parse(text);
    run_tally_add(tally, scenario, outcome, json);
    json_decref(json);
}

static void summarise(const struct run_tally *tally, struct buffer *out) {
    struct summary summary = {.tally = tally, .wall_time = 1000000000, .folder = "out"};
    buffer_clear(out);
    summary_append(out, &summary);
}

/* One ordinary scenario, one canary: good only when the canary fails. */
static void a_silent_canary_fails_the_run(void **state) {
    struct run_tally tally;
    struct buffer out = {0};
    (void)state;
    run_tally_init(&tally, 2);
    tally.scenarios[0].name = memory_copy_text("smoke");
    tally.scenarios[1].name = memory_copy_text("canary");
    tally.scenarios[1].canary = true;
    tally.scenarios[1].expects = EXPECTS_VIOLATION;
    add(&tally, 0, OUTCOME_PASSED,
        "{\"commits\":3,\"judged\":7,\"faults\":{\"net.reset\":2,\"net.stall\":0},\"marks\":{\"convex.occ-"
        "retry\":1}}");
    assert_false(run_tally_bad(&tally)); /* the canary has not run yet */
    add(&tally, 1, OUTCOME_SILENT, "{}");
    assert_true(run_tally_bad(&tally));
    summarise(&tally, &out);
    assert_non_null(strstr(buffer_text(&out), "The canary canary must fail"));
    add(&tally, 1, OUTCOME_EXPECTED, "{}");
    assert_false(run_tally_bad(&tally));
    summarise(&tally, &out);
    assert_null(strstr(buffer_text(&out), "must fail with"));
    assert_non_null(strstr(buffer_text(&out), "ok, fails as expected in 1 of 2 seeds"));
    assert_non_null(strstr(buffer_text(&out), "faults that never fired: net.stall\n"));
    assert_null(strstr(buffer_text(&out), "occ-retry")); /* it was reached */
    assert_non_null(strstr(buffer_text(&out), "marks never reached: "));
    assert_int_equal(tally.faults_fired, 2);
    add(&tally, 1, OUTCOME_FAILED, "{}");
    assert_true(run_tally_bad(&tally));
    buffer_free(&out);
    run_tally_free(&tally);
}

static void a_failure_reads_well(void **state) {
    json_t *result = parse(
        "{\"violations\":[{\"property\":\"monotonic-reads\",\"client\":\"alice-1\",\"table\":\"todos\","
        "\"row\":\"3f0c\",\"expected\":\"T at least 12\",\"seen\":\"T = 11\",\"time_ns\":12034500000,"
        "\"explanation\":\"first line\\nsecond line\\n\"},{\"property\":\"convergence\"},"
        "{\"property\":\"convergence\"}],\"steps\":\"w17 (12.034 s): alice-1 edit\\np2 (13 s): partition\"}");
    struct buffer out = {0};
    (void)state;
    violation_text_append(&out, "smoke", 17, result, "syncline replay out/failures/smoke-17.yaml");
    assert_string_equal(buffer_text(&out), "FAILED smoke, seed 17: monotonic-reads\n"
                                           "  client    alice-1\n"
                                           "  row       todos 3f0c\n"
                                           "  at        12.034 s\n"
                                           "  expected  T at least 12\n"
                                           "  seen      T = 11\n"
                                           "  why       first line\n"
                                           "            second line\n"
                                           "  steps     w17 (12.034 s): alice-1 edit\n"
                                           "            p2 (13 s): partition\n"
                                           "  also      convergence\n"
                                           "  replay    syncline replay out/failures/smoke-17.yaml\n");
    buffer_free(&out);
    json_decref(result);
}

/* All "quoted names" behind `call(...,` in the parties' source, against a catalogue: both ways. */
static void compare_with_source(const char *call, const char *const *names) {
    char command[1024], line[256];
    size_t found = 0, listed = 0;
    snprintf(
        command, sizeof command,
        "cd '%s' && cat $(find mock-convex mock-powersync sim/client sim/app sim/net sim/disk sim/scenario "
        "-name '*.c') | "
        "tr -d '\\n' | grep -oE '%s\\([^\";]*\"[a-z.-]+\"' | grep -oE '\"[a-z.-]+\"' | tr -d '\"' | sort -u",
        SYNCLINE_SOURCE_DIR, call);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while (names[listed] != NULL)
        listed++;
    while (fgets(line, sizeof line, pipe) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "replicator.split-transaction") == 0) /* a mutant's own mark */
            continue;
        if (found >= listed || strcmp(names[found], line) != 0)
            fail_msg("sim/runner/catalogue.c: %s(\"%s\") is in the source, the list has %s there", call, line,
                     found < listed ? names[found] : "nothing");
        found++;
    }
    pclose(pipe);
    if (found < listed)
        fail_msg("sim/runner/catalogue.c lists %s, which no %s names", names[found], call);
}

static void the_catalogue_is_complete(void **state) {
    (void)state;
    compare_with_source("host_mark", catalogue_marks());
    compare_with_source("host_fault_point", catalogue_fault_points());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_follow_expectation),   cmocka_unit_test(a_crash_can_be_expected),
        cmocka_unit_test(a_silent_canary_fails_the_run), cmocka_unit_test(a_failure_reads_well),
        cmocka_unit_test(the_catalogue_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
