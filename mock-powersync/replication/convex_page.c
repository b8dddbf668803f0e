#include "mock-powersync/replication/convex_page.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_scan.h"

enum { NUMBER_BYTES = 400 };

/* --- values --- */

/* Behind the colon, or over. False: no JSON. */
static bool next_member(struct json_scan *scan, bool *first, bool *more, struct json_span *key,
                        bool *escaped) {
    if (!json_scan_next(scan, '}', first, more) || !*more)
        return scan->reason == NULL;
    return json_scan_string(scan, key, escaped, "expected a key") &&
           json_scan_take(scan, ':', "expected a colon");
}

static bool span_is(struct json_span span, const char *text) {
    size_t length = strlen(text);
    return span.length == length && memcmp(span.bytes, text, length) == 0;
}

static const char *copy_text(struct json_span span, bool escaped, struct arena *arena, size_t *length) {
    char *copy = arena_copy_bytes(arena, span.bytes, span.length);
    *length = span.length;
    if (escaped) {
        char *end = json_scan_unescape(copy, span.bytes, span.length);
        *end = 0;
        *length = (size_t)(end - copy);
    }
    return copy;
}

static bool read_text(struct json_scan *scan, struct arena *arena, struct sql_value *value) {
    struct json_span inside;
    bool escaped;
    if (!json_scan_string(scan, &inside, &escaped, "expected a value"))
        return false;
    value->kind = SQL_TEXT;
    value->text = copy_text(inside, escaped, arena, &value->length);
    return true;
}

static bool read_number(struct json_scan *scan, struct sql_value *value) {
    struct json_span span;
    char text[NUMBER_BYTES + 1];
    if (!json_scan_number(scan, &span, "expected a value"))
        return false;
    value->kind = SQL_INTEGER;
    if (json_span_integer(span, &value->integer))
        return true;
    bool real = memchr(span.bytes, '.', span.length) || memchr(span.bytes, 'e', span.length) ||
                memchr(span.bytes, 'E', span.length);
    if (!real || span.length > NUMBER_BYTES)
        return json_scan_fail(scan, "a number that does not fit");
    memcpy(text, span.bytes, span.length);
    text[span.length] = 0;
    value->kind = SQL_REAL;
    value->real = strtod(text, NULL);
    value->real = value->real == 0 ? 0.0 : value->real; /* the sign of -0 is lost */
    return isfinite(value->real) || json_scan_fail(scan, "a number that does not fit");
}

/* Arrays and objects are rare, and have to be written anew. */
static bool read_nested(struct json_scan *scan, struct arena *arena, struct sql_value *value) {
    const char *start = scan->at;
    if (!json_scan_skip(scan))
        return false;
    json_t *json = json_parse(start, (size_t)(scan->at - start), NULL);
    if (!json)
        return json_scan_fail(scan, "a key twice, or a number that does not fit");
    *value = sql_value_from_json(json, arena);
    json_decref(json);
    return true;
}

static bool read_value(struct json_scan *scan, struct arena *arena, struct sql_value *value) {
    *value = (struct sql_value){0};
    char first = json_scan_peek(scan);
    switch (first) {
    case '"':
        return read_text(scan, arena, value);
    case '{':
    case '[':
        return read_nested(scan, arena, value);
    case 't':
    case 'f':
        value->kind = SQL_INTEGER;
        value->integer = first == 't';
        return json_scan_literal(scan, first == 't' ? "true" : "false");
    case 'n':
        return json_scan_literal(scan, "null");
    default:
        return read_number(scan, value);
    }
}

/* --- documents --- */

/* Room for one more item of an array in the arena. */
static void *grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return items;
    *capacity = *capacity > 0 ? *capacity * 2 : 16;
    void *grown = arena_allocate(arena, *capacity * size);
    if (count > 0)
        memcpy(grown, items, count * size);
    return grown;
}

/* What the export adds to documents. */
static bool is_own_field(struct json_span key) {
    return key.length > 0 && key.bytes[0] == '_' &&
           (span_is(key, "_table") || span_is(key, "_ts") || span_is(key, "_deleted") ||
            span_is(key, "_component"));
}

static bool read_own_field(struct json_scan *scan, struct json_span key, struct arena *arena,
                           struct convex_document *document) {
    struct sql_value value;
    bool boolean = json_scan_peek(scan) == 't';
    if (!read_value(scan, arena, &value))
        return false;
    if (span_is(key, "_table"))
        document->table = value.kind == SQL_TEXT ? value.text : NULL;
    else if (span_is(key, "_ts"))
        document->ts = value.kind == SQL_INTEGER ? value.integer : 0;
    else if (span_is(key, "_deleted"))
        document->deleted = boolean;
    return true;
}

static bool read_column(struct json_scan *scan, struct json_span key, bool escaped, struct arena *arena,
                        struct convex_document *document) {
    size_t length;
    const char *name = copy_text(key, escaped, arena, &length);
    bool string = json_scan_peek(scan) == '"';
    struct sql_value value;
    if (!read_value(scan, arena, &value))
        return false;
    if (strcmp(name, "_id") == 0)
        document->id = string ? value.text : NULL;
    row_set(&document->row, name, &value);
    return true;
}

static bool read_document(struct json_scan *scan, struct arena *arena, struct convex_document *document) {
    struct row *row = &document->row;
    size_t capacity = 0;
    struct json_span key;
    bool first = true, more, escaped;
    *document = (struct convex_document){0};
    if (!json_scan_open(scan, '{', "expected an object"))
        return false;
    while (next_member(scan, &first, &more, &key, &escaped)) {
        if (!more)
            return true;
        row->columns = grow(arena, row->columns, row->count, &capacity, sizeof *row->columns);
        if (!(is_own_field(key) ? read_own_field(scan, key, arena, document)
                                : read_column(scan, key, escaped, arena, document)))
            return false;
    }
    return false;
}

bool convex_document_read(const char *text, size_t length, struct arena *arena,
                          struct convex_document *document) {
    struct json_scan scan;
    json_scan_start(&scan, text, length);
    return read_document(&scan, arena, document) && json_scan_finish(&scan);
}

static bool read_documents(struct json_scan *scan, struct arena *arena, struct convex_page *page) {
    size_t capacity = 0;
    bool first = true, more;
    if (!json_scan_open(scan, '[', "expected an array"))
        return false;
    while (json_scan_next(scan, ']', &first, &more)) {
        if (!more)
            return true;
        page->documents = grow(arena, page->documents, page->count, &capacity, sizeof *page->documents);
        if (!read_document(scan, arena, &page->documents[page->count++]))
            return false;
    }
    return false;
}

/* --- pages --- */

/* Positions are 0 or have 19 digits, so that their texts compare like numbers. */
static bool is_position(const struct sql_value *value) {
    return value->kind == SQL_INTEGER &&
           (value->integer == 0 || value->integer >= INT64_C(1000000000000000000));
}

static void take_field(struct json_span key, const struct sql_value *value, bool boolean,
                       struct convex_page *page) {
    int64_t position = is_position(value) ? value->integer : 0;
    if (span_is(key, "snapshot"))
        page->snapshot = position;
    else if (span_is(key, "cursor") && value->kind == SQL_TEXT)
        page->page_cursor = value->text;
    else if (span_is(key, "cursor"))
        page->cursor = position;
    else if (span_is(key, "hasMore"))
        page->more = boolean;
}

bool convex_page_read(const char *text, size_t length, struct arena *arena, struct convex_page *page) {
    struct json_scan scan;
    struct json_span key;
    struct sql_value value;
    bool first = true, more, escaped, values = false;
    *page = (struct convex_page){0};
    json_scan_start(&scan, text, length);
    if (!json_scan_open(&scan, '{', "expected an object"))
        return false;
    while (next_member(&scan, &first, &more, &key, &escaped)) {
        if (!more)
            return json_scan_finish(&scan) && values;
        bool boolean = json_scan_peek(&scan) == 't';
        if (!values && span_is(key, "values"))
            values = read_documents(&scan, arena, page);
        else if (read_value(&scan, arena, &value))
            take_field(key, &value, boolean, page);
        if (scan.reason)
            return false;
    }
    return false;
}

bool convex_page_read_head(const char *text, size_t length, int64_t *snapshot) {
    struct json_scan scan;
    struct json_span key;
    struct sql_value value = {0};
    bool first = true, more = false, escaped, found = false;
    json_scan_start(&scan, text, length);
    if (!json_scan_open(&scan, '{', "expected an object"))
        return false;
    while (next_member(&scan, &first, &more, &key, &escaped) && more) {
        if (span_is(key, "snapshot"))
            found = read_number(&scan, &value) && is_position(&value);
        else
            json_scan_skip(&scan);
        if (scan.reason)
            return false;
    }
    *snapshot = value.integer;
    return found && json_scan_finish(&scan);
}
