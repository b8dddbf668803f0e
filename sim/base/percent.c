#include "base/percent.h"

#include <assert.h>
#include <string.h>

/* Without <ctype.h>: the locale must not matter. */
static bool is_plain(unsigned char byte, const char *marks) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           (byte != 0 && strchr(marks, byte) != NULL);
}

static void append_encoded(struct buffer *out, unsigned char byte, const char *marks) {
    if (is_plain(byte, marks))
        buffer_append_char(out, (char)byte);
    else
        buffer_printf(out, "%%%02X", byte);
}

void percent_encode(struct buffer *out, const char *text) {
    for (; *text != 0; text++)
        append_encoded(out, (unsigned char)*text, "-._~");
}

void percent_encode_form(struct buffer *out, const char *text) {
    for (; *text != 0; text++) {
        if (*text == ' ')
            buffer_append_char(out, '+');
        else
            append_encoded(out, (unsigned char)*text, "*-._");
    }
}

static int hex_digit(char byte) {
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

enum status percent_decode(struct buffer *out, const char *text, size_t length) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < length; i++) {
        int high = text[i] == '%' && i + 2 < length ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low >= 0) {
            buffer_append_char(out, (char)(unsigned char)(high * 16 + low));
            i += 2;
        } else {
            buffer_append_char(out, text[i] == '+' ? ' ' : text[i]);
            if (text[i] == '%')
                status = STATUS_INVALID;
        }
    }
    return status;
}

enum status percent_query_value(struct buffer *out, const char *target, const char *name) {
    size_t name_length = strlen(name);
    assert(name_length > 0);
    for (const char *at = strchr(target, '?'); at != NULL; at = strchr(at, '&')) {
        at++;
        size_t length = strcspn(at, "&");
        if (length > name_length && strncmp(at, name, name_length) == 0 && at[name_length] == '=')
            return percent_decode(out, at + name_length + 1, length - name_length - 1);
    }
    return STATUS_NOT_FOUND;
}
