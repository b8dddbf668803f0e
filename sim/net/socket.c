/* WebSockets: an exchange whose request is a handshake. Its messages travel in the exchange's lanes, so
 * links, cuts, faults and crashes treat them as they treat HTTP. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/net_private.h"

/* RFC 6455's own example: the key only keeps caches from answering, and there are none here. */
static const struct http_header handshake[] = {
    {"Connection", "Upgrade"},
    {"Upgrade", "websocket"},
    {"Sec-WebSocket-Version", "13"},
    {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
};
enum { HANDSHAKE_HEADERS = sizeof handshake / sizeof handshake[0] };

/* The exchange and the end of it that a node has. */
struct end {
    struct exchange *exchange; /* NULL: the node has no end of such a socket, or it is over */
    bool client;
};

static struct end end_of(struct host *host, uint64_t id) {
    struct node *node = (struct node *)host;
    struct exchange *exchange = id_table_get(&node->net->exchanges, id);
    if (exchange && exchange->client == node && exchange->client_open && exchange->socket.asked)
        return (struct end){.exchange = exchange, .client = true};
    if (exchange && exchange->server == node && exchange->server_open && exchange->socket.accepted)
        return (struct end){.exchange = exchange};
    return (struct end){.exchange = NULL};
}

static void emit_data(struct exchange *exchange, enum wire_kind kind, enum websocket_kind data,
                      const void *bytes, size_t length) {
    exchange_emit(exchange,
                  (struct wire_event){.kind = kind, .status = (int)data, .bytes = bytes, .length = length});
}

static void emit_goodbye(struct exchange *exchange, enum wire_kind kind, int code, const char *reason) {
    exchange_emit(exchange, (struct wire_event){
                                .kind = kind, .status = code, .bytes = reason, .length = strlen(reason)});
}

/* --- opening --- */

static struct message *handshake_message(const struct http_request *request) {
    struct http_header *headers = memory_allocate((request->n_headers + HANDSHAKE_HEADERS) * sizeof *headers);
    if (request->n_headers > 0)
        memcpy(headers, request->headers, request->n_headers * sizeof *headers);
    memcpy(headers + request->n_headers, handshake, sizeof handshake);
    struct http_request whole = *request;
    whole.headers = headers;
    whole.n_headers += HANDSHAKE_HEADERS;
    struct message *message = message_request(&whole);
    free(headers);
    return message;
}

static uint64_t websocket_connect(struct host *host, const struct http_request *request,
                                  const struct websocket_client_events *events, void *context) {
    assert(strcmp(request->method, "GET") == 0 && request->body_length == 0);
    assert(strcmp(request->authority, host->name) != 0); /* the ends are told apart by their nodes */
    struct exchange *exchange = exchange_create((struct node *)host, request);
    exchange->socket.asked = true;
    exchange->socket.client_events = *events;
    exchange->client_context = context;
    struct message *message = handshake_message(request);
    exchange_emit(exchange, (struct wire_event){.kind = WIRE_REQUEST, .request = &message->as.request});
    lane_send(&exchange->to_server, message);
    return exchange->id;
}

static bool websocket_accept(struct host *host, uint64_t id, const struct websocket_server_events *events,
                             void *context) {
    struct node *node = (struct node *)host;
    struct exchange *exchange = id_table_get(&node->net->exchanges, id);
    if (!exchange || exchange->server != node || !exchange->server_open || !exchange->socket.asked)
        return false;
    assert(!exchange->responded);
    exchange->responded = true;
    exchange->socket.accepted = true;
    exchange->socket.server_events = *events;
    exchange->socket.server_context = context;
    exchange_emit(exchange, (struct wire_event){.kind = WIRE_SOCKET_ACCEPT});
    if (!exchange->client_open)
        return true; /* the server will learn it */
    if (exchange->faults.lose_response) {
        exchange->net->counters[NET_LOSE_RESPONSE].count++;
        lane_send(&exchange->to_client, message_failure(HTTP_FAILURE_RESET));
    } else {
        lane_send(&exchange->to_client, message_plain(MESSAGE_ACCEPT));
    }
    return true;
}

/* --- sending and closing --- */

static void websocket_send(struct host *host, uint64_t id, enum websocket_kind kind, const void *bytes,
                           size_t length) {
    struct end end = end_of(host, id);
    if (!end.exchange)
        return;
    assert(!end.client || end.exchange->socket.opened);
    struct message *message = message_data(kind, bytes, length);
    emit_data(end.exchange, end.client ? WIRE_SOCKET_UP : WIRE_SOCKET_DOWN, kind, message->as.data.bytes,
              length);
    if (end.client && end.exchange->server_open)
        lane_send(&end.exchange->to_server, message);
    else if (!end.client && end.exchange->client_open)
        lane_send(&end.exchange->to_client, message);
    else
        free(message); /* the other end is over and its closing on the way */
}

static void close_client(struct exchange *exchange, int code, const char *reason) {
    if (!exchange->socket.opened) {
        exchange_leave_client(exchange);
        exchange_emit(exchange, (struct wire_event){.kind = WIRE_ABORTED});
        return;
    }
    exchange->client_open = false;
    emit_goodbye(exchange, WIRE_SOCKET_UP_CLOSE, code, reason);
    if (exchange->server_open)
        lane_send(&exchange->to_server, message_goodbye(code, reason));
}

static void close_server(struct exchange *exchange, int code, const char *reason) {
    exchange->server_open = false;
    emit_goodbye(exchange, WIRE_SOCKET_DOWN_CLOSE, code, reason);
    if (exchange->client_open)
        lane_send(&exchange->to_client, message_goodbye(code, reason));
}

static void websocket_close(struct host *host, uint64_t id, int code, const char *reason) {
    assert(code == 0 || (code >= 1000 && code <= 4999));
    assert(code != WEBSOCKET_NO_CODE && code != WEBSOCKET_ABNORMAL);
    reason = reason ? reason : "";
    assert(strlen(reason) <= WEBSOCKET_REASON_LIMIT && (code != 0 || !*reason));
    struct end end = end_of(host, id);
    if (!end.exchange)
        return;
    if (end.client)
        close_client(end.exchange, code, reason);
    else
        close_server(end.exchange, code, reason);
    exchange_settle(end.exchange);
}

static size_t websocket_unsent(struct host *host, uint64_t id) {
    struct end end = end_of(host, id);
    if (!end.exchange)
        return 0;
    return lane_waiting(end.client ? &end.exchange->to_server : &end.exchange->to_client);
}

/* --- what arrives --- */

static int seen_code(int code) {
    return code == 0 ? WEBSOCKET_NO_CODE : code;
}

static void show_client_closed(struct exchange *exchange, int code, const char *reason) {
    if (!exchange->socket.refused && exchange->socket.client_events.closed)
        exchange->socket.client_events.closed(exchange->client_context, exchange->id, code, reason);
}

static void show_server_closed(struct exchange *exchange, int code, const char *reason) {
    if (exchange->socket.server_events.closed)
        exchange->socket.server_events.closed(exchange->socket.server_context, exchange->id, code, reason);
}

void socket_tell_client_failed(struct exchange *exchange) {
    show_client_closed(exchange, WEBSOCKET_ABNORMAL, "");
}

void socket_tell_server_closed(struct exchange *exchange) {
    show_server_closed(exchange, WEBSOCKET_ABNORMAL, "");
}

/* The parts of an HTTP answer, that is, of a refusal. */
static void deliver_refusal(struct exchange *exchange, const struct message *message) {
    switch (message->kind) {
    case MESSAGE_HEAD:
        exchange->socket.refused = true;
        exchange_emit_response(exchange, WIRE_HEAD_SEEN, &message->as.response);
        if (exchange->socket.client_events.refused)
            exchange->socket.client_events.refused(exchange->client_context, exchange->id,
                                                   &message->as.response);
        break;
    case MESSAGE_BODY:
        exchange_emit(exchange, (struct wire_event){.kind = WIRE_BODY_SEEN,
                                                    .bytes = message->as.body.bytes,
                                                    .length = message->as.body.length});
        break;
    default:
        assert(message->kind == MESSAGE_END);
        exchange->client_open = false;
        exchange_emit(exchange, (struct wire_event){.kind = WIRE_END_SEEN});
    }
}

void socket_deliver_to_client(struct exchange *exchange, const struct message *message) {
    const struct websocket_client_events *events = &exchange->socket.client_events;
    switch (message->kind) {
    case MESSAGE_ACCEPT:
        exchange->socket.opened = true;
        exchange_emit(exchange, (struct wire_event){.kind = WIRE_SOCKET_ACCEPT_SEEN});
        if (events->opened)
            events->opened(exchange->client_context, exchange->id);
        break;
    case MESSAGE_DATA:
        emit_data(exchange, WIRE_SOCKET_DOWN_SEEN, message->as.data.kind, message->as.data.bytes,
                  message->as.data.length);
        if (events->message)
            events->message(exchange->client_context, exchange->id, message->as.data.kind,
                            message->as.data.bytes, message->as.data.length);
        break;
    case MESSAGE_GOODBYE:
        exchange->client_open = false;
        emit_goodbye(exchange, WIRE_SOCKET_DOWN_CLOSE_SEEN, message->as.goodbye.code,
                     message->as.goodbye.reason);
        show_client_closed(exchange, seen_code(message->as.goodbye.code), message->as.goodbye.reason);
        break;
    default:
        deliver_refusal(exchange, message);
    }
}

static void deliver_data_to_server(struct exchange *exchange, const struct message *message) {
    const struct websocket_server_events *events = &exchange->socket.server_events;
    if (message->as.data.length > NET_BODY_LIMIT) {
        close_server(exchange, WEBSOCKET_TOO_BIG, "");
        show_server_closed(exchange, WEBSOCKET_TOO_BIG, "");
        return;
    }
    emit_data(exchange, WIRE_SOCKET_UP_SEEN, message->as.data.kind, message->as.data.bytes,
              message->as.data.length);
    if (events->message)
        events->message(exchange->socket.server_context, exchange->id, message->as.data.kind,
                        message->as.data.bytes, message->as.data.length);
}

void socket_deliver_to_server(struct exchange *exchange, const struct message *message) {
    assert(exchange->server_open && exchange->socket.accepted);
    if (message->kind == MESSAGE_DATA) {
        deliver_data_to_server(exchange, message);
        return;
    }
    assert(message->kind == MESSAGE_GOODBYE);
    exchange->server_open = false;
    emit_goodbye(exchange, WIRE_SOCKET_UP_CLOSE_SEEN, message->as.goodbye.code, message->as.goodbye.reason);
    show_server_closed(exchange, seen_code(message->as.goodbye.code), message->as.goodbye.reason);
}

void socket_operations(struct host_operations *operations) {
    operations->websocket_connect = websocket_connect;
    operations->websocket_accept = websocket_accept;
    operations->websocket_send = websocket_send;
    operations->websocket_close = websocket_close;
    operations->websocket_unsent = websocket_unsent;
}
