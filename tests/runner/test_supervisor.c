/* The supervisor against workers that crash, hang, talk nonsense and leak: this program is also the worker.
 */
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
#include <unistd.h>

#include "base/json.h"
#include "kernel/time.h"
#include "runner/supervisor.h"

/* What the worker does with seeds by their last digit. */
enum { DIE = 3, EXIT = 4, HANG = 5, NONSENSE = 6, GROW = 7, VANISH = 8 };

static int bad_worker(void) {
    char line[256];
    while (fgets(line, sizeof line, stdin) != NULL) {
        long job = strtol(strstr(line, "\"job\":") + 6, NULL, 10);
        switch (job % 10) {
        case DIE: {
            struct rlimit none = {0, 0};
            setrlimit(RLIMIT_CORE, &none);
            signal(SIGABRT, SIG_DFL);
            fprintf(stderr, "assertion failed in job %ld\n", job);
            abort();
        }
        case EXIT:
            fprintf(stderr, "==1==ERROR: AddressSanitizer\n");
            _exit(1);
        case HANG:
            pause();
            break;
        case NONSENSE:
            printf("{\"type\":\"result\",\"job\":%ld}\n", job + 1);
            break;
        case GROW: {
            size_t size = (size_t)400 << 20;
            volatile char *block = malloc(size);
            for (size_t i = 0; i < size; i += 4096)
                block[i] = 1;
            pause();
            break;
        }
        case VANISH:
            _exit(0);
        default:
            for (int i = 0; i < 4096; i++) /* more than anybody wants to keep */
                fprintf(stderr, "job %ld goes well\n", job);
            printf("{\"type\":\"progress\",\"job\":%ld,\"virtual_ns\":5,\"events\":6}\n", job);
            printf("{\"type\":\"result\",\"job\":%ld,\"twice\":%ld}\n", job, 2 * job);
        }
        fflush(stdout);
    }
    return getenv("SYNCLINE_TEST_LEAK") != NULL ? 23 : 0; /* as the leak sanitizer ends */
}

#define JOBS 40

struct seen {
    uint64_t next;
    uint64_t last; /* jobs 1..last */
    bool hangs;    /* jobs that hang are among them */
    unsigned reports[JOBS + 1];
    enum job_end ends[JOBS + 1];
    char reasons[JOBS + 1][160];
    char errors[JOBS + 1][160];
    unsigned progress, bad_ends, ticks;
    uint64_t follow_up; /* a job that is handed out after a crash */
};

static bool next_job(void *context, struct buffer *line, uint64_t *job) {
    struct seen *seen = context;
    if (!seen->hangs && seen->next % 10 == HANG)
        seen->next++;
    if (seen->next > seen->last)
        return false;
    *job = seen->next++;
    buffer_printf(line, "{\"job\":%llu}\n", (unsigned long long)*job);
    return true;
}

static const char *last_line(const char *text) {
    const char *at = text + strlen(text);
    for (at -= at > text; at > text && at[-1] != '\n';)
        at--;
    return at;
}

static void report(void *context, const struct job_report *report) {
    struct seen *seen = context;
    assert_in_range(report->job, 1, JOBS);
    seen->reports[report->job]++;
    seen->ends[report->job] = report->end;
    if (report->end == JOB_ANSWERED) {
        assert_int_equal(json_integer_or(report->message, "twice", 0), 2 * report->job);
    } else {
        snprintf(seen->reasons[report->job], sizeof seen->reasons[0], "%s", report->reason);
        const char *errors =
            strstr(report->errors, "well\n") == NULL ? report->errors : last_line(report->errors);
        snprintf(seen->errors[report->job], sizeof seen->errors[0], "%s", errors);
        seen->last += seen->follow_up; /* a crash brings one more job */
        seen->follow_up = 0;
    }
}

static void progress(void *context, uint64_t job, int64_t virtual_now, uint64_t events) {
    struct seen *seen = context;
    assert_in_range(job, 1, JOBS);
    assert_int_equal(virtual_now, 5);
    assert_int_equal(events, 6);
    seen->progress++;
}

static void bad_end(void *context, const char *reason, const char *errors) {
    struct seen *seen = context;
    (void)errors;
    assert_string_equal(reason, "the worker ended with exit status 23");
    seen->bad_ends++;
}

static void tick(void *context, int64_t now) {
    struct seen *seen = context;
    assert_true(now > 0);
    seen->ticks++;
}

/* Where nothing hangs, the watchdog is so long that a machine under load cannot make it bark. */
static void run(struct seen *seen, size_t workers) {
    static const char *const arguments[] = {"worker", "worker", NULL};
    struct supervisor_settings settings = {.arguments = arguments,
                                           .workers = workers,
                                           .watchdog = (seen->hangs ? 1 : 300) * TIME_SECOND,
                                           .memory_limit = UINT64_C(200) << 20,
                                           .context = seen,
                                           .next_job = next_job,
                                           .report = report,
                                           .progress = progress,
                                           .tick = tick,
                                           .bad_end = bad_end};
    struct error error = {0};
    bool interrupted = true;
    assert_int_equal(supervisor_run(&settings, &interrupted, &error), STATUS_OK);
    assert_false(interrupted);
}

/* Every job is reported exactly once, whatever happens to its worker, and with what happened. */
static void every_job_is_reported_once(void **state) {
    struct seen *seen = calloc(1, sizeof *seen);
    (void)state;
    seen->next = 1;
    seen->last = 19;
    run(seen, 3);
    for (uint64_t job = 1; job <= 19; job++)
        assert_int_equal(seen->reports[job], job % 10 == HANG ? 0 : 1);
    assert_int_equal(seen->ends[1], JOB_ANSWERED);
    assert_int_equal(seen->ends[DIE], JOB_CRASHED);
    assert_string_equal(seen->reasons[DIE], "the worker died of signal 6 (Aborted)");
    assert_string_equal(seen->errors[DIE], "assertion failed in job 3\n");
    assert_string_equal(seen->errors[10 + DIE],
                        "assertion failed in job 13\n"); /* nothing of an earlier job */
    assert_int_equal(seen->ends[EXIT], JOB_CRASHED);
    assert_string_equal(seen->reasons[EXIT], "the worker ended with exit status 1");
    assert_string_equal(seen->errors[EXIT], "==1==ERROR: AddressSanitizer\n");
    assert_int_equal(seen->ends[NONSENSE], JOB_CRASHED);
    assert_int_equal(seen->ends[GROW], JOB_TOO_BIG);
    assert_int_equal(seen->ends[VANISH], JOB_CRASHED);
    assert_int_equal(seen->ends[9], JOB_ANSWERED);
    assert_int_equal(seen->ends[19], JOB_ANSWERED);
    assert_int_equal(seen->progress, 7); /* 1 2 9 10 11 12 19 */
    assert_true(seen->ticks > 0);
    assert_int_equal(seen->bad_ends, 0);
    free(seen);
}

/* The watchdog's word needs nothing to be quick: a job that never ends is late on any machine. */
static void a_hanging_job_is_stuck(void **state) {
    struct seen *seen = calloc(1, sizeof *seen);
    (void)state;
    seen->hangs = true;
    seen->next = seen->last = HANG;
    run(seen, 2);
    assert_int_equal(seen->reports[HANG], 1);
    assert_int_equal(seen->ends[HANG], JOB_STUCK);
    assert_string_equal(seen->reasons[HANG], "no progress for 1 s of wall time; the worker was killed");
    free(seen);
}

/* A report can bring new jobs although the list was at its end. */
static void a_crash_can_bring_a_job(void **state) {
    struct seen *seen = calloc(1, sizeof *seen);
    (void)state;
    seen->next = DIE;
    seen->last = DIE;
    seen->follow_up = 1;
    run(seen, 2);
    assert_int_equal(seen->reports[DIE], 1);
    assert_int_equal(seen->reports[DIE + 1], 1);
    free(seen);
}

static void no_jobs_is_no_trouble(void **state) {
    struct seen *seen = calloc(1, sizeof *seen);
    (void)state;
    seen->next = 1;
    run(seen, 4);
    free(seen);
}

/* Leaks are found when a worker ends; the seeds were fine, the run is not. */
static void a_bad_end_is_told(void **state) {
    struct seen *seen = calloc(1, sizeof *seen);
    (void)state;
    seen->next = 1;
    seen->last = 2;
    setenv("SYNCLINE_TEST_LEAK", "1", 1);
    run(seen, 1);
    unsetenv("SYNCLINE_TEST_LEAK");
    assert_int_equal(seen->bad_ends, 1);
    assert_int_equal(seen->reports[1] + seen->reports[2], 2);
    free(seen);
}

static void a_missing_program_is_an_error(void **state) {
    static const char *const arguments[] = {"worker", NULL};
    struct seen *seen = calloc(1, sizeof *seen);
    struct error error = {0};
    (void)state;
    seen->next = seen->last = 1;
    struct supervisor_settings settings = {.executable = "/nonexistent/syncline",
                                           .arguments = arguments,
                                           .workers = 2,
                                           .context = seen,
                                           .next_job = next_job,
                                           .report = report};
    assert_int_equal(supervisor_run(&settings, NULL, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "/nonexistent/syncline"));
    free(seen);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_is_reported_once), cmocka_unit_test(a_hanging_job_is_stuck),
        cmocka_unit_test(a_crash_can_bring_a_job),    cmocka_unit_test(no_jobs_is_no_trouble),
        cmocka_unit_test(a_bad_end_is_told),          cmocka_unit_test(a_missing_program_is_an_error),
    };
    if (argc > 1 && strcmp(argv[1], "worker") == 0)
        return bad_worker();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
