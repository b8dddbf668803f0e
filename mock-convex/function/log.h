/* What a call of a function has logged: lines as callers get them. A zeroed struct is empty; its owner frees
 * it. Nothing fails: lines above the limits are cut or left out, and a last line says so. */
#ifndef MOCK_CONVEX_LOG_H
#define MOCK_CONVEX_LOG_H

#include "base/buffer.h"

#define CONVEX_LOG_LINES_MAX 256
#define CONVEX_LOG_LINE_MAX 32768 /* bytes */

struct convex_log {
    struct buffer items; /* JSON strings with commas between them */
    size_t count;
};

/* "[LEVEL] text". What is not UTF-8 becomes U+FFFD. */
void convex_log_add(struct convex_log *log, const char *level, const char *text);
/* The lines of `from` instead of those that were there; `from` is empty then. */
void convex_log_take(struct convex_log *log, struct convex_log *from);
/* A JSON array of the lines. `log` NULL: an empty one. */
void convex_log_append_json(struct buffer *out, const struct convex_log *log);
void convex_log_free(struct convex_log *log);

#endif
