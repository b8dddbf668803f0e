/* A host around a host: the actor on it serves through a door where fault rules strike. Everything else is
 * handed on, so that the actor's random numbers, timers and own requests are what they would be without.
 * Works alike over sim/net and sim/live, and is as deterministic as the host inside.
 *
 * Rules are borrowed. The inner host must outlive it, and it the actor. */
#ifndef SYNCLINE_FAULT_FAULT_HOST_H
#define SYNCLINE_FAULT_FAULT_HOST_H

#include "fault/rules.h"

struct fault_knob {
    const char *name;
    int64_t value; /* what leaves the knob's range is moved to its end */
};

/* From `at` on the wall clock is `by` ns off, earlier steps included. */
struct fault_clock_step {
    int64_t at, by;
};

struct fault_settings {
    struct fault_rules rules;
    const struct fault_knob *knobs; /* borrowed */
    size_t n_knobs;
    const struct fault_clock_step *clock_steps; /* borrowed */
    size_t n_clock_steps;
};

struct host *fault_host_create(struct host *inner, const struct fault_settings *settings);
void fault_host_destroy(struct host *host);

/* No rule strikes any more, what waits goes on, silenced WebSockets break. Not from inside a callback. */
void fault_host_stop(struct host *host);
/* The actor's process has ended (and with it the inner host's exchanges and timers). */
void fault_host_crash(struct host *host);

struct fault_count {
    uint64_t matched; /* requests or messages that the rule is about */
    uint64_t struck;
};
/* One for each rule, in their order. */
const struct fault_count *fault_host_counts(const struct host *host);

#endif
