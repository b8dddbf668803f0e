#include "client/percent.h"

#include <string.h>

/* Without <ctype.h>: the locale must not matter. */
static bool is_unreserved(unsigned char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           (byte != 0 && strchr("-._~", byte) != NULL);
}

void percent_encode(struct buffer *out, const char *text) {
    for (; *text != 0; text++) {
        unsigned char byte = (unsigned char)*text;

        if (is_unreserved(byte))
            buffer_append_char(out, (char)byte);
        else
            buffer_printf(out, "%%%02X", byte);
    }
}
