#include "mock-convex/store/idle_bump.h"

#include <assert.h>

static void bump(void *context) {
    struct convex_deployment *deployment = context;
    assert(deployment->bumps_when_idle);
    convex_store_bump(&deployment->store, host_wall_clock(deployment->host));
    int64_t pause = host_random_between(deployment->host, "convex.idle-bump", CONVEX_IDLE_BETWEEN_LOW,
                                        CONVEX_IDLE_BETWEEN_HIGH);
    deployment->idle_timer = host_timer_set(deployment->host, pause, bump, deployment);
}

void convex_idle_wait(struct convex_deployment *deployment) {
    if (deployment->bumps_when_idle) {
        convex_idle_stop(deployment);
        deployment->idle_timer = host_timer_set(deployment->host, CONVEX_IDLE_AFTER_COMMIT, bump, deployment);
    }
}

void convex_idle_stop(struct convex_deployment *deployment) {
    host_timer_cancel(deployment->host, deployment->idle_timer);
    deployment->idle_timer = 0;
}
