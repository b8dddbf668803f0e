#include "mock-powersync/config/row.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"

/* The sign of -0 is lost in every output of the real service. `json` is a private copy or read only by us. */
static void drop_zero_signs(json_t *json) {
    if (json_is_real(json) && json_real_value(json) == 0) {
        json_real_set(json, 0.0);
    } else if (json_is_array(json)) {
        size_t i;
        json_t *item;
        json_array_foreach(json, i, item) {
            drop_zero_signs(item);
        }
    } else if (json_is_object(json)) {
        const char *key;
        json_t *item;
        json_object_foreach(json, key, item) {
            drop_zero_signs(item);
        }
    }
}

struct sql_value sql_value_from_json(const json_t *json, struct arena *arena) {
    struct sql_value value = {0};
    switch (json_typeof(json)) {
    case JSON_NULL:
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        value.kind = SQL_INTEGER;
        value.integer = json_is_true(json);
        break;
    case JSON_INTEGER:
        value.kind = SQL_INTEGER;
        value.integer = json_integer_value(json);
        break;
    case JSON_REAL:
        value.kind = SQL_REAL;
        value.real = json_real_value(json) == 0 ? 0.0 : json_real_value(json);
        break;
    case JSON_STRING:
        value.kind = SQL_TEXT;
        value.text = json_string_value(json);
        value.length = json_string_length(json);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT: {
        struct buffer text = {0};
        drop_zero_signs((json_t *)(uintptr_t)json);
        json_append(&text, json);
        value.kind = SQL_TEXT;
        value.text = arena_copy_bytes(arena, text.data, text.length);
        value.length = text.length;
        buffer_free(&text);
        break;
    }
    }
    return value;
}

struct sql_value sql_value_from_json_copy(const json_t *json, struct arena *arena) {
    struct sql_value value = sql_value_from_json(json, arena);
    if (json_is_string(json))
        value.text = arena_copy_bytes(arena, value.text, value.length);
    return value;
}

const struct sql_value *row_get(const struct row *row, const char *name) {
    for (size_t i = 0; i < row->count; i++)
        if (strcmp(row->columns[i].name, name) == 0)
            return &row->columns[i].value;
    return NULL;
}

void row_set(struct row *row, const char *name, const struct sql_value *value) {
    for (size_t i = 0; i < row->count; i++) {
        if (strcmp(row->columns[i].name, name) == 0) {
            row->columns[i].value = *value;
            return;
        }
    }
    row->columns[row->count++] = (struct row_column){name, *value};
}

void sql_value_append_json(struct buffer *out, const struct sql_value *value) {
    switch (value->kind) {
    case SQL_BLOB:
    case SQL_NULL:
        buffer_append(out, "null", 4);
        break;
    case SQL_INTEGER:
        buffer_append_integer(out, value->integer);
        break;
    case SQL_REAL:
        buffer_append_double(out, value->real);
        break;
    case SQL_TEXT:
        buffer_append_json_string(out, value->text, value->length);
        break;
    }
}

void row_append_json(struct buffer *out, const struct row *row) {
    buffer_append_char(out, '{');
    bool first = true;
    for (size_t i = 0; i < row->count; i++) {
        if (row->columns[i].value.kind == SQL_BLOB || row->columns[i].value.absent)
            continue;
        if (!first)
            buffer_append_char(out, ',');
        first = false;
        buffer_append_json_text(out, row->columns[i].name);
        buffer_append_char(out, ':');
        sql_value_append_json(out, &row->columns[i].value);
    }
    buffer_append_char(out, '}');
}

/* A double as JavaScript's String(number): without the forced ".0". */
static void append_javascript_number(struct buffer *out, double number) {
    buffer_append_double(out, number);
    if (out->length > 2 && memcmp(out->data + out->length - 2, ".0", 2) == 0) {
        out->length -= 2;
        out->data[out->length] = '\0';
    }
}

void sql_value_append_text(struct buffer *out, const struct sql_value *value) {
    if (value->kind == SQL_TEXT)
        buffer_append(out, value->text, value->length);
    else if (value->kind == SQL_INTEGER)
        buffer_append_integer(out, value->integer);
    else if (value->kind == SQL_REAL)
        append_javascript_number(out, value->real);
}

void sql_value_append_parameter(struct buffer *out, const struct sql_value *value) {
    if (value->kind == SQL_REAL)
        append_javascript_number(out, value->real);
    else
        sql_value_append_json(out, value);
}
