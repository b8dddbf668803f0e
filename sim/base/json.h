/* Small helpers over jansson: typed access with defaults, and lossless writing in the layouts that the wire
 * uses. */
#ifndef SYNCLINE_BASE_JSON_H
#define SYNCLINE_BASE_JSON_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"

/* Parse UTF-8 JSON text of any root type; numbers without '.' or exponent stay integers (int64; larger ones
 * are refused), others are doubles. Nesting above 256 and duplicate keys are refused. */
json_t *json_parse(const char *text, size_t length, struct error *error);

const char *json_text(const json_t *object, const char *key); /* NULL when absent or not a string */
int64_t json_integer_or(const json_t *object, const char *key, int64_t otherwise);
bool json_bool_or(const json_t *object, const char *key, bool otherwise);

/* A string of bytes that came from outside; each one that is no UTF-8 becomes U+FFFD. */
json_t *json_string_lossy(const char *bytes, size_t length);

/* Compact text, keys in insertion order, strings as buffer_append_json_string, doubles as
 * buffer_append_double. */
void json_append(struct buffer *out, const json_t *value);
/* The same with object keys sorted by bytes at every level. */
void json_append_sorted(struct buffer *out, const json_t *value);

#endif
