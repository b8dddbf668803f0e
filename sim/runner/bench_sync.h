/* The sync benchmark: how much `syncline serve --powersync` takes on one machine, in real time. A deployment
 * and a service, each in a process of its own, the load in this one, over loopback; one table of documents of
 * about 200 bytes in one bucket for everybody, NDJSON without compression. The same measures as were taken of
 * the real service: start, initial replication, initial sync, connection churn, streaming, fan-out,
 * saturation. The three processes share the machine's CPUs. */
#ifndef SYNCLINE_RUNNER_BENCH_SYNC_H
#define SYNCLINE_RUNNER_BENCH_SYNC_H

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

struct bench_sync_settings {
    const char *executable; /* the `syncline` to start */
    size_t rows;            /* documents to begin with, 100..1,000,000 */
    size_t streams;         /* the most that listen at once, 1..200 */
    unsigned rounds;        /* 1..100 */
    int64_t round_time;     /* ns, 10 ms..60 s */
    const char *json;       /* file for the figures, or NULL */
    FILE *out, *progress;
};

/* STATUS_IO: a server or the load broke, and why. */
enum status bench_sync_run(const struct bench_sync_settings *settings, struct error *error);

#endif
