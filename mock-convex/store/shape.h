/* Shapes: how many values of which kinds a place holds, counted from the values themselves. json_schemas
 * describes stored data by them, not a declared schema. Values can be taken away again, so a shape follows
 * its table without looking at all documents. A zeroed shape has seen nothing; it owns what it points to. */
#ifndef MOCK_CONVEX_SHAPE_H
#define MOCK_CONVEX_SHAPE_H

#include "mock-convex/store/store.h"

struct convex_shape_id {
    uint32_t table; /* number; whether such a table lives is for the reader to ask */
    size_t seen;
};

struct convex_shape_field;

/* Numbers of values. */
struct convex_shape {
    size_t null, int64, float64, boolean, string, bytes, array, object;
    size_t special_float;        /* of the floats: NaN, infinities, -0 */
    struct convex_shape_id *ids; /* strings that read as ids, not counted in `string`; by number */
    size_t n_ids;
    struct convex_shape *items; /* of arrays; NULL while all are empty */
    size_t n_items;
    struct convex_shape_field *fields; /* of objects, sorted by name */
    size_t n_fields;
    size_t fields_capacity;
};

struct convex_shape_field {
    char *name;
    struct convex_shape *shape;
    size_t seen; /* in how many objects; in all of them: required */
};

void convex_shape_observe(struct convex_shape *shape, const struct convex_value *value);
/* The value must have been observed. */
void convex_shape_forget(struct convex_shape *shape, const struct convex_value *value);
void convex_shape_clear(struct convex_shape *shape);

#endif
