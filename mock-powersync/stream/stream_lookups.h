/* The parameter index as one connection sees it: read at one checkpoint, counted against the limit, and
 * watched: a commit that changes an entry of a key that was looked up wakes the connection.
 */
#ifndef MOCK_POWERSYNC_STREAM_LOOKUPS_H
#define MOCK_POWERSYNC_STREAM_LOOKUPS_H

#include "mock-powersync/storage/bucket_storage.h"
#include "mock-powersync/stream/stream_limits.h"

struct stream_lookups {
    struct bucket_storage *storage;
    void (*wake)(void *context);
    void *context;
    size_t limit;                /* of results in one computation, and of lookups of one subscription */
    uint64_t op_id;              /* the checkpoint that is read */
    const char *definition;      /* whose lookups these are */
    size_t lookups;              /* of this subscription so far */
    struct stream_tally results; /* of this computation so far, before duplicates are dropped */
    bool too_many_results;
    bool too_many_lookups;
    struct map watches; /* key -> struct watch, of this computation */
};

/* Forget the last computation; the next one is as of `op_id`. */
void stream_lookups_begin(struct stream_lookups *lookups, uint64_t op_id);
/* What the evaluation of the next subscription reads from. */
struct lookup_source stream_lookups_source(struct stream_lookups *lookups, const char *definition);
/* False with the error filled: one of the limits was exceeded since the beginning of this computation. */
bool stream_lookups_check(const struct stream_lookups *lookups, const char *definitions,
                          struct http_error *error, char **text);
void stream_lookups_free(struct stream_lookups *lookups);

#endif
