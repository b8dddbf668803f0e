/* The WHERE clause of a stream of edition 2: conditions joined by AND, OR and NOT, brought into the form
 * OR of ANDs as far as the real service brings them. Everything lives in the arena. */
#ifndef MOCK_POWERSYNC_LEGACY_FILTER_H
#define MOCK_POWERSYNC_LEGACY_FILTER_H

#include "mock-powersync/config/legacy_clause.h"
#include "mock-powersync/config/source_table.h"

enum legacy_filter_kind {
    FILTER_SIMPLE,  /* a clause of the row or of the request */
    FILTER_MATCH,   /* between the two */
    FILTER_IN,      /* a row's value in a subquery */
    FILTER_OVERLAP, /* a row's array && a subquery */
    FILTER_EXISTS,  /* a request's value in a subquery, which has it among its conditions */
    FILTER_NOT,
    FILTER_AND,
    FILTER_OR
};

/* SELECT column FROM table WHERE conditions: an AND without subqueries. */
struct legacy_subquery_draft {
    struct source_pattern table;
    struct sync_expression *column;
    struct legacy_filter **conditions;
    size_t n_conditions;
    struct legacy_inputs *inputs;
};

struct legacy_filter {
    enum legacy_filter_kind kind;
    int offset;
    struct legacy_clause *clause; /* of SIMPLE and MATCH; of IN and OVERLAP: the row's side */
    struct legacy_subquery_draft *subquery;
    struct legacy_filter **parts; /* of NOT, AND, OR */
    size_t n_parts;
};

/* NULL: refused. */
struct legacy_filter *legacy_filter_make(const struct legacy_tools *tools,
                                         const struct sync_expression *where);
struct legacy_filter *legacy_filter_normalise(const struct legacy_tools *tools, struct legacy_filter *filter);
/* False when a NOT stands before something that cannot be negated. */
bool legacy_filter_is_positive(const struct legacy_filter *filter);

#endif
