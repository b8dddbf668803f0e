/* Which request goes where. On every route the body is validated before the caller is authorised, as in the
 * real service: a wrong body without a token gets 400, not 401. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/percent.h"
#include "mock-powersync/service_internal.h"

struct route {
    const char *method;
    const char *path;
    void (*handle)(struct powersync_service *service, uint64_t exchange, const struct http_request *request);
};

static const char *header_of(const struct http_request *request, const char *name) {
    for (size_t i = 0; i < request->n_headers; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

static bool authorise(struct powersync_service *service, const struct http_request *request,
                      struct auth_user *user, struct http_error *error) {
    int64_t now = host_wall_clock(service->host) / TIME_SECOND;
    return auth_check(&service->auth, header_of(request, "authorization"), now, user, error);
}

/* Until the first snapshot is committed there is no active sync config. */
static bool is_active(const struct powersync_service *service, struct http_error *error) {
    if (storage_serving(service->storage))
        return true;
    return http_error_set(error, 500, "ServiceError", "PSYNC_S2302", "No sync config available");
}

/* Query parameters */

/* The value of a query parameter, decoded; NULL: absent. The caller frees it. */
static char *query_value(const char *target, const char *name) {
    struct buffer value = {0};
    return percent_query_value(&value, target, name) == STATUS_NOT_FOUND ? NULL : buffer_take(&value);
}

/* Routes */

static struct sync_stream *open_stream(struct powersync_service *service, uint64_t exchange,
                                       const struct http_request *request, struct http_error *error) {
    struct sync_request sync;
    struct auth_user user;
    json_t *body = request_body_read(request, error);
    if (!body || !sync_request_read(&sync, body, error))
        return NULL;
    struct sync_stream *stream = NULL;
    if (authorise(service, request, &user, error)) {
        if (is_active(service, error))
            stream = sync_stream_create(&service->stream_environment, exchange, &sync, &user, error);
        auth_user_free(&user);
    }
    sync_request_free(&sync);
    return stream;
}

static void handle_stream(struct powersync_service *service, uint64_t exchange,
                          const struct http_request *request) {
    struct http_error error = {0};
    struct sync_stream *stream = open_stream(service, exchange, request, &error);
    if (stream) {
        assert(!map_has(&service->streams, exchange_key(exchange).text));
        map_set(&service->streams, exchange_key(exchange).text, stream);
    } else {
        http_respond_error(service->host, exchange, &error);
    }
}

static void start_checkpoint_request(struct powersync_service *service, uint64_t exchange,
                                     const struct http_request *request, const char *client_id,
                                     int64_t supplied) {
    struct http_error error = {0};
    struct auth_user user;
    if (!authorise(service, request, &user, &error)) {
        http_respond_error(service->host, exchange, &error);
        return;
    }
    if (is_active(service, &error)) {
        char *key = write_checkpoint_key(user.id_text, client_id);
        map_set(&service->requests, exchange_key(exchange).text,
                checkpoint_request_create(&service->request_environment, exchange, key, supplied));
        free(key);
    } else {
        http_respond_error(service->host, exchange, &error);
    }
    auth_user_free(&user);
}

static void handle_write_checkpoint(struct powersync_service *service, uint64_t exchange,
                                    const struct http_request *request) {
    char *client_id = query_value(request->target, "client_id");
    start_checkpoint_request(service, exchange, request, client_id, 0);
    free(client_id);
}

/* 1 .. 9223372036854775807 as a decimal text or a JSON number that JavaScript holds exactly; 0: something
 * else. */
static int64_t supplied_id(const json_t *value) {
    if (json_is_integer(value)) {
        int64_t id = json_integer_value(value);
        return id >= 1 && id <= INT64_C(9007199254740991) ? id : 0;
    }
    const char *text = json_string_value(value);
    size_t digits = text ? strspn(text, "0123456789") : 0;
    if (digits == 0 || digits > 19 || text[digits] != '\0')
        return 0;
    unsigned long long id = strtoull(text, NULL, 10);
    return id >= 1 && id <= INT64_MAX ? (int64_t)id : 0;
}

static void handle_checkpoint_request(struct powersync_service *service, uint64_t exchange,
                                      const struct http_request *request) {
    struct http_error error = {0};
    json_t *body = request_body_read(request, &error);
    const char *client_id = json_text(body, "client_id");
    int64_t supplied = supplied_id(json_object_get(body, "checkpoint_request_id"));
    if (body && (!client_id || !supplied)) {
        http_error_set(&error, 400, "ValidationError", "PSYNC_S2001", "Validation failed");
        snprintf(error.details, sizeof error.details,
                 "[\"client_id and checkpoint_request_id are required\"]");
    }
    if (error.status)
        http_respond_error(service->host, exchange, &error);
    else
        start_checkpoint_request(service, exchange, request, client_id, supplied);
    json_decref(body);
}

static void handle_probe(struct powersync_service *service, uint64_t exchange,
                         const struct http_request *request) {
    (void)request;
    http_respond_json(service->host, exchange, 200, "{\"started\":true,\"ready\":true}");
}

static const struct route routes[] = {
    {"POST", "/sync/stream", handle_stream},
    {"GET", "/write-checkpoint2.json", handle_write_checkpoint},
    {"POST", "/sync/checkpoint-request", handle_checkpoint_request},
    {"GET", "/probes/startup", handle_probe},
    {"GET", "/probes/liveness", handle_probe},
    {"GET", "/probes/readiness", handle_probe},
};

void routes_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct powersync_service *service = context;
    assert(service->running);
    size_t length = strcspn(request->target, "?");
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (strcmp(routes[i].method, request->method) == 0 && strlen(routes[i].path) == length &&
            strncmp(routes[i].path, request->target, length) == 0) {
            routes[i].handle(service, exchange, request);
            return;
        }
    }
    struct http_error error;
    http_error_set(&error, 404, "RouteNotFound", "PSYNC_S2002", "The path does not exist on this server");
    http_respond_error(service->host, exchange, &error);
}

void routes_closed(void *context, uint64_t exchange) {
    struct powersync_service *service = context;
    /* A write checkpoint request goes on without its caller: the id is consumed, the marker set. */
    sync_stream_destroy(map_remove(&service->streams, exchange_key(exchange).text));
}
