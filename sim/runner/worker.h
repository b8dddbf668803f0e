/* A worker process: runs one job after another, one world at a time, and tells its supervisor over pipes.
 *
 * The protocol is JSON lines. The supervisor writes to the worker's standard input, one line a job:
 *   {"job":1,"scenario":"<path>","seed":7}
 *     "want":"plan"               only make the plan, run nothing
 *     "narrate":true              the answer carries the narration
 *     "delays":true               the answer carries the measured delays
 *     "trace_marks":true          the answer carries the trace marks also when nothing failed
 *     "databases":"<folder>"      write the clients' databases there after the run
 *     "polling_interval_ns":N     instead of the scenario's
 *     "flip_delay":N              change the lowest bit of the N-th network delay
 * (runner/worker_job.h writes it) and the worker answers on its standard output:
 *   {"type":"progress","job":1,"virtual_ns":N,"events":N}    now and then
 *   {"type":"result","job":1,...}                            docs/results.md lists the fields
 *   {"type":"plan","job":1,"plan":"<pinned scenario>"}
 *   {"type":"error","job":1,"status":N,"message":"..."}      the job cannot run: wrong input, no client core
 * It ends with status 0 when its input ends. Whatever a library prints goes to standard error. */
#ifndef SYNCLINE_RUNNER_WORKER_H
#define SYNCLINE_RUNNER_WORKER_H

struct worker_settings {
    const char *engine; /* overrides the scenario's; NULL: as it says */
    const char *core;   /* file of the client core; NULL: the one the build found */
};

/* Serve jobs from standard input until it ends. Returns the exit status of the process. */
int worker_main(const struct worker_settings *settings);

#endif
