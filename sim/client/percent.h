/* Percent-encoding for a value in a query string. */
#ifndef SYNCLINE_CLIENT_PERCENT_H
#define SYNCLINE_CLIENT_PERCENT_H

#include "base/buffer.h"

/* All but the unreserved characters of RFC 3986 become %XX. */
void percent_encode(struct buffer *out, const char *text);

#endif
