/* Shapes: what kinds of values a place has held, gathered from the values themselves. json_schemas describes
 * stored data by them, not a declared schema. Everything lives in an arena. */
#ifndef MOCK_CONVEX_SHAPE_H
#define MOCK_CONVEX_SHAPE_H

#include "base/memory.h"
#include "mock-convex/store.h"

struct convex_shape_field;

struct convex_shape {
    bool null, int64, float64, special_float, boolean, string, bytes, array, object;
    const struct convex_store_table **ids; /* tables whose ids were seen; void when `string` holds too */
    size_t n_ids;
    struct convex_shape *items;        /* of arrays; NULL while all were empty */
    struct convex_shape_field *fields; /* of objects, sorted by name */
    size_t n_fields;
    size_t fields_capacity;
    size_t objects; /* how many objects were seen */
};

struct convex_shape_field {
    const char *name;
    struct convex_shape *shape;
    size_t seen; /* in how many objects; in all of them: required */
};

/* Widen the shape by one value. `store` tells which strings are ids. */
void convex_shape_observe(struct convex_shape *shape, const struct convex_value *value,
                          const struct convex_store *store, struct arena *arena);
/* The shape of a table's live documents; of an empty table, an object with _creationTime and _id. */
struct convex_shape *convex_shape_of_table(const struct convex_store *store,
                                           const struct convex_store_table *table, struct arena *arena);

#endif
