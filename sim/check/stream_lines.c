#include "check/stream_lines.h"

#include <string.h>
#include <strings.h>

#include "base/bson.h"

#define TARGET "POST /sync/stream"

bool stream_lines_is_stream(const struct wire_event *event) {
    const size_t length = sizeof TARGET - 1;
    return event->target && strncmp(event->target, TARGET, length) == 0 &&
           (event->target[length] == '\0' || event->target[length] == '?');
}

void stream_lines_key(uint64_t exchange, char key[17]) {
    for (int i = 15; i >= 0; i--, exchange >>= 4)
        key[i] = "0123456789abcdef"[exchange & 15];
    key[16] = '\0';
}

const char *stream_lines_header(const struct http_response *response, const char *name) {
    for (size_t i = 0; i < response->n_headers; i++)
        if (strcasecmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    return "";
}

bool stream_lines_media_type(const char *value, const char *wanted) {
    const size_t length = strlen(wanted);
    return strncmp(value, wanted, length) == 0 && (value[length] == '\0' || value[length] == ';');
}

enum stream_encoding stream_lines_encoding(const struct wire_event *event) {
    if (event->status != 200)
        return STREAM_NO_LINES;
    const char *type = event->response ? stream_lines_header(event->response, "content-type") : "";
    return stream_lines_media_type(type, "application/vnd.powersync.bson-stream") ? STREAM_BINARY
                                                                                  : STREAM_TEXT;
}

static void hand_over(const char *bytes, size_t length,
                      void (*line)(void *context, const char *bytes, size_t length), void *context) {
    struct buffer text = {0};
    if (!bson_append_json(bytes, length, &text)) {
        buffer_clear(&text);
        buffer_append_text(&text, "no document");
    }
    line(context, buffer_text(&text), text.length);
    buffer_free(&text);
}

/* The whole documents at the beginning of `bytes`; returns how many bytes they are. */
static size_t hand_over_whole(struct stream_lines *lines, const char *bytes, size_t length,
                              void (*line)(void *context, const char *bytes, size_t length), void *context) {
    size_t at = 0, whole;
    while ((whole = bson_length(bytes + at, length - at)) > 0 && whole <= length - at) {
        hand_over(bytes + at, whole, line, context);
        at += whole;
    }
    lines->broken = length - at >= 4 && whole == 0;
    if (lines->broken)
        hand_over(bytes + at, length - at, line, context);
    return at;
}

/* Only what is not whole yet is copied: a bench may watch ten thousand streams. */
static void split_documents(struct stream_lines *lines, const char *bytes, size_t length,
                            void (*line)(void *context, const char *bytes, size_t length), void *context) {
    struct buffer *rest = &lines->documents;
    if (lines->broken)
        return;
    if (rest->length == 0) {
        const size_t taken = hand_over_whole(lines, bytes, length, line, context);
        buffer_append(rest, bytes + taken, length - taken);
        return;
    }
    buffer_append(rest, bytes, length);
    buffer_consume(rest, hand_over_whole(lines, rest->data, rest->length, line, context));
    if (rest->length == 0)
        buffer_free(rest);
}

void stream_lines_body(struct stream_lines *lines, const void *bytes, size_t length,
                       void (*line)(void *context, const char *bytes, size_t length), void *context) {
    if (lines->encoding == STREAM_TEXT)
        sync_line_split(&lines->text, bytes, length, line, context);
    else if (lines->encoding == STREAM_BINARY)
        split_documents(lines, bytes, length, line, context);
}

size_t stream_lines_left(const struct stream_lines *lines) {
    return lines->text.rest.length + lines->documents.length;
}

void stream_lines_free(struct stream_lines *lines) {
    sync_line_splitter_free(&lines->text);
    buffer_free(&lines->documents);
}
