/* Keeps replication going: one job for each replication stream that wants one, and pauses after failures. A
 * failed job goes on from what storage remembers; the pause is what the failure asks for, fixed, without
 * growth or jitter. */
#ifndef MOCK_POWERSYNC_REPLICATOR_H
#define MOCK_POWERSYNC_REPLICATOR_H

#include "mock-powersync/replication/source.h"
#include "mock-powersync/replication/writer.h"

struct replicator;

struct replicator_options {
    struct source *source;
    struct writer_options writer;
};

/* Starts at once. What the options point to must outlive the replicator. */
struct replicator *replicator_create(const struct replicator_options *options);
/* Stops: nothing is called any more. NULL is ignored. */
void replicator_destroy(struct replicator *replicator);

/* How long the oldest change that was read has not been committed, ns; 0: nothing waits. */
int64_t replicator_lag(const struct replicator *replicator);

#endif
