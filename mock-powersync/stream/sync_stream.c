#include <assert.h>
#include <stdlib.h>

#include "mock-powersync/stream/sync_stream_private.h"

#define NO_LINE_THROTTLE_LOW (20 * TIME_MILLISECOND) /* after news that this client does not see */
#define NO_LINE_THROTTLE_HIGH (30 * TIME_MILLISECOND)
#define LINE_KEPT ((size_t)16 * 1024) /* bytes that an idle stream may keep for its next line */
#define EXPIRY_WARNING (20 * TIME_SECOND)

/* What the parts share */

void sync_stream_write_line(struct sync_stream *stream, const struct buffer *line) {
    assert(line->length > 0);
    stream->environment->metrics->data_synced_bytes += line->length;
    stream->transport.write(stream->transport.context, line->data, line->length);
}

void sync_stream_write(struct sync_stream *stream) {
    sync_stream_write_line(stream, &stream->line);
    if (stream->line.capacity > LINE_KEPT)
        buffer_free(&stream->line);
    buffer_clear(&stream->line);
}

void sync_stream_set_timer(struct sync_stream *stream, int64_t delay, void (*fire)(void *context)) {
    assert(!stream->timer && stream->busy);
    stream->timer = host_timer_set(stream->environment->host, delay, fire, stream);
}

bool sync_stream_is_ready(struct sync_stream *stream, void (*next)(struct sync_stream *stream)) {
    assert(stream->busy && !stream->timer);
    if (stream->transport.ready(stream->transport.context))
        return true;
    stream->blocked = true;
    stream->next = next;
    return false;
}

void sync_stream_fail(struct sync_stream *stream, const struct http_error *error) {
    stream->transport.fail(stream->transport.context, error);
}

void sync_stream_end(struct sync_stream *stream) {
    stream->transport.end(stream->transport.context);
}

/* Looking for checkpoints */

static void look(struct sync_stream *stream) {
    assert(stream->busy && !stream->timer);
    if (!sync_stream_is_ready(stream, look))
        return;
    switch (sync_stream_announce(stream)) {
    case ANNOUNCED:
        sync_stream_send(stream);
        break;
    case NOTHING_NEW:
        sync_stream_rest(stream, host_random_between(stream->environment->host, "stream.throttle",
                                                     NO_LINE_THROTTLE_LOW, NO_LINE_THROTTLE_HIGH));
        break;
    case STREAM_OVER:
        break;
    }
}

static void look_now(void *context) {
    struct sync_stream *stream = context;
    stream->timer = 0;
    look(stream);
}

void sync_stream_wake(void *context) {
    struct sync_stream *stream = context;
    /* Mutant deaf-instance: after the first checkpoint nobody hears of another one. */
    if (stream->announced && host_mutant(stream->environment->host, "deaf-instance"))
        return;
    uint64_t commit = stream->storage ? stream->storage->commits : 0;
    if (stream->wakes == 0 || stream->woken_by != commit)
        stream->wakes++;
    stream->woken_by = commit;
    if (stream->busy)
        return;
    stream->busy = true;
    sync_stream_set_timer(stream, stream->announced ? stream->environment->notification_delay : 0, look_now);
}

static void lookups_changed(void *context) {
    struct sync_stream *stream = context;
    stream->lookups_changed = true;
    sync_stream_wake(stream);
}

static void rest_is_over(void *context) {
    struct sync_stream *stream = context;
    stream->timer = 0;
    assert(stream->busy);
    if (stream->wakes > 0)
        look(stream);
    else
        stream->busy = false;
}

void sync_stream_rest(struct sync_stream *stream, int64_t pause) {
    sync_stream_set_timer(stream, pause, rest_is_over);
}

static void go_on(void *context) {
    struct sync_stream *stream = context;
    stream->timer = 0;
    stream->next(stream);
}

void sync_stream_resume(struct sync_stream *stream) {
    if (!stream->blocked)
        return;
    stream->blocked = false;
    sync_stream_set_timer(stream, 0, go_on);
}

/* Keepalive and expiry */

static int64_t token_left(const struct sync_stream *stream) {
    return stream->expires * TIME_SECOND - host_wall_clock(stream->environment->host); /* ns */
}

static void keepalive(void *context);

static void schedule_keepalive(struct sync_stream *stream) {
    struct host *host = stream->environment->host;
    int64_t left = token_left(stream), delay = left;
    if (stream->transport.keepalives)
        delay = host_jitter(host, "stream.keepalive", stream->environment->keepalive_interval, 10);
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
    if (left > 0 && !stream->transport.ready(stream->transport.context)) {
        schedule_keepalive(stream); /* what the client has not read yet keeps the connection alive */
        return;
    }
    sync_line_token_expires(&stream->line, stream->format,
                            left > 0 ? (left + TIME_SECOND - 1) / TIME_SECOND : 0);
    sync_stream_write(stream);
    if (left > 0)
        schedule_keepalive(stream);
    else
        sync_stream_end(stream);
}

/* Life */

static void gave_up_waiting(void *context) {
    struct http_error error;
    http_error_set(&error, 500, "InternalServerError", "PSYNC_S2001", "Timeout while waiting for data");
    sync_stream_fail(context, &error);
}

static void may_read(void *context) {
    sync_stream_send(context);
}

static void source_changed(void *context) {
    struct sync_stream *stream = context;
    if (stream->source->state == STREAM_STOPPED || stream->source->state == STREAM_TERMINATED)
        sync_stream_wake(stream);
}

/* What the client gets, and from where. */
static void subscribe(struct sync_stream *stream, const struct sync_request *request,
                      const struct auth_user *user) {
    struct storage *storage = stream->environment->storage;
    stream->source = replication_stream_hold(storage_serving(storage));
    stream->storage = stream->source->buckets;
    watch_add(&storage->changes, &stream->source_watch, source_changed, stream);
    stream->buckets.storage = stream->lookups.storage = stream->storage;
    sync_request_positions(request, &stream->buckets.positions, &stream->refusal);
    subscriptions_make(&stream->subscriptions, stream->source->config, request, user->claims);
    char *key = write_checkpoint_key(user->id_text, request->client_id);
    stream->record = write_checkpoints_record(&storage->write_checkpoints, key);
    free(key);
    watch_add(&stream->record->watches, &stream->record_watch, sync_stream_wake, stream);
}

struct sync_stream *sync_stream_create(struct sync_stream_environment *environment,
                                       const struct stream_transport *transport, enum line_format format,
                                       const struct sync_request *request, const struct auth_user *user) {
    struct sync_stream *stream = memory_allocate(sizeof *stream);
    stream->environment = environment;
    environment->metrics->concurrent_connections++;
    stream->transport = *transport;
    stream->format = format;
    stream->expires = user->expires;
    stream->buckets = (struct stream_buckets){.wake = sync_stream_wake, .context = stream};
    stream->lookups = (struct stream_lookups){
        .wake = lookups_changed, .context = stream, .limit = environment->max_parameter_results};
    stream->fetch = (struct fetch_place){.granted = may_read, .gave_up = gave_up_waiting, .context = stream};
    if (storage_serving(environment->storage))
        subscribe(stream, request, user);
    else
        http_error_set(&stream->refusal, 500, "ServiceError", "PSYNC_S2302", "No sync config available");
    if (token_left(stream) <= 0) {
        /* Accepted by the clock tolerance only: nothing but the farewell. */
        stream->busy = true;
        stream->keepalive_timer = host_timer_set(environment->host, 0, keepalive, stream);
        return stream;
    }
    schedule_keepalive(stream);
    sync_stream_wake(stream);
    return stream;
}

void sync_stream_destroy(struct sync_stream *stream) {
    if (!stream)
        return;
    stream->environment->metrics->concurrent_connections--;
    host_timer_cancel(stream->environment->host, stream->timer);
    host_timer_cancel(stream->environment->host, stream->keepalive_timer);
    fetch_slots_leave(&stream->fetch);
    watch_remove(&stream->source_watch);
    watch_remove(&stream->record_watch);
    stream_lookups_free(&stream->lookups);
    stream_buckets_free(&stream->buckets);
    bucket_wishes_free(&stream->fixed);
    subscriptions_free(&stream->subscriptions);
    replication_stream_release(stream->source);
    buffer_free(&stream->line);
    free(stream);
}
