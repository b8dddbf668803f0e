/* One end of an open WebSocket as a state machine without I/O: bytes in, messages out, and back (RFC 6455).
 * wslay reads and writes the frames; putting messages together, what a peer may not do, and the closing codes
 * are decided here (decision 0008). Private to sim/live.
 *
 * Whatever the peer does wrong ends in WEBSOCKET_EVENT_VIOLATION with the code to close with: 1002 (broken
 * rule), 1007 (text that is not UTF-8), 1009 (message above the host's limit). */
#ifndef SYNCLINE_LIVE_WEBSOCKET_END_H
#define SYNCLINE_LIVE_WEBSOCKET_END_H

#include <wslay/wslay.h>

#include "base/buffer.h"
#include "kernel/host.h"

enum { WEBSOCKET_CONTROL_MOST = 125, WEBSOCKET_BROKEN_RULE = 1002, WEBSOCKET_BAD_TEXT = 1007 };

enum websocket_event {
    WEBSOCKET_EVENT_NONE, /* more bytes are needed */
    WEBSOCKET_EVENT_MESSAGE,
    WEBSOCKET_EVENT_CLOSE,
    WEBSOCKET_EVENT_VIOLATION
};

struct websocket_end {
    bool client; /* masks what it sends and wants the rest unmasked */
    wslay_frame_context_ptr frames;
    const struct buffer *input; /* while websocket_end_next is at work */
    size_t taken;               /* bytes of it */
    struct buffer *output;      /* borrowed: where frames go */

    /* the frame that is being read */
    bool in_frame;
    struct wslay_frame_iocb frame;
    uint64_t left; /* bytes of its payload still to come */

    struct buffer message;    /* so far; from one event to the next the one that was announced */
    enum websocket_kind kind; /* of `message`; 0: none has begun */
    char control[WEBSOCKET_CONTROL_MOST + 1];
    size_t control_length;
    char pong[WEBSOCKET_CONTROL_MOST];
    size_t pong_length;
    bool pong_due; /* only the newest ping is answered */

    int code;           /* of a closing frame that came, or of the violation */
    const char *reason; /* never NULL after WEBSOCKET_EVENT_CLOSE */
};

/* A zeroed `end` is made one; free it with websocket_end_close. */
void websocket_end_open(struct websocket_end *end, bool client, struct buffer *output);
void websocket_end_close(struct websocket_end *end);
/* What the bytes of `input` from `end->taken` on hold next. After WEBSOCKET_EVENT_MESSAGE, `message` and
 * `kind` stay until the next call. */
enum websocket_event websocket_end_next(struct websocket_end *end, const struct buffer *input);
void websocket_end_put(struct websocket_end *end, enum wslay_opcode opcode, const void *bytes, size_t length);
void websocket_end_put_close(struct websocket_end *end, int code, const char *reason); /* 0: no code */

#endif
