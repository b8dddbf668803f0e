/* POST /sync/stream: opens a sync stream that answers until it ends. */
#include "mock-powersync/http/route.h"
#include "mock-powersync/service_internal.h"
#include "mock-powersync/stream/http_stream.h"

static bool validate_stream(const json_t *parameters, struct http_error *error) {
    struct sync_request sync;
    if (!sync_request_read(&sync, json_incref((json_t *)(uintptr_t)parameters), error))
        return false;
    sync_request_free(&sync);
    return true;
}

static void stop_stream(void *work) {
    http_stream_destroy(work);
}

/* Streams are open for long: keep little. */
static void stay(struct route_call *call, struct http_stream *stream) {
    json_decref(call->parameters);
    call->parameters = NULL;
    arena_free(&call->arena);
    route_call_work(call, stream, stop_stream);
}

static void stream_ended(void *context) {
    route_call_end(context);
}

static void handle_stream(struct route_call *call, const struct auth_user *user) {
    struct sync_request sync;
    struct http_error error = {0};
    if (!service_is_active(call->service, &error) ||
        !sync_request_read(&sync, json_incref(call->parameters), &error)) {
        route_call_refuse(call, &error);
        return;
    }
    const struct http_stream_options options = {.environment = &call->service->stream_environment,
                                                .exchange = call->exchange,
                                                .form = http_stream_form(call->request),
                                                .ended = stream_ended,
                                                .context = call};
    struct http_stream *stream = http_stream_create(&options, &sync, user);
    sync_request_free(&sync);
    stay(call, stream);
}

const struct route stream_routes[] = {
    {"POST", "/sync/stream", GROUP_SYNC, ACCESS_USER, false, validate_stream, handle_stream},
};
