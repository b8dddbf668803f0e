#include "mock-powersync/stream/sync_request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static bool invalid(struct http_error *error, const char *what) {
    http_error_set(error, 400, "ValidationError", "PSYNC_S2001", "Validation failed");
    snprintf(error->details, sizeof error->details, "[\"%s\"]", what);
    return false;
}

static bool is_text_or_absent(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return !value || json_is_string(value);
}

static bool is_bool_or_absent(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return !value || json_is_boolean(value);
}

static bool buckets_are_valid(const json_t *buckets) {
    if (!json_is_array(buckets))
        return false;
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)(uintptr_t)buckets, i, entry) {
        if (!json_text(entry, "name") || !json_text(entry, "after"))
            return false;
    }
    return true;
}

static bool subscriptions_are_valid(const json_t *subscriptions) {
    if (!json_is_array(subscriptions))
        return false;
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)(uintptr_t)subscriptions, i, entry) {
        /* parameters and override_priority may be null but not absent */
        const json_t *parameters = json_object_get(entry, "parameters");
        const json_t *priority = json_object_get(entry, "override_priority");
        if (!json_text(entry, "stream") || !(json_is_object(parameters) || json_is_null(parameters)) ||
            !(json_is_number(priority) || json_is_null(priority)))
            return false;
    }
    return true;
}

static bool metadata_is_valid(const json_t *metadata) {
    if (!json_is_object(metadata))
        return false;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)metadata, key, value) {
        if (!json_is_string(value))
            return false;
    }
    return true;
}

static bool check(const json_t *body, struct http_error *error) {
    const json_t *buckets = json_object_get(body, "buckets");
    const json_t *parameters = json_object_get(body, "parameters");
    const json_t *metadata = json_object_get(body, "app_metadata");
    const json_t *streams = json_object_get(body, "streams");
    if (!json_is_object(body))
        return invalid(error, "body must be object");
    if (buckets && !buckets_are_valid(buckets))
        return invalid(error, "/buckets must be a list of {name, after}");
    if (!is_bool_or_absent(body, "raw_data") || !is_bool_or_absent(body, "include_checksum"))
        return invalid(error, "/raw_data and /include_checksum must be boolean");
    if (!is_text_or_absent(body, "client_id"))
        return invalid(error, "/client_id must be string");
    if (parameters && !json_is_object(parameters))
        return invalid(error, "/parameters must be object");
    if (metadata && !metadata_is_valid(metadata))
        return invalid(error, "/app_metadata must hold strings");
    if (streams && (!json_is_object(streams) || !is_bool_or_absent(streams, "include_defaults") ||
                    !subscriptions_are_valid(json_object_get(streams, "subscriptions"))))
        return invalid(error, "/streams must hold subscriptions of {stream, parameters, override_priority}");
    return true;
}

bool sync_request_read(struct sync_request *sync, json_t *body, struct http_error *error) {
    assert(body);
    *sync = (struct sync_request){.body = body};
    if (!check(body, error)) {
        sync_request_free(sync);
        return false;
    }
    const json_t *streams = json_object_get(body, "streams");
    sync->subscriptions = json_object_get(streams, "subscriptions");
    sync->include_defaults = json_bool_or(streams, "include_defaults", true);
    sync->raw_data = json_bool_or(body, "raw_data", false);
    sync->client_id = json_text(body, "client_id");
    return true;
}

void sync_request_free(struct sync_request *sync) {
    json_decref(sync->body);
    *sync = (struct sync_request){0};
}

bool sync_request_positions(const struct sync_request *sync, struct map *positions,
                            struct http_error *error) {
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(sync->body, "buckets"), i, entry) {
        const char *after = json_text(entry, "after");
        size_t digits = strspn(after, "0123456789");
        /* 19 digits always fit; more cannot be an id that we gave out. */
        if (digits == 0 || digits > 19 || after[digits] != '\0')
            return http_error_set(error, 500, "InternalServerError", "PSYNC_S2001",
                                  "Bucket position is not a number");
        map_set(positions, json_text(entry, "name"), (void *)(uintptr_t)strtoull(after, NULL, 10));
    }
    return true;
}
