/* The stage: builds a world from a scenario and a plan, runs it, heals it, and says what came out. */
#ifndef SYNCLINE_SCENARIO_STAGE_H
#define SYNCLINE_SCENARIO_STAGE_H

#include "check/check.h"
#include "scenario/plan.h"

struct stage_options {
    struct core_library *core; /* the loaded client core; may be NULL when the scenario has no users */
    bool narrate;              /* fill result.narration */
    bool freshness;            /* fill result.delays; only the polling benchmark wants them */
    uint64_t flip_bit; /* control of the determinism test: the n-th drawn network delay (from 1) has its
                          lowest bit changed; 0: off */
    void (*progress)(void *context, int64_t virtual_now,
                     uint64_t events); /* may be NULL; about once per virtual s */
    void *progress_context;
    /* May be NULL. After the run: each client's database, as a file that any SQLite opens. */
    void (*keep_database)(void *context, const char *client, const void *bytes, size_t length);
    void *keep_context;
};

struct stage_count {
    char *name;
    uint64_t count;
};

struct stage_result {
    bool passed;      /* no violation */
    bool as_expected; /* passed, or exactly the expected violations (at least one of them, no other) */
    struct violation *violations; /* owned copies */
    size_t n_violations;
    char *steps_text; /* for the first violation: the two steps that matter, one per line; "" when none */
    struct hash128 trace_hash;
    uint64_t trace_length;
    uint64_t *trace_marks; /* see history.h */
    size_t n_trace_marks;
    int64_t virtual_time; /* ns */
    uint64_t events;
    uint64_t commits, local_writes, applied, judged, exchanges;
    struct stage_count
        *faults; /* wire and timed faults that the plan allowed: fired how often (0 is listed) */
    size_t n_faults;
    struct stage_count *fault_points;
    size_t n_fault_points;
    struct stage_count *marks;
    size_t n_marks;
    struct stage_count *knobs;
    size_t n_knobs;
    /* Freshness, ns: from commit to the time when a client that should see it has applied it (other clients'
     * writes), for benchmarks. */
    int64_t *delays;
    size_t n_delays;
    uint64_t convex_requests; /* HTTP requests that the deployment saw from the service */
    struct buffer narration;
};

enum status stage_run(const struct scenario *scenario, const struct plan *plan,
                      const struct stage_options *options, struct stage_result *result, struct error *error);
void stage_result_free(struct stage_result *result);

#endif
