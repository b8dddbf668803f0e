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
    sync_stream_destroy(work);
}

static struct sync_stream *open_stream(struct route_call *call, const struct auth_user *user,
                                       struct http_error *error) {
    struct sync_request sync;
    struct sync_stream *stream = NULL;
    if (!service_is_active(call->service, error) ||
        !sync_request_read(&sync, json_incref(call->parameters), error))
        return NULL;
    stream = sync_stream_create(&call->service->stream_environment, call->exchange, &sync, user, error);
    sync_request_free(&sync);
    return stream;
}

static void handle_stream(struct route_call *call, const struct auth_user *user) {
    struct http_error error = {0};
    struct sync_stream *stream = open_stream(call, user, &error);
    if (stream)
        route_call_work(call, stream, stop_stream);
    else
        route_call_refuse(call, &error);
}

void stream_route_ended(void *context, struct sync_stream *stream) {
    struct powersync_service *service = context;
    struct route_call *call = map_get(&service->calls, exchange_key(sync_stream_exchange(stream)).text);
    sync_stream_destroy(stream);
    route_call_end(call);
}

const struct route stream_routes[] = {
    {"POST", "/sync/stream", GROUP_SYNC, ACCESS_USER, false, validate_stream, handle_stream},
};
