/* Index keys: values as bytes whose memcmp order is convex_compare's. No key of a value is a prefix of
 * another value's key, so "equal in the first fields" is "begins with these bytes". */
#ifndef MOCK_CONVEX_INDEX_KEY_H
#define MOCK_CONVEX_INDEX_KEY_H

#include "mock-convex/value.h"

/* `value` NULL stands for a missing field (undefined). */
void convex_index_key_append(struct buffer *key, const struct convex_value *value);
/* The first byte string that is above every string with this prefix. False: there is none. */
bool convex_index_key_after_prefix(struct buffer *key);

#endif
