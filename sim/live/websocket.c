/* WebSockets are not served on real sockets yet: a handshake is not accepted, so the actor answers it as it
 * answers any other request, and no socket is ever open. Clients of WebSockets run on the virtual network
 * only; opening one here is a mistake in the caller. */
#include <stdlib.h>

#include "live/live_private.h"

static uint64_t no_connect(struct host *host, const struct http_request *request,
                           const struct websocket_client_events *events, void *context) {
    (void)host;
    (void)request;
    (void)events;
    (void)context;
    abort();
}

static bool no_accept(struct host *host, uint64_t exchange, const struct websocket_server_events *events,
                      void *context) {
    (void)host;
    (void)exchange;
    (void)events;
    (void)context;
    return false;
}

static void no_send(struct host *host, uint64_t socket, enum websocket_kind kind, const void *bytes,
                    size_t length) {
    (void)host;
    (void)socket;
    (void)kind;
    (void)bytes;
    (void)length;
}

static void no_close(struct host *host, uint64_t socket, int code, const char *reason) {
    (void)host;
    (void)socket;
    (void)code;
    (void)reason;
}

static size_t nothing_unsent(struct host *host, uint64_t socket) {
    (void)host;
    (void)socket;
    return 0;
}

void live_websocket_operations(struct host_operations *operations) {
    operations->websocket_connect = no_connect;
    operations->websocket_accept = no_accept;
    operations->websocket_send = no_send;
    operations->websocket_close = no_close;
    operations->websocket_unsent = nothing_unsent;
}
