/* Texts as the real service counts them: in UTF-16 units, although they are kept as UTF-8 here. Input must be
 * UTF-8. */
#ifndef MOCK_POWERSYNC_UTF16_H
#define MOCK_POWERSYNC_UTF16_H

#include "base/buffer.h"

size_t utf16_length(const char *text, size_t length);
/* <0, 0, >0: by UTF-16 units. */
int utf16_compare(const char *left, size_t left_length, const char *right, size_t right_length);
/* Units from..end (from 0, end not included, both within the text). False: it would cut a character in two.
 */
bool utf16_slice(struct buffer *out, const char *text, size_t length, size_t from, size_t end);
/* False for letters above U+00FF, whose other case is not known here. */
bool utf16_change_case(struct buffer *out, const char *text, size_t length, bool upper);

/* The bytes as UTF-8; what is none becomes U+FFFD, as browsers do it. */
void utf8_append_valid(struct buffer *out, const char *bytes, size_t length);

#endif
