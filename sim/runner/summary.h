/* The end of a run for people: the table of scenarios, what was never reached, the figures. */
#ifndef SYNCLINE_RUNNER_SUMMARY_H
#define SYNCLINE_RUNNER_SUMMARY_H

#include "base/buffer.h"
#include "runner/outcome.h"

struct summary {
    const struct run_tally *tally;
    int64_t wall_time;  /* ns */
    const char *folder; /* the report folder */
    bool interrupted;
    bool worker_ended_badly;
};

void summary_append(struct buffer *out, const struct summary *summary);
/* "passed", "failed", "interrupted": the verdict of the run, also for results.sqlite. */
const char *summary_verdict(const struct summary *summary);

#endif
