#include "mock-powersync/http/rsocket_route.h"

#include <string.h>

#include "mock-powersync/service_internal.h"

/* Validated first, as over HTTP; who asks was checked at the SETUP. */
static struct sync_stream *open_stream(void *context, const char *path, json_t *body,
                                       const struct auth_user *user, const struct stream_transport *transport,
                                       struct http_error *error) {
    struct powersync_service *service = context;
    struct sync_request sync;
    struct sync_stream *stream = NULL;
    if (strcmp(path, "/sync/stream") != 0) {
        http_error_set(error, 404, "RouteNotFound", "PSYNC_S2002", "The path does not exist on this server");
        json_decref(body);
        return NULL;
    }
    if (!sync_request_read(&sync, body, error))
        return NULL;
    if (service_is_active(service, error))
        stream = sync_stream_create(&service->stream_environment, transport, LINE_BSON, &sync, user);
    sync_request_free(&sync);
    return stream;
}

struct rsocket_server *rsocket_route_create(struct powersync_service *service) {
    const struct rsocket_options options = {.host = service->host,
                                            .auth = service->auth,
                                            .connections_most =
                                                service->options.limits.max_concurrent_connections,
                                            .open = open_stream,
                                            .context = service};
    return rsocket_server_create(&options);
}
