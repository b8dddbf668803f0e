/* A query of edition 3 with all names looked up: subqueries and common table expressions are taken apart
 * until only sources and conditions on them are left. `x IN (SELECT y FROM t WHERE c)` becomes x = y AND c,
 * `x IN list` becomes x = value of json_each(list). Everything lives in the arena of the config's plan. */
#ifndef MOCK_POWERSYNC_SYNC_QUERY_H
#define MOCK_POWERSYNC_SYNC_QUERY_H

#include "mock-powersync/config/plan.h"
#include "mock-powersync/config/sync_parser.h"
#include "mock-powersync/config/sync_source.h"

struct sync_config;

/* A subquery in FROM or a common table expression; each use of the latter is a copy with sources of its own.
 */
struct sync_subquery {
    const char *name; /* of the common table expression; NULL: none */
    const char **names;
    struct sync_expression **columns;
    size_t n_columns;
    struct sync_expression *where; /* or NULL */
    bool used;
    int line, column; /* of its name */
};

struct sync_query {
    struct sync_source *primary; /* whose rows are synced */
    struct plan_column *columns;
    size_t n_columns;
    struct sync_expression **conditions; /* all must hold */
    size_t n_conditions;
    const struct sync_text *text;
    int offset;
};

/* What a query can name besides tables; the first of a name counts. */
struct sync_subqueries {
    struct sync_subquery **items;
    size_t count;
};

/* STATUS_INVALID with the place. `text` must live as long as the config. Warnings go to the config. */
enum status sync_query_read(struct sync_query *query, struct sync_config *config,
                            const struct sync_text *text, const struct sync_subqueries *known,
                            struct error *error);
/* The same for a common table expression, which can name tables only. */
enum status sync_subquery_read(struct sync_subquery *subquery, struct sync_config *config,
                               const struct sync_text *text, struct error *error);

/* Refuse an expression that depends on two things; the message says which. */
enum status sync_query_refuse_mixture(const struct sync_expression *culprit, struct error *error);

#endif
