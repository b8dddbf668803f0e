/* Fuzz target: the bytes of an open WebSocket. The first byte says which end reads them (bit 0: the client's)
 * and how they are cut (the rest, a seed).
 *
 * Checked for any input: nothing crashes; however the bytes are cut, the same messages and the same end come;
 * text is UTF-8; a closing code is one that may be sent; a violation has one of the codes of the header; the
 * memory of a message is in proportion to the bytes that came; a message that is sent on by the other end
 * arrives the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "live/websocket_end.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_text(const char *text, size_t length) {
    json_t *string = json_stringn(length > 0 ? text : "", length); /* an independent idea of UTF-8 */
    json_decref(string);
    return string != NULL;
}

static bool may_close(int code) {
    return code == 1005 || (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

/* The other end says the same, and this end hears it. */
static void check_echo(const struct websocket_end *heard) {
    struct buffer wire = {0}, unused = {0};
    struct websocket_end sender = {0}, receiver = {0};
    websocket_end_open(&sender, !heard->client, &wire);
    websocket_end_open(&receiver, heard->client, &unused);
    websocket_end_put(&sender, (enum wslay_opcode)heard->kind, heard->message.data, heard->message.length);
    enum websocket_event event = websocket_end_next(&receiver, &wire);
    assert(event == WEBSOCKET_EVENT_MESSAGE && receiver.kind == heard->kind);
    assert(receiver.message.length == heard->message.length && receiver.taken == wire.length);
    assert(heard->message.length == 0 ||
           memcmp(receiver.message.data, heard->message.data, heard->message.length) == 0);
    (void)event;
    websocket_end_close(&sender);
    websocket_end_close(&receiver);
    buffer_free(&wire);
    buffer_free(&unused);
}

/* One line an event. False: the conversation is over. */
static bool tell(const struct websocket_end *end, enum websocket_event event, struct buffer *story) {
    if (event == WEBSOCKET_EVENT_MESSAGE) {
        assert(end->kind == WEBSOCKET_TEXT || end->kind == WEBSOCKET_BINARY);
        assert(end->kind == WEBSOCKET_BINARY || is_text(end->message.data, end->message.length));
        check_echo(end);
        buffer_printf(story, "message %d %zu ", (int)end->kind, end->message.length);
        if (end->message.length > 0)
            buffer_append(story, end->message.data, end->message.length);
        return true;
    }
    if (event == WEBSOCKET_EVENT_CLOSE) {
        assert(may_close(end->code) && strlen(end->reason) <= WEBSOCKET_REASON_LIMIT);
        assert(is_text(end->reason, strlen(end->reason)));
        buffer_printf(story, "close %d %s", end->code, end->reason);
    } else {
        assert(end->code == WEBSOCKET_BROKEN_RULE || end->code == WEBSOCKET_BAD_TEXT ||
               end->code == WEBSOCKET_TOO_BIG);
        assert(end->message.length == 0);
        buffer_printf(story, "violation %d", end->code);
    }
    return false;
}

/* `seed` 0: the bytes come all at once. */
static void take(bool client, const uint8_t *data, size_t size, uint32_t seed, struct buffer *story) {
    struct buffer held = {0}, out = {0};
    struct websocket_end end = {0};
    bool goes_on = true;
    websocket_end_open(&end, client, &out);
    for (size_t at = 0; goes_on && at < size;) {
        size_t piece = seed == 0 ? size : 1 + (seed >> 24) % 16;
        seed = seed == 0 ? 0 : (seed * 1664525 + 1013904223) | 1;
        piece = piece < size - at ? piece : size - at;
        buffer_append(&held, data + at, piece);
        at += piece;
        enum websocket_event event;
        while (goes_on && (event = websocket_end_next(&end, &held)) != WEBSOCKET_EVENT_NONE)
            goes_on = tell(&end, event, story);
        assert(!goes_on || end.taken == held.length);
        assert(end.message.capacity <= 8192 + 4 * size && end.pong_length <= WEBSOCKET_CONTROL_MOST);
        buffer_consume(&held, end.taken);
        end.taken = 0;
    }
    assert(out.length == 0); /* reading says nothing */
    websocket_end_close(&end);
    buffer_free(&held);
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buffer whole = {0}, cut = {0};
    if (size == 0)
        return 0;
    take(data[0] & 1, data + 1, size - 1, 0, &whole);
    take(data[0] & 1, data + 1, size - 1, (uint32_t)data[0] << 24 | 1, &cut);
    assert(whole.length == cut.length && memcmp(buffer_text(&whole), buffer_text(&cut), cut.length) == 0);
    buffer_free(&whole);
    buffer_free(&cut);
    return 0;
}
