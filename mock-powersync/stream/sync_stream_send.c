/* Data of the announced checkpoint, by priority, and the lines that complete it. */
#include <assert.h>

#include "mock-powersync/stream/sync_stream_private.h"

#define PAUSE_AFTER_CHECKPOINT (10 * TIME_MILLISECOND)
#define READ_TIME (1 * TIME_MILLISECOND)  /* at most, between two batches of one checkpoint */
#define INTERRUPTIBLE_AFTER 1000          /* operations sent for one checkpoint */
#define CHUNK_BYTES ((size_t)1024 * 1024) /* of data in one line */

/* How many operations from `first` on fit into one line: at least one, whatever its size. */
static size_t chunk_size(const struct bucket *bucket, size_t first, size_t limit) {
    size_t bytes = bucket->operations[first].data_length;
    size_t count = 1;
    while (count < limit && bytes + bucket->operations[first + count].data_length <= CHUNK_BYTES)
        bytes += bucket->operations[first + count++].data_length;
    return count;
}

static void send_chunk(struct sync_stream *stream, struct stream_bucket *target, size_t first, size_t count,
                       bool more) {
    const struct bucket *bucket = target->bucket;
    sync_line_data(&stream->line, stream->format, bucket, target->position, first, count, more);
    target->position = bucket->operations[first + count - 1].op_id;
    stream->sent += count;
    if (stream->environment->metrics)
        stream->environment->metrics->operations_synced += count;
    sync_stream_write(stream);
}

static bool has_room(const struct sync_stream *stream) {
    return stream->transport.ready(stream->transport.context);
}

/* Send a bucket's operations up to the checkpoint: at most `limit` (>= 1), and none after the transport has
 * enough. Returns how many the limit has lost. */
static size_t send_bucket(struct sync_stream *stream, struct stream_bucket *target, size_t limit) {
    const struct bucket *bucket = target->bucket;
    size_t first = bucket_index_after(bucket, target->position);
    size_t end = bucket_index_after(bucket, stream->checkpoint);
    size_t total = first < end ? end - first : 0;
    total = total < limit ? total : limit;
    if (bucket_is_compacted_past(bucket, target->position, stream->checkpoint) &&
        !host_mutant(stream->environment->host, "complete-compacted"))
        stream->invalid = true;
    for (size_t done = 0; done < total;) {
        if (done > 0 && !has_room(stream))
            return limit;
        size_t count = chunk_size(bucket, first + done, total - done);
        /* The last chunk of a full batch says "more" although there may be none, as the real service does. */
        send_chunk(stream, target, first + done, count, done + count < total || total == limit);
        done += count;
    }
    assert(target->position <= stream->checkpoint || total == 0);
    target->pending = total == limit;
    return total;
}

/* One read of storage for a priority. True: there may be more. */
static bool send_batch(struct sync_stream *stream, int priority) {
    const size_t limit = stream->environment->batch_operations;
    size_t left = limit;
    for (size_t i = 0; i < stream->buckets.count; i++) {
        struct stream_bucket *bucket = stream->buckets.order[i];
        if (!bucket->in_turn || !bucket->pending || bucket->wish.priority != priority)
            continue;
        if (left == 0 || (left < limit && !has_room(stream)))
            return true;
        left -= send_bucket(stream, bucket, left);
    }
    return left == 0;
}

/* A priority is done; the last one is closed by the whole checkpoint's line. */
static void close_priority(struct sync_stream *stream, int priority) {
    for (size_t i = 0; i < stream->buckets.count; i++) {
        struct stream_bucket *bucket = stream->buckets.order[i];
        assert(!bucket->in_turn || bucket->wish.priority >= priority);
        bucket->in_turn = bucket->in_turn && bucket->wish.priority != priority;
    }
    if (stream_buckets_urgent(&stream->buckets) < 0)
        return;
    sync_line_partial(&stream->line, stream->format, stream->checkpoint, priority);
    sync_stream_write(stream);
}

static void complete(struct sync_stream *stream) {
    sync_line_complete(&stream->line, stream->format, stream->checkpoint);
    sync_stream_write(stream);
    sync_stream_rest(stream, PAUSE_AFTER_CHECKPOINT);
}

/* What compaction has swallowed cannot be told as of this checkpoint: it is left as it is. The next one that
 * brings this client news goes on from here. */
static void abandon(struct sync_stream *stream) {
    sync_stream_rest(stream, PAUSE_AFTER_CHECKPOINT);
}

/* After many operations a newer checkpoint takes over, if it concerns this client. False: the stream is over.
 */
static bool let_interrupt(struct sync_stream *stream) {
    if (stream->sent < INTERRUPTIBLE_AFTER || stream->wakes == 0)
        return true;
    enum announcement announcement = sync_stream_announce(stream);
    if (announcement == ANNOUNCED)
        host_mark(stream->environment->host, "service.checkpoint-interrupted");
    return announcement != STREAM_OVER;
}

static void read_again(void *context) {
    struct sync_stream *stream = context;
    stream->timer = 0;
    fetch_slots_leave(&stream->fetch);
    sync_stream_send(stream);
}

static void read_later(struct sync_stream *stream) {
    sync_stream_set_timer(stream, host_random_between(stream->environment->host, "stream.read", 0, READ_TIME),
                          read_again);
}

void sync_stream_send(struct sync_stream *stream) {
    assert(stream->announced && stream->busy);
    if (!sync_stream_is_ready(stream, sync_stream_send)) {
        fetch_slots_leave(&stream->fetch); /* a reader that is slow keeps nobody else from reading */
        return;
    }
    if (!let_interrupt(stream))
        return;
    int priority;
    while ((priority = stream_buckets_urgent(&stream->buckets)) >= 0) {
        if (!fetch_slots_take(&stream->environment->fetches, &stream->fetch))
            return;
        bool more = send_batch(stream, priority);
        if (more) {
            read_later(stream); /* and keep the place until then */
            return;
        }
        fetch_slots_leave(&stream->fetch);
        if (stream->invalid) {
            abandon(stream);
            return;
        }
        close_priority(stream, priority);
        if (stream->sent >= INTERRUPTIBLE_AFTER && stream_buckets_urgent(&stream->buckets) >= 0) {
            read_later(stream);
            return;
        }
    }
    complete(stream);
}
