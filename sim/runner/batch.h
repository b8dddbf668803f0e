/* Runs a given array of jobs on worker processes and hands over each result, for commands that are not a
 * suite. */
#ifndef SYNCLINE_RUNNER_BATCH_H
#define SYNCLINE_RUNNER_BATCH_H

#include <jansson.h>

#include "base/error.h"
#include "runner/worker_job.h"

struct batch_settings {
    const char *const *worker_arguments; /* see supervisor_settings.arguments */
    size_t workers;                      /* 0: one for each CPU */
    const struct worker_job *jobs;       /* `number` is filled in by the batch */
    size_t n_jobs;
    void *context;
    /* The result of jobs[index], in the order in which they finish; a worker that died is a violation of
     * no-crash. */
    void (*result)(void *context, size_t index, const json_t *result);
};

/* The first job that cannot run ends the batch with its error. STATUS_IO; STATUS_CONFLICT when it was
 * interrupted. */
enum status batch_run(const struct batch_settings *settings, struct error *error);

#endif
