#include "base/bson.h"

#include <assert.h>
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

static json_t *read_text(struct reader *reader) {
    if (left(reader) < 5)
        return NULL;
    uint64_t length = read_bits(reader->at, 4);
    if (length < 1 || length > left(reader) - 4 || reader->at[4 + length - 1] != '\0')
        return NULL;
    const char *text = (const char *)reader->at + 4;
    reader->at += 4 + length;
    return json_stringn(text, length - 1); /* NULL: not UTF-8 */
}

static json_t *read_double(struct reader *reader) {
    if (left(reader) < 8)
        return NULL;
    uint64_t bits = read_bits(reader->at, 8);
    double number;
    memcpy(&number, &bits, sizeof number);
    reader->at += 8;
    if (number >= -9007199254740991.0 && number <= 9007199254740991.0 && number == (double)(int64_t)number)
        return json_integer((int64_t)number);
    return json_real(number); /* NULL for those that JSON does not have */
}

static json_t *read_integer(struct reader *reader, int size) {
    if (left(reader) < (size_t)size)
        return NULL;
    uint64_t bits = read_bits(reader->at, size);
    reader->at += size;
    return json_integer(size == 4 ? (int32_t)bits : (int64_t)bits);
}

static json_t *read_boolean(struct reader *reader) {
    if (left(reader) < 1 || *reader->at > 1)
        return NULL;
    return json_boolean(*reader->at++ == 1);
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

static bool read_elements(struct reader *reader, json_t *into) {
    while (left(reader) > 0) {
        unsigned char type = *reader->at++;
        const char *key = (const char *)reader->at;
        size_t length = strnlen(key, left(reader));
        if (length == left(reader))
            return false;
        reader->at += length + 1;
        if (type != BSON_UNDEFINED && !add(into, key, read_value(reader, type)))
            return false;
    }
    return true;
}

static json_t *read_document(struct reader *reader, bool is_array) {
    size_t length = bson_length(reader->at, left(reader));
    if (length == 0 || length > left(reader) || reader->at[length - 1] != '\0' || reader->depth >= DEEPEST)
        return NULL;
    struct reader inner = {reader->at + 4, reader->at + length - 1, reader->depth + 1};
    json_t *value = is_array ? json_array() : json_object();
    reader->at += length;
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
