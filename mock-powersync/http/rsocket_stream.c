/* One requested stream of a connection: the transport of a sync stream, with credits. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/http/rsocket_private.h"

/* No line is written while the network holds back so many messages of the connection. */
#define UNSENT_MOST 2
/* How often a reader that does not keep up is looked at. */
#define FIRST_LOOK (1 * TIME_MILLISECOND)
#define LONGEST_LOOK (64 * TIME_MILLISECOND)

struct rsocket_stream {
    struct rsocket_connection *connection;
    struct rsocket_stream *next;
    uint32_t id;
    uint64_t credits;
    struct stream_transport transport;
    struct sync_stream *sync;
    bool over;          /* the sync stream has said all */
    struct buffer last; /* a line that was written without a credit: it waits for one */
    uint64_t timer;     /* to look again whether the client reads */
    int64_t pause;
};

static struct host *host_of(const struct rsocket_stream *stream) {
    return stream->connection->server->options.host;
}

static struct rsocket_stream **find(struct rsocket_connection *connection, uint32_t id) {
    struct rsocket_stream **at = &connection->first_stream;
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static void destroy(struct rsocket_stream *stream) {
    stream->connection->streams--;
    host_timer_cancel(host_of(stream), stream->timer);
    sync_stream_destroy(stream->sync);
    buffer_free(&stream->last);
    free(stream);
}

static void drop(struct rsocket_stream *stream) {
    struct rsocket_stream **at = find(stream->connection, stream->id);
    assert(*at == stream);
    *at = stream->next;
    destroy(stream);
}

static void send_line(struct rsocket_stream *stream, const void *bytes, size_t length) {
    const struct rsocket_frame frame = {
        .type = RSOCKET_PAYLOAD, .flags = RSOCKET_NEXT, .stream = stream->id, .data = {bytes, length}};
    assert(stream->credits > 0);
    stream->credits--;
    rsocket_send(stream->connection, &frame);
}

static void complete(struct rsocket_stream *stream) {
    const struct rsocket_frame frame = {
        .type = RSOCKET_PAYLOAD, .flags = RSOCKET_COMPLETE, .stream = stream->id};
    rsocket_send(stream->connection, &frame);
    drop(stream);
}

/* --- the transport --- */

static void transport_write(void *context, const void *bytes, size_t length) {
    struct rsocket_stream *stream = context;
    assert(!stream->over && stream->last.length == 0);
    if (stream->credits > 0)
        send_line(stream, bytes, length);
    else
        buffer_append(&stream->last, bytes, length);
}

static void transport_end(void *context) {
    struct rsocket_stream *stream = context;
    stream->over = true;
    host_timer_cancel(host_of(stream), stream->timer);
    stream->timer = 0;
    if (stream->last.length == 0)
        complete(stream);
}

/* What goes wrong while a stream runs is wrapped in the service's error of last resort. */
static void transport_fail(void *context, const struct http_error *error) {
    struct rsocket_stream *stream = context;
    char *text = rsocket_error_text(error);
    char *whole = strcmp(error->code, "PSYNC_S2305") == 0
                      ? memory_format("[PSYNC_S2001] Something went wrong\n  %s", text)
                      : memory_copy_text(text);
    rsocket_send_error(stream->connection, stream->id, RSOCKET_APPLICATION_ERROR, whole);
    free(whole);
    free(text);
    drop(stream);
}

static bool reads(const struct rsocket_stream *stream) {
    return host_websocket_unsent(host_of(stream), stream->connection->socket) < UNSENT_MOST;
}

static void look_again(void *context) {
    struct rsocket_stream *stream = context;
    stream->timer = 0;
    if (reads(stream)) {
        stream->pause = FIRST_LOOK;
        sync_stream_resume(stream->sync);
        return;
    }
    stream->pause = stream->pause * 2 < LONGEST_LOOK ? stream->pause * 2 : LONGEST_LOOK;
    stream->timer = host_timer_set(host_of(stream), stream->pause, look_again, stream);
}

/* Credits say what the client wants, but not that it reads. */
static bool transport_ready(void *context) {
    struct rsocket_stream *stream = context;
    if (stream->credits == 0 || reads(stream))
        return stream->credits > 0;
    if (!stream->timer)
        stream->timer = host_timer_set(host_of(stream), stream->pause, look_again, stream);
    return false;
}

/* --- frames --- */

static void refuse(struct rsocket_connection *connection, uint32_t id, const struct http_error *error) {
    char *text = rsocket_error_text(error);
    rsocket_send_error(connection, id, RSOCKET_APPLICATION_ERROR, text);
    free(text);
}

static struct rsocket_stream *add(struct rsocket_connection *connection, const struct rsocket_frame *frame) {
    struct rsocket_stream *stream = memory_allocate(sizeof *stream);
    *stream = (struct rsocket_stream){.connection = connection,
                                      .next = connection->first_stream,
                                      .id = frame->stream,
                                      .credits = frame->number,
                                      .pause = FIRST_LOOK,
                                      .transport = {.write = transport_write,
                                                    .end = transport_end,
                                                    .fail = transport_fail,
                                                    .ready = transport_ready,
                                                    .keepalives = false,
                                                    .context = stream}};
    connection->first_stream = stream;
    connection->streams++;
    return stream;
}

static void open_stream(struct rsocket_connection *connection, const struct rsocket_frame *frame,
                        const char *path, json_t *body) {
    const struct rsocket_options *options = &connection->server->options;
    struct rsocket_stream *stream = add(connection, frame);
    struct http_error error = {0};
    stream->sync = options->open(options->context, path, body, &connection->user, &stream->transport, &error);
    if (!stream->sync) {
        refuse(connection, stream->id, &error);
        drop(stream);
    }
}

void rsocket_stream_request(struct rsocket_connection *connection, const struct rsocket_frame *frame) {
    struct http_error error = {0};
    if (frame->flags & RSOCKET_FOLLOWS || connection->streams >= rsocket_streams_most ||
        *find(connection, frame->stream)) {
        rsocket_send_error(connection, frame->stream, RSOCKET_REJECTED,
                           frame->flags & RSOCKET_FOLLOWS ? "fragments are not supported"
                                                          : "this stream cannot be opened");
        return;
    }
    json_t *metadata = rsocket_decode(connection->data_is_bson, &frame->metadata);
    json_t *body = rsocket_decode(connection->data_is_bson, &frame->data);
    const char *path = json_text(metadata, "path");
    if (path && body) {
        open_stream(connection, frame, path, json_incref(body));
    } else if (!body) {
        http_error_set(&error, 400, "ValidationError", "PSYNC_S2001", "The request's data cannot be read");
        refuse(connection, frame->stream, &error);
    } else {
        http_error_authorization(&error, "PSYNC_S2101", "The request has no metadata that names a path");
        refuse(connection, frame->stream, &error);
    }
    json_decref(metadata);
    json_decref(body);
}

void rsocket_stream_credit(struct rsocket_connection *connection, uint32_t id, uint32_t credits) {
    struct rsocket_stream *stream = *find(connection, id);
    if (!stream)
        return;
    stream->credits += credits;
    if (stream->last.length > 0) {
        send_line(stream, stream->last.data, stream->last.length);
        buffer_clear(&stream->last);
    }
    if (stream->over)
        complete(stream);
    else
        sync_stream_resume(stream->sync);
}

void rsocket_stream_cancel(struct rsocket_connection *connection, uint32_t id) {
    struct rsocket_stream *stream = *find(connection, id);
    if (stream)
        drop(stream);
}

void rsocket_streams_drop(struct rsocket_connection *connection) {
    struct rsocket_stream *next;
    for (struct rsocket_stream *stream = connection->first_stream; stream; stream = next) {
        next = stream->next;
        destroy(stream);
    }
    connection->first_stream = NULL;
}
