/* What a deployment leaves behind when its process ends, and finds again: see struct convex_storage in
 * deployment.h. Scheduled jobs and the results of mutations that came over WebSockets are rows of two system
 * tables, written in the transaction that they belong to; so all of it is in the store, and nothing is ever
 * half there. */
#ifndef MOCK_CONVEX_STORAGE_H
#define MOCK_CONVEX_STORAGE_H

#include "mock-convex/state.h"

#define CONVEX_JOBS_TABLE "_scheduled_functions"
#define CONVEX_NOISE_TABLE "_noise"
#define CONVEX_REQUESTS_TABLE "_session_requests" /* index "by_request": sessionId, requestId */

struct convex_storage {
    bool begun;                /* some deployment has run on it */
    bool busy;                 /* one runs on it now: `store` and `syncs` are with the deployment */
    struct convex_store store; /* while none runs */
    struct map syncs;          /* see data_sync_list.h */
};

/* Take the store over, or begin a new one, and make sure that the declared tables are there. A table that was
 * dropped stays away. */
void convex_storage_open(struct convex_deployment *deployment,
                         const struct convex_deployment_options *options);
/* Give it back; nothing that runs may be left. */
void convex_storage_close(struct convex_deployment *deployment);

#endif
