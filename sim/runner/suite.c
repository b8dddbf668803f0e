#include "runner/suite.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/json.h"
#include "base/memory.h"
#include "runner/progress.h"
#include "runner/report_folder.h"
#include "runner/result_message.h"
#include "runner/suite_report.h"
#include "runner/summary.h"
#include "runner/supervisor.h"
#include "runner/worker_job.h"

#define PLAN_JOB (UINT64_C(1) << 62) /* set in the number of a job that only asks for a plan */

/* A job that was handed out and not yet reported on, or that waits for an earlier one. */
struct pending {
    struct suite_seed seed; /* .result NULL while it runs */
    bool ready;
    bool plan_wanted; /* it crashed: another worker is asked for the plan */
    int64_t virtual_now;
};

struct suite {
    const struct suite_settings *settings;
    struct suite_scenarios scenarios;
    struct job_list jobs;
    struct suite_report *report;
    struct pending *pending; /* in the order of jobs; the first one is job `released` + 1 */
    size_t n_pending, capacity;
    uint64_t released;
    int64_t started, until; /* wall, ns */
    struct progress progress;
    bool stop; /* start nothing new */
    bool bad_end;
    enum status status;
    struct error error;
};

int suite_exit_status_of(enum status status) {
    switch (status) {
    case STATUS_OK:
        return EXIT_EXPECTED;
    case STATUS_IO:
    case STATUS_INTERNAL:
    case STATUS_PENDING:
        return EXIT_INTERNAL;
    case STATUS_INVALID:
    case STATUS_NOT_FOUND:
    case STATUS_CONFLICT:
    case STATUS_LIMIT:
    case STATUS_DENIED:
    case STATUS_MISSING:
        return EXIT_WRONG_USE;
    }
    return EXIT_INTERNAL;
}

static void write_out(FILE *file, struct buffer *text) {
    fwrite(buffer_text(text), 1, text->length, file);
    fflush(file);
    buffer_free(text);
}

static void fail(struct suite *suite, const struct error *error, enum status status) {
    assert(status != STATUS_OK);
    if (suite->status == STATUS_OK) {
        suite->status = status;
        suite->error = *error;
    }
    suite->stop = true;
}

static struct pending *pending_of(struct suite *suite, uint64_t job) {
    uint64_t number = job & ~PLAN_JOB;
    assert(number > suite->released && number - suite->released <= suite->n_pending);
    return &suite->pending[number - suite->released - 1];
}

static bool next_plan_job(struct suite *suite, struct buffer *line, uint64_t *number) {
    for (size_t i = 0; i < suite->n_pending; i++) {
        struct pending *pending = &suite->pending[i];
        if (!pending->plan_wanted)
            continue;
        pending->plan_wanted = false;
        *number = (suite->released + i + 1) | PLAN_JOB;
        worker_job_append(
            line, &(struct worker_job){.number = *number,
                                       .scenario = suite->scenarios.items[pending->seed.scenario].file,
                                       .seed = pending->seed.seed,
                                       .plan_only = true});
        return true;
    }
    return false;
}

static bool time_is_over(const struct suite *suite) {
    return suite->until > 0 && (int64_t)uv_hrtime() >= suite->until;
}

static bool next_job(void *context, struct buffer *line, uint64_t *number) {
    struct suite *suite = context;
    struct suite_seed seed = {0};
    if (suite->status != STATUS_OK)
        return false;
    if (next_plan_job(suite, line, number))
        return true;
    if (suite->stop || time_is_over(suite) || !job_list_next(&suite->jobs, &seed.scenario, &seed.seed))
        return false;
    MEMORY_RESERVE(suite->pending, suite->capacity, suite->n_pending + 1);
    suite->pending[suite->n_pending++] = (struct pending){.seed = seed};
    *number = suite->released + suite->n_pending;
    struct buffer databases = {0};
    if (suite->settings->keep_databases) {
        buffer_printf(&databases, "%s/databases/", suite->settings->folder);
        report_file_name(&databases, suite->scenarios.items[seed.scenario].name);
        buffer_printf(&databases, "-%llu", (unsigned long long)seed.seed);
    }
    worker_job_append(line,
                      &(struct worker_job){.number = *number,
                                           .scenario = suite->scenarios.items[seed.scenario].file,
                                           .seed = seed.seed,
                                           .databases = databases.length > 0 ? buffer_text(&databases) : NULL,
                                           .narrate = suite->settings->trace,
                                           .flip_delay = suite->settings->flip_delay});
    buffer_free(&databases);
    return true;
}

static void show_lines(struct suite *suite, struct buffer *lines) {
    struct buffer wipe = {0};
    if (lines->length == 0) {
        buffer_free(lines);
        return;
    }
    progress_clear(&suite->progress, &wipe);
    write_out(suite->settings->progress, &wipe);
    write_out(suite->settings->out, lines);
}

static void release_seed(struct suite *suite, const struct suite_seed *seed) {
    struct error error = {0};
    struct buffer lines = {0};
    enum outcome outcome = OUTCOME_PASSED;
    enum status status = suite_report_add(suite->report, seed, &outcome, &lines, &error);
    if (status != STATUS_OK)
        fail(suite, &error, status);
    if (outcome == OUTCOME_FAILED && suite->settings->fail_fast)
        suite->stop = true;
    show_lines(suite, &lines);
}

/* Hands the finished seeds at the front to the report. */
static void release_ready(struct suite *suite) {
    size_t n = 0;
    while (n < suite->n_pending && suite->pending[n].ready) {
        release_seed(suite, &suite->pending[n].seed);
        json_decref(suite->pending[n].seed.result);
        n++;
    }
    memmove(suite->pending, suite->pending + n, (suite->n_pending - n) * sizeof *suite->pending);
    suite->n_pending -= n;
    suite->released += n;
}

static void take_error(struct suite *suite, const json_t *message) {
    struct error error = {0};
    const char *text = json_text(message, "message");
    enum status status = (enum status)json_integer_or(message, "status", STATUS_INTERNAL);
    fail(suite, &error, error_set(&error, status, "%s", text == NULL ? "a worker failed" : text));
}

static void take_plan(struct pending *pending, const struct job_report *report) {
    json_t *plan = report->end == JOB_ANSWERED ? json_object_get(report->message, "plan") : NULL;
    if (plan != NULL)
        json_object_set(pending->seed.result, "plan", plan);
    pending->ready = true;
}

static void take_report(void *context, const struct job_report *report) {
    struct suite *suite = context;
    struct pending *pending = pending_of(suite, report->job);
    const char *type = report->end == JOB_ANSWERED ? json_text(report->message, "type") : "";
    if ((report->job & PLAN_JOB) != 0) {
        take_plan(pending, report);
    } else if (report->end != JOB_ANSWERED) {
        pending->seed.wall_time = report->wall_time;
        pending->seed.result = result_message_make_ended("no-crash", report->reason, report->errors);
        pending->plan_wanted = true;
    } else if (strcmp(type, "error") == 0) {
        take_error(suite, report->message);
    } else {
        pending->seed.wall_time = report->wall_time;
        pending->seed.result = json_incref((json_t *)report->message);
        pending->ready = true;
    }
    if (suite->settings->fail_fast && pending->seed.result != NULL &&
        outcome_of(pending->seed.result, suite->scenarios.items[pending->seed.scenario].expects) ==
            OUTCOME_FAILED)
        suite->stop = true;
    release_ready(suite);
}

static void take_progress(void *context, uint64_t job, int64_t virtual_now, uint64_t events) {
    struct suite *suite = context;
    (void)events;
    if ((job & PLAN_JOB) == 0)
        pending_of(suite, job)->virtual_now = virtual_now;
}

static void tick(void *context, int64_t now) {
    struct suite *suite = context;
    const struct run_tally *tally = suite_report_tally(suite->report);
    struct progress_state state = {.done = tally->seeds,
                                   .failed = tally->failed,
                                   .faults_fired = tally->faults_fired,
                                   .virtual_time = tally->virtual_time};
    struct buffer text = {0};
    for (size_t i = 0; i < suite->n_pending; i++) {
        const struct pending *pending = &suite->pending[i];
        state.done += pending->ready;
        state.virtual_time +=
            pending->ready ? json_integer_or(pending->seed.result, "virtual_ns", 0) : pending->virtual_now;
    }
    progress_show(&suite->progress, now, &state, &text);
    write_out(suite->settings->progress, &text);
}

static void take_bad_end(void *context, const char *reason, const char *errors) {
    struct suite *suite = context;
    struct buffer lines = {0};
    suite->bad_end = true;
    buffer_printf(&lines, "FAILED no-crash, after the last seed of a worker: %s\n%s\n", reason, errors);
    show_lines(suite, &lines);
}

static bool run_workers(struct suite *suite, size_t workers) {
    const struct suite_settings *settings = suite->settings;
    const char *arguments[8] = {settings->program, "worker"};
    size_t n = 2;
    bool interrupted = false;
    struct error error = {0};
    if (settings->engine != NULL) {
        arguments[n++] = "--engine";
        arguments[n++] = settings->engine;
    }
    if (settings->core != NULL) {
        arguments[n++] = "--core";
        arguments[n++] = settings->core;
    }
    assert(n < sizeof arguments / sizeof arguments[0]);
    struct supervisor_settings supervisor = {.executable = settings->executable,
                                             .arguments = arguments,
                                             .workers = workers,
                                             .catch_signals = true,
                                             .context = suite,
                                             .next_job = next_job,
                                             .report = take_report,
                                             .progress = take_progress,
                                             .tick = tick,
                                             .bad_end = take_bad_end};
    enum status status = supervisor_run(&supervisor, &interrupted, &error);
    if (status != STATUS_OK)
        fail(suite, &error, status);
    return interrupted;
}

static size_t worker_count(const struct suite *suite, uint64_t jobs) {
    size_t workers = suite->settings->workers;
    if (workers == 0)
        workers = uv_available_parallelism();
    if (workers > jobs && jobs > 0)
        workers = (size_t)jobs;
    return workers;
}

/* The verdict in words, the folder completed, the exit status. */
static int finish(struct suite *suite, bool interrupted) {
    struct summary summary = {.tally = suite_report_tally(suite->report),
                              .wall_time = (int64_t)uv_hrtime() - suite->started,
                              .folder = suite->settings->folder,
                              .interrupted = interrupted,
                              .worker_ended_badly = suite->bad_end};
    struct buffer text = {0};
    struct error error = {0};
    const char *verdict = summary_verdict(&summary);
    int exit_status = interrupted ? EXIT_INTERRUPTED : EXIT_EXPECTED;
    if (strcmp(verdict, "failed") == 0)
        exit_status = EXIT_VIOLATED;
    if (suite->status == STATUS_OK)
        summary_append(&text, &summary);
    show_lines(suite, &text);
    if (suite->settings->finished)
        suite->settings->finished(suite->settings->finished_context, summary.tally);
    enum status status = suite_report_close(suite->report, verdict, summary.wall_time, &error);
    if (status != STATUS_OK)
        fail(suite, &error, status);
    return suite->status == STATUS_OK ? exit_status : suite_exit_status_of(suite->status);
}

static void free_suite(struct suite *suite) {
    for (size_t i = 0; i < suite->n_pending; i++)
        if (suite->pending[i].seed.result != NULL)
            json_decref(suite->pending[i].seed.result);
    free(suite->pending);
    suite_scenarios_free(&suite->scenarios);
}

static int run_loaded(struct suite *suite) {
    const struct suite_settings *settings = suite->settings;
    struct error error = {0};
    suite->jobs = (struct job_list){.scenarios = suite->scenarios.jobs,
                                    .n_scenarios = suite->scenarios.count,
                                    .seeds = settings->seeds,
                                    .shard = settings->shard};
    uint64_t jobs = job_list_count(&suite->jobs);
    size_t workers = worker_count(suite, jobs);
    enum status status = suite_report_create(settings, &suite->scenarios, workers, &suite->report, &error);
    if (status != STATUS_OK) {
        fail(suite, &error, status);
        return suite_exit_status_of(status);
    }
    suite->started = (int64_t)uv_hrtime();
    suite->until = settings->run_for > 0 ? suite->started + settings->run_for : 0;
    suite->progress = (struct progress){.terminal = settings->terminal,
                                        .started = suite->started,
                                        .last_shown = suite->started,
                                        .jobs = jobs,
                                        .until = suite->until};
    bool interrupted = run_workers(suite, workers);
    return finish(suite, interrupted);
}

int suite_run(const struct suite_settings *settings, struct error *error) {
    struct suite suite = {.settings = settings};
    int exit_status;
    assert(settings->n_paths > 0 && settings->folder != NULL);
    enum status status = suite_scenarios_load(settings->paths, settings->n_paths, !settings->seeds_chosen,
                                              &suite.scenarios, &suite.error);
    if (status != STATUS_OK) {
        suite.status = status;
        exit_status = suite_exit_status_of(status);
    } else {
        exit_status = run_loaded(&suite);
    }
    if (suite.status != STATUS_OK && error != NULL)
        *error = suite.error;
    free_suite(&suite);
    return exit_status;
}
