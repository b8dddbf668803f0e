/* The buckets of one connection: which it has, what was announced of each, and how far each was sent.
 */
#ifndef MOCK_POWERSYNC_STREAM_BUCKETS_H
#define MOCK_POWERSYNC_STREAM_BUCKETS_H

#include "mock-powersync/storage/bucket_storage.h"
#include "mock-powersync/stream/bucket_wishes.h"

struct stream_bucket {
    struct bucket *bucket;
    struct bucket_wish wish; /* owns its name and reasons */
    uint64_t position;       /* op id up to which the client has it */
    uint32_t checksum;       /* as last announced */
    size_t count;            /* as last announced */
    bool announced;
    bool changed; /* commits touched it since its state was last looked at */
    bool pending; /* announced, not completely sent yet */
    bool in_turn; /* of the checkpoint that is being sent, in a priority that is not closed yet */
    struct watch watch;
    struct stream_buckets *owner;
};

struct stream_buckets {
    struct bucket_storage *storage;
    void (*wake)(void *context); /* a commit touched one of the buckets */
    void *context;
    struct map by_name;           /* name -> struct stream_bucket, in order of announcing */
    struct stream_bucket **order; /* the same by priority, then name: the order of sending */
    size_t count;
    struct map positions; /* name -> op id: what the client has of buckets that it has not got here yet */
};

/* Make the set what the wishes say (they are empty afterwards); buckets that do not exist are made in
 * storage. New ones start at the client's position, once, else at 0. The names of those that were announced
 * and are gone are added to `removed` (the caller frees it and each name). */
void stream_buckets_set(struct stream_buckets *buckets, struct bucket_wishes *wishes, char ***removed,
                        size_t *n_removed);
void stream_buckets_free(struct stream_buckets *buckets);

/* Most urgent priority of the buckets in turn; -1: there is none. */
int stream_buckets_urgent(const struct stream_buckets *buckets);

#endif
