#include "mock-convex/run_now.h"

#include <assert.h>

#include "mock-convex/context.h"

enum status convex_run_now(struct convex_deployment *deployment, const struct convex_function *function,
                           const struct convex_value *user, const struct convex_value *args,
                           struct convex_value **result, struct convex_value **thrown, struct error *error) {
    struct convex_context context;
    size_t log_before = deployment->store.log_count;
    *thrown = NULL;
    convex_context_begin(&context, &deployment->store, deployment->host, function);
    context.user = user;
    context.deployment = function->kind == CONVEX_ACTION ? deployment : NULL;
    enum status status = convex_context_call(&context, function, args, result, error);
    if (status == STATUS_OK && function->kind == CONVEX_MUTATION) {
        int64_t ts;
        status =
            convex_transaction_commit(&context.transaction, host_wall_clock(deployment->host), &ts, error);
        assert(status == STATUS_OK); /* nothing can have come in between */
        convex_note_commit(deployment, log_before, function->path);
    }
    if (status != STATUS_OK) {
        *thrown = context.thrown;
        context.thrown = NULL;
    }
    convex_context_end(&context);
    return status;
}

static enum status run_for_action(struct convex_context *context, enum convex_function_kind kind,
                                  const char *path, const struct convex_value *args,
                                  struct convex_value **result, struct error *error) {
    assert(kind != CONVEX_ACTION && args != NULL && args->kind == CONVEX_OBJECT);
    *result = NULL;
    convex_catch(context);
    if (context->deployment == NULL) {
        return error_set(error, STATUS_INVALID, "only an action can call other functions");
    }
    const struct convex_function *function = map_get(&context->deployment->functions, path);
    if (function == NULL) {
        return error_set(error, STATUS_NOT_FOUND, "Could not find the function '%.300s'.", path);
    }
    if (function->kind != kind) {
        return error_set(error, STATUS_INVALID, "'%.300s' is not a %s.", path,
                         kind == CONVEX_QUERY ? "query" : "mutation");
    }
    return convex_run_now(context->deployment, function, context->user, args, result, &context->thrown,
                          error);
}

enum status convex_run_query(struct convex_context *context, const char *path,
                             const struct convex_value *args, struct convex_value **result,
                             struct error *error) {
    return run_for_action(context, CONVEX_QUERY, path, args, result, error);
}

enum status convex_run_mutation(struct convex_context *context, const char *path,
                                const struct convex_value *args, struct convex_value **result,
                                struct error *error) {
    return run_for_action(context, CONVEX_MUTATION, path, args, result, error);
}
