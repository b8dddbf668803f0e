#include "mock-convex/script/script_run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mock-convex/function/context.h"
#include "mock-convex/script/script_internal.h"
#include "mock-convex/script/script_operate.h"
#include "mock-convex/value/value_check.h"

static enum status run_block(struct script_run *run, const struct script_block *block, struct error *error);

/* --- values for statements --- */

void script_drop_undefined(struct convex_value *object) {
    for (size_t i = object->kind == CONVEX_OBJECT ? object->as.object.count : 0; i > 0; i--) {
        const struct convex_field *field = &object->as.object.fields[i - 1];
        if (field->value->kind == CONVEX_UNDEFINED) {
            convex_object_remove(object, field->name);
        }
    }
}

static enum status clean_below(struct convex_value *value, struct error *error) {
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && value->kind == CONVEX_ARRAY && i < value->as.array.count; i++) {
        status = script_clean(value->as.array.items[i], error);
    }
    for (size_t i = 0; status == STATUS_OK && value->kind == CONVEX_OBJECT && i < value->as.object.count;
         i++) {
        struct convex_value *field = value->as.object.fields[i].value;
        status = field->kind != CONVEX_UNDEFINED ? script_clean(field, error) : STATUS_OK;
    }
    return status;
}

enum status script_clean(struct convex_value *value, struct error *error) {
    if (value->kind == CONVEX_UNDEFINED) {
        return error_set(error, STATUS_INVALID, "TypeError: undefined is not a Convex value");
    }
    script_drop_undefined(value);
    return clean_below(value, error);
}

static enum status finish(enum status status, struct convex_value **value) {
    if (status != STATUS_OK) {
        convex_free(*value);
        *value = NULL;
    }
    return status;
}

static enum status evaluate_own(struct script_run *run, const struct script_expression *expression,
                                struct convex_value **out, struct error *error) {
    struct script_value value = {0};
    enum status status = script_evaluate(&run->frame, expression, &value, error);
    if (status == STATUS_OK && value.owned == NULL) {
        status = script_charge(&run->frame, value.value, error);
    }
    *out = status == STATUS_OK ? script_value_take(&value) : NULL;
    return status;
}

enum status script_evaluate_value(struct script_run *run, const struct script_expression *expression,
                                  struct convex_value **out, struct error *error) {
    enum status status = evaluate_own(run, expression, out, error);
    if (status == STATUS_OK && (*out)->kind == CONVEX_UNDEFINED) {
        convex_free(*out);
        *out = convex_null();
    }
    return status == STATUS_OK ? finish(script_clean(*out, error), out) : status;
}

static enum status require(enum convex_kind kind, const char *kind_name, const char *what,
                           struct convex_value **value, struct error *error) {
    if ((*value)->kind == kind) {
        return STATUS_OK;
    }
    error_set(error, STATUS_INVALID, "TypeError: %s must be %s, not %s", what, kind_name,
              script_kind_name(*value));
    convex_free(*value);
    *value = NULL;
    return STATUS_INVALID;
}

enum status script_evaluate_object(struct script_run *run, const struct script_expression *expression,
                                   const char *what, struct convex_value **out, struct error *error) {
    enum status status = evaluate_own(run, expression, out, error);
    if (status == STATUS_OK) {
        status = require(CONVEX_OBJECT, "an object", what, out, error);
    }
    return status == STATUS_OK ? finish(clean_below(*out, error), out) : status;
}

enum status script_evaluate_text(struct script_run *run, const struct script_expression *expression,
                                 const char *what, struct convex_value **out, struct error *error) {
    enum status status = evaluate_own(run, expression, out, error);
    return status == STATUS_OK ? require(CONVEX_STRING, "a text", what, out, error) : status;
}

enum status script_evaluate_delay(struct script_run *run, const struct script_expression *expression,
                                  int64_t *delay, struct error *error) {
    static const double five_years = 5 * 365 * 86400e3;
    struct script_value value = {0};
    *delay = 0;
    if (expression == NULL) {
        return STATUS_OK;
    }
    enum status status = script_evaluate(&run->frame, expression, &value, error);
    if (status == STATUS_OK) {
        double ms = value.value->kind == CONVEX_FLOAT64 ? value.value->as.number : -1;
        if (ms >= 0 && ms <= five_years) {
            *delay = (int64_t)(ms * 1e6);
        } else {
            status = error_set(error, STATUS_INVALID,
                               "RangeError: a delay is a number of milliseconds, 0 to 5 years");
        }
    }
    script_value_free(&value);
    return status;
}

void script_assign(struct script_run *run, size_t slot, struct convex_value *value) {
    if (slot == SCRIPT_NO_SLOT) {
        convex_free(value);
        return;
    }
    script_value_free(&run->frame.slots[slot]);
    run->frame.slots[slot] = (struct script_value){.value = value, .owned = value};
}

enum status script_step(struct script_run *run, struct error *error) {
    if (++run->frame.executed > SCRIPT_STATEMENTS_MAX) {
        return error_set(error, STATUS_LIMIT, "the function timed out: more than %d statements",
                         SCRIPT_STATEMENTS_MAX);
    }
    return STATUS_OK;
}

/* --- statements --- */

static enum status run_let(struct script_run *run, const struct script_statement *statement,
                           struct error *error) {
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < statement->n_assignments; i++) {
        struct convex_value *value = NULL;
        status = evaluate_own(run, statement->assignments[i].value, &value, error);
        if (status == STATUS_OK) {
            script_assign(run, statement->assignments[i].slot, value);
        }
    }
    return status;
}

static enum status run_append(struct script_run *run, const struct script_statement *statement,
                              struct error *error) {
    struct script_value *list = &run->frame.slots[statement->slot];
    struct convex_value *item = NULL;
    enum status status = evaluate_own(run, statement->value, &item, error);
    if (status != STATUS_OK) {
        return status;
    }
    if (list->owned == NULL || list->owned->kind != CONVEX_ARRAY) {
        convex_free(item);
        return error_set(error, STATUS_INVALID, "TypeError: append to something that is no array");
    }
    convex_array_append(list->owned, item);
    return script_check_depth(item, CONVEX_NESTING_MAX - 1, error);
}

static enum status run_if(struct script_run *run, const struct script_statement *statement,
                          struct error *error) {
    struct script_value condition = {0};
    enum status status = script_evaluate(&run->frame, statement->value, &condition, error);
    if (status != STATUS_OK) {
        return status;
    }
    bool holds = script_is_true(condition.value);
    script_value_free(&condition);
    return run_block(run, holds ? &statement->body : &statement->otherwise, error);
}

static enum status run_each(struct script_run *run, const struct script_statement *statement,
                            struct error *error) {
    struct convex_value *list = NULL; /* our own, as the body may change the variable it came from */
    enum status status = evaluate_own(run, statement->value, &list, error);
    if (status == STATUS_OK && list->kind != CONVEX_ARRAY) {
        status = error_set(error, STATUS_INVALID, "TypeError: %s is not iterable", script_kind_name(list));
    }
    for (size_t i = 0; status == STATUS_OK && !run->returned && i < list->as.array.count; i++) {
        script_assign(run, statement->slot, convex_copy(list->as.array.items[i]));
        status = run_block(run, &statement->body, error);
    }
    convex_free(list);
    return status;
}

static enum status run_throw(struct script_run *run, const struct script_statement *statement,
                             struct error *error) {
    struct convex_value *value = NULL;
    enum status status = script_evaluate_value(run, statement->value, &value, error);
    return status == STATUS_OK ? convex_throw(run->frame.context, value, error) : status;
}

static enum status run_fail(struct script_run *run, const struct script_statement *statement,
                            struct error *error) {
    struct convex_value *text = NULL;
    enum status status = script_evaluate_text(run, statement->value, "`fail`", &text, error);
    if (status == STATUS_OK) {
        status = error_set(error, STATUS_INVALID, "%.600s", text->as.bytes.data);
    }
    convex_free(text);
    return status;
}

/* What failed is over: tell the statements of `catch` what it was. */
static void catch_failure(struct script_run *run, const struct error *failure) {
    struct convex_context *context = run->frame.context;
    struct convex_value *value = convex_object();
    convex_object_set(value, "message", convex_string(failure->message));
    if (context->thrown != NULL) {
        convex_object_set(value, "data", convex_copy(context->thrown));
    }
    convex_catch(context);
    script_assign(run, SCRIPT_SLOT_ERROR, value);
}

static enum status run_outside(struct script_run *run, const struct script_statement *statement,
                               struct error *error) {
    struct error failure = {0};
    bool failed = false;
    enum status status = script_run_outside(run, statement, &failed, &failure);
    if (status == STATUS_OK) {
        return STATUS_OK;
    }
    if (!failed || !statement->catches || status == STATUS_PENDING || status == STATUS_CONFLICT) {
        return error_set(error, status, "%s", failure.message);
    }
    catch_failure(run, &failure);
    if (statement->slot != SCRIPT_NO_SLOT) { /* of an earlier round */
        script_value_free(&run->frame.slots[statement->slot]);
    }
    return run_block(run, &statement->otherwise, error);
}

static enum status run_statement(struct script_run *run, const struct script_statement *statement,
                                 struct error *error) {
    enum status status = script_step(run, error);
    if (status != STATUS_OK) {
        return status;
    }
    switch (statement->verb) {
    case SCRIPT_LET:
        return run_let(run, statement, error);
    case SCRIPT_APPEND:
        return run_append(run, statement, error);
    case SCRIPT_GET:
    case SCRIPT_FIRST:
    case SCRIPT_UNIQUE:
    case SCRIPT_TAKE:
    case SCRIPT_COLLECT:
        return script_run_query(run, statement, error);
    case SCRIPT_INSERT:
    case SCRIPT_PATCH:
    case SCRIPT_REPLACE:
    case SCRIPT_DELETE:
        return script_run_write(run, statement, error);
    case SCRIPT_IF:
        return run_if(run, statement, error);
    case SCRIPT_EACH:
        return run_each(run, statement, error);
    case SCRIPT_RETURN:
        run->returned = true;
        return script_evaluate_value(run, statement->value, &run->result, error);
    case SCRIPT_THROW:
        return run_throw(run, statement, error);
    case SCRIPT_FAIL:
        return run_fail(run, statement, error);
    default:
        return run_outside(run, statement, error);
    }
}

/* The innermost statement that fails says where it is. */
static enum status add_place(struct script_run *run, const struct script_statement *statement,
                             enum status status, const struct error *failure, struct error *error) {
    const struct script_function *function = run->frame.function;
    if (run->placed || status == STATUS_PENDING || status == STATUS_CONFLICT) {
        return error_set(error, status, "%s", failure->message);
    }
    run->placed = true;
    return error_set(error, status, "%.800s\n    at %.100s (%.80s:%d:%d)", failure->message, function->path,
                     function->file, statement->place.line, statement->place.column);
}

static enum status run_block(struct script_run *run, const struct script_block *block, struct error *error) {
    for (size_t i = 0; !run->returned && i < block->count; i++) {
        struct error failure;
        failure.message[0] = 0;
        enum status status = run_statement(run, &block->statements[i], &failure);
        if (status != STATUS_OK) {
            return add_place(run, &block->statements[i], status, &failure, error);
        }
    }
    return STATUS_OK;
}

enum status script_run(struct convex_context *context, const struct convex_value *args,
                       struct convex_value **result, struct error *error) {
    static const struct convex_value nobody = {.kind = CONVEX_NULL};
    const struct script_function *function = convex_data(context);
    const struct convex_value *user = convex_user(context);
    assert(function != NULL && function->n_slots <= SCRIPT_SLOTS_MAX);
    struct script_value slots[SCRIPT_SLOTS_MAX];
    memset(slots, 0, function->n_slots * sizeof *slots);
    struct script_run run = {.frame = {.context = context, .function = function, .slots = slots}};
    slots[SCRIPT_SLOT_ARGS].value = args;
    slots[SCRIPT_SLOT_USER].value = user != NULL ? user : &nobody;
    enum status status = run_block(&run, &function->body, error);
    for (size_t i = 0; i < function->n_slots; i++) {
        script_value_free(&slots[i]);
    }
    if (status == STATUS_OK) {
        *result = run.result;
    } else {
        convex_free(run.result);
    }
    return status;
}
