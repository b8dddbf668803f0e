#include "mock-powersync/stream/http_stream.h"

#include <assert.h>
#include <stdlib.h>

#include "mock-powersync/http/request_parameters.h"
#include "mock-powersync/stream/accept.h"
#include "mock-powersync/stream/gzip.h"

/* A line is written when the network holds less than this of the ones before. */
#define BACKLOG_LIMIT ((size_t)256 * 1024)
/* How often a reader that does not keep up is looked at. */
#define FIRST_LOOK (1 * TIME_MILLISECOND)
#define LONGEST_LOOK (64 * TIME_MILLISECOND)

struct http_stream {
    struct http_stream_options options;
    bool head_sent;
    struct gzip *gzip; /* NULL: plain, or nothing was sent yet */
    struct buffer packed;
    struct sync_stream *stream;
    uint64_t timer; /* to look again whether the client reads */
    int64_t pause;
};

static struct host *host_of(const struct http_stream *stream) {
    return stream->options.environment->host;
}

void http_stream_destroy(struct http_stream *stream) {
    if (!stream)
        return;
    host_timer_cancel(host_of(stream), stream->timer);
    sync_stream_destroy(stream->stream);
    gzip_destroy(stream->gzip);
    buffer_free(&stream->packed);
    free(stream);
}

/* All is said. */
static void leave(struct http_stream *stream) {
    const struct http_stream_options options = stream->options;
    http_stream_destroy(stream);
    options.ended(options.context);
}

/* The response */

static void send_head(struct http_stream *stream, int status, const char *type) {
    const struct http_header headers[] = {{"access-control-allow-origin", "*"},
                                          {"access-control-expose-headers", "Content-Type"},
                                          {"content-type", type},
                                          {"x-accel-buffering", "no"},
                                          {"content-encoding", "gzip"}};
    const struct http_response response = {
        .status = status, .headers = headers, .n_headers = stream->options.form.gzip ? 5 : 4};
    host_http_respond(host_of(stream), stream->options.exchange, &response);
    stream->head_sent = true;
    if (stream->options.form.gzip)
        stream->gzip = gzip_create();
}

static void send(struct http_stream *stream, const void *bytes, size_t length, bool last) {
    size_t sent = length;
    if (stream->gzip) {
        gzip_append(stream->gzip, &stream->packed, bytes, length, last);
        sent = stream->packed.length;
        host_http_write(host_of(stream), stream->options.exchange, stream->packed.data, sent);
        buffer_free(&stream->packed);
    } else if (length > 0) {
        host_http_write(host_of(stream), stream->options.exchange, bytes, length);
    }
    stream->options.environment->metrics->data_sent_bytes += sent;
}

static void finish(struct http_stream *stream) {
    host_http_end(host_of(stream), stream->options.exchange);
    leave(stream);
}

/* The transport */

static void write_line(void *context, const void *bytes, size_t length) {
    struct http_stream *stream = context;
    if (!stream->head_sent)
        send_head(stream, 200, stream->options.form.bson ? ACCEPT_BSON : ACCEPT_NDJSON);
    send(stream, bytes, length, false);
}

static void end(void *context) {
    struct http_stream *stream = context;
    if (!stream->head_sent)
        send_head(stream, 200, stream->options.form.bson ? ACCEPT_BSON : ACCEPT_NDJSON);
    send(stream, "", 0, true);
    finish(stream);
}

/* Before the first line an error is an ordinary answer, in the encoding that the stream would have had. */
static void fail(void *context, const struct http_error *error) {
    struct http_stream *stream = context;
    if (stream->head_sent) {
        host_http_reset(host_of(stream), stream->options.exchange);
        leave(stream);
        return;
    }
    struct buffer body = {0};
    http_error_append(&body, error);
    send_head(stream, error->status, "application/json; charset=utf-8");
    send(stream, body.data, body.length, true);
    buffer_free(&body);
    finish(stream);
}

static void look_again(void *context) {
    struct http_stream *stream = context;
    stream->timer = 0;
    if (host_http_unsent(host_of(stream), stream->options.exchange) < BACKLOG_LIMIT) {
        stream->pause = FIRST_LOOK;
        sync_stream_resume(stream->stream);
        return;
    }
    stream->pause = stream->pause * 2 < LONGEST_LOOK ? stream->pause * 2 : LONGEST_LOOK;
    stream->timer = host_timer_set(host_of(stream), stream->pause, look_again, stream);
}

static bool ready(void *context) {
    struct http_stream *stream = context;
    if (host_http_unsent(host_of(stream), stream->options.exchange) < BACKLOG_LIMIT)
        return true;
    if (!stream->timer)
        stream->timer = host_timer_set(host_of(stream), stream->pause, look_again, stream);
    return false;
}

/* Life */

struct http_stream_form http_stream_form(const struct http_request *request) {
    return (struct http_stream_form){.bson = accept_prefers_bson(request_header(request, "accept")),
                                     .gzip = accept_allows_gzip(request_header(request, "accept-encoding"))};
}

struct http_stream *http_stream_create(const struct http_stream_options *options,
                                       const struct sync_request *request, const struct auth_user *user) {
    struct http_stream *stream = memory_allocate(sizeof *stream);
    const struct stream_transport transport = {write_line, end, fail, ready, true, stream};
    const enum line_format text = request->raw_data ? LINE_NDJSON_RAW : LINE_NDJSON_EMBEDDED;
    stream->options = *options;
    stream->pause = FIRST_LOOK;
    stream->stream = sync_stream_create(options->environment, &transport,
                                        options->form.bson ? LINE_BSON : text, request, user);
    return stream;
}
