#include "mock-powersync/http/rsocket_frame.h"

#include <assert.h>
#include <string.h>

#define NUMBER_MOST UINT32_C(0x7fffffff)

/* --- reading --- */

struct cursor {
    const unsigned char *at;
    size_t left;
    bool is_cut; /* something was cut */
};

static uint64_t take_number(struct cursor *cursor, size_t bytes) {
    uint64_t value = 0;
    assert(bytes <= 8);
    if (cursor->left < bytes) {
        cursor->is_cut = true;
        cursor->left = 0;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | cursor->at[i];
    cursor->at += bytes;
    cursor->left -= bytes;
    return value;
}

static struct rsocket_bytes take_bytes(struct cursor *cursor, size_t length) {
    const struct rsocket_bytes bytes = {cursor->at, length};
    if (cursor->left < length) {
        cursor->is_cut = true;
        cursor->left = 0;
        return (struct rsocket_bytes){0};
    }
    cursor->at += length;
    cursor->left -= length;
    return bytes;
}

/* Metadata with its length before it, then data to the end. */
static void take_payload(struct cursor *cursor, struct rsocket_frame *frame) {
    if (frame->flags & RSOCKET_METADATA)
        frame->metadata = take_bytes(cursor, (size_t)take_number(cursor, 3));
    frame->data = take_bytes(cursor, cursor->left);
}

static void take_setup(struct cursor *cursor, struct rsocket_frame *frame) {
    frame->major = (uint16_t)take_number(cursor, 2);
    frame->minor = (uint16_t)take_number(cursor, 2);
    frame->keepalive = (uint32_t)take_number(cursor, 4);
    frame->lifetime = (uint32_t)take_number(cursor, 4);
    if (frame->flags & RSOCKET_RESUME)
        take_bytes(cursor, (size_t)take_number(cursor, 2));
    frame->metadata_type = take_bytes(cursor, (size_t)take_number(cursor, 1));
    frame->data_type = take_bytes(cursor, (size_t)take_number(cursor, 1));
    take_payload(cursor, frame);
}

static void take_fields(struct cursor *cursor, struct rsocket_frame *frame) {
    switch (frame->type) {
    case RSOCKET_SETUP:
        take_setup(cursor, frame);
        break;
    case RSOCKET_KEEPALIVE:
        frame->position = take_number(cursor, 8);
        frame->data = take_bytes(cursor, cursor->left);
        break;
    case RSOCKET_REQUEST_STREAM:
        frame->number = (uint32_t)take_number(cursor, 4);
        take_payload(cursor, frame);
        break;
    case RSOCKET_REQUEST_N:
        frame->number = (uint32_t)take_number(cursor, 4);
        break;
    case RSOCKET_PAYLOAD:
        take_payload(cursor, frame);
        break;
    case RSOCKET_ERROR:
        frame->number = (uint32_t)take_number(cursor, 4);
        frame->data = take_bytes(cursor, cursor->left);
        break;
    default:
        break;
    }
}

static bool is_count(uint32_t number) {
    return number >= 1 && number <= NUMBER_MOST;
}

static const char *fault_of(const struct rsocket_frame *frame) {
    const bool is_of_connection = frame->type == RSOCKET_SETUP || frame->type == RSOCKET_KEEPALIVE;
    const bool is_of_stream = frame->type == RSOCKET_REQUEST_STREAM || frame->type == RSOCKET_REQUEST_N ||
                              frame->type == RSOCKET_CANCEL || frame->type == RSOCKET_PAYLOAD;
    if ((is_of_connection && frame->stream != 0) || (is_of_stream && frame->stream == 0))
        return "the frame's type does not fit its stream id";
    if ((frame->type == RSOCKET_REQUEST_STREAM || frame->type == RSOCKET_REQUEST_N) &&
        !is_count(frame->number))
        return "a request for no payloads";
    if (frame->type == RSOCKET_SETUP && (!is_count(frame->keepalive) || !is_count(frame->lifetime)))
        return "keepalive and lifetime must be above 0";
    return NULL;
}

bool rsocket_frame_read(struct rsocket_frame *frame, const void *bytes, size_t length, const char **reason) {
    assert(frame && reason && (bytes || length == 0));
    struct cursor cursor = {.at = bytes, .left = length};
    *frame = (struct rsocket_frame){0};
    const uint64_t stream = take_number(&cursor, 4);
    const uint64_t head = take_number(&cursor, 2);
    frame->stream = (uint32_t)stream;
    frame->type = (unsigned)(head >> 10);
    frame->flags = (unsigned)(head & 0x3ff);
    if (!cursor.is_cut && stream <= NUMBER_MOST)
        take_fields(&cursor, frame);
    *reason = cursor.is_cut          ? "the frame is cut"
              : stream > NUMBER_MOST ? "the stream id has 32 bits"
                                     : fault_of(frame);
    return *reason == NULL;
}

/* --- writing --- */

static void put_number(struct buffer *out, uint64_t value, size_t bytes) {
    for (size_t i = bytes; i > 0; i--)
        buffer_append_char(out, (char)(value >> (8 * (i - 1)) & 0xff));
}

static void put_bytes(struct buffer *out, const struct rsocket_bytes *bytes) {
    if (bytes->length > 0)
        buffer_append(out, bytes->bytes, bytes->length);
}

static void put_payload(struct buffer *out, const struct rsocket_frame *frame) {
    if (frame->metadata.bytes) {
        assert(frame->metadata.length < (1 << 24));
        put_number(out, frame->metadata.length, 3);
        put_bytes(out, &frame->metadata);
    }
    put_bytes(out, &frame->data);
}

static void put_type(struct buffer *out, const struct rsocket_bytes *type) {
    assert(type->length < 256);
    put_number(out, type->length, 1);
    put_bytes(out, type);
}

static void put_setup(struct buffer *out, const struct rsocket_frame *frame) {
    put_number(out, frame->major, 2);
    put_number(out, frame->minor, 2);
    put_number(out, frame->keepalive, 4);
    put_number(out, frame->lifetime, 4);
    put_type(out, &frame->metadata_type);
    put_type(out, &frame->data_type);
    put_payload(out, frame);
}

void rsocket_frame_append(struct buffer *out, const struct rsocket_frame *frame) {
    assert(frame->type < 64 && frame->stream <= NUMBER_MOST);
    const unsigned metadata = frame->metadata.bytes ? RSOCKET_METADATA : 0;
    put_number(out, frame->stream, 4);
    put_number(out, frame->type << 10 | frame->flags | metadata, 2);
    switch (frame->type) {
    case RSOCKET_SETUP:
        put_setup(out, frame);
        break;
    case RSOCKET_KEEPALIVE:
        put_number(out, frame->position, 8);
        put_bytes(out, &frame->data);
        break;
    case RSOCKET_REQUEST_STREAM:
        put_number(out, frame->number, 4);
        put_payload(out, frame);
        break;
    case RSOCKET_REQUEST_N:
        put_number(out, frame->number, 4);
        break;
    case RSOCKET_PAYLOAD:
        put_payload(out, frame);
        break;
    case RSOCKET_ERROR:
        put_number(out, frame->number, 4);
        put_bytes(out, &frame->data);
        break;
    default:
        assert(frame->type == RSOCKET_CANCEL);
        break;
    }
}

bool rsocket_bytes_are(const struct rsocket_bytes *bytes, const char *text) {
    return bytes->length == strlen(text) &&
           memcmp(bytes->bytes ? bytes->bytes : "", text, bytes->length) == 0;
}
