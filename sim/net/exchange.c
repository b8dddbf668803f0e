#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/net_private.h"

void exchange_emit(struct exchange *exchange, struct wire_event event) {
    event.exchange = exchange->id;
    event.client = exchange->client->name;
    event.process = exchange->client->base.process;
    event.server = exchange->server_name;
    event.target = exchange->target;
    if (event.length == 0)
        event.bytes = NULL;
    world_emit_wire(exchange->net->world, &event);
}

void exchange_emit_response(struct exchange *exchange, enum wire_kind kind,
                            const struct http_response *response) {
    exchange_emit(exchange,
                  (struct wire_event){.kind = kind, .status = response->status, .response = response});
}

/* --- life --- */

static void enlist(struct net *net, struct exchange *exchange) {
    exchange->previous = net->last;
    if (net->last)
        net->last->next = exchange;
    else
        net->first = exchange;
    net->last = exchange;
    id_table_add(&net->exchanges, exchange->id, exchange);
}

static void unlist(struct net *net, struct exchange *exchange) {
    if (exchange->previous)
        exchange->previous->next = exchange->next;
    else
        net->first = exchange->next;
    if (exchange->next)
        exchange->next->previous = exchange->previous;
    else
        net->last = exchange->previous;
    id_table_remove(&net->exchanges, exchange->id);
}

struct exchange *exchange_create(struct node *client, const struct http_request *request) {
    struct net *net = client->net;
    struct exchange *exchange = memory_allocate(sizeof *exchange);
    const char *server = client->diverted ? client->diverted : request->authority;
    exchange->id = ++net->n_exchanges;
    exchange->net = net;
    exchange->client = client;
    exchange->server_name = memory_copy_text(server);
    exchange->target = memory_format("%s %s", request->method, request->target);
    exchange->client_open = true;
    exchange->to_server = (struct lane){.exchange = exchange, .link = link_find(net, client->name, server)};
    exchange->to_client = (struct lane){.exchange = exchange, .link = link_find(net, server, client->name)};
    exchange->to_server.link->exchanges++;
    enlist(net, exchange);
    fault_draw(exchange);
    return exchange;
}

void exchange_free(struct exchange *exchange) {
    assert(exchange->busy == 0);
    struct net *net = exchange->net;
    lane_clear(&exchange->to_server);
    lane_clear(&exchange->to_client);
    if (exchange->give_up)
        world_cancel(net->world, exchange->give_up);
    if (exchange->reset)
        world_cancel(net->world, exchange->reset);
    unlist(net, exchange);
    free(exchange->server_name);
    free(exchange->target);
    free(exchange);
}

void exchange_drop_give_up(struct exchange *exchange) {
    if (!exchange->give_up || lane_holds(&exchange->to_server) || lane_holds(&exchange->to_client))
        return;
    world_cancel(exchange->net->world, exchange->give_up);
    exchange->give_up = 0;
}

void exchange_settle(struct exchange *exchange) {
    if (!exchange->client_open)
        lane_clear(&exchange->to_client);
    if (exchange->arrived && !exchange->server_open)
        lane_clear(&exchange->to_server);
    exchange_drop_give_up(exchange);
    bool over = !exchange->client_open && !exchange->server_open && !exchange->to_server.first;
    if (over && exchange->busy == 0)
        exchange_free(exchange);
}

/* --- the client's end --- */

/* The client's end is over; the server learns it when it is still busy with the request, or will be. */
void exchange_leave_client(struct exchange *exchange) {
    assert(exchange->client_open);
    exchange->client_open = false;
    if (exchange->server_open || !exchange->arrived)
        lane_send(&exchange->to_server, message_plain(MESSAGE_CLOSE));
}

/* The client's end is over already. */
static void tell_client_failed(struct exchange *exchange, enum http_failure failure) {
    exchange_emit(exchange, (struct wire_event){.kind = WIRE_FAILED});
    if (exchange->socket.asked)
        socket_tell_client_failed(exchange);
    else if (exchange->client_events.failed)
        exchange->client_events.failed(exchange->client_context, exchange->id, failure);
}

static void fail_client(struct exchange *exchange, enum http_failure failure) {
    exchange_leave_client(exchange);
    tell_client_failed(exchange, failure);
}

static void end_client(struct exchange *exchange) {
    exchange->client_open = false;
    exchange_emit(exchange, (struct wire_event){.kind = WIRE_END_SEEN});
    if (exchange->client_events.end)
        exchange->client_events.end(exchange->client_context, exchange->id);
}

static void deliver_to_client(struct exchange *exchange, const struct message *message) {
    const struct http_client_events *events = &exchange->client_events;
    assert(exchange->client_open);
    if (exchange->socket.asked && message->kind != MESSAGE_FAILURE) {
        socket_deliver_to_client(exchange, message);
        return;
    }
    switch (message->kind) {
    case MESSAGE_HEAD:
        exchange_emit_response(exchange, WIRE_HEAD_SEEN, &message->as.response);
        if (events->head)
            events->head(exchange->client_context, exchange->id, &message->as.response);
        break;
    case MESSAGE_BODY:
        exchange_emit(exchange, (struct wire_event){.kind = WIRE_BODY_SEEN,
                                                    .bytes = message->as.body.bytes,
                                                    .length = message->as.body.length});
        if (events->body)
            events->body(exchange->client_context, exchange->id, message->as.body.bytes,
                         message->as.body.length);
        break;
    case MESSAGE_END:
        end_client(exchange);
        break;
    case MESSAGE_FAILURE:
        fail_client(exchange, message->as.failure);
        break;
    default:
        assert(false);
    }
}

/* --- the server's end --- */

static void close_server(struct exchange *exchange) {
    assert(exchange->server_open);
    exchange->server_open = false;
    exchange_emit(exchange, (struct wire_event){.kind = WIRE_CLOSED});
    if (exchange->socket.accepted)
        socket_tell_server_closed(exchange);
    else if (exchange->server_events.closed)
        exchange->server_events.closed(exchange->server_context, exchange->id);
}

/* The host answers for its actor: the body is above the limit. */
static void answer_too_large(struct exchange *exchange) {
    const struct http_response response = {.status = 413};
    exchange_emit_response(exchange, WIRE_RESPONSE, &response);
    exchange_emit(exchange, (struct wire_event){.kind = WIRE_END});
    if (!exchange->client_open)
        return;
    lane_send(&exchange->to_client, message_response(&response));
    lane_send(&exchange->to_client, message_plain(MESSAGE_END));
}

static void take_request(struct exchange *exchange, const struct http_request *request) {
    struct net *net = exchange->net;
    struct node *node = map_get(&net->nodes, exchange->server_name);
    assert(!exchange->arrived);
    exchange->arrived = true;
    if (exchange->faults.refuse)
        net->counters[NET_REFUSE].count++;
    if (exchange->faults.refuse || !node || !node->listening) {
        if (exchange->client_open)
            lane_send(&exchange->to_client, message_failure(HTTP_FAILURE_REFUSED));
        return;
    }
    exchange_emit(exchange, (struct wire_event){.kind = WIRE_REQUEST_SEEN,
                                                .bytes = request->body,
                                                .length = request->body_length,
                                                .request = request});
    if (request->body_length > NET_BODY_LIMIT) {
        answer_too_large(exchange);
        return;
    }
    exchange->server = node;
    exchange->server_events = node->listener;
    exchange->server_context = node->listener_context;
    exchange->server_open = true;
    exchange->server_events.request(exchange->server_context, exchange->id, request);
}

static void deliver_to_server(struct exchange *exchange, const struct message *message) {
    if (message->kind == MESSAGE_REQUEST) {
        take_request(exchange, &message->as.request);
    } else if (message->kind != MESSAGE_CLOSE) {
        socket_deliver_to_server(exchange, message);
    } else {
        if (exchange->server_open)
            close_server(exchange);
    }
}

/* --- both --- */

void exchange_deliver(struct lane *lane, struct message *message) {
    struct exchange *exchange = lane->exchange;
    exchange->busy++;
    if (lane == &exchange->to_server)
        deliver_to_server(exchange, message);
    else
        deliver_to_client(exchange, message);
    free(message);
    exchange->busy--;
    exchange_settle(exchange);
}

void exchange_break(struct exchange *exchange, enum http_failure failure) {
    exchange->busy++;
    lane_clear(&exchange->to_server);
    lane_clear(&exchange->to_client);
    exchange->arrived = true; /* or never will */
    if (exchange->client_open && exchange->client->sleeps > 0) {
        lane_send(&exchange->to_client, message_failure(failure)); /* for when it wakes */
        world_cancel(exchange->net->world, exchange->give_up);
        exchange->give_up = 0;
    } else if (exchange->client_open) {
        exchange->client_open = false;
        tell_client_failed(exchange, failure);
    }
    if (exchange->server_open)
        close_server(exchange);
    exchange->busy--;
    exchange_settle(exchange);
}
