#include "mock-convex/function/run_now.h"

#include <assert.h>
#include <stdlib.h>

#include "mock-convex/function/action.h"
#include "mock-convex/function/context.h"
#include "mock-convex/function/reads_note.h"
#include "mock-convex/store/component.h"

enum status convex_run_now(struct convex_deployment *deployment, const struct convex_function *function,
                           const struct convex_value *user, const struct convex_value *args,
                           struct convex_value **result, struct convex_value **thrown, struct convex_log *log,
                           struct error *error) {
    struct convex_context context;
    *thrown = NULL;
    convex_context_begin(&context, deployment, function, user);
    enum status status = convex_context_call(&context, function, args, result, error);
    if (status == STATUS_OK && function->kind == CONVEX_MUTATION) {
        int64_t ts;
        status = convex_commit_noted(deployment, &context.transaction, function->path, &ts, error);
        assert(status == STATUS_OK); /* nothing can have come in between */
    }
    if (status != STATUS_OK) {
        *thrown = context.thrown;
        context.thrown = NULL;
    }
    if (log != NULL) {
        convex_log_take(log, &context.log);
    }
    convex_context_end(&context);
    return status;
}

/* --- functions that call functions --- */

enum status convex_find_callee(const struct convex_deployment *deployment, enum convex_function_kind kind,
                               const char *path, const struct convex_function **function,
                               struct error *error) {
    static const char *const names[] = {[CONVEX_QUERY] = "a query",
                                        [CONVEX_MUTATION] = "a mutation",
                                        [CONVEX_ACTION] = "an action",
                                        [CONVEX_HTTP_ACTION] = "an HTTP action"};
    *function = map_get(&deployment->functions, path);
    if (*function == NULL) {
        return error_set(error, STATUS_NOT_FOUND, "Could not find the function '%.300s'.", path);
    }
    if ((*function)->kind != kind) {
        return error_set(error, STATUS_INVALID, "'%.300s' is not %s.", path, names[kind]);
    }
    return STATUS_OK;
}

static enum status run_callee_named(struct convex_context *context, enum convex_function_kind kind,
                                    const char *path, const struct convex_value *args,
                                    struct convex_value **result, struct error *error) {
    const struct convex_function *function;
    assert(args != NULL && args->kind == CONVEX_OBJECT);
    *result = NULL;
    convex_catch(context);
    if (context->action != NULL) {
        return convex_action_run_function(context, kind, path, args, result, error);
    }
    enum status status = convex_find_callee(context->deployment, kind, path, &function, error);
    if (status != STATUS_OK) {
        return status;
    }
    if (context->is_action) {
        return convex_run_now(context->deployment, function, context->user, args, result, &context->thrown,
                              NULL, error);
    }
    if (kind == CONVEX_ACTION) {
        return error_set(error, STATUS_INVALID, "only an action can call an action");
    }
    if (kind == CONVEX_MUTATION && context->read_only) {
        return error_set(error, STATUS_INVALID, "a query can call queries only");
    }
    return convex_context_nest(context, function, args, result, error);
}

static enum status run_callee(struct convex_context *context, enum convex_function_kind kind,
                              const char *path, const struct convex_value *args, struct convex_value **result,
                              struct error *error) {
    char *name = convex_component_name(context->function->component, path);
    enum status status = run_callee_named(context, kind, name, args, result, error);
    free(name);
    return status;
}

enum status convex_run_query(struct convex_context *context, const char *path,
                             const struct convex_value *args, struct convex_value **result,
                             struct error *error) {
    return run_callee(context, CONVEX_QUERY, path, args, result, error);
}

enum status convex_run_mutation(struct convex_context *context, const char *path,
                                const struct convex_value *args, struct convex_value **result,
                                struct error *error) {
    return run_callee(context, CONVEX_MUTATION, path, args, result, error);
}

enum status convex_run_action(struct convex_context *context, const char *path,
                              const struct convex_value *args, struct convex_value **result,
                              struct error *error) {
    if (context->is_action && context->action == NULL) {
        *result = NULL;
        return convex_action_refuse_waiting(error);
    }
    return run_callee(context, CONVEX_ACTION, path, args, result, error);
}
