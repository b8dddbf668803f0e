#include "runner/jobs.h"

#include <assert.h>

/* Neighbouring scenarios start at neighbouring shards, so that each shard gets some seeds of each scenario
 * even when the number of shards divides the number of scenarios. */
static bool job_is_mine(const struct job_list *list, size_t scenario, uint64_t offset) {
    uint64_t everywhere = list->scenarios[scenario].seeds_everywhere;
    if (everywhere > 0)
        return offset < everywhere;
    if (list->scenarios[scenario].pinned && offset > 0)
        return false;
    return (offset % list->shard.count + scenario) % list->shard.count == list->shard.index;
}

/* True when no scenario takes the seed that comes next or any later one. */
static bool only_first_seeds(const struct job_list *list) {
    for (size_t i = 0; i < list->n_scenarios; i++) {
        const struct job_scenario *scenario = &list->scenarios[i];
        bool over = scenario->pinned ||
                    (scenario->seeds_everywhere > 0 && list->next_seed >= scenario->seeds_everywhere);
        if (!over)
            return false;
    }
    return true;
}

bool job_list_next(struct job_list *list, size_t *scenario, uint64_t *seed) {
    uint64_t seeds = list->seeds.last - list->seeds.first + 1;
    assert(list->shard.index < list->shard.count);
    assert(list->seeds.first <= list->seeds.last && list->seeds.last <= SEED_MAX);
    if (list->n_scenarios == 0)
        return false;
    while (list->next_seed < seeds) {
        if (list->next_seed > 0 && list->next_scenario == 0 && only_first_seeds(list))
            return false; /* not another seed of an endless range would be taken */
        size_t candidate = list->next_scenario;
        uint64_t offset = list->next_seed;
        list->next_scenario = (candidate + 1) % list->n_scenarios;
        list->next_seed += list->next_scenario == 0;
        if (job_is_mine(list, candidate, offset)) {
            *scenario = candidate;
            *seed = list->seeds.first + offset;
            if (list->scenarios[candidate].pinned)
                *seed = list->scenarios[candidate].pinned_seed;
            return true;
        }
    }
    return false;
}

uint64_t job_list_count(const struct job_list *list) {
    const uint64_t limit = UINT64_C(1) << 53;
    uint64_t seeds = list->seeds.last - list->seeds.first + 1, count = 0;
    uint64_t shards = list->shard.count;
    if (seeds > limit)
        return UINT64_MAX;
    for (size_t i = 0; i < list->n_scenarios && count <= limit; i++) {
        uint64_t everywhere = list->scenarios[i].seeds_everywhere;
        /* The first offset that is this shard's; then every shards-th. */
        uint64_t first = (list->shard.index + shards - i % shards) % shards;
        if (everywhere > 0)
            count += everywhere < seeds ? everywhere : seeds;
        else if (list->scenarios[i].pinned)
            count += first == 0;
        else if (first < seeds)
            count += (seeds - first - 1) / shards + 1;
    }
    return count > limit ? UINT64_MAX : count;
}
