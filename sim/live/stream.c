#include "live/stream.h"

#include <assert.h>

static void touch(struct stream *stream) {
    stream->moved = uv_now(&stream->live->loop);
}

void stream_open(struct stream *stream, struct live *live, const struct stream_events *events, void *owner) {
    *stream = (struct stream){.live = live, .events = events, .owner = owner};
    int failed = uv_tcp_init(&live->loop, &stream->tcp);
    assert(!failed);
    stream->tcp.data = stream;
    touch(stream);
    stream->heard = stream->moved;
}

static void release(uv_handle_t *handle) {
    struct stream *stream = handle->data;
    buffer_free(&stream->held);
    buffer_free(&stream->out);
    buffer_free(&stream->writing);
    stream->events->released(stream->owner);
}

void stream_close(struct stream *stream, bool reset) {
    if (stream->closing)
        return;
    stream->closing = true;
    if (!reset || uv_tcp_close_reset(&stream->tcp, release) != 0)
        uv_close((uv_handle_t *)&stream->tcp, release);
}

/* --- reading --- */

static void on_read(uv_stream_t *tcp, ssize_t length, const uv_buf_t *buffer) {
    struct stream *stream = tcp->data;
    if (length == 0)
        return;
    if (length < 0) {
        uv_read_stop(tcp);
        stream->events->lost(stream->owner, length == UV_EOF);
        return;
    }
    touch(stream);
    stream->heard = stream->moved;
    if (stream->draining)
        return;
    buffer_append(&stream->held, buffer->base, (size_t)length);
    stream->events->wake(stream->owner);
}

static void lend_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    struct stream *stream = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(stream->live->read_buffer, sizeof stream->live->read_buffer);
}

void stream_adjust_reading(struct stream *stream) {
    bool wanted = stream->held.length < live_held_most;
    if (wanted == stream->reading || stream->closing)
        return;
    stream->reading = wanted;
    if (wanted)
        uv_read_start((uv_stream_t *)&stream->tcp, lend_buffer, on_read);
    else
        uv_read_stop((uv_stream_t *)&stream->tcp);
}

/* --- writing --- */

static void on_written(uv_write_t *write, int status) {
    struct stream *stream = write->data;
    stream->write_pending = false;
    stream->handed += status < 0 ? 0 : stream->writing.length;
    buffer_free(&stream->writing);
    if (stream->closing)
        return;
    if (status < 0) {
        stream->events->lost(stream->owner, false);
        return;
    }
    touch(stream);
    stream->events->wake(stream->owner);
}

static void write_rest(struct stream *stream) {
    stream->writing = stream->out;
    stream->out = (struct buffer){0};
    stream->write_pending = true;
    stream->write.data = stream;
    uv_buf_t bytes = uv_buf_init(stream->writing.data, (unsigned)stream->writing.length);
    int failed = uv_write(&stream->write, (uv_stream_t *)&stream->tcp, &bytes, 1, on_written);
    assert(!failed);
}

bool stream_send(struct stream *stream) {
    struct buffer *out = &stream->out;
    if (stream->write_pending || out->length == 0)
        return true;
    uv_buf_t bytes = uv_buf_init(out->data, (unsigned)(out->length < INT32_MAX ? out->length : INT32_MAX));
    int sent = uv_try_write((uv_stream_t *)&stream->tcp, &bytes, 1);
    if (sent < 0 && sent != UV_EAGAIN)
        return false;
    if (sent > 0) {
        touch(stream);
        stream->handed += (uint64_t)sent;
        buffer_consume(out, (size_t)sent);
    }
    if (out->length > 0)
        write_rest(stream);
    else
        buffer_free(out); /* most connections are idle most of the time */
    return true;
}

bool stream_all_sent(const struct stream *stream) {
    return stream->out.length == 0 && !stream->write_pending;
}

size_t stream_waiting(const struct stream *stream) {
    return stream->out.length + stream->writing.length;
}

uint64_t stream_end_of_out(const struct stream *stream) {
    return stream->handed + stream_waiting(stream);
}

uint64_t stream_bytes_handed(const struct stream *stream) {
    size_t queued = stream->write_pending ? uv_stream_get_write_queue_size((uv_stream_t *)&stream->tcp) : 0;
    assert(queued <= stream->writing.length);
    return stream->handed + (stream->writing.length - queued);
}

static void on_shutdown(uv_shutdown_t *shutdown, int status) {
    (void)shutdown;
    (void)status;
}

bool stream_drain(struct stream *stream) {
    stream->draining = true;
    buffer_free(&stream->held);
    stream_adjust_reading(stream);
    return uv_shutdown(&stream->shutdown, (uv_stream_t *)&stream->tcp, on_shutdown) == 0;
}
