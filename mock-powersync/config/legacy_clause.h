/* Expressions and conditions of editions 1 and 2: SQL whose names are not resolved in, clauses out. A clause
 * is a value of the row, a value of the request, a constant, or a match between the two. Everything lives in
 * the arena of the tools. */
#ifndef MOCK_POWERSYNC_LEGACY_CLAUSE_H
#define MOCK_POWERSYNC_LEGACY_CLAUSE_H

#include "mock-powersync/config/legacy_match.h"
#include "mock-powersync/config/sync_parser.h"

/* Where a query stands, which decides what it may read. */
enum legacy_place {
    LEGACY_DATA,       /* its table, and bucket.x in matches */
    LEGACY_PARAMETERS, /* token_parameters, user_parameters, request.*, perhaps a table or a function's rows
                        */
    LEGACY_STREAM,     /* auth.*, connection.*, subscription.*, and its table */
    LEGACY_SUBQUERY    /* the same without arrays of the request */
};

struct legacy_tools {
    enum legacy_place place;
    bool fixed_json;
    const char *table;    /* what columns without a table are of; NULL: none */
    const char *function; /* FROM json_each(): what its columns are of; NULL: none */
    const struct sync_text *text;
    struct legacy_inputs *inputs;
    struct arena *arena;
    struct error *error;
    bool *hard; /* set by refusals that the real service never swallows; or NULL */
};

struct legacy_clause {
    bool of_row, of_request; /* a constant is both */
    bool is_constant;
    struct sync_expression *expression; /* NULL: a match */
    struct legacy_match *match;
};

/* NULL, with STATUS_INVALID's error in the tools: refused. `expression` NULL: true. */
struct legacy_clause *legacy_clause_make(const struct legacy_tools *tools,
                                         const struct sync_expression *expression);
/* left IN right and left && right, where one side may be of the row and the other of the request. */
struct legacy_clause *legacy_clause_membership(const struct legacy_tools *tools, bool overlap,
                                               struct legacy_clause *left, struct legacy_clause *right,
                                               int offset);
/* row = request. */
struct legacy_clause *legacy_clause_equal(const struct legacy_tools *tools, struct legacy_clause *row,
                                          struct legacy_clause *request, int offset);
/* AND, OR of two clauses of one side; NULL without an error: they are not. */
struct legacy_clause *legacy_clause_combine(const struct legacy_tools *tools, bool is_and,
                                            struct legacy_clause *left, struct legacy_clause *right);
struct legacy_clause *legacy_clause_not(const struct legacy_tools *tools, struct legacy_clause *operand,
                                        int offset);
/* What a WHERE clause is: a row meets it with some values of the inputs. */
struct legacy_match *legacy_clause_match(const struct legacy_tools *tools, struct legacy_clause *clause,
                                         int offset);
/* Of several uses of one input in a finished match, the last says whether it counts as a boolean. */
void legacy_clause_settle(const struct legacy_tools *tools, const struct legacy_match *match);
/* A value of the row or a constant; NULL: refused. */
struct sync_expression *legacy_clause_row_value(const struct legacy_tools *tools,
                                                const struct sync_expression *expression);
/* A value of the request or a constant. */
struct sync_expression *legacy_clause_request_value(const struct legacy_tools *tools,
                                                    const struct sync_expression *expression);
/* A column of the tools' table, and nothing else. */
bool legacy_clause_is_column(const struct legacy_tools *tools, const struct sync_expression *expression);

#endif
