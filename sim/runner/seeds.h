/* Which seeds a run covers and which share of them this machine takes: the texts of --seed, --seeds, --shard
 * and --for, and the variables by which batch systems and CI number their jobs. Wrong text is STATUS_INVALID.
 * Nothing is owned. */
#ifndef SYNCLINE_RUNNER_SEEDS_H
#define SYNCLINE_RUNNER_SEEDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define SEED_MAX INT64_MAX /* seeds travel as JSON integers */

struct seed_range {
    uint64_t first; /* both ends included; 0 <= first <= last <= SEED_MAX */
    uint64_t last;
};

/* This machine's share of the jobs. One machine: index 0 of count 1. */
struct shard {
    uint64_t index; /* from 0, below count */
    uint64_t count; /* 1..1000000 */
};

/* A decimal number without sign, spaces or other bytes around it, at most `highest`. */
enum status seed_parse_number(const char *text, uint64_t highest, uint64_t *number, struct error *error);
/* "7" or "1-200". */
enum status seed_range_parse(const char *text, struct seed_range *range, struct error *error);
/* "I/N" with I from 1 to N, as test runners write it. */
enum status shard_parse(const char *text, struct shard *shard, struct error *error);

/* From the environment: Slurm arrays (SLURM_ARRAY_TASK_ID, _COUNT, _MIN, _STEP), indexed Jobs of Kubernetes
 * (JOB_COMPLETION_INDEX from 0, with COMPLETIONS set in the Job), CI matrices (CI_NODE_INDEX from 1,
 * CI_NODE_TOTAL). A task number without the count is refused: running everything on every machine would look
 * like success. `source` is the variable that decided, NULL when none is set (then the shard is the whole).
 * `get` is getenv, or a test's. */
enum status shard_from_environment(const char *(*get)(const char *name), struct shard *shard,
                                   const char **source, struct error *error);

/* "500ms", "60s", "5min", "2h": ns of wall time, above 0, at most 30 days. */
enum status wall_time_parse(const char *text, int64_t *time, struct error *error);

#endif
