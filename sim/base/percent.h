/* Percent-encoding of values in query strings. */
#ifndef SYNCLINE_BASE_PERCENT_H
#define SYNCLINE_BASE_PERCENT_H

#include "base/buffer.h"
#include "base/error.h"

/* All but the unreserved characters of RFC 3986 become %XX. */
void percent_encode(struct buffer *out, const char *text);
/* As forms and JavaScript's URLSearchParams write a value: '+' for a space, and only letters, digits and
 * "*-._" stay as they are. */
void percent_encode_form(struct buffer *out, const char *text);

/* Undo it, with '+' for a space as forms write it. The result may hold any bytes, zeros included.
 * STATUS_INVALID when a
 * '%' has no two hex digits behind it; it then stands for itself, for callers that do not mind. */
enum status percent_decode(struct buffer *out, const char *text, size_t length);

/* The decoded value of the first parameter `name` of a target "/path?name=value&...". STATUS_NOT_FOUND: there
 * is none; STATUS_INVALID as above. */
enum status percent_query_value(struct buffer *out, const char *target, const char *name);

#endif
