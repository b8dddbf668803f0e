/* A whole run with workers that only pretend: order, files, verdicts and exit statuses do not depend on a
 * world. This program is also the worker; what it does is chosen by the seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "runner/failure_file.h"
#include "runner/report_folder.h"
#include "runner/suite.h"

#define PASSED "\"passed\":true,\"as_expected\":true,\"violations\":[]"
#define FAILED                                                                                               \
    "\"passed\":false,\"as_expected\":false,\"plan\":\"# pinned\\nname: "                                    \
    "x\\n\",\"violations\":[{\"property\":"                                                                  \
    "\"isolation\",\"client\":\"bob-1\",\"seen\":\"a row\",\"expected\":\"no row\"}]"
#define PLANTED                                                                                              \
    "\"passed\":false,\"as_expected\":true,\"plan\":\"\",\"violations\":[{\"property\":\"prefix-"            \
    "consistency\"}]"
#define FIGURES                                                                                              \
    "\"trace_hash\":\"00000000000000000000000000000001\",\"virtual_ns\":1000000000,\"commits\":2,"           \
    "\"judged\":3,"                                                                                          \
    "\"faults\":{\"net.reset\":1},\"fault_points\":{},\"marks\":{},\"knobs\":{}"

/* Seeds that misbehave in the scenario quiet. */
enum { SEED_FAILS = 4, SEED_CRASHES = 6, SEED_CANNOT_RUN = 90 };

static void answer(long job, const char *type, const char *fields) {
    printf("{\"type\":\"%s\",\"job\":%ld,%s}\n", type, job, fields);
    fflush(stdout);
}

static void crash(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    fprintf(stderr, "assertion `x == 1' failed\n");
    fflush(stderr);
    raise(SIGKILL);
}

static int pretend(bool silent_canary) {
    char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL) {
        json_t *json = json_parse(line, strlen(line), NULL);
        long job = (long)json_integer_or(json, "job", 0), seed = (long)json_integer_or(json, "seed", 0);
        bool canary = strstr(json_text(json, "scenario"), "canary") != NULL;
        /* Early jobs take longest, so that they finish out of order. */
        nanosleep(&(struct timespec){.tv_nsec = (seed % 3 == 1 ? 30 : 1) * 1000000}, NULL);
        if (json_text(json, "want") != NULL)
            answer(job, "plan", "\"plan\":\"# pinned after the crash\\nname: y\\n\"");
        else if (canary)
            answer(job, "result", silent_canary ? PASSED "," FIGURES : PLANTED "," FIGURES);
        else if (seed == SEED_FAILS)
            answer(job, "result", FAILED "," FIGURES);
        else if (seed == SEED_CRASHES)
            crash();
        else if (seed == SEED_CANNOT_RUN)
            answer(job, "error", "\"status\":7,\"message\":\"no client core\"");
        else
            answer(job, "result", PASSED "," FIGURES);
        json_decref(json);
    }
    return 0;
}

static char folder[64];
static const char *const paths[] = {SYNCLINE_SOURCE_DIR "/scenarios/smoke/quiet.yaml",
                                    SYNCLINE_SOURCE_DIR "/scenarios/smoke/canary.yaml"};

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/syncline-suite-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static struct suite_settings settings_for(uint64_t first, uint64_t last, FILE *out) {
    return (struct suite_settings){.paths = paths,
                                   .n_paths = 2,
                                   .seeds = {first, last},
                                   .shard = {0, 1},
                                   .workers = 3,
                                   .folder = folder,
                                   .command = "syncline run",
                                   .version = "0",
                                   .program = "syncline",
                                   .out = out,
                                   .progress = out};
}

/* Runs and returns what was printed; the caller frees it. */
static char *run(struct suite_settings settings, int expected_status, struct error *error) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    settings.out = settings.progress = out;
    int status = suite_run(&settings, error);
    fclose(out);
    if (status != expected_status)
        fail_msg("exit status %d, not %d: %s\n%s", status, expected_status, error->message, text);
    return text;
}

static char *read_file(const char *name) {
    char path[128];
    struct buffer text = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(report_file_read(path, &text, NULL), STATUS_OK);
    return buffer_take(&text);
}

static void green_runs_are_status_0(void **state) {
    struct error error = {0};
    char *text = run(settings_for(1, 3, NULL), 0, &error), *lines = read_file("results.jsonl");
    (void)state;
    assert_non_null(strstr(text, "ok, fails as expected"));
    assert_null(strstr(text, "FAILED"));
    assert_non_null(strstr(text, folder));
    assert_null(strstr(lines, "\"plan\""));
    free(text);
    free(lines);
}

/* Lines come in the order of the jobs although the jobs do not end in it. */
static void results_are_in_order(void **state) {
    struct error error = {0};
    free(run(settings_for(10, 30, NULL), 0, &error));
    char *lines = read_file("results.jsonl"), *rest = lines, *line;
    long expected = 10;
    (void)state;
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        json_t *json = json_parse(line, strlen(line), NULL);
        if (strcmp(json_text(json, "scenario"), "quiet") == 0)
            assert_int_equal(json_integer_or(json, "seed", 0), expected++);
        json_decref(json);
    }
    assert_int_equal(expected, 31);
    free(lines);
}

static void a_violation_is_status_1(void **state) {
    struct error error = {0};
    struct failure failure;
    char *text = run(settings_for(1, 5, NULL), 1, &error), *file = read_file("failures/quiet-4.yaml");
    char *junit = read_file("junit.xml");
    (void)state;
    assert_non_null(strstr(text, "FAILED quiet, seed 4: isolation\n"));
    assert_non_null(strstr(text, "/failures/quiet-4.yaml\n"));
    assert_int_equal(failure_file_parse(file, "f", &failure, NULL), STATUS_OK);
    assert_int_equal(failure.seed, SEED_FAILS);
    assert_string_equal(failure.property, "isolation");
    assert_non_null(strstr(file, "\n# pinned\nname: x\n"));
    assert_non_null(strstr(junit, "<failure type=\"isolation\""));
    failure_free(&failure);
    free(text);
    free(file);
    free(junit);
}

/* A crash costs one seed, says how, and its plan is asked from another worker. */
static void a_crash_is_a_finding(void **state) {
    struct error error = {0};
    char *text = run(settings_for(5, 8, NULL), 1, &error), *file = read_file("failures/quiet-6.yaml");
    char *lines = read_file("results.jsonl");
    (void)state;
    assert_non_null(strstr(text, "FAILED quiet, seed 6: no-crash\n"));
    assert_non_null(strstr(text, "signal 9"));
    assert_non_null(strstr(text, "assertion `x == 1' failed"));
    assert_non_null(strstr(file, "# property: no-crash\n"));
    assert_non_null(strstr(file, "\n# pinned after the crash\nname: y\n"));
    assert_non_null(strstr(lines, "\"seed\":8"));
    free(text);
    free(file);
    free(lines);
}

static void a_silent_canary_is_status_1(void **state) {
    struct error error = {0};
    setenv("SYNCLINE_TEST_SILENT", "1", 1);
    char *text = run(settings_for(1, 3, NULL), 1, &error);
    (void)state;
    unsetenv("SYNCLINE_TEST_SILENT");
    assert_non_null(strstr(text, "The canary canary must fail"));
    free(text);
}

static void fail_fast_starts_nothing_new(void **state) {
    struct error error = {0};
    struct suite_settings settings = settings_for(1, 5000, NULL);
    (void)state;
    settings.fail_fast = true;
    free(run(settings, 1, &error));
    char *lines = read_file("results.jsonl");
    assert_null(strstr(lines, "\"seed\":100"));
    free(lines);
}

static void a_job_that_cannot_run_is_status_2(void **state) {
    struct error error = {0};
    (void)state;
    free(run(settings_for(SEED_CANNOT_RUN, SEED_CANNOT_RUN + 5, NULL), 2, &error));
    assert_string_equal(error.message, "no client core");
}

static void a_missing_scenario_is_status_2(void **state) {
    static const char *const missing[] = {"/nonexistent/scenario.yaml"};
    struct error error = {0};
    struct suite_settings settings = settings_for(1, 1, NULL);
    (void)state;
    settings.paths = missing;
    settings.n_paths = 1;
    free(run(settings, 2, &error));
    assert_non_null(strstr(error.message, "/nonexistent/scenario.yaml"));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(green_runs_are_status_0),           cmocka_unit_test(results_are_in_order),
        cmocka_unit_test(a_violation_is_status_1),           cmocka_unit_test(a_crash_is_a_finding),
        cmocka_unit_test(a_silent_canary_is_status_1),       cmocka_unit_test(fail_fast_starts_nothing_new),
        cmocka_unit_test(a_job_that_cannot_run_is_status_2), cmocka_unit_test(a_missing_scenario_is_status_2),
    };
    if (argc > 1 && strcmp(argv[1], "worker") == 0)
        return pretend(getenv("SYNCLINE_TEST_SILENT") != NULL);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
