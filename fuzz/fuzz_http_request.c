/* Fuzz target: the bytes that a peer sends to the live HTTP server, as far as they are requests. The first
 * byte says how they are cut; the rest may hold any number of requests, one behind the other.
 *
 * Checked for any input: nothing crashes; however the bytes are cut, the same requests come and the same
 * refusal ends them; a refusal has one of the statuses of docs/internals.md; methods, names and values are
 * texts without line ends; no body is larger than what came. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "live/connection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Would bring the connection to the loop, which is not there. */
void connection_mark_due(struct connection *connection) {
    connection->due = true;
}

static void append_line(struct buffer *story, const char *name, const char *value) {
    assert(strpbrk(name, "\r\n") == NULL && strpbrk(value, "\r\n") == NULL);
    buffer_printf(story, "%s: %s\n", name, value);
}

static void on_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct buffer *story = context;
    assert(exchange == 1 && request->authority != NULL && request->n_headers <= live_header_fields_most);
    append_line(story, request->method, request->target);
    for (size_t i = 0; i < request->n_headers; i++)
        append_line(story, request->headers[i].name, request->headers[i].value);
    buffer_printf(story, "%zu ", request->body_length);
    assert((request->body == NULL) == (request->body_length == 0));
    if (request->body_length > 0)
        buffer_append(story, request->body, request->body_length);
}

static void check_refusal(int status) {
    assert(status == 400 || status == 413 || status == 431 || status == 505);
    (void)status;
}

/* True: what is held has been used up and nothing was refused. */
static bool parse_held(struct connection *connection, struct buffer *story) {
    while (connection_parse(connection)) {
        connection->exchange = 1;
        connection_deliver(connection);
        bool goes_on = http_should_keep_alive(&connection->parser);
        buffer_printf(story, "%d\n", goes_on);
        if (!goes_on)
            return false;
        connection_parse_start(connection);
    }
    if (connection->incoming.refusal) {
        check_refusal(connection->incoming.refusal);
        buffer_append_text(
            story, "refused"); /* of two reasons the one that was seen first, which a cut may change */
    }
    return !connection->incoming.refusal;
}

/* `seed` 0: the bytes come all at once. */
static void take(const uint8_t *data, size_t size, uint32_t seed, struct buffer *story) {
    struct live_node node = {
        .listening = true, .listener = {.request = on_request}, .listener_context = story};
    struct connection *connection = memory_allocate(sizeof *connection);
    connection->node = &node;
    connection_parse_start(connection);
    bool goes_on = true;
    for (size_t at = 0; goes_on && at < size;) {
        size_t piece = seed == 0 ? size : 1 + (seed >> 24) % 32;
        seed = seed == 0 ? 0 : (seed * 1664525 + 1013904223) | 1;
        piece = piece < size - at ? piece : size - at;
        buffer_append(&connection->stream.held, data + at, piece);
        at += piece;
        goes_on = parse_held(connection, story);
        assert(connection->incoming.body.length <= size);
    }
    buffer_free(&connection->stream.held);
    buffer_free(&connection->stream.out);
    buffer_free(&connection->incoming.target);
    buffer_free(&connection->incoming.text);
    buffer_free(&connection->incoming.body);
    free(connection);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buffer whole = {0}, cut = {0};
    if (size == 0)
        return 0;
    take(data + 1, size - 1, 0, &whole);
    take(data + 1, size - 1, (uint32_t)data[0] << 24 | 1, &cut);
    assert(whole.length == cut.length && memcmp(buffer_text(&whole), buffer_text(&cut), cut.length) == 0);
    buffer_free(&whole);
    buffer_free(&cut);
    return 0;
}
