/* What queries of bucket definitions and of streams have in common. */
#ifndef MOCK_POWERSYNC_LEGACY_QUERY_H
#define MOCK_POWERSYNC_LEGACY_QUERY_H

#include "mock-powersync/config/legacy.h"
#include "mock-powersync/config/legacy_clause.h"

/* Parse a query that stands at `place`, with new inputs, and fill the tools with which it is compiled. What
 * the tools point to must outlive them. */
enum status legacy_query_read(struct legacy_tools *tools, enum legacy_place place, struct legacy_rules *rules,
                              const struct sync_text *sql, struct sync_select *select, struct error *error);
/* The one table or function of FROM; NULL: refused, also when there is no FROM. */
const struct sync_from *legacy_query_from(const struct legacy_tools *tools, const struct sync_select *select);
/* What it reads, in the arena of the tools. */
enum status legacy_query_table(const struct legacy_tools *tools, const struct sync_from *from,
                               struct source_pattern *table);
/* The output: its table and columns. */
enum status legacy_query_data(const struct legacy_tools *tools, const struct sync_select *select,
                              struct legacy_data *data);
/* The name that columns go by. */
const char *legacy_query_table_name(const struct sync_from *from);

#endif
