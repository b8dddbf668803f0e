/* The keys of one JWKS URI, fetched when they are needed and kept: refreshed in the background when older
 * than 5 minutes, thrown away after 60. Who needs keys that are not there waits for at most 3 s; the fetch
 * itself may take 30 s. After a failure the keys stay, and each use tries again as far as the limit allows.
 */
#ifndef MOCK_POWERSYNC_KEY_CACHE_H
#define MOCK_POWERSYNC_KEY_CACHE_H

#include "kernel/host.h"
#include "mock-powersync/http/http_error.h"
#include "mock-powersync/http/key_set.h"

struct key_cache;

/* STATUS_INVALID: `uri` is no http or https address. `block_local`: refuse addresses of this machine and of
 * private networks (there is no name resolution here, so only literal addresses and "localhost" are known).
 */
enum status key_cache_create(struct host *host, const char *uri, bool block_local, struct key_cache **cache,
                             struct error *error);
void key_cache_destroy(struct key_cache *cache); /* nobody may wait any more */

/* One who waits, in its owner's memory. */
struct key_wait {
    struct key_cache *cache; /* NULL: does not wait */
    void (*ready)(void *context);
    void *context;
    bool timed_out; /* 3 s passed; the fetch goes on without this one */
    uint64_t timer;
    uint64_t round; /* of fetches, in which it came */
    struct key_wait *next;
};

/* Make the keys ready for use: starts a refresh that is due. True: use them now. False: `ready` is called
 * once, later. */
bool key_cache_prepare(struct key_cache *cache, struct key_wait *wait, void (*ready)(void *), void *context);
void key_wait_cancel(struct key_wait *wait); /* one that does not wait is ignored */

/* No key fitted a token: fetch them again, if the limit allows. */
void key_cache_refresh(struct key_cache *cache);

const struct key_set *key_cache_keys(const struct key_cache *cache);
/* Why the last fetch failed; NULL: it did not. */
const struct http_error *key_cache_error(const struct key_cache *cache);

#endif
