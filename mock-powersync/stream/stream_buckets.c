#include "mock-powersync/stream/stream_buckets.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

struct maker {
    struct stream_buckets *buckets;
    struct bucket_storage *storage;
    char *claims;         /* of the token, and */
    char *connection;     /* the parameters of the connection, as JSON text */
    struct buffer errors; /* of the stream that is being added: JSON objects, with commas */
    struct map index;     /* bucket name -> index + 1 */
    size_t capacity;
};

static void add_reason(struct stream_bucket *bucket, const char *kind, size_t index) {
    char *longer = bucket->subscriptions
                       ? memory_format("%.*s,{\"%s\":%zu}]", (int)strlen(bucket->subscriptions) - 1,
                                       bucket->subscriptions, kind, index)
                       : memory_format("[{\"%s\":%zu}]", kind, index);
    free(bucket->subscriptions);
    bucket->subscriptions = longer;
}

/* Buckets of several subscriptions are merged: all reasons, the most urgent priority. */
static void add_bucket(struct maker *maker, const char *name, int priority, const char *kind, size_t reason) {
    struct stream_buckets *buckets = maker->buckets;
    uintptr_t found = (uintptr_t)map_get(&maker->index, name);
    if (!found) {
        MEMORY_RESERVE(buckets->buckets, maker->capacity, buckets->count + 1);
        buckets->buckets[buckets->count++] = (struct stream_bucket){
            .bucket = bucket_storage_bucket(maker->storage, name, strlen(name)), .priority = priority};
        found = buckets->count;
        map_set(&maker->index, name, (void *)found);
    }
    struct stream_bucket *bucket = &buckets->buckets[found - 1];
    assert(priority >= 0 && priority <= 3);
    bucket->priority = priority < bucket->priority ? priority : bucket->priority;
    add_reason(bucket, kind, reason);
}

/* The buckets of one subscription; what cannot be evaluated gives none, and the checkpoint says so. */
static void add_subscription(struct maker *maker, const struct sync_stream_definition *stream, int priority,
                             const char *kind, size_t reason, const json_t *parameters) {
    struct arena arena = {0};
    char *own = evaluate_request_text(parameters);
    struct sync_request_values values = {maker->claims, maker->connection, own};
    struct request_bucket *found;
    const char *message;
    size_t count;
    if (!evaluate_request(stream, maker->storage->number, &values, NULL, &arena, &found, &count, &message)) {
        buffer_append_text(&maker->errors,
                           maker->errors.length > 0 ? ",{\"subscription\":" : "{\"subscription\":");
        if (strcmp(kind, "sub") == 0)
            buffer_append_integer(&maker->errors, (int64_t)reason);
        else
            buffer_append_json_text(&maker->errors, kind);
        buffer_append_text(&maker->errors, ",\"message\":");
        buffer_append_json_text(&maker->errors, message);
        buffer_append_char(&maker->errors, '}');
    }
    for (size_t i = 0; i < count; i++)
        add_bucket(maker, found[i].name, priority, kind, reason);
    free(own);
    arena_free(&arena);
}

static int subscription_priority(const struct sync_stream_definition *stream, const json_t *subscription) {
    const json_t *override = json_object_get(subscription, "override_priority");
    if (!json_is_number(override))
        return stream->priority;
    double number = json_number_value(override);
    return number < 0 ? 0 : number > 3 ? 3 : (int)number;
}

/* All buckets of one stream: explicit subscriptions first, then the default one. True when there was any. */
static bool add_stream(struct maker *maker, const struct sync_stream_definition *stream,
                       const struct sync_request *request, size_t stream_index) {
    bool subscribed = false;
    size_t i;
    json_t *subscription;
    json_array_foreach((json_t *)(uintptr_t)request->subscriptions, i, subscription) {
        if (strcmp(json_text(subscription, "stream"), stream->name) != 0)
            continue;
        add_subscription(maker, stream, subscription_priority(stream, subscription), "sub", i,
                         json_object_get(subscription, "parameters"));
        subscribed = true;
    }
    if (!stream->auto_subscribe || !request->include_defaults)
        return subscribed;
    add_subscription(maker, stream, stream->priority, "default", stream_index, NULL);
    return true;
}

static void append_stream(struct buffer *out, const struct sync_stream_definition *stream,
                          const struct buffer *errors) {
    buffer_append_text(out, out->length > 0 ? ",{\"name\":" : "{\"name\":");
    buffer_append_json_text(out, stream->name);
    buffer_append_text(out, stream->auto_subscribe ? ",\"is_default\":true,\"errors\":["
                                                   : ",\"is_default\":false,\"errors\":[");
    buffer_append(out, errors->data, errors->length);
    buffer_append_text(out, "]}");
}

static bool goes_before(const struct stream_bucket *a, const struct stream_bucket *b) {
    if (a->priority != b->priority)
        return a->priority < b->priority;
    return strcmp(a->bucket->name, b->bucket->name) < 0;
}

static void sort(struct stream_buckets *buckets) {
    buckets->order = memory_allocate_array(buckets->count + 1, sizeof *buckets->order);
    for (size_t i = 0; i < buckets->count; i++) {
        size_t at = i;
        for (; at > 0 && goes_before(&buckets->buckets[i], &buckets->buckets[buckets->order[at - 1]]); at--)
            buckets->order[at] = buckets->order[at - 1];
        buckets->order[at] = i;
    }
}

bool stream_buckets_make(struct stream_buckets *buckets, const struct sync_config *config,
                         struct bucket_storage *storage, const struct sync_request *request,
                         const struct auth_user *user, struct http_error *error) {
    *buckets = (struct stream_buckets){0};
    struct map positions = {0};
    if (!sync_request_positions(request, &positions, error)) {
        map_free(&positions, NULL);
        return false;
    }
    struct maker maker = {.buckets = buckets,
                          .storage = storage,
                          .claims = evaluate_request_text(user->claims),
                          .connection = evaluate_request_text(json_object_get(request->body, "parameters"))};
    struct buffer streams = {0};
    size_t n_streams = 0;
    for (size_t i = 0; i < config->n_streams; i++) {
        if (!add_stream(&maker, &config->streams[i], request, n_streams))
            continue;
        append_stream(&streams, &config->streams[i], &maker.errors);
        buffer_clear(&maker.errors);
        n_streams++;
    }
    for (size_t i = 0; i < buckets->count; i++) {
        struct stream_bucket *bucket = &buckets->buckets[i];
        bucket->position = (uintptr_t)map_get(&positions, bucket->bucket->name);
    }
    assert(maker.index.count == buckets->count);
    buckets->streams = buffer_take(&streams);
    sort(buckets);
    map_free(&maker.index, NULL);
    buffer_free(&maker.errors);
    free(maker.claims);
    free(maker.connection);
    map_free(&positions, NULL);
    return true;
}

void stream_buckets_free(struct stream_buckets *buckets) {
    for (size_t i = 0; i < buckets->count; i++) {
        watch_remove(&buckets->buckets[i].watch);
        free(buckets->buckets[i].subscriptions);
    }
    free(buckets->buckets);
    free(buckets->order);
    free(buckets->streams);
    *buckets = (struct stream_buckets){0};
}
