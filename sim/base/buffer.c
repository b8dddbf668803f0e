#include "base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void buffer_reserve(struct buffer *buffer, size_t more) {
    assert(more < SIZE_MAX / 2 && buffer->length < SIZE_MAX / 2);
    assert(buffer->length < buffer->capacity || buffer->length == 0);
    size_t needed = buffer->length + more + 1;
    MEMORY_RESERVE(buffer->data, buffer->capacity, needed);
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length) {
    assert(bytes || length == 0);
    buffer_reserve(buffer, length);
    if (length > 0)
        memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
    buffer->data[buffer->length] = 0;
}

void buffer_append_text(struct buffer *buffer, const char *text) {
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_char(struct buffer *buffer, char byte) {
    if (buffer->length + 1 >= buffer->capacity)
        buffer_reserve(buffer, 1);
    buffer->data[buffer->length++] = byte;
    buffer->data[buffer->length] = 0;
}

void buffer_printf(struct buffer *buffer, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    char small[256];
    int length = vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    assert(length >= 0);
    if ((size_t)length < sizeof small) {
        buffer_append(buffer, small, (size_t)length);
    } else {
        buffer_reserve(buffer, (size_t)length);
        int written = vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
        assert(written == length);
        buffer->length += (size_t)written;
    }
    va_end(again);
}

void buffer_consume(struct buffer *buffer, size_t length) {
    assert(length <= buffer->length);
    if (length == 0)
        return;
    memmove(buffer->data, buffer->data + length, buffer->length - length + 1);
    buffer->length -= length;
}

void buffer_clear(struct buffer *buffer) {
    buffer->length = 0;
    if (buffer->data)
        buffer->data[0] = 0;
}

void buffer_free(struct buffer *buffer) {
    free(buffer->data);
    *buffer = (struct buffer){0};
}

const char *buffer_text(const struct buffer *buffer) {
    assert(!buffer->data || buffer->data[buffer->length] == 0);
    return buffer->data ? buffer->data : "";
}

char *buffer_take(struct buffer *buffer) {
    char *text = buffer->data ? buffer->data : memory_copy_text("");
    *buffer = (struct buffer){0};
    return text;
}

/* --- JSON strings --- */

/* The letter after the backslash for bytes with a short form, 'u' for other control characters, 0 for plain
 * bytes. */
static char json_escape(unsigned char byte) {
    switch (byte) {
    case '"':
        return '"';
    case '\\':
        return '\\';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return byte < 0x20 ? 'u' : 0;
    }
}

void buffer_append_json_string(struct buffer *buffer, const char *text, size_t length) {
    assert(text || length == 0);
    buffer_reserve(buffer, length + 2);
    buffer_append_char(buffer, '"');
    size_t plain = 0; /* start of the bytes not yet copied */
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        buffer_append(buffer, text + plain, i - plain);
        plain = i + 1;
        char letter = json_escape(byte);
        assert(letter != 0);
        if (letter == 'u')
            buffer_printf(buffer, "\\u%04x", byte);
        else
            buffer_append(buffer, (char[]){'\\', letter}, 2);
    }
    if (length > plain)
        buffer_append(buffer, text + plain, length - plain);
    buffer_append_char(buffer, '"');
}

void buffer_append_json_text(struct buffer *buffer, const char *text) {
    buffer_append_json_string(buffer, text, strlen(text));
}

void buffer_append_integer(struct buffer *buffer, int64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        assert(at > 0);
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        buffer_append_char(buffer, '-');
    buffer_append(buffer, digits + at, sizeof digits - at);
}
