/* Statements that reach outside of the transaction or the function; see script_internal.h. */
#include <assert.h>
#include <string.h>

#include "mock-convex/script/script_internal.h"
#include "mock-convex/script/script_operate.h"
#include "mock-convex/value/document_id.h"

static enum status run_call(struct script_run *run, const struct script_statement *statement, bool *failed,
                            struct error *error) {
    struct convex_context *context = run->frame.context;
    struct convex_value *args = NULL, *result = NULL;
    enum status status = script_evaluate_object(run, statement->value, "`args`", &args, error);
    if (status != STATUS_OK) {
        return status;
    }
    script_drop_undefined(args);
    if (statement->callee == CONVEX_QUERY) {
        status = convex_run_query(context, statement->name, args, &result, error);
    } else if (statement->callee == CONVEX_MUTATION) {
        status = convex_run_mutation(context, statement->name, args, &result, error);
    } else {
        status = convex_run_action(context, statement->name, args, &result, error);
    }
    convex_free(args);
    *failed = status != STATUS_OK;
    if (status == STATUS_OK) {
        status = script_charge(&run->frame, result, error);
        script_assign(run, statement->slot, result);
    }
    return status;
}

static enum status run_schedule(struct script_run *run, const struct script_statement *statement,
                                struct error *error) {
    struct convex_value *args = NULL;
    int64_t delay = 0;
    char id[CONVEX_ID_TEXT_MAX];
    enum status status = script_evaluate_object(run, statement->value, "`args`", &args, error);
    if (status == STATUS_OK) {
        script_drop_undefined(args);
        status = script_evaluate_delay(run, statement->extra, &delay, error);
    }
    if (status == STATUS_OK) {
        status = convex_schedule(run->frame.context, delay, statement->name, args, id, error);
    }
    if (status == STATUS_OK) {
        script_assign(run, statement->slot, convex_string(id));
    }
    convex_free(args);
    return status;
}

static enum status run_cancel(struct script_run *run, const struct script_statement *statement,
                              struct error *error) {
    struct convex_value *id = NULL;
    enum status status = script_evaluate_text(run, statement->id, "`cancel`", &id, error);
    if (status == STATUS_OK) {
        status = convex_cancel(run->frame.context, id->as.bytes.data, error);
    }
    convex_free(id);
    return status;
}

static enum status run_sleep(struct script_run *run, const struct script_statement *statement,
                             struct error *error) {
    int64_t delay = 0;
    enum status status = script_evaluate_delay(run, statement->extra, &delay, error);
    return status == STATUS_OK ? convex_sleep(run->frame.context, delay, error) : status;
}

static enum status run_fetch(struct script_run *run, const struct script_statement *statement, bool *failed,
                             struct error *error) {
    struct convex_value *url = NULL, *request = NULL, *response = NULL;
    enum status status = script_evaluate_text(run, statement->value, "`fetch`", &url, error);
    if (status == STATUS_OK) {
        status = script_evaluate_object(run, statement->extra, "the request", &request, error);
    }
    if (status == STATUS_OK) {
        script_drop_undefined(request);
        status = convex_fetch(run->frame.context, url->as.bytes.data, request, &response, error);
        *failed = status != STATUS_OK;
    }
    if (status == STATUS_OK) {
        status = script_charge(&run->frame, response, error);
        script_assign(run, statement->slot, response);
    }
    convex_free(url);
    convex_free(request);
    return status;
}

/* A value as console.log shows it at the top. */
static enum status append_shown(struct buffer *out, const struct convex_value *value, struct error *error) {
    if (value->kind == CONVEX_UNDEFINED) {
        buffer_append_text(out, "undefined");
    } else if (value->kind == CONVEX_STRING) {
        buffer_append_char(out, '\'');
        buffer_append(out, value->as.bytes.data, value->as.bytes.length);
        buffer_append_char(out, '\'');
    } else if (value->kind == CONVEX_FLOAT64) {
        script_append_number(out, value->as.number);
    } else if (value->kind == CONVEX_INT64) {
        buffer_append_integer(out, value->as.integer);
        buffer_append_char(out, 'n');
    } else {
        struct convex_value *copy = convex_copy(value);
        enum status status = script_clean(copy, error);
        if (status == STATUS_OK) {
            convex_append_json(out, copy, CONVEX_FORMAT_JSON);
        }
        convex_free(copy);
        return status;
    }
    return STATUS_OK;
}

static enum status run_log(struct script_run *run, const struct script_statement *statement,
                           struct error *error) {
    struct buffer text = {0};
    struct script_value shown = {0};
    enum status status = script_evaluate(&run->frame, statement->value, &shown, error);
    if (status != STATUS_OK) {
        return status;
    }
    bool several = shown.value->kind == CONVEX_ARRAY;
    size_t count = several ? shown.value->as.array.count : 1;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        buffer_append_text(&text, i > 0 ? " " : "");
        status = append_shown(&text, several ? shown.value->as.array.items[i] : shown.value, error);
    }
    if (status == STATUS_OK) {
        convex_log(run->frame.context, statement->name, buffer_text(&text));
    }
    buffer_free(&text);
    script_value_free(&shown);
    return status;
}

enum status script_run_outside(struct script_run *run, const struct script_statement *statement, bool *failed,
                               struct error *error) {
    switch (statement->verb) {
    case SCRIPT_CALL:
        return run_call(run, statement, failed, error);
    case SCRIPT_SCHEDULE:
        return run_schedule(run, statement, error);
    case SCRIPT_CANCEL:
        return run_cancel(run, statement, error);
    case SCRIPT_SLEEP:
        return run_sleep(run, statement, error);
    case SCRIPT_FETCH:
        return run_fetch(run, statement, failed, error);
    default:
        assert(statement->verb == SCRIPT_LOG);
        return run_log(run, statement, error);
    }
}
