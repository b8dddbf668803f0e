/* Tables that are dropped, cleared or replaced while the deployment runs: the functions of deployment.h and
 * the routes. Names that are not there are passed over; `componentId` is a component's path. */
#ifndef MOCK_CONVEX_TABLE_CHANGES_H
#define MOCK_CONVEX_TABLE_CHANGES_H

#include "mock-convex/state.h"

/* POST /api/delete_tables {"tableNames":[..],"componentId":null}: drop. */
void convex_answer_delete_tables(struct convex_deployment *deployment, const struct convex_request *request,
                                 struct convex_reply *reply);
/* PUT /api/streaming_import/clear_tables {"tableNames":[..]}: swap in an empty table. */
void convex_answer_clear_tables(struct convex_deployment *deployment, const struct convex_request *request,
                                struct convex_reply *reply);

/* PUT, POST /api/streaming_import/replace_tables {"tableNames":[..],"documents":{"table":[..]}}: write the
 * documents (without system fields, in encoded JSON; none: an empty table) to hidden tables, then put these
 * in place. That body is ours. */
void convex_answer_replace_tables(struct convex_deployment *deployment, const struct convex_request *request,
                                  struct convex_reply *reply);

#endif
