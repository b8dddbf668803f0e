/* Shapes as JSON Schema, in the words that consumers of the streaming export look for. */
#ifndef MOCK_CONVEX_JSON_SCHEMA_H
#define MOCK_CONVEX_JSON_SCHEMA_H

#include "mock-convex/store/shape.h"

/* The schema of one table of `component`. `store` tells which strings are ids of its living tables. `delta`
 * adds the metadata fields of delta rows. */
void convex_append_table_schema(struct buffer *out, const struct convex_store *store, const char *component,
                                const struct convex_shape *shape, enum convex_format format, bool delta);

#endif
