/* Which form of the stream a client prefers, from its Accept and Accept-Encoding headers (NULL: it sent
 * none). */
#ifndef MOCK_POWERSYNC_ACCEPT_H
#define MOCK_POWERSYNC_ACCEPT_H

#include <stdbool.h>

#define ACCEPT_NDJSON "application/x-ndjson"
#define ACCEPT_BSON "application/vnd.powersync.bson-stream"

/* BSON only when it is preferred to NDJSON: by weight, then by how exactly it is named, then by which comes
 * first. */
bool accept_prefers_bson(const char *accept);
/* gzip is named, or covered by *, with a weight above 0. */
bool accept_allows_gzip(const char *accept_encoding);

#endif
