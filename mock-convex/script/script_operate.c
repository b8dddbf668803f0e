#include "mock-convex/script/script_operate.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

const char *script_kind_name(const struct convex_value *value) {
    static const char *const names[] = {
        [CONVEX_UNDEFINED] = "undefined", [CONVEX_NULL] = "null",       [CONVEX_INT64] = "bigint",
        [CONVEX_FLOAT64] = "number",      [CONVEX_BOOLEAN] = "boolean", [CONVEX_STRING] = "string",
        [CONVEX_BYTES] = "bytes",         [CONVEX_ARRAY] = "array",     [CONVEX_OBJECT] = "object"};
    return names[value->kind];
}

void script_append_number(struct buffer *out, double number) {
    if (isnan(number)) {
        buffer_append_text(out, "NaN");
    } else if (isinf(number)) {
        buffer_append_text(out, number < 0 ? "-Infinity" : "Infinity");
    } else {
        size_t from = out->length;
        buffer_append_double(out, number == 0 ? 0.0 : number);
        if (out->length - from > 2 && memcmp(out->data + out->length - 2, ".0", 2) == 0) {
            out->length -= 2;
            out->data[out->length] = 0;
        }
    }
}

/* --- equality and order --- */

static bool same_parts(const struct convex_value *a, const struct convex_value *b) {
    if (a->kind == CONVEX_ARRAY) {
        bool same = a->as.array.count == b->as.array.count;
        for (size_t i = 0; same && i < a->as.array.count; i++) {
            same = script_same(a->as.array.items[i], b->as.array.items[i]);
        }
        return same;
    }
    bool same = a->as.object.count == b->as.object.count;
    for (size_t i = 0; same && i < a->as.object.count; i++) {
        const struct convex_field *left = &a->as.object.fields[i], *right = &b->as.object.fields[i];
        same = strcmp(left->name, right->name) == 0 && script_same(left->value, right->value);
    }
    return same;
}

bool script_same(const struct convex_value *a, const struct convex_value *b) {
    if (a->kind != b->kind) {
        return false;
    }
    if (a->kind == CONVEX_FLOAT64) { /* NaN differs from itself, and 0 is -0 */
        return a->as.number == b->as.number;
    }
    return a->kind == CONVEX_ARRAY || a->kind == CONVEX_OBJECT ? same_parts(a, b) : convex_compare(a, b) == 0;
}

static bool is_nothing(const struct convex_value *value) {
    return value->kind == CONVEX_NULL || value->kind == CONVEX_UNDEFINED;
}

/* An integer against a double, without rounding either. `number` is not NaN. */
static int compare_mixed(int64_t integer, double number) {
    if (number >= 9223372036854775808.0) {
        return -1;
    }
    if (number < -9223372036854775808.0) {
        return 1;
    }
    int64_t whole = (int64_t)number; /* towards 0 */
    if (integer != whole) {
        return integer < whole ? -1 : 1;
    }
    double rest = number - (double)whole;
    return rest > 0 ? -1 : rest < 0;
}

/* False: there is no order between the two, because one of them is NaN. */
static bool order_numbers(const struct convex_value *a, const struct convex_value *b, int *order) {
    if ((a->kind == CONVEX_FLOAT64 && isnan(a->as.number)) ||
        (b->kind == CONVEX_FLOAT64 && isnan(b->as.number))) {
        return false;
    }
    if (a->kind == CONVEX_INT64) {
        *order = b->kind == CONVEX_INT64 ? convex_compare(a, b) : compare_mixed(a->as.integer, b->as.number);
    } else if (b->kind == CONVEX_INT64) {
        *order = -compare_mixed(b->as.integer, a->as.number);
    } else {
        *order = a->as.number < b->as.number ? -1 : a->as.number > b->as.number;
    }
    return true;
}

static bool is_number(const struct convex_value *value) {
    return value->kind == CONVEX_INT64 || value->kind == CONVEX_FLOAT64;
}

static enum status compare(enum script_operation operation, const struct convex_value *a,
                           const struct convex_value *b, bool *result, struct error *error) {
    int order = 0;
    bool ordered = true;
    if (is_number(a) && is_number(b)) {
        ordered = order_numbers(a, b, &order);
    } else if (a->kind == CONVEX_STRING && b->kind == CONVEX_STRING) {
        order = convex_compare(a, b);
    } else {
        return error_set(error, STATUS_INVALID, "TypeError: Cannot compare %s with %s", script_kind_name(a),
                         script_kind_name(b));
    }
    *result = ordered && (operation == SCRIPT_LESS         ? order < 0
                          : operation == SCRIPT_LESS_EQUAL ? order <= 0
                          : operation == SCRIPT_GREATER    ? order > 0
                                                           : order >= 0);
    return STATUS_OK;
}

/* --- arithmetic --- */

static enum status operate_integers(enum script_operation operation, int64_t a, int64_t b,
                                    struct convex_value **result, struct error *error) {
    int64_t value = 0;
    bool overflow = false;
    if (operation == SCRIPT_DIVIDE) {
        if (b == 0) {
            return error_set(error, STATUS_INVALID, "RangeError: Division by zero");
        }
        overflow = a == INT64_MIN && b == -1;
        value = overflow ? 0 : a / b;
    } else if (operation == SCRIPT_ADD) {
        overflow = __builtin_add_overflow(a, b, &value);
    } else if (operation == SCRIPT_SUBTRACT) {
        overflow = __builtin_sub_overflow(a, b, &value);
    } else {
        overflow = __builtin_mul_overflow(a, b, &value);
    }
    if (overflow) {
        return error_set(error, STATUS_INVALID, "RangeError: the bigint does not fit in 64 bits");
    }
    *result = convex_int64(value);
    return STATUS_OK;
}

static double operate_floats(enum script_operation operation, double a, double b) {
    return operation == SCRIPT_ADD        ? a + b
           : operation == SCRIPT_SUBTRACT ? a - b
           : operation == SCRIPT_MULTIPLY ? a * b
                                          : a / b;
}

static bool append_text(struct buffer *out, const struct convex_value *value) {
    if (value->kind == CONVEX_STRING) {
        buffer_append(out, value->as.bytes.data, value->as.bytes.length);
    } else if (value->kind == CONVEX_FLOAT64) {
        script_append_number(out, value->as.number);
    } else if (value->kind == CONVEX_INT64) {
        buffer_append_integer(out, value->as.integer);
    }
    return value->kind == CONVEX_STRING || is_number(value);
}

static struct convex_value *take_text(struct buffer *text) {
    struct convex_value *value = convex_bytes(buffer_text(text), text->length);
    value->kind = CONVEX_STRING;
    buffer_free(text);
    return value;
}

static enum status calculate(enum script_operation operation, const struct convex_value *a,
                             const struct convex_value *b, struct convex_value **result,
                             struct error *error) {
    if (a->kind == CONVEX_FLOAT64 && b->kind == CONVEX_FLOAT64) {
        *result = convex_float64(operate_floats(operation, a->as.number, b->as.number));
        return STATUS_OK;
    }
    if (a->kind == CONVEX_INT64 && b->kind == CONVEX_INT64) {
        return operate_integers(operation, a->as.integer, b->as.integer, result, error);
    }
    if (is_number(a) && is_number(b)) {
        return error_set(error, STATUS_INVALID,
                         "TypeError: Cannot mix BigInt and other types, use explicit conversions");
    }
    if (operation == SCRIPT_ADD && (a->kind == CONVEX_STRING || b->kind == CONVEX_STRING)) {
        struct buffer text = {0};
        if (append_text(&text, a) && append_text(&text, b)) {
            *result = take_text(&text);
            return STATUS_OK;
        }
        buffer_free(&text);
    }
    return error_set(error, STATUS_INVALID, "TypeError: Cannot calculate with %s and %s", script_kind_name(a),
                     script_kind_name(b));
}

/* --- functions --- */

/* Largest whole number not above; doubles of this size and more have no fraction. */
static double floor_of(double number) {
    if (!(number > -4503599627370496.0 && number < 4503599627370496.0)) {
        return number;
    }
    double whole = (double)(int64_t)number;
    double result = whole > number ? whole - 1 : whole;
    return result == 0 && signbit(number) ? -0.0 : result;
}

static enum status to_number(const struct convex_value *a, struct convex_value **result,
                             struct error *error) {
    if (is_number(a)) {
        *result = convex_float64(a->kind == CONVEX_INT64 ? (double)a->as.integer : a->as.number);
        return STATUS_OK;
    }
    if (a->kind == CONVEX_BOOLEAN) {
        *result = convex_float64(a->as.boolean ? 1 : 0);
        return STATUS_OK;
    }
    if (a->kind == CONVEX_STRING) {
        const char *text = a->as.bytes.data;
        json_t *json = json_parse(text, a->as.bytes.length, NULL);
        bool number = json_is_number(json) && strspn(text, "-0123456789.eE+") == a->as.bytes.length;
        *result = convex_float64(number ? json_number_value(json) : (double)NAN);
        json_decref(json);
        return STATUS_OK;
    }
    return error_set(error, STATUS_INVALID, "TypeError: Number() of %s", script_kind_name(a));
}

static enum status to_integer(const struct convex_value *a, struct convex_value **result,
                              struct error *error) {
    if (a->kind == CONVEX_INT64) {
        *result = convex_copy(a);
        return STATUS_OK;
    }
    if (a->kind == CONVEX_FLOAT64 && a->as.number >= -9223372036854775808.0 &&
        a->as.number < 9223372036854775808.0 && (double)(int64_t)a->as.number == a->as.number) {
        *result = convex_int64((int64_t)a->as.number);
        return STATUS_OK;
    }
    if (a->kind == CONVEX_STRING && a->as.bytes.length > 0 &&
        strspn(a->as.bytes.data, "-0123456789") == a->as.bytes.length) {
        char *end = NULL;
        errno = 0;
        long long integer = strtoll(a->as.bytes.data, &end, 10);
        if (errno == 0 && *end == 0) {
            *result = convex_int64(integer);
            return STATUS_OK;
        }
    }
    return error_set(error, STATUS_INVALID, "RangeError: this %s cannot be converted to a bigint",
                     script_kind_name(a));
}

static enum status parse_json(const struct convex_value *a, struct convex_value **result,
                              struct error *error) {
    struct error failure = {0};
    if (a->kind != CONVEX_STRING) {
        return error_set(error, STATUS_INVALID, "SyntaxError: %s is no JSON text", script_kind_name(a));
    }
    json_t *json = json_parse(a->as.bytes.data, a->as.bytes.length, &failure);
    enum status status = json != NULL ? convex_from_json(json, result, &failure) : STATUS_INVALID;
    json_decref(json);
    return status == STATUS_OK ? STATUS_OK
                               : error_set(error, STATUS_INVALID, "SyntaxError: %.300s", failure.message);
}

/* False: it holds what JSON cannot. */
static bool append_json(struct buffer *out, const struct convex_value *value) {
    bool able = true;
    if (value->kind == CONVEX_STRING) {
        buffer_append_json_string(out, value->as.bytes.data, value->as.bytes.length);
    } else if (value->kind == CONVEX_FLOAT64 && isfinite(value->as.number)) {
        script_append_number(out, value->as.number);
    } else if (value->kind == CONVEX_NULL || value->kind == CONVEX_FLOAT64) {
        buffer_append_text(out, "null");
    } else if (value->kind == CONVEX_BOOLEAN) {
        buffer_append_text(out, value->as.boolean ? "true" : "false");
    } else if (value->kind == CONVEX_ARRAY) {
        buffer_append_char(out, '[');
        for (size_t i = 0; able && i < value->as.array.count; i++) {
            buffer_append_text(out, i > 0 ? "," : "");
            able = append_json(out, value->as.array.items[i]);
        }
        buffer_append_char(out, ']');
    } else if (value->kind == CONVEX_OBJECT) {
        buffer_append_char(out, '{');
        for (size_t i = 0, shown = 0; able && i < value->as.object.count; i++) {
            if (value->as.object.fields[i].value->kind == CONVEX_UNDEFINED) {
                continue;
            }
            buffer_append_text(out, shown++ > 0 ? "," : "");
            buffer_append_json_text(out, value->as.object.fields[i].name);
            buffer_append_char(out, ':');
            able = append_json(out, value->as.object.fields[i].value);
        }
        buffer_append_char(out, '}');
    } else {
        able = false;
    }
    return able;
}

static enum status to_json(const struct convex_value *a, struct convex_value **result, struct error *error) {
    struct buffer text = {0};
    if (append_json(&text, a)) {
        *result = take_text(&text);
        return STATUS_OK;
    }
    buffer_free(&text);
    return error_set(error, STATUS_INVALID, "TypeError: undefined, bigint and bytes have no JSON");
}

static enum status apply(enum script_operation operation, const struct convex_value *a,
                         struct convex_value **result, struct error *error) {
    if (operation == SCRIPT_TO_NUMBER) {
        return to_number(a, result, error);
    }
    if (operation == SCRIPT_TO_INTEGER) {
        return to_integer(a, result, error);
    }
    if (operation == SCRIPT_PARSE_JSON) {
        return parse_json(a, result, error);
    }
    if (operation == SCRIPT_TO_JSON) {
        return to_json(a, result, error);
    }
    if (operation == SCRIPT_FLOOR && a->kind == CONVEX_FLOAT64) {
        *result = convex_float64(floor_of(a->as.number));
        return STATUS_OK;
    }
    if (operation == SCRIPT_NEGATE && a->kind == CONVEX_FLOAT64) {
        *result = convex_float64(-a->as.number);
        return STATUS_OK;
    }
    if (operation == SCRIPT_NEGATE && a->kind == CONVEX_INT64) {
        return operate_integers(SCRIPT_SUBTRACT, 0, a->as.integer, result, error);
    }
    if (operation == SCRIPT_LOWER && a->kind == CONVEX_STRING) {
        *result = convex_copy(a);
        for (char *at = (*result)->as.bytes.data; *at != 0; at++) {
            *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
        }
        return STATUS_OK;
    }
    return error_set(error, STATUS_INVALID, "TypeError: not possible with %s", script_kind_name(a));
}

enum status script_operate(enum script_operation operation, const struct convex_value *a,
                           const struct convex_value *b, struct convex_value **result, struct error *error) {
    bool answer = false;
    assert(a != NULL && operation != SCRIPT_NOT);
    switch (operation) {
    case SCRIPT_LESS:
    case SCRIPT_LESS_EQUAL:
    case SCRIPT_GREATER:
    case SCRIPT_GREATER_EQUAL: {
        enum status status = compare(operation, a, b, &answer, error);
        if (status != STATUS_OK) {
            return status;
        }
        break;
    }
    case SCRIPT_EQUAL:
    case SCRIPT_NOT_EQUAL:
        answer = script_same(a, b) || (is_nothing(a) && is_nothing(b));
        answer = operation == SCRIPT_EQUAL ? answer : !answer;
        break;
    case SCRIPT_SAME:
    case SCRIPT_NOT_SAME:
        answer = script_same(a, b) == (operation == SCRIPT_SAME);
        break;
    case SCRIPT_ADD:
    case SCRIPT_SUBTRACT:
    case SCRIPT_MULTIPLY:
    case SCRIPT_DIVIDE:
        return calculate(operation, a, b, result, error);
    default:
        return apply(operation, a, result, error);
    }
    *result = convex_boolean(answer);
    return STATUS_OK;
}
