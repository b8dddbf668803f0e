/* Convex values: null, Int64, Float64, Boolean, String, Bytes, Array, Object (ids are strings). Encodings,
 * order and sizes as facts of the real backend: see docs/mock-convex.md. Values are owned trees; objects keep
 * their fields sorted by bytes of the name, as the backend emits them. */
#ifndef MOCK_CONVEX_VALUE_H
#define MOCK_CONVEX_VALUE_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"

enum convex_kind {
    CONVEX_UNDEFINED, /* a missing field; only in comparisons and index keys */
    CONVEX_NULL,
    CONVEX_INT64,
    CONVEX_FLOAT64,
    CONVEX_BOOLEAN,
    CONVEX_STRING,
    CONVEX_BYTES,
    CONVEX_ARRAY,
    CONVEX_OBJECT
};

struct convex_field;

struct convex_value {
    enum convex_kind kind;
    union {
        int64_t integer;
        double number;
        bool boolean;
        struct {
            char *data; /* terminated; UTF-8 for strings */
            size_t length;
        } bytes;
        struct {
            struct convex_value **items;
            size_t count;
        } array;
        struct {
            struct convex_field *fields; /* sorted by name */
            size_t count;
        } object;
    } as;
};

struct convex_field {
    char *name;
    struct convex_value *value;
};

/* The three value formats of the HTTP APIs. */
enum convex_format {
    CONVEX_FORMAT_JSON,    /* "json" = "convex_clean_json" */
    CONVEX_FORMAT_ENCODED, /* "convex_encoded_json" = "convex_json" */
    CONVEX_FORMAT_EXPORT   /* "export_json" */
};
enum status convex_format_parse(const char *name,
                                enum convex_format *format); /* STATUS_INVALID: unknown name */

struct convex_value *convex_null(void);
struct convex_value *convex_int64(int64_t integer);
struct convex_value *convex_float64(double number);
struct convex_value *convex_boolean(bool boolean);
struct convex_value *convex_string(const char *text);
struct convex_value *convex_bytes(const void *bytes, size_t length);
struct convex_value *convex_array(void);
struct convex_value *convex_object(void);
struct convex_value *convex_copy(const struct convex_value *value);
void convex_free(struct convex_value *value);

void convex_array_append(struct convex_value *array, struct convex_value *item); /* takes the item */
void convex_object_set(struct convex_value *object, const char *name,
                       struct convex_value *value); /* takes the value */
void convex_object_remove(struct convex_value *object, const char *name);
const struct convex_value *convex_object_get(const struct convex_value *object,
                                             const char *name); /* NULL: absent */
const char *convex_object_text(const struct convex_value *object,
                               const char *name); /* NULL: absent or not a string */

/* Encoded JSON in ({"$integer":..} and so on; plain numbers are Float64). Checks names, nesting and sizes. */
enum status convex_from_json(const json_t *json, struct convex_value **value, struct error *error);
void convex_append_json(struct buffer *out, const struct convex_value *value, enum convex_format format);

/* undefined < null < Int64 < Float64 < false < true < string < bytes < array < object */
int convex_compare(const struct convex_value *a, const struct convex_value *b);
size_t convex_size(const struct convex_value *value); /* bytes, as the backend counts them */

#endif
