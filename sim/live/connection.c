#include "live/connection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

enum { request_idles = 5 };

static struct live *live_behind(const struct connection *connection) {
    return connection->node->live;
}

/* --- closing --- */

static void free_connection(void *owner) {
    struct connection *connection = owner;
    assert(!connection->due);
    buffer_free(&connection->incoming.target);
    buffer_free(&connection->incoming.text);
    buffer_free(&connection->incoming.body);
    buffer_free(&connection->outgoing.head);
    buffer_free(&connection->outgoing.body);
    websocket_free(connection->websocket);
    free(connection);
}

static void leave_exchange(struct connection *connection) {
    slot_table_remove(&live_behind(connection)->served, connection->exchange);
    connection->exchange = 0;
}

void connection_close(struct connection *connection, bool reset, bool tell) {
    struct live_node *node = connection->node;
    uint64_t exchange = connection->exchange;
    if (connection->stream.closing)
        return;
    connection_unlist(connection);
    leave_exchange(connection);
    stream_close(&connection->stream, reset);
    if (connection->websocket)
        websocket_lose(connection->websocket, tell);
    else if (tell && exchange != 0 && node->listener.closed)
        node->listener.closed(node->listener_context, exchange);
}

void connection_check_idle(struct connection *connection) {
    const struct live *live = live_behind(connection);
    const uint64_t now = uv_now(&live->loop);
    const uint64_t idle = (uint64_t)(live->settings.idle_timeout / TIME_MILLISECOND);
    const struct stream *stream = &connection->stream;
    bool waits_for_peer = connection->phase == CONNECTION_READING || stream->write_pending;
    if (connection->phase == CONNECTION_DRAINING && now - connection->started > stream_drain_ms)
        connection_close(connection, false, false);
    else if (connection->phase == CONNECTION_WEBSOCKET)
        websocket_check_idle(connection->websocket);
    else if (waits_for_peer && now - stream->moved > idle)
        connection_close(connection, stream->write_pending, true);
    else if (connection->phase == CONNECTION_READING && now - connection->started > request_idles * idle)
        connection_close(connection, false, false);
}

/* --- reading --- */

static void on_wake(void *owner) {
    connection_mark_due(owner);
}

static void on_lost(void *owner, bool ended) {
    struct connection *connection = owner;
    bool all_said = connection->exchange == 0 && ended && !stream_all_sent(&connection->stream);
    if (connection->phase == CONNECTION_WEBSOCKET) {
        connection->websocket->lost = true; /* after what has come before */
        connection_mark_due(connection);
    } else if (all_said && connection->phase == CONNECTION_SERVING) {
        connection->close_after = true;
    } else {
        connection_close(connection, false, true);
    }
}

static const struct stream_events stream_callbacks = {
    .wake = on_wake, .lost = on_lost, .released = free_connection};

void connection_accept(struct live_node *node) {
    struct live *live = node->live;
    struct connection *connection = memory_allocate(sizeof *connection);
    connection->node = node;
    stream_open(&connection->stream, live, &stream_callbacks, connection);
    connection_parse_start(connection);
    connection_enlist(connection);
    connection->started = uv_now(&live->loop);
    bool refused = uv_accept((uv_stream_t *)&node->server, (uv_stream_t *)&connection->stream.tcp) != 0 ||
                   !node->listening || live->connections > live->settings.connections_most;
    if (refused) {
        connection_close(connection, true, false);
        return;
    }
    uv_tcp_nodelay(&connection->stream.tcp, 1);
    stream_adjust_reading(&connection->stream);
}

/* --- the response, as the actor gives it --- */

static bool is_framing(const char *name) {
    static const char *const names[] = {"content-length", "transfer-encoding", "connection", "keep-alive"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool is_line_text(const char *text) {
    return text[strcspn(text, "\r\n")] == '\0';
}

void connection_respond(struct connection *connection, const struct http_response *response) {
    struct outgoing *outgoing = &connection->outgoing;
    assert(!outgoing->responded && response->status >= 200 && response->status <= 599);
    outgoing->responded = true;
    outgoing->status = response->status;
    outgoing->bodiless =
        response->status == 204 || response->status == 304 || connection->parser.method == HTTP_HEAD;
    buffer_printf(&outgoing->head, "HTTP/1.1 %d %s\r\n", response->status,
                  http_status_str((enum http_status)response->status));
    for (size_t i = 0; i < response->n_headers; i++) {
        const struct http_header *header = &response->headers[i];
        if (!is_framing(header->name) && is_line_text(header->name) && is_line_text(header->value))
            buffer_printf(&outgoing->head, "%s: %s\r\n", header->name, header->value);
    }
    connection_mark_due(connection);
}

void connection_write(struct connection *connection, const void *bytes, size_t length) {
    struct outgoing *outgoing = &connection->outgoing;
    size_t most = live_behind(connection)->settings.unsent_most;
    assert(outgoing->responded && !outgoing->ended);
    if (connection->overflow)
        return;
    size_t waiting = outgoing->body.length + stream_waiting(&connection->stream);
    connection->overflow = length > most || waiting > most - length;
    if (!connection->overflow)
        buffer_append(&outgoing->body, bytes, length);
    connection_mark_due(connection);
}

void connection_end(struct connection *connection) {
    assert(connection->outgoing.responded && !connection->outgoing.ended);
    connection->outgoing.ended = true;
    leave_exchange(connection);
    connection_mark_due(connection);
}

/* --- sending --- */

static void frame_head(struct connection *connection) {
    struct outgoing *outgoing = &connection->outgoing;
    bool modern = connection->parser.http_major == 1 && connection->parser.http_minor == 1;
    outgoing->head_sent = true;
    buffer_append(&connection->stream.out, outgoing->head.data, outgoing->head.length);
    if (outgoing->ended && outgoing->status != 204 && outgoing->status != 304)
        buffer_printf(&connection->stream.out, "content-length: %zu\r\n", outgoing->body.length);
    else if (!outgoing->ended && !outgoing->bodiless && modern)
        outgoing->chunked = true;
    else if (!outgoing->ended)
        connection->close_after = true;
    if (outgoing->chunked)
        buffer_append_text(&connection->stream.out, "transfer-encoding: chunked\r\n");
    if (connection->close_after)
        buffer_append_text(&connection->stream.out, "connection: close\r\n");
    else if (!modern)
        buffer_append_text(&connection->stream.out, "connection: keep-alive\r\n");
    buffer_append_text(&connection->stream.out, "\r\n");
}

/* What the actor wrote becomes bytes to send. */
static void frame(struct connection *connection) {
    struct outgoing *outgoing = &connection->outgoing;
    if (!outgoing->responded)
        return;
    bool finished =
        outgoing->ended && outgoing->head_sent && outgoing->body.length == 0 && !outgoing->chunked;
    if (!outgoing->head_sent)
        frame_head(connection);
    if (finished)
        return;
    if (outgoing->body.length > 0 && !outgoing->bodiless) {
        if (outgoing->chunked)
            buffer_printf(&connection->stream.out, "%zx\r\n", outgoing->body.length);
        buffer_append(&connection->stream.out, outgoing->body.data, outgoing->body.length);
        if (outgoing->chunked)
            buffer_append_text(&connection->stream.out, "\r\n");
    }
    buffer_clear(&outgoing->body);
    if (outgoing->ended && outgoing->chunked) {
        buffer_append_text(&connection->stream.out, "0\r\n\r\n");
        outgoing->chunked = false; /* its last chunk is on the way */
    }
}

size_t connection_unsent(struct connection *connection) {
    enum { worth_trying = 64 * 1024 };
    if (connection->outgoing.body.length + stream_waiting(&connection->stream) < worth_trying)
        return connection->outgoing.body.length + stream_waiting(&connection->stream);
    frame(connection);
    if (!stream_send(&connection->stream))
        connection_mark_due(connection); /* where the same is found */
    return stream_waiting(&connection->stream);
}

/* All that the connection had to say is sent: go on with the next request or say goodbye. */
static void finish_response(struct connection *connection) {
    struct outgoing *outgoing = &connection->outgoing;
    connection->started = uv_now(&live_behind(connection)->loop);
    buffer_free(&outgoing->body);
    buffer_clear(&outgoing->head);
    *outgoing = (struct outgoing){.head = outgoing->head};
    if (!connection->close_after && !live_behind(connection)->stopping) {
        connection->phase = CONNECTION_READING;
        connection_parse_start(connection);
        return;
    }
    connection->phase = CONNECTION_DRAINING;
    if (!stream_drain(&connection->stream))
        connection_close(connection, false, false);
}

/* --- both --- */

static void refuse(struct connection *connection) {
    const struct http_response response = {.status = connection->incoming.refusal};
    connection->close_after = true;
    connection->phase = CONNECTION_SERVING;
    connection_respond(connection, &response);
    connection_end(connection);
}

static void take_request(struct connection *connection) {
    struct live *live = live_behind(connection);
    connection->phase = CONNECTION_SERVING;
    if (!http_should_keep_alive(&connection->parser))
        connection->close_after = true;
    connection->exchange = slot_table_add(&live->served, connection);
    assert(connection->exchange != 0); /* connections are fewer than slots */
    if (connection->node->listening)
        connection_deliver(connection);
    else
        connection_close(connection, true, false);
}

static void read_on(struct connection *connection) {
    bool fresh = connection->incoming.header_bytes == 0;
    if (connection->phase != CONNECTION_READING)
        return;
    if (fresh)
        connection->started = uv_now(&live_behind(connection)->loop);
    if (connection_parse(connection))
        take_request(connection);
    else if (connection->incoming.refusal)
        refuse(connection);
}

/* What an idle socket does not need. */
static void free_http(struct connection *connection) {
    buffer_free(&connection->incoming.target);
    buffer_free(&connection->incoming.text);
    buffer_free(&connection->incoming.body);
    buffer_free(&connection->outgoing.head);
}

static void settle_websocket(struct connection *connection) {
    free_http(connection);
    enum websocket_state state = websocket_settle(connection->websocket);
    if (state == WEBSOCKET_BROKEN) {
        connection_close(connection, connection->websocket->reset, true);
    } else if (state == WEBSOCKET_SAID_ALL) {
        connection->phase = CONNECTION_DRAINING;
        connection->started = uv_now(&live_behind(connection)->loop);
        if (connection->websocket->lost || !stream_drain(&connection->stream))
            connection_close(connection, false, false);
    } else {
        stream_adjust_reading(&connection->stream);
    }
}

/* The actor's answer comes later or from inside read_on; either may end in a break. */
static void settle_http(struct connection *connection) {
    if (!connection->reset && !connection->overflow)
        read_on(connection);
    if (connection->reset || connection->overflow)
        connection_close(connection, true, connection->overflow);
    if (connection->stream.closing || connection->websocket)
        return;
    frame(connection);
    if (!stream_send(&connection->stream)) {
        connection_close(connection, false, true);
        return;
    }
    bool sent = stream_all_sent(&connection->stream);
    if (connection->phase == CONNECTION_SERVING && connection->outgoing.ended && sent) {
        finish_response(connection);
        if (connection->stream.held.length > 0)
            connection_mark_due(connection);
    }
    stream_adjust_reading(&connection->stream);
}

void connection_settle(struct connection *connection) {
    assert(!connection->stream.closing);
    if (!connection->websocket)
        settle_http(connection);
    if (connection->phase == CONNECTION_WEBSOCKET && !connection->stream.closing)
        settle_websocket(connection);
}
