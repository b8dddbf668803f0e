/* Write checkpoint requests of many clients, made together: read the source's head, remember it under each
 * client's key, then leave one marker in the source, so that replication passes the head even when nothing
 * else happens. Requests that come within a millisecond share a batch; at most three batches run at once, and
 * what comes meanwhile waits and goes together. A failure fails the whole batch, nothing is tried again.
 *
 * The order matters: with the marker first, replication can pass it before the mapping exists, and on an idle
 * source nobody is ever told. */
#ifndef MOCK_POWERSYNC_CHECKPOINT_BATCHER_H
#define MOCK_POWERSYNC_CHECKPOINT_BATCHER_H

#include "mock-powersync/http/http_error.h"
#include "mock-powersync/replication/source.h"
#include "mock-powersync/storage/storage.h"

struct checkpoint_batcher;

/* What is given must outlive it. */
struct checkpoint_batcher *checkpoint_batcher_create(struct host *host, struct source *source,
                                                     struct storage *storage);
void checkpoint_batcher_destroy(struct checkpoint_batcher *batcher); /* nobody is called any more */

/* One request, in its owner's memory. */
struct checkpoint_wait {
    struct checkpoint_entry *entry; /* NULL: nothing is under way */
    /* `id`: the one stored under the key; 0: `error` tells why not. */
    void (*done)(void *context, int64_t id, const struct http_error *error);
    void *context;
};

/* `supplied` 0: give out the next id of the key; else store this one if it is higher. `done` is called once,
 * later. */
void checkpoint_batcher_add(struct checkpoint_batcher *batcher, const char *key, int64_t supplied,
                            struct checkpoint_wait *wait);
/* Nobody waits any more; the request itself goes on. One that is over is ignored. */
void checkpoint_wait_forget(struct checkpoint_wait *wait);

#endif
