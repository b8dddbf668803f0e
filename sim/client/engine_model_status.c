/* The sync status: told when it changed, written as JSON when somebody asks. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/engine_model.h"

void model_status_offline(struct engine_model *model) {
    struct model_status *status = &model->status;

    status->connected = false;
    status->connecting = false;
    status->downloading = false;
    status->emitted = 0;
    status->last_applied = MODEL_NONE; /* the core does not look it up */
    MEMORY_RESERVE(status->priorities, status->priorities_capacity, model->n_synced);
    status->n_priorities = model->n_synced;
    if (model->n_synced > 0)
        memcpy(status->priorities, model->synced, model->n_synced * sizeof *model->synced);
    MEMORY_RESERVE(status->streams, status->streams_capacity, model->n_subscriptions);
    status->n_streams = model->n_subscriptions;
    for (size_t i = 0; i < model->n_subscriptions; i++)
        status->streams[i] =
            (struct model_stream){.as = model->subscriptions[i], .server = -1, .priority = MODEL_NONE};
}

/* Without an iteration, as SDKs read it when they start and after they cleared. */
void model_status_tell_offline(struct engine_model *model, struct engine_result *result) {
    model_status_offline(model);
    model->status.emitted = 1;
    result->status_changed = true;
}

static uint64_t mix(uint64_t hash, int64_t value) {
    hash = (hash ^ (uint64_t)value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* A sum, so that the order of the buckets does not matter. */
static uint64_t hash_progress(const struct engine_model *model) {
    const struct map_entry *entry;
    size_t position = 0;
    uint64_t sum = 0;

    while ((entry = map_next(&model->buckets, &position)) != NULL) {
        const struct model_bucket *bucket = entry->value;
        uint64_t hash = mix(entry->hash, bucket->priority);

        if (!bucket->tracked)
            continue;
        hash = mix(hash, bucket->shown_at_last);
        hash = mix(hash, bucket->shown_since_last);
        sum += mix(hash, bucket->count < 0 ? 0 : bucket->count);
    }
    return sum;
}

static uint64_t hash_stream(const struct model_stream *stream, uint64_t hash) {
    hash = mix(hash, stream->as.id);
    hash = mix(hash, stream->priority);
    hash = mix(hash, stream->as.active | stream->as.is_default << 1 | (stream->as.ttl != MODEL_NONE) << 2);
    hash = mix(hash, stream->as.expires_at);
    hash = mix(hash, stream->as.last_synced_at);
    return mix(hash, (int64_t)stream->buckets_hash);
}

static uint64_t hash_status(const struct engine_model *model) {
    const struct model_status *status = &model->status;
    uint64_t hash = mix(1, status->connected | status->connecting << 1 | status->downloading << 2);

    for (size_t i = 0; i < status->n_priorities; i++)
        hash = mix(mix(hash, status->priorities[i].number), status->priorities[i].last_synced_at);
    if (status->downloading)
        hash = mix(hash, (int64_t)hash_progress(model));
    hash = mix(hash, (int64_t)status->n_streams);
    for (size_t i = 0; i < status->n_streams; i++)
        hash = hash_stream(&status->streams[i], hash);
    return mix(hash, status->last_applied);
}

void model_status_emit(struct engine_model *model, struct engine_result *result) {
    uint64_t hash = hash_status(model);

    if (hash == model->status.emitted)
        return;
    model->status.emitted = hash;
    result->status_changed = true;
}

/* --- as JSON --- */

struct progress {
    int64_t total, downloaded;
};

static void add_progress(struct progress *progress, const struct model_bucket *bucket) {
    int64_t target = bucket->count < 0 ? 0 : bucket->count;

    progress->total += target - bucket->shown_at_last;
    progress->downloaded += bucket->shown_since_last;
}

/* The largest priority number below `limit` that a tracked bucket has; -1: none. */
static int64_t next_priority(struct engine_model *model, int64_t limit, struct progress *progress) {
    const struct map_entry *entry;
    size_t position = 0;
    int64_t found = -1;

    while ((entry = map_next(&model->buckets, &position)) != NULL) {
        const struct model_bucket *bucket = entry->value;

        if (!bucket->tracked || bucket->priority >= limit || bucket->priority < found)
            continue;
        if (bucket->priority > found)
            *progress = (struct progress){0};
        found = bucket->priority;
        add_progress(progress, bucket);
    }
    return found;
}

static void append_downloading(struct engine_model *model, struct buffer *out) {
    struct progress progress = {0};
    const char *comma = "";

    if (!model->status.downloading) {
        buffer_append_text(out, "null");
        return;
    }
    buffer_append_text(out, "{\"buckets\":{");
    for (int64_t priority = INT64_MAX; (priority = next_priority(model, priority, &progress)) >= 0;) {
        buffer_printf(out,
                      "%s\"prio_%lld\":{\"priority\":%lld,\"at_last\":0,\"since_last\":%lld,"
                      "\"target_count\":%lld}",
                      comma, (long long)priority, (long long)priority, (long long)progress.downloaded,
                      (long long)progress.total);
        comma = ",";
    }
    buffer_append_text(out, "}}");
}

static void append_number_or_null(struct buffer *out, int64_t value) {
    if (value == MODEL_NONE)
        buffer_append_text(out, "null");
    else
        buffer_append_integer(out, value);
}

static struct progress stream_progress(struct engine_model *model, const struct model_stream *stream) {
    struct progress progress = {0};
    const struct map_entry *entry;
    size_t position = 0;

    while (model->status.downloading && (entry = map_next(&model->buckets, &position)) != NULL) {
        const struct model_bucket *bucket = entry->value;

        if (bucket->tracked && model_stream_has(model, stream, bucket))
            add_progress(&progress, bucket);
    }
    return progress;
}

static const char *word(bool value) {
    return value ? "true" : "false";
}

static void append_stream(struct engine_model *model, const struct model_stream *stream, struct buffer *out) {
    struct progress progress = stream_progress(model, stream);

    buffer_append_text(out, "{\"name\":");
    buffer_append_json_text(out, stream->as.name);
    buffer_append_text(out, ",\"parameters\":");
    buffer_append_text(out, stream->as.parameters != NULL ? stream->as.parameters : "null");
    buffer_append_text(out, ",\"priority\":");
    append_number_or_null(out, stream->priority);
    buffer_printf(out, ",\"active\":%s,\"is_default\":%s,\"has_explicit_subscription\":%s,\"expires_at\":",
                  word(stream->as.active), word(stream->as.is_default), word(stream->as.ttl != MODEL_NONE));
    append_number_or_null(out, stream->as.expires_at);
    buffer_append_text(out, ",\"last_synced_at\":");
    append_number_or_null(out, stream->as.last_synced_at);
    buffer_printf(out, ",\"progress\":{\"total\":%lld,\"downloaded\":%lld}}", (long long)progress.total,
                  (long long)progress.downloaded);
}

const char *model_status_text(struct engine *engine) {
    struct engine_model *model = engine_model_of(engine);
    const struct model_status *status = &model->status;
    struct buffer *out = &model->shared->status;

    buffer_clear(out);
    if (status->emitted == 0)
        return buffer_text(out);
    buffer_printf(out, "{\"connected\":%s,\"connecting\":%s,\"priority_status\":[", word(status->connected),
                  word(status->connecting));
    for (size_t i = 0; i < status->n_priorities; i++)
        buffer_printf(out, "%s{\"priority\":%lld,\"last_synced_at\":%lld,\"has_synced\":true}",
                      i > 0 ? "," : "", (long long)status->priorities[i].number,
                      (long long)status->priorities[i].last_synced_at);
    buffer_append_text(out, "],\"downloading\":");
    append_downloading(model, out);
    buffer_append_text(out, ",\"streams\":[");
    for (size_t i = 0; i < status->n_streams; i++) {
        buffer_append_text(out, i > 0 ? "," : "");
        append_stream(model, &status->streams[i], out);
    }
    buffer_append_char(out, ']');
    if (status->last_applied != MODEL_NONE)
        buffer_printf(out, ",\"internal_last_applied_checkpoint_request_id\":\"%lld\"",
                      (long long)status->last_applied);
    buffer_append_char(out, '}');
    return buffer_text(out);
}
