/* Conditions between a row and a request in editions 1 and 2: with which values of its inputs does a row meet
 * them. Inputs are what the request gives: bucket.x, or expressions on its parameters. Values are JSON texts,
 * equal for 1 and 1.0. */
#ifndef MOCK_POWERSYNC_LEGACY_MATCH_H
#define MOCK_POWERSYNC_LEGACY_MATCH_H

#include <stdint.h>

#include "mock-powersync/config/sync_expression.h"

enum { LEGACY_INPUTS_MOST = 60, LEGACY_SETS_MOST = 10000 };

struct legacy_input {
    const struct sync_expression *request;
    const char *key; /* equal for equal ones */
    bool expands;    /* each value of a JSON array */
    bool as_boolean; /* 1 or 0: whether it is true */
};

/* Of one query, in order of first mention. */
struct legacy_inputs {
    struct legacy_input items[LEGACY_INPUTS_MOST];
    size_t count;
};

enum legacy_match_kind {
    MATCH_FILTER,  /* of the row alone */
    MATCH_TRUE,    /* the input is true */
    MATCH_EQUAL,   /* the row's value, unless it is NULL */
    MATCH_MEMBER,  /* the row's value, NULL as well */
    MATCH_EACH,    /* each item of the row's JSON array; NULL: none */
    MATCH_OVERLAP, /* the same, but NULL is an error */
    MATCH_AND,
    MATCH_OR
};

struct legacy_match {
    enum legacy_match_kind kind;
    const struct sync_expression *row;
    size_t input;
    uint64_t inputs; /* which ones it or its parts have, as bits */
    bool unbounded;  /* the row decides how many values there are */
    const struct legacy_match *left, *right;
};

/* A value for each input; NULL: not set. */
struct legacy_set {
    const char *values[LEGACY_INPUTS_MOST];
    unsigned char order[LEGACY_INPUTS_MOST]; /* in which they were set */
    size_t count;
};

struct legacy_sets {
    struct legacy_set *sets;
    size_t count, capacity;
};

/* The sets with which the row meets the condition; the caller frees `sets`. False: evaluating failed. */
bool legacy_match_row(const struct legacy_match *match, const struct sync_scope *scope,
                      struct legacy_sets *sets);
/* JSON text of a value; NULL: a BLOB, which has none. */
const char *legacy_value_text(const struct sql_value *value, struct arena *arena);
/* Of an item of a JSON array as JavaScript reads it: booleans stay such. */
const char *legacy_item_text(const json_t *item, struct arena *arena);
/* What the request gives for an input that does not expand; NULL text: it has none. False: evaluating failed.
 */
bool legacy_input_value(const struct legacy_input *input, const struct sync_scope *scope, const char **text);

#endif
