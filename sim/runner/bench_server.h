/* A `syncline serve` in a process of its own, for benchmarks: where it listens, what it costs. */
#ifndef SYNCLINE_RUNNER_BENCH_SERVER_H
#define SYNCLINE_RUNNER_BENCH_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/error.h"

struct bench_server {
    uv_process_t process;
    uv_pipe_t output;
    struct buffer printed;
    char read_buffer[4096];
    bool exited, closed;
    int port;
};

/* Starts `executable serve WORDS` and waits until it says its first address. `words` end with NULL.
 * STATUS_IO: it cannot be started, or ended at once. */
enum status bench_server_start(struct bench_server *server, uv_loop_t *loop, const char *executable,
                               const char *const *words, struct error *error);
/* Ends the process, waits for it and frees what the server has. */
void bench_server_stop(struct bench_server *server, uv_loop_t *loop);

int64_t bench_server_cpu(const struct bench_server *server); /* ns of CPU so far; -1: unknown */
/* The most bytes that were resident so far; -1: unknown. */
int64_t bench_server_peak(const struct bench_server *server);
int64_t bench_server_memory(const struct bench_server *server); /* bytes resident now; -1: unknown */

#endif
