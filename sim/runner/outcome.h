/* What the result of one seed means for its scenario, and the sums of a run. A scenario that expects a
 * violation (a planted bug, a canary) is fine when at least one of its seeds shows it and no seed shows
 * anything else; any other scenario is fine when no seed shows a violation. */
#ifndef SYNCLINE_RUNNER_OUTCOME_H
#define SYNCLINE_RUNNER_OUTCOME_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "scenario/scenario.h"

enum outcome {
    OUTCOME_PASSED,   /* nothing expected, nothing found */
    OUTCOME_FAILED,   /* a violation that was not expected, or no result at all */
    OUTCOME_EXPECTED, /* exactly the expected violation */
    OUTCOME_SILENT    /* a violation was expected and this seed did not show it */
};

/* What a scenario's `expect` says. */
enum expectation {
    EXPECTS_NOTHING,
    EXPECTS_VIOLATION, /* the result knows which */
    EXPECTS_CRASH      /* the worker's end, or a violation that is named beside it */
};
enum expectation expectation_of(const struct scenario *scenario);

/* `result` is a worker's result, or what was made up when the worker ended. */
enum outcome outcome_of(const json_t *result, enum expectation expects);
const char *outcome_name(enum outcome outcome); /* "passed", "failed", "expected", "silent" */

struct scenario_tally {
    char *name; /* unique in the run; owned */
    const char *file;
    bool canary; /* must fail as expected in every run */
    enum expectation expects;
    uint64_t seeds;       /* finished */
    uint64_t outcomes[4]; /* by enum outcome */
    uint64_t commits, judged, faults_fired;
    uint64_t until_found; /* seeds until the expected violation came first; 0: it did not */
    char *found_by;       /* its property, or NULL; owned */
};

/* Not as expected: a failed seed, or expected violations that no seed showed. A scenario without seeds is
 * fine. */
bool scenario_tally_bad(const struct scenario_tally *tally);
bool scenario_tally_silent(const struct scenario_tally *tally); /* bad because nothing was shown */

/* A count by name, in order of first use. */
struct count_table {
    struct map counts; /* name -> uint64_t *, owned */
};
void count_table_add(struct count_table *table, const char *name,
                     uint64_t count); /* makes the name known, also by 0 */
uint64_t count_table_get(const struct count_table *table, const char *name);
void count_table_free(struct count_table *table);

struct run_tally {
    struct scenario_tally *scenarios;
    size_t n_scenarios;
    uint64_t seeds, failed;
    int64_t virtual_time; /* ns, sum over seeds */
    uint64_t faults_fired;
    struct count_table faults, fault_points, marks;
};

/* A run of `n` scenarios; the names come from the caller (copied). */
void run_tally_init(struct run_tally *tally, size_t n);
void run_tally_add(struct run_tally *tally, size_t scenario, enum outcome outcome, const json_t *result);
bool run_tally_bad(const struct run_tally *tally); /* any scenario is */
void run_tally_free(struct run_tally *tally);

#endif
