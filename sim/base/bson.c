#include "base/bson.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum bson_type {
    BSON_DOUBLE = 0x01,
    BSON_TEXT = 0x02,
    BSON_DOCUMENT = 0x03,
    BSON_ARRAY = 0x04,
    BSON_UNDEFINED = 0x06,
    BSON_BOOLEAN = 0x08,
    BSON_NULL = 0x0a,
    BSON_INT32 = 0x10,
    BSON_INT64 = 0x12
};

enum { SMALLEST = 5, DEEPEST = 64 }; /* bytes of an empty document; levels that are read */

/* --- writing --- */

static void put_u32(unsigned char out[4], uint32_t value) {
    for (int i = 0; i < 4; i++)
        out[i] = (unsigned char)(value >> 8 * i);
}

static void append_u32(struct buffer *out, uint32_t value) {
    unsigned char bytes[4];
    put_u32(bytes, value);
    buffer_append(out, bytes, sizeof bytes);
}

static void open_level(struct bson_writer *writer, bool is_array) {
    assert(writer->depth < BSON_WRITER_DEPTH);
    writer->open[writer->depth].start = writer->out->length;
    writer->open[writer->depth].is_array = is_array;
    writer->open[writer->depth].elements = 0;
    writer->depth++;
    append_u32(writer->out, 0);
}

static void element(struct bson_writer *writer, enum bson_type type, const char *key) {
    assert(writer->depth > 0);
    bool in_array = writer->open[writer->depth - 1].is_array;
    unsigned index = writer->open[writer->depth - 1].elements++;
    assert(in_array == !key);
    buffer_append_char(writer->out, (char)type);
    if (in_array)
        buffer_append_integer(writer->out, index);
    else
        buffer_append_text(writer->out, key);
    buffer_append_char(writer->out, '\0');
}

void bson_begin(struct bson_writer *writer, struct buffer *out) {
    writer->out = out;
    writer->depth = 0;
    open_level(writer, false);
}

void bson_document(struct bson_writer *writer, const char *key) {
    element(writer, BSON_DOCUMENT, key);
    open_level(writer, false);
}

void bson_array(struct bson_writer *writer, const char *key) {
    element(writer, BSON_ARRAY, key);
    open_level(writer, true);
}

void bson_end(struct bson_writer *writer) {
    assert(writer->depth > 0);
    size_t start = writer->open[--writer->depth].start;
    buffer_append_char(writer->out, '\0');
    size_t length = writer->out->length - start;
    assert(length <= INT32_MAX);
    put_u32((unsigned char *)writer->out->data + start, (uint32_t)length);
}

void bson_text(struct bson_writer *writer, const char *key, const char *text, size_t length) {
    element(writer, BSON_TEXT, key);
    assert(length < INT32_MAX);
    append_u32(writer->out, (uint32_t)length + 1);
    buffer_append(writer->out, text, length);
    buffer_append_char(writer->out, '\0');
}

void bson_number(struct bson_writer *writer, const char *key, int64_t value) {
    bool small = value >= INT32_MIN && value <= INT32_MAX;
    element(writer, small ? BSON_INT32 : BSON_DOUBLE, key);
    if (small) {
        append_u32(writer->out, (uint32_t)value);
        return;
    }
    assert(value >= -(INT64_C(1) << 53) && value <= INT64_C(1) << 53);
    double number = (double)value;
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    append_u32(writer->out, (uint32_t)bits);
    append_u32(writer->out, (uint32_t)(bits >> 32));
}

void bson_boolean(struct bson_writer *writer, const char *key, bool value) {
    element(writer, BSON_BOOLEAN, key);
    buffer_append_char(writer->out, (char)value);
}

void bson_null(struct bson_writer *writer, const char *key) {
    element(writer, BSON_NULL, key);
}

/* --- reading --- */

struct reader {
    const unsigned char *at;
    const unsigned char *end; /* of the document being read */
    int depth;
};

static uint64_t read_bits(const unsigned char *bytes, int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static size_t left(const struct reader *reader) {
    return (size_t)(reader->end - reader->at);
}

size_t bson_length(const void *bytes, size_t length) {
    uint64_t claimed = length < 4 ? 0 : read_bits(bytes, 4);
    return claimed >= SMALLEST && claimed <= INT32_MAX ? (size_t)claimed : 0;
}

static json_t *read_document(struct reader *reader, bool is_array);

/* NULL: there is none. */
static const char *take_text(struct reader *reader, size_t *length) {
    if (left(reader) < 5)
        return NULL;
    uint64_t claimed = read_bits(reader->at, 4);
    if (claimed < 1 || claimed > left(reader) - 4 || reader->at[4 + claimed - 1] != '\0')
        return NULL;
    const char *text = (const char *)reader->at + 4;
    reader->at += 4 + claimed;
    *length = (size_t)claimed - 1;
    return text;
}

static json_t *read_text(struct reader *reader) {
    size_t length;
    const char *text = take_text(reader, &length);
    return text ? json_stringn(text, length) : NULL; /* NULL: not UTF-8 */
}

static bool take_double(struct reader *reader, double *number) {
    if (left(reader) < 8)
        return false;
    uint64_t bits = read_bits(reader->at, 8);
    memcpy(number, &bits, sizeof *number);
    reader->at += 8;
    return true;
}

static json_t *read_double(struct reader *reader) {
    double number;
    if (!take_double(reader, &number))
        return NULL;
    if (number >= -9007199254740991.0 && number <= 9007199254740991.0 && number == (double)(int64_t)number)
        return json_integer((int64_t)number);
    return json_real(number); /* NULL for those that JSON does not have */
}

static bool take_integer(struct reader *reader, int size, int64_t *number) {
    if (left(reader) < (size_t)size)
        return false;
    uint64_t bits = read_bits(reader->at, size);
    reader->at += size;
    *number = size == 4 ? (int32_t)bits : (int64_t)bits;
    return true;
}

static json_t *read_integer(struct reader *reader, int size) {
    int64_t number;
    return take_integer(reader, size, &number) ? json_integer(number) : NULL;
}

static bool take_boolean(struct reader *reader, bool *value) {
    if (left(reader) < 1 || *reader->at > 1)
        return false;
    *value = *reader->at++ == 1;
    return true;
}

static json_t *read_boolean(struct reader *reader) {
    bool value;
    return take_boolean(reader, &value) ? json_boolean(value) : NULL;
}

static json_t *read_value(struct reader *reader, unsigned char type) {
    switch (type) {
    case BSON_DOUBLE:
        return read_double(reader);
    case BSON_TEXT:
        return read_text(reader);
    case BSON_DOCUMENT:
        return read_document(reader, false);
    case BSON_ARRAY:
        return read_document(reader, true);
    case BSON_BOOLEAN:
        return read_boolean(reader);
    case BSON_NULL:
        return json_null();
    case BSON_INT32:
        return read_integer(reader, 4);
    case BSON_INT64:
        return read_integer(reader, 8);
    default:
        return NULL;
    }
}

/* Adds the next element to `into`; `value` is taken. */
static bool add(json_t *into, const char *key, json_t *value) {
    if (!value)
        return false;
    if (json_is_array(into))
        return json_array_append_new(into, value) == 0;
    return json_object_set_new(into, key, value) == 0;
}

/* Type and name of the next element. */
static bool take_name(struct reader *reader, unsigned char *type, const char **name, size_t *length) {
    *type = *reader->at++;
    *name = (const char *)reader->at;
    *length = strnlen(*name, left(reader));
    if (*length == left(reader))
        return false;
    reader->at += *length + 1;
    return true;
}

static bool read_elements(struct reader *reader, json_t *into) {
    while (left(reader) > 0) {
        unsigned char type;
        const char *key;
        size_t length;
        if (!take_name(reader, &type, &key, &length))
            return false;
        if (type != BSON_UNDEFINED && !add(into, key, read_value(reader, type)))
            return false;
    }
    return true;
}

static bool enter(struct reader *reader, struct reader *inner) {
    size_t length = bson_length(reader->at, left(reader));
    if (length == 0 || length > left(reader) || reader->at[length - 1] != '\0' || reader->depth >= DEEPEST)
        return false;
    *inner = (struct reader){reader->at + 4, reader->at + length - 1, reader->depth + 1};
    reader->at += length;
    return true;
}

static json_t *read_document(struct reader *reader, bool is_array) {
    struct reader inner;
    if (!enter(reader, &inner))
        return NULL;
    json_t *value = is_array ? json_array() : json_object();
    if (read_elements(&inner, value))
        return value;
    json_decref(value);
    return NULL;
}

enum status bson_parse(const void *bytes, size_t length, json_t **value, struct error *error) {
    const unsigned char *start = bytes;
    struct reader reader = {start, start + length, 0};
    *value = bson_length(bytes, length) == length ? read_document(&reader, false) : NULL;
    return *value ? STATUS_OK : error_set(error, STATUS_INVALID, "this is no BSON document");
}

/* --- as JSON text --- */

static bool append_document(struct reader *reader, bool is_array, struct buffer *out);

static bool append_text(struct reader *reader, struct buffer *out) {
    size_t length;
    const char *text = take_text(reader, &length);
    if (text)
        buffer_append_json_string(out, text, length);
    return text != NULL;
}

static bool append_double(struct reader *reader, struct buffer *out) {
    double number;
    if (!take_double(reader, &number) || !isfinite(number))
        return false;
    if (number >= -9007199254740991.0 && number <= 9007199254740991.0 && number == (double)(int64_t)number)
        buffer_append_integer(out, (int64_t)number);
    else
        buffer_append_double(out, number);
    return true;
}

static bool append_integer(struct reader *reader, int size, struct buffer *out) {
    int64_t number;
    if (!take_integer(reader, size, &number))
        return false;
    buffer_append_integer(out, number);
    return true;
}

static bool append_boolean(struct reader *reader, struct buffer *out) {
    bool value;
    if (!take_boolean(reader, &value))
        return false;
    buffer_append_text(out, value ? "true" : "false");
    return true;
}

static bool append_value(struct reader *reader, unsigned char type, struct buffer *out) {
    switch (type) {
    case BSON_DOUBLE:
        return append_double(reader, out);
    case BSON_TEXT:
        return append_text(reader, out);
    case BSON_DOCUMENT:
        return append_document(reader, false, out);
    case BSON_ARRAY:
        return append_document(reader, true, out);
    case BSON_BOOLEAN:
        return append_boolean(reader, out);
    case BSON_NULL:
        buffer_append_text(out, "null");
        return true;
    case BSON_INT32:
        return append_integer(reader, 4, out);
    case BSON_INT64:
        return append_integer(reader, 8, out);
    default:
        return false;
    }
}

static bool append_elements(struct reader *reader, bool is_array, struct buffer *out) {
    for (bool first = true; left(reader) > 0;) {
        unsigned char type;
        const char *name;
        size_t length;
        if (!take_name(reader, &type, &name, &length))
            return false;
        if (type == BSON_UNDEFINED)
            continue;
        if (!first)
            buffer_append_char(out, ',');
        first = false;
        if (!is_array) {
            buffer_append_json_string(out, name, length);
            buffer_append_char(out, ':');
        }
        if (!append_value(reader, type, out))
            return false;
    }
    return true;
}

static bool append_document(struct reader *reader, bool is_array, struct buffer *out) {
    struct reader inner;
    if (!enter(reader, &inner))
        return false;
    buffer_append_char(out, is_array ? '[' : '{');
    if (!append_elements(&inner, is_array, out))
        return false;
    buffer_append_char(out, is_array ? ']' : '}');
    return true;
}

bool bson_append_json(const void *bytes, size_t length, struct buffer *out) {
    const unsigned char *start = bytes;
    struct reader reader = {start, start + length, 0};
    return bson_length(bytes, length) == length && append_document(&reader, false, out);
}
