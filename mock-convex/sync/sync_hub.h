/* All WebSocket sessions of a deployment, and the mutations that came over them: a mutation is known by
 * (session id, request id). One that has succeeded leaves a row with its result in the system table
 * _session_requests, in its own transaction, and is never run again. */
#ifndef MOCK_CONVEX_SYNC_HUB_H
#define MOCK_CONVEX_SYNC_HUB_H

#include "mock-convex/function/function_api.h"
#include "mock-convex/state.h"

struct sync_hub;
struct sync_session;

struct sync_hub *sync_hub_make(struct convex_deployment *deployment);
void sync_hub_free(struct sync_hub *hub); /* closes all sockets (code 1001); also while mutations run */

/* "/api/sync" or "/api/<version>/sync" */
bool sync_hub_is_route(const char *path);
/* A request on such a path. True: it is a WebSocket from now on. False: the reply is decided. */
bool sync_hub_open(struct sync_hub *hub, uint64_t exchange, const struct convex_request *request,
                   struct convex_reply *reply);
/* Something was committed, or tables were changed: look which queries that touched. */
void sync_hub_commit(struct sync_hub *hub);

/* --- for sync_session.c --- */

struct convex_deployment *sync_hub_deployment(const struct sync_hub *hub);
struct convex_watches *sync_hub_watches(struct sync_hub *hub); /* of all queries */
/* Run a mutation of a session, or attach to it when it already runs. `id` is the session id ("": none known).
 * Takes the call. The answer comes to sync_session_answer, at once when it is stored. */
void sync_hub_mutate(struct sync_hub *hub, struct sync_session *session, const char *id, uint32_t request,
                     struct convex_call call);
/* What a failure of a session's request is called: made of both, so that it is the same when it is sent
 * again. NULL for a session without id. The caller frees it. */
char *sync_hub_request_id(const char *session_id, uint32_t request);
/* The session is over: answers to it are dropped. */
void sync_hub_forget(struct sync_hub *hub, struct sync_session *session);

#endif
