#include "live/connection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

enum { drain_ms = 2000, request_idles = 5 };

static struct live *live_behind(const struct connection *connection) {
    return connection->node->live;
}

static void touch(struct connection *connection) {
    connection->moved = uv_now(&live_behind(connection)->loop);
}

/* --- closing --- */

static void free_connection(uv_handle_t *handle) {
    struct connection *connection = handle->data;
    assert(!connection->due);
    buffer_free(&connection->incoming.target);
    buffer_free(&connection->incoming.text);
    buffer_free(&connection->incoming.body);
    buffer_free(&connection->outgoing.head);
    buffer_free(&connection->outgoing.body);
    buffer_free(&connection->held);
    buffer_free(&connection->out);
    buffer_free(&connection->writing);
    free(connection);
}

static void leave_exchange(struct connection *connection) {
    slot_table_remove(&live_behind(connection)->served, connection->exchange);
    connection->exchange = 0;
}

void connection_close(struct connection *connection, bool reset, bool tell) {
    struct live_node *node = connection->node;
    uint64_t exchange = connection->exchange;
    if (connection->closing)
        return;
    connection->closing = true;
    connection_unlist(connection);
    leave_exchange(connection);
    uv_handle_t *handle = (uv_handle_t *)&connection->tcp;
    if (!reset || uv_tcp_close_reset(&connection->tcp, free_connection) != 0)
        uv_close(handle, free_connection);
    if (tell && exchange != 0 && node->listener.closed)
        node->listener.closed(node->listener_context, exchange);
}

void connection_check_idle(struct connection *connection) {
    const struct live *live = live_behind(connection);
    const uint64_t now = uv_now(&live->loop);
    const uint64_t idle = (uint64_t)(live->settings.idle_timeout / TIME_MILLISECOND);
    bool waits_for_peer = connection->phase == CONNECTION_READING || connection->write_pending;
    if (connection->phase == CONNECTION_DRAINING && now - connection->started > drain_ms)
        connection_close(connection, false, false);
    else if (waits_for_peer && now - connection->moved > idle)
        connection_close(connection, connection->write_pending, true);
    else if (connection->phase == CONNECTION_READING && now - connection->started > request_idles * idle)
        connection_close(connection, false, false);
}

/* --- reading --- */

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer) {
    struct connection *connection = stream->data;
    if (length == 0)
        return;
    if (length < 0) {
        bool all_said = connection->exchange == 0 && length == UV_EOF &&
                        (connection->write_pending || connection->out.length > 0);
        if (all_said && connection->phase == CONNECTION_SERVING)
            connection->close_after = true;
        else
            connection_close(connection, false, true);
        return;
    }
    touch(connection);
    if (connection->phase == CONNECTION_DRAINING)
        return;
    buffer_append(&connection->held, buffer->base, (size_t)length);
    connection_mark_due(connection);
}

static void lend_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    struct connection *connection = handle->data;
    struct live *live = live_behind(connection);
    (void)suggested;
    *buffer = uv_buf_init(live->read_buffer, sizeof live->read_buffer);
}

/* Read on unless enough is held for later. */
static void adjust_reading(struct connection *connection) {
    bool wanted = connection->held.length < live_held_most;
    if (wanted == connection->reading || connection->closing)
        return;
    connection->reading = wanted;
    if (wanted)
        uv_read_start((uv_stream_t *)&connection->tcp, lend_buffer, on_read);
    else
        uv_read_stop((uv_stream_t *)&connection->tcp);
}

void connection_accept(struct live_node *node) {
    struct live *live = node->live;
    struct connection *connection = memory_allocate(sizeof *connection);
    connection->node = node;
    connection->tcp.data = connection;
    uv_tcp_init(&live->loop, &connection->tcp);
    connection_parse_start(connection);
    connection_enlist(connection);
    connection->started = uv_now(&live->loop);
    touch(connection);
    bool refused = uv_accept((uv_stream_t *)&node->server, (uv_stream_t *)&connection->tcp) != 0 ||
                   !node->listening || live->connections > live->settings.connections_most;
    if (refused) {
        connection_close(connection, true, false);
        return;
    }
    uv_tcp_nodelay(&connection->tcp, 1);
    adjust_reading(connection);
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
    size_t waiting = outgoing->body.length + connection->out.length + connection->writing.length;
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
    buffer_append(&connection->out, outgoing->head.data, outgoing->head.length);
    if (outgoing->ended && outgoing->status != 204 && outgoing->status != 304)
        buffer_printf(&connection->out, "content-length: %zu\r\n", outgoing->body.length);
    else if (!outgoing->ended && !outgoing->bodiless && modern)
        outgoing->chunked = true;
    else if (!outgoing->ended)
        connection->close_after = true;
    if (outgoing->chunked)
        buffer_append_text(&connection->out, "transfer-encoding: chunked\r\n");
    if (connection->close_after)
        buffer_append_text(&connection->out, "connection: close\r\n");
    else if (!modern)
        buffer_append_text(&connection->out, "connection: keep-alive\r\n");
    buffer_append_text(&connection->out, "\r\n");
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
            buffer_printf(&connection->out, "%zx\r\n", outgoing->body.length);
        buffer_append(&connection->out, outgoing->body.data, outgoing->body.length);
        if (outgoing->chunked)
            buffer_append_text(&connection->out, "\r\n");
    }
    buffer_clear(&outgoing->body);
    if (outgoing->ended && outgoing->chunked) {
        buffer_append_text(&connection->out, "0\r\n\r\n");
        outgoing->chunked = false; /* its last chunk is on the way */
    }
}

static void on_written(uv_write_t *write, int status) {
    struct connection *connection = write->data;
    connection->write_pending = false;
    buffer_free(&connection->writing);
    if (connection->closing)
        return;
    if (status < 0) {
        connection_close(connection, false, true);
        return;
    }
    touch(connection);
    connection_mark_due(connection);
}

/* False: the connection is gone. */
static bool send_out(struct connection *connection) {
    struct buffer *out = &connection->out;
    if (connection->write_pending || out->length == 0)
        return true;
    uv_buf_t bytes = uv_buf_init(out->data, (unsigned)(out->length < INT32_MAX ? out->length : INT32_MAX));
    int sent = uv_try_write((uv_stream_t *)&connection->tcp, &bytes, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
        connection_close(connection, false, true);
        return false;
    }
    if (sent > 0)
        touch(connection);
    buffer_consume(out, sent > 0 ? (size_t)sent : 0);
    if (out->length == 0)
        return true;
    connection->writing = *out;
    *out = (struct buffer){0};
    connection->write_pending = true;
    connection->write.data = connection;
    bytes = uv_buf_init(connection->writing.data, (unsigned)connection->writing.length);
    int failed = uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &bytes, 1, on_written);
    assert(!failed);
    return true;
}

static void on_shutdown(uv_shutdown_t *shutdown, int status) {
    (void)shutdown;
    (void)status;
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
    buffer_free(&connection->held);
    if (uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp, on_shutdown) != 0)
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

/* The actor's answer comes later or from inside read_on; either may end in a break. */
void connection_settle(struct connection *connection) {
    assert(!connection->closing);
    if (!connection->reset && !connection->overflow)
        read_on(connection);
    if (connection->reset || connection->overflow)
        connection_close(connection, true, connection->overflow);
    if (connection->closing)
        return;
    frame(connection);
    if (!send_out(connection))
        return;
    bool sent = connection->out.length == 0 && !connection->write_pending;
    if (connection->phase == CONNECTION_SERVING && connection->outgoing.ended && sent) {
        finish_response(connection);
        if (connection->held.length > 0)
            connection_mark_due(connection);
    }
    adjust_reading(connection);
}
