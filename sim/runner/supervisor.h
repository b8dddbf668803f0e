/* The supervisor: keeps N worker processes busy with jobs until there are none, replaces a worker that dies,
 * and tells what became of each job. A dead worker is a finding about the job that it ran, never the end of
 * the run.
 *
 * Wall time is used for one thing only: a worker that shows no progress for `watchdog` is killed. An endless
 * loop inside a world is counted in events by the world itself; the watchdog is for what escapes that, and a
 * verdict says so. */
#ifndef SYNCLINE_RUNNER_SUPERVISOR_H
#define SYNCLINE_RUNNER_SUPERVISOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum job_end {
    JOB_ANSWERED, /* `message` is the worker's result, plan or error line */
    JOB_CRASHED,  /* the worker died of a signal, an abort, a sanitizer's exit */
    JOB_STUCK,    /* no progress for the watchdog's time: killed */
    JOB_TOO_BIG   /* above the memory limit: killed */
};

struct job_report {
    uint64_t job;
    enum job_end end;
    const json_t *message; /* JOB_ANSWERED; borrowed */
    const char *reason;    /* otherwise: "signal 6 (Aborted)"; borrowed */
    const char *errors;    /* otherwise: what the worker wrote to standard error; borrowed */
    int64_t wall_time;     /* ns */
};

struct supervisor_settings {
    const char *executable;       /* NULL: this program */
    const char *const *arguments; /* for the worker, argv[0] included, NULL-terminated */
    size_t workers;               /* at least 1 */
    int64_t watchdog;             /* ns of wall time; 0: 120 s */
    uint64_t memory_limit;        /* bytes resident in one worker; 0: 8 GiB */
    bool catch_signals;           /* SIGINT and SIGTERM end the run early instead of the process */

    void *context;
    /* The next job's line (see runner/worker.h) and number, above 0. False: none now; it is asked again after
     * each report, so that a report can bring new jobs. */
    bool (*next_job)(void *context, struct buffer *line, uint64_t *job);
    void (*report)(void *context,
                   const struct job_report *report); /* once for each job, unless interrupted */
    void (*progress)(void *context, uint64_t job, int64_t virtual_now, uint64_t events); /* may be NULL */
    void (*tick)(void *context,
                 int64_t wall_now); /* may be NULL; about 5 times a second; ns, arbitrary start */
    /* A worker that had nothing to do did not end well: leaks found at its end. May be NULL. */
    void (*bad_end)(void *context, const char *reason, const char *errors);
};

/* Runs until all jobs are reported. `interrupted` (may be NULL) tells that a signal cut it short. STATUS_IO
 * when workers cannot be started. */
enum status supervisor_run(const struct supervisor_settings *settings, bool *interrupted,
                           struct error *error);

#endif
