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

/* The stream lives on by itself. */
static void handle_stream(struct route_call *call, const struct auth_user *user) {
    struct http_error error = {0};
    struct sync_request sync;
    if (!service_is_active(call->service, &error) ||
        !sync_request_read(&sync, json_incref(call->parameters), &error)) {
        route_call_refuse(call, &error);
        return;
    }
    http_streams_open(&call->service->streams, call->exchange, http_stream_form(call->request), &sync, user);
    sync_request_free(&sync);
    route_call_end(call);
}

const struct route stream_routes[] = {
    {"POST", "/sync/stream", GROUP_SYNC, ACCESS_USER, false, validate_stream, handle_stream},
};
