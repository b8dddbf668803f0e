#include "mock-powersync/stream/line_writer.h"

#include <assert.h>
#include <string.h>

static bool is_bson(const struct line_writer *line) {
    return line->format == LINE_BSON;
}

static void push(struct line_writer *line, bool is_array) {
    assert(line->depth < BSON_WRITER_DEPTH);
    line->arrays[line->depth++] = is_array;
    line->first = true;
    buffer_append_char(line->out, is_array ? '[' : '{');
}

/* The comma and the key before a JSON value. */
static void lead(struct line_writer *line, const char *key) {
    assert(line->depth > 0 && line->arrays[line->depth - 1] == !key);
    if (!line->first)
        buffer_append_char(line->out, ',');
    line->first = false;
    if (!key)
        return;
    buffer_append_char(line->out, '"'); /* keys are words of the protocol: nothing to escape */
    buffer_append_text(line->out, key);
    buffer_append(line->out, "\":", 2);
}

void line_begin(struct line_writer *line, enum line_format format, struct buffer *out) {
    line->format = format;
    line->out = out;
    line->depth = 0;
    if (is_bson(line))
        bson_begin(&line->bson, out);
    else
        push(line, false);
}

void line_finish(struct line_writer *line) {
    line_close(line);
    assert(is_bson(line) ? line->bson.depth == 0 : line->depth == 0);
    if (!is_bson(line))
        buffer_append_char(line->out, '\n');
}

void line_object(struct line_writer *line, const char *key) {
    if (is_bson(line)) {
        bson_document(&line->bson, key);
        return;
    }
    lead(line, key);
    push(line, false);
}

void line_array(struct line_writer *line, const char *key) {
    if (is_bson(line)) {
        bson_array(&line->bson, key);
        return;
    }
    lead(line, key);
    push(line, true);
}

void line_close(struct line_writer *line) {
    if (is_bson(line)) {
        bson_end(&line->bson);
        return;
    }
    assert(line->depth > 0);
    buffer_append_char(line->out, line->arrays[--line->depth] ? ']' : '}');
    line->first = false;
}

void line_text(struct line_writer *line, const char *key, const char *text, size_t length) {
    if (is_bson(line)) {
        bson_text(&line->bson, key, text, length);
        return;
    }
    lead(line, key);
    buffer_append_json_string(line->out, text, length);
}

void line_number(struct line_writer *line, const char *key, int64_t value) {
    if (is_bson(line)) {
        bson_number(&line->bson, key, value);
        return;
    }
    lead(line, key);
    buffer_append_integer(line->out, value);
}

void line_id(struct line_writer *line, const char *key, uint64_t id) {
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + id % 10);
    while ((id /= 10) > 0);
    line_text(line, key, digits + at, sizeof digits - at);
}

void line_boolean(struct line_writer *line, const char *key, bool value) {
    if (is_bson(line)) {
        bson_boolean(&line->bson, key, value);
        return;
    }
    lead(line, key);
    buffer_append_text(line->out, value ? "true" : "false");
}

void line_null(struct line_writer *line, const char *key) {
    if (is_bson(line)) {
        bson_null(&line->bson, key);
        return;
    }
    lead(line, key);
    buffer_append_text(line->out, "null");
}

void line_json(struct line_writer *line, const char *key, const char *json, size_t length) {
    assert(!is_bson(line));
    lead(line, key);
    buffer_append(line->out, json, length);
}
