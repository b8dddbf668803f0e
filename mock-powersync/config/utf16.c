#include "mock-powersync/config/utf16.h"

#include <string.h>

/* Bytes of the character that begins with this byte. */
static size_t width(unsigned char first) {
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t utf16_length(const char *text, size_t length) {
    size_t units = 0;
    for (size_t i = 0; i < length; i += width((unsigned char)text[i]))
        units += (unsigned char)text[i] >= 0xf0 ? 2 : 1;
    return units;
}

/* Characters beyond U+FFFF are surrogates, which come before U+E000. */
static int order_of(unsigned char byte) {
    return byte >= 0xf0 ? 0xee * 8 + byte - 0xf0 : byte >= 0xee ? byte * 8 + 8 : byte * 8;
}

int utf16_compare(const char *left, size_t left_length, const char *right, size_t right_length) {
    size_t shorter = left_length < right_length ? left_length : right_length;
    for (size_t i = 0; i < shorter; i++)
        if (left[i] != right[i])
            return order_of((unsigned char)left[i]) - order_of((unsigned char)right[i]);
    return (left_length > right_length) - (left_length < right_length);
}

bool utf16_slice(struct buffer *out, const char *text, size_t length, size_t from, size_t end) {
    size_t unit = 0;
    bool whole = true;
    for (size_t i = 0; i < length && unit < end;) {
        size_t bytes = width((unsigned char)text[i]), units = bytes == 4 ? 2 : 1;
        if (unit >= from && unit + units <= end)
            buffer_append(out, text + i, bytes);
        else if (unit + units > from)
            whole = false;
        unit += units;
        i += bytes;
    }
    return whole;
}

static bool is_above_latin(const char *text, size_t bytes) {
    return bytes > 2 || (bytes == 2 && (unsigned char)text[0] > 0xc3);
}

/* Letters of Latin-1: in both halves 32 apart; sharp s and y with two dots leave it. */
static void append_latin(struct buffer *out, unsigned char second, bool upper) {
    if (upper && second == 0x9f)
        buffer_append_text(out, "SS");
    else if (upper && second == 0xbf)
        buffer_append_text(out, "\xc5\xb8");
    else {
        bool changes = upper ? second >= 0xa0 && second != 0xb7 : second < 0x9f && second != 0x97;
        buffer_append_char(out, '\xc3');
        buffer_append_char(out, (char)(changes ? second ^ 0x20 : second));
    }
}

/* Symbols and ideographs have no case; the blocks with letters that have one lie below U+2C00, except a few
 * rare ones. */
static bool has_no_case(const char *text, size_t bytes) {
    unsigned char first = (unsigned char)text[0], second = bytes > 1 ? (unsigned char)text[1] : 0;
    return bytes == 3 && ((first == 0xe2 && second == 0x82) || (first >= 0xe3 && first <= 0xe9)) ? true
           : bytes == 4 ? first == 0xf0 && second == 0x9f
                        : false;
}

bool utf16_change_case(struct buffer *out, const char *text, size_t length, bool upper) {
    for (size_t i = 0; i < length;) {
        size_t bytes = width((unsigned char)text[i]);
        unsigned char first = (unsigned char)text[i];
        if (bytes == 1) {
            bool letter = upper ? first >= 'a' && first <= 'z' : first >= 'A' && first <= 'Z';
            buffer_append_char(out, (char)(letter ? first ^ 0x20 : first));
        } else if (bytes == 2 && first == 0xc3) {
            append_latin(out, (unsigned char)text[i + 1], upper);
        } else if (bytes == 2 && first == 0xc2 && (unsigned char)text[i + 1] == 0xb5) {
            buffer_append_text(out, upper ? "\xce\x9c" : "\xc2\xb5");
        } else if (is_above_latin(text + i, bytes) && !has_no_case(text + i, bytes)) {
            return false;
        } else {
            buffer_append(out, text + i, bytes);
        }
        i += bytes;
    }
    return true;
}

/* How many bytes at `at` belong together; `whole`: they are a character. */
static size_t sequence(const unsigned char *at, size_t length, bool *whole) {
    unsigned char lead = at[0];
    size_t wanted = lead < 0x80   ? 1
                    : lead < 0xc2 ? 0
                    : lead < 0xe0 ? 2
                    : lead < 0xf0 ? 3
                    : lead < 0xf5 ? 4
                                  : 0;
    unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    size_t count = 1;
    for (; count < wanted && count < length && at[count] >= low && at[count] <= high; count++) {
        low = 0x80;
        high = 0xbf;
    }
    *whole = count == wanted;
    return count;
}

void utf8_append_valid(struct buffer *out, const char *bytes, size_t length) {
    for (size_t i = 0; i < length;) {
        bool whole;
        size_t count = sequence((const unsigned char *)bytes + i, length - i, &whole);
        if (whole)
            buffer_append(out, bytes + i, count);
        else
            buffer_append_text(out, "\xef\xbf\xbd");
        i += count;
    }
}
