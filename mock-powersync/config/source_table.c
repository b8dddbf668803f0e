#include "mock-powersync/config/source_table.h"

#include <string.h>

bool source_pattern_matches(const struct source_pattern *pattern, const struct source_table *table) {
    if (strcmp(pattern->tag, table->tag) != 0 || strcmp(pattern->schema, table->schema) != 0)
        return false;
    return pattern->prefix ? strncmp(table->name, pattern->name, strlen(pattern->name)) == 0
                           : strcmp(table->name, pattern->name) == 0;
}
