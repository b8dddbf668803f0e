/* Run a function of any kind at once, without virtual time: for actions, for what actions call, and for
 * callers outside HTTP. */
#ifndef MOCK_CONVEX_RUN_NOW_H
#define MOCK_CONVEX_RUN_NOW_H

#include "mock-convex/state.h"

/* A mutation commits and is noted; nothing can come in between, so it never conflicts. `user` may be NULL. On
 * STATUS_OK `*result` is a value of the caller (never NULL); else `*thrown` is one, or NULL when the error
 * has no data. */
enum status convex_run_now(struct convex_deployment *deployment, const struct convex_function *function,
                           const struct convex_value *user, const struct convex_value *args,
                           struct convex_value **result, struct convex_value **thrown, struct error *error);

#endif
