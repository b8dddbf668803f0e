/* Running a script: the `run` of the functions of a backend. What they do, they do through function.h. */
#ifndef MOCK_CONVEX_SCRIPT_RUN_H
#define MOCK_CONVEX_SCRIPT_RUN_H

#include "mock-convex/script/script_tree.h"

/* A struct convex_function's `run` whose `data` is a struct script_function. An error's message is followed
 * by a line that says where it came from. */
enum status script_run(struct convex_context *context, const struct convex_value *args,
                       struct convex_value **result, struct error *error);

#endif
