/* What a query reads: tables and table-valued functions, which of them an expression depends on, and keys
 * that are equal for expressions that mean the same. Sources live in the arena of their plan and are told
 * apart by address: a table that a query names twice is two sources. */
#ifndef MOCK_POWERSYNC_SYNC_SOURCE_H
#define MOCK_POWERSYNC_SYNC_SOURCE_H

#include "mock-powersync/config/sync_expression.h"

/* What a function's arguments read: nothing yet known, the request, or a table, with whose rows it is then
 * evaluated. A function of constants is attached to the first table that an expression uses it with. */
enum sync_attachment { ATTACHED_NOT, ATTACHED_TO_REQUEST, ATTACHED_TO_TABLE };

struct sync_source {
    bool is_function;
    const char *schema; /* of a table; or NULL */
    const char *name;   /* of the table (with a final % for a prefix) or the function */
    const char *alias;  /* or NULL */
    struct sync_expression **arguments;
    size_t n_arguments;
    enum sync_attachment attachment;
    struct sync_source *table; /* ATTACHED_TO_TABLE */
    const struct sync_text *sql;
    int offset; /* where the query names it */
};

/* The table whose rows a source is evaluated with; functions of requests and of nothing: themselves. */
struct sync_source *sync_source_target(struct sync_source *source);

/* What an expression depends on: one source (the last that is named), or the request, or neither. */
struct sync_dependency {
    struct sync_source *source;
    bool request;
};

/* Of several expressions taken together. False: on more than that; `culprit` (may be NULL) is the column or
 * request function that was too much. May attach functions of constants. */
bool sync_dependency_of(struct sync_expression *const *expressions, size_t count,
                        struct sync_dependency *dependency, const struct sync_expression **culprit);

/* Calls `visit` for every column and request function, from the left. */
void sync_expression_visit(const struct sync_expression *expression,
                           void (*visit)(void *context, const struct sync_expression *leaf), void *context);

/* Text that is equal for expressions that are equal, whichever sources their columns are of. */
void sync_expression_append_key(struct buffer *out, const struct sync_expression *expression);
/* The real service's number for an expression (`function`: an output of it, or NULL): it orders the
 * parameters of a bucket's name. */
uint32_t sync_expression_hash(const struct sync_expression *expression, const struct sync_source *function);

#endif
