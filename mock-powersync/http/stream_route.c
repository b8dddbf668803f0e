/* POST /sync/stream: opens a sync stream that answers until it ends. */
#include "mock-powersync/http/route.h"
#include "mock-powersync/service_internal.h"

static bool validate_stream(const json_t *parameters, struct http_error *error) {
    struct sync_request sync;
    if (!sync_request_read(&sync, json_incref((json_t *)(uintptr_t)parameters), error))
        return false;
    sync_request_free(&sync);
    return true;
}

static void stop_stream(void *work) {
    struct route_call *call = work;
    http_streams_closed(&call->service->streams, call->exchange);
}

/* Streams are open for long: keep little. */
static void stay(struct route_call *call) {
    json_decref(call->parameters);
    call->parameters = NULL;
    arena_free(&call->arena);
    route_call_work(call, call, stop_stream);
}

static bool open_stream(struct route_call *call, const struct auth_user *user, struct http_error *error) {
    struct sync_request sync;
    if (!service_is_active(call->service, error) ||
        !sync_request_read(&sync, json_incref(call->parameters), error))
        return false;
    http_streams_open(&call->service->streams, call->exchange, http_stream_form(call->request), &sync, user);
    sync_request_free(&sync);
    return true;
}

static void handle_stream(struct route_call *call, const struct auth_user *user) {
    struct http_error error = {0};
    if (open_stream(call, user, &error))
        stay(call);
    else
        route_call_refuse(call, &error);
}

void stream_route_ended(void *context, uint64_t exchange) {
    struct powersync_service *service = context;
    route_call_end(map_get(&service->calls, exchange_key(exchange).text));
}

const struct route stream_routes[] = {
    {"POST", "/sync/stream", GROUP_SYNC, ACCESS_USER, false, validate_stream, handle_stream},
};
