/* Well-formed UTF-8, character by character. */
#ifndef MOCK_CONVEX_UTF8_H
#define MOCK_CONVEX_UTF8_H

#include "base/buffer.h"

/* Bytes of the character that begins here; 0: it is not well-formed. `length` >= 1. */
size_t convex_utf8_length(const char *bytes, size_t length);

/* A JSON string with quotes from text that may quote foreign input: bytes that are not UTF-8 become U+FFFD.
 */
void convex_utf8_append_json(struct buffer *out, const char *text);
/* Append text, bytes that are not UTF-8 as U+FFFD. */
void convex_utf8_append(struct buffer *out, const char *text, size_t length);

#endif
