/* A cursor over one sync line, as JSON text or as a BSON document: what the engine `model` reads lines with.
 * It refuses what the core's readers refuse. Nothing is allocated; texts with escapes are written into
 * `scratch`, which has room for as many bytes as the line. Every function returns false when the line is
 * refused; `reason` then says why. */
#ifndef SYNCLINE_CLIENT_ENGINE_MODEL_CURSOR_H
#define SYNCLINE_CLIENT_ENGINE_MODEL_CURSOR_H

#include "base/json_scan.h"

enum { CURSOR_DEEPEST = JSON_SCAN_NESTING };

enum cursor_kind { CURSOR_OBJECT, CURSOR_ARRAY, CURSOR_TEXT, CURSOR_NUMBER, CURSOR_NULL, CURSOR_OTHER };

struct line_cursor {
    bool binary;
    const char *reason;    /* static text; NULL while all is well */
    char *scratch;         /* where the next unescaped text goes */
    struct json_scan scan; /* of JSON */
    const unsigned char *at, *end;
    unsigned char type; /* BSON: of the value at `at` */
    unsigned depth;     /* open objects and arrays */
    struct {
        bool is_array, first;
        const unsigned char *end; /* BSON */
    } open[CURSOR_DEEPEST + 1];
};

void cursor_start(struct line_cursor *cursor, const void *bytes, size_t length, bool binary, char *scratch);
bool cursor_fail(struct line_cursor *cursor, const char *reason); /* always false */
enum cursor_kind cursor_kind(struct line_cursor *cursor);         /* of the value that comes */

/* Enter an object or array, then call next until *more is false. `key` is set in objects; `key_escaped`: it
 * was written with escapes, which the core takes for no name of a line. */
bool cursor_open(struct line_cursor *cursor);
bool cursor_next(struct line_cursor *cursor, struct json_span *key, bool *key_escaped, bool *more);

bool cursor_text(struct line_cursor *cursor, struct json_span *text);
/* A number without fraction and exponent, from low to high. */
bool cursor_integer(struct line_cursor *cursor, int64_t low, int64_t high, int64_t *value);
/* A checksum: whole, from -2^31 to 2^32 - 1, may be written as a double. */
bool cursor_checksum(struct line_cursor *cursor, uint32_t *value);
bool cursor_null(struct line_cursor *cursor);
bool cursor_boolean(struct line_cursor *cursor, bool *value);
bool cursor_skip(struct line_cursor *cursor);
bool cursor_finish(struct line_cursor *cursor); /* nothing may follow */

#endif
