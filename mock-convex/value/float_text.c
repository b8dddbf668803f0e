#include "mock-convex/value/float_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct digits {
    char text[32]; /* significant digits without leading or trailing zeros */
    int count;
    int point; /* the decimal point stands after this many digits: 0.001 is "1" with point -2 */
};

/* Read any decimal layout ("123.45", "1e+21", "0.001", "100.0") into digits and the place of the point. */
static void read_digits(const char *text, struct digits *digits) {
    bool after_point = false;
    digits->count = 0;
    digits->point = 0;
    for (; *text != 0 && *text != 'e'; text++) {
        if (*text == '.') {
            after_point = true;
            continue;
        }
        assert(*text >= '0' && *text <= '9');
        if (*text != '0' || digits->count > 0) {
            assert(digits->count < (int)sizeof digits->text - 1);
            digits->text[digits->count++] = *text;
            digits->point += after_point ? 0 : 1;
        } else if (after_point) {
            digits->point--;
        }
    }
    if (*text == 'e') {
        digits->point += atoi(text + 1);
    }
    while (digits->count > 0 && digits->text[digits->count - 1] == '0') {
        digits->count--;
    }
    digits->text[digits->count] = 0;
}

static void append_zeros(struct buffer *out, int count) {
    for (int i = 0; i < count; i++) {
        buffer_append_char(out, '0');
    }
}

static void append_plain(struct buffer *out, const struct digits *digits) {
    if (digits->point <= 0) { /* 0.00123 */
        buffer_append_text(out, "0.");
        append_zeros(out, -digits->point);
        buffer_append_text(out, digits->text);
    } else if (digits->point >= digits->count) { /* 1230.0 */
        buffer_append_text(out, digits->text);
        append_zeros(out, digits->point - digits->count);
        buffer_append_text(out, ".0");
    } else { /* 12.3 */
        buffer_append(out, digits->text, (size_t)digits->point);
        buffer_append_char(out, '.');
        buffer_append_text(out, digits->text + digits->point);
    }
}

static void append_scientific(struct buffer *out, const struct digits *digits) {
    buffer_append_char(out, digits->text[0]);
    if (digits->count > 1) {
        buffer_append_char(out, '.');
        buffer_append_text(out, digits->text + 1);
    }
    buffer_append_char(out, 'e');
    buffer_append_integer(out, digits->point - 1);
}

void convex_append_float(struct buffer *out, double value) {
    struct buffer text = {0};
    buffer_append_double(&text, value);
    const char *start = buffer_text(&text);
    assert(strpbrk(start, "nN") == NULL); /* neither NaN nor an infinity */
    if (start[0] == '-') {
        buffer_append_char(out, '-');
        start++;
    }
    struct digits digits;
    read_digits(start, &digits);
    if (digits.count == 0) {
        buffer_append_text(out, "0.0");
    } else if (digits.point > -5 && digits.point <= 16) {
        append_plain(out, &digits);
    } else {
        append_scientific(out, &digits);
    }
    buffer_free(&text);
}
