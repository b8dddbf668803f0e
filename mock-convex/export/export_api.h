/* The streaming export API: what PowerSync replicates from. Each function answers one route. */
#ifndef MOCK_CONVEX_EXPORT_API_H
#define MOCK_CONVEX_EXPORT_API_H

#include "mock-convex/state.h"

/* GET, POST /api/list_snapshot: a page of all documents as of one timestamp. */
void convex_answer_list_snapshot(struct convex_deployment *deployment, const struct convex_request *request,
                                 struct convex_reply *reply);
/* GET, POST /api/document_deltas: a page of the log after a cursor. */
void convex_answer_document_deltas(struct convex_deployment *deployment, const struct convex_request *request,
                                   struct convex_reply *reply);
/* GET /api/json_schemas: a JSON Schema for each table. */
void convex_answer_json_schemas(struct convex_deployment *deployment, const struct convex_request *request,
                                struct convex_reply *reply);
/* GET /api/get_table_column_names: tables and top-level columns. */
void convex_answer_column_names(struct convex_deployment *deployment, const struct convex_request *request,
                                struct convex_reply *reply);
/* GET /api/test_streaming_export_connection: null. */
void convex_answer_test_connection(struct convex_deployment *deployment, const struct convex_request *request,
                                   struct convex_reply *reply);

/* GET /api/check_admin_key: what the key may do. */
void convex_answer_check_admin_key(struct convex_deployment *deployment, const struct convex_request *request,
                                   struct convex_reply *reply);
/* GET /api/shapes2: the shapes of a component's tables, for the dashboard. */
void convex_answer_shapes(struct convex_deployment *deployment, const struct convex_request *request,
                          struct convex_reply *reply);
/* False: 503, for a time after a start the shapes are not known. */
bool convex_export_summaries(const struct convex_deployment *deployment, struct convex_reply *reply);
/* Are all rows after this timestamp still kept? Usually 14 days are. */
bool convex_log_reaches(const struct convex_deployment *deployment, int64_t ts);

#endif
