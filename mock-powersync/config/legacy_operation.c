#include "mock-powersync/config/legacy_operation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/config/utf16.h"

#define OPERATION(name)                                                                                      \
    static bool name(const struct sql_value *arguments, size_t count, struct arena *arena,                   \
                     struct sql_value *value)

static struct sql_value integer_value(int64_t integer) {
    return (struct sql_value){.kind = SQL_INTEGER, .integer = integer};
}

static struct sql_value taken_text(struct buffer *text, struct arena *arena) {
    struct sql_value value = {.kind = SQL_TEXT, .length = text->length};
    value.text = arena_copy_bytes(arena, buffer_text(text), text->length);
    buffer_free(text);
    return value;
}

static struct sql_value as_text(const struct sql_value *value, struct arena *arena) {
    if (value->kind == SQL_TEXT || value->kind == SQL_BLOB)
        return (struct sql_value){.kind = SQL_TEXT, .text = value->text, .length = value->length};
    struct buffer text = {0};
    sql_value_append_text(&text, value);
    return taken_text(&text, arena);
}

static json_t *parsed(const struct sql_value *value, struct arena *arena) {
    struct sql_value text = as_text(value, arena);
    return json_parse(text.text, text.length, NULL);
}

/* JSON paths */

/* A position as JavaScript writes it; SIZE_MAX: none. */
static size_t position_of(const char *key, size_t length) {
    if (length == 0 || length > 9 || (length > 1 && key[0] == '0') || strspn(key, "0123456789") < length)
        return SIZE_MAX;
    return (size_t)strtoul(key, NULL, 10);
}

static json_t *unit_at(const json_t *string, size_t at) {
    const char *text = json_string_value(string);
    size_t length = json_string_length(string);
    struct buffer unit = {0};
    bool whole = at < utf16_length(text, length) && utf16_slice(&unit, text, length, at, at + 1);
    json_t *found = whole ? json_stringn(buffer_text(&unit), unit.length) : NULL;
    buffer_free(&unit);
    return found;
}

/* A property as JavaScript sees it: keys, positions, and the length of arrays and texts. Takes over `json`;
 * NULL: none. */
static json_t *property(json_t *json, const char *key, size_t length) {
    size_t at = position_of(key, length);
    bool is_length = length == 6 && memcmp(key, "length", 6) == 0;
    json_t *found = NULL;
    if (json_is_object(json))
        found = json_incref(json_object_getn(json, key, length));
    else if (json_is_array(json) && is_length)
        found = json_real((double)json_array_size(json));
    else if (json_is_array(json) && at != SIZE_MAX)
        found = json_incref(json_array_get(json, at));
    else if (json_is_string(json) && is_length)
        found = json_real((double)utf16_length(json_string_value(json), json_string_length(json)));
    else if (json_is_string(json) && at != SIZE_MAX)
        found = unit_at(json, at);
    json_decref(json);
    return found;
}

/* Follow "$.a.b", or without "$" one key, or (old rules) "a.b". Takes over `json`. */
static json_t *follow(json_t *json, const struct sql_value *path, bool fixed_json) {
    const char *at = path->text;
    bool rooted = at[0] == '$';
    if (!rooted && fixed_json)
        return property(json, path->text, path->length);
    if (rooted)
        at += strcspn(at, ".");
    bool first = !rooted;
    while (json && !json_is_null(json) && (first || *at == '.')) {
        at += first ? 0 : 1;
        first = false;
        size_t length = strcspn(at, ".");
        json = property(json, at, length);
        at += length;
    }
    return json;
}

/* What a document holds at a path, as a value; NULL when there is nothing. */
static struct sql_value found_value(const json_t *found, bool fixed_json, struct arena *arena) {
    if (found && json_is_null(found) && !fixed_json)
        return (struct sql_value){.kind = SQL_TEXT, .text = "null", .length = 4};
    return found ? sql_value_from_json_copy(found, arena) : (struct sql_value){0};
}

static struct sql_value found_json(const json_t *found, bool fixed_json, struct arena *arena) {
    if (!found || (json_is_null(found) && !fixed_json))
        return (struct sql_value){0};
    struct buffer text = {0};
    json_append(&text, found);
    return taken_text(&text, arena);
}

/* False: the text is no JSON. */
static bool extract(const struct sql_value *arguments, bool as_json, bool fixed_json, struct arena *arena,
                    struct sql_value *value) {
    *value = (struct sql_value){0};
    if (arguments[0].kind == SQL_NULL || arguments[1].kind == SQL_NULL)
        return true;
    json_t *json = parsed(&arguments[0], arena);
    if (!json)
        return false;
    if (!json_is_null(json)) {
        struct sql_value path = as_text(&arguments[1], arena);
        json = follow(json, &path, fixed_json);
        *value = as_json ? found_json(json, fixed_json, arena) : found_value(json, fixed_json, arena);
    }
    json_decref(json);
    return true;
}

/* json_extract wants a path that begins with $, unless the document is NULL or null. */
static bool extract_path(const struct sql_value *arguments, bool fixed_json, struct arena *arena,
                         struct sql_value *value) {
    if (arguments[0].kind != SQL_NULL && arguments[1].kind != SQL_NULL) {
        struct sql_value path = as_text(&arguments[1], arena);
        json_t *json = path.text[0] != '$' ? parsed(&arguments[0], arena) : NULL;
        bool is_null = json && json_is_null(json);
        json_decref(json);
        if (path.text[0] != '$' && !is_null)
            return false;
    }
    return extract(arguments, false, fixed_json, arena, value);
}

static bool array_length(const struct sql_value *arguments, bool fixed_json, struct arena *arena,
                         struct sql_value *value) {
    struct sql_value list = arguments[0];
    *value = (struct sql_value){0};
    if (arguments[1].kind != SQL_NULL && !extract_path(arguments, fixed_json, arena, &list))
        return false;
    if (list.kind == SQL_NULL)
        return true;
    json_t *json = parsed(&list, arena);
    bool good = json != NULL;
    *value = integer_value((int64_t)json_array_size(json));
    json_decref(json);
    return good;
}

#define JSON_OPERATIONS(suffix, fixed_json)                                                                  \
    OPERATION(run_json_##suffix) {                                                                           \
        (void)count;                                                                                         \
        return extract(arguments, true, fixed_json, arena, value);                                           \
    }                                                                                                        \
    OPERATION(run_value_##suffix) {                                                                          \
        (void)count;                                                                                         \
        return extract(arguments, false, fixed_json, arena, value);                                          \
    }                                                                                                        \
    OPERATION(run_extract_##suffix) {                                                                        \
        (void)count;                                                                                         \
        return extract_path(arguments, fixed_json, arena, value);                                            \
    }                                                                                                        \
    OPERATION(run_array_length_##suffix) {                                                                   \
        (void)count;                                                                                         \
        return array_length(arguments, fixed_json, arena, value);                                            \
    }

JSON_OPERATIONS(old, false)
JSON_OPERATIONS(fixed, true)

OPERATION(run_json_valid) {
    (void)count;
    json_t *json = arguments[0].kind == SQL_NULL ? NULL : parsed(&arguments[0], arena);
    *value = integer_value(json != NULL);
    json_decref(json);
    return true;
}

/* Comparisons */

OPERATION(run_unequal) {
    (void)count;
    (void)arena;
    if (arguments[0].kind != SQL_NULL && arguments[1].kind != SQL_NULL)
        *value = integer_value(sql_value_compare(&arguments[0], &arguments[1]) != 0);
    return true;
}

OPERATION(run_is_null) {
    (void)count;
    (void)arena;
    *value = integer_value(arguments[0].kind == SQL_NULL);
    return true;
}

/* Both arrays have an item in common; only texts are taken for JSON. */
OPERATION(run_overlap) {
    (void)count;
    if (arguments[0].kind == SQL_NULL || arguments[1].kind == SQL_NULL)
        return true;
    json_t *left = arguments[0].kind == SQL_TEXT ? parsed(&arguments[0], arena) : NULL;
    json_t *right = arguments[1].kind == SQL_TEXT ? parsed(&arguments[1], arena) : NULL;
    bool good = json_is_array(left) && json_is_array(right), found = false;
    for (size_t i = 0; good && i < json_array_size(left); i++) {
        struct sql_value a = sql_value_from_json_copy(json_array_get(left, i), arena);
        for (size_t j = 0; j < json_array_size(right); j++) {
            struct sql_value b = sql_value_from_json_copy(json_array_get(right, j), arena);
            found = found || sql_value_compare(&a, &b) == 0;
        }
    }
    json_decref(left);
    json_decref(right);
    *value = integer_value(found);
    return good;
}

/* Parameters */

/* Booleans inside of arrays and objects are numbers there, too. */
static json_t *without_booleans(const json_t *json) {
    if (json_is_boolean(json))
        return json_integer(json_is_true(json));
    json_t *copy = json_copy((json_t *)(uintptr_t)json);
    if (json_is_array(json)) {
        for (size_t i = 0; i < json_array_size(json); i++)
            json_array_set_new(copy, i, without_booleans(json_array_get(json, i)));
    } else if (json_is_object(json)) {
        const char *key;
        json_t *item;
        json_object_foreach((json_t *)(uintptr_t)json, key, item) {
            json_object_set_new(copy, key, without_booleans(item));
        }
    }
    return copy;
}

/* Numbers without a fraction are integers here, and floating inside of arrays and objects. */
static bool parameter_value(const json_t *json, struct arena *arena, struct sql_value *value) {
    *value = (struct sql_value){.absent = !json};
    if (!json)
        return true;
    json_t *plain = without_booleans(json);
    *value = sql_value_from_json_copy(plain, arena);
    json_decref(plain);
    bool fits = value->kind == SQL_REAL && value->real >= -9e18 && value->real <= 9e18;
    if (fits && value->real == (double)(int64_t)value->real)
        *value = integer_value((int64_t)value->real);
    return value->kind != SQL_REAL || fits || value->real != floor(value->real);
}

OPERATION(run_user_parameter) {
    (void)count;
    json_t *json = parsed(&arguments[0], arena);
    bool good = json && parameter_value(json_object_get(json, arguments[1].text), arena, value);
    json_decref(json);
    return good;
}

static json_t *json_of_value(const struct sql_value *value) {
    return value->kind == SQL_TEXT      ? json_stringn(value->text, value->length)
           : value->kind == SQL_INTEGER ? json_integer(value->integer)
           : value->kind == SQL_REAL    ? json_real(value->real)
                                        : json_null();
}

OPERATION(run_connection_parameter) {
    (void)count;
    json_t *json = parsed(&arguments[0], arena), *values = json_object();
    bool good = json_is_object(json);
    const char *key;
    json_t *item;
    json_object_foreach(json, key, item) {
        struct sql_value part;
        good = good && parameter_value(item, arena, &part);
        if (good)
            json_object_set_new(values, key, json_of_value(&part));
    }
    json_t *found = follow(values, &arguments[1], true);
    *value = found_value(found, true, arena);
    json_decref(found);
    json_decref(json);
    return good;
}

/* The claim `parameters` holds them; the user's id is always the subject. */
OPERATION(run_token_parameter) {
    (void)count;
    json_t *json = parsed(&arguments[0], arena);
    bool subject = strcmp(arguments[1].text, "user_id") == 0;
    const json_t *found = subject ? json_object_get(json, "sub")
                                  : json_object_get(json_object_get(json, "parameters"), arguments[1].text);
    bool good = json && parameter_value(found, arena, value);
    json_decref(json);
    return good;
}

/* Tables */

struct pair {
    struct sync_operation old, fixed;
};

static const struct pair json_operations[] = {
    {{"->", 2, 2, run_json_old}, {"->", 2, 2, run_json_fixed}},
    {{"->>", 2, 2, run_value_old}, {"->>", 2, 2, run_value_fixed}},
    {{"json_extract", 2, 2, run_extract_old}, {"json_extract", 2, 2, run_extract_fixed}},
    {{"json_array_length", 2, 2, run_array_length_old}, {"json_array_length", 2, 2, run_array_length_fixed}},
};

static const struct sync_operation own_operations[] = {{"!=", 2, 2, run_unequal},
                                                       {"is null", 1, 1, run_is_null},
                                                       {"&&", 2, 2, run_overlap},
                                                       {"json_valid", 1, 1, run_json_valid}};

static const struct sync_operation *find(const char *name, bool fixed_json) {
    for (size_t i = 0; i < sizeof json_operations / sizeof *json_operations; i++)
        if (strcmp(json_operations[i].old.name, name) == 0)
            return fixed_json ? &json_operations[i].fixed : &json_operations[i].old;
    for (size_t i = 0; i < sizeof own_operations / sizeof *own_operations; i++)
        if (strcmp(own_operations[i].name, name) == 0)
            return &own_operations[i];
    return sync_operation_find(name);
}

const struct sync_operation *legacy_operation_operator(const char *name, bool fixed_json) {
    static const char *const names[] = {"=", "!=", "<",  ">",  "<=",  ">=",      "+",   "-",
                                        "*", "/",  "||", "->", "->>", "is null", "in ", "&&"};
    if (strncmp(name, "cast ", 5) == 0)
        return sync_operation_find(name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return find(strcmp(name, "in ") == 0 ? "json contains" : name, fixed_json);
    return NULL;
}

const struct sync_operation *legacy_operation_function(const char *name, bool fixed_json) {
    bool word = name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
    return word ? find(name, fixed_json) : NULL;
}

const struct sync_operation *legacy_operation_token_parameter(void) {
    static const struct sync_operation operation = {"token parameter", 2, 2, run_token_parameter};
    return &operation;
}

const struct sync_operation *legacy_operation_user_parameter(void) {
    static const struct sync_operation operation = {"user parameter", 2, 2, run_user_parameter};
    return &operation;
}

const struct sync_operation *legacy_operation_connection_parameter(void) {
    static const struct sync_operation operation = {"connection parameter", 2, 2, run_connection_parameter};
    return &operation;
}
