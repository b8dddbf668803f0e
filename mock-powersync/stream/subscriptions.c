#include "mock-powersync/stream/subscriptions.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* What the client wants for this subscription; -1: what the config says. */
static int wanted_priority(const json_t *asked) {
    const json_t *override = json_object_get(asked, "override_priority");
    if (!json_is_number(override))
        return -1;
    double number = json_number_value(override);
    return number < 0 ? 0 : number > 3 ? 3 : (int)number;
}

static void add(struct subscriptions *subscriptions, const struct sync_stream_definition *stream,
                struct sync_line_reason reason, const json_t *asked) {
    MEMORY_RESERVE(subscriptions->items, subscriptions->capacity, subscriptions->count + 1);
    subscriptions->items[subscriptions->count++] =
        (struct subscription){.stream = stream,
                              .stream_index = subscriptions->n_streams,
                              .reason = reason,
                              .priority = wanted_priority(asked),
                              .parameters = evaluate_request_text(json_object_get(asked, "parameters"))};
    subscriptions->has_lookups = subscriptions->has_lookups || sync_stream_has_lookups(stream);
}

static void add_stream(struct subscriptions *subscriptions, const struct sync_stream_definition *stream,
                       const struct sync_request *request) {
    size_t before = subscriptions->count, i;
    bool named = false;
    json_t *asked;
    json_array_foreach((json_t *)(uintptr_t)request->subscriptions, i, asked) {
        if (strcmp(json_text(asked, "stream"), stream->name) != 0)
            continue;
        named = true;
        if (!stream->is_bucket_definition)
            add(subscriptions, stream, (struct sync_line_reason){.index = i}, asked);
    }
    bool is_default = stream->auto_subscribe || stream->is_bucket_definition;
    if (is_default && (request->include_defaults || (named && stream->subscription_brings_default)))
        add(subscriptions, stream, (struct sync_line_reason){true, subscriptions->n_streams}, NULL);
    if (subscriptions->count == before)
        return;
    MEMORY_RESERVE(subscriptions->streams, subscriptions->streams_capacity, subscriptions->n_streams + 1);
    subscriptions->streams[subscriptions->n_streams++] =
        (struct sync_line_stream){.name = stream->name, .is_default = is_default};
}

void subscriptions_make(struct subscriptions *subscriptions, const struct sync_config *config,
                        const struct sync_request *request, const json_t *claims) {
    *subscriptions = (struct subscriptions){
        .claims = evaluate_request_text(claims),
        .connection = evaluate_request_text(json_object_get(request->body, "parameters"))};
    for (size_t i = 0; i < config->n_streams; i++)
        add_stream(subscriptions, &config->streams[i], request);
}

void subscriptions_free(struct subscriptions *subscriptions) {
    for (size_t i = 0; i < subscriptions->count; i++)
        free(subscriptions->items[i].parameters);
    for (size_t i = 0; i < subscriptions->n_streams; i++)
        free((struct sync_line_error *)(uintptr_t)subscriptions->streams[i].errors);
    free(subscriptions->items);
    free(subscriptions->streams);
    free(subscriptions->claims);
    free(subscriptions->connection);
    *subscriptions = (struct subscriptions){0};
}

const char *subscription_evaluate(const struct subscriptions *subscriptions, size_t index, int number,
                                  const struct lookup_source *lookups, struct arena *arena,
                                  struct request_bucket **buckets, size_t *count) {
    assert(index < subscriptions->count);
    const struct subscription *subscription = &subscriptions->items[index];
    const struct sync_request_values values = {subscriptions->claims, subscriptions->connection,
                                               subscription->parameters};
    const char *reason = NULL;
    bool all =
        evaluate_request(subscription->stream, number, &values, lookups, arena, buckets, count, &reason);
    for (size_t i = 0; i < *count && subscription->priority >= 0; i++)
        (*buckets)[i].priority = subscription->priority;
    return all ? NULL : reason;
}

void subscription_add_error(struct subscriptions *subscriptions, size_t index, const char *message) {
    const struct subscription *subscription = &subscriptions->items[index];
    struct sync_line_stream *stream = &subscriptions->streams[subscription->stream_index];
    struct sync_line_error *errors = (struct sync_line_error *)(uintptr_t)stream->errors;
    errors = memory_resize(errors, stream->n_errors + 1, sizeof *errors);
    errors[stream->n_errors++] = (struct sync_line_error){subscription->reason, message};
    stream->errors = errors;
}
