#include "mock-powersync/stream/sync_stream.h"

#include <assert.h>
#include <stdlib.h>

#include "mock-powersync/stream/stream_buckets.h"
#include "mock-powersync/stream/sync_line.h"

#define PAUSE_AFTER_CHECKPOINT (10 * TIME_MILLISECOND)
#define NO_LINE_THROTTLE_LOW (20 * TIME_MILLISECOND) /* after news that this client does not see */
#define NO_LINE_THROTTLE_HIGH (30 * TIME_MILLISECOND)
#define READ_TIME (1 * TIME_MILLISECOND)  /* at most, between two batches of one checkpoint */
#define INTERRUPTIBLE_AFTER 1000          /* operations sent for one checkpoint */
#define CHUNK_BYTES ((size_t)1024 * 1024) /* of data in one line */
#define EXPIRY_WARNING (20 * TIME_SECOND)

struct sync_stream {
    const struct sync_stream_environment *environment;
    uint64_t exchange;
    bool raw_data;
    int64_t expires; /* seconds since the Unix epoch */
    bool head_sent;
    struct stream_buckets buckets;
    struct write_checkpoint *record; /* what this client may be told about its uploads */
    struct watch record_watch;

    bool announced;           /* the first checkpoint line was sent */
    int64_t write_checkpoint; /* as last announced */
    uint64_t checkpoint;      /* op id of the checkpoint being sent */
    size_t sent;              /* operations sent for it */

    bool busy;         /* a cycle, or the pause after one, is under way */
    unsigned wakes;    /* commits with news since the last look */
    uint64_t woken_by; /* the commit of the last wake: several changed buckets of one commit count once */
    uint64_t timer;
    uint64_t keepalive_timer;
};

static void evaluate(void *context);
static void send_step(void *context);

static void write_line(struct sync_stream *stream, struct buffer *line) {
    struct host *host = stream->environment->host;
    static const struct http_header headers[] = {{"access-control-allow-origin", "*"},
                                                 {"access-control-expose-headers", "Content-Type"},
                                                 {"content-type", "application/x-ndjson"},
                                                 {"x-accel-buffering", "no"}};
    if (!stream->head_sent)
        host_http_respond(host, stream->exchange,
                          &(struct http_response){.status = 200, .headers = headers, .n_headers = 4});
    stream->head_sent = true;
    assert(line->length > 0 && line->data[line->length - 1] == '\n');
    host_http_write(host, stream->exchange, line->data, line->length);
    buffer_clear(line);
}

static void set_timer(struct sync_stream *stream, int64_t delay, void (*fire)(void *)) {
    assert(!stream->timer && stream->busy);
    stream->timer = host_timer_set(stream->environment->host, delay, fire, stream);
}

static void wake(void *context) {
    struct sync_stream *stream = context;
    uint64_t commit = stream->environment->storage->commits;
    if (stream->wakes == 0 || stream->woken_by != commit)
        stream->wakes++;
    stream->woken_by = commit;
    if (stream->busy)
        return;
    stream->busy = true;
    set_timer(stream, 0, evaluate);
}

static void pause_over(void *context) {
    struct sync_stream *stream = context;
    stream->timer = 0;
    assert(stream->busy);
    if (stream->wakes > 0)
        evaluate(stream);
    else
        stream->busy = false;
}

/* Announcing */

static void append_bucket(struct buffer *out, const struct stream_bucket *bucket) {
    if (out->length > 0)
        buffer_append_char(out, ',');
    struct sync_line_bucket line = {bucket->bucket->name, bucket->checksum, bucket->count, bucket->priority,
                                    bucket->subscriptions};
    sync_line_bucket_append(out, &line);
}

/* Up to which operation the next announcement goes. */
static uint64_t announced_op(const struct sync_stream *stream) {
    const struct bucket_storage *storage = stream->environment->storage;
    bool lags = !stream->announced && host_mutant(stream->environment->host, "replay-old-checkpoint");
    return lags ? storage->previous : storage->checkpoint;
}

/* Take over the state at the checkpoint of buckets that changed; their announcements go to `out`. */
static size_t take_changes(struct sync_stream *stream, struct buffer *out) {
    size_t changed = 0;
    const uint64_t op = announced_op(stream);
    for (size_t i = 0; i < stream->buckets.count; i++) {
        struct stream_bucket *bucket = &stream->buckets.buckets[i];
        struct bucket_state state = bucket_state_at(bucket->bucket, op);
        if (stream->announced && state.checksum == bucket->checksum && state.count == bucket->count)
            continue;
        bucket->checksum = state.checksum;
        if (host_mutant(stream->environment->host, "wrong-checksum") && state.count % 8 == 7)
            bucket->checksum++;
        bucket->count = state.count;
        bucket->pending = true;
        append_bucket(out, bucket);
        changed++;
    }
    return changed;
}

/* Write the next checkpoint or diff line, if the storage's checkpoint holds news for this client. */
static bool announce(struct sync_stream *stream) {
    const struct bucket_storage *storage = stream->environment->storage;
    unsigned wakes = stream->wakes;
    stream->wakes = 0;
    int64_t visible = write_checkpoint_visible(stream->record, storage->lsn);
    if (visible < stream->write_checkpoint)
        visible = stream->write_checkpoint; /* a newer request is pending: what was announced stays true */
    struct buffer buckets = {0};
    size_t changed = take_changes(stream, &buckets);
    bool news = !stream->announced || changed > 0 || visible != stream->write_checkpoint;
    if (news) {
        if (stream->announced && wakes > 1)
            host_mark(stream->environment->host, "service.checkpoint-coalesced");
        assert(storage->checkpoint >= stream->checkpoint && visible >= stream->write_checkpoint);
        stream->checkpoint = announced_op(stream);
        stream->write_checkpoint = visible;
        stream->sent = 0;
        struct buffer line = {0};
        if (stream->announced)
            sync_line_diff(&line, stream->checkpoint, visible, buffer_text(&buckets));
        else
            sync_line_checkpoint(&line, stream->checkpoint, visible, buffer_text(&buckets),
                                 stream->buckets.streams);
        stream->announced = true;
        write_line(stream, &line);
        buffer_free(&line);
    }
    buffer_free(&buckets);
    return news;
}

static void evaluate(void *context) {
    struct sync_stream *stream = context;
    stream->timer = 0;
    assert(stream->busy);
    if (announce(stream)) {
        send_step(stream);
        return;
    }
    int64_t throttle = host_random_between(stream->environment->host, "stream.throttle", NO_LINE_THROTTLE_LOW,
                                           NO_LINE_THROTTLE_HIGH);
    set_timer(stream, throttle, pause_over);
}

/* Sending */

/* Index into the order of the first pending bucket from `start` on; buckets.count when there is none. */
static size_t next_pending(const struct sync_stream *stream, size_t start) {
    size_t i = start;
    while (i < stream->buckets.count && !stream->buckets.buckets[stream->buckets.order[i]].pending)
        i++;
    return i;
}

/* How many operations from `first` on fit into one line: at least one, whatever its size. */
static size_t chunk_size(const struct bucket *bucket, size_t first, size_t limit) {
    size_t bytes = bucket->operations[first].data_length;
    size_t count = 1;
    while (count < limit && bytes + bucket->operations[first + count].data_length <= CHUNK_BYTES)
        bytes += bucket->operations[first + count++].data_length;
    return count;
}

/* Send a bucket's operations up to the checkpoint, at most `limit` (>= 1). Returns how many. */
static size_t send_bucket(struct sync_stream *stream, struct stream_bucket *target, size_t limit) {
    const struct bucket *bucket = target->bucket;
    size_t first = bucket_index_after(bucket, target->position);
    size_t end = bucket_index_after(bucket, stream->checkpoint);
    size_t total = first < end ? end - first : 0;
    total = total < limit ? total : limit;
    struct buffer line = {0};
    for (size_t done = 0; done < total;) {
        size_t count = chunk_size(bucket, first + done, total - done);
        /* The last chunk of a full batch says "more" although there may be none, as the real service does. */
        bool more = done + count < total || total == limit;
        sync_line_data(&line, bucket, target->position, first + done, count, more, stream->raw_data);
        write_line(stream, &line);
        done += count;
        target->position = bucket->operations[first + done - 1].op_id;
    }
    buffer_free(&line);
    assert(target->position <= stream->checkpoint || total == 0);
    stream->sent += total;
    return total;
}

/* One read of storage for the priority group that begins at `start`. True: it was full, there may be more. */
static bool send_batch(struct sync_stream *stream, size_t start) {
    int priority = stream->buckets.buckets[stream->buckets.order[start]].priority;
    size_t left = stream->environment->batch_operations;
    for (size_t i = start; i < stream->buckets.count && left > 0; i = next_pending(stream, i + 1)) {
        struct stream_bucket *bucket = &stream->buckets.buckets[stream->buckets.order[i]];
        if (bucket->priority != priority)
            break;
        left -= send_bucket(stream, bucket, left);
    }
    return left == 0;
}

static void finish_group(struct sync_stream *stream, size_t start) {
    int priority = stream->buckets.buckets[stream->buckets.order[start]].priority;
    size_t i = start;
    for (; i < stream->buckets.count; i = next_pending(stream, i + 1)) {
        struct stream_bucket *bucket = &stream->buckets.buckets[stream->buckets.order[i]];
        if (bucket->priority != priority)
            break;
        bucket->pending = false;
    }
    if (i == stream->buckets.count)
        return; /* the last group is closed by the whole checkpoint's line */
    struct buffer line = {0};
    sync_line_partial(&line, stream->checkpoint, priority);
    write_line(stream, &line);
    buffer_free(&line);
}

static void finish_checkpoint(struct sync_stream *stream) {
    struct buffer line = {0};
    sync_line_complete(&line, stream->checkpoint);
    write_line(stream, &line);
    buffer_free(&line);
    set_timer(stream, PAUSE_AFTER_CHECKPOINT, pause_over);
}

static void send_step(void *context) {
    struct sync_stream *stream = context;
    stream->timer = 0;
    assert(stream->announced && stream->busy);
    if (stream->sent >= INTERRUPTIBLE_AFTER && stream->wakes > 0 && announce(stream))
        host_mark(stream->environment->host, "service.checkpoint-interrupted");
    for (;;) {
        size_t start = next_pending(stream, 0);
        if (start == stream->buckets.count) {
            finish_checkpoint(stream);
            return;
        }
        bool full = send_batch(stream, start);
        if (!full)
            finish_group(stream, start);
        if (full ||
            (stream->sent >= INTERRUPTIBLE_AFTER && next_pending(stream, 0) < stream->buckets.count)) {
            set_timer(stream, host_random_between(stream->environment->host, "stream.read", 0, READ_TIME),
                      send_step);
            return;
        }
    }
}

/* Keepalive and expiry */

static int64_t token_left(const struct sync_stream *stream) {
    return stream->expires * TIME_SECOND - host_wall_clock(stream->environment->host); /* ns */
}

static void keepalive(void *context);

static void schedule_keepalive(struct sync_stream *stream) {
    struct host *host = stream->environment->host;
    int64_t left = token_left(stream);
    int64_t delay = host_jitter(host, "stream.keepalive", stream->environment->keepalive_interval, 10);
    if (left > EXPIRY_WARNING && delay > left - EXPIRY_WARNING)
        delay = left - EXPIRY_WARNING;
    else if (delay > left)
        delay = left;
    stream->keepalive_timer = host_timer_set(host, delay > 0 ? delay : 0, keepalive, stream);
}

static void keepalive(void *context) {
    struct sync_stream *stream = context;
    stream->keepalive_timer = 0;
    int64_t left = token_left(stream);
    int64_t seconds = left > 0 ? (left + TIME_SECOND - 1) / TIME_SECOND : 0;
    struct buffer line = {0};
    sync_line_token_expires(&line, seconds);
    write_line(stream, &line);
    buffer_free(&line);
    if (left > 0) {
        schedule_keepalive(stream);
        return;
    }
    host_http_end(stream->environment->host, stream->exchange);
    stream->environment->ended(stream->environment->context, stream);
}

struct sync_stream *sync_stream_create(const struct sync_stream_environment *environment, uint64_t exchange,
                                       const struct sync_request *request, const struct auth_user *user,
                                       struct http_error *error) {
    struct stream_buckets buckets;
    if (!stream_buckets_make(&buckets, environment->config, environment->storage, request, user, error))
        return NULL;
    struct sync_stream *stream = memory_allocate(sizeof *stream);
    stream->environment = environment;
    stream->exchange = exchange;
    stream->raw_data = request->raw_data;
    stream->expires = user->expires;
    stream->buckets = buckets;
    for (size_t i = 0; i < buckets.count; i++)
        watch_add(&buckets.buckets[i].bucket->watches, &buckets.buckets[i].watch, wake, stream);
    char *key = write_checkpoint_key(user->id_text, request->client_id);
    stream->record = write_checkpoints_record(environment->write_checkpoints, key);
    free(key);
    watch_add(&stream->record->watches, &stream->record_watch, wake, stream);
    if (token_left(stream) <= 0) {
        /* Accepted by the clock tolerance only: nothing but the farewell. */
        stream->busy = true;
        stream->keepalive_timer = host_timer_set(environment->host, 0, keepalive, stream);
        return stream;
    }
    schedule_keepalive(stream);
    wake(stream);
    return stream;
}

void sync_stream_destroy(struct sync_stream *stream) {
    if (!stream)
        return;
    host_timer_cancel(stream->environment->host, stream->timer);
    host_timer_cancel(stream->environment->host, stream->keepalive_timer);
    watch_remove(&stream->record_watch);
    stream_buckets_free(&stream->buckets);
    free(stream);
}

uint64_t sync_stream_exchange(const struct sync_stream *stream) {
    return stream->exchange;
}
