/* Every operator and function that a sync config can use is one row of the table at the end. They follow the
 * real service's default engine where it differs from SQLite: AND, OR and NOT see NULL as false, texts are
 * counted in UTF-16 units, a real that is cast to an integer is rounded down. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/config/sync_date.h"
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

/* What is no UTF-8 in a BLOB becomes U+FFFD. */
static struct sql_value to_text(const struct sql_value *value, struct arena *arena) {
    if (value->kind == SQL_NULL)
        return (struct sql_value){0};
    if (value->kind == SQL_TEXT)
        return *value;
    struct buffer text = {0};
    if (value->kind == SQL_BLOB)
        utf8_append_valid(&text, value->text, value->length);
    else
        sql_value_append_text(&text, value);
    return text_value(&text, arena);
}

static struct sql_value to_bytes(const struct sql_value *value, struct arena *arena) {
    return value->kind == SQL_BLOB ? *value : to_text(value, arena);
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

/* The real service cannot compare two BLOBs. */
static bool are_blobs(const struct sql_value *arguments, size_t i, size_t j) {
    return arguments[i].kind == SQL_BLOB && arguments[j].kind == SQL_BLOB;
}

#define OPERATION(name)                                                                                      \
    static bool name(const struct sql_value *arguments, size_t count, struct arena *arena,                   \
                     struct sql_value *value)

#define COMPARISON(name, condition)                                                                          \
    OPERATION(name) {                                                                                        \
        (void)arena;                                                                                         \
        if (has_null(arguments, count))                                                                      \
            return true;                                                                                     \
        if (are_blobs(arguments, 0, 1))                                                                      \
            return false;                                                                                    \
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
    return !are_blobs(arguments, 0, 1);
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
    *value = to_bytes(&arguments[0], arena);
    if (value->kind == SQL_TEXT)
        value->kind = SQL_BLOB;
    return true;
}

/* JSON */

static json_t *json_of(const struct sql_value *value, struct arena *arena) {
    struct sql_value text = to_text(value, arena);
    return json_parse(text.text, text.length, NULL);
}

/* The unit of a text at a position, as in JavaScript; NULL when it is half a character. */
static json_t *unit_at(const json_t *json, size_t at) {
    const char *text = json_string_value(json);
    size_t length = json_string_length(json);
    struct buffer unit = {0};
    bool whole = at < utf16_length(text, length) && utf16_slice(&unit, text, length, at, at + 1);
    json_t *character = whole ? json_stringn(buffer_text(&unit), unit.length) : NULL;
    buffer_free(&unit);
    return character;
}

/* What is under a key: of an object, or a position of an array or a text. The caller owns it; NULL: nothing.
 */
static json_t *step(const json_t *json, const char *key, size_t length) {
    if (json_is_object(json))
        return json_incref(json_object_getn(json, key, length));
    size_t digits = strspn(key, "0123456789");
    if (digits != length || length == 0 || length > 9 || (length > 1 && key[0] == '0'))
        return NULL;
    size_t at = strtoul(key, NULL, 10);
    return json_is_string(json) ? unit_at(json, at) : json_incref(json_array_get(json, at));
}

/* "$.a.b" is a path; what has no "$" before it is one key. The way ends at a null. The caller owns what is
 * there. */
static json_t *follow(json_t *json, const struct sql_value *path) {
    bool is_path = path->text[0] == '$';
    const char *at = is_path ? strchr(path->text, '.') : path->text;
    json_t *found = json_incref(json);
    while (at && found && !json_is_null(found)) {
        at += is_path;
        size_t length = is_path ? strcspn(at, ".") : path->length;
        char *key = memory_copy_bytes(at, length);
        json_t *next = step(found, key, length);
        free(key);
        json_decref(found);
        found = next;
        at = is_path && at[length] ? at + length : NULL;
    }
    return found;
}

static bool extract(const struct sql_value *arguments, bool as_json, struct arena *arena,
                    struct sql_value *value) {
    if (has_null(arguments, 2))
        return true;
    struct sql_value path = to_text(&arguments[1], arena);
    json_t *json = json_of(&arguments[0], arena);
    if (!json)
        return false;
    json_t *found = json_is_null(json) ? NULL : follow(json, &path);
    if (found && as_json) {
        struct buffer text = {0};
        json_append(&text, found);
        *value = text_value(&text, arena);
    } else if (found) {
        *value = sql_value_from_json_copy(found, arena);
    }
    json_decref(found);
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
    return extract(arguments, false, arena, value) &&
           (path.text[0] == '$' || strcmp(to_text(&arguments[0], arena).text, "null") == 0);
}

OPERATION(run_json_array_length) {
    struct sql_value list = {0};
    if (count < 2 || arguments[1].kind == SQL_NULL)
        list = arguments[0];
    else if (!run_json_extract(arguments, count, arena, &list))
        return false;
    if (list.kind == SQL_NULL)
        return true;
    json_t *json = json_of(&list, arena);
    if (json)
        *value = integer_value((int64_t)json_array_size(json));
    json_decref(json);
    return json != NULL;
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
    struct sql_value text = to_bytes(&arguments[0], arena);
    struct buffer out = {0};
    for (size_t i = 0; i < text.length; i++)
        buffer_printf(&out, "%02X", (unsigned char)text.text[i]);
    *value = text_value(&out, arena);
    return true;
}

OPERATION(run_base64) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (void)count;
    struct sql_value text = to_bytes(&arguments[0], arena);
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
    struct sql_value text = to_bytes(&arguments[0], arena);
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

/* Dates */

static bool is_word(const struct sql_value *value, const char *word) {
    return value->kind == SQL_TEXT && strcmp(value->text, word) == 0;
}

static bool is_subsecond(const struct sql_value *value) {
    return is_word(value, "subsec") || is_word(value, "subsecond");
}

/* unixepoch and datetime: the value, then 'unixepoch' and 'subsec' if wanted, in this order. False: the
 * result is NULL. */
static bool read_date(const struct sql_value *arguments, size_t count, int64_t *milliseconds,
                      bool *subsecond) {
    static const struct sql_value none = {0};
    const struct sql_value *first = count > 1 ? &arguments[1] : &none,
                           *second = count > 2 ? &arguments[2] : &none;
    bool unix_time = is_word(first, "unixepoch");
    const struct sql_value *last = unix_time ? second : first;
    *subsecond = is_subsecond(last);
    return (*subsecond || last->kind == SQL_NULL) && sync_date_read(&arguments[0], unix_time, milliseconds);
}

OPERATION(run_unixepoch) {
    (void)arena;
    int64_t milliseconds;
    bool subsecond;
    if (!read_date(arguments, count, &milliseconds, &subsecond))
        return true;
    *value = subsecond ? (struct sql_value){.kind = SQL_REAL, .real = (double)milliseconds / 1000.0}
                       : integer_value(milliseconds / 1000 - (milliseconds % 1000 < 0));
    return true;
}

OPERATION(run_datetime) {
    int64_t milliseconds;
    bool subsecond;
    struct buffer text = {0};
    if (!read_date(arguments, count, &milliseconds, &subsecond))
        return true;
    sync_date_append(&text, milliseconds, subsecond);
    *value = text_value(&text, arena);
    return true;
}

/* UUIDs */

static int hex_digit(char byte) {
    static const char digits[] = "0123456789abcdef";
    const char *found = byte ? strchr(digits, byte >= 'A' && byte <= 'F' ? byte + 'a' - 'A' : byte) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* The 16 bytes; false when the text is no UUID of a known version. */
static bool read_uuid(const char *text, size_t length, char *bytes) {
    size_t n_digits = 0;
    int all = 0, none = 15;
    if (length != 36)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-')
                return false;
            continue;
        }
        int digit = hex_digit(text[i]);
        if (digit < 0)
            return false;
        all |= digit;
        none &= digit;
        bytes[n_digits / 2] = (char)(n_digits % 2 == 0 ? digit << 4 : (bytes[n_digits / 2] & 0xf0) | digit);
        n_digits++;
    }
    int version = hex_digit(text[14]), variant = hex_digit(text[19]);
    return (version >= 1 && version <= 8 && variant >= 8 && variant <= 11) || all == 0 || none == 15;
}

OPERATION(run_uuid_blob) {
    char bytes[16];
    (void)count;
    if (arguments[0].kind == SQL_NULL)
        return true;
    struct sql_value text = to_text(&arguments[0], arena);
    if (!read_uuid(text.text, text.length, bytes))
        return false;
    *value = (struct sql_value){.kind = SQL_BLOB, .text = arena_copy_bytes(arena, bytes, 16), .length = 16};
    return true;
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
    {"ifnull", 2, 8, run_ifnull},
    {"iif", 3, 3, run_iif},
    {"instr", 2, 2, run_instr},
    {"json_array_length", 1, 2, run_json_array_length},
    {"json_extract", 2, 8, run_json_extract},
    {"json_keys", 1, 1, run_json_keys},
    {"length", 1, 1, run_length},
    {"lower", 1, 1, run_lower},
    {"substring", 2, 3, run_substring},
    {"typeof", 1, 1, run_typeof},
    {"unixepoch", 1, 8, run_unixepoch},
    {"datetime", 1, 8, run_datetime},
    {"uuid_blob", 1, 1, run_uuid_blob},
    {"upper", 1, 1, run_upper},
};

const struct sync_operation *sync_operation_find(const char *name) {
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].name, name) == 0)
            return &operations[i];
    return NULL;
}
