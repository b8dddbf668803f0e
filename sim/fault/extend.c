/* `extend`: the server is of a later release. Answers of JSON get a field that nobody knows; sync streams get
 * one in each line, and lines of a kind that nobody knows between them. What is packed (gzip) stays as it is.
 */
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "fault/kind.h"

enum body_kind { BODY_OTHER, BODY_JSON, BODY_LINES, BODY_BSON };

static const char new_field[] = "\"from_a_later_release\":{\"list\":[1]}";
static const char new_line[] = "{\"from_a_later_release\":{\"list\":[1]}}\n";
/* A boolean that is true, as an element; and a document that holds a document that holds it. */
static const char new_element[] = "\x08"
                                  "from_a_later_release\0\x01";
enum { ELEMENT_SIZE = sizeof new_element - 1, NAME_SIZE = sizeof "from_a_later_release" };

/* stage->passed: what kind of body it is in the lowest two bits, above them how many bytes of a BSON document
 * are still to come; of JSON: 1 when its beginning has gone. */
static enum body_kind kind_of(const struct fault_stage *stage) {
    return (enum body_kind)(stage->passed & 3);
}

static uint64_t rest_of(const struct fault_stage *stage) {
    return stage->passed >> 2;
}

static void set_rest(struct fault_stage *stage, uint64_t rest) {
    stage->passed = rest << 2 | (stage->passed & 3);
}

static enum body_kind read_kind(const struct http_response *response) {
    static const char *const types[] = {[BODY_JSON] = "application/json",
                                        [BODY_LINES] = "application/x-ndjson",
                                        [BODY_BSON] = "application/vnd.powersync.bson-stream"};
    enum body_kind kind = BODY_OTHER;
    for (size_t i = 0; i < response->n_headers; i++) {
        const struct http_header *header = &response->headers[i];
        if (strcasecmp(header->name, "content-encoding") == 0)
            return BODY_OTHER;
        for (size_t k = BODY_JSON; strcasecmp(header->name, "content-type") == 0 && k <= BODY_BSON; k++)
            if (strncmp(header->value, types[k], strlen(types[k])) == 0)
                kind = (enum body_kind)k;
    }
    return response->status == 200 ? kind : BODY_OTHER;
}

/* --- JSON --- */

/* `brace` is an object's first byte. */
static void add_field(struct buffer *out, const char *brace, const char *end) {
    buffer_append_char(out, '{');
    buffer_append_text(out, new_field);
    if (brace + 1 < end && brace[1] != '}')
        buffer_append_char(out, ',');
}

static void extend_json(struct fault_stage *stage, struct buffer *out, const char *bytes, size_t length) {
    const bool begins = rest_of(stage) == 0 && length > 0 && *bytes == '{';
    if (begins)
        add_field(out, bytes, bytes + length);
    buffer_append(out, bytes + begins, length - begins);
    set_rest(stage, 1);
}

/* A line {"kind":{..}} gets the field inside; one without an object inside stays. */
static void extend_line(struct buffer *out, const char *line, const char *end) {
    const char *colon = memchr(line, ':', (size_t)(end - line));
    if (!colon || colon + 1 >= end || colon[1] != '{') {
        buffer_append(out, line, (size_t)(end - line));
        return;
    }
    buffer_append(out, line, (size_t)(colon + 1 - line));
    add_field(out, colon + 1, end);
    buffer_append(out, colon + 2, (size_t)(end - colon - 2));
}

/* `rest` tells that the last write ended within a line. */
static void extend_lines(struct fault_stage *stage, struct buffer *out, const char *bytes, size_t length) {
    const char *end = bytes + length;
    while (bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        const char *stop = newline ? newline + 1 : end;
        if (rest_of(stage) == 0)
            extend_line(out, bytes, stop);
        else
            buffer_append(out, bytes, (size_t)(stop - bytes));
        if (newline)
            buffer_append_text(out, new_line);
        set_rest(stage, newline ? 0 : 1);
        bytes = stop;
    }
}

/* --- BSON --- */

static uint32_t read_size(const char *bytes) {
    uint32_t size = 0;
    for (int i = 3; i >= 0; i--)
        size = size << 8 | (unsigned char)bytes[i];
    return size;
}

static void append_size(struct buffer *out, uint32_t size) {
    for (int i = 0; i < 4; i++, size >>= 8)
        buffer_append_char(out, (char)(size & 0xff));
}

static void append_new_document(struct buffer *out) {
    enum { INNER = 4 + ELEMENT_SIZE + 1, OUTER = 4 + 1 + NAME_SIZE + INNER + 1 };
    append_size(out, OUTER);
    buffer_append_char(out, 3); /* a document, by the same name */
    buffer_append(out, new_element + 1, NAME_SIZE);
    append_size(out, INNER);
    buffer_append(out, new_element, ELEMENT_SIZE);
    buffer_append(out, "\0", 2); /* the ends of both */
}

/* The head of a document {kind: {..}} up to where the inner one's elements begin, made longer by one element.
 * Returns how many bytes of the input that was; 0: the document has another form, or not so much of it is
 * there. */
static size_t extend_head(struct buffer *out, const char *bytes, size_t length) {
    const char *name_end = length > 5 && bytes[4] == 3 ? memchr(bytes + 5, 0, length - 5) : NULL;
    if (!name_end || name_end + 5 > bytes + length)
        return 0;
    append_size(out, read_size(bytes) + ELEMENT_SIZE);
    buffer_append(out, bytes + 4, (size_t)(name_end + 1 - bytes) - 4);
    append_size(out, read_size(name_end + 1) + ELEMENT_SIZE);
    buffer_append(out, new_element, ELEMENT_SIZE);
    return (size_t)(name_end + 5 - bytes);
}

static void extend_bson(struct fault_stage *stage, struct buffer *out, const char *bytes, size_t length) {
    while (length > 0) {
        size_t head = 0;
        if (rest_of(stage) == 0 && length < 4) { /* a write that ends in a size: nothing more can be told */
            stage->passed = BODY_OTHER;
            buffer_append(out, bytes, length);
            return;
        }
        if (rest_of(stage) == 0) {
            set_rest(stage, read_size(bytes));
            head = extend_head(out, bytes, length);
        }
        const size_t part = rest_of(stage) < length ? (size_t)rest_of(stage) : length;
        buffer_append(out, bytes + head, part - head);
        set_rest(stage, rest_of(stage) - part);
        if (rest_of(stage) == 0)
            append_new_document(out);
        bytes += part;
        length -= part;
    }
}

static void pass(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    static void (*const extend[])(struct fault_stage *, struct buffer *, const char *, size_t) = {
        [BODY_JSON] = extend_json, [BODY_LINES] = extend_lines, [BODY_BSON] = extend_bson};
    (void)struck;
    if (event->kind == FAULT_EVENT_RESPOND)
        stage->passed = read_kind(event->response);
    if (event->kind != FAULT_EVENT_WRITE || kind_of(stage) == BODY_OTHER) {
        fault_pass(stage, event);
        return;
    }
    struct buffer out = {0};
    struct fault_event longer = *event;
    extend[kind_of(stage)](stage, &out, event->bytes, event->length);
    longer.bytes = out.data;
    longer.length = out.length;
    fault_pass(stage, &longer);
    buffer_free(&out);
}

const struct door_fault fault_extend = {.name = "extend",
                                        .summary = "answers have fields and lines that nobody knows yet",
                                        .requests = true,
                                        .pass = pass};
