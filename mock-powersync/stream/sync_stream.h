/* One open sync stream: announces checkpoints to one client, sends what it lacks, keeps the connection alive
 * and ends it when the token expires or another sync config takes over. Its work after a commit is
 * proportional to its own buckets.
 */
#ifndef MOCK_POWERSYNC_SYNC_STREAM_H
#define MOCK_POWERSYNC_SYNC_STREAM_H

#include "mock-powersync/http/auth.h"
#include "mock-powersync/metrics.h"
#include "mock-powersync/storage/storage.h"
#include "mock-powersync/stream/data_lines.h"
#include "mock-powersync/stream/fetch_slots.h"
#include "mock-powersync/stream/line_writer.h"
#include "mock-powersync/stream/stream_transport.h"
#include "mock-powersync/stream/sync_request.h"

struct sync_stream;

/* What streams of one process share. */
struct sync_stream_environment {
    struct host *host;
    struct storage *storage;
    struct powersync_metrics *metrics;
    struct fetch_slots fetches;   /* how many may read data at once */
    struct data_lines lines;      /* encoded before; data_lines_free */
    size_t batch_operations;      /* 1..1000: at most so many operations are read at once */
    size_t max_buckets;           /* of one connection */
    size_t max_parameter_results; /* of one computation of a connection's buckets */
    int64_t keepalive_interval;   /* ns, +-10 % */
    int64_t notification_delay;   /* ns from a commit until streams hear of it */
};

/* Start a stream; everything that it says, also about errors, goes through the transport, and never inside of
 * this call. `request` and `user` are only borrowed for the call. */
struct sync_stream *sync_stream_create(struct sync_stream_environment *environment,
                                       const struct stream_transport *transport, enum line_format format,
                                       const struct sync_request *request, const struct auth_user *user);
/* The transport is ready again. Nothing is written inside of this call. */
void sync_stream_resume(struct sync_stream *stream);
void sync_stream_destroy(struct sync_stream *stream); /* may be NULL */

#endif
