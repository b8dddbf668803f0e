#include "live/websocket_end.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "live/live_private.h"

enum { message_kept = 4096 }; /* bytes of message buffer that an idle socket keeps */

/* --- wslay's side --- */

static ssize_t take_input(uint8_t *bytes, size_t length, int flags, void *context) {
    struct websocket_end *end = context;
    size_t there = end->input->length - end->taken;
    (void)flags;
    length = length < there ? length : there;
    if (length == 0)
        return -1;
    memcpy(bytes, end->input->data + end->taken, length);
    end->taken += length;
    return (ssize_t)length;
}

static ssize_t give_output(const uint8_t *bytes, size_t length, int flags, void *context) {
    const struct websocket_end *end = context;
    (void)flags;
    buffer_append(end->output, bytes, length);
    return (ssize_t)length;
}

static int make_mask(uint8_t *bytes, size_t length, void *context) {
    (void)context;
    return uv_random(NULL, NULL, bytes, length, 0, NULL) == 0 ? 0 : -1;
}

void websocket_end_open(struct websocket_end *end, bool client, struct buffer *output) {
    static const struct wslay_frame_callbacks callbacks = {
        .send_callback = give_output, .recv_callback = take_input, .genmask_callback = make_mask};
    *end = (struct websocket_end){.client = client, .output = output, .reason = ""};
    if (wslay_frame_context_init(&end->frames, &callbacks, end) != 0)
        abort(); /* out of memory, as base/memory.h does */
}

void websocket_end_close(struct websocket_end *end) {
    if (end->frames)
        wslay_frame_context_free(end->frames);
    end->frames = NULL;
    buffer_free(&end->message);
}

/* --- what a peer may say --- */

/* How many bytes the character at `bytes` has; 0: it is none. Neither too long a form, nor a half of a pair,
 * nor above U+10FFFF. */
static size_t character_length(const unsigned char *bytes, size_t length) {
    unsigned char first = bytes[0];
    size_t size = first < 0x80   ? 1
                  : first < 0xc2 ? 0
                  : first < 0xe0 ? 2
                  : first < 0xf0 ? 3
                  : first < 0xf5 ? 4
                                 : 0;
    if (size == 0 || size > length)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    bool wrong = (first == 0xe0 && bytes[1] < 0xa0) || (first == 0xed && bytes[1] > 0x9f) ||
                 (first == 0xf0 && bytes[1] < 0x90) || (first == 0xf4 && bytes[1] > 0x8f);
    return wrong ? 0 : size;
}

static bool is_utf8(const void *text, size_t length) {
    const unsigned char *bytes = text;
    while (length > 0) {
        size_t size = character_length(bytes, length);
        if (size == 0)
            return false;
        bytes += size;
        length -= size;
    }
    return true;
}

/* RFC 6455, 7.4, and what IANA has registered since (1012 to 1014). */
static bool may_be_sent(int code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static enum websocket_event violate(struct websocket_end *end, int code) {
    end->code = code;
    buffer_free(&end->message);
    return WEBSOCKET_EVENT_VIOLATION;
}

/* --- frames to events --- */

/* The code that a frame is refused with as soon as it begins; 0: it is good. */
static int refusal_of(const struct websocket_end *end) {
    const struct wslay_frame_iocb *frame = &end->frame;
    bool control = wslay_is_ctrl_frame(frame->opcode);
    bool known = frame->opcode <= WSLAY_BINARY_FRAME || (control && frame->opcode <= WSLAY_PONG);
    bool goes_on = frame->opcode == WSLAY_CONTINUATION_FRAME;
    if (frame->rsv != WSLAY_RSV_NONE || !known || frame->mask == end->client)
        return WEBSOCKET_BROKEN_RULE;
    if (control)
        return 0; /* wslay lets no long one through and none in pieces */
    if (goes_on != (end->kind != 0))
        return WEBSOCKET_BROKEN_RULE;
    if (frame->payload_length > LIVE_BODY_LIMIT - end->message.length)
        return WEBSOCKET_TOO_BIG;
    return 0;
}

static int begin_frame(struct websocket_end *end, const struct wslay_frame_iocb *frame) {
    end->frame = *frame;
    int code = refusal_of(end);
    if (code)
        return code;
    end->in_frame = true;
    end->left = frame->payload_length;
    if (wslay_is_ctrl_frame(frame->opcode))
        end->control_length = 0;
    else if (frame->opcode != WSLAY_CONTINUATION_FRAME)
        end->kind = frame->opcode == WSLAY_TEXT_FRAME ? WEBSOCKET_TEXT : WEBSOCKET_BINARY;
    return 0;
}

static void add_payload(struct websocket_end *end, const void *bytes, size_t length) {
    assert(length <= end->left);
    end->left -= length;
    if (length == 0)
        return;
    if (!wslay_is_ctrl_frame(end->frame.opcode)) {
        buffer_append(&end->message, bytes, length);
        return;
    }
    assert(length <= WEBSOCKET_CONTROL_MOST - end->control_length);
    memcpy(end->control + end->control_length, bytes, length);
    end->control_length += length;
    end->control[end->control_length] = '\0';
}

static enum websocket_event take_close(struct websocket_end *end) {
    const unsigned char *bytes = (const unsigned char *)end->control;
    end->code = WEBSOCKET_NO_CODE;
    end->reason = "";
    if (end->control_length == 0)
        return WEBSOCKET_EVENT_CLOSE;
    int code = end->control_length < 2 ? 0 : bytes[0] << 8 | bytes[1];
    if (!may_be_sent(code))
        return violate(end, WEBSOCKET_BROKEN_RULE);
    if (!is_utf8(bytes + 2, end->control_length - 2))
        return violate(end, WEBSOCKET_BAD_TEXT);
    end->code = code;
    end->reason = end->control + 2;
    return WEBSOCKET_EVENT_CLOSE;
}

static enum websocket_event end_frame(struct websocket_end *end) {
    end->in_frame = false;
    switch (end->frame.opcode) {
    case WSLAY_CONNECTION_CLOSE:
        return take_close(end);
    case WSLAY_PING:
        memcpy(end->pong, end->control, end->control_length);
        end->pong_length = end->control_length;
        end->pong_due = true;
        return WEBSOCKET_EVENT_NONE;
    case WSLAY_PONG:
        return WEBSOCKET_EVENT_NONE;
    default:
        if (!end->frame.fin)
            return WEBSOCKET_EVENT_NONE;
        if (end->kind == WEBSOCKET_TEXT && !is_utf8(end->message.data, end->message.length))
            return violate(end, WEBSOCKET_BAD_TEXT);
        return WEBSOCKET_EVENT_MESSAGE;
    }
}

/* The message that was announced last has been looked at. */
static void forget_message(struct websocket_end *end) {
    bool whole =
        !end->in_frame && end->kind != 0 && end->frame.fin && !wslay_is_ctrl_frame(end->frame.opcode);
    if (!whole)
        return;
    end->kind = 0;
    if (end->message.capacity > message_kept)
        buffer_free(&end->message);
    buffer_clear(&end->message);
}

enum websocket_event websocket_end_next(struct websocket_end *end, const struct buffer *input) {
    enum websocket_event event = WEBSOCKET_EVENT_NONE;
    end->input = input;
    forget_message(end);
    while (event == WEBSOCKET_EVENT_NONE) {
        struct wslay_frame_iocb frame = {0};
        ssize_t length = wslay_frame_recv(end->frames, &frame);
        if (length == WSLAY_ERR_WANT_READ)
            return WEBSOCKET_EVENT_NONE;
        if (length < 0)
            return violate(end, WEBSOCKET_BROKEN_RULE);
        int code = end->in_frame ? 0 : begin_frame(end, &frame);
        if (code)
            return violate(end, code);
        add_payload(end, frame.data, frame.data_length);
        if (end->left == 0)
            event = end_frame(end);
    }
    return event;
}

/* --- sending --- */

void websocket_end_put(struct websocket_end *end, enum wslay_opcode opcode, const void *bytes,
                       size_t length) {
    struct wslay_frame_iocb frame = {
        .fin = 1, .opcode = (uint8_t)opcode, .payload_length = length, .mask = end->client};
    size_t done = 0;
    do {
        frame.data = length > 0 ? (const uint8_t *)bytes + done : NULL;
        frame.data_length = length - done;
        ssize_t sent = wslay_frame_send(end->frames, &frame);
        assert(sent >= 0); /* the buffer takes everything */
        done += (size_t)sent;
    } while (done < length);
}

void websocket_end_put_close(struct websocket_end *end, int code, const char *reason) {
    char payload[WEBSOCKET_CONTROL_MOST];
    size_t length = code == 0 ? 0 : 2 + strlen(reason);
    assert(length <= sizeof payload);
    if (code != 0) {
        payload[0] = (char)(code >> 8);
        payload[1] = (char)(code & 0xff);
        memcpy(payload + 2, reason, length - 2);
    }
    websocket_end_put(end, WSLAY_CONNECTION_CLOSE, payload, length);
}
