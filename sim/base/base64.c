/* Base64 (RFC 4648, sections 4 and 5), strict when reading: no line breaks, no stray bits, padding exactly as
 * the alphabet asks for. OpenSSL's decoder accepts more than that and does not know the URL alphabet. */
#include <assert.h>

#include "base/digest.h"

static const char standard_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(struct buffer *out, const unsigned char *bytes, size_t length, const char *alphabet,
                   bool pad) {
    assert(bytes || length == 0);
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)bytes[i + 2] : 0;
        buffer_append_char(out, alphabet[group >> 18]);
        buffer_append_char(out, alphabet[group >> 12 & 63]);
        if (left > 1)
            buffer_append_char(out, alphabet[group >> 6 & 63]);
        if (left > 2)
            buffer_append_char(out, alphabet[group & 63]);
        for (size_t missing = left; pad && missing < 3; missing++)
            buffer_append_char(out, '=');
    }
}

void base64_append(struct buffer *out, const void *bytes, size_t length) {
    encode(out, bytes, length, standard_alphabet, true);
}

void base64url_append(struct buffer *out, const void *bytes, size_t length) {
    encode(out, bytes, length, url_alphabet, false);
}

/* 0 .. 63, or -1. */
static int digit_value(char digit, const char *alphabet) {
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == alphabet[62] ? 62 : digit == alphabet[63] ? 63 : -1;
}

static enum status decode(struct buffer *out, const char *text, size_t length, const char *alphabet,
                          struct error *error) {
    if (length % 4 == 1)
        return error_set(error, STATUS_INVALID, "base64 text is cut off");
    size_t start = out->length;
    uint32_t group = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < length; i++) {
        int value = digit_value(text[i], alphabet);
        if (value < 0) {
            out->length = start;
            return error_set(error, STATUS_INVALID, "byte %zu is not a base64 digit", i + 1);
        }
        group = group << 6 | (uint32_t)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            buffer_append_char(out, (char)(group >> bits & 255));
            group &= (1U << bits) - 1;
        }
    }
    if (group != 0) {
        out->length = start;
        return error_set(error, STATUS_INVALID, "the last base64 digit has bits beyond the last byte");
    }
    assert(out->length - start == length * 3 / 4);
    return STATUS_OK;
}

enum status base64_decode(struct buffer *out, const char *text, size_t length, struct error *error) {
    assert(text || length == 0);
    if (length % 4 != 0)
        return error_set(error, STATUS_INVALID, "base64 text must be padded to a multiple of 4 characters");
    size_t padding = 0;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
        padding++;
    return decode(out, text, length - padding, standard_alphabet, error);
}

enum status base64url_decode(struct buffer *out, const char *text, size_t length, struct error *error) {
    assert(text || length == 0);
    return decode(out, text, length, url_alphabet, error);
}
