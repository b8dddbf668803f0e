/* Reading JSON in its text, without building anything: a cursor over bytes that checks what it passes, for
 * texts that are large or many. Every function returns false when the input is refused; the reason and the
 * place then stay in the cursor. Nothing is allocated. */
#ifndef SYNCLINE_BASE_JSON_SCAN_H
#define SYNCLINE_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_SCAN_NESTING 127 /* as the client core's JSON reader: the 128th level is refused */

/* A part of the text. */
struct json_span {
    const char *bytes; /* NULL: absent; not terminated */
    size_t length;
};

struct json_scan {
    const char *start;
    const char *at; /* next byte; where it went wrong after a failure */
    const char *end;
    const char *reason; /* static text; NULL while all is well */
    unsigned depth;     /* open objects and arrays */
    bool spaced;        /* white space was passed */
};

void json_scan_start(struct json_scan *scan, const char *bytes, size_t length);
bool json_scan_fail(struct json_scan *scan, const char *reason); /* always false */

/* Pass white space, then this one character. */
bool json_scan_take(struct json_scan *scan, char wanted, const char *reason);
/* The next character after white space without passing it; 0 at the end. */
char json_scan_peek(struct json_scan *scan);
bool json_scan_finish(struct json_scan *scan); /* only white space may be left */

/* Enter an object or array ('{' or '['), then call next until *more is false; it passes commas and the
 * closing. */
bool json_scan_open(struct json_scan *scan, char opening, const char *reason);
bool json_scan_next(struct json_scan *scan, char closing, bool *first, bool *more);

/* A string: valid UTF-8, valid escapes, no lone surrogates. `inside` is what stands between the quotes. */
bool json_scan_string(struct json_scan *scan, struct json_span *inside, bool *escaped, const char *reason);
bool json_scan_literal(struct json_scan *scan, const char *literal); /* "null", "true", "false" */
/* A number as text. */
bool json_scan_number(struct json_scan *scan, struct json_span *text, const char *reason);
/* A number without fraction and exponent from low to high. */
bool json_scan_integer(struct json_scan *scan, int64_t low, int64_t high, int64_t *value, const char *reason);
/* The same, but it may be written as a double: 5.0, 1e3. At most 15 digits. */
bool json_scan_whole(struct json_scan *scan, int64_t low, int64_t high, int64_t *value, const char *reason);
bool json_scan_skip(struct json_scan *scan); /* any value */

/* Of a number's text: false when it has a fraction or an exponent, or does not fit. */
bool json_span_integer(struct json_span number, int64_t *value);

/* Write what the inside of a string means; returns the end. `out` has room for `length` bytes. */
char *json_scan_unescape(char *out, const char *bytes, size_t length);

#endif
