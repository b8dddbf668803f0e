/* When the next replication job may start: at once, but not within 500 ms of the one before, and not before
 * the pause that a failure asks for is over. Pauses do not add up, the latest end counts. All times are ns of
 * virtual time. A zeroed one allows everything. */
#ifndef MOCK_POWERSYNC_RATE_LIMIT_H
#define MOCK_POWERSYNC_RATE_LIMIT_H

#include <stdint.h>

struct rate_limit {
    int64_t allowed_at;
};

int64_t rate_limit_wait(const struct rate_limit *limit, int64_t now); /* 0: a job may start */
void rate_limit_started(struct rate_limit *limit, int64_t now);
void rate_limit_failed(struct rate_limit *limit, int64_t now, int64_t delay);

#endif
