/* Stream subscriptions: what the app asks for, what the service lists, which buckets belong to which. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/engine_model.h"

enum { TTL = 24 * 60 * 60 }; /* s, of a subscription that says nothing else */

const char *model_intern(struct model_shared *shared, const char *text, size_t length) {
    char *known = map_get_bytes(shared->interned, text, length);

    if (known == NULL) {
        known = memory_copy_bytes(text, length);
        map_set_bytes(shared->interned, text, length, known);
    }
    return known;
}

static struct model_subscription *add_subscription(struct engine_model *model) {
    int64_t newest = model->n_subscriptions == 0 ? 0 : model->subscriptions[model->n_subscriptions - 1].id;

    MEMORY_RESERVE(model->subscriptions, model->subscriptions_capacity, model->n_subscriptions + 1);
    model->subscriptions[model->n_subscriptions] = (struct model_subscription){.id = newest + 1,
                                                                               .ttl = MODEL_NONE,
                                                                               .priority = MODEL_NONE,
                                                                               .expires_at = MODEL_NONE,
                                                                               .last_synced_at = MODEL_NONE};
    return &model->subscriptions[model->n_subscriptions++];
}

/* Names and parameters are interned. */
static bool same_stream(const struct model_subscription *a, const struct model_subscription *b) {
    return a->name == b->name && a->parameters == b->parameters;
}

static struct model_subscription *find(struct engine_model *model, const struct model_subscription *like) {
    for (size_t i = 0; i < model->n_subscriptions; i++)
        if (same_stream(&model->subscriptions[i], like))
            return &model->subscriptions[i];
    return NULL;
}

static void renew(struct engine_model *model, struct model_subscription *subscription) {
    subscription->expires_at = model_now(model) + subscription->ttl * 1000000;
}

struct model_subscription model_subscription_of(struct engine_model *model,
                                                const struct client_subscription *wanted) {
    const char *parameters = wanted->parameters;

    if (parameters != NULL && strcmp(parameters, "null") == 0)
        parameters = NULL;
    return (struct model_subscription){
        .name = model_intern(model->shared, wanted->stream, strlen(wanted->stream)),
        .parameters = parameters == NULL ? NULL : model_intern(model->shared, parameters, strlen(parameters)),
        .ttl = wanted->ttl > 0 ? wanted->ttl : TTL,
        .priority = wanted->overrides ? wanted->priority : MODEL_NONE};
}

enum status model_subscribe(struct engine *engine, const struct client_subscription *subscription,
                            struct error *error) {
    struct engine_model *model = engine_model_of(engine);
    const struct model_subscription wanted = model_subscription_of(model, subscription);
    struct model_subscription *kept = find(model, &wanted);

    (void)error;
    if (kept == NULL) {
        kept = add_subscription(model);
        kept->name = wanted.name;
        kept->parameters = wanted.parameters;
        kept->priority = wanted.priority;
    }
    kept->ttl = wanted.ttl;
    /* The most urgent of all askings; but once there is none, none counts. */
    if (wanted.priority != MODEL_NONE && wanted.priority < kept->priority)
        kept->priority = wanted.priority;
    renew(model, kept);
    return STATUS_OK;
}

enum status model_unsubscribe(struct engine *engine, const struct client_subscription *subscription,
                              struct error *error) {
    struct engine_model *model = engine_model_of(engine);
    const struct model_subscription wanted = model_subscription_of(model, subscription);
    struct model_subscription *kept = find(model, &wanted);

    (void)error;
    if (kept != NULL)
        kept->ttl = MODEL_NONE;
    return STATUS_OK;
}

void model_subscriptions_extend(struct engine_model *model) {
    for (size_t i = 0; i < model->n_asked; i++) {
        struct model_subscription *subscription = find(model, &model->asked[i]);

        if (subscription != NULL && subscription->ttl != MODEL_NONE)
            renew(model, subscription);
    }
}

void model_subscriptions_expire(struct engine_model *model) {
    int64_t now = model_now(model);
    size_t kept = 0;

    for (size_t i = 0; i < model->n_subscriptions; i++) {
        struct model_subscription *at = &model->subscriptions[i];
        bool expired = at->expires_at != MODEL_NONE && at->expires_at < now;

        if (!expired && (at->ttl != MODEL_NONE || at->active))
            model->subscriptions[kept++] = *at;
    }
    model->n_subscriptions = kept;
}

bool model_subscriptions_differ(struct engine_model *model) {
    size_t n = 0;

    for (size_t i = 0; i < model->n_subscriptions; i++) {
        if (model->subscriptions[i].ttl == MODEL_NONE)
            continue;
        if (n == model->n_requested || !same_stream(&model->subscriptions[i], &model->requested[n]) ||
            model->subscriptions[i].priority != model->requested[n].priority)
            return true;
        n++;
    }
    return n != model->n_requested;
}

void model_subscriptions_request(struct engine_model *model) {
    free(model->requested);
    model->requested = memory_allocate_array(model->n_subscriptions + 1, sizeof *model->requested);
    model->n_requested = 0;
    for (size_t i = 0; i < model->n_subscriptions; i++)
        if (model->subscriptions[i].ttl != MODEL_NONE)
            model->requested[model->n_requested++] = model->subscriptions[i];
}

/* --- reconciling with a checkpoint --- */

/* The service's streams by name: each client stream of that name, or a new one for a default stream. */
static void take_stream(struct engine_model *model, const struct line_stream *stream, int64_t index,
                        int64_t *servers) {
    const char *name = model_intern(model->shared, stream->name.bytes, stream->name.length);
    struct model_subscription *added;
    bool found = false;

    for (size_t i = 0; i < model->n_subscriptions; i++) {
        if (model->subscriptions[i].name != name)
            continue;
        servers[i] = index;
        model->subscriptions[i].active = true;
        model->subscriptions[i].is_default = stream->is_default;
        found = true;
    }
    if (found || !stream->is_default)
        return;
    added = add_subscription(model);
    added->name = name;
    added->active = true;
    added->is_default = true;
    servers[model->n_subscriptions - 1] = index;
}

/* What the service does not list stays only if the app asked for it. */
static void keep_streams(struct engine_model *model, int64_t *servers) {
    size_t kept = 0;

    for (size_t i = 0; i < model->n_subscriptions; i++) {
        if (model->subscriptions[i].ttl == MODEL_NONE && servers[i] < 0)
            continue;
        servers[kept] = servers[i];
        model->subscriptions[kept++] = model->subscriptions[i];
    }
    model->n_subscriptions = kept;
}

/* The stream of the status that a bucket's reason means; NULL: none. */
static const struct model_stream *stream_of(const struct engine_model *model,
                                            const struct line_reason *reason) {
    int64_t id;

    if (!reason->is_default && reason->index >= (int64_t)model->n_requested)
        return NULL;
    id = reason->is_default ? 0 : model->requested[reason->index].id;
    for (size_t i = 0; i < model->status.n_streams; i++) {
        const struct model_stream *stream = &model->status.streams[i];

        if (reason->is_default
                ? stream->server == reason->index && stream->as.is_default && stream->as.ttl == MODEL_NONE
                : stream->as.id == id)
            return stream;
    }
    return NULL;
}

bool model_stream_has(struct engine_model *model, const struct model_stream *stream,
                      const struct model_bucket *bucket) {
    for (size_t r = 0; r < bucket->n_reasons; r++)
        if (stream_of(model, &bucket->reasons[r]) == stream)
            return true;
    return false;
}

static uint64_t hash_name(const struct model_bucket *bucket) {
    uint64_t hash = 14695981039346656037U;

    for (size_t i = 0; i < bucket->name_length; i++)
        hash = (hash ^ (unsigned char)bucket->name[i]) * 1099511628211U;
    return hash;
}

static void associate(struct engine_model *model, struct model_stream *stream) {
    const struct map_entry *entry;
    size_t position = 0;

    while ((entry = map_next(&model->buckets, &position)) != NULL) {
        const struct model_bucket *bucket = entry->value;

        if (!bucket->tracked || !model_stream_has(model, stream, bucket))
            continue;
        stream->buckets_hash += hash_name(bucket);
        /* The core's order of priorities is the other way round: the least urgent number wins. */
        if (stream->priority == MODEL_NONE || bucket->priority > stream->priority)
            stream->priority = bucket->priority;
    }
}

static void show_streams(struct engine_model *model, const int64_t *servers) {
    struct model_status *status = &model->status;

    MEMORY_RESERVE(status->streams, status->streams_capacity, model->n_subscriptions);
    status->n_streams = model->n_subscriptions;
    for (size_t i = 0; i < model->n_subscriptions; i++)
        status->streams[i] = (struct model_stream){
            .as = model->subscriptions[i], .server = servers[i], .priority = MODEL_NONE};
    for (size_t i = 0; i < status->n_streams; i++)
        associate(model, &status->streams[i]);
}

/* The streams of the last checkpoint, when a diff comes: as they were then. */
static void take_streams_again(struct engine_model *model, int64_t *servers) {
    for (size_t n = 0; n < model->n_server_streams; n++)
        take_stream(model, &model->server_streams[n], (int64_t)n, servers);
}

static void remember_streams(struct engine_model *model, const struct model_line *line) {
    free(model->server_streams);
    model->n_server_streams = line->n_streams;
    model->server_streams = memory_allocate_array(line->n_streams + 1, sizeof *model->server_streams);
    for (size_t i = 0; i < line->n_streams; i++) {
        const struct line_stream *stream = &line->streams[i];
        const char *name = model_intern(model->shared, stream->name.bytes, stream->name.length);

        model->server_streams[i] = (struct line_stream){{name, stream->name.length}, stream->is_default};
    }
}

void model_streams_resolve(struct engine_model *model, const struct model_line *line) {
    int64_t *servers;

    if (line->kind == LINE_CHECKPOINT)
        remember_streams(model, line);
    servers = memory_allocate_array(model->n_subscriptions + model->n_server_streams + 1, sizeof *servers);
    for (size_t i = 0; i < model->n_subscriptions; i++) {
        servers[i] = -1;
        model->subscriptions[i].active = false;
        model->subscriptions[i].is_default = false;
    }
    take_streams_again(model, servers);
    keep_streams(model, servers);
    show_streams(model, servers);
    free(servers);
}
