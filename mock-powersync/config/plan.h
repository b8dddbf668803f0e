/* What a sync config of edition 3 is compiled to: which rows of which tables go into which buckets,
 * what they leave in the parameter index, and how a request finds its buckets. Everything lives in the arena
 * of the plan; indices name items of the plan's own lists.
 *
 * A row meets processors: evaluators put it into buckets, indexes put it into the parameter index. A request
 * meets the queriers of a stream: filters on request values, then lookups in order (each may use what those
 * before it gave), then the values of a bucket's parameters. */
#ifndef MOCK_POWERSYNC_PLAN_H
#define MOCK_POWERSYNC_PLAN_H

#include "mock-powersync/config/source_table.h"
#include "mock-powersync/config/sync_expression.h"

/* A table-valued function (json_each): expressions see its output through columns of `source`. */
struct plan_function {
    const struct sync_source *source;
    struct sync_expression **arguments;
    size_t n_arguments;
};

/* For each row of the pattern's tables: the cross product of the functions' outputs; of these, all that every
 * filter admits, in order. */
struct plan_processor {
    size_t pattern;    /* of the config's patterns */
    bool names_schema; /* the query does; then it is another processor than without, as in the real service */
    struct plan_function *functions;
    size_t n_functions;
    const struct sync_expression **filters;
    size_t n_filters;
    const struct sync_expression **parameters; /* of a bucket's name, or the key of an index entry */
    size_t n_parameters;
};

struct plan_column {
    const struct sync_expression *expression; /* NULL: all columns of the source row */
    const char *name;                         /* in the synced row; NULL with expression NULL */
};

struct plan_evaluator {
    struct plan_processor rows;
    struct plan_column *columns;
    size_t n_columns;
    const char *object_type; /* table at the client; NULL: named as in the source */
    const char *key;         /* of sync_plan.h */
};

/* Entries of the parameter index: the parameters are the key, the outputs what a lookup finds. */
struct plan_index {
    struct plan_processor rows;
    const struct sync_expression **outputs;
    size_t n_outputs;
    const char *key; /* of sync_plan.h */
};

enum plan_value_kind {
    PLAN_REQUEST,     /* one value of the request; NULL: none */
    PLAN_OUTPUT,      /* an output of each row that a lookup found */
    PLAN_INTERSECTION /* what all of `values` have in common */
};

struct plan_value {
    enum plan_value_kind kind;
    const struct sync_expression *expression;
    size_t lookup, output; /* of the querier's lookups, an earlier one */
    struct plan_value *values;
    size_t n_values;
};

/* A lookup in the index, or (`is_function`) a table-valued function of request values. One that finds nothing
 * ends the querier, also when nobody uses its outputs. */
struct plan_lookup {
    bool is_function;
    size_t index; /* of the plan's indexes */
    struct plan_value *inputs;
    size_t n_inputs;
    struct plan_function function;
    const struct sync_expression **filters; /* of the function's outputs */
    size_t n_filters;
    const struct sync_expression **outputs;
    size_t n_outputs;
};

struct plan_querier {
    const struct sync_expression **filters; /* of the request */
    size_t n_filters;
    struct plan_lookup *lookups;
    size_t n_lookups;
    struct plan_value *values; /* of the bucket's parameters */
    size_t n_values;
    size_t bucket;
};

/* A family of buckets: several evaluators may fill it, several queriers (of several streams) may ask for it.
 */
struct plan_bucket {
    const char *name;   /* "todos|0" */
    size_t *evaluators; /* in order */
    size_t n_evaluators;
};

struct sync_plan {
    struct arena arena;
    struct plan_evaluator *evaluators;
    size_t n_evaluators;
    size_t evaluators_capacity;
    struct plan_index *indexes;
    size_t n_indexes;
    size_t indexes_capacity;
    struct plan_bucket *buckets;
    size_t n_buckets;
    size_t buckets_capacity;
};

#endif
