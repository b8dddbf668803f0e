/* The replication job: copies a Convex deployment into bucket storage, first a snapshot at one timestamp,
 * then the changes after it, by polling. Every failure ends the job; it starts again after the pause that the
 * failure asks for and resumes from what storage remembers. */
#ifndef MOCK_POWERSYNC_REPLICATOR_H
#define MOCK_POWERSYNC_REPLICATOR_H

#include "mock-powersync/replication/convex_source.h"
#include "mock-powersync/storage/bucket_storage.h"

struct replicator;

struct replicator_options {
    struct host *host;
    const struct sync_config *config;
    struct bucket_storage *storage; /* of the replication stream */
    struct convex_source source;
    int64_t polling_interval; /* ns */
};

/* Starts at once. What the options point to must outlive the replicator. */
struct replicator *replicator_create(const struct replicator_options *options);
/* Stops: nothing is called any more. */
void replicator_destroy(struct replicator *replicator);

#endif
