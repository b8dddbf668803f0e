/* The shapes of a deployment's tables. They follow the log of commits when somebody asks: each revision is
 * counted once, and its predecessor taken away, so asking costs what was written since the last time. */
#ifndef MOCK_CONVEX_TABLE_SHAPES_H
#define MOCK_CONVEX_TABLE_SHAPES_H

#include "mock-convex/store/shape.h"

struct convex_table_shapes {
    struct map shapes; /* tablet (16 bytes) -> struct convex_shape */
    size_t position;   /* in the log: what comes before is counted */
};

/* The shape of a table's living documents; of an empty table, an object with _creationTime and _id. Borrowed
 * until the next call. A zeroed struct has counted nothing. */
const struct convex_shape *convex_table_shape(struct convex_table_shapes *shapes,
                                              const struct convex_store *store,
                                              const struct convex_store_table *table);
void convex_table_shapes_free(struct convex_table_shapes *shapes);

/* The same, but NULL for a table without documents. */
const struct convex_shape *convex_table_seen(struct convex_table_shapes *shapes,
                                             const struct convex_store *store,
                                             const struct convex_store_table *table);

#endif
