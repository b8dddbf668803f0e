/* A query that a WebSocket session is subscribed to: what it runs, what it read when it last ran, and a hash
 * of what it gave, so that it is run again only when a commit touched what it read, and sent again only when
 * the result differs. */
#ifndef MOCK_CONVEX_SYNC_SUBSCRIPTION_H
#define MOCK_CONVEX_SYNC_SUBSCRIPTION_H

#include "base/digest.h"
#include "mock-convex/function/function_api.h"
#include "mock-convex/store/watch.h"
#include "mock-convex/sync/sync_message.h"

struct sync_session;

struct sync_subscription {
    uint32_t id;
    struct convex_call call;
    struct sync_session *session; /* whose it is */
    struct convex_watch watch;    /* of what it read when it last ran */
    bool stale;                   /* to be run: new, or touched by a commit, or the identity changed */
    bool sent;                    /* `result` has a meaning */
    struct hash128 result;
    struct sync_subscription *next;
};

/* Takes the call. */
struct sync_subscription *sync_subscription_make(struct sync_session *session, uint32_t id,
                                                 struct convex_call call);
void sync_subscription_free(struct sync_subscription *query);
/* From now on it runs for this caller (`user` copied; NULL: nobody), and has to. */
void sync_subscription_identify(struct sync_subscription *query, enum convex_identity identity,
                                const struct convex_value *user);
/* Run a stale query at the newest snapshot and watch what it reads (the owner of the watch is the query);
 * append its QueryUpdated or QueryFailed, after a comma if something is there, when the result differs from
 * what was sent last. */
void sync_subscription_run(struct sync_subscription *query, struct convex_deployment *deployment,
                           struct convex_watches *watches, struct buffer *modifications);

#endif
