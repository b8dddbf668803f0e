/* Sync configs of editions 1 and 2: bucket definitions with parameter and data queries, and the first form of
 * sync streams. They are compiled to what their own compiler in the real service makes of them, since its
 * rules about NULL, booleans in arrays and errors are not those of edition 3. Everything lives in the arena
 * of the rules. */
#ifndef MOCK_POWERSYNC_LEGACY_H
#define MOCK_POWERSYNC_LEGACY_H

#include "mock-powersync/config/evaluate.h"
#include "mock-powersync/config/legacy_match.h"
#include "mock-powersync/config/source_table.h"

struct legacy_column {
    const struct sync_expression *expression; /* NULL: columns of the source, but for those with _ before them
                                                 and those that have a value already */
    const char *name;
};

/* What a row is at the client. */
struct legacy_data {
    struct source_pattern table;
    const char *object_type; /* NULL: as the source table is called */
    struct legacy_column *columns;
    size_t n_columns;
};

struct legacy_data_query {
    struct legacy_data data;
    const struct legacy_match *match;
    size_t *inputs; /* of the match, for each parameter of the bucket */
};

enum legacy_parameter_kind {
    PARAMETERS_STATIC,  /* of the request alone */
    PARAMETERS_TABLE,   /* for each row that a lookup finds */
    PARAMETERS_FUNCTION /* for each row of json_each */
};

struct legacy_parameter {
    const char *name;
    const struct sync_expression *expression;
    bool of_row; /* stored in the parameter index, as item `output` of the tuple */
    size_t output;
};

struct legacy_parameter_query {
    enum legacy_parameter_kind kind;
    int number; /* in its definition, from 1 */
    int priority;
    struct legacy_parameter *parameters;
    size_t n_parameters, n_outputs;
    const struct sync_expression *filter;   /* of static ones and functions */
    const struct sync_expression *argument; /* of the function */
    struct source_pattern table;
    const struct legacy_match *match;
    struct legacy_inputs *inputs; /* the key of an entry of the index */
};

enum legacy_stream_parameter_kind {
    STREAM_REQUEST, /* what the request gives for the match's input */
    STREAM_IN,      /* what the subquery gives; the row has one value */
    STREAM_OVERLAP  /* the row has an array */
};

struct legacy_stream_parameter {
    enum legacy_stream_parameter_kind kind;
    const struct legacy_match *match;
    struct legacy_input input;
    const struct sync_expression *row;
    size_t subquery;
};

struct legacy_subquery;

/* Conditions that must all hold. */
struct legacy_variant {
    const struct sync_expression **row_filters;
    size_t n_row_filters;
    const struct sync_expression **request_filters;
    size_t n_request_filters;
    size_t *exists; /* subqueries that must give something */
    size_t n_exists;
    struct legacy_stream_parameter *parameters;
    size_t n_parameters;
    struct legacy_subquery *subqueries;
    size_t n_subqueries;
};

struct legacy_subquery {
    int number; /* in its stream, from 0 */
    struct source_pattern table;
    const struct sync_expression *column;
    struct legacy_variant conditions; /* with STREAM_REQUEST parameters only */
};

struct legacy_definition {
    const char *name;
    bool is_stream;
    /* of a bucket definition */
    const char **parameters; /* in the order of a bucket's name */
    size_t n_parameters;
    struct legacy_parameter_query *parameter_queries;
    size_t n_parameter_queries;
    struct legacy_data_query *data_queries;
    size_t n_data_queries;
    /* of a stream */
    struct legacy_data data;
    struct legacy_variant *variants;
    size_t n_variants;
};

struct legacy_rules {
    struct arena arena;
    bool fixed_json;
    struct legacy_definition *definitions;
    size_t n_definitions;
};

/* Add a query to a definition, whose arrays have room. STATUS_INVALID with the place. */
enum status legacy_add_parameters(struct legacy_rules *rules, struct legacy_definition *definition,
                                  const struct sync_text *sql, const int *priority, struct error *error);
enum status legacy_add_data(struct legacy_rules *rules, struct legacy_definition *definition,
                            const struct sync_text *sql, struct error *error);
enum status legacy_read_stream(struct legacy_rules *rules, struct legacy_definition *stream,
                               const struct sync_text *sql, struct error *error);

/* See evaluate.h. */
void legacy_evaluate_row(const struct legacy_rules *rules, int number, const struct source_table *table,
                         const struct row *row, struct arena *arena, struct row_outputs *outputs);
bool legacy_evaluate_request(const struct legacy_rules *rules, const struct legacy_definition *definition,
                             int number, const struct sync_request_values *values,
                             const struct lookup_source *lookups, struct arena *arena,
                             struct request_bucket **buckets, size_t *count, const char **reason);
bool legacy_has_lookups(const struct legacy_definition *definition);

#endif
