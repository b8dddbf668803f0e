#include "runner/batch.h"

#include <assert.h>
#include <string.h>
#include <uv.h>

#include "base/json.h"
#include "runner/result_message.h"
#include "runner/supervisor.h"

struct batch {
    const struct batch_settings *settings;
    size_t next;
    enum status status;
    struct error error;
};

static bool next_job(void *context, struct buffer *line, uint64_t *number) {
    struct batch *batch = context;
    if (batch->status != STATUS_OK || batch->next == batch->settings->n_jobs)
        return false;
    struct worker_job job = batch->settings->jobs[batch->next++];
    job.number = *number = batch->next;
    worker_job_append(line, &job);
    return true;
}

static void report(void *context, const struct job_report *report) {
    struct batch *batch = context;
    assert(report->job >= 1 && report->job <= batch->settings->n_jobs);
    if (report->end != JOB_ANSWERED) {
        json_t *ended = result_message_make_ended("no-crash", report->reason, report->errors);
        batch->settings->result(batch->settings->context, (size_t)report->job - 1, ended);
        json_decref(ended);
    } else if (strcmp(json_text(report->message, "type"), "error") == 0) {
        if (batch->status == STATUS_OK)
            batch->status =
                error_set(&batch->error, (enum status)json_integer_or(report->message, "status", 0), "%s",
                          json_text(report->message, "message"));
    } else {
        batch->settings->result(batch->settings->context, (size_t)report->job - 1, report->message);
    }
}

enum status batch_run(const struct batch_settings *settings, struct error *error) {
    struct batch batch = {.settings = settings};
    struct supervisor_settings supervisor = {.arguments = settings->worker_arguments,
                                             .workers = settings->workers,
                                             .catch_signals = true,
                                             .context = &batch,
                                             .next_job = next_job,
                                             .report = report};
    bool interrupted = false;
    assert(settings->jobs != NULL && settings->result != NULL);
    if (supervisor.workers == 0)
        supervisor.workers = uv_available_parallelism();
    if (supervisor.workers > settings->n_jobs && settings->n_jobs > 0)
        supervisor.workers = settings->n_jobs;
    enum status status = supervisor_run(&supervisor, &interrupted, error);
    if (status == STATUS_OK && interrupted)
        status = error_set(error, STATUS_CONFLICT, "interrupted");
    if (status == STATUS_OK && batch.status != STATUS_OK) {
        if (error != NULL)
            *error = batch.error;
        status = batch.status;
    }
    return status;
}
