/* Frames of the RSocket protocol, version 1.0, as they travel in WebSocket messages: one frame a message,
 * without a length before it. Only the frames that sync clients and the service exchange have fields here. */
#ifndef MOCK_POWERSYNC_RSOCKET_FRAME_H
#define MOCK_POWERSYNC_RSOCKET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum rsocket_type {
    RSOCKET_SETUP = 0x01,
    RSOCKET_KEEPALIVE = 0x03,
    RSOCKET_REQUEST_STREAM = 0x06,
    RSOCKET_REQUEST_N = 0x08,
    RSOCKET_CANCEL = 0x09,
    RSOCKET_PAYLOAD = 0x0a,
    RSOCKET_ERROR = 0x0b
    /* others are read too, as a type without fields */
};

/* Bits of the flags; one bit means different things in different frames. */
enum {
    RSOCKET_NEXT = 0x20,      /* PAYLOAD */
    RSOCKET_COMPLETE = 0x40,  /* PAYLOAD */
    RSOCKET_LEASE = 0x40,     /* SETUP */
    RSOCKET_FOLLOWS = 0x80,   /* REQUEST_STREAM, PAYLOAD: a fragment */
    RSOCKET_RESPOND = 0x80,   /* KEEPALIVE */
    RSOCKET_RESUME = 0x80,    /* SETUP: a token follows */
    RSOCKET_METADATA = 0x100, /* all with a payload */
    RSOCKET_IGNORE = 0x200    /* unknown: may be passed over */
};

enum {
    RSOCKET_INVALID_SETUP = 0x001,
    RSOCKET_UNSUPPORTED_SETUP = 0x002,
    RSOCKET_REJECTED_SETUP = 0x003,
    RSOCKET_CONNECTION_ERROR = 0x101,
    RSOCKET_APPLICATION_ERROR = 0x201,
    RSOCKET_REJECTED = 0x202,
    RSOCKET_INVALID = 0x204
};

/* Bytes of another's memory, not terminated; NULL and 0: none. */
struct rsocket_bytes {
    const void *bytes;
    size_t length;
};

struct rsocket_frame {
    unsigned type;   /* 0..63 */
    unsigned flags;  /* 10 bits; RSOCKET_METADATA is set by rsocket_frame_append as needed */
    uint32_t stream; /* 0: the connection; below 2^31 */
    struct rsocket_bytes metadata, data; /* data: of an ERROR its text */
    uint32_t number;              /* REQUEST_STREAM, REQUEST_N: credits, 1..2^31 - 1; ERROR: the code */
    uint64_t position;            /* KEEPALIVE: 63 bits */
    uint16_t major, minor;        /* SETUP */
    uint32_t keepalive, lifetime; /* SETUP: ms, 1..2^31 - 1 */
    struct rsocket_bytes metadata_type, data_type; /* SETUP: MIME types */
};

/* Read one whole message; the frame borrows from it. False: it is no frame; `reason` says why. */
bool rsocket_frame_read(struct rsocket_frame *frame, const void *bytes, size_t length, const char **reason);
/* Append the frame's bytes; all types with fields above can be written. */
void rsocket_frame_append(struct buffer *out, const struct rsocket_frame *frame);

bool rsocket_bytes_are(const struct rsocket_bytes *bytes, const char *text);

#endif
