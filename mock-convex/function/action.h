/* Actions in virtual time. An action is run from its start again whenever an answer that it waits for has
 * come, with all earlier answers from a record: that is how a straight C function can wait (see function.h).
 *
 * An action belongs to its deployment until it ends, whether or not its caller is still there. When the
 * deployment ends first, the action is gone and nobody is told. Its own failures are outcomes, not errors of
 * these calls. */
#ifndef MOCK_CONVEX_ACTION_H
#define MOCK_CONVEX_ACTION_H

#include "mock-convex/function/function_api.h"
#include "mock-convex/state.h"

#define CONVEX_ACTION_CALLS_MAX 1000

struct convex_context;

/* How an action ended. Borrowed for the duration of the call. */
struct convex_action_outcome {
    const struct convex_value *value;  /* NULL: it failed */
    const char *message;               /* why */
    const struct convex_value *thrown; /* the data of that error; NULL: none */
    const char *code; /* it could not run: the backend's code of a 429; NULL: none. `message` is there too */
    struct convex_log *log; /* may be taken from; never NULL */
};

struct convex_action_caller {
    void (*done)(void *context, const struct convex_action_outcome *outcome);
    void (*gone)(void *context); /* instead, when the deployment ends first; may be NULL */
    void *context;
};

/* Begin an action (or an HTTP action) `delay` ns from now; args and user are copied, user may be NULL. `done`
 * comes once, never from inside this call. The result is valid until then. */
struct convex_action *convex_action_start(struct convex_deployment *deployment,
                                          const struct convex_function *function,
                                          const struct convex_value *user, const struct convex_value *args,
                                          int64_t delay, struct convex_action_caller caller);
/* The caller has gone and is not told of the end. */
void convex_action_leave(struct convex_action *action);
/* Run a checked call (taken) that came as an HTTP request. It will answer the exchange. */
void convex_action_call(struct convex_deployment *deployment, uint64_t exchange,
                        const struct convex_call *call);
/* End all of them where they are. */
void convex_action_drop_all(struct convex_deployment *deployment);

/* --- the calls of function.h, for an action that may wait (context->action) --- */

enum status convex_action_run_function(struct convex_context *context, enum convex_function_kind kind,
                                       const char *path, const struct convex_value *args,
                                       struct convex_value **result, struct error *error);
enum status convex_action_schedule(struct convex_context *context, int64_t delay, const char *path,
                                   const struct convex_value *args, char *id, struct error *error);
enum status convex_action_cancel(struct convex_context *context, const char *id, struct error *error);
int64_t convex_action_now(struct convex_context *context); /* ms */
uint64_t convex_action_random(struct convex_context *context);
enum status convex_action_refuse_waiting(struct error *error);

#endif
