#include "mock-convex/function/context.h"

#include <assert.h>
#include <string.h>

#include "mock-convex/function/action.h"
#include "mock-convex/state.h"
#include "mock-convex/value/value_check.h"

void convex_context_begin(struct convex_context *context, struct convex_deployment *deployment,
                          const struct convex_function *function, const struct convex_value *user) {
    struct host *host = deployment->host;
    memset(context, 0, sizeof *context);
    context->host = host;
    context->deployment = deployment;
    context->user = user;
    context->read_only = function->kind == CONVEX_QUERY;
    context->is_action = function->kind == CONVEX_ACTION || function->kind == CONVEX_HTTP_ACTION;
    context->function = function;
    convex_transaction_begin(&context->transaction, &deployment->store, host, host_wall_clock(host));
    context->transaction.component = function->component;
}

void convex_context_end(struct convex_context *context) {
    convex_transaction_end(&context->transaction);
    convex_log_free(&context->log);
    convex_catch(context);
}

/* `validator` NULL: any value. The message begins with `name`. */
static enum status validate(const struct convex_context *context, const struct convex_validator *validator,
                            const struct convex_value *value, const char *name, struct error *error) {
    const struct convex_validator_tables tables = convex_transaction_tables(&context->transaction);
    struct error why = {0};
    if (validator == NULL || convex_validate(validator, value, &tables, &why) == STATUS_OK) {
        return STATUS_OK;
    }
    return error_set(error, STATUS_INVALID, "%s: %.900s", name, why.message);
}

enum status convex_context_call(struct convex_context *context, const struct convex_function *function,
                                const struct convex_value *args, struct convex_value **result,
                                struct error *error) {
    assert(function->run != NULL && args != NULL && context->thrown == NULL);
    struct convex_value *value = NULL;
    struct error failure = {.status = STATUS_INTERNAL, .message = "the function gave no reason"};
    enum status status = validate(context, function->args, args, "ArgumentValidationError", &failure);
    if (status == STATUS_OK) {
        status = function->run(context, args, &value, &failure);
    }
    if (status == STATUS_OK && context->limit != STATUS_OK) {
        status = context->limit;
        failure = context->limit_error;
    }
    if (status == STATUS_OK && value != NULL) {
        status = convex_value_check(value, CONVEX_NESTING_MAX, &failure);
    }
    if (status == STATUS_OK && value != NULL && convex_size(value) > CONVEX_RESULT_SIZE_MAX) {
        status = error_set(&failure, STATUS_LIMIT, "the result has more than 16 MiB");
    }
    value = status == STATUS_OK && value == NULL ? convex_null() : value;
    if (status == STATUS_OK) {
        status = validate(context, function->returns, value, "ReturnsValidationError", &failure);
    }
    if (status == STATUS_OK) {
        *result = value;
        return STATUS_OK;
    }
    convex_free(value);
    return error_set(error, status, "%s", failure.message);
}

enum status convex_context_run(struct convex_context *context, struct convex_deployment *deployment,
                               const struct convex_function *function, const struct convex_value *user,
                               const struct convex_value *args, struct convex_value **result,
                               struct error *error) {
    convex_context_begin(context, deployment, function, user);
    return convex_context_call(context, function, args, result, error);
}

enum status convex_context_nest(struct convex_context *context, const struct convex_function *function,
                                const struct convex_value *args, struct convex_value **result,
                                struct error *error) {
    const struct convex_function *caller = context->function;
    bool read_only = context->read_only;
    struct error failure = {0};
    if (context->depth >= CONVEX_CALL_DEPTH_MAX) {
        return error_set(error, STATUS_LIMIT, "functions call each other more than %d deep",
                         CONVEX_CALL_DEPTH_MAX);
    }
    context->depth++;
    context->function = function;
    context->read_only = read_only || function->kind == CONVEX_QUERY;
    context->transaction.component = function->component;
    enum status status = convex_context_call(context, function, args, result, &failure);
    context->depth--;
    context->function = caller;
    context->transaction.component = caller->component;
    context->read_only = read_only;
    if (status == STATUS_OK) {
        return STATUS_OK;
    }
    if (function->kind == CONVEX_MUTATION && context->limit == STATUS_OK) { /* its writes are there */
        context->limit = status;
        context->limit_error = failure;
    }
    return error_set(error, status, "%s", failure.message);
}

enum status convex_throw(struct convex_context *context, struct convex_value *data, struct error *error) {
    struct buffer text = {0};
    assert(data != NULL);
    convex_catch(context);
    enum status status = convex_value_check(data, CONVEX_NESTING_MAX, error);
    if (status != STATUS_OK) { /* what no reply could hold */
        convex_free(data);
        return status;
    }
    context->thrown = data;
    convex_append_json(&text, data, CONVEX_FORMAT_JSON);
    status = error_set(error, STATUS_INVALID, "%.300s", buffer_text(&text));
    buffer_free(&text);
    return status;
}

void convex_catch(struct convex_context *context) {
    convex_free(context->thrown);
    context->thrown = NULL;
}

/* Remember that a limit was hit, and hand the status on. */
static enum status remember(struct convex_context *context, enum status status, struct error *error,
                            const struct error *failure) {
    if (status == STATUS_LIMIT && context->limit == STATUS_OK) {
        context->limit = status;
        context->limit_error = *failure;
    }
    return status == STATUS_OK ? STATUS_OK : error_set(error, status, "%s", failure->message);
}

/* `*table` NULL on STATUS_OK: it does not exist, and where no schema is declared that is no error. */
static enum status find_table(struct convex_context *context, const char *name,
                              struct convex_store_table **table, struct error *error) {
    assert(context->transaction.store != NULL);
    *table = NULL;
    if (context->is_action) {
        return error_set(error, STATUS_INVALID, "an action has no database: it calls queries and mutations");
    }
    *table = convex_transaction_table(&context->transaction, name);
    if (*table == NULL && !context->transaction.store->schemaless) {
        return error_set(error, STATUS_NOT_FOUND, "there is no table \"%.64s\"", name);
    }
    return STATUS_OK;
}

static enum status refuse_system(const struct convex_store_table *table, struct error *error) {
    return table->system
               ? error_set(error, STATUS_INVALID, "the table \"%.64s\" belongs to the system", table->name)
               : STATUS_OK;
}

/* A table to insert into: where no schema is declared it is made. */
static enum status find_or_make(struct convex_context *context, const char *name,
                                struct convex_store_table **table, struct error *error) {
    if (context->read_only) {
        return error_set(error, STATUS_INVALID, "a query cannot write");
    }
    enum status status = find_table(context, name, table, error);
    if (status == STATUS_OK && *table == NULL) {
        return convex_transaction_make_table(&context->transaction, name, table, error);
    }
    return status == STATUS_OK ? refuse_system(*table, error) : status;
}

static enum status find_writable(struct convex_context *context, const char *name,
                                 struct convex_store_table **table, struct error *error) {
    if (context->read_only) {
        return error_set(error, STATUS_INVALID, "a query cannot write");
    }
    enum status status = find_table(context, name, table, error);
    if (status == STATUS_OK && *table == NULL) {
        return error_set(error, STATUS_NOT_FOUND, "there is no table \"%.64s\"", name);
    }
    return status == STATUS_OK ? refuse_system(*table, error) : status;
}

const struct convex_value *convex_get(struct convex_context *context, const char *name, const char *id) {
    const struct convex_value *document = NULL;
    struct convex_store_table *table = NULL;
    struct error failure = {0};
    if (find_table(context, name, &table, NULL) == STATUS_OK && table != NULL) {
        enum status status = convex_transaction_get(&context->transaction, table, id, &document, &failure);
        remember(context, status, NULL, &failure);
    }
    return document;
}

enum status convex_find_range(struct convex_context *context, const char *name,
                              const struct convex_range *range, const struct convex_value ***documents,
                              size_t *count, struct error *error) {
    struct convex_store_table *table = NULL;
    struct error failure = {0};
    *documents = NULL;
    *count = 0;
    enum status status = find_table(context, name, &table, error);
    if (status != STATUS_OK || table == NULL) {
        return status;
    }
    struct convex_store_index *index = convex_store_index(table, range->index);
    if (index == NULL) {
        return error_set(error, STATUS_NOT_FOUND, "the table \"%s\" has no index \"%.64s\"", name,
                         range->index);
    }
    status = convex_transaction_find_range(&context->transaction, index, range, documents, count, &failure);
    return remember(context, status, error, &failure);
}

enum status convex_find(struct convex_context *context, const char *name, const char *index,
                        const struct convex_value *const *keys, size_t n_keys, size_t limit,
                        const struct convex_value ***documents, size_t *count, struct error *error) {
    const struct convex_range range = {.index = index, .keys = keys, .n_keys = n_keys, .limit = limit};
    return convex_find_range(context, name, &range, documents, count, error);
}

enum status convex_insert(struct convex_context *context, const char *name, struct convex_value *document,
                          char *id, struct error *error) {
    struct convex_store_table *table = NULL;
    struct error failure = {0};
    enum status status = find_or_make(context, name, &table, error);
    if (status != STATUS_OK) {
        convex_free(document);
        return status;
    }
    status = convex_transaction_insert(&context->transaction, table, document, id, &failure);
    return remember(context, status, error, &failure);
}

enum status convex_patch(struct convex_context *context, const char *name, const char *id,
                         const struct convex_value *patch, struct error *error) {
    struct convex_store_table *table = NULL;
    struct error failure = {0};
    enum status status = find_writable(context, name, &table, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = convex_transaction_patch(&context->transaction, table, id, patch, &failure);
    return remember(context, status, error, &failure);
}

enum status convex_replace(struct convex_context *context, const char *name, const char *id,
                           struct convex_value *document, struct error *error) {
    struct convex_store_table *table = NULL;
    struct error failure = {0};
    enum status status = find_writable(context, name, &table, error);
    if (status != STATUS_OK) {
        convex_free(document);
        return status;
    }
    status = convex_transaction_replace(&context->transaction, table, id, document, &failure);
    return remember(context, status, error, &failure);
}

enum status convex_delete(struct convex_context *context, const char *name, const char *id,
                          struct error *error) {
    struct convex_store_table *table = NULL;
    struct error failure = {0};
    enum status status = find_writable(context, name, &table, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = convex_transaction_delete(&context->transaction, table, id, &failure);
    return remember(context, status, error, &failure);
}

void convex_log(struct convex_context *context, const char *level, const char *text) {
    convex_log_add(&context->log, level, text);
}

bool convex_mutant(const struct convex_context *context, const char *name) {
    return host_mutant(context->host, name);
}

int64_t convex_knob(const struct convex_context *context, const char *name, int64_t usual, int64_t low,
                    int64_t high) {
    return host_knob(context->host, name, usual, low, high);
}

const void *convex_data(const struct convex_context *context) {
    return context->function->data;
}

const struct convex_value *convex_user(const struct convex_context *context) {
    return context->user;
}

int64_t convex_now_ms(struct convex_context *context) {
    context->impure = true;
    if (context->action != NULL) {
        return convex_action_now(context);
    }
    return context->transaction.wall_clock / TIME_MILLISECOND;
}

uint64_t convex_random(struct convex_context *context) {
    context->impure = true;
    if (context->action != NULL) {
        return convex_action_random(context);
    }
    return context->evaluates ? 0 : host_random(context->host, "convex.math-random");
}
