#include "mock-powersync/stream_buckets.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

struct maker {
    struct stream_buckets *buckets;
    struct bucket_storage *storage;
    const struct auth_user *user;
    struct map index; /* bucket name -> index + 1 */
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
static void add_bucket(struct maker *maker, const struct buffer *name, int priority, const char *kind,
                       size_t reason) {
    struct stream_buckets *buckets = maker->buckets;
    uintptr_t found = (uintptr_t)map_get(&maker->index, name->data);
    if (!found) {
        MEMORY_RESERVE(buckets->buckets, maker->capacity, buckets->count + 1);
        buckets->buckets[buckets->count++] = (struct stream_bucket){
            .bucket = bucket_storage_bucket(maker->storage, name->data, name->length), .priority = priority};
        found = buckets->count;
        map_set(&maker->index, name->data, (void *)found);
    }
    struct stream_bucket *bucket = &buckets->buckets[found - 1];
    assert(priority >= 0 && priority <= 3);
    bucket->priority = priority < bucket->priority ? priority : bucket->priority;
    add_reason(bucket, kind, reason);
}

static void add_variants(struct maker *maker, const struct sync_stream_definition *stream, int priority,
                         const char *kind, size_t reason) {
    const struct sql_value *user = &maker->user->id;
    for (size_t i = 0; i < stream->n_variants; i++) {
        bool by_user = stream->variants[i].by_user;
        if (by_user && user->kind == SQL_NULL)
            continue;
        struct buffer name = {0};
        bucket_name_append(&name, maker->storage->number, stream->name, i, by_user ? user : NULL);
        add_bucket(maker, &name, priority, kind, reason);
        buffer_free(&name);
    }
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
        add_variants(maker, stream, subscription_priority(stream, subscription), "sub", i);
        subscribed = true;
    }
    if (!stream->auto_subscribe || !request->include_defaults)
        return subscribed;
    add_variants(maker, stream, stream->priority, "default", stream_index);
    return true;
}

static void append_stream(struct buffer *out, const struct sync_stream_definition *stream) {
    buffer_append_text(out, out->length > 0 ? ",{\"name\":" : "{\"name\":");
    buffer_append_json_text(out, stream->name);
    buffer_append_text(out, stream->auto_subscribe ? ",\"is_default\":true,\"errors\":[]}"
                                                   : ",\"is_default\":false,\"errors\":[]}");
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
    struct maker maker = {.buckets = buckets, .storage = storage, .user = user};
    struct buffer streams = {0};
    size_t n_streams = 0;
    for (size_t i = 0; i < config->n_streams; i++) {
        if (!add_stream(&maker, &config->streams[i], request, n_streams))
            continue;
        append_stream(&streams, &config->streams[i]);
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
