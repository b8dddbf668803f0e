/* `syncline bench worlds`: how fast whole worlds run with each engine, what of it is checking, and their
 * memory. Everything is CPU time and memory of worker processes, one job in each at a time. */
#ifndef SYNCLINE_RUNNER_BENCH_WORLDS_H
#define SYNCLINE_RUNNER_BENCH_WORLDS_H

#include <stdio.h>

#include "base/error.h"
#include "runner/seeds.h"

struct bench_worlds_settings {
    const char *const *scenarios; /* paths */
    size_t n_scenarios;
    struct seed_range seeds; /* at most 1000 */
    /* Arguments of a worker with each engine, as supervisor_settings.arguments. */
    const char *const *worker_arguments[2];
    const char *engines[2]; /* their names */
    size_t n_engines;
    FILE *out;
};

/* A line for each scenario and engine. STATUS_CONFLICT: a seed violates a property, and measures nothing. */
enum status bench_worlds_run(const struct bench_worlds_settings *settings, struct error *error);

#endif
