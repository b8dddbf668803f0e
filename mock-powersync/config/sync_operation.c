/* Every operator and function that a sync config can use is one row of the table at the end. They follow the
 * real service's default engine where it differs from SQLite: AND, OR and NOT see NULL as false, texts are
 * counted in UTF-16 units, a real that is cast to an integer is rounded down. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/config/sync_expression.h"
#include "mock-powersync/config/utf16.h"

/* Conversions */

static struct sql_value integer_value(int64_t integer) {
    return (struct sql_value){.kind = SQL_INTEGER, .integer = integer};
}

static struct sql_value text_value(struct buffer *text, struct arena *arena) {
    struct sql_value value = {.kind = SQL_TEXT, .length = text->length};
    value.text = arena_copy_bytes(arena, buffer_text(text), text->length);
    buffer_free(text);
    return value;
}

/* A BLOB's bytes are those of the text that it was cast from. */
static struct sql_value to_text(const struct sql_value *value, struct arena *arena) {
    if (value->kind == SQL_NULL)
        return (struct sql_value){0};
    if (value->kind == SQL_TEXT)
        return *value;
    if (value->kind == SQL_BLOB)
        return (struct sql_value){.kind = SQL_TEXT, .text = value->text, .length = value->length};
    struct buffer text = {0};
    sql_value_append_text(&text, value);
    return text_value(&text, arena);
}

static size_t skip_digits(const char *text, size_t at) {
    while (text[at] >= '0' && text[at] <= '9')
        at++;
    return at;
}

/* The number that a text begins with, 0 when with none. Floating when it has a fraction or an exponent. */
static struct sql_value number_at_start(const char *text, bool integer_only) {
    size_t start = strspn(text, " \t\n\v\f\r");
    size_t sign = start + (text[start] == '-' || text[start] == '+');
    size_t end = skip_digits(text, sign);
    bool digits = end > sign, real = false;
    if (!integer_only && text[end] == '.') {
        size_t after = skip_digits(text, end + 1);
        if (after > end + 1 || digits) {
            real = true;
            digits = digits || after > end + 1;
            end = after;
        }
    }
    if (!integer_only && digits && (text[end] == 'e' || text[end] == 'E')) {
        size_t exponent = end + 1 + (text[end + 1] == '-' || text[end + 1] == '+');
        size_t after = skip_digits(text, exponent);
        if (after > exponent) {
            real = true;
            end = after;
        }
    }
    if (!digits)
        return integer_value(0);
    if (!real)
        return integer_value(strtoll(text + start, NULL, 10));
    char *copy = memory_copy_bytes(text + start, end - start);
    struct sql_value value = {.kind = SQL_REAL, .real = strtod(copy, NULL)};
    free(copy);
    return value;
}

static struct sql_value to_numeric(const struct sql_value *value) {
    if (value->kind == SQL_NULL)
        return (struct sql_value){0};
    if (value->kind == SQL_TEXT || value->kind == SQL_BLOB)
        return number_at_start(value->text, false);
    return *value;
}

/* False: too large for 64 bits. */
static bool to_integer(const struct sql_value *value, struct sql_value *integer) {
    *integer = *value;
    integer->absent = false;
    if (value->kind == SQL_TEXT || value->kind == SQL_BLOB)
        *integer = number_at_start(value->text, true);
    else if (value->kind == SQL_REAL) {
        double whole = floor(value->real);
        if (!(whole >= -9223372036854775808.0 && whole < 9223372036854775808.0))
            return false;
        *integer = integer_value((int64_t)whole);
    }
    return true;
}

static double as_real(const struct sql_value *value) {
    return value->kind == SQL_REAL ? value->real : (double)value->integer;
}

bool sql_value_is_true(const struct sql_value *value) {
    switch (value->kind) {
    case SQL_NULL:
    case SQL_BLOB:
        return false;
    case SQL_INTEGER:
        return value->integer != 0;
    case SQL_REAL:
        return value->real != 0;
    case SQL_TEXT:
        break;
    }
    struct sql_value number = number_at_start(value->text, true);
    return number.integer != 0;
}

static int rank(const struct sql_value *value) {
    return value->kind == SQL_NULL ? 0 : value->kind == SQL_TEXT ? 2 : value->kind == SQL_BLOB ? 3 : 1;
}

/* Exact: an integer is never rounded to compare it. */
static int compare_integer_real(int64_t integer, double real) {
    if (real >= 9223372036854775808.0)
        return -1;
    if (real < -9223372036854775808.0)
        return 1;
    double whole = floor(real);
    int64_t other = (int64_t)whole;
    if (integer != other)
        return integer < other ? -1 : 1;
    return real > whole ? -1 : 0;
}

static int compare_numbers(const struct sql_value *left, const struct sql_value *right) {
    if (left->kind == SQL_INTEGER && right->kind == SQL_INTEGER)
        return (left->integer > right->integer) - (left->integer < right->integer);
    if (left->kind == SQL_INTEGER)
        return compare_integer_real(left->integer, right->real);
    if (right->kind == SQL_INTEGER)
        return -compare_integer_real(right->integer, left->real);
    return (left->real > right->real) - (left->real < right->real);
}

int sql_value_compare(const struct sql_value *left, const struct sql_value *right) {
    int left_rank = rank(left), right_rank = rank(right);
    if (left_rank != right_rank)
        return left_rank < right_rank ? -1 : 1;
    if (left_rank == 0)
        return 0;
    if (left_rank == 1)
        return compare_numbers(left, right);
    return utf16_compare(left->text, left->length, right->text, right->length);
}

/* Operators */

static bool has_null(const struct sql_value *arguments, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (arguments[i].kind == SQL_NULL)
            return true;
    return false;
}

#define OPERATION(name)                                                                                      \
    static bool name(const struct sql_value *arguments, size_t count, struct arena *arena,                   \
                     struct sql_value *value)

#define COMPARISON(name, condition)                                                                          \
    OPERATION(name) {                                                                                        \
        (void)arena;                                                                                         \
        if (has_null(arguments, count))                                                                      \
            return true;                                                                                     \
        int order = sql_value_compare(&arguments[0], &arguments[1]);                                         \
        *value = integer_value(condition);                                                                   \
        return true;                                                                                         \
    }

COMPARISON(run_equal, order == 0)
COMPARISON(run_less, order < 0)
COMPARISON(run_less_equal, order <= 0)
COMPARISON(run_greater, order > 0)
COMPARISON(run_greater_equal, order >= 0)

/* IS: NULL is a value like any other. */
OPERATION(run_is) {
    (void)count;
    (void)arena;
    *value = integer_value(sql_value_compare(&arguments[0], &arguments[1]) == 0);
    return true;
}

OPERATION(run_between) {
    (void)arena;
    if (has_null(arguments, count))
        return true;
    *value = integer_value(sql_value_compare(&arguments[0], &arguments[1]) >= 0 &&
                           sql_value_compare(&arguments[0], &arguments[2]) <= 0);
    return true;
}

/* x IN (values): NULL when nothing is equal and something is NULL. */
OPERATION(run_in) {
    (void)arena;
    if (arguments[0].kind == SQL_NULL)
        return true;
    bool found = false, unknown = false;
    for (size_t i = 1; i < count && !found; i++) {
        found = arguments[i].kind != SQL_NULL && sql_value_compare(&arguments[0], &arguments[i]) == 0;
        unknown = unknown || arguments[i].kind == SQL_NULL;
    }
    if (found || !unknown)
        *value = integer_value(found);
    return true;
}

/* Integers beyond 64 bits, which the real service has, are a failure here. */
static bool calculate(char symbol, const struct sql_value *arguments, struct sql_value *value) {
    struct sql_value left = to_numeric(&arguments[0]), right = to_numeric(&arguments[1]);
    if (left.kind == SQL_NULL || right.kind == SQL_NULL || (symbol == '/' && as_real(&right) == 0))
        return true;
    if (left.kind == SQL_INTEGER && right.kind == SQL_INTEGER) {
        int64_t result = 0;
        bool overflow = symbol == '+'   ? __builtin_add_overflow(left.integer, right.integer, &result)
                        : symbol == '-' ? __builtin_sub_overflow(left.integer, right.integer, &result)
                        : symbol == '*' ? __builtin_mul_overflow(left.integer, right.integer, &result)
                                        : left.integer == INT64_MIN && right.integer == -1;
        if (symbol == '/' && !overflow)
            result = left.integer / right.integer;
        *value = integer_value(result);
        return !overflow;
    }
    double a = as_real(&left), b = as_real(&right);
    double result = symbol == '+' ? a + b : symbol == '-' ? a - b : symbol == '*' ? a * b : a / b;
    *value = (struct sql_value){.kind = SQL_REAL, .real = result == 0 ? 0.0 : result};
    return isfinite(result);
}

#define ARITHMETIC(name, symbol)                                                                             \
    OPERATION(name) {                                                                                        \
        (void)count;                                                                                         \
        (void)arena;                                                                                         \
        return calculate(symbol, arguments, value);                                                          \
    }

ARITHMETIC(run_add, '+')
ARITHMETIC(run_subtract, '-')
ARITHMETIC(run_multiply, '*')
ARITHMETIC(run_divide, '/')

/* Operators that the real service takes and then fails at for every row. */
OPERATION(run_failing) {
    (void)arguments;
    (void)count;
    (void)arena;
    (void)value;
    return false;
}

OPERATION(run_concatenate) {
    if (has_null(arguments, count))
        return true;
    struct buffer text = {0};
    for (size_t i = 0; i < count; i++) {
        struct sql_value part = to_text(&arguments[i], arena);
        buffer_append(&text, part.text, part.length);
    }
    *value = text_value(&text, arena);
    return true;
}

/* Casts */

OPERATION(run_cast_text) {
    (void)count;
    *value = to_text(&arguments[0], arena);
    return true;
}

OPERATION(run_cast_integer) {
    (void)count;
    (void)arena;
    return to_integer(&arguments[0], value);
}

OPERATION(run_cast_real) {
    (void)count;
    (void)arena;
    *value = to_numeric(&arguments[0]);
    if (value->kind == SQL_INTEGER)
        *value = (struct sql_value){.kind = SQL_REAL, .real = (double)value->integer};
    return true;
}

OPERATION(run_cast_numeric) {
    (void)count;
    (void)arena;
    *value = to_numeric(&arguments[0]);
    return true;
}

OPERATION(run_cast_blob) {
    (void)count;
    *value = to_text(&arguments[0], arena);
    if (value->kind == SQL_TEXT)
        value->kind = SQL_BLOB;
    return true;
}

/* JSON */

static json_t *json_of(const struct sql_value *value, struct arena *arena) {
    struct sql_value text = to_text(value, arena);
    return json_parse(text.text, text.length, NULL);
}

/* A key of an object or a position of an array, as text. */
static const json_t *step(const json_t *json, const char *key, size_t length) {
    if (json_is_object(json))
        return json_object_getn(json, key, length);
    if (!json_is_array(json) || length == 0 || length > 9 || (length > 1 && key[0] == '0'))
        return NULL;
    size_t index = 0;
    for (size_t i = 0; i < length; i++) {
        if (key[i] < '0' || key[i] > '9')
            return NULL;
        index = index * 10 + (size_t)(key[i] - '0');
    }
    return json_array_get(json, index);
}

/* "$", "$.a.b"; what has no "$" is one key. Compiling has refused paths with [n]. */
static const json_t *follow(const json_t *json, const struct sql_value *path) {
    if (path->text[0] != '$' || (path->length > 1 && path->text[1] != '.'))
        return step(json, path->text, path->length);
    const char *at = path->text + 1;
    while (json && *at == '.') {
        size_t length = strcspn(at + 1, ".");
        json = step(json, at + 1, length);
        at += 1 + length;
    }
    return json;
}

/* A text has positions, too, as in JavaScript: a text of one unit. The caller owns it; NULL: there is none.
 */
static json_t *character_at(const json_t *json, const struct sql_value *path) {
    size_t digits = strspn(path->text, "0123456789");
    if (!json_is_string(json) || digits == 0 || digits != path->length || digits > 9 ||
        (digits > 1 && path->text[0] == '0'))
        return NULL;
    size_t at = (size_t)strtoul(path->text, NULL, 10);
    const char *text = json_string_value(json);
    size_t length = json_string_length(json);
    struct buffer unit = {0};
    bool whole = at < utf16_length(text, length) && utf16_slice(&unit, text, length, at, at + 1);
    json_t *character = whole ? json_stringn(buffer_text(&unit), unit.length) : NULL;
    buffer_free(&unit);
    return character;
}

static bool extract(const struct sql_value *arguments, bool as_json, struct arena *arena,
                    struct sql_value *value) {
    if (has_null(arguments, 2))
        return true;
    struct sql_value path = to_text(&arguments[1], arena);
    json_t *json = json_of(&arguments[0], arena);
    if (!json)
        return false;
    json_t *character = character_at(json, &path);
    const json_t *found = character ? character : json_is_null(json) ? NULL : follow(json, &path);
    if (found && as_json) {
        struct buffer text = {0};
        json_append(&text, found);
        *value = text_value(&text, arena);
    } else if (found) {
        *value = sql_value_from_json_copy(found, arena);
    }
    json_decref(character);
    json_decref(json);
    return true;
}

OPERATION(run_extract_json) {
    (void)count;
    return extract(arguments, true, arena, value);
}

OPERATION(run_extract_value) {
    (void)count;
    return extract(arguments, false, arena, value);
}

OPERATION(run_json_extract) {
    (void)count;
    if (has_null(arguments, 2))
        return true;
    struct sql_value path = to_text(&arguments[1], arena);
    return path.text[0] == '$' && extract(arguments, false, arena, value);
}

OPERATION(run_json_array_length) {
    struct sql_value root = {.kind = SQL_TEXT, .text = "$", .length = 1};
    if (has_null(arguments, count))
        return true;
    struct sql_value path = count > 1 ? to_text(&arguments[1], arena) : root;
    json_t *json = path.text[0] == '$' ? json_of(&arguments[0], arena) : NULL;
    if (!json)
        return false;
    const json_t *found = follow(json, &path);
    if (found)
        *value = integer_value((int64_t)json_array_size(found));
    json_decref(json);
    return true;
}

OPERATION(run_json_keys) {
    if (has_null(arguments, count))
        return true;
    json_t *json = json_of(&arguments[0], arena);
    bool good = json_is_object(json);
    struct buffer text = {0};
    const char *key;
    json_t *item;
    json_object_foreach(json, key, item) {
        buffer_append_char(&text, text.length == 0 ? '[' : ',');
        buffer_append_json_text(&text, key);
    }
    buffer_append_text(&text, text.length == 0 ? "[]" : "]");
    *value = text_value(&text, arena);
    json_decref(json);
    return good;
}

/* x IN a JSON array, where both sides belong to one row or one request. */
OPERATION(run_json_contains) {
    (void)count;
    if (has_null(arguments, 2))
        return true;
    json_t *json = json_of(&arguments[1], arena);
    bool good = json_is_array(json), found = false;
    for (size_t i = 0; good && i < json_array_size(json); i++) {
        struct sql_value item = sql_value_from_json_copy(json_array_get(json, i), arena);
        found = found || (item.kind != SQL_NULL && sql_value_compare(&item, &arguments[0]) == 0);
    }
    json_decref(json);
    *value = integer_value(found);
    return good;
}

/* Functions */

OPERATION(run_hex) {
    (void)count;
    struct sql_value text = to_text(&arguments[0], arena);
    struct buffer out = {0};
    for (size_t i = 0; i < text.length; i++)
        buffer_printf(&out, "%02X", (unsigned char)text.text[i]);
    *value = text_value(&out, arena);
    return true;
}

OPERATION(run_base64) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (void)count;
    struct sql_value text = to_text(&arguments[0], arena);
    struct buffer out = {0};
    for (size_t i = 0; i < text.length; i += 3) {
        unsigned bits = 0;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < text.length ? (unsigned char)text.text[i + j] : 0U);
        for (size_t j = 0; j < 4; j++)
            buffer_append_char(&out, i + j > text.length ? '=' : digits[bits >> (18 - 6 * j) & 63]);
    }
    *value = text_value(&out, arena);
    return true;
}

OPERATION(run_ifnull) {
    (void)count;
    (void)arena;
    *value = arguments[0].kind == SQL_NULL ? arguments[1] : arguments[0];
    return true;
}

OPERATION(run_iif) {
    (void)count;
    (void)arena;
    *value = sql_value_is_true(&arguments[0]) ? arguments[1] : arguments[2];
    return true;
}

OPERATION(run_typeof) {
    static const char *const names[] = {"null", "integer", "real", "text", "blob"};
    (void)count;
    (void)arena;
    const char *name = names[arguments[0].kind];
    *value = (struct sql_value){.kind = SQL_TEXT, .text = name, .length = strlen(name)};
    return true;
}

OPERATION(run_length) {
    (void)count;
    if (arguments[0].kind == SQL_NULL)
        return true;
    struct sql_value text = to_text(&arguments[0], arena);
    bool blob = arguments[0].kind == SQL_BLOB;
    *value = integer_value((int64_t)(blob ? text.length : utf16_length(text.text, text.length)));
    return true;
}

static bool change_case(const struct sql_value *argument, bool upper, struct arena *arena,
                        struct sql_value *value) {
    if (argument->kind == SQL_NULL)
        return true;
    struct sql_value text = to_text(argument, arena);
    struct buffer out = {0};
    bool good = utf16_change_case(&out, text.text, text.length, upper);
    *value = text_value(&out, arena);
    return good;
}

OPERATION(run_lower) {
    (void)count;
    return change_case(&arguments[0], false, arena, value);
}

OPERATION(run_upper) {
    (void)count;
    return change_case(&arguments[0], true, arena, value);
}

OPERATION(run_instr) {
    if (has_null(arguments, count))
        return true;
    struct sql_value text = to_text(&arguments[0], arena), part = to_text(&arguments[1], arena);
    const char *found = text.length >= part.length ? strstr(text.text, part.text) : NULL;
    *value = integer_value(found ? (int64_t)utf16_length(text.text, (size_t)(found - text.text)) + 1 : 0);
    return true;
}

/* Counted from 1; a start below 0 counts from the end; start 0 costs one character of the length; a length
 * below 0 takes what is before the start. */
OPERATION(run_substring) {
    if (has_null(arguments, count))
        return true;
    struct sql_value text = to_text(&arguments[0], arena), start, length = integer_value(INT32_MAX);
    if (!to_integer(&arguments[1], &start) || (count > 2 && !to_integer(&arguments[2], &length)))
        return false;
    int64_t size = (int64_t)utf16_length(text.text, text.length);
    int64_t take = length.integer > INT32_MAX    ? INT32_MAX
                   : length.integer < -INT32_MAX ? -INT32_MAX
                                                 : length.integer;
    int64_t from = start.integer > size ? size + INT32_MAX : start.integer - 1;
    if (start.integer < 0)
        from = start.integer < -size ? 0 : size + start.integer;
    else if (start.integer == 0) {
        from = 0;
        take = take > 0 ? take - 1 : take;
    } else if (start.integer <= INT32_MAX)
        from = start.integer - 1;
    int64_t end = take < 0 ? from : from + take;
    from = take < 0 ? from + take : from;
    from = from < 0 ? 0 : from > size ? size : from;
    end = end < from ? from : end > size ? size : end;
    struct buffer out = {0};
    bool good = utf16_slice(&out, text.text, text.length, (size_t)from, (size_t)end);
    *value = text_value(&out, arena);
    return good;
}

static const struct sync_operation operations[] = {
    {"=", 2, 2, run_equal},
    {"<", 2, 2, run_less},
    {"<=", 2, 2, run_less_equal},
    {">", 2, 2, run_greater},
    {">=", 2, 2, run_greater_equal},
    {"is ", 2, 2, run_is},
    {"between ", 3, 3, run_between},
    {"in ", 2, 65, run_in},
    {"+", 2, 2, run_add},
    {"-", 2, 2, run_subtract},
    {"*", 2, 2, run_multiply},
    {"/", 2, 2, run_divide},
    {"%", 2, 2, run_failing},
    {"&", 2, 2, run_failing},
    {"|", 2, 2, run_failing},
    {"<<", 2, 2, run_failing},
    {">>", 2, 2, run_failing},
    {"||", 2, 2, run_concatenate},
    {"->", 2, 2, run_extract_json},
    {"->>", 2, 2, run_extract_value},
    {"json contains", 2, 2, run_json_contains},
    {"cast text", 1, 1, run_cast_text},
    {"cast integer", 1, 1, run_cast_integer},
    {"cast real", 1, 1, run_cast_real},
    {"cast numeric", 1, 1, run_cast_numeric},
    {"cast blob", 1, 1, run_cast_blob},
    {"base64", 1, 1, run_base64},
    {"hex", 1, 1, run_hex},
    {"ifnull", 2, 2, run_ifnull},
    {"iif", 3, 3, run_iif},
    {"instr", 2, 2, run_instr},
    {"json_array_length", 1, 2, run_json_array_length},
    {"json_extract", 2, 2, run_json_extract},
    {"json_keys", 1, 1, run_json_keys},
    {"length", 1, 1, run_length},
    {"lower", 1, 1, run_lower},
    {"substring", 2, 3, run_substring},
    {"typeof", 1, 1, run_typeof},
    {"upper", 1, 1, run_upper},
};

const struct sync_operation *sync_operation_find(const char *name) {
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].name, name) == 0)
            return &operations[i];
    return NULL;
}
