#include "mock-powersync/http/refresh_limit.h"

#include <assert.h>

#include "kernel/time.h"

#define MOST 10
#define PERIOD (60 * TIME_SECOND)

/* The pause after the last grant: period * (used / most) squared, `used` counted in periods. */
static int64_t pause_of(int64_t used) {
    int64_t milliseconds = used / TIME_MILLISECOND, period = PERIOD / TIME_MILLISECOND;
    return milliseconds * milliseconds / (period * MOST * MOST) * TIME_MILLISECOND;
}

bool refresh_limit_allows(struct refresh_limit *limit, int64_t now) {
    if (!limit->asked) {
        *limit = (struct refresh_limit){.asked = true, .used = PERIOD, .asked_at = now, .granted_at = now};
        return true;
    }
    assert(now >= limit->asked_at);
    int64_t elapsed = now - limit->asked_at;
    limit->used = elapsed < limit->used ? limit->used - elapsed : 0;
    limit->asked_at = now;
    if (limit->used > (MOST - 1) * PERIOD || pause_of(limit->used) > now - limit->granted_at)
        return false;
    limit->used += PERIOD;
    limit->granted_at = now;
    return true;
}
