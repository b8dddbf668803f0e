/* SQL of a sync config: one SELECT in, a tree out. The dialect is the real service's, not PostgreSQL's: `x IN
 * expression` and `a && b` have no parentheses, -> and ->> take a constant. Names are not looked up here.
 * What it does not know it refuses with the place in the query. */
#ifndef MOCK_POWERSYNC_SYNC_PARSER_H
#define MOCK_POWERSYNC_SYNC_PARSER_H

#include "mock-powersync/config/sync_expression.h"

struct sync_select_item {
    struct sync_expression *expression; /* NULL: * */
    const char *qualifier;              /* of *; or NULL */
    const char *name; /* of the output: the alias, the column, else the words of the query */
    bool named;       /* by an alias */
    int offset;
};

/* One table of FROM: a name, a function's result, or a subquery. */
struct sync_from {
    const char *schema; /* or NULL */
    const char *name;   /* of the table or the function; NULL: a subquery */
    const char *alias;  /* or NULL; a subquery always has one */
    bool is_call;
    struct sync_expression **arguments;
    size_t n_arguments;
    struct sync_select *select;
    const char **columns; /* names given to a subquery's columns */
    size_t n_columns;
    struct sync_expression *on; /* or NULL */
    int offset;
};

struct sync_select {
    struct sync_select_item *items;
    size_t n_items;
    struct sync_from *from;
    size_t n_from;
    struct sync_expression *where; /* or NULL */
    int offset;
};

/* Nothing outlives the arena, which must live as long as `text`. */
enum status sync_parser_read(struct sync_select *select, const struct sync_text *text, struct arena *arena,
                             struct error *error);

/* The same for editions 1 and 2, whose compiler gives other meanings to some forms: operators and functions
 * stay names (EXPRESSION_NAMED), and there may be no columns. */
enum status sync_parser_read_names(struct sync_select *select, const struct sync_text *text,
                                   struct arena *arena, struct error *error);

#endif
