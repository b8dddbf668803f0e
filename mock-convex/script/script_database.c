/* Statements that read and write documents; see script_internal.h. */
#include <assert.h>
#include <stdlib.h>

#include "mock-convex/script/script_internal.h"
#include "mock-convex/script/script_operate.h"
#include "mock-convex/value/document_id.h"

/* What the expressions of a range came to. */
struct range_values {
    struct script_value keys[4], lower, upper;
    const struct convex_value *key_pointers[4];
};

/* A key or bound: undefined asks for documents without the field. */
static enum status evaluate_key(struct script_run *run, const struct script_expression *expression,
                                struct script_value *key, struct error *error) {
    enum status status = script_evaluate(&run->frame, expression, key, error);
    if (status == STATUS_OK && (key->value->kind == CONVEX_ARRAY || key->value->kind == CONVEX_OBJECT)) {
        struct convex_value *own = script_value_take(key);
        *key = (struct script_value){.value = own, .owned = own};
        status = script_clean(own, error);
    }
    return status;
}

static enum status evaluate_range(struct script_run *run, const struct script_range *range,
                                  struct range_values *values, struct error *error) {
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < range->n_keys; i++) {
        status = evaluate_key(run, range->keys[i], &values->keys[i], error);
        values->key_pointers[i] = values->keys[i].value;
    }
    if (status == STATUS_OK && range->lower != NULL) {
        status = evaluate_key(run, range->lower, &values->lower, error);
    }
    if (status == STATUS_OK && range->upper != NULL) {
        status = evaluate_key(run, range->upper, &values->upper, error);
    }
    return status;
}

static void free_range(struct range_values *values) {
    for (size_t i = 0; i < 4; i++) {
        script_value_free(&values->keys[i]);
    }
    script_value_free(&values->lower);
    script_value_free(&values->upper);
}

/* Does a document pass `where`? */
struct filter {
    struct script_run *run;
    const struct script_expression *where;
};

static enum status pass_filter(void *context, const struct convex_value *document, bool *passes,
                               struct error *error) {
    struct filter *filter = context;
    struct script_frame *frame = &filter->run->frame;
    struct script_value answer = {0};
    frame->slots[SCRIPT_SLOT_DOC] = (struct script_value){.value = document};
    enum status status = script_step(filter->run, error);
    if (status == STATUS_OK) {
        status = script_evaluate(frame, filter->where, &answer, error);
    }
    *passes = status == STATUS_OK && script_is_true(answer.value);
    script_value_free(&answer);
    frame->slots[SCRIPT_SLOT_DOC] = (struct script_value){0};
    return status;
}

/* The documents of a range, `limit` at most, as an array. */
static enum status scan(struct script_run *run, const struct script_statement *statement, size_t limit,
                        struct convex_value **found, struct error *error) {
    const struct script_range *range = statement->range;
    struct range_values values = {0};
    struct filter filter = {run, range->where};
    const struct convex_value **documents = NULL;
    size_t count = 0;
    enum status status = evaluate_range(run, range, &values, error);
    if (status == STATUS_OK) {
        const struct convex_range asked = {.index = range->index,
                                           .keys = values.key_pointers,
                                           .n_keys = range->n_keys,
                                           .lower = values.lower.value,
                                           .upper = values.upper.value,
                                           .above_lower = range->above_lower,
                                           .below_upper = range->below_upper,
                                           .descending = range->descending,
                                           .limit = limit,
                                           .filter = range->where != NULL ? pass_filter : NULL,
                                           .filter_context = &filter};
        status = convex_find_range(run->frame.context, statement->name, &asked, &documents, &count, error);
    }
    *found = status == STATUS_OK ? convex_array() : NULL;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        convex_array_append(*found, convex_copy(documents[i]));
        status = script_charge(&run->frame, documents[i], error);
    }
    free(documents);
    free_range(&values);
    if (status != STATUS_OK) {
        convex_free(*found);
        *found = NULL;
    }
    return status;
}

static enum status evaluate_count(struct script_run *run, const struct script_expression *expression,
                                  size_t *count, struct error *error) {
    struct script_value value = {0};
    enum status status = script_evaluate(&run->frame, expression, &value, error);
    if (status == STATUS_OK) {
        double number = value.value->kind == CONVEX_FLOAT64 ? value.value->as.number : -1;
        bool whole = number >= 0 && number <= 1e9 && (double)(size_t)number == number;
        *count = whole ? (size_t)number : 0;
        status = whole ? STATUS_OK : error_set(error, STATUS_INVALID, "`count` must be a whole number");
    }
    script_value_free(&value);
    return status;
}

static enum status run_get(struct script_run *run, const struct script_statement *statement,
                           struct error *error) {
    struct convex_value *id = NULL;
    enum status status = script_evaluate_text(run, statement->id, "`id`", &id, error);
    if (status != STATUS_OK) {
        return status;
    }
    const struct convex_value *document = convex_get(run->frame.context, statement->name, id->as.bytes.data);
    convex_free(id);
    if (document != NULL) {
        status = script_charge(&run->frame, document, error);
    }
    script_assign(run, statement->slot, document != NULL ? convex_copy(document) : convex_null());
    return status;
}

enum status script_run_query(struct script_run *run, const struct script_statement *statement,
                             struct error *error) {
    struct convex_value *found = NULL;
    size_t limit = statement->verb == SCRIPT_FIRST ? 1 : statement->verb == SCRIPT_UNIQUE ? 2 : SIZE_MAX;
    enum status status = STATUS_OK;
    if (statement->verb == SCRIPT_GET) {
        return run_get(run, statement, error);
    }
    if (statement->verb == SCRIPT_TAKE) {
        status = evaluate_count(run, statement->extra, &limit, error);
    }
    if (status == STATUS_OK) {
        status = scan(run, statement, limit, &found, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (statement->verb == SCRIPT_TAKE || statement->verb == SCRIPT_COLLECT) {
        script_assign(run, statement->slot, found);
        return STATUS_OK;
    }
    if (statement->verb == SCRIPT_UNIQUE && found->as.array.count > 1) {
        status =
            error_set(error, STATUS_INVALID, "unique: more than one document of \"%s\"", statement->name);
    } else {
        script_assign(run, statement->slot,
                      found->as.array.count > 0 ? convex_copy(found->as.array.items[0]) : convex_null());
    }
    convex_free(found);
    return status;
}

static enum status run_insert(struct script_run *run, const struct script_statement *statement,
                              struct error *error) {
    struct convex_value *document = NULL;
    char id[CONVEX_ID_TEXT_MAX];
    enum status status = script_evaluate_object(run, statement->value, "a document", &document, error);
    if (status != STATUS_OK) {
        return status;
    }
    script_drop_undefined(document);
    status = convex_insert(run->frame.context, statement->name, document, id, error);
    if (status == STATUS_OK) {
        script_assign(run, statement->slot, convex_string(id));
    }
    return status;
}

/* The document with this id: patch it (undefined removes a field), replace it, or delete it (NULL). */
static enum status change(struct script_run *run, const struct script_statement *statement, const char *id,
                          struct convex_value *document, struct error *error) {
    if (statement->verb == SCRIPT_DELETE) {
        return convex_delete(run->frame.context, statement->name, id, error);
    }
    if (statement->verb == SCRIPT_REPLACE) {
        script_drop_undefined(document);
        return convex_replace(run->frame.context, statement->name, id, document, error);
    }
    enum status status = convex_patch(run->frame.context, statement->name, id, document, error);
    convex_free(document);
    return status;
}

enum status script_run_write(struct script_run *run, const struct script_statement *statement,
                             struct error *error) {
    struct convex_value *id = NULL, *document = NULL;
    if (statement->verb == SCRIPT_INSERT) {
        return run_insert(run, statement, error);
    }
    enum status status = script_evaluate_text(run, statement->id, "`id`", &id, error);
    if (status == STATUS_OK && statement->value != NULL) {
        status = script_evaluate_object(run, statement->value, "what is written", &document, error);
    }
    if (status == STATUS_OK) {
        status = change(run, statement, id->as.bytes.data, document, error);
    }
    convex_free(id);
    return status;
}
