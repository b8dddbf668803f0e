/* Which buckets the client has at the newest checkpoint, and what is new about them. */
#include <assert.h>
#include <stdlib.h>

#include "mock-powersync/stream/sync_stream_private.h"

/* Membership */

static const char *definitions_of(const struct sync_stream *stream) {
    const struct subscriptions *subscriptions = &stream->subscriptions;
    for (size_t i = 0; i < subscriptions->count; i++)
        if (!subscriptions->items[i].stream->is_bucket_definition)
            return "streams";
    return "bucket definitions";
}

/* Add what the subscriptions with lookups, or those without, give now. */
static void evaluate(struct sync_stream *stream, bool with_lookups, struct bucket_wishes *wishes) {
    struct arena arena = {0};
    for (size_t i = 0; i < stream->subscriptions.count; i++) {
        const struct subscription *subscription = &stream->subscriptions.items[i];
        const char *name = subscription->stream->name;
        if (sync_stream_has_lookups(subscription->stream) != with_lookups)
            continue;
        struct lookup_source source = stream_lookups_source(&stream->lookups, name);
        struct request_bucket *buckets = NULL;
        size_t count = 0;
        const char *reason = subscription_evaluate(&stream->subscriptions, i, stream->storage->number,
                                                   with_lookups ? &source : NULL, &arena, &buckets, &count);
        if (reason && !stream->announced)
            subscription_add_error(&stream->subscriptions, i, reason);
        for (size_t j = 0; j < count; j++)
            bucket_wishes_add(wishes, buckets[j].name, name, buckets[j].priority, subscription->reason);
    }
    arena_free(&arena);
}

static bool are_within_limit(const struct sync_stream *stream, const struct bucket_wishes *wishes,
                             struct http_error *error, char **text) {
    struct stream_tally tally = {0};
    const size_t limit = stream->environment->max_buckets;
    struct map_entry *entry;
    if (wishes->by_name.count <= limit)
        return true;
    for (size_t i = 0; (entry = map_next(&wishes->by_name, &i));)
        stream_tally_add(&tally, ((const struct bucket_wish *)entry->value)->definition, 1);
    stream_limit_exceeded(error, text, "buckets", definitions_of(stream), &tally, limit);
    stream_tally_free(&tally);
    return false;
}

/* Mutant foreign-bucket: a bucket that is somebody else's. */
static void add_foreign_bucket(const struct sync_stream *stream, struct bucket_wishes *wishes) {
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&stream->storage->buckets, &i));) {
        if (map_has(&wishes->by_name, entry->key))
            continue;
        const struct subscription *subscription = &stream->subscriptions.items[0];
        bucket_wishes_add(wishes, entry->key, subscription->stream->name, 3, subscription->reason);
        return;
    }
}

/* Compute the buckets as of a checkpoint: those without lookups once, the others whenever something that they
 * looked up has changed. False: too many, the stream has failed. */
static bool resolve_buckets(struct sync_stream *stream, uint64_t op_id, char ***removed, size_t *n_removed) {
    if (stream->announced &&
        (!stream->lookups_changed || host_mutant(stream->environment->host, "stale-lookups")))
        return true;
    struct http_error error;
    char *text = NULL;
    struct bucket_wishes wishes = {0}, more = {0};
    if (!stream->announced)
        evaluate(stream, false, &stream->fixed);
    stream->lookups_changed = false;
    stream_lookups_begin(&stream->lookups, op_id);
    evaluate(stream, true, &more);
    bucket_wishes_copy(&wishes, &stream->fixed);
    bucket_wishes_join(&wishes, &more);
    if (host_mutant(stream->environment->host, "foreign-bucket"))
        add_foreign_bucket(stream, &wishes);
    bool fine = stream_lookups_check(&stream->lookups, definitions_of(stream), &error, &text) &&
                are_within_limit(stream, &wishes, &error, &text);
    if (fine)
        stream_buckets_set(&stream->buckets, &wishes, removed, n_removed);
    else
        sync_stream_fail(stream, &error);
    bucket_wishes_free(&wishes);
    free(text);
    return fine;
}

/* State */

/* Up to which operation the next announcement goes. */
static uint64_t announced_op(const struct sync_stream *stream) {
    const struct bucket_storage *storage = stream->storage;
    bool lags = !stream->announced && host_mutant(stream->environment->host, "replay-old-checkpoint");
    return lags ? storage->previous : storage->checkpoint;
}

/* True: the bucket is new or differs from what was announced. */
static bool take_state(const struct sync_stream *stream, struct stream_bucket *bucket, uint64_t op_id) {
    if (bucket->announced && !bucket->changed)
        return false;
    struct bucket_state state = bucket_state_at(bucket->bucket, op_id);
    bucket->changed = op_id < stream->storage->checkpoint;
    if (bucket->announced && state.checksum == bucket->checksum && state.count == bucket->count)
        return false;
    bucket->announced = true;
    bucket->pending = true;
    bucket->checksum = state.checksum;
    bucket->count = state.count;
    if (host_mutant(stream->environment->host, "wrong-checksum") && state.count % 8 == 7)
        bucket->checksum++;
    return true;
}

static struct sync_line_bucket line_bucket(const struct stream_bucket *bucket) {
    const struct bucket_wish *wish = &bucket->wish;
    return (struct sync_line_bucket){wish->name,     bucket->checksum, bucket->count,
                                     wish->priority, wish->reasons,    wish->n_reasons};
}

/* The buckets that are new or changed, in order of announcing; the caller frees them. */
static struct sync_line_bucket *take_changes(struct sync_stream *stream, uint64_t op_id, size_t *count) {
    struct sync_line_bucket *changes = memory_allocate_array(stream->buckets.count + 1, sizeof *changes);
    struct map_entry *entry;
    *count = 0;
    for (size_t i = 0; (entry = map_next(&stream->buckets.by_name, &i));)
        if (take_state(stream, entry->value, op_id))
            changes[(*count)++] = line_bucket(entry->value);
    return changes;
}

static int64_t visible_write_checkpoint(const struct sync_stream *stream) {
    int64_t visible = write_checkpoint_visible(stream->record, stream->storage->lsn);
    /* Mutant early-write-checkpoint: nobody looks how far replication is. */
    if (host_mutant(stream->environment->host, "early-write-checkpoint"))
        visible = stream->record->id;
    /* While a newer request is pending, what was announced stays true. */
    return visible > stream->write_checkpoint ? visible : stream->write_checkpoint;
}

/* The line */

static void write_announcement(struct sync_stream *stream, struct sync_line_checkpoint *line) {
    line->streams = stream->subscriptions.streams;
    line->n_streams = stream->subscriptions.n_streams;
    if (stream->announced)
        sync_line_diff(&stream->line, stream->format, line);
    else
        sync_line_checkpoint(&stream->line, stream->format, line);
    stream->announced = true;
    stream->checkpoint = line->op_id;
    stream->write_checkpoint = line->write_checkpoint;
    stream->sent = 0;
    stream->turn = 0;
    stream->invalid = false;
    for (size_t i = 0; i < stream->buckets.count; i++)
        stream->buckets.order[i]->in_turn = stream->buckets.order[i]->pending;
    sync_stream_write(stream);
}

static enum announcement announce(struct sync_stream *stream, char **removed, size_t n_removed,
                                  uint64_t op_id, unsigned wakes) {
    struct sync_line_checkpoint line = {.op_id = op_id,
                                        .write_checkpoint = visible_write_checkpoint(stream),
                                        .removed = (const char *const *)removed,
                                        .n_removed = n_removed};
    struct sync_line_bucket *changes = take_changes(stream, op_id, &line.n_buckets);
    bool news = !stream->announced || line.n_buckets > 0 || n_removed > 0 ||
                line.write_checkpoint != stream->write_checkpoint;
    line.buckets = changes;
    if (news) {
        if (stream->announced && wakes > 1)
            host_mark(stream->environment->host, "service.checkpoint-coalesced");
        assert(op_id >= stream->checkpoint && line.write_checkpoint >= stream->write_checkpoint);
        write_announcement(stream, &line);
    }
    free(changes);
    return news ? ANNOUNCED : NOTHING_NEW;
}

/* After another config took over, clients are to come again. */
static bool is_served(const struct sync_stream *stream) {
    return stream->source->state == STREAM_ACTIVE || stream->source->state == STREAM_ERRORED;
}

enum announcement sync_stream_announce(struct sync_stream *stream) {
    unsigned wakes = stream->wakes;
    stream->wakes = 0;
    if (stream->refusal.status) {
        sync_stream_fail(stream, &stream->refusal);
        return STREAM_OVER;
    }
    if (!is_served(stream)) {
        sync_stream_end(stream);
        return STREAM_OVER;
    }
    const uint64_t op_id = announced_op(stream);
    char **removed = NULL;
    size_t n_removed = 0;
    if (!resolve_buckets(stream, op_id, &removed, &n_removed))
        return STREAM_OVER;
    enum announcement announcement = announce(stream, removed, n_removed, op_id, wakes);
    for (size_t i = 0; i < n_removed; i++)
        free(removed[i]);
    free(removed);
    return announcement;
}
