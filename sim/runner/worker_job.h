/* A job for a worker process, and the line that carries it; runner/worker.h describes the protocol. */
#ifndef SYNCLINE_RUNNER_WORKER_JOB_H
#define SYNCLINE_RUNNER_WORKER_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

struct worker_job {
    uint64_t number;
    const char *scenario; /* path */
    uint64_t seed;
    bool plan_only;
    bool narrate;
    bool delays;
    bool trace_marks;
    bool measure;             /* CPU time and memory come with the result */
    bool unchecked;           /* no property is checked */
    const char *databases;    /* folder that gets the clients' databases after the run; NULL: none */
    int64_t polling_interval; /* ns; 0: the scenario's */
    uint64_t flip_delay;      /* control of the determinism test, see stage.h; 0: off */
};

/* The line for a job, with its newline. */
void worker_job_append(struct buffer *line, const struct worker_job *job);

#endif
