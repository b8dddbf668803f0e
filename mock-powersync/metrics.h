/* What one process of the service counts: the counters and gauges that the real one publishes. The parts get
 * a pointer to it and add; http/ prints it. Counters start from 0 with each process, as there.
 *
 * powersync_data_replicated_bytes_total and powersync_chunks_replicated_total stay absent: the real Convex
 * module never counts them. */
#ifndef MOCK_POWERSYNC_METRICS_H
#define MOCK_POWERSYNC_METRICS_H

#include <stdint.h>

#include "base/buffer.h"

struct powersync_metrics {
    /* Replication. */
    uint64_t rows_replicated;
    uint64_t transactions_replicated;
    int64_t replication_lag; /* ns behind the source; 0: nothing waits for a commit */
    /* API. */
    uint64_t data_synced_bytes; /* plain */
    uint64_t data_sent_bytes;   /* compressed where the client asked for it */
    uint64_t operations_synced;
    uint64_t concurrent_connections;
    /* Storage, bytes. */
    uint64_t replication_storage_bytes; /* source rows */
    uint64_t operation_storage_bytes;
    uint64_t parameter_storage_bytes;
};

/* Prometheus text format 0.0.4. `replicates`, `serves`: which of the process's halves there are; a half that
 * is not there has no lines. */
void powersync_metrics_append(const struct powersync_metrics *metrics, bool replicates, bool serves,
                              struct buffer *out);

#endif
