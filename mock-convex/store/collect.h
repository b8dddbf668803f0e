/* Rows of system tables that nobody needs any more are deleted after a week: scheduled jobs that have ended
 * and results of mutations that came over WebSockets (one that is sent again later runs again). The backend's
 * own times are not known. */
#ifndef MOCK_CONVEX_COLLECT_H
#define MOCK_CONVEX_COLLECT_H

#include "mock-convex/state.h"

#define CONVEX_COLLECT_AFTER (7 * TIME_DAY)
#define CONVEX_COLLECT_EVERY TIME_DAY
#define CONVEX_COLLECT_ROWS 1000 /* in one transaction */

/* There may be such rows, now or later. */
void convex_collect_wait(struct convex_deployment *deployment);
void convex_collect_stop(struct convex_deployment *deployment);

#endif
