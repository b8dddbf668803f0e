/* Fuzz target: what POST /sync/stream is asked. The first line of the input is the request's query, the rest
 * its body.
 *
 * Checked for any input: nothing crashes; a refusal is an answer from 400 on with a code, and has a body that
 * tells it; a request that is taken is taken the same way when what was understood is sent again. Its
 * subscriptions are evaluated: buckets have names, priorities are from 0 to 3, errors name subscriptions that
 * it has. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/http/request_parameters.h"
#include "mock-powersync/stream/subscriptions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config_text[] =
    "config: {edition: 3}\n"
    "streams:\n"
    "  own: {auto_subscribe: true, query: \"SELECT * FROM lists WHERE owner = auth.user_id()\"}\n"
    "  some: {priority: 1, query: \"SELECT * FROM lists WHERE kind = subscription.parameter('kind')\"}\n"
    "  wide: {query: \"SELECT * FROM lists WHERE id IN subscription.parameter('ids') AND region = "
    "connection.parameter('region')\"}\n";

static json_t *parameters_of(const char *query, const void *body, size_t length, struct http_error *error) {
    static const struct http_header headers[] = {{"content-type", "application/json"}};
    char *target = memory_format("/sync/stream?%s", query);
    const struct http_request request = {.method = "POST",
                                         .target = target,
                                         .headers = headers,
                                         .n_headers = 1,
                                         .body = length > 0 ? body : NULL,
                                         .body_length = length};
    json_t *parameters = request_parameters_read(&request, false, error);
    free(target);
    return parameters;
}

static void check_refusal(const struct http_error *error) {
    struct buffer text = {0};
    assert(error->status >= 400 && error->status <= 500 && error->code && error->name && error->description);
    http_error_append(&text, error);
    json_t *json = json_parse(text.data, text.length, NULL);
    assert(json_integer_or(json_object_get(json, "error"), "status", 0) == error->status);
    json_decref(json);
    buffer_free(&text);
}

static void evaluate(const struct sync_config *config, const struct sync_request *request) {
    struct subscriptions subscriptions = {0};
    struct arena arena = {0};
    json_t *claims = json_pack("{s:s}", "sub", "u1");
    subscriptions_make(&subscriptions, config, request, claims);
    for (size_t i = 0; i < subscriptions.count; i++) {
        struct request_bucket *buckets = NULL;
        size_t count = 0;
        assert(subscriptions.items[i].priority >= -1 && subscriptions.items[i].priority <= 3);
        subscription_evaluate(&subscriptions, i, 1, NULL, &arena, &buckets, &count);
        for (size_t j = 0; j < count; j++)
            assert(strncmp(buckets[j].name, "1#", 2) == 0 && buckets[j].priority >= 0 &&
                   buckets[j].priority <= 3);
    }
    subscriptions_free(&subscriptions);
    json_decref(claims);
    arena_free(&arena);
}

/* What was understood, sent without a query. */
static void check_again(const struct sync_request *sync, size_t positions) {
    struct http_error error = {0};
    struct sync_request again;
    struct map map = {0};
    struct buffer text = {0}, text_again = {0};
    json_append(&text, sync->body);
    json_t *body = json_parse(text.data, text.length, NULL);
    bool good = body && sync_request_read(&again, body, &error);
    assert(good && again.include_defaults == sync->include_defaults && again.raw_data == sync->raw_data);
    good = sync_request_positions(&again, &map, &error);
    assert(good && map.count == positions);
    json_append(&text_again, again.body);
    assert(text.length == text_again.length && memcmp(text.data, text_again.data, text.length) == 0);
    (void)good;
    map_free(&map, NULL);
    sync_request_free(&again);
    buffer_free(&text);
    buffer_free(&text_again);
}

static void check_taken(const struct sync_config *config, const struct sync_request *sync) {
    struct http_error error = {0};
    struct map positions = {0};
    if (sync_request_positions(sync, &positions, &error)) {
        assert(positions.count <= json_array_size(json_object_get(sync->body, "buckets")));
        check_again(sync, positions.count);
    } else {
        check_refusal(&error);
    }
    map_free(&positions, NULL);
    evaluate(config, sync);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t query_length = end ? (size_t)(end - data) : 0, skip = end ? query_length + 1 : 0;
    char *query = memory_copy_bytes(data, query_length);
    struct http_error error = {0};
    struct sync_request sync;
    struct sync_config *config;
    enum status status = sync_config_parse(&config, config_text, "config", NULL);
    assert(status == STATUS_OK);
    (void)status;
    json_t *parameters = parameters_of(query, size > skip ? data + skip : NULL, size - skip, &error);
    if (parameters && sync_request_read(&sync, parameters, &error)) {
        check_taken(config, &sync);
        sync_request_free(&sync);
    } else {
        check_refusal(&error);
    }
    sync_config_destroy(config);
    free(query);
    return 0;
}
