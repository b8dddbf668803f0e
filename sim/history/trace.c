#include "history/trace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"

struct trace {
    XXH3_state_t *state;
    uint64_t length;
    uint64_t *marks;
    size_t n_marks;
    size_t capacity;
    struct buffer bytes; /* the record being written, all but its large parts */
};

/* First byte of a record; notes and wire events share the numbering. */
enum record_family { FAMILY_NOTE = 1, FAMILY_WIRE = 2 };

struct trace *trace_create(void) {
    struct trace *trace = memory_allocate(sizeof *trace);
    trace->state = XXH3_createState();
    if (trace->state == NULL || XXH3_128bits_reset(trace->state) != XXH_OK)
        abort();
    return trace;
}

void trace_destroy(struct trace *trace) {
    XXH3_freeState(trace->state);
    buffer_free(&trace->bytes);
    free(trace->marks);
    free(trace);
}

static void put_number(struct buffer *bytes, uint64_t number) {
    unsigned char little[8];
    for (int i = 0; i < 8; i++)
        little[i] = (unsigned char)(number >> (8 * i));
    buffer_append(bytes, little, sizeof little);
}

/* An absent text differs from an empty one. */
static void put_bytes(struct buffer *bytes, const void *data, size_t length) {
    if (data == NULL) {
        put_number(bytes, UINT64_MAX);
        return;
    }
    put_number(bytes, length);
    assert(length < UINT64_MAX); /* that length says: absent */
    buffer_append(bytes, data, length);
}

static void put_text(struct buffer *bytes, const char *text) {
    put_bytes(bytes, text, text == NULL ? 0 : strlen(text));
}

static void begin(struct trace *trace, enum record_family family, unsigned kind, int64_t time) {
    assert(kind < 256);
    buffer_clear(&trace->bytes);
    buffer_append_char(&trace->bytes, (char)family);
    buffer_append_char(&trace->bytes, (char)kind);
    put_number(&trace->bytes, (uint64_t)time);
}

static void end(struct trace *trace) {
    if (XXH3_128bits_update(trace->state, trace->bytes.data, trace->bytes.length) != XXH_OK)
        abort();
    assert(trace->n_marks == trace->length / TRACE_MARK_RECORDS);
    trace->length++;
    if (trace->length % TRACE_MARK_RECORDS == 0) {
        MEMORY_RESERVE(trace->marks, trace->capacity, trace->n_marks + 1);
        trace->marks[trace->n_marks++] = trace_hash(trace).low;
    }
}

void trace_note(struct trace *trace, int64_t time, const char *node, const struct note *note) {
    struct buffer *bytes = &trace->bytes;
    begin(trace, FAMILY_NOTE, (unsigned)note->kind, time);
    put_text(bytes, node);
    put_number(bytes, (uint64_t)note->timestamp);
    put_number(bytes, (uint64_t)note->transaction);
    put_text(bytes, note->text);
    put_number(bytes, note->n_rows);
    for (size_t i = 0; i < note->n_rows; i++) {
        put_text(bytes, note->rows[i].operation);
        put_text(bytes, note->rows[i].table);
        put_text(bytes, note->rows[i].id);
        put_text(bytes, note->rows[i].values);
    }
    if (note->process > 0)
        put_number(bytes, (uint64_t)note->process);
    end(trace);
}

static void put_headers(struct buffer *bytes, const struct http_request *request) {
    put_number(bytes, request == NULL ? 0 : request->n_headers);
    for (size_t i = 0; request != NULL && i < request->n_headers; i++) {
        put_text(bytes, request->headers[i].name);
        put_text(bytes, request->headers[i].value);
    }
}

void trace_wire(struct trace *trace, int64_t time, const struct wire_event *event) {
    struct buffer *bytes = &trace->bytes;
    begin(trace, FAMILY_WIRE, (unsigned)event->kind, time);
    put_number(bytes, event->exchange);
    put_text(bytes, event->client);
    put_text(bytes, event->server);
    put_text(bytes, event->target);
    put_number(bytes, (uint64_t)(int64_t)event->status);
    put_headers(bytes, event->request);
    put_bytes(bytes, event->bytes, event->length);
    if (event->process > 0)
        put_number(bytes, (uint64_t)event->process);
    end(trace);
}

struct hash128 trace_hash(const struct trace *trace) {
    const XXH128_hash_t digest = XXH3_128bits_digest(trace->state);
    return (struct hash128){.high = digest.high64, .low = digest.low64};
}

uint64_t trace_length(const struct trace *trace) {
    return trace->length;
}

size_t trace_marks(const struct trace *trace, const uint64_t **marks) {
    *marks = trace->marks;
    return trace->n_marks;
}
