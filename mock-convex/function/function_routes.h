/* The routes of the function API. Replies are those of function_api.h; checks in the order: key or token,
 * body, function path, then the call itself. GET /api/query decodes the query string first. */
#ifndef MOCK_CONVEX_FUNCTION_ROUTES_H
#define MOCK_CONVEX_FUNCTION_ROUTES_H

#include "mock-convex/state.h"

#define CONVEX_RUN_PREFIX "/api/run/"

/* GET, POST /api/query. */
void convex_answer_query(struct convex_deployment *deployment, const struct convex_request *request,
                         struct convex_reply *reply);
/* POST /api/query_batch: {"queries":[..]} -> {"results":[reply, ..]}, all of one snapshot. */
void convex_answer_query_batch(struct convex_deployment *deployment, const struct convex_request *request,
                               struct convex_reply *reply);
/* POST /api/query_ts: the newest timestamp, base64 of 8 bytes, lowest first. */
void convex_answer_query_ts(struct convex_deployment *deployment, const struct convex_request *request,
                            struct convex_reply *reply);
/* POST /api/query_at_ts. 500: no timestamp, or above the newest; 503: more than 10 s below it. */
void convex_answer_query_at_ts(struct convex_deployment *deployment, const struct convex_request *request,
                               struct convex_reply *reply);
/* POST /api/mutation, /api/action, /api/function (any kind, deploy key only) and /api/run/... (any kind).
 * True: a mutation or an action runs and will answer the exchange. False: the reply is decided. */
bool convex_function_start(struct convex_deployment *deployment, uint64_t exchange,
                           const struct convex_request *request, struct convex_reply *reply);

#endif
