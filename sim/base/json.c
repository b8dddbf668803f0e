#include "base/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { json_depth_limit = 256 };

/* Deepest nesting of brackets outside strings. The text need not be valid. */
static int nesting(const char *text, size_t length) {
    int depth = 0, deepest = 0;
    bool inside = false; /* a string */
    for (size_t i = 0; i < length; i++) {
        char byte = text[i];
        if (inside) {
            if (byte == '\\')
                i++;
            else if (byte == '"')
                inside = false;
        } else if (byte == '"') {
            inside = true;
        } else if (byte == '{' || byte == '[') {
            deepest = ++depth > deepest ? depth : deepest;
        } else if (byte == '}' || byte == ']') {
            depth--;
        }
    }
    return deepest;
}

json_t *json_parse(const char *text, size_t length, struct error *error) {
    assert(text || length == 0);
    if (nesting(text, length) > json_depth_limit) {
        error_set(error, STATUS_INVALID, "JSON is nested more than %d deep", json_depth_limit);
        return NULL;
    }
    json_error_t problem = {0};
    json_t *value = json_loadb(length ? text : "", length,
                               JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &problem);
    if (!value)
        error_set_at(error, STATUS_INVALID, "", problem.line, problem.column,
                     "invalid JSON at line %d column %d: %s", problem.line, problem.column, problem.text);
    return value;
}

const char *json_text(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

int64_t json_integer_or(const json_t *object, const char *key, int64_t otherwise) {
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool json_bool_or(const json_t *object, const char *key, bool otherwise) {
    const json_t *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

static void append_value(struct buffer *out, const json_t *value, bool sorted);

static int compare_keys(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void append_member(struct buffer *out, const char *key, const json_t *value, bool sorted, bool first) {
    if (!first)
        buffer_append_char(out, ',');
    buffer_append_json_text(out, key);
    buffer_append_char(out, ':');
    append_value(out, value, sorted);
}

static void append_object_sorted(struct buffer *out, const json_t *object) {
    size_t count = json_object_size(object);
    const char **keys = memory_allocate_array(count, sizeof *keys);
    size_t used = 0;
    for (void *at = json_object_iter((json_t *)object); at; at = json_object_iter_next((json_t *)object, at))
        keys[used++] = json_object_iter_key(at);
    assert(used == count);
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 0; i < count; i++)
        append_member(out, keys[i], json_object_get(object, keys[i]), true, i == 0);
    free(keys);
}

/* jansson keeps members in insertion order, but takes a non-const object to iterate over. */
static void append_object(struct buffer *out, const json_t *object, bool sorted) {
    buffer_append_char(out, '{');
    if (sorted) {
        append_object_sorted(out, object);
    } else {
        bool first = true;
        for (void *at = json_object_iter((json_t *)object); at;
             at = json_object_iter_next((json_t *)object, at)) {
            append_member(out, json_object_iter_key(at), json_object_iter_value(at), false, first);
            first = false;
        }
    }
    buffer_append_char(out, '}');
}

static void append_array(struct buffer *out, const json_t *array, bool sorted) {
    buffer_append_char(out, '[');
    size_t count = json_array_size(array);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_char(out, ',');
        append_value(out, json_array_get(array, i), sorted);
    }
    buffer_append_char(out, ']');
}

static void append_value(struct buffer *out, const json_t *value, bool sorted) {
    assert(value);
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        append_object(out, value, sorted);
        break;
    case JSON_ARRAY:
        append_array(out, value, sorted);
        break;
    case JSON_STRING:
        buffer_append_json_string(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        buffer_append_integer(out, json_integer_value(value));
        break;
    case JSON_REAL:
        buffer_append_double(out, json_real_value(value));
        break;
    case JSON_TRUE:
        buffer_append_text(out, "true");
        break;
    case JSON_FALSE:
        buffer_append_text(out, "false");
        break;
    case JSON_NULL:
        buffer_append_text(out, "null");
        break;
    }
}

void json_append(struct buffer *out, const json_t *value) {
    append_value(out, value, false);
}

void json_append_sorted(struct buffer *out, const json_t *value) {
    append_value(out, value, true);
}

/* Bytes of the character at the front of the text; 0: it is none. */
static size_t character_length(const char *bytes, size_t length) {
    unsigned char first = (unsigned char)bytes[0];
    size_t wanted = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (wanted == 1)
        return 1;
    json_t *one = wanted > 0 && wanted <= length ? json_stringn(bytes, wanted) : NULL;
    json_decref(one);
    return one ? wanted : 0;
}

json_t *json_string_lossy(const char *bytes, size_t length) {
    json_t *text = json_stringn(bytes, length);
    if (text)
        return text;
    struct buffer clean = {0};
    for (size_t i = 0, step; i < length; i += step ? step : 1) {
        step = character_length(bytes + i, length - i);
        buffer_append(&clean, step ? bytes + i : "\xef\xbf\xbd", step ? step : 3);
    }
    text = json_stringn(buffer_text(&clean), clean.length);
    buffer_free(&clean);
    return text;
}
