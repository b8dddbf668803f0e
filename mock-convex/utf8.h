/* Well-formed UTF-8, character by character. */
#ifndef MOCK_CONVEX_UTF8_H
#define MOCK_CONVEX_UTF8_H

#include <stddef.h>

/* Bytes of the character that begins here; 0: it is not well-formed. `length` >= 1. */
size_t convex_utf8_length(const char *bytes, size_t length);

#endif
