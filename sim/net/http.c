/* The HTTP operations of a host, for both ends of an exchange. */
#include <assert.h>

#include "net/net_private.h"

static struct node *node_of(struct host *host) {
    assert(host);
    return (struct node *)host;
}

/* --- client --- */

static uint64_t http_send(struct host *host, const struct http_request *request,
                          const struct http_client_events *events, void *context) {
    struct exchange *exchange = exchange_create(node_of(host), request);
    exchange->client_events = *events;
    exchange->client_context = context;
    struct message *message = message_request(request);
    exchange_emit(exchange, (struct wire_event){.kind = WIRE_REQUEST,
                                                .bytes = message->as.request.body,
                                                .length = request->body_length,
                                                .request = &message->as.request});
    lane_send(&exchange->to_server, message);
    return exchange->id;
}

static void http_abort(struct host *host, uint64_t id) {
    struct node *node = node_of(host);
    struct exchange *exchange = id_table_get(&node->net->exchanges, id);
    if (!exchange || exchange->client != node || !exchange->client_open)
        return;
    exchange_leave_client(exchange);
    exchange_emit(exchange, (struct wire_event){.kind = WIRE_ABORTED});
    exchange_settle(exchange);
}

/* --- server --- */

static void http_listen(struct host *host, const struct http_server_events *events, void *context) {
    struct node *node = node_of(host);
    node->listening = events != NULL;
    node->listener = events ? *events : (struct http_server_events){0};
    node->listener_context = context;
    assert(!events || events->request);
}

/* The exchange, when this node is its server and has not finished. */
static struct exchange *served_by(struct node *node, uint64_t id) {
    struct exchange *exchange = id_table_get(&node->net->exchanges, id);
    return exchange && exchange->server == node && exchange->server_open ? exchange : NULL;
}

static void http_respond(struct host *host, uint64_t id, const struct http_response *response) {
    struct exchange *exchange = served_by(node_of(host), id);
    if (!exchange)
        return;
    assert(!exchange->responded);
    exchange->responded = true;
    exchange_emit_response(exchange, WIRE_RESPONSE, response);
    if (!exchange->client_open)
        return;
    if (exchange->faults.lose_response) {
        exchange->net->counters[NET_LOSE_RESPONSE].count++;
        lane_send(&exchange->to_client, message_failure(HTTP_FAILURE_RESET)); /* nothing behind it is seen */
    } else {
        lane_send(&exchange->to_client, message_response(response));
    }
}

static void http_write(struct host *host, uint64_t id, const void *bytes, size_t length) {
    struct exchange *exchange = served_by(node_of(host), id);
    if (!exchange || length == 0)
        return;
    assert(exchange->responded && !exchange->socket.accepted);
    exchange_emit(exchange, (struct wire_event){.kind = WIRE_WRITE, .bytes = bytes, .length = length});
    if (!exchange->client_open)
        return;
    if (exchange->faults.split_chunks)
        fault_write(exchange, bytes, length);
    else
        lane_send(&exchange->to_client, message_body(bytes, length, NULL, 0));
}

static void http_end(struct host *host, uint64_t id) {
    struct exchange *exchange = served_by(node_of(host), id);
    if (!exchange)
        return;
    assert(exchange->responded && !exchange->socket.accepted);
    exchange_emit(exchange, (struct wire_event){.kind = WIRE_END});
    exchange->server_open = false;
    if (exchange->client_open)
        lane_send(&exchange->to_client, message_plain(MESSAGE_END));
    exchange_settle(exchange);
}

static void http_reset(struct host *host, uint64_t id) {
    struct exchange *exchange = served_by(node_of(host), id);
    if (!exchange)
        return;
    exchange_emit(exchange, (struct wire_event){.kind = WIRE_CLOSED});
    exchange->server_open = false;
    if (exchange->client_open)
        lane_send(&exchange->to_client, message_failure(HTTP_FAILURE_RESET));
    exchange_settle(exchange);
}

static size_t http_unsent(struct host *host, uint64_t id) {
    const struct exchange *exchange = served_by(node_of(host), id);
    return exchange ? lane_waiting_bytes(&exchange->to_client) : 0;
}

void http_operations(struct host_operations *operations) {
    operations->http_send = http_send;
    operations->http_abort = http_abort;
    operations->http_listen = http_listen;
    operations->http_respond = http_respond;
    operations->http_write = http_write;
    operations->http_end = http_end;
    operations->http_reset = http_reset;
    operations->http_unsent = http_unsent;
}
