/* The lines of a sync stream as text, keys in the order in which the real service writes them. Each function
 * appends one line with its final newline. */
#ifndef MOCK_POWERSYNC_SYNC_LINE_H
#define MOCK_POWERSYNC_SYNC_LINE_H

#include "mock-powersync/storage/bucket_storage.h"

/* A bucket as announced in checkpoint lines. */
struct sync_line_bucket {
    const char *name;
    uint32_t checksum;
    size_t count;
    int priority;
    const char *subscriptions; /* JSON array text */
};

void sync_line_bucket_append(struct buffer *out, const struct sync_line_bucket *bucket);

/* `write_checkpoint` 0: left out. `buckets` and `streams`: the JSON texts inside the brackets. */
void sync_line_checkpoint(struct buffer *out, uint64_t op_id, int64_t write_checkpoint, const char *buckets,
                          const char *streams);
void sync_line_diff(struct buffer *out, uint64_t op_id, int64_t write_checkpoint, const char *updated);
/* `count` operations from `first` on. `raw`: data as a JSON string, else as an embedded object. */
void sync_line_data(struct buffer *out, const struct bucket *bucket, uint64_t after, size_t first,
                    size_t count, bool has_more, bool raw);
void sync_line_partial(struct buffer *out, uint64_t op_id, int priority);
void sync_line_complete(struct buffer *out, uint64_t op_id);
void sync_line_token_expires(struct buffer *out, int64_t seconds);

#endif
