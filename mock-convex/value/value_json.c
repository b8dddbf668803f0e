/* Values from and to JSON; see value.h for the three formats. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/digest.h"
#include "base/memory.h"
#include "mock-convex/value/float_text.h"
#include "mock-convex/value/name.h"
#include "mock-convex/value/value_check.h"

enum status convex_format_parse(const char *name, enum convex_format *format) {
    static const struct {
        const char *name;
        enum convex_format format;
    } spellings[] = {{"json", CONVEX_FORMAT_JSON},
                     {"convex_clean_json", CONVEX_FORMAT_JSON},
                     {"convex_encoded_json", CONVEX_FORMAT_ENCODED},
                     {"convex_json", CONVEX_FORMAT_ENCODED},
                     {"export_json", CONVEX_FORMAT_EXPORT}};
    assert(name != NULL && format != NULL);
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        if (strcmp(spellings[i].name, name) == 0) {
            *format = spellings[i].format;
            return STATUS_OK;
        }
    }
    return STATUS_INVALID;
}

#define NAN_BITS UINT64_C(0x7ff8000000000000)

static bool is_special(double number) {
    return !isfinite(number) || (number == 0 && signbit(number));
}

/* Decode base64 of exactly 8 little-endian bytes. */
static enum status decode_eight(const char *text, size_t length, uint64_t *bits, struct error *error) {
    struct buffer bytes = {0};
    enum status status = base64_decode(&bytes, text, length, error);
    if (status == STATUS_OK && bytes.length != 8) {
        status = error_set(error, STATUS_INVALID, "expected 8 bytes in base64, found %zu", bytes.length);
    }
    *bits = 0;
    for (size_t i = 0; status == STATUS_OK && i < 8; i++) {
        *bits |= (uint64_t)(unsigned char)bytes.data[i] << (8 * i);
    }
    buffer_free(&bytes);
    return status;
}

static enum status decode_integer(const char *text, size_t length, struct convex_value **value,
                                  struct error *error) {
    uint64_t bits;
    enum status status = decode_eight(text, length, &bits, error);
    if (status == STATUS_OK) {
        *value = convex_int64((int64_t)bits);
    }
    return status;
}

static enum status decode_float(const char *text, size_t length, struct convex_value **value,
                                struct error *error) {
    uint64_t bits;
    double number;
    enum status status = decode_eight(text, length, &bits, error);
    if (status != STATUS_OK) {
        return status;
    }
    memcpy(&number, &bits, sizeof number);
    if (isnan(number)) { /* there is one NaN, as in JavaScript: what prints the same is the same */
        bits = NAN_BITS;
        memcpy(&number, &bits, sizeof number);
    }
    if (!is_special(number)) { /* only what plain JSON cannot carry may come this way */
        return error_set(error, STATUS_INVALID, "an ordinary number inside $float");
    }
    *value = convex_float64(number);
    return STATUS_OK;
}

static enum status decode_bytes(const char *text, size_t length, struct convex_value **value,
                                struct error *error) {
    struct buffer bytes = {0};
    enum status status = base64_decode(&bytes, text, length, error);
    if (status == STATUS_OK) {
        *value = convex_bytes(buffer_text(&bytes), bytes.length);
    }
    buffer_free(&bytes);
    return status;
}

/* {"$integer": ..} and its like: an object whose only key begins with '$'. */
static enum status decode_special(const char *key, const json_t *json, struct convex_value **value,
                                  struct error *error) {
    const char *text = json_string_value(json);
    size_t length = json_string_length(json);
    if (text == NULL) {
        return error_set(error, STATUS_INVALID, "'%.64s' needs a string", key);
    }
    if (strcmp(key, "$integer") == 0) {
        return decode_integer(text, length, value, error);
    }
    if (strcmp(key, "$float") == 0) {
        return decode_float(text, length, value, error);
    }
    if (strcmp(key, "$bytes") == 0) {
        return decode_bytes(text, length, value, error);
    }
    return error_set(error, STATUS_INVALID, "the key '%.64s' is not allowed", key);
}

static enum status decode(const json_t *json, int depth, struct convex_value **value, struct error *error);

static enum status decode_array(const json_t *json, int depth, struct convex_value **value,
                                struct error *error) {
    size_t count = json_array_size(json);
    if (count > CONVEX_ARRAY_MAX) {
        return error_set(error, STATUS_INVALID, "ArrayTooLong: %zu items, the limit is %d", count,
                         CONVEX_ARRAY_MAX);
    }
    struct convex_value *array = convex_array();
    for (size_t i = 0; i < count; i++) {
        struct convex_value *item = NULL;
        enum status status = decode(json_array_get(json, i), depth + 1, &item, error);
        if (status != STATUS_OK) {
            convex_free(array);
            return status;
        }
        convex_array_append(array, item);
    }
    *value = array;
    return STATUS_OK;
}

static enum status decode_object(const json_t *json, int depth, struct convex_value **value,
                                 struct error *error) {
    size_t count = json_object_size(json);
    const char *key;
    json_t *member;
    if (count > CONVEX_FIELDS_MAX) {
        return error_set(error, STATUS_INVALID, "TooManyFieldsError: %zu fields, the limit is %d", count,
                         CONVEX_FIELDS_MAX);
    }
    struct convex_value *object = convex_object();
    json_object_foreach((json_t *)(uintptr_t)json, key, member) {
        if (count == 1 && key[0] == '$') {
            convex_free(object);
            return decode_special(key, member, value, error);
        }
        struct convex_value *field = NULL;
        enum status status = STATUS_OK;
        if (!convex_name_is_field(key)) {
            status = error_set(error, STATUS_INVALID, "the field name '%.64s' is not allowed", key);
        } else {
            status = decode(member, depth + 1, &field, error);
        }
        if (status != STATUS_OK) {
            convex_free(object);
            return status;
        }
        convex_object_set(object, key, field);
    }
    *value = object;
    return STATUS_OK;
}

static enum status decode(const json_t *json, int depth, struct convex_value **value, struct error *error) {
    switch (json_typeof(json)) {
    case JSON_NULL:
        *value = convex_null();
        return STATUS_OK;
    case JSON_TRUE:
    case JSON_FALSE:
        *value = convex_boolean(json_is_true(json));
        return STATUS_OK;
    case JSON_INTEGER: /* a plain number is Float64, with or without a point */
        *value = convex_float64((double)json_integer_value(json));
        return STATUS_OK;
    case JSON_REAL:
        *value = convex_float64(json_real_value(json));
        return STATUS_OK;
    case JSON_STRING:
        *value = convex_bytes(json_string_value(json), json_string_length(json));
        (*value)->kind = CONVEX_STRING;
        return STATUS_OK;
    default:
        break;
    }
    if (depth >= CONVEX_NESTING_MAX) {
        return error_set(error, STATUS_INVALID, "TooNestedError: more than %d levels", CONVEX_NESTING_MAX);
    }
    return json_is_array(json) ? decode_array(json, depth, value, error)
                               : decode_object(json, depth, value, error);
}

enum status convex_from_json(const json_t *json, struct convex_value **value, struct error *error) {
    assert(json != NULL && value != NULL);
    struct convex_value *decoded = NULL;
    enum status status = decode(json, 0, &decoded, error);
    if (status == STATUS_OK && convex_size(decoded) > CONVEX_VALUE_SIZE_MAX) {
        convex_free(decoded);
        return error_set(error, STATUS_INVALID, "ValueTooLargeError: the limit is 32 MiB");
    }
    if (status == STATUS_OK) {
        *value = decoded;
    }
    return status;
}

/* {"$key":"base64"} */
static void append_special(struct buffer *out, const char *key, const void *bytes, size_t length) {
    buffer_append_text(out, "{\"");
    buffer_append_text(out, key);
    buffer_append_text(out, "\":\"");
    base64_append(out, bytes, length);
    buffer_append_text(out, "\"}");
}

static void append_eight(struct buffer *out, const char *key, uint64_t bits) {
    unsigned char bytes[8];
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(bits >> (8 * i));
    }
    append_special(out, key, bytes, sizeof bytes);
}

static void append_integer(struct buffer *out, int64_t integer, enum convex_format format) {
    if (format == CONVEX_FORMAT_ENCODED) {
        append_eight(out, "$integer", (uint64_t)integer);
        return;
    }
    const char *quote = format == CONVEX_FORMAT_JSON ? "\"" : "";
    buffer_append_text(out, quote);
    buffer_append_integer(out, integer);
    buffer_append_text(out, quote);
}

static void append_float(struct buffer *out, double number, enum convex_format format) {
    bool plain = isfinite(number) && (format != CONVEX_FORMAT_ENCODED || !is_special(number));
    if (plain) {
        convex_append_float(out, number);
    } else if (format == CONVEX_FORMAT_JSON) {
        buffer_append_text(out, isnan(number) ? "\"NaN\"" : number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    } else {
        uint64_t bits;
        memcpy(&bits, &number, sizeof bits);
        append_eight(out, "$float", isnan(number) ? NAN_BITS : bits);
    }
}

static void append_bytes(struct buffer *out, const struct convex_value *value, enum convex_format format) {
    if (format != CONVEX_FORMAT_JSON) {
        append_special(out, "$bytes", value->as.bytes.data, value->as.bytes.length);
        return;
    }
    buffer_append_char(out, '"');
    base64_append(out, value->as.bytes.data, value->as.bytes.length);
    buffer_append_char(out, '"');
}

static void append_array(struct buffer *out, const struct convex_value *value, enum convex_format format) {
    buffer_append_char(out, '[');
    for (size_t i = 0; i < value->as.array.count; i++) {
        if (i > 0) {
            buffer_append_char(out, ',');
        }
        convex_append_json(out, value->as.array.items[i], format);
    }
    buffer_append_char(out, ']');
}

static void append_object(struct buffer *out, const struct convex_value *value, enum convex_format format) {
    buffer_append_char(out, '{');
    for (size_t i = 0; i < value->as.object.count; i++) {
        const struct convex_field *field = &value->as.object.fields[i];
        if (i > 0) {
            buffer_append_char(out, ',');
        }
        buffer_append_json_text(out, field->name);
        buffer_append_char(out, ':');
        convex_append_json(out, field->value, format);
    }
    buffer_append_char(out, '}');
}

void convex_append_json(struct buffer *out, const struct convex_value *value, enum convex_format format) {
    assert(value != NULL && value->kind != CONVEX_UNDEFINED);
    switch (value->kind) {
    case CONVEX_BOOLEAN:
        buffer_append_text(out, value->as.boolean ? "true" : "false");
        return;
    case CONVEX_INT64:
        append_integer(out, value->as.integer, format);
        return;
    case CONVEX_FLOAT64:
        append_float(out, value->as.number, format);
        return;
    case CONVEX_STRING:
        buffer_append_json_string(out, value->as.bytes.data, value->as.bytes.length);
        return;
    case CONVEX_BYTES:
        append_bytes(out, value, format);
        return;
    case CONVEX_ARRAY:
        append_array(out, value, format);
        return;
    case CONVEX_OBJECT:
        append_object(out, value, format);
        return;
    default:
        buffer_append_text(out, "null");
    }
}
