/* A connection whose request is a handshake becomes a WebSocket. */
#include <assert.h>
#include <string.h>

#include "live/connection.h"
#include "live/websocket_handshake.h"

static bool is_handshake(const struct connection *connection) {
    const http_parser *parser = &connection->parser;
    const char *version = connection_field(connection, "sec-websocket-version");
    const char *key = connection_field(connection, "sec-websocket-key");
    return parser->method == HTTP_GET && parser->http_minor >= 1 && version && strcmp(version, "13") == 0 &&
           key && websocket_key_is_valid(key) &&
           websocket_list_has(connection_field(connection, "upgrade"), "websocket") &&
           websocket_list_has(connection_field(connection, "connection"), "upgrade");
}

bool connection_upgrade(struct connection *connection, const struct websocket_server_events *events,
                        void *context) {
    char accept[WEBSOCKET_ACCEPT_SIZE];
    struct live *live = connection->node->live;
    if (connection->phase != CONNECTION_SERVING || connection->websocket || !is_handshake(connection))
        return false;
    assert(!connection->outgoing.responded);
    websocket_accept_of(connection_field(connection, "sec-websocket-key"), accept);
    buffer_printf(&connection->stream.out,
                  "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
                  "sec-websocket-accept: %s\r\n\r\n",
                  accept);
    const struct websocket_events both = {.message = events->message, .closed = events->closed};
    connection->websocket =
        websocket_create(&connection->stream, false, &live->served, connection->exchange, &both, context);
    connection->exchange = 0;
    connection->phase = CONNECTION_WEBSOCKET;
    if (live->stopping)
        websocket_go_away(connection->websocket);
    return true;
}
