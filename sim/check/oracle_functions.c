#include "check/oracle_functions.h"

#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "check/oracle_sql.h"

static json_t *json_argument(sqlite3_value *value) {
    const char *text = (const char *)sqlite3_value_text(value);
    return text == NULL ? NULL : json_parse(text, strlen(text), NULL);
}

static void give(sqlite3_context *context, const json_t *value) {
    if (json_is_string(value)) {
        sqlite3_result_text(context, json_string_value(value), (int)json_string_length(value),
                            SQLITE_TRANSIENT);
    } else if (json_is_integer(value)) {
        sqlite3_result_int64(context, json_integer_value(value));
    } else if (json_is_real(value)) {
        sqlite3_result_double(context, json_real_value(value));
    } else if (json_is_boolean(value)) {
        sqlite3_result_int(context, json_is_true(value));
    } else if (value != NULL && !json_is_null(value)) {
        struct buffer text = {0};
        json_append(&text, value);
        sqlite3_result_text(context, buffer_text(&text), (int)text.length, SQLITE_TRANSIENT);
        buffer_free(&text);
    }
}

/* A name with dots is one key, unless it begins with `$.`: then each part is. */
static const json_t *member(const json_t *object, const char *name) {
    if (strncmp(name, "$.", 2) != 0)
        return json_object_get(object, name);
    for (name += 2; object != NULL && *name != '\0';) {
        const size_t length = strcspn(name, ".");
        object = json_object_getn(object, name, length);
        name += length + (name[length] == '.');
    }
    return object;
}

static void parameter(sqlite3_context *context, int count, sqlite3_value **arguments) {
    const char *name = (const char *)sqlite3_value_text(arguments[1]);
    json_t *object = json_argument(arguments[0]);
    (void)count;
    if (name != NULL)
        give(context, member(object, name));
    json_decref(object);
}

static bool same(const json_t *a, const json_t *b) {
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) == json_number_value(b);
    return json_equal(a, b);
}

static void overlap(sqlite3_context *context, int count, sqlite3_value **arguments) {
    json_t *left = json_argument(arguments[0]), *right = json_argument(arguments[1]);
    bool found = false;
    (void)count;
    for (size_t i = 0; i < json_array_size(left); i++)
        for (size_t j = 0; !found && j < json_array_size(right); j++)
            found = same(json_array_get(left, i), json_array_get(right, j));
    sqlite3_result_int(context, found);
    json_decref(left);
    json_decref(right);
}

int oracle_functions_register(sqlite3 *connection) {
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
    const int code = sqlite3_create_function_v2(connection, "oracle parameter", 2, flags, NULL, parameter,
                                                NULL, NULL, NULL);
    return code != SQLITE_OK ? code
                             : sqlite3_create_function_v2(connection, "oracle overlap", 2, flags, NULL,
                                                          overlap, NULL, NULL, NULL);
}
