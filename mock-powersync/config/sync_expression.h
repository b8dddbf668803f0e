/* SQL expressions of a sync config: the tree, what it depends on, and its value for a row or a request. Trees
 * live in an arena of whoever made them. The kinds from IN on are the parser's; resolving names does away
 * with them, they have no value. Evaluating can fail (JSON that is none, a path that is not supported); the
 * caller then drops the row or the subscription, as the real service does. */
#ifndef MOCK_POWERSYNC_SYNC_EXPRESSION_H
#define MOCK_POWERSYNC_SYNC_EXPRESSION_H

#include <stdbool.h>

#include "base/error.h"
#include "mock-powersync/config/row.h"
#include "mock-powersync/config/sync_text.h"

enum sync_expression_kind {
    EXPRESSION_LITERAL,
    EXPRESSION_COLUMN,  /* text: the name; qualifier: the table's, or NULL; source: once it is resolved */
    EXPRESSION_REQUEST, /* text: "auth", "connection" or "subscription"; value: its parameters as JSON text */
    EXPRESSION_CALL,    /* of an operation */
    EXPRESSION_CASE,    /* operand or NULL, then pairs of WHEN and THEN, then ELSE or NULL */
    EXPRESSION_AND,
    EXPRESSION_OR,
    EXPRESSION_NOT,
    EXPRESSION_IN,       /* a value; a JSON array, a subquery or the name of one */
    EXPRESSION_NOT_IN,   /* the same */
    EXPRESSION_OVERLAP,  /* two JSON arrays or subqueries */
    EXPRESSION_SUBQUERY, /* select */
    EXPRESSION_NAMED     /* only by sync_parser_read_names; text: an operator or function; qualifier: a
                            function's schema, or NULL */
};

/* What an expression reads. */
enum { SIDE_ROW = 1, SIDE_REQUEST = 2 };

struct sync_operation;
struct sync_select;

/* A table or a table-valued function, whose columns expressions read. It is told apart by its address. */
struct sync_source;

struct sync_expression {
    enum sync_expression_kind kind;
    struct sql_value literal;
    const char *text;
    const char *qualifier;
    const struct sync_operation *operation;
    struct sync_expression **arguments; /* of CASE: may hold NULL */
    size_t n_arguments;
    unsigned sides;
    struct sync_source *source;
    const struct sync_select *select;
    const struct sync_text *sql; /* where it is written, and */
    int offset;                  /* its first byte there, from 0 */
};

/* What a request knows, each as JSON text of an object. */
struct sync_request_values {
    const char *auth;
    const char *connection;
    const char *subscription;
};

/* One output row of a table-valued function. */
struct sync_each {
    const struct sync_source *source;
    struct sql_value key, value;
};

struct sync_scope {
    const struct row *row;        /* NULL when the expression reads none */
    const struct sync_each *each; /* of the functions that the expression reads */
    size_t n_each;
    const struct sync_request_values *values; /* NULL when the expression reads none */
    struct arena *arena;                      /* for new values */
};

/* An operator or function: one row of the table in sync_operation.c. False: evaluating failed. */
struct sync_operation {
    const char *name; /* functions in lower case */
    size_t least, most;
    bool (*run)(const struct sql_value *arguments, size_t count, struct arena *arena,
                struct sql_value *value);
};

/* NULL: no such function or operator. Operators, casts and internal operations are found by names that no
 * function can have, such as "->>" and "cast integer". */
const struct sync_operation *sync_operation_find(const char *name);

struct sync_expression *sync_expression_create(struct arena *arena, enum sync_expression_kind kind,
                                               const struct sync_text *sql, int offset, size_t n_arguments);
/* Set a child and take over what it reads. */
void sync_expression_set(struct sync_expression *expression, size_t index, struct sync_expression *argument);

bool sync_expression_evaluate(const struct sync_expression *expression, const struct sync_scope *scope,
                              struct sql_value *value);
/* What json_each gives for a value: position and item of an array, key and value of an object, NULL and the
 * value of anything else. `source` is that of the rows. The caller frees them. False: it is no JSON text. */
bool sync_expression_each(const struct sql_value *list, const struct sync_source *source, struct arena *arena,
                          struct sync_each **rows, size_t *count);

/* A copy whose integers are floating, at every level: what JSON that went through JavaScript looks like. */
json_t *sync_json_with_reals(const json_t *json);

bool sql_value_is_true(const struct sql_value *value);
/* NULL < numbers < text < blob; numbers by what they are worth. */
int sql_value_compare(const struct sql_value *left, const struct sql_value *right);

#endif
