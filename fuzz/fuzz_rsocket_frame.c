/* Fuzz target: one RSocket frame.
 *
 * Checked for any input: nothing crashes; a refusal has a reason; what is read lies inside the input; a frame
 * of a type that is written here is written as it was read. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "mock-powersync/http/rsocket_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const struct rsocket_bytes *bytes, const uint8_t *data, size_t size) {
    if (bytes->length == 0)
        return;
    const uint8_t *start = bytes->bytes;
    assert(start >= data && start + bytes->length <= data + size);
    (void)size;
    (void)start;
}

static bool is_written(const struct rsocket_frame *frame) {
    switch (frame->type) {
    case RSOCKET_SETUP:
        return !(frame->flags & RSOCKET_RESUME); /* its token is passed over */
    case RSOCKET_KEEPALIVE:
    case RSOCKET_REQUEST_N:
    case RSOCKET_CANCEL:
    case RSOCKET_ERROR:
        return !(frame->flags & RSOCKET_METADATA);
    case RSOCKET_REQUEST_STREAM:
    case RSOCKET_PAYLOAD:
        return true;
    default:
        return false;
    }
}

/* REQUEST_N and CANCEL end where their fields end; what stands behind is passed over. */
static void check_written(const struct rsocket_frame *frame, const uint8_t *data, size_t size) {
    struct buffer written = {0};
    rsocket_frame_append(&written, frame);
    const bool has_end = frame->type == RSOCKET_REQUEST_N || frame->type == RSOCKET_CANCEL;
    assert(has_end ? written.length <= size : written.length == size);
    assert(memcmp(written.data, data, written.length) == 0);
    (void)has_end;
    (void)data;
    (void)size;
    buffer_free(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rsocket_frame frame;
    const char *reason;
    const bool is_frame = rsocket_frame_read(&frame, data, size, &reason);
    assert(is_frame == (reason == NULL));
    if (!is_frame)
        return 0;
    const struct rsocket_bytes *parts[] = {&frame.metadata, &frame.data, &frame.metadata_type,
                                           &frame.data_type};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        check_inside(parts[i], data, size);
    if (is_written(&frame))
        check_written(&frame, data, size);
    return 0;
}
