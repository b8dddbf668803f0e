/* Keeps replication going: one job for each replication stream of a storage that is being deployed or is
 * active, side by side. A job that fails goes on later from what storage remembers; when the source has lost
 * its position, a new replication stream starts over while clients keep the old one.
 *
 * Pauses are those of the real service: fixed, without growth or jitter, shared by all jobs; no two jobs
 * start within 500 ms. It looks for new streams every 5 s (every 500 ms during the first 120 s, until a job
 * has started). Of several replicators on one storage only one has the lock of a stream; the others stand by.
 */
#ifndef MOCK_POWERSYNC_REPLICATOR_H
#define MOCK_POWERSYNC_REPLICATOR_H

#include "mock-powersync/metrics.h"
#include "mock-powersync/replication/source.h"
#include "mock-powersync/storage/storage.h"

struct replicator;

struct replicator_options {
    struct source *source;
    struct storage *storage;
    struct powersync_metrics *metrics;
    const char *write_checkpoint_table; /* powersync_options */
    int64_t job_lock;                   /* ns that the locks of a replicator that died last; 0: not at all */
};

/* Starts at once. What the options point to must outlive the replicator. */
struct replicator *replicator_create(const struct replicator_options *options);
/* Stops: nothing is called any more, others may take over. NULL is ignored. */
void replicator_destroy(struct replicator *replicator);
/* The same as seen from outside when the process died: its locks last on. */
void replicator_crash(struct replicator *replicator);

/* How long the oldest change of the active stream that was read has not been committed, ns; 0: nothing waits.
 */
int64_t replicator_lag(const struct replicator *replicator);

#endif
