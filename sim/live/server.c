/* Server sockets, the list of connections, and the host's server operations. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "live/connection.h"

enum { backlog = 1024, sweep_ms = 1000 };

/* --- the lists --- */

void connection_enlist(struct connection *connection) {
    struct live *live = connection->node->live;
    connection->next = live->first_connection;
    if (connection->next)
        connection->next->previous = connection;
    live->first_connection = connection;
    live->connections++;
    live->connections_ever++;
}

static void drop_due(struct connection *connection) {
    struct live *live = connection->node->live;
    struct connection **place = &live->first_due;
    while (*place != connection) {
        assert(*place);
        place = &(*place)->next_due;
    }
    *place = connection->next_due;
    if (live->last_due == &connection->next_due)
        live->last_due = place;
    connection->due = false;
}

void connection_unlist(struct connection *connection) {
    struct live *live = connection->node->live;
    if (connection->due)
        drop_due(connection);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        live->first_connection = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    assert(live->connections > 0);
    live->connections--;
}

void connection_mark_due(struct connection *connection) {
    struct live *live = connection->node->live;
    if (connection->due || connection->stream.closing)
        return;
    connection->due = true;
    connection->next_due = NULL;
    *live->last_due = connection;
    live->last_due = &connection->next_due;
}

bool live_server_settle(struct live *live) {
    bool any = live->first_due != NULL;
    while (live->first_due) {
        struct connection *connection = live->first_due;
        drop_due(connection);
        connection_settle(connection);
    }
    return any;
}

/* --- sockets --- */

static void on_connection(uv_stream_t *server, int status) {
    if (status == 0)
        connection_accept(server->data);
}

enum status live_parse_address(const char *text, struct sockaddr_storage *address, struct error *error) {
    char host[64];
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    bool bracketed = length >= 2 && text[0] == '[' && text[length - 1] == ']';
    const char *start = bracketed ? text + 1 : text;
    length -= bracketed ? 2 : 0;
    char *end = NULL;
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
    bool digits = colon && colon[1] >= '0' && colon[1] <= '9' && *end == '\0';
    if (!digits || port > 65535 || length == 0 || length >= sizeof host)
        return error_set(error, STATUS_INVALID, "%s is no address: HOST:PORT is needed, as 127.0.0.1:3210",
                         text);
    memcpy(host, start, length);
    host[length] = '\0';
    int failed = bracketed ? uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)address)
                           : uv_ip4_addr(host, (int)port, (struct sockaddr_in *)address);
    if (failed)
        return error_set(error, STATUS_INVALID, "%s is no numeric address", host);
    return STATUS_OK;
}

bool live_address_is_loopback(const char *text) {
    struct sockaddr_storage address;
    if (live_parse_address(text, &address, NULL) != STATUS_OK)
        return false;
    if (address.ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&address)->sin6_addr);
    return ntohl(((struct sockaddr_in *)&address)->sin_addr.s_addr) >> 24 == 127;
}

static void describe(struct live_node *node) {
    struct sockaddr_storage address;
    int length = sizeof address;
    char host[64] = "";
    uv_tcp_getsockname(&node->server, (struct sockaddr *)&address, &length);
    bool six = address.ss_family == AF_INET6;
    if (six)
        uv_ip6_name((struct sockaddr_in6 *)&address, host, sizeof host);
    else
        uv_ip4_name((struct sockaddr_in *)&address, host, sizeof host);
    uint16_t port = ntohs(six ? ((struct sockaddr_in6 *)&address)->sin6_port
                              : ((struct sockaddr_in *)&address)->sin_port);
    snprintf(node->address, sizeof node->address, six ? "[%s]:%d" : "%s:%d", host, (int)port);
}

enum status live_serve(struct live *live, struct host *host, const char *text, struct error *error) {
    struct live_node *node = (struct live_node *)host;
    struct sockaddr_storage address = {0};
    assert(!node->serving && node->live == live);
    enum status status = live_parse_address(text, &address, error);
    if (status != STATUS_OK)
        return status;
    uv_tcp_init(&live->loop, &node->server);
    node->server.data = node;
    node->serving = true;
    int failed = uv_tcp_bind(&node->server, (struct sockaddr *)&address, 0);
    if (!failed)
        failed = uv_listen((uv_stream_t *)&node->server, backlog, on_connection);
    if (failed) {
        return error_set(error, STATUS_IO, "cannot serve at %s: %s", text, uv_strerror(failed));
    }
    describe(node);
    return STATUS_OK;
}

const char *live_address(struct live *live, struct host *host) {
    (void)live;
    return ((struct live_node *)host)->address;
}

/* --- the loop's side --- */

static void sweep(uv_timer_t *timer) {
    struct live *live = timer->data;
    struct connection *next;
    for (struct connection *connection = live->first_connection; connection; connection = next) {
        next = connection->next;
        connection_check_idle(connection);
    }
    live_websocket_client_sweep(live);
}

void live_server_open(struct live *live) {
    live->last_due = &live->first_due;
    const uint64_t ping_ms = (uint64_t)(live->settings.websocket_ping / TIME_MILLISECOND);
    const uint64_t every = ping_ms < sweep_ms ? ping_ms : sweep_ms;
    uv_timer_init(&live->loop, &live->sweep);
    live->sweep.data = live;
    uv_timer_start(&live->sweep, sweep, every, every);
}

void live_server_stop(struct live *live) {
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&live->nodes, &i));) {
        struct live_node *node = entry->value;
        if (node->serving && !uv_is_closing((uv_handle_t *)&node->server))
            uv_close((uv_handle_t *)&node->server, NULL);
    }
    struct connection *next;
    for (struct connection *connection = live->first_connection; connection; connection = next) {
        next = connection->next;
        connection->close_after = true;
        if (connection->websocket)
            websocket_go_away(connection->websocket);
        else if (connection->phase == CONNECTION_READING)
            connection_close(connection, false, false);
    }
}

void live_server_abandon(struct live *live) {
    while (live->first_connection)
        connection_close(live->first_connection, false, false);
}

/* --- operations --- */

static void http_listen(struct host *host, const struct http_server_events *events, void *context) {
    struct live_node *node = (struct live_node *)host;
    assert(!events || events->request);
    node->listening = events != NULL;
    node->listener = events ? *events : (struct http_server_events){0};
    node->listener_context = context;
}

struct connection *live_served_by(struct host *host, uint64_t exchange) {
    struct connection *connection = slot_table_get(&live_of(host)->served, exchange);
    return connection && &connection->node->host == host ? connection : NULL;
}

/* The same, as long as it speaks HTTP. */
static struct connection *served_by(struct host *host, uint64_t exchange) {
    struct connection *connection = live_served_by(host, exchange);
    return connection && !connection->websocket ? connection : NULL;
}

static void http_respond(struct host *host, uint64_t exchange, const struct http_response *response) {
    struct connection *connection = served_by(host, exchange);
    if (connection)
        connection_respond(connection, response);
}

static void http_write(struct host *host, uint64_t exchange, const void *bytes, size_t length) {
    struct connection *connection = served_by(host, exchange);
    if (connection && length > 0)
        connection_write(connection, bytes, length);
}

static void http_end(struct host *host, uint64_t exchange) {
    struct connection *connection = served_by(host, exchange);
    if (connection)
        connection_end(connection);
}

static void http_reset(struct host *host, uint64_t exchange) {
    struct connection *connection = live_served_by(host, exchange);
    if (!connection)
        return;
    if (connection->websocket) {
        websocket_reset(connection->websocket);
        return;
    }
    connection->reset = true;
    slot_table_remove(&live_of(host)->served, exchange);
    connection->exchange = 0;
    connection_mark_due(connection);
}

static size_t http_unsent(struct host *host, uint64_t exchange) {
    struct connection *connection = served_by(host, exchange);
    return connection ? connection_unsent(connection) : 0;
}

void live_server_operations(struct host_operations *operations) {
    operations->http_listen = http_listen;
    operations->http_respond = http_respond;
    operations->http_write = http_write;
    operations->http_end = http_end;
    operations->http_reset = http_reset;
    operations->http_unsent = http_unsent;
}
