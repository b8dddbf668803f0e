#include "client/line_splitter.h"

#include <assert.h>
#include <string.h>

enum { BSON_PREFIX = 4, BSON_SMALLEST = 5 };

void line_splitter_reset(struct line_splitter *splitter, bool binary) {
    buffer_free(&splitter->pending);
    splitter->binary = binary;
    splitter->delivered = false;
}

static bool is_blank(const char *line, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    return true;
}

/* What the BSON document at the front says its length is; SIZE_MAX: not known yet. */
static size_t document_length(const struct buffer *pending, const char *bytes, size_t length) {
    size_t total = 0;

    if (pending->length + length < BSON_PREFIX)
        return SIZE_MAX;
    for (size_t i = 0; i < BSON_PREFIX; i++) {
        const char *byte = i < pending->length ? pending->data + i : bytes + (i - pending->length);

        total |= (size_t)(unsigned char)*byte << (8 * i);
    }
    return total;
}

/* How many of the `length` bytes belong to the line at the front; 0: all of them and more. */
static size_t bytes_of_line(const struct line_splitter *splitter, const char *bytes, size_t length) {
    size_t total;

    if (!splitter->binary) {
        const char *newline = memchr(bytes, '\n', length);

        return newline != NULL ? (size_t)(newline - bytes) + 1 : 0;
    }
    total = document_length(&splitter->pending, bytes, length);
    if (total < splitter->pending.length || total > splitter->pending.length + length)
        return 0;
    return total - splitter->pending.length;
}

static bool is_too_long(const struct line_splitter *splitter, const char *bytes, size_t length,
                        size_t count) {
    if (splitter->binary) {
        size_t total = document_length(&splitter->pending, bytes, length);

        return total != SIZE_MAX && (total < BSON_SMALLEST || total > LINE_SPLITTER_LIMIT);
    }
    return splitter->pending.length + (count > 0 ? count : length) > LINE_SPLITTER_LIMIT;
}

static void take(const char **bytes, size_t *length, size_t count) {
    assert(count <= *length);
    *bytes += count;
    *length -= count;
}

enum line_splitter_outcome line_splitter_next(struct line_splitter *splitter, const char **bytes,
                                              size_t *length, const char **line, size_t *line_length) {
    if (splitter->delivered) {
        buffer_clear(&splitter->pending);
        splitter->delivered = false;
    }
    while (*length > 0) {
        size_t count;

        count = bytes_of_line(splitter, *bytes, *length);
        if (is_too_long(splitter, *bytes, *length, count))
            return LINE_SPLITTER_TOO_LONG;
        if (splitter->pending.length == 0 && count > 0) {
            *line = *bytes;
            *line_length = count;
        } else {
            buffer_append(&splitter->pending, *bytes, count > 0 ? count : *length);
            *line = splitter->pending.data;
            *line_length = splitter->pending.length;
        }
        take(bytes, length, count > 0 ? count : *length);
        if (count == 0)
            return LINE_SPLITTER_MORE;
        splitter->delivered = splitter->pending.length > 0;
        if (!splitter->binary)
            (*line_length)--; /* the newline */
        if (splitter->binary || !is_blank(*line, *line_length))
            return LINE_SPLITTER_LINE;
        buffer_clear(&splitter->pending);
        splitter->delivered = false;
    }
    return LINE_SPLITTER_MORE;
}

enum line_splitter_outcome line_splitter_finish(struct line_splitter *splitter, const char **line,
                                                size_t *line_length) {
    if (splitter->binary || splitter->delivered || is_blank(splitter->pending.data, splitter->pending.length))
        return LINE_SPLITTER_MORE;
    splitter->delivered = true;
    *line = splitter->pending.data;
    *line_length = splitter->pending.length;
    return LINE_SPLITTER_LINE;
}
