/* Values of expressions. A frame is one call of a script: its variables and what it has used up. */
#ifndef MOCK_CONVEX_SCRIPT_EVALUATE_H
#define MOCK_CONVEX_SCRIPT_EVALUATE_H

#include "mock-convex/script/script_tree.h"

/* A value that is borrowed, or also owned. Never NULL once set; may be undefined. */
struct script_value {
    const struct convex_value *value;
    struct convex_value *owned; /* NULL: somebody else's */
};

struct script_frame {
    struct convex_context *context;
    const struct script_function *function;
    struct script_value *slots; /* `value` NULL: not set yet */
    size_t executed;            /* statements and tests */
    size_t made;                /* bytes of values */
};

void script_value_free(struct script_value *value);
/* The value as one that the caller owns; `value` is empty afterwards. */
struct convex_value *script_value_take(struct script_value *value);
/* Not undefined, null, false, 0, NaN, 0n or "". */
bool script_is_true(const struct convex_value *value);

/* STATUS_INVALID: as JavaScript's TypeError and so on; STATUS_LIMIT: the call has made too much. On success
 * the caller frees `*out`; what it borrows lives until a variable changes or the context writes. */
enum status script_evaluate(struct script_frame *frame, const struct script_expression *expression,
                            struct script_value *out, struct error *error);
/* STATUS_INVALID: more than so many levels of arrays and objects. */
enum status script_check_depth(const struct convex_value *value, int levels, struct error *error);
/* Count the bytes of a value that was made or copied. */
enum status script_charge(struct script_frame *frame, const struct convex_value *value, struct error *error);

#endif
