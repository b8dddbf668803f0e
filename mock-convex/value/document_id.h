/* Document ids: table number, 16 bytes of internal id and a checksum, as text in Crockford's base32. */
#ifndef MOCK_CONVEX_DOCUMENT_ID_H
#define MOCK_CONVEX_DOCUMENT_ID_H

#include <stdint.h>

#include "base/error.h"

#define CONVEX_ID_TEXT_MAX                                                                                   \
    40 /* bytes for the text with its terminating 0; real ids have 31 to 37 characters */

struct convex_id {
    uint32_t table;             /* table number; user tables start at 10001 */
    unsigned char internal[16]; /* 14 random bytes, then the day of creation since 1970, big-endian */
};

void convex_id_encode(const struct convex_id *id, char text[CONVEX_ID_TEXT_MAX]);
/* Strict: lower case, no aliases, no spare bits, the right length and checksum. STATUS_INVALID otherwise. */
enum status convex_id_decode(const char *text, struct convex_id *id);

#endif
