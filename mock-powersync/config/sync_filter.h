/* From a query's conditions to its variants: an OR of ANDs, where each part depends on one source, or on the
 * request, or is an equality between two such values. Every variant becomes a family of buckets. */
#ifndef MOCK_POWERSYNC_SYNC_FILTER_H
#define MOCK_POWERSYNC_SYNC_FILTER_H

#include "mock-powersync/config/sync_query.h"

struct sync_side {
    struct sync_expression *expression;
    struct sync_dependency dependency;
};

/* A condition on one side (`right.expression` NULL), or left = right of different sides. */
struct sync_term {
    struct sync_side left, right;
};

/* All terms must hold; none: always. */
struct sync_variant {
    struct sync_term *terms;
    size_t count;
};

/* At least one variant. STATUS_INVALID: a condition mixes what cannot be mixed, or there are more than 100
 * alternatives. Everything lives in the arena. */
enum status sync_filter_make(const struct sync_query *query, struct arena *arena,
                             struct sync_variant **variants, size_t *count, struct error *error);

#endif
