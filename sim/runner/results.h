/* results.sqlite: everything that a run found, in tables for people and tools; docs/results.md describes
 * them. The database is written in transactions of a few hundred seeds. */
#ifndef SYNCLINE_RUNNER_RESULTS_H
#define SYNCLINE_RUNNER_RESULTS_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "runner/outcome.h"
#include "runner/seeds.h"

struct results;

/* One row of `runs`. */
struct results_run {
    const char *command; /* the command line */
    const char *version;
    const char *engine;
    const char *core; /* file, or "" for the built-in choice */
    int64_t workers;
    struct seed_range seeds;
    struct shard shard;
    const char *started; /* UTC, "2026-01-31T12:00:00Z" */
};

struct results_seed {
    const char *scenario; /* the scenario's name in this run */
    const char *file;
    uint64_t seed;
    enum outcome outcome;
    int64_t wall_time;        /* ns */
    const char *failure_file; /* relative to the report folder, or NULL */
    const json_t *result;     /* a worker's result */
};

/* Makes the file anew. STATUS_IO when it cannot be written; then and on later errors the message names the
 * file. */
enum status results_create(const char *path, const struct results_run *run, struct results **results,
                           struct error *error);
enum status results_add(struct results *results, const struct results_seed *seed, struct error *error);
/* Fills in how the run ended and closes. `results` is freed in any case. */
enum status results_close(struct results *results, const char *verdict, int64_t wall_time,
                          struct error *error);

#endif
