/* A query that a WebSocket session is subscribed to: what it runs, what it read when it last ran, and a hash
 * of what it gave, so that it is run again only when a commit touched what it read, and sent again only when
 * the result differs. */
#ifndef MOCK_CONVEX_SYNC_SUBSCRIPTION_H
#define MOCK_CONVEX_SYNC_SUBSCRIPTION_H

#include "base/digest.h"
#include "mock-convex/context.h"
#include "mock-convex/function_api.h"
#include "mock-convex/sync_message.h"

struct sync_subscription {
    uint32_t id;
    struct convex_call call;
    struct convex_context context; /* keeps the read set while `tracked` */
    bool tracked;
    bool stale; /* to be run: new, or touched by a commit, or the identity changed */
    bool sent;  /* `result` has a meaning */
    struct hash128 result;
    struct sync_subscription *next;
};

/* Takes the call. */
struct sync_subscription *sync_subscription_make(uint32_t id, struct convex_call call);
void sync_subscription_free(struct sync_subscription *query);
/* From now on it runs for this caller (`user` copied; NULL: nobody), and has to. */
void sync_subscription_identify(struct sync_subscription *query, enum convex_identity identity,
                                const struct convex_value *user);
/* Did a commit since the last look touch what the query read? Then it is stale from now on. */
void sync_subscription_look(struct sync_subscription *query, const struct convex_store *store);
/* Run a stale query at the newest snapshot; append its QueryUpdated or QueryFailed, after a comma if
 * something is there, when the result differs from what was sent last. */
void sync_subscription_run(struct sync_subscription *query, struct convex_deployment *deployment,
                           struct buffer *modifications);

#endif
