/* The committer's habit of moving the newest timestamp on while nothing is committed: about 5 s after the
 * last commit, and then every 60 to 120 min. Readers of the log see their cursor jump without rows. Off
 * unless convex_deployment_options.bumps_when_idle. */
#ifndef MOCK_CONVEX_IDLE_BUMP_H
#define MOCK_CONVEX_IDLE_BUMP_H

#include "mock-convex/state.h"

#define CONVEX_IDLE_AFTER_COMMIT (5 * TIME_SECOND)
#define CONVEX_IDLE_BETWEEN_LOW (60 * TIME_MINUTE)
#define CONVEX_IDLE_BETWEEN_HIGH (120 * TIME_MINUTE)

/* A commit has just been published, or the deployment starts: wait anew. */
void convex_idle_wait(struct convex_deployment *deployment);
void convex_idle_stop(struct convex_deployment *deployment);

#endif
