#include "base/json_scan.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define HIGH_BITS UINT64_C(0x8080808080808080)

void json_scan_start(struct json_scan *scan, const char *bytes, size_t length) {
    assert(bytes || length == 0);
    static const char nothing[1] = "";
    const char *start = bytes ? bytes : nothing;
    *scan = (struct json_scan){.start = start, .at = start, .end = start + length};
}

bool json_scan_fail(struct json_scan *scan, const char *reason) {
    assert(reason);
    assert(scan->at >= scan->start && scan->at <= scan->end);
    if (!scan->reason)
        scan->reason = reason;
    return false;
}

static bool is_space(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static void pass_space(struct json_scan *scan) {
    while (scan->at < scan->end && is_space(*scan->at)) {
        scan->spaced = true;
        scan->at++;
    }
}

char json_scan_peek(struct json_scan *scan) {
    pass_space(scan);
    return scan->at < scan->end ? *scan->at : '\0';
}

bool json_scan_take(struct json_scan *scan, char wanted, const char *reason) {
    assert(wanted);
    if (json_scan_peek(scan) != wanted)
        return json_scan_fail(scan, reason);
    scan->at++;
    return true;
}

bool json_scan_finish(struct json_scan *scan) {
    pass_space(scan);
    return scan->at == scan->end || json_scan_fail(scan, "something follows the object");
}

bool json_scan_open(struct json_scan *scan, char opening, const char *reason) {
    assert(opening == '{' || opening == '[');
    if (!json_scan_take(scan, opening, reason))
        return false;
    if (scan->depth == JSON_SCAN_NESTING)
        return json_scan_fail(scan, "nested too deeply");
    scan->depth++;
    return true;
}

bool json_scan_next(struct json_scan *scan, char closing, bool *first, bool *more) {
    assert(scan->depth > 0);
    char byte = json_scan_peek(scan);
    *more = byte != closing;
    if (!*more) {
        scan->at++;
        scan->depth--;
        return true;
    }
    if (*first) {
        *first = false;
        return true;
    }
    if (byte != ',')
        return json_scan_fail(scan, "expected a comma or the end of the list or object");
    scan->at++;
    if (json_scan_peek(scan) == closing)
        return json_scan_fail(scan, "a comma before the end");
    return true;
}

/* --- strings --- */

/* The first byte from `at` that is not plain: a quote, a backslash, a control character or above 0x7f. Eight
 * bytes at a time: the lowest flagged byte of the subtraction trick is always a true one. */
static const char *pass_plain(const char *at, const char *end) {
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        word = le64toh(word);
        uint64_t quote = word ^ (EACH_BYTE * '"');
        uint64_t slash = word ^ (EACH_BYTE * '\\');
        uint64_t special = ((quote - EACH_BYTE) & ~quote) | ((slash - EACH_BYTE) & ~slash) |
                           ((word - EACH_BYTE * 0x20) & ~word) | word;
        special &= HIGH_BITS;
        if (special)
            return at + __builtin_ctzll(special) / 8;
        at += 8;
    }
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80)
        at++;
    return at;
}

static bool is_continuation(char byte) {
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Length of the well-formed UTF-8 sequence of 2 to 4 bytes at `at` (RFC 3629), 0 when it is not one. */
static size_t utf8_sequence(const char *at, const char *end) {
    size_t left = (size_t)(end - at);
    unsigned first = (unsigned char)at[0];
    unsigned second = left > 1 ? (unsigned char)at[1] : 0;
    if (left < 2 || !is_continuation(at[1]))
        return 0;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (left < 3 || !is_continuation(at[2]))
        return 0;
    if (first >= 0xe0 && first <= 0xef) {
        bool overlong = first == 0xe0 && second < 0xa0;
        bool surrogate = first == 0xed && second > 0x9f;
        return overlong || surrogate ? 0 : 3;
    }
    if (left < 4 || !is_continuation(at[3]) || first < 0xf0 || first > 0xf4)
        return 0;
    bool overlong = first == 0xf0 && second < 0x90;
    bool too_high = first == 0xf4 && second > 0x8f;
    return overlong || too_high ? 0 : 4;
}

static int hex_digit(char byte) {
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    char lower = (char)(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Four hex digits; -1 when there are not four. */
static int32_t hex_unit(const char *at, const char *end) {
    if (end - at < 4)
        return -1;
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* Bytes of the \u escape (or pair of them) at `at`, which starts after the first backslash and u; *code is
 * what it means. 0: refused. */
static size_t unicode_escape(const char *at, const char *end, uint32_t *code) {
    int32_t unit = hex_unit(at, end);
    if (unit < 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return 0;
    *code = (uint32_t)unit;
    if (unit < 0xd800 || unit > 0xdfff)
        return 4;
    if (end - at < 10 || at[4] != '\\' || at[5] != 'u')
        return 0;
    int32_t low = hex_unit(at + 6, end);
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *code = 0x10000 + (((uint32_t)unit - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
    return 10;
}

static bool pass_escape(struct json_scan *scan) {
    assert(*scan->at == '\\');
    if (scan->end - scan->at < 2)
        return json_scan_fail(scan, "the string does not end");
    char kind = scan->at[1];
    if (kind == 'u') {
        uint32_t code;
        size_t length = unicode_escape(scan->at + 2, scan->end, &code);
        if (length == 0)
            return json_scan_fail(scan, "a bad \\u escape or a lone surrogate");
        scan->at += 2 + length;
        return true;
    }
    if (kind == '\0' || !strchr("\"\\/bfnrt", kind))
        return json_scan_fail(scan, "an unknown escape");
    scan->at += 2;
    return true;
}

static bool pass_special(struct json_scan *scan, bool *escaped) {
    unsigned char byte = (unsigned char)*scan->at;
    if (byte == '\\') {
        *escaped = true;
        return pass_escape(scan);
    }
    if (byte < 0x20)
        return json_scan_fail(scan, "a control character inside a string");
    size_t length = utf8_sequence(scan->at, scan->end);
    if (length == 0)
        return json_scan_fail(scan, "bytes that are not UTF-8");
    scan->at += length;
    return true;
}

bool json_scan_string(struct json_scan *scan, struct json_span *inside, bool *escaped, const char *reason) {
    if (!json_scan_take(scan, '"', reason))
        return false;
    *escaped = false;
    inside->bytes = scan->at;
    for (;;) {
        scan->at = pass_plain(scan->at, scan->end);
        if (scan->at == scan->end)
            return json_scan_fail(scan, "the string does not end");
        if (*scan->at == '"')
            break;
        if (!pass_special(scan, escaped))
            return false;
    }
    inside->length = (size_t)(scan->at - inside->bytes);
    scan->at++;
    return true;
}

static char *put_utf8(char *out, uint32_t code) {
    assert(code <= 0x10ffff);
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    }
    return out;
}

static char unescaped(char kind) {
    switch (kind) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return kind; /* quote, backslash, slash */
    }
}

char *json_scan_unescape(char *out, const char *bytes, size_t length) {
    const char *at = bytes;
    const char *end = bytes + length;
    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((slash ? slash : end) - at);
        memcpy(out, at, plain);
        out += plain;
        at += plain;
        if (!slash)
            break;
        assert(end - at >= 2); /* the string was accepted */
        if (at[1] == 'u') {
            uint32_t code = 0;
            size_t escape = unicode_escape(at + 2, end, &code);
            assert(escape > 0);
            out = put_utf8(out, code);
            at += 2 + escape;
        } else {
            *out++ = unescaped(at[1]);
            at += 2;
        }
    }
    return out;
}

/* --- other values --- */

bool json_scan_literal(struct json_scan *scan, const char *literal) {
    size_t length = strlen(literal);
    json_scan_peek(scan);
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, literal, length) != 0)
        return json_scan_fail(scan, "expected a value");
    scan->at += length;
    return true;
}

static size_t pass_digits(struct json_scan *scan) {
    const char *from = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return (size_t)(scan->at - from);
}

static bool pass_one_of(struct json_scan *scan, char one, char other) {
    bool there = scan->at < scan->end && (*scan->at == one || *scan->at == other);
    scan->at += there;
    return there;
}

bool json_scan_number(struct json_scan *scan, struct json_span *text, const char *reason) {
    char first = json_scan_peek(scan);
    if (first != '-' && !(first >= '0' && first <= '9'))
        return json_scan_fail(scan, reason);
    text->bytes = scan->at;
    pass_one_of(scan, '-', '-');
    const char *digits = scan->at;
    size_t whole = pass_digits(scan);
    if (whole == 0 || (whole > 1 && *digits == '0'))
        return json_scan_fail(scan, "a malformed number");
    if (pass_one_of(scan, '.', '.') && pass_digits(scan) == 0)
        return json_scan_fail(scan, "a malformed number");
    if (pass_one_of(scan, 'e', 'E')) {
        pass_one_of(scan, '+', '-');
        if (pass_digits(scan) == 0)
            return json_scan_fail(scan, "a malformed number");
    }
    text->length = (size_t)(scan->at - text->bytes);
    return true;
}

/* The number as sign, up to 15 digits and a power of ten, without leading and trailing zeros. */
struct decimal {
    bool negative;
    int64_t digits;
    int64_t exponent; /* clamped to +-1000000 */
};

static int64_t exponent_of(const char *at, const char *end) {
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    int64_t exponent = 0;
    for (; at < end; at++)
        exponent = exponent > 1000000 ? exponent : exponent * 10 + (*at - '0');
    return negative ? -exponent : exponent;
}

/* False when it has more than 15 significant digits. */
static bool decimal_of(struct json_span text, struct decimal *decimal) {
    const char *at = text.bytes;
    const char *end = text.bytes + text.length;
    int64_t zeros = 0; /* seen after the last digit that is not 0 */
    int64_t fraction = 0;
    bool point = false;
    int n_digits = 0;
    *decimal = (struct decimal){.negative = *at == '-'};
    for (at += decimal->negative; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        fraction += point;
        zeros++;
        if (*at == '0')
            continue;
        if (n_digits > 0 && n_digits + zeros > 15)
            return false;
        for (; n_digits > 0 && zeros > 1; zeros--, n_digits++)
            decimal->digits *= 10;
        decimal->digits = decimal->digits * 10 + (*at - '0');
        n_digits++;
        zeros = 0;
    }
    decimal->exponent = zeros - fraction + (at < end ? exponent_of(at + 1, end) : 0);
    return true;
}

bool json_scan_whole(struct json_scan *scan, int64_t low, int64_t high, int64_t *value, const char *reason) {
    struct json_span text;
    if (!json_scan_number(scan, &text, reason))
        return false;
    const char *after = scan->at;
    scan->at = text.bytes;
    struct decimal decimal;
    if (!decimal_of(text, &decimal))
        return json_scan_fail(scan, reason);
    int64_t magnitude = decimal.digits;
    if (magnitude != 0) {
        if (decimal.exponent < 0 || decimal.exponent > 15)
            return json_scan_fail(scan, reason);
        for (int64_t i = 0; i < decimal.exponent; i++) {
            if (magnitude > INT64_MAX / 10)
                return json_scan_fail(scan, reason);
            magnitude *= 10;
        }
    }
    *value = decimal.negative ? -magnitude : magnitude;
    if (*value < low || *value > high)
        return json_scan_fail(scan, reason);
    scan->at = after;
    return true;
}

bool json_scan_integer(struct json_scan *scan, int64_t low, int64_t high, int64_t *value,
                       const char *reason) {
    struct json_span text;
    if (!json_scan_number(scan, &text, reason))
        return false;
    const char *after = scan->at;
    scan->at = text.bytes;
    bool negative = *text.bytes == '-';
    int64_t magnitude = 0;
    if (text.length > 18)
        return json_scan_fail(scan, reason);
    for (size_t i = negative; i < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return json_scan_fail(scan, reason);
        magnitude = magnitude * 10 + (text.bytes[i] - '0');
    }
    *value = negative ? -magnitude : magnitude;
    if (*value < low || *value > high)
        return json_scan_fail(scan, reason);
    scan->at = after;
    return true;
}

bool json_span_integer(struct json_span number, int64_t *value) {
    assert(number.length > 0);
    bool negative = number.bytes[0] == '-';
    uint64_t magnitude = 0;
    for (size_t i = negative; i < number.length; i++) {
        unsigned digit = (unsigned)(number.bytes[i] - '0');
        if (digit > 9 || magnitude > (UINT64_MAX - digit) / 10)
            return false;
        magnitude = magnitude * 10 + digit;
    }
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

static bool skip_members(struct json_scan *scan, char opening) {
    char closing = opening == '{' ? '}' : ']';
    bool first = true;
    bool more;
    if (!json_scan_open(scan, opening, "expected a value"))
        return false;
    for (;;) {
        struct json_span key;
        bool escaped;
        if (!json_scan_next(scan, closing, &first, &more))
            return false;
        if (!more)
            return true;
        if (opening == '{' && (!json_scan_string(scan, &key, &escaped, "expected a key") ||
                               !json_scan_take(scan, ':', "expected a colon")))
            return false;
        if (!json_scan_skip(scan))
            return false;
    }
}

bool json_scan_skip(struct json_scan *scan) {
    struct json_span text;
    bool escaped;
    char first = json_scan_peek(scan);
    switch (first) {
    case '{':
    case '[':
        return skip_members(scan, first); /* recursion is bounded by JSON_SCAN_NESTING */
    case '"':
        return json_scan_string(scan, &text, &escaped, "expected a value");
    case 't':
        return json_scan_literal(scan, "true");
    case 'f':
        return json_scan_literal(scan, "false");
    case 'n':
        return json_scan_literal(scan, "null");
    default:
        return json_scan_number(scan, &text, "expected a value");
    }
}
