/* gzip, a piece at a time: what was appended can be read by the other end at once.
 */
#ifndef MOCK_POWERSYNC_GZIP_H
#define MOCK_POWERSYNC_GZIP_H

#include "base/buffer.h"

struct gzip;

struct gzip *gzip_create(void);
void gzip_destroy(struct gzip *gzip); /* may be NULL */

/* Append the compressed form of these bytes; with `last` also the end of the file. */
void gzip_append(struct gzip *gzip, struct buffer *out, const void *bytes, size_t length, bool last);

#endif
