/* Runs one seed again and compares: with what a failure file recorded, with a given trace hash, or, when
 * nothing is given to compare with, with a second run in another process. */
#ifndef SYNCLINE_RUNNER_REPLAY_H
#define SYNCLINE_RUNNER_REPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

struct replay_settings {
    const char *path; /* a failure file, or a scenario when `has_seed` */
    bool has_seed;
    uint64_t seed;
    const char *trace_hash; /* 32 hex digits, or NULL */
    bool trace;             /* print the narration */
    const char *databases;  /* folder for the clients' databases, or NULL */
    const char *const *worker_arguments;
    const char *program;
    FILE *out;
};

/* Returns the exit status: 0 the same again (and, where nothing was recorded, the verdict that the scenario
 * expects), 1 something differs or a property is violated unexpectedly. On 2 and 3 `error` says why. */
int replay_run(const struct replay_settings *settings, struct error *error);

#endif
