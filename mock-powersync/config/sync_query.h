/* One query of a sync stream, compiled: SQL text in; out, what to copy, and under which conditions a row and
 * a request meet. The WHERE clause becomes branches (an OR of ANDs). In each, what depends on the row decides
 * when it is replicated, what depends on the request when a client connects, and equalities between the two
 * are the parameters of the bucket.
 *
 * Supported: one table, no joins, no subqueries; see docs/mock-powersync.md. Everything else is refused,
 * never guessed at. */
#ifndef MOCK_POWERSYNC_SYNC_QUERY_H
#define MOCK_POWERSYNC_SYNC_QUERY_H

#include "mock-powersync/config/sync_expression.h"

struct sync_query_item {
    const struct sync_expression *expression; /* NULL: all columns of the source row */
    const char *output;                       /* name in the synced row; NULL with expression NULL */
};

/* A value, or each value of a JSON array. */
struct sync_operand {
    const struct sync_expression *expression;
    bool each;
};

/* `value` must be in `list`: once for each time it is. */
struct sync_membership {
    const struct sync_expression *value;
    const struct sync_expression *list;
};

/* What one side, row or request, must fulfil. */
struct sync_condition {
    const struct sync_expression **filters;
    size_t n_filters;
    struct sync_membership *memberships;
    size_t n_memberships;
};

/* One value of a bucket's name: what the request gives must be in all of `sources`. */
struct sync_request_parameter {
    struct sync_operand *sources;
    size_t n_sources;
};

struct sync_request_side {
    struct sync_condition condition;
    struct sync_request_parameter *parameters; /* as many as the branch has */
    char *key;                                 /* equal for equal ones */
};

/* What a row must fulfil, and the ways in which a request gets what does. */
struct sync_branch {
    struct sync_condition row;
    struct sync_operand *row_parameters;
    size_t n_parameters;
    struct sync_request_side *requests; /* at least one */
    size_t n_requests;
    char *row_key; /* equal for branches of a query whose rows are the same */
    char
        *key; /* equal for branches of a stream whose requests are the same: they share a family of buckets */
    size_t variant; /* which of the stream's families; the config's business */
};

struct sync_query {
    const char *table;       /* source table */
    const char *object_type; /* table name at the client: the alias, else the source name */
    struct sync_query_item *items;
    size_t n_items;
    struct sync_branch *branches;
    size_t n_branches;
    size_t stream; /* index of the stream; the config's business */
    struct arena arena;
};

/* STATUS_INVALID with a message that quotes the position inside the query (from 1). On success free with
 * sync_query_free; `query` is overwritten. */
enum status sync_query_parse(struct sync_query *query, const char *sql, struct error *error);
void sync_query_free(struct sync_query *query);

#endif
