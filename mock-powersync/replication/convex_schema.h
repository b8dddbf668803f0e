/* What json_schemas says: which tables a deployment has, and the columns of each. Only snapshots and the
 * schema routes look at it; rows are taken as they come. */
#ifndef MOCK_POWERSYNC_CONVEX_SCHEMA_H
#define MOCK_POWERSYNC_CONVEX_SCHEMA_H

#include <jansson.h>

#include "base/memory.h"
#include "mock-powersync/config/source_table.h"
#include "mock-powersync/replication/source.h"

#define CONVEX_TAG "default"
#define CONVEX_SCHEMA "convex"
#define CONVEX_MARKER_TABLE "powersync_checkpoints" /* the service's own: never replicated */
#define CONVEX_MARKER_MUTATION "powersync_checkpoints:createCheckpoint"

/* The name of a deployment's table as the config knows it. */
struct source_table convex_table(const char *name);

/* The tables in `schemas` (the answer to json_schemas) that a pattern selects, sorted by name. Borrows the
 * names from `schemas`; the caller frees the array. Names are compared with case. */
const char **convex_schema_match(const json_t *schemas, const struct source_pattern *pattern, size_t *count);

/* All tables with their columns, for people. Lives in the arena and in `schemas`. */
struct source_schema convex_schema_describe(const json_t *schemas, struct arena *arena);

#endif
