/* Operators and functions of expressions on values, as JavaScript has them, without its conversions. */
#ifndef MOCK_CONVEX_SCRIPT_OPERATE_H
#define MOCK_CONVEX_SCRIPT_OPERATE_H

#include "mock-convex/script/script_tree.h"

/* `b` is NULL for an operation of one value. On success `*result` is the caller's. */
enum status script_operate(enum script_operation operation, const struct convex_value *a,
                           const struct convex_value *b, struct convex_value **result, struct error *error);
/* a === b: arrays and objects by their contents. */
bool script_same(const struct convex_value *a, const struct convex_value *b);
/* What the value is, in JavaScript's words: "number", "bigint", "null", .. */
const char *script_kind_name(const struct convex_value *value);
/* A Float64 as JavaScript's String(). */
void script_append_number(struct buffer *out, double number);

#endif
