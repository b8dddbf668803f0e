/* What queries of bucket definitions and of streams have in common. */
#ifndef MOCK_POWERSYNC_LEGACY_QUERY_H
#define MOCK_POWERSYNC_LEGACY_QUERY_H

#include "mock-powersync/config/legacy.h"
#include "mock-powersync/config/legacy_clause.h"

/* What the SELECT reads, in the arena of the tools. */
enum status legacy_query_table(const struct legacy_tools *tools, const struct sync_select *select,
                               struct source_pattern *table);
/* The output: its table and columns. */
enum status legacy_query_data(const struct legacy_tools *tools, const struct sync_select *select,
                              struct legacy_data *data);
/* The name that columns of the table go by. */
const char *legacy_query_table_name(const struct sync_select *select);

#endif
