/* One open sync stream: announces checkpoints to one client, sends what it lacks, keeps the connection alive
 * and ends it when the token expires. Its work after a commit is proportional to its own buckets. */
#ifndef MOCK_POWERSYNC_SYNC_STREAM_H
#define MOCK_POWERSYNC_SYNC_STREAM_H

#include "mock-powersync/http/auth.h"
#include "mock-powersync/storage/bucket_storage.h"
#include "mock-powersync/storage/write_checkpoint.h"
#include "mock-powersync/stream/sync_request.h"

struct sync_stream;

/* What streams of one service share. */
struct sync_stream_environment {
    struct host *host;
    const struct sync_config *config;
    struct bucket_storage *storage;
    struct write_checkpoints *write_checkpoints;
    size_t batch_operations;    /* 1..1000: at most so many operations are read at once */
    int64_t keepalive_interval; /* ns, +-10 % */
    /* The stream has answered completely: destroy it now. */
    void (*ended)(void *context, struct sync_stream *stream);
    void *context;
};

/* Start answering `exchange`. NULL with `error` filled: the request cannot be served. `request` and `user`
 * are only borrowed for the call. */
struct sync_stream *sync_stream_create(const struct sync_stream_environment *environment, uint64_t exchange,
                                       const struct sync_request *request, const struct auth_user *user,
                                       struct http_error *error);
void sync_stream_destroy(struct sync_stream *stream);
uint64_t sync_stream_exchange(const struct sync_stream *stream);

#endif
