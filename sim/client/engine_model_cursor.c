#include "client/engine_model_cursor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum bson_type {
    BSON_DOUBLE = 0x01,
    BSON_TEXT = 0x02,
    BSON_DOCUMENT = 0x03,
    BSON_ARRAY = 0x04,
    BSON_BINARY = 0x05,
    BSON_UNDEFINED = 0x06,
    BSON_OBJECT_ID = 0x07,
    BSON_BOOLEAN = 0x08,
    BSON_DATE = 0x09,
    BSON_NULL = 0x0a,
    BSON_INT32 = 0x10,
    BSON_TIMESTAMP = 0x11,
    BSON_INT64 = 0x12
};

static const char cut_short[] = "the document is cut short";

void cursor_start(struct line_cursor *cursor, const void *bytes, size_t length, bool binary, char *scratch) {
    cursor->binary = binary;
    cursor->reason = NULL;
    cursor->scratch = scratch;
    cursor->depth = 0;
    cursor->type = BSON_DOCUMENT;
    cursor->at = bytes;
    cursor->end = cursor->at + length;
    if (!binary)
        json_scan_start(&cursor->scan, bytes, length);
}

bool cursor_fail(struct line_cursor *cursor, const char *reason) {
    if (cursor->reason == NULL)
        cursor->reason = reason;
    return false;
}

/* What a JSON function said. */
static bool checked(struct line_cursor *cursor, bool done) {
    return done || cursor_fail(cursor, cursor->scan.reason != NULL ? cursor->scan.reason : "malformed");
}

static uint64_t bits_at(const unsigned char *at, int count) {
    uint64_t value = 0;

    for (int i = 0; i < count; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static size_t left(const struct line_cursor *cursor) {
    return (size_t)(cursor->end - cursor->at);
}

static enum cursor_kind bson_kind(unsigned char type) {
    switch (type) {
    case BSON_DOCUMENT:
        return CURSOR_OBJECT;
    case BSON_ARRAY:
        return CURSOR_ARRAY;
    case BSON_TEXT:
        return CURSOR_TEXT;
    case BSON_DOUBLE:
    case BSON_INT32:
    case BSON_INT64:
        return CURSOR_NUMBER;
    case BSON_NULL:
    case BSON_UNDEFINED:
        return CURSOR_NULL;
    default:
        return CURSOR_OTHER;
    }
}

enum cursor_kind cursor_kind(struct line_cursor *cursor) {
    if (cursor->binary)
        return bson_kind(cursor->type);
    switch (json_scan_peek(&cursor->scan)) {
    case '{':
        return CURSOR_OBJECT;
    case '[':
        return CURSOR_ARRAY;
    case '"':
        return CURSOR_TEXT;
    case 'n':
        return CURSOR_NULL;
    case 't':
    case 'f':
        return CURSOR_OTHER;
    default:
        return CURSOR_NUMBER;
    }
}

static bool open_document(struct line_cursor *cursor) {
    uint64_t length;

    if (left(cursor) < 5)
        return cursor_fail(cursor, cut_short);
    length = bits_at(cursor->at, 4);
    if (length < 5 || length > left(cursor) || cursor->at[length - 1] != 0)
        return cursor_fail(cursor, "a document of a wrong length");
    cursor->open[cursor->depth].end = cursor->end;
    cursor->end = cursor->at + length - 1;
    cursor->at += 4;
    return true;
}

bool cursor_open(struct line_cursor *cursor) {
    enum cursor_kind kind = cursor_kind(cursor);
    bool is_array = kind == CURSOR_ARRAY;

    if (kind != CURSOR_OBJECT && kind != CURSOR_ARRAY)
        return cursor_fail(cursor, "expected an object");
    if (cursor->depth == CURSOR_DEEPEST)
        return cursor_fail(cursor, "nested too deeply");
    if (cursor->binary ? !open_document(cursor)
                       : !checked(cursor, json_scan_open(&cursor->scan, is_array ? '[' : '{', "malformed")))
        return false;
    cursor->open[cursor->depth].is_array = is_array;
    cursor->open[cursor->depth].first = true;
    cursor->depth++;
    return true;
}

static bool next_element(struct line_cursor *cursor, struct json_span *key, bool *more) {
    *more = left(cursor) > 0;
    if (!*more) {
        cursor->at++; /* the final 0 */
        cursor->depth--;
        cursor->end = cursor->open[cursor->depth].end;
        return true;
    }
    cursor->type = *cursor->at++;
    key->bytes = (const char *)cursor->at;
    key->length = strnlen(key->bytes, left(cursor));
    if (key->length == left(cursor))
        return cursor_fail(cursor, cut_short);
    cursor->at += key->length + 1;
    return true;
}

static bool next_member(struct line_cursor *cursor, struct json_span *key, bool *key_escaped, bool *more) {
    bool is_array = cursor->open[cursor->depth - 1].is_array;

    if (!checked(cursor, json_scan_next(&cursor->scan, is_array ? ']' : '}',
                                        &cursor->open[cursor->depth - 1].first, more)))
        return false;
    if (!*more) {
        cursor->depth--;
        return true;
    }
    if (is_array)
        return true;
    if (!checked(cursor, json_scan_string(&cursor->scan, key, key_escaped, "expected a key")))
        return false;
    if (*key_escaped) {
        char *end = json_scan_unescape(cursor->scratch, key->bytes, key->length);

        *key = (struct json_span){cursor->scratch, (size_t)(end - cursor->scratch)};
        cursor->scratch = end;
    }
    return checked(cursor, json_scan_take(&cursor->scan, ':', "expected a colon"));
}

bool cursor_next(struct line_cursor *cursor, struct json_span *key, bool *key_escaped, bool *more) {
    assert(cursor->depth > 0);
    *key_escaped = false;
    return cursor->binary ? next_element(cursor, key, more) : next_member(cursor, key, key_escaped, more);
}

static bool bson_text(struct line_cursor *cursor, struct json_span *text) {
    uint64_t length;

    if (left(cursor) < 5)
        return cursor_fail(cursor, cut_short);
    length = bits_at(cursor->at, 4);
    if (length < 1 || length > left(cursor) - 4 || cursor->at[4 + length - 1] != 0)
        return cursor_fail(cursor, "a text of a wrong length");
    *text = (struct json_span){(const char *)cursor->at + 4, (size_t)length - 1};
    cursor->at += 4 + length;
    return true;
}

bool cursor_text(struct line_cursor *cursor, struct json_span *text) {
    bool escaped;

    if (cursor_kind(cursor) != CURSOR_TEXT)
        return cursor_fail(cursor, "expected a string");
    if (cursor->binary)
        return bson_text(cursor, text);
    if (!checked(cursor, json_scan_string(&cursor->scan, text, &escaped, "expected a string")))
        return false;
    if (escaped) {
        char *end = json_scan_unescape(cursor->scratch, text->bytes, text->length);

        *text = (struct json_span){cursor->scratch, (size_t)(end - cursor->scratch)};
        cursor->scratch = end;
    }
    return true;
}

/* A number as it stands: whole, or a double. */
struct cursor_number {
    bool is_double;
    int64_t whole;
    double fraction;
};

static bool bson_number(struct line_cursor *cursor, struct cursor_number *number) {
    size_t size = cursor->type == BSON_INT32 ? 4 : 8;
    uint64_t bits;

    if (left(cursor) < size)
        return cursor_fail(cursor, cut_short);
    bits = bits_at(cursor->at, (int)size);
    cursor->at += size;
    number->is_double = cursor->type == BSON_DOUBLE;
    number->whole = size == 4 ? (int32_t)bits : (int64_t)bits;
    if (number->is_double)
        memcpy(&number->fraction, &bits, sizeof bits);
    return true;
}

/* "-0" is a double, as the core's reader sees it. */
static bool json_number(struct line_cursor *cursor, struct cursor_number *number) {
    struct json_span text;
    char copy[400];

    if (!checked(cursor, json_scan_number(&cursor->scan, &text, "expected a number")))
        return false;
    number->is_double =
        !json_span_integer(text, &number->whole) || (number->whole == 0 && text.bytes[0] == '-');
    if (!number->is_double)
        return true;
    if (text.length >= sizeof copy)
        return cursor_fail(cursor, "a number of that many digits");
    memcpy(copy, text.bytes, text.length);
    copy[text.length] = 0;
    number->fraction = strtod(copy, NULL);
    return true;
}

static bool read_number(struct line_cursor *cursor, struct cursor_number *number) {
    if (cursor_kind(cursor) != CURSOR_NUMBER)
        return cursor_fail(cursor, "expected a number");
    return cursor->binary ? bson_number(cursor, number) : json_number(cursor, number);
}

bool cursor_integer(struct line_cursor *cursor, int64_t low, int64_t high, int64_t *value) {
    struct cursor_number number;

    if (!read_number(cursor, &number))
        return false;
    *value = number.whole;
    return (!number.is_double && *value >= low && *value <= high) ||
           cursor_fail(cursor, "expected a whole number in range");
}

bool cursor_checksum(struct line_cursor *cursor, uint32_t *value) {
    struct cursor_number number;

    if (!read_number(cursor, &number))
        return false;
    if (number.is_double) {
        if (!(number.fraction >= INT32_MIN && number.fraction <= UINT32_MAX))
            return cursor_fail(cursor, "a checksum out of range");
        number.whole = (int64_t)number.fraction;
        if ((double)number.whole != number.fraction)
            return cursor_fail(cursor, "a checksum is a whole number");
    }
    *value = (uint32_t)number.whole;
    return (number.whole >= INT32_MIN && number.whole <= UINT32_MAX) ||
           cursor_fail(cursor, "a checksum out of range");
}

bool cursor_null(struct line_cursor *cursor) {
    if (cursor_kind(cursor) != CURSOR_NULL)
        return cursor_fail(cursor, "expected null");
    return cursor->binary || checked(cursor, json_scan_literal(&cursor->scan, "null"));
}

bool cursor_boolean(struct line_cursor *cursor, bool *value) {
    if (cursor->binary) {
        if (cursor->type != BSON_BOOLEAN || left(cursor) < 1)
            return cursor_fail(cursor, "expected a boolean");
        *value = *cursor->at++ != 0;
        return true;
    }
    *value = json_scan_peek(&cursor->scan) == 't';
    return checked(cursor, json_scan_literal(&cursor->scan, *value ? "true" : "false"));
}

/* Bytes of a BSON value that has no parts; 0: its size is not fixed or not known. */
static size_t fixed_size(unsigned char type) {
    switch (type) {
    case BSON_DOUBLE:
    case BSON_DATE:
    case BSON_TIMESTAMP:
    case BSON_INT64:
        return 8;
    case BSON_INT32:
        return 4;
    case BSON_BOOLEAN:
        return 1;
    case BSON_OBJECT_ID:
        return 12;
    default:
        return 0;
    }
}

static bool skip_parts(struct line_cursor *cursor) {
    struct json_span key;
    bool escaped, more;

    if (!cursor_open(cursor))
        return false;
    for (;;) {
        if (!cursor_next(cursor, &key, &escaped, &more))
            return false;
        if (!more)
            return true;
        if (!cursor_skip(cursor))
            return false;
    }
}

bool cursor_skip(struct line_cursor *cursor) {
    struct json_span text;
    size_t size;

    if (!cursor->binary)
        return checked(cursor, json_scan_skip(&cursor->scan));
    switch (bson_kind(cursor->type)) {
    case CURSOR_OBJECT:
    case CURSOR_ARRAY:
        return skip_parts(cursor);
    case CURSOR_TEXT:
        return bson_text(cursor, &text);
    case CURSOR_NULL:
        return true;
    default:
        size = fixed_size(cursor->type);
        if (cursor->type == BSON_BINARY && left(cursor) >= 5)
            size = 5 + (size_t)bits_at(cursor->at, 4);
        if (size == 0 || size > left(cursor))
            return cursor_fail(cursor, "a value of an unknown type");
        cursor->at += size;
        return true;
    }
}

bool cursor_finish(struct line_cursor *cursor) {
    assert(cursor->depth == 0);
    if (!cursor->binary)
        return checked(cursor, json_scan_finish(&cursor->scan));
    return left(cursor) == 0 || cursor_fail(cursor, "something follows the document");
}
