/* The lines of a sync stream: which fields they have, in the order in which the real service writes them.
 * Each function appends one line in the given format.
 */
#ifndef MOCK_POWERSYNC_SYNC_LINE_H
#define MOCK_POWERSYNC_SYNC_LINE_H

#include "mock-powersync/storage/bucket_storage.h"
#include "mock-powersync/stream/line_writer.h"

/* Why a client gets something: the default subscription of a stream (index into the checkpoint's streams), or
 * one that it asked for (index into the request's subscriptions). */
struct sync_line_reason {
    bool is_default;
    size_t index;
};

/* A bucket as announced. */
struct sync_line_bucket {
    const char *name;
    uint32_t checksum;
    size_t count; /* of operations */
    int priority;
    const struct sync_line_reason *reasons;
    size_t n_reasons;
};

/* What was wrong with one subscription of a stream. */
struct sync_line_error {
    struct sync_line_reason subscription;
    const char *message;
};

struct sync_line_stream {
    const char *name;
    bool is_default;
    const struct sync_line_error *errors;
    size_t n_errors;
};

struct sync_line_checkpoint {
    uint64_t op_id;
    int64_t write_checkpoint;               /* 0: left out */
    const struct sync_line_bucket *buckets; /* all of them, or those of a diff that are new or changed */
    size_t n_buckets;
    const struct sync_line_stream *streams; /* not in a diff */
    size_t n_streams;
    const char *const *removed; /* names of buckets; in a diff only */
    size_t n_removed;
};

void sync_line_checkpoint(struct buffer *out, enum line_format format,
                          const struct sync_line_checkpoint *checkpoint);
void sync_line_diff(struct buffer *out, enum line_format format, const struct sync_line_checkpoint *diff);
/* `count` operations from `first` on. */
void sync_line_data(struct buffer *out, enum line_format format, const struct bucket *bucket, uint64_t after,
                    size_t first, size_t count, bool has_more);
void sync_line_partial(struct buffer *out, enum line_format format, uint64_t op_id, int priority);
void sync_line_complete(struct buffer *out, enum line_format format, uint64_t op_id);
void sync_line_token_expires(struct buffer *out, enum line_format format, int64_t seconds);

#endif
