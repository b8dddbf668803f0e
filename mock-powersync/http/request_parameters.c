#include "mock-powersync/http/request_parameters.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/percent.h"

#define BODY_MOST ((size_t)1024 * 1024)
#define QUERY_PARAMETERS_MOST 1000 /* further ones are not read */

const char *request_header(const struct http_request *request, const char *name) {
    for (size_t i = 0; i < request->n_headers; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

/* --- the query --- */

static void add_parameter(json_t *object, const char *name, size_t name_length, json_t *value) {
    json_t *known = json_object_getn(object, name, name_length);
    if (!known) {
        json_object_setn_new(object, name, name_length, value);
        return;
    }
    if (!json_is_array(known)) {
        known = json_pack("[O]", known);
        json_object_setn_new(object, name, name_length, known);
    }
    json_array_append_new(known, value);
}

static void read_pair(json_t *object, const char *pair, size_t length) {
    const char *equals = memchr(pair, '=', length);
    size_t name_length = equals ? (size_t)(equals - pair) : length;
    struct buffer name = {0}, value = {0};
    percent_decode(&name, pair, name_length);
    if (equals)
        percent_decode(&value, equals + 1, length - name_length - 1);
    json_t *key = json_string_lossy(buffer_text(&name), name.length);
    add_parameter(object, json_string_value(key), json_string_length(key),
                  json_string_lossy(buffer_text(&value), value.length));
    json_decref(key);
    buffer_free(&name);
    buffer_free(&value);
}

static json_t *read_query(const char *target) {
    json_t *object = json_object();
    const char *at = strchr(target, '?');
    for (size_t count = 0; at && count < QUERY_PARAMETERS_MOST; count++) {
        size_t length = strcspn(++at, "&");
        if (length > 0)
            read_pair(object, at, length);
        at = at[length] ? at + length : NULL;
    }
    return object;
}

/* --- the body --- */

static bool is_type(const char *header, const char *type) {
    size_t length = strlen(type);
    return strncasecmp(header, type, length) == 0 && strchr("; \t", header[length]) != NULL;
}

static bool refuse(struct http_error *error, int status, const char *code, const char *description) {
    return http_error_set(error, status, "FastifyError", code, description);
}

static bool read_json(const struct http_request *request, json_t *object, struct http_error *error) {
    struct error reason = {0};
    if (request->body_length == 0)
        return refuse(error, 400, "FST_ERR_CTP_EMPTY_JSON_BODY",
                      "Body cannot be empty when content-type is set to 'application/json'");
    json_t *body = json_parse(request->body, request->body_length, &reason);
    if (!body) {
        refuse(error, 400, "FST_ERR_CTP_INVALID_JSON_BODY", "Body is not valid JSON");
        snprintf(error->details, sizeof error->details, "%.500s", reason.message);
        return false;
    }
    if (json_is_object(body))
        json_object_update(object, body);
    json_decref(body);
    return true;
}

static bool read_body(const struct http_request *request, bool yaml, json_t *object,
                      struct http_error *error) {
    const char *type = request_header(request, "content-type");
    if (!type && request->body_length == 0)
        return true;
    bool is_json = type && is_type(type, "application/json");
    bool is_yaml = type && yaml && is_type(type, "application/yaml");
    if (!is_json && !is_yaml && !(type && is_type(type, "text/plain")))
        return refuse(error, 415, "FST_ERR_CTP_INVALID_MEDIA_TYPE", "Unsupported Media Type");
    if (request->body_length > BODY_MOST)
        return refuse(error, 413, "FST_ERR_CTP_BODY_TOO_LARGE", "Request body is too large");
    if (is_yaml)
        json_object_set_new(object, "content", json_string_lossy(request->body, request->body_length));
    return !is_json || read_json(request, object, error);
}

json_t *request_parameters_read(const struct http_request *request, bool yaml, struct http_error *error) {
    json_t *object = read_query(request->target);
    if (strcmp(request->method, "GET") == 0 || read_body(request, yaml, object, error))
        return object;
    assert(error->status);
    json_decref(object);
    return NULL;
}

struct http_request *request_copy(const struct http_request *request, bool bodiless, struct arena *arena) {
    struct http_request *copy = arena_allocate(arena, sizeof *copy);
    struct http_header *headers = arena_allocate(arena, (request->n_headers + 1) * sizeof *headers);
    for (size_t i = 0; i < request->n_headers; i++)
        headers[i] = (struct http_header){arena_copy_text(arena, request->headers[i].name),
                                          arena_copy_text(arena, request->headers[i].value)};
    *copy = (struct http_request){.authority = "", /* of no use to a server */
                                  .method = arena_copy_text(arena, request->method),
                                  .target = arena_copy_text(arena, request->target),
                                  .headers = headers,
                                  .n_headers = request->n_headers};
    if (!bodiless && request->body_length > 0) {
        copy->body = arena_copy_bytes(arena, request->body, request->body_length);
        copy->body_length = request->body_length;
    }
    return copy;
}
