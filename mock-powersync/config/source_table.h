/* Names of a source's tables, as a sync config selects them. Convex: tag "default", schema "convex". */
#ifndef MOCK_POWERSYNC_SOURCE_TABLE_H
#define MOCK_POWERSYNC_SOURCE_TABLE_H

#include <stdbool.h>

/* A table of a source; borrows its texts. */
struct source_table {
    const char *tag, *schema, *name;
};

/* What a config reads: one table, or with `prefix` all tables whose names begin with `name` ("name%"). Owns
 * its texts. */
struct source_pattern {
    char *tag, *schema, *name;
    bool prefix;
};

bool source_pattern_matches(const struct source_pattern *pattern, const struct source_table *table);

#endif
