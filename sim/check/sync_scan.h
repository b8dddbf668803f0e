/* The JSON tokens of a sync line: a cursor over bytes that checks what it passes. Every function returns
 * false when the input is refused; the reason and the place then stay in the cursor. Nothing is allocated. */
#ifndef SYNCLINE_CHECK_SYNC_SCAN_H
#define SYNCLINE_CHECK_SYNC_SCAN_H

#include "check/sync_line.h"

struct sync_scan {
    const char *start;
    const char *at; /* next byte; where it went wrong after a failure */
    const char *end;
    const char *reason; /* static text; NULL while all is well */
    unsigned depth;     /* open objects and arrays */
    bool spaced;        /* white space was passed */
};

void sync_scan_start(struct sync_scan *scan, const char *bytes, size_t length);
bool sync_scan_fail(struct sync_scan *scan, const char *reason); /* always false */

/* Pass white space, then this one character. */
bool sync_scan_take(struct sync_scan *scan, char wanted, const char *reason);
/* The next character after white space without passing it; 0 at the end. */
char sync_scan_peek(struct sync_scan *scan);
bool sync_scan_finish(struct sync_scan *scan); /* only white space may be left */

/* Enter an object or array ('{' or '['), then call next until *more is false; it passes commas and the
 * closing. */
bool sync_scan_open(struct sync_scan *scan, char opening, const char *reason);
bool sync_scan_next(struct sync_scan *scan, char closing, bool *first, bool *more);

/* A string: valid UTF-8, valid escapes, no lone surrogates. `inside` is what stands between the quotes. */
bool sync_scan_string(struct sync_scan *scan, struct sync_text *inside, bool *escaped, const char *reason);
bool sync_scan_literal(struct sync_scan *scan, const char *literal); /* "null", "true", "false" */
/* A number as text. */
bool sync_scan_number(struct sync_scan *scan, struct sync_text *text, const char *reason);
/* A number without fraction and exponent from low to high. */
bool sync_scan_integer(struct sync_scan *scan, int64_t low, int64_t high, int64_t *value, const char *reason);
/* The same, but it may be written as a double: 5.0, 1e3. At most 15 digits. */
bool sync_scan_whole(struct sync_scan *scan, int64_t low, int64_t high, int64_t *value, const char *reason);
bool sync_scan_skip(struct sync_scan *scan); /* any value */

/* Write what the inside of a string means; returns the end. `out` has room for `length` bytes. */
char *sync_scan_unescape(char *out, const char *bytes, size_t length);

#endif
