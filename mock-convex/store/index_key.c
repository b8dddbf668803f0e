#include "mock-convex/store/index_key.h"

#include <assert.h>
#include <string.h>

#include "mock-convex/value/value_check.h"

/* First byte of each value, in the backend's order of kinds. 0 ends arrays and objects, 1 begins a field. */
enum { KEY_END = 0, KEY_FIELD = 1, KEY_FALSE = 6, KEY_TRUE = 7 };

static int tag_of(const struct convex_value *value) {
    switch (value->kind) {
    case CONVEX_NULL:
        return 3;
    case CONVEX_INT64:
        return 4;
    case CONVEX_FLOAT64:
        return 5;
    case CONVEX_BOOLEAN:
        return value->as.boolean ? KEY_TRUE : KEY_FALSE;
    case CONVEX_STRING:
        return 8;
    case CONVEX_BYTES:
        return 9;
    case CONVEX_ARRAY:
        return 10;
    case CONVEX_OBJECT:
        return 11;
    default:
        return 2;
    }
}

static void append_big_endian(struct buffer *key, uint64_t bits) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(bits >> (56 - 8 * i));
    }
    buffer_append(key, bytes, sizeof bytes);
}

/* 0 becomes 0 255, and 0 0 ends the run: so a prefix sorts first and keys stay free of prefixes. */
static void append_run(struct buffer *key, const char *bytes, size_t length) {
    while (length > 0) {
        const char *zero = memchr(bytes, 0, length);
        size_t part = zero != NULL ? (size_t)(zero - bytes) : length;
        buffer_append(key, bytes, part);
        if (zero != NULL) {
            buffer_append(key, "\0\xff", 2);
            part++;
        }
        bytes += part;
        length -= part;
    }
    buffer_append(key, "\0\0", 2);
}

static void append_members(struct buffer *key, const struct convex_value *value) {
    if (value->kind == CONVEX_ARRAY) {
        for (size_t i = 0; i < value->as.array.count; i++) {
            convex_index_key_append(key, value->as.array.items[i]);
        }
    } else {
        for (size_t i = 0; i < value->as.object.count; i++) {
            const struct convex_field *field = &value->as.object.fields[i];
            buffer_append_char(key, KEY_FIELD);
            append_run(key, field->name, strlen(field->name));
            convex_index_key_append(key, field->value);
        }
    }
    buffer_append_char(key, KEY_END);
}

void convex_index_key_append(struct buffer *key, const struct convex_value *value) {
    static const struct convex_value undefined = {.kind = CONVEX_UNDEFINED};
    if (value == NULL) {
        value = &undefined;
    }
    assert(tag_of(value) > KEY_FIELD);
    buffer_append_char(key, (char)tag_of(value));
    switch (value->kind) {
    case CONVEX_INT64:
        append_big_endian(key, (uint64_t)value->as.integer ^ UINT64_C(1) << 63);
        break;
    case CONVEX_FLOAT64:
        append_big_endian(key, convex_float_order(value->as.number));
        break;
    case CONVEX_STRING:
    case CONVEX_BYTES:
        append_run(key, value->as.bytes.data, value->as.bytes.length);
        break;
    case CONVEX_ARRAY:
    case CONVEX_OBJECT:
        append_members(key, value);
        break;
    default:
        break;
    }
}

bool convex_index_key_after_prefix(struct buffer *key) {
    while (key->length > 0 && (unsigned char)key->data[key->length - 1] == 0xff) {
        key->length--;
        key->data[key->length] = 0;
    }
    if (key->length == 0) {
        return false;
    }
    assert((unsigned char)key->data[key->length - 1] < 0xff);
    key->data[key->length - 1] = (char)((unsigned char)key->data[key->length - 1] + 1);
    return true;
}
