#include "runner/statistics.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

void samples_add(struct samples *samples, int64_t value) {
    assert(samples->count <= samples->capacity);
    MEMORY_RESERVE(samples->values, samples->capacity, samples->count + 1);
    samples->values[samples->count++] = value;
}

static int compare_values(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

void samples_sort(struct samples *samples) {
    if (samples->count > 0)
        qsort(samples->values, samples->count, sizeof *samples->values, compare_values);
}

int64_t samples_at(const struct samples *samples, unsigned per_mille) {
    assert(per_mille <= 1000);
    if (samples->count == 0)
        return 0;
    size_t rank = (samples->count * per_mille + 999) / 1000;
    assert(rank <= samples->count);
    return samples->values[rank == 0 ? 0 : rank - 1];
}

void samples_free(struct samples *samples) {
    free(samples->values);
    *samples = (struct samples){0};
}
