/* SQL of a sync config: one SELECT in, a tree out. The dialect is the real service's, not PostgreSQL's: `x IN
 * expression` and `a && b` have no parentheses, -> and ->> take a constant. What it does not know it refuses
 * with the place in the query. */
#ifndef MOCK_POWERSYNC_SYNC_PARSER_H
#define MOCK_POWERSYNC_SYNC_PARSER_H

#include "mock-powersync/config/sync_expression.h"

struct sync_select_item {
    struct sync_expression *expression; /* NULL: * */
    const char *qualifier;              /* of *; or NULL */
    const char *name; /* of the output: the alias, the column, else the words of the query */
    int offset;
};

struct sync_select {
    struct sync_select_item *items;
    size_t n_items;
    size_t items_capacity;
    const char *schema;               /* or NULL */
    const char *table;                /* NULL without FROM; of a table-valued function: its name */
    struct sync_expression *function; /* FROM function(..): the call; or NULL */
    const char *alias;                /* or NULL */
    int table_offset;
    struct sync_expression *where; /* or NULL */
};

/* Nothing outlives the arena but `items`, which the caller frees, on success and on failure. STATUS_INVALID
 * otherwise. */
enum status sync_parser_read(struct sync_select *select, const char *sql, struct arena *arena,
                             struct error *error);
/* The same for editions 1 and 2, whose compiler gives other meanings to some forms: operators and functions
 * stay names (EXPRESSION_NAMED), FROM may be missing or be a table-valued function, IN and && may have a
 * subquery. */
enum status sync_parser_read_names(struct sync_select *select, const char *sql, struct arena *arena,
                                   struct error *error);

enum status sync_parser_refuse(struct error *error, int offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
