/* Order statistics of samples, exact, in integers. */
#ifndef SYNCLINE_RUNNER_STATISTICS_H
#define SYNCLINE_RUNNER_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

struct samples {
    int64_t *values; /* owned */
    size_t count, capacity;
};

void samples_add(struct samples *samples, int64_t value);
void samples_sort(struct samples *samples);
/* The smallest value that at least `per_mille` thousandths of the samples do not exceed (nearest rank; 0: the
 * least, 1000: the greatest). The samples must be sorted; 0 when there are none. */
int64_t samples_at(const struct samples *samples, unsigned per_mille);
void samples_free(struct samples *samples);

#endif
