/* The host's WebSocket operations, for both ends. */
#include <assert.h>
#include <string.h>

#include "live/connection.h"
#include "live/websocket_client.h"

/* The open socket of an id, whichever end this node has; NULL: none, or over. */
static struct websocket *find(struct host *host, uint64_t id) {
    const struct connection *connection = live_served_by(host, id);
    struct websocket_client *client = websocket_client_find(host, id);
    if (connection)
        return connection->websocket;
    return client ? websocket_client_socket(client) : NULL;
}

static uint64_t connect_to(struct host *host, const struct http_request *request,
                           const struct websocket_client_events *events, void *context) {
    assert(strcmp(request->method, "GET") == 0 && request->body_length == 0);
    return websocket_client_create(host, request, events, context);
}

static bool accept_from(struct host *host, uint64_t exchange, const struct websocket_server_events *events,
                        void *context) {
    struct connection *connection = live_served_by(host, exchange);
    return connection && connection_upgrade(connection, events, context);
}

static void send_message(struct host *host, uint64_t id, enum websocket_kind kind, const void *bytes,
                         size_t length) {
    struct websocket *websocket = find(host, id);
    assert(websocket || !websocket_client_find(host, id)); /* opened first */
    if (websocket)
        websocket_send(websocket, kind, bytes, length);
}

static void close_end(struct host *host, uint64_t id, int code, const char *reason) {
    struct websocket_client *client = websocket_client_find(host, id);
    struct websocket *websocket = find(host, id);
    assert(code == 0 || (code >= 1000 && code <= 4999));
    assert(code != WEBSOCKET_NO_CODE && code != WEBSOCKET_ABNORMAL);
    reason = reason ? reason : "";
    assert(strlen(reason) <= WEBSOCKET_REASON_LIMIT && (code != 0 || !*reason));
    if (websocket)
        websocket_close(websocket, code, reason);
    else if (client)
        websocket_client_drop(client);
}

static size_t unsent(struct host *host, uint64_t id) {
    struct websocket *websocket = find(host, id);
    return websocket ? websocket_unsent(websocket) : 0;
}

void live_websocket_operations(struct host_operations *operations) {
    operations->websocket_connect = connect_to;
    operations->websocket_accept = accept_from;
    operations->websocket_send = send_message;
    operations->websocket_close = close_end;
    operations->websocket_unsent = unsent;
}
