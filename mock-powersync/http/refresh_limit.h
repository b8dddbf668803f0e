/* How often a key set may be fetched: ten times at once, then once a minute. The more of the ten are used up,
 * the longer the pause before the next, so that a burst does not take them all. */
#ifndef MOCK_POWERSYNC_REFRESH_LIMIT_H
#define MOCK_POWERSYNC_REFRESH_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct refresh_limit {
    bool asked;       /* at least once */
    int64_t used;     /* ns of the period that are spoken for, 0 .. 10 periods */
    int64_t asked_at; /* ns */
    int64_t granted_at;
};

/* A zeroed limit is unused. `now`: virtual time, ns. True: go ahead, it is counted. */
bool refresh_limit_allows(struct refresh_limit *limit, int64_t now);

#endif
