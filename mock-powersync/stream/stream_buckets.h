/* Which buckets one connection syncs, and why: its streams (default and explicitly subscribed) for its user.
 */
#ifndef MOCK_POWERSYNC_STREAM_BUCKETS_H
#define MOCK_POWERSYNC_STREAM_BUCKETS_H

#include "mock-powersync/http/auth.h"
#include "mock-powersync/storage/bucket_storage.h"
#include "mock-powersync/stream/sync_request.h"

struct stream_bucket {
    struct bucket *bucket;
    int priority;
    char *subscriptions; /* JSON array text: the reasons */
    uint64_t position;   /* op id up to which the client has it */
    uint32_t checksum;   /* as last announced */
    size_t count;        /* as last announced */
    bool pending;        /* announced, not completely sent yet */
    struct watch watch;
};

struct stream_buckets {
    struct stream_bucket *buckets; /* in order of announcing */
    size_t count;
    size_t *order; /* the same by priority, then name: the order of sending */
    char *streams; /* inside of the checkpoint line's "streams" list */
};

/* Positions are those of the request (0 where it has none). Makes the buckets in storage that do not exist
 * yet. */
bool stream_buckets_make(struct stream_buckets *buckets, const struct sync_config *config,
                         struct bucket_storage *storage, const struct sync_request *request,
                         const struct auth_user *user, struct http_error *error);
void stream_buckets_free(struct stream_buckets *buckets); /* also unsubscribes the watches */

#endif
