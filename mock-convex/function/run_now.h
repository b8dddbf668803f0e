/* Run a function at once, without virtual time: queries, what actions do in one step, and callers outside
 * HTTP. */
#ifndef MOCK_CONVEX_RUN_NOW_H
#define MOCK_CONVEX_RUN_NOW_H

#include "mock-convex/function/log.h"
#include "mock-convex/state.h"

/* A mutation commits and is noted; nothing can come in between, so it never conflicts. An action must not
 * need to wait: STATUS_INVALID. `user` may be NULL. On STATUS_OK `*result` is a value of the caller (never
 * NULL); else `*thrown` is one, or NULL when the error has no data. `log` (may be NULL) is an empty one that
 * gets the lines. */
enum status convex_run_now(struct convex_deployment *deployment, const struct convex_function *function,
                           const struct convex_value *user, const struct convex_value *args,
                           struct convex_value **result, struct convex_value **thrown, struct convex_log *log,
                           struct error *error);

/* The function that a function calls. STATUS_NOT_FOUND: there is none; STATUS_INVALID: it has another kind.
 */
enum status convex_find_callee(const struct convex_deployment *deployment, enum convex_function_kind kind,
                               const char *path, const struct convex_function **function,
                               struct error *error);

#endif
