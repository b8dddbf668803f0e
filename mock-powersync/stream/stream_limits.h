/* The bounds of what one connection may ask for, and the error (500 PSYNC_S2305) that tells which streams are
 * to blame. The two bounds share a code, as in the real service.
 */
#ifndef MOCK_POWERSYNC_STREAM_LIMITS_H
#define MOCK_POWERSYNC_STREAM_LIMITS_H

#include "base/map.h"
#include "mock-powersync/http/http_error.h"

/* How many of something each definition has: definitions in order of first mention. */
struct stream_tally {
    struct map counts; /* name -> number */
    size_t total;
};

void stream_tally_add(struct stream_tally *tally, const char *definition, size_t count);
void stream_tally_free(struct stream_tally *tally);

/* Fill the error: "Too many <what>: <total> (limit of <limit>)" and the 100 greatest counts, as those of
 * `definitions` ("streams", "bucket definitions"). The text is the caller's: free(*text) when the error was
 * sent. Returns false. */
bool stream_limit_exceeded(struct http_error *error, char **text, const char *what, const char *definitions,
                           const struct stream_tally *tally, size_t limit);

#endif
