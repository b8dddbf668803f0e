/* The syncs that somebody reads, for GET /api/v1/data/list_active_syncs. A sync is active for 3 days after
 * its newest page. Kept with the deployment's storage, in the order of their beginning, at most 10,000. */
#ifndef MOCK_CONVEX_DATA_SYNC_LIST_H
#define MOCK_CONVEX_DATA_SYNC_LIST_H

#include "mock-convex/state.h"

#define CONVEX_SYNC_ACTIVE (3 * TIME_DAY)
#define CONVEX_SYNCS_MAX 10000

/* A page of this sync has been made. `snapshot_ts` < 0: it is still snapshotting. */
void convex_sync_list_note(struct convex_deployment *deployment, const char *sync_id, int64_t snapshot_ts);

/* ?limit=1..100 (usually 50)&cursor=<the last page's nextCursor>. */
void convex_answer_list_active_syncs(struct convex_deployment *deployment,
                                     const struct convex_request *request, struct convex_reply *reply);

#endif
