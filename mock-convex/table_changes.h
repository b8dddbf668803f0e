/* Tables that are dropped, cleared or replaced while the deployment runs: the functions of deployment.h and
 * the routes. Names that are not there are passed over; only the root component has tables. */
#ifndef MOCK_CONVEX_TABLE_CHANGES_H
#define MOCK_CONVEX_TABLE_CHANGES_H

#include "mock-convex/state.h"

/* POST /api/delete_tables {"tableNames":[..],"componentId":null}: drop. */
void convex_answer_delete_tables(struct convex_deployment *deployment, const struct convex_request *request,
                                 struct convex_reply *reply);
/* PUT /api/streaming_import/clear_tables {"tableNames":[..]}: swap in an empty table. */
void convex_answer_clear_tables(struct convex_deployment *deployment, const struct convex_request *request,
                                struct convex_reply *reply);

#endif
