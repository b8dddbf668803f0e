#include "runner/bench_load.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void load_fail(struct load *load, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!load->failed)
        error_set(&load->error, STATUS_IO, "%s", text);
    load->failed = true;
}

/* --- sending --- */

struct writing {
    uv_write_t request;
    struct load_connection *connection;
    char *bytes;
};

static void note_written(uv_write_t *request, int status) {
    struct writing *writing = (struct writing *)request;
    const struct load_connection *connection = writing->connection;
    if (status < 0 && !connection->load->closing && !connection->reconnecting)
        load_fail(connection->load, "cannot send: %s", uv_strerror(status));
    free(writing->bytes);
    free(writing);
}

void load_flush(struct load_connection *connection) {
    if (connection->out.length == 0 || connection->closed || connection->reconnecting)
        return;
    uv_buf_t buffer = uv_buf_init(connection->out.data, (unsigned)connection->out.length);
    int sent = uv_try_write((uv_stream_t *)&connection->tcp, &buffer, 1);
    if (sent > 0)
        buffer_consume(&connection->out, (size_t)sent);
    if (connection->out.length == 0)
        return;
    struct writing *writing = memory_allocate(sizeof *writing);
    size_t length = connection->out.length;
    writing->connection = connection;
    writing->bytes = buffer_take(&connection->out);
    buffer = uv_buf_init(writing->bytes, (unsigned)length);
    uv_write(&writing->request, (uv_stream_t *)&connection->tcp, &buffer, 1, note_written);
}

void load_request(struct load_connection *connection, const char *method, const char *target,
                  const char *headers, const char *body, size_t length) {
    buffer_printf(&connection->out, "%s %s HTTP/1.1\r\nhost: bench\r\n%s", method, target, headers);
    if (length > 0)
        buffer_printf(&connection->out, "content-type: application/json\r\ncontent-length: %zu\r\n", length);
    buffer_append_text(&connection->out, "\r\n");
    buffer_append(&connection->out, body, length);
}

/* One masked frame; the mask is zero, so the bytes stay as they are. */
static void append_frame(struct buffer *out, unsigned opcode, const char *bytes, size_t length) {
    char head[14] = {(char)(0x80 | opcode)};
    size_t n = 2;
    if (length < 126) {
        head[1] = (char)(0x80 | length);
    } else if (length < 65536) {
        head[1] = (char)(0x80 | 126);
        head[2] = (char)(length >> 8);
        head[3] = (char)length;
        n = 4;
    } else {
        head[1] = (char)(0x80 | 127);
        for (size_t i = 0; i < 8; i++)
            head[2 + i] = (char)((uint64_t)length >> (56 - 8 * i));
        n = 10;
    }
    buffer_append(out, head, n + 4);
    buffer_append(out, bytes, length);
}

void load_message(struct load_connection *connection, const char *text, size_t length) {
    append_frame(&connection->out, 1, text, length);
}

/* --- receiving --- */

static void hand_over(struct load_connection *connection, int status, const char *bytes, size_t length) {
    struct load *load = connection->load;
    if (!load->failed && !load->events->received(load->context, connection, status, bytes, length))
        load_fail(load, "unexpected answer, status %d: %.*s", status, (int)(length < 200 ? length : 200),
                  bytes);
}

static void open_connection(struct load_connection *connection) {
    connection->load->n_open++;
    if (connection->load->events->opened)
        connection->load->events->opened(connection->load->context, connection);
    load_flush(connection);
}

/* One answer, if it is whole: its size; 0: more bytes are needed. */
static size_t take_answer(struct load_connection *connection, const char *bytes, size_t length) {
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t)(end - bytes) + 4;
    int status = length > 12 ? atoi(bytes + 9) : 0;
    if (status == 101 && connection->load->protocol == LOAD_WEBSOCKETS) {
        connection->upgraded = true;
        open_connection(connection);
        return head;
    }
    if (connection->load->protocol == LOAD_LINES &&
        memmem(bytes, head, "\r\ntransfer-encoding: chunked", 28)) {
        connection->in_chunks = true;
        connection->status = status;
        return head;
    }
    const char *field = memmem(bytes, head, "content-length:", 15);
    if (!field) {
        load_fail(connection->load, "an answer without content-length: %.*s", (int)(head < 200 ? head : 200),
                  bytes);
        return 0;
    }
    size_t body = strtoul(field + 15, NULL, 10);
    if (length < head + body)
        return 0;
    hand_over(connection, status, bytes + head, body);
    return head + body;
}

/* Whole lines are handed over where they lie; the beginning of one waits for its end. */
static void take_lines(struct load_connection *connection, const char *bytes, size_t length) {
    const char *newline;
    while (!connection->load->failed && !connection->reconnecting &&
           (newline = memchr(bytes, '\n', length)) != NULL) {
        size_t line = (size_t)(newline - bytes);
        if (connection->lines.length > 0) {
            buffer_append(&connection->lines, bytes, line);
            hand_over(connection, connection->status, connection->lines.data, connection->lines.length);
            buffer_clear(&connection->lines);
        } else {
            hand_over(connection, connection->status, bytes, line);
        }
        bytes += line + 1;
        length -= line + 1;
    }
    if (!connection->reconnecting)
        buffer_append(&connection->lines, bytes, length);
}

/* One chunk, if it is whole. */
static size_t take_chunk(struct load_connection *connection, const char *bytes, size_t length) {
    const char *end = memmem(bytes, length < 32 ? length : 32, "\r\n", 2);
    if (!end)
        return 0;
    size_t size = strtoul(bytes, NULL, 16), head = (size_t)(end - bytes) + 2;
    if (length < head + size + 2)
        return 0;
    connection->in_chunks = size > 0;
    take_lines(connection, bytes + head, size);
    return head + size + 2;
}

static size_t take_frame(struct load_connection *connection, const char *bytes, size_t length) {
    const unsigned char *b = (const unsigned char *)bytes;
    if (length < 2)
        return 0;
    size_t head = 2, body = b[1] & 127;
    size_t wide = body == 126 ? 2 : body == 127 ? 8 : 0;
    if (length < head + wide)
        return 0;
    for (size_t i = 0; wide > 0 && i < wide; i++)
        body = (i == 0 ? 0 : body << 8) | b[2 + i];
    head += wide;
    if (length < head || length - head < body)
        return 0;
    if ((b[0] & 15) == 9)
        append_frame(&connection->out, 10, bytes + head, body);
    else if ((b[0] & 15) == 8)
        load_fail(connection->load, "a WebSocket was closed: %.*s", (int)(body > 2 ? body - 2 : 0),
                  bytes + head + 2);
    else if ((b[0] & 15) == 1)
        hand_over(connection, 101, bytes + head, body);
    return head + body;
}

static void take_bytes(struct load_connection *connection) {
    size_t at = 0, taken = 1;
    while (taken > 0 && at < connection->in.length && !connection->load->failed &&
           !connection->reconnecting) {
        const char *bytes = connection->in.data + at;
        size_t left = connection->in.length - at;
        taken = connection->in_chunks  ? take_chunk(connection, bytes, left)
                : connection->upgraded ? take_frame(connection, bytes, left)
                                       : take_answer(connection, bytes, left);
        at += taken;
    }
    if (connection->reconnecting)
        return;
    buffer_consume(&connection->in, at);
    load_flush(connection);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    struct load_connection *connection = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(connection->read_buffer, sizeof connection->read_buffer);
}

static void take_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer) {
    struct load_connection *connection = stream->data;
    if (length < 0) {
        if (!connection->load->closing && !connection->reconnecting)
            load_fail(connection->load, "the server has hung up: %s", uv_strerror((int)length));
        return;
    }
    buffer_append(&connection->in, buffer->base, (size_t)length);
    take_bytes(connection);
}

/* --- life --- */

static const char handshake[] = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
                                "sec-websocket-key: c3luY2xpbmUtYmVuY2gxMg==\r\n";

static void note_connected(uv_connect_t *connect, int status) {
    struct load_connection *connection = connect->data;
    if (status < 0) {
        if (!connection->load->closing)
            load_fail(connection->load, "cannot connect: %s", uv_strerror(status));
        return;
    }
    uv_tcp_nodelay(&connection->tcp, 1);
    uv_read_start((uv_stream_t *)&connection->tcp, give_buffer, take_read);
    if (connection->load->protocol == LOAD_WEBSOCKETS)
        load_request(connection, "GET", "/api/1.48.0/sync", handshake, "", 0);
    else
        open_connection(connection);
    load_flush(connection);
}

static void start_connecting(struct load_connection *connection) {
    struct load *load = connection->load;
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", load->port, &address);
    uv_tcp_init(load->loop, &connection->tcp);
    connection->tcp.data = connection;
    connection->connect.data = connection;
    int failed = uv_tcp_connect(&connection->connect, &connection->tcp, (const struct sockaddr *)&address,
                                note_connected);
    if (failed != 0)
        load_fail(load, "cannot connect: %s", uv_strerror(failed));
}

static void add_connection(struct load *load, size_t index) {
    struct load_connection *connection = memory_allocate(sizeof *connection);
    load->connections[index] = connection;
    connection->load = load;
    connection->index = index;
    start_connecting(connection);
}

static void connect_again(uv_handle_t *handle) {
    struct load_connection *connection = handle->data;
    connection->reconnecting = connection->in_chunks = connection->upgraded = false;
    buffer_clear(&connection->in);
    buffer_clear(&connection->out);
    buffer_clear(&connection->lines);
    if (connection->load->closing)
        connection->load->n_closed++;
    else
        start_connecting(connection);
}

void load_reconnect(struct load_connection *connection) {
    if (connection->reconnecting || connection->closed)
        return;
    connection->reconnecting = true;
    connection->load->n_open--;
    uv_close((uv_handle_t *)&connection->tcp, connect_again);
}

void load_start(struct load *load, uv_loop_t *loop, int port, size_t connections, enum load_protocol protocol,
                const struct load_events *events, void *context) {
    assert(events && events->received && connections > 0);
    *load = (struct load){.loop = loop,
                          .port = port,
                          .protocol = protocol,
                          .events = events,
                          .context = context,
                          .n_connections = connections};
    load->connections = memory_allocate_array(connections, sizeof(struct load_connection *));
    for (size_t i = 0; i < connections; i++)
        add_connection(load, i);
}

static void note_closed(uv_handle_t *handle) {
    struct load_connection *connection = handle->data;
    connection->load->n_closed++;
}

void load_stop(struct load *load) {
    load->closing = true;
    for (size_t i = 0; i < load->n_connections; i++) {
        load->connections[i]->closed = true;
        if (!load->connections[i]->reconnecting)
            uv_close((uv_handle_t *)&load->connections[i]->tcp, note_closed);
    }
    while (load->n_closed < load->n_connections)
        uv_run(load->loop, UV_RUN_ONCE);
    for (size_t i = 0; i < load->n_connections; i++) {
        buffer_free(&load->connections[i]->in);
        buffer_free(&load->connections[i]->out);
        buffer_free(&load->connections[i]->lines);
        free(load->connections[i]);
    }
    free(load->connections);
    load->connections = NULL;
    load->n_connections = 0;
}
