/* Data Sync, the announced successor of list_snapshot and document_deltas: one endpoint that first hands out
 * whole tables and then the log, and tells which tables to empty first. */
#ifndef MOCK_CONVEX_DATA_SYNC_H
#define MOCK_CONVEX_DATA_SYNC_H

#include "mock-convex/state.h"

#define CONVEX_SYNC_PAGE_ENTRIES 16384
#define CONVEX_SYNC_PAGE_ROWS 32768 /* read, shown or not */
#define CONVEX_SYNC_PAGE_BYTES ((size_t)64 << 20)

/* POST /api/v1/data/sync {"cursor","selection"}: the next page. */
void convex_answer_data_sync(struct convex_deployment *deployment, const struct convex_request *request,
                             struct convex_reply *reply);
/* POST /api/data_sync_cursor_from_deltas {"cursor","selection"}: go on from a cursor of document_deltas. */
void convex_answer_data_sync_cursor(struct convex_deployment *deployment,
                                    const struct convex_request *request, struct convex_reply *reply);

#endif
