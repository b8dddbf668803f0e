/* The scenarios of a run: found, loaded once to see that they are right, named, and joined by the canary. */
#ifndef SYNCLINE_RUNNER_SUITE_SCENARIOS_H
#define SYNCLINE_RUNNER_SUITE_SCENARIOS_H

#include "base/error.h"
#include "runner/jobs.h"
#include "runner/outcome.h"

struct suite_scenario {
    char *file;
    char *name; /* unique in the run */
    char *engine;
    enum expectation expects;
    bool canary;
    bool pinned; /* its file names the seed */
    uint64_t seed;
};

struct suite_scenarios {
    struct suite_scenario *items;
    struct job_scenario *jobs; /* same order */
    size_t count, capacity;
};

/* Everything under the paths, each file once; and scenarios/smoke/canary.yaml when no canary is among them.
 * `use_pinned_seeds`: files that name a seed run with that one only. */
enum status suite_scenarios_load(const char *const *paths, size_t n_paths, bool use_pinned_seeds,
                                 struct suite_scenarios *scenarios, struct error *error);
void suite_scenarios_free(struct suite_scenarios *scenarios);

#endif
