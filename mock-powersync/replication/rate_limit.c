#include "mock-powersync/replication/rate_limit.h"

#include <assert.h>

#include "kernel/time.h"

#define BETWEEN_STARTS (500 * TIME_MILLISECOND)

int64_t rate_limit_wait(const struct rate_limit *limit, int64_t now) {
    return limit->allowed_at > now ? limit->allowed_at - now : 0;
}

void rate_limit_failed(struct rate_limit *limit, int64_t now, int64_t delay) {
    assert(delay > 0);
    if (limit->allowed_at < now + delay)
        limit->allowed_at = now + delay;
}

void rate_limit_started(struct rate_limit *limit, int64_t now) {
    rate_limit_failed(limit, now, BETWEEN_STARTS);
}
