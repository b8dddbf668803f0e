/* buffer_append_double: digits from the C library (which rounds correctly) or, for most numbers from 1 to
 * 2^53, from exact arithmetic in 128 bits, which is much faster; layout as in ECMA-262
 * Number::toString. No decimal point ever passes through the C library, so that no locale can change the
 * result. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

/* A positive decimal 0.d1d2d3... * 10^point. */
struct decimal {
    char digits[18]; /* terminated, first and last not '0' */
    int count;       /* 1 .. 17 */
    int point;
};

/* The decimal with `count` significant digits that is nearest to `value`. */
static void round_to(struct decimal *decimal, double value, int count) {
    assert(count >= 1 && count <= 17);
    char text[48];
    int length = snprintf(text, sizeof text, "%.*e", count - 1, value);
    assert(length > 0 && length < (int)sizeof text);
    const char *exponent = strchr(text, 'e');
    assert(exponent);
    int used = 0;
    for (const char *at = text; at < exponent; at++)
        if (*at >= '0' && *at <= '9')
            decimal->digits[used++] = *at;
    assert(used == count);
    decimal->digits[used] = 0;
    decimal->count = used;
    decimal->point = (int)strtol(exponent + 1, NULL, 10) + 1;
}

static bool reads_back(const struct decimal *decimal, double value) {
    char text[48];
    (void)snprintf(text, sizeof text, "%se%d", decimal->digits, decimal->point - decimal->count);
    return strtod(text, NULL) == value;
}

/* The next larger decimal with as many digits. False when that would carry into a new digit. */
static bool step_up(struct decimal *decimal) {
    for (int i = decimal->count - 1; i >= 0; i--) {
        if (decimal->digits[i] < '9') {
            decimal->digits[i]++;
            return true;
        }
        decimal->digits[i] = '0';
    }
    return false;
}

static void strip_zeros(struct decimal *decimal) {
    while (decimal->count > 1 && decimal->digits[decimal->count - 1] == '0')
        decimal->digits[--decimal->count] = 0;
    assert(decimal->digits[0] != '0');
}

/* The shortest decimal that reads back as `value`. A decimal of up to 15 digits survives the way through a
 * normal double, so 15 digits without trailing zeros are the shortest when they read back; subnormal numbers
 * have less precision and start at one digit. Below a power of two the neighbours are nearer than above, so
 * there the decimal just above may read back where the nearest one does not. */
static void shortest(struct decimal *decimal, double value) {
    bool power_of_two = frexp(value, &(int){0}) == 0.5;
    for (int count = value < 0x1p-1022 ? 1 : 15; count < 17; count++) {
        round_to(decimal, value, count);
        bool found = reads_back(decimal, value);
        if (!found && power_of_two)
            found = step_up(decimal) && reads_back(decimal, value);
        if (found) {
            strip_zeros(decimal);
            return;
        }
    }
    round_to(decimal, value, 17);
    strip_zeros(decimal);
    assert(reads_back(decimal, value));
}

static void write_digits(struct decimal *decimal, uint64_t number, int places) {
    char reversed[20];
    int count = 0;
    for (; number > 0; number /= 10)
        reversed[count++] = (char)('0' + number % 10);
    assert(count >= 1 && count < (int)sizeof decimal->digits);
    for (int i = 0; i < count; i++)
        decimal->digits[i] = reversed[count - 1 - i];
    decimal->digits[count] = 0;
    decimal->count = count;
    decimal->point = count - places;
}

/* The shortest decimal of a number from 1 to 2^53 that is not whole, with as few decimal places as read back:
 * those within half a unit of the last binary place, whose ends belong to it when its mantissa is even.
 * Exact: value = mantissa / 2^shift, and mantissa * 10^17 is below 2^110. False (nothing is known): the
 * number is another, a power of two, or lies in the middle between two decimals. */
static bool shortest_places(struct decimal *decimal, double value) {
    uint64_t bits;
    if (!(value >= 1 && value < 0x1p53))
        return false;
    memcpy(&bits, &value, sizeof bits);
    const uint64_t hidden = UINT64_C(1) << 52;
    const uint64_t mantissa = (bits & (hidden - 1)) | hidden;
    const int shift = 1075 - (int)(bits >> 52);
    assert(shift >= 0 && shift <= 52);
    if (mantissa == hidden || shift == 0)
        return false;
    const uint64_t unit = UINT64_C(1) << shift;
    unsigned __int128 scaled = mantissa;
    uint64_t power = 1;
    for (int places = 1; places <= 17; places++) {
        scaled *= 10;
        power *= 10;
        uint64_t number = (uint64_t)(scaled >> shift), rest = (uint64_t)scaled & (unit - 1);
        uint64_t distance = rest < unit - rest ? rest : unit - rest;
        if (2 * distance < power || (2 * distance == power && mantissa % 2 == 0)) {
            if (rest == unit / 2)
                return false;
            write_digits(decimal, number + (rest > unit / 2), places);
            strip_zeros(decimal);
            return true;
        }
    }
    return false;
}

static void append_zeros(struct buffer *buffer, int count) {
    for (int i = 0; i < count; i++)
        buffer_append_char(buffer, '0');
}

static void append_decimal(struct buffer *buffer, const struct decimal *decimal) {
    int count = decimal->count;
    int point = decimal->point;
    if (point > 21 || point <= -6) {
        buffer_append_char(buffer, decimal->digits[0]);
        if (count > 1) {
            buffer_append_char(buffer, '.');
            buffer_append_text(buffer, decimal->digits + 1);
        }
        buffer_printf(buffer, "e%+d", point - 1);
    } else if (point <= 0) {
        buffer_append_text(buffer, "0.");
        append_zeros(buffer, -point);
        buffer_append_text(buffer, decimal->digits);
    } else if (point < count) {
        buffer_append(buffer, decimal->digits, (size_t)point);
        buffer_append_char(buffer, '.');
        buffer_append_text(buffer, decimal->digits + point);
    } else {
        buffer_append_text(buffer, decimal->digits);
        append_zeros(buffer, point - count);
        buffer_append_text(buffer, ".0");
    }
}

void buffer_append_double(struct buffer *buffer, double value) {
    assert(isfinite(value));
    if (signbit(value)) {
        buffer_append_char(buffer, '-');
        value = -value;
    }
    if (value < 0x1p53 && value == (double)(int64_t)value) { /* most numbers of most apps */
        buffer_append_integer(buffer, (int64_t)value);
        buffer_append_text(buffer, ".0");
        return;
    }
    struct decimal decimal;
    if (!shortest_places(&decimal, value))
        shortest(&decimal, value);
    append_decimal(buffer, &decimal);
}
