/* One worker process as its supervisor sees it: started with pipes on the libuv loop, lines out of it, lines
 * into it, and exactly one `gone` at the end, whatever ended it. The process object belongs to the loop and
 * frees itself after `gone`. */
#ifndef SYNCLINE_RUNNER_WORKER_PROCESS_H
#define SYNCLINE_RUNNER_WORKER_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"

struct worker_process;

struct worker_end {
    int64_t exit_status; /* 0 when a signal ended it */
    int signal;          /* 0 when it ended by itself */
    const char
        *errors; /* what it wrote to standard error since the last line sent to it, shortened; borrowed */
};

struct worker_process_events {
    void (*line)(void *context, const char *text, size_t length); /* without the newline */
    void (*gone)(void *context, const struct worker_end *end);
};

/* `arguments` as for exec, NULL-terminated. STATUS_IO when the process cannot be started; then no event
 * comes. */
enum status worker_process_start(uv_loop_t *loop, const char *executable, const char *const *arguments,
                                 const struct worker_process_events *events, void *context,
                                 struct worker_process **process, struct error *error);
void worker_process_send(struct worker_process *process, const char *bytes, size_t length);
void worker_process_finish(struct worker_process *process);           /* its input ends; it should end too */
void worker_process_kill(struct worker_process *process);             /* SIGKILL */
uint64_t worker_process_memory(const struct worker_process *process); /* resident bytes; 0: unknown */

#endif
