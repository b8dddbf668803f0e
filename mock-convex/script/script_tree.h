/* Functions of a backend (backend.h) as trees: what loading makes of the YAML, once, and running walks. All
 * of it lives in the program's arena and is never changed after loading. docs/backends.md is the reference.
 */
#ifndef MOCK_CONVEX_SCRIPT_TREE_H
#define MOCK_CONVEX_SCRIPT_TREE_H

#include "base/memory.h"
#include "mock-convex/function.h"

struct script_program {
    struct arena arena;
    struct convex_value **literals; /* owned */
    size_t n_literals, literals_capacity;
};

struct script_place {
    int line, column;
};

enum script_expression_kind {
    SCRIPT_LITERAL,
    SCRIPT_VARIABLE,  /* `slot` */
    SCRIPT_MEMBER,    /* a.name */
    SCRIPT_ITEM,      /* a[b] */
    SCRIPT_OPERATION, /* `operation` of a, or of a and b */
    SCRIPT_AND,       /* a && b: what decides is the value, as in JavaScript */
    SCRIPT_OR,
    SCRIPT_OTHERWISE, /* a ?? b */
    SCRIPT_CONDITION, /* a ? b : c */
    SCRIPT_NOW,
    SCRIPT_RANDOM,
    SCRIPT_ARRAY, /* parts */
    SCRIPT_OBJECT /* parts with names; a part without name is an object whose fields are taken over */
};

enum script_operation {
    SCRIPT_NOT,
    SCRIPT_NEGATE,
    SCRIPT_ADD,
    SCRIPT_SUBTRACT,
    SCRIPT_MULTIPLY,
    SCRIPT_DIVIDE,
    SCRIPT_LESS,
    SCRIPT_LESS_EQUAL,
    SCRIPT_GREATER,
    SCRIPT_GREATER_EQUAL,
    SCRIPT_EQUAL, /* null equals undefined */
    SCRIPT_NOT_EQUAL,
    SCRIPT_SAME,
    SCRIPT_NOT_SAME,
    SCRIPT_FLOOR,
    SCRIPT_LOWER,
    SCRIPT_TO_NUMBER,
    SCRIPT_TO_INTEGER,
    SCRIPT_PARSE_JSON,
    SCRIPT_TO_JSON
};

struct script_part {
    const char *name;
    const struct script_expression *value;
};

struct script_expression {
    enum script_expression_kind kind;
    enum script_operation operation;
    bool optional; /* a?.name, a?.[b] */
    size_t slot;
    const char *name;
    const struct convex_value *literal;
    const struct script_expression *a, *b, *c;
    const struct script_part *parts;
    size_t n_parts;
};

enum script_verb {
    SCRIPT_LET, /* also `set` */
    SCRIPT_APPEND,
    SCRIPT_GET,
    SCRIPT_FIRST,
    SCRIPT_UNIQUE,
    SCRIPT_TAKE,
    SCRIPT_COLLECT,
    SCRIPT_INSERT,
    SCRIPT_PATCH,
    SCRIPT_REPLACE,
    SCRIPT_DELETE,
    SCRIPT_IF,
    SCRIPT_EACH,
    SCRIPT_RETURN,
    SCRIPT_THROW,
    SCRIPT_FAIL,
    SCRIPT_CALL,
    SCRIPT_SCHEDULE,
    SCRIPT_CANCEL,
    SCRIPT_SLEEP,
    SCRIPT_FETCH,
    SCRIPT_LOG
};

struct script_statement;
struct script_block {
    const struct script_statement *statements;
    size_t count;
};

struct script_assignment {
    size_t slot;
    const struct script_expression *value;
};

/* Which documents a query reads. */
struct script_range {
    const char *index;
    const struct script_expression *keys[4]; /* equal to the index's first fields */
    size_t n_keys;
    const struct script_expression *lower, *upper; /* NULL: no bound */
    bool above_lower, below_upper;
    bool descending;
    const struct script_expression *where; /* NULL: all */
};

#define SCRIPT_NO_SLOT SIZE_MAX

/* Which of the members are there depends on the verb. */
struct script_statement {
    enum script_verb verb;
    struct script_place place;
    const char *name;                   /* table, function path, log level */
    enum convex_function_kind callee;   /* of SCRIPT_CALL */
    size_t slot;                        /* for the result, or the variable meant; SCRIPT_NO_SLOT: none */
    const struct script_expression *id; /* of the document or job */
    const struct script_expression
        *value; /* the verb's main value: condition, list, document, arguments, url */
    const struct script_expression *extra; /* count of `take`, delay of `schedule`, request of `fetch` */
    const struct script_range *range;
    const struct script_assignment *assignments;
    size_t n_assignments;
    struct script_block body;      /* `then`, `do` */
    struct script_block otherwise; /* `else`, `catch` */
    bool catches;
};

/* Slots that every function has; the variables follow. */
enum { SCRIPT_SLOT_ARGS, SCRIPT_SLOT_USER, SCRIPT_SLOT_DOC, SCRIPT_SLOT_ERROR, SCRIPT_SLOTS_FIXED };

#define SCRIPT_SLOTS_MAX 200                /* variables of one function */
#define SCRIPT_STATEMENTS_MAX 100000        /* executed in one call, tests of `where` included */
#define SCRIPT_MADE_MAX ((size_t)256 << 20) /* bytes of values made in one call, also those freed again */

struct script_function {
    const char *path;
    const char *file; /* for messages: without folders, so that runs elsewhere say the same */
    size_t n_slots;
    struct script_block body;
};

#endif
