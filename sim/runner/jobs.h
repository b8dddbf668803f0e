/* The list of jobs of a run: every scenario with every seed, divided over shards, made one by one because a
 * range of seeds may have no end that is ever reached. Seeds come first to last and each seed runs through
 * all scenarios, so that a run that is cut short has tried everything. Each job belongs to exactly one shard.
 */
#ifndef SYNCLINE_RUNNER_JOBS_H
#define SYNCLINE_RUNNER_JOBS_H

#include <stddef.h>

#include "runner/seeds.h"

/* A scenario that must fail in every run (a canary) runs with few seeds, and in all shards alike. */
struct job_scenario {
    uint64_t
        seeds_everywhere; /* 0: an ordinary scenario; else it runs with so many first seeds, in every shard */
    bool pinned;          /* it runs once, with its own seed */
    uint64_t pinned_seed;
};

struct job_list {
    const struct job_scenario *scenarios; /* borrowed */
    size_t n_scenarios;
    struct seed_range seeds;
    struct shard shard;
    size_t next_scenario; /* where to go on; zeroed at first */
    uint64_t next_seed;   /* offset from seeds.first */
};

/* The next job of this shard. False: there is none. */
bool job_list_next(struct job_list *list, size_t *scenario, uint64_t *seed);
/* How many jobs job_list_next gives from the start; UINT64_MAX when that is above 2^53. */
uint64_t job_list_count(const struct job_list *list);

#endif
