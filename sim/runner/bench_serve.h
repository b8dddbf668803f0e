/* The serving benchmark: how much `syncline serve` takes on one machine, in real time. A server in a process
 * of its own, the load in this one, over loopback: mutations, rows of document_deltas, subscriptions of
 * WebSockets. Both processes share the machine's CPUs; the table says how busy the server was. */
#ifndef SYNCLINE_RUNNER_BENCH_SERVE_H
#define SYNCLINE_RUNNER_BENCH_SERVE_H

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "runner/statistics.h"

struct bench_serve_settings {
    const char *executable; /* the `syncline` to start */
    size_t connections;     /* of HTTP load, 1..1000 */
    size_t ahead;           /* requests sent ahead on each, 1..100 */
    size_t sockets;         /* WebSockets, 0..9000; 0: leave them out */
    size_t subscriptions;   /* of each, 1..1000 */
    unsigned rounds;        /* 1..100, after one to warm up */
    int64_t round_time;     /* ns, 10 ms..60 s */
    const char *json;       /* file for the figures, or NULL */
    FILE *out, *progress;
};

/* What was measured, one sample a round. */
struct bench_measure {
    const char *name, *unit;
    struct samples values;
    struct samples cpu; /* of the server, per mille of one CPU */
};

/* STATUS_IO: the server or the load broke, and why. */
enum status bench_serve_run(const struct bench_serve_settings *settings, struct error *error);

#endif
