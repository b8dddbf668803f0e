/* Data of the announced checkpoint, by priority, and the lines that complete it. */
#include <assert.h>

#include "mock-powersync/stream/sync_stream_private.h"

#define PAUSE_AFTER_CHECKPOINT (10 * TIME_MILLISECOND)
#define READ_TIME (1 * TIME_MILLISECOND)  /* at most, between two batches of one checkpoint */
#define INTERRUPTIBLE_AFTER 1000          /* operations sent for one checkpoint */
#define CHUNK_BYTES ((size_t)1024 * 1024) /* of data in one line */

/* Operations that fit into one line: at least one, whatever its size. */
struct chunk {
    size_t first;
    size_t count;
    size_t bytes; /* of data */
};

static struct chunk chunk_from(const struct bucket *bucket, size_t first, size_t limit) {
    struct chunk chunk = {first, 1, bucket->operations[first].data_length};
    for (; chunk.count < limit; chunk.count++) {
        size_t more = bucket->operations[first + chunk.count].data_length;
        if (chunk.bytes + more > CHUNK_BYTES)
            break;
        chunk.bytes += more;
    }
    return chunk;
}

static void write_data(struct sync_stream *stream, const struct stream_bucket *target, struct chunk chunk,
                       bool more) {
    if (chunk.bytes <= DATA_LINES_LARGEST) {
        sync_stream_write_line(stream, data_lines_get(&stream->environment->lines, stream->format,
                                                      stream->storage, target->bucket, target->position,
                                                      chunk.first, chunk.count, more));
    } else {
        sync_line_data(&stream->line, stream->format, target->bucket, target->position, chunk.first,
                       chunk.count, more);
        sync_stream_write(stream);
    }
}

/* The next line of a bucket's operations up to the checkpoint, as a part of the batch. */
static void send_chunk(struct sync_stream *stream, struct stream_bucket *target) {
    const struct bucket *bucket = target->bucket;
    const size_t limit = stream->batch_left;
    size_t first = bucket_index_after(bucket, target->position);
    size_t end = bucket_index_after(bucket, stream->checkpoint);
    size_t total = first < end ? end - first : 0;
    total = total < limit ? total : limit;
    if (bucket_is_compacted_past(bucket, target->position, stream->checkpoint) &&
        !host_mutant(stream->environment->host, "complete-compacted"))
        stream->invalid = true;
    struct chunk chunk = total > 0 ? chunk_from(bucket, first, total) : (struct chunk){0};
    if (chunk.count > 0) {
        /* The last chunk of a full batch says "more" although there may be none, as the real service does. */
        write_data(stream, target, chunk, chunk.count < total || total == limit);
        target->position = bucket->operations[first + chunk.count - 1].op_id;
    }
    target->pending = chunk.count < total || total == limit;
    stream->sent += chunk.count;
    stream->batch_left -= chunk.count;
    stream->environment->metrics->operations_synced += chunk.count;
}

/* The next bucket of this priority that has something to send; NULL: there is none. */
static struct stream_bucket *next_bucket(struct sync_stream *stream, int priority) {
    const struct stream_buckets *buckets = &stream->buckets;
    for (; stream->turn < buckets->count; stream->turn++) {
        struct stream_bucket *bucket = buckets->order[stream->turn];
        if (bucket->wish.priority > priority)
            break;
        if (bucket->in_turn && bucket->pending)
            return bucket;
    }
    return NULL;
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

static void end_batch(struct sync_stream *stream) {
    stream->batch_left = 0;
    fetch_slots_leave(&stream->fetch);
}

static void read_again(void *context) {
    struct sync_stream *stream = context;
    stream->timer = 0;
    end_batch(stream);
    sync_stream_send(stream);
}

/* False: the stream goes on later. */
static bool read_later(struct sync_stream *stream) {
    sync_stream_set_timer(stream, host_random_between(stream->environment->host, "stream.read", 0, READ_TIME),
                          read_again);
    return false;
}

/* All of a priority is sent. What compaction has swallowed cannot be told as of this checkpoint: then it is
 * left as it is, and the next one that brings this client news goes on from here. */
static bool finish_priority(struct sync_stream *stream, int priority) {
    end_batch(stream);
    if (stream->invalid) {
        sync_stream_rest(stream, PAUSE_AFTER_CHECKPOINT);
        return false;
    }
    close_priority(stream, priority);
    bool more = stream_buckets_urgent(&stream->buckets) >= 0;
    return !more || stream->sent < INTERRUPTIBLE_AFTER || read_later(stream);
}

/* Mutant interrupted-batch: a newer checkpoint that does not concern this client ends the batch all the same,
 * and nobody goes on with it. */
static bool is_dropped(const struct sync_stream *stream) {
    return stream->sent >= INTERRUPTIBLE_AFTER && stream->wakes == 0 &&
           stream->storage->checkpoint > stream->checkpoint &&
           host_mutant(stream->environment->host, "interrupted-batch");
}

/* After many operations a newer checkpoint takes over, if it concerns this client. */
static enum announcement let_interrupt(struct sync_stream *stream) {
    if (stream->sent < INTERRUPTIBLE_AFTER || stream->wakes == 0)
        return NOTHING_NEW;
    enum announcement announcement = sync_stream_announce(stream);
    if (announcement == ANNOUNCED)
        host_mark(stream->environment->host, "service.checkpoint-interrupted");
    return announcement;
}

static void fetched(void *context) {
    struct sync_stream *stream = context;
    stream->timer = 0;
    sync_stream_send(stream);
}

/* The stream is over. Mutant hung-after-fetch-error: it stays open, and nothing happens before the next
 * checkpoint. */
static void fail_fetch(struct sync_stream *stream) {
    struct http_error error;
    if (host_mutant(stream->environment->host, "hung-after-fetch-error")) {
        end_batch(stream);
        sync_stream_rest(stream, PAUSE_AFTER_CHECKPOINT);
        return;
    }
    http_error_set(&error, 500, "InternalServerError", "PSYNC_S2001", "storage failed while data was read");
    sync_stream_fail(stream, &error);
}

/* False: not now. */
static bool begin_batch(struct sync_stream *stream) {
    struct fault_point fault = host_fault_point(stream->environment->host, "service.before-fetch");
    stream->batch_left = stream->environment->batch_operations;
    if (fault.action == FAULT_ERROR)
        fail_fetch(stream);
    else if (fault.action == FAULT_DELAY)
        sync_stream_set_timer(stream, fault.delay, fetched);
    return fault.action != FAULT_ERROR && fault.action != FAULT_DELAY;
}

/* Write the next line, if there is one. False: nothing more can be done now. */
static bool send_next(struct sync_stream *stream) {
    if (is_dropped(stream)) {
        end_batch(stream);
        sync_stream_rest(stream, PAUSE_AFTER_CHECKPOINT);
        return false;
    }
    enum announcement announcement = let_interrupt(stream);
    if (announcement != NOTHING_NEW)
        return announcement == ANNOUNCED;
    int priority = stream_buckets_urgent(&stream->buckets);
    if (priority < 0) {
        complete(stream);
        return false;
    }
    struct stream_bucket *bucket = next_bucket(stream, priority);
    if (!bucket)
        return finish_priority(stream, priority);
    if (!fetch_slots_take(&stream->environment->fetches, &stream->fetch))
        return false;
    if (stream->batch_left == 0 && !begin_batch(stream))
        return false;
    send_chunk(stream, bucket);
    return stream->batch_left > 0 || read_later(stream); /* and keep the place until then */
}

void sync_stream_send(struct sync_stream *stream) {
    do {
        assert(stream->announced && stream->busy);
        if (!sync_stream_is_ready(stream, sync_stream_send)) {
            end_batch(stream); /* a reader that is slow keeps nobody else from reading */
            return;
        }
    } while (send_next(stream));
}
