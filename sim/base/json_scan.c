#include "base/json_scan.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { depth_limit = 256, number_limit = 400 };

static const char *scan_value(const char *at, const char *end, struct json_slice *slice, int depth);

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

static const char *scan_string(const char *at, const char *end, struct json_slice *slice) {
    slice->plain = true;
    for (at++; at < end && *at != '"'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte < ' ')
            return NULL;
        if (byte == '\\' && ++at == end)
            return NULL;
        if (byte == '\\' || byte >= 0x80)
            slice->plain = false;
    }
    return at < end ? at + 1 : NULL;
}

static const char *skip_digits(const char *at, const char *end) {
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

static const char *scan_number(const char *at, const char *end, struct json_slice *slice) {
    slice->kind = JSON_SLICE_INTEGER;
    const char *digits = *at == '-' ? at + 1 : at;
    at = skip_digits(digits, end);
    if (at == digits || (*digits == '0' && at - digits > 1))
        return NULL;
    if (at < end && *at == '.') {
        slice->kind = JSON_SLICE_REAL;
        digits = at + 1;
        at = skip_digits(digits, end);
        if (at == digits)
            return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        slice->kind = JSON_SLICE_REAL;
        digits = at + 1;
        if (digits < end && (*digits == '+' || *digits == '-'))
            digits++;
        at = skip_digits(digits, end);
        if (at == digits)
            return NULL;
    }
    return at;
}

static const char *scan_word(const char *at, const char *end, const char *word) {
    size_t length = strlen(word);
    return (size_t)(end - at) >= length && memcmp(at, word, length) == 0 ? at + length : NULL;
}

/* Behind one more member or item, with `*over` set behind the closing bracket; NULL: no JSON. */
static const char *scan_next(const char *at, const char *end, bool object, bool started, int depth,
                             struct json_slice *key, struct json_slice *value, bool *over) {
    at = skip_space(at, end);
    *over = at < end && *at == (object ? '}' : ']');
    if (*over)
        return at + 1;
    if (started) {
        if (at == end || *at != ',')
            return NULL;
        at = skip_space(at + 1, end);
    }
    if (object) {
        at = scan_value(at, end, key, depth);
        at = at && key->kind == JSON_SLICE_STRING ? skip_space(at, end) : NULL;
        if (!at || at == end || *at != ':')
            return NULL;
        at++;
    }
    return scan_value(at, end, value, depth);
}

static const char *scan_nested(const char *at, const char *end, bool object, int depth) {
    struct json_slice key, value;
    bool over = false;
    at++;
    for (bool started = false; at && !over; started = true)
        at = scan_next(at, end, object, started, depth + 1, &key, &value, &over);
    return at;
}

/* Behind the value that begins here or after white space; NULL: there is none. */
static const char *scan_value(const char *at, const char *end, struct json_slice *slice, int depth) {
    at = skip_space(at, end);
    if (at == end || depth > depth_limit)
        return NULL;
    const char *start = at;
    slice->plain = false;
    if (*at == '"') {
        slice->kind = JSON_SLICE_STRING;
        at = scan_string(at, end, slice);
    } else if (*at == '{' || *at == '[') {
        slice->kind = *at == '{' ? JSON_SLICE_OBJECT : JSON_SLICE_ARRAY;
        at = scan_nested(at, end, *at == '{', depth);
    } else if (*at == 't' || *at == 'f') {
        slice->kind = *at == 't' ? JSON_SLICE_TRUE : JSON_SLICE_FALSE;
        at = scan_word(at, end, *at == 't' ? "true" : "false");
    } else if (*at == 'n') {
        slice->kind = JSON_SLICE_NULL;
        at = scan_word(at, end, "null");
    } else {
        at = scan_number(at, end, slice);
    }
    slice->text = start;
    slice->length = at ? (size_t)(at - start) : 0;
    return at;
}

struct json_walk json_walk_begin(const char *text, size_t length) {
    assert(text || length == 0);
    text = text ? text : "";
    const char *end = text + length;
    const char *at = skip_space(text, end);
    bool good = at < end && (*at == '{' || *at == '[');
    return (struct json_walk){
        .at = good ? at + 1 : at, .end = end, .object = good && *at == '{', .bad = !good};
}

bool json_walk_next(struct json_walk *walk, struct json_slice *key, struct json_slice *value) {
    if (walk->bad || walk->over)
        return false;
    struct json_slice own;
    const char *at =
        scan_next(walk->at, walk->end, walk->object, walk->started, 1, key ? key : &own, value, &walk->over);
    walk->started = true;
    walk->bad = at == NULL;
    walk->at = at ? at : walk->at;
    return at && !walk->over;
}

bool json_walk_is_whole(const struct json_walk *walk) {
    return walk->over && skip_space(walk->at, walk->end) == walk->end;
}

bool json_slice_is(const struct json_slice *slice, const char *text) {
    size_t length = strlen(text);
    return slice->plain && slice->length == length + 2 && memcmp(slice->text + 1, text, length) == 0;
}

bool json_slice_integer(const struct json_slice *slice, int64_t *value) {
    if (slice->kind != JSON_SLICE_INTEGER)
        return false;
    bool negative = slice->text[0] == '-';
    uint64_t number = 0;
    for (size_t i = negative; i < slice->length; i++) {
        unsigned digit = (unsigned)(slice->text[i] - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (number > (uint64_t)INT64_MAX + negative)
        return false;
    *value = negative ? (int64_t)(0 - number) : (int64_t)number;
    return true;
}

bool json_slice_real(const struct json_slice *slice, double *value) {
    char text[number_limit + 1];
    if ((slice->kind != JSON_SLICE_REAL && slice->kind != JSON_SLICE_INTEGER) || slice->length > number_limit)
        return false;
    memcpy(text, slice->text, slice->length);
    text[slice->length] = 0;
    *value = strtod(text, NULL);
    return isfinite(*value);
}
