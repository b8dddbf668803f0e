#include "mock-powersync/replication/convex_page.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"

/* Positions are 0 or have 19 digits, so that their texts compare like numbers. */
static int64_t position_of(const struct json_slice *slice) {
    int64_t position;
    return json_slice_integer(slice, &position) && position >= INT64_C(1000000000000000000) ? position : 0;
}

/* --- values --- */

/* Through the parser that is right in every byte. */
static bool read_parsed(const struct json_slice *slice, struct arena *arena, struct sql_value *value) {
    json_t *json = json_parse(slice->text, slice->length, NULL);
    if (!json)
        return false;
    *value = sql_value_from_json_copy(json, arena);
    json_decref(json);
    return true;
}

static bool read_value(const struct json_slice *slice, struct arena *arena, struct sql_value *value) {
    *value = (struct sql_value){0};
    switch (slice->kind) {
    case JSON_SLICE_NULL:
        return true;
    case JSON_SLICE_TRUE:
    case JSON_SLICE_FALSE:
        value->kind = SQL_INTEGER;
        value->integer = slice->kind == JSON_SLICE_TRUE;
        return true;
    case JSON_SLICE_INTEGER:
        value->kind = SQL_INTEGER;
        return json_slice_integer(slice, &value->integer);
    case JSON_SLICE_REAL:
        value->kind = SQL_REAL;
        if (!json_slice_real(slice, &value->real))
            return false;
        value->real = value->real == 0 ? 0.0 : value->real; /* the sign of -0 is lost */
        return true;
    case JSON_SLICE_STRING:
        if (!slice->plain)
            break;
        value->kind = SQL_TEXT;
        value->length = slice->length - 2;
        value->text = arena_copy_bytes(arena, slice->text + 1, value->length);
        return true;
    case JSON_SLICE_ARRAY:
    case JSON_SLICE_OBJECT:
        break;
    }
    return read_parsed(slice, arena, value);
}

/* NULL in `text`: it is no string. False: it is no JSON. */
static bool read_text(const struct json_slice *slice, struct arena *arena, const char **text) {
    struct sql_value value;
    if (!read_value(slice, arena, &value))
        return false;
    *text = slice->kind == JSON_SLICE_STRING ? value.text : NULL;
    return true;
}

/* --- documents --- */

static bool read_own_field(const struct json_slice *key, const struct json_slice *value, struct arena *arena,
                           struct convex_document *document, bool *good) {
    if (json_slice_is(key, "_table"))
        *good = read_text(value, arena, &document->table);
    else if (json_slice_is(key, "_ts"))
        document->ts = json_slice_integer(value, &document->ts) ? document->ts : 0;
    else if (json_slice_is(key, "_deleted"))
        document->deleted = value->kind == JSON_SLICE_TRUE;
    else if (!json_slice_is(key, "_component"))
        return false;
    return true;
}

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

static bool read_column(const struct json_slice *key, const struct json_slice *value, struct arena *arena,
                        struct convex_document *document) {
    const char *name;
    struct sql_value read;
    if (!read_text(key, arena, &name) || !read_value(value, arena, &read))
        return false;
    if (strcmp(name, "_id") == 0 && read.kind == SQL_TEXT && value->kind == JSON_SLICE_STRING)
        document->id = read.text;
    row_set(&document->row, name, &read);
    return true;
}

bool convex_document_read(const char *text, size_t length, struct arena *arena,
                          struct convex_document *document) {
    *document = (struct convex_document){0};
    struct row *row = &document->row;
    size_t capacity = 0;
    struct json_walk walk = json_walk_begin(text, length);
    struct json_slice key, value;
    bool good = walk.object;
    while (good && json_walk_next(&walk, &key, &value)) {
        row->columns = grow(arena, row->columns, row->count, &capacity, sizeof *row->columns);
        if (key.text[1] != '_' || !read_own_field(&key, &value, arena, document, &good))
            good = read_column(&key, &value, arena, document);
    }
    assert(row->count <= capacity);
    return good && walk.over;
}

static bool read_documents(const struct json_slice *values, struct arena *arena, struct convex_page *page) {
    size_t capacity = 0;
    struct json_walk walk = json_walk_begin(values->text, values->length);
    struct json_slice value;
    while (json_walk_next(&walk, NULL, &value)) {
        page->documents = grow(arena, page->documents, page->count, &capacity, sizeof *page->documents);
        if (!convex_document_read(value.text, value.length, arena, &page->documents[page->count++]))
            return false;
    }
    return walk.over;
}

/* --- pages --- */

bool convex_page_read(const char *text, size_t length, struct arena *arena, struct convex_page *page) {
    *page = (struct convex_page){0};
    struct json_walk walk = json_walk_begin(text, length);
    struct json_slice key, value, values = {0};
    bool good = walk.object;
    while (good && json_walk_next(&walk, &key, &value)) {
        if (json_slice_is(&key, "values"))
            values = value;
        else if (json_slice_is(&key, "snapshot"))
            page->snapshot = position_of(&value);
        else if (json_slice_is(&key, "cursor"))
            good = read_text(&value, arena, &page->page_cursor) && (page->cursor = position_of(&value)) >= 0;
        else if (json_slice_is(&key, "hasMore"))
            page->more = value.kind == JSON_SLICE_TRUE;
    }
    return good && json_walk_is_whole(&walk) && values.text && values.kind == JSON_SLICE_ARRAY &&
           read_documents(&values, arena, page);
}

bool convex_page_read_head(const char *text, size_t length, int64_t *snapshot) {
    struct json_walk walk = json_walk_begin(text, length);
    struct json_slice key, value;
    *snapshot = 0;
    bool zero = false;
    while (json_walk_next(&walk, &key, &value)) {
        if (!json_slice_is(&key, "snapshot"))
            continue;
        *snapshot = position_of(&value);
        zero = value.length == 1 && value.text[0] == '0';
    }
    return walk.object && json_walk_is_whole(&walk) && (*snapshot > 0 || zero);
}
