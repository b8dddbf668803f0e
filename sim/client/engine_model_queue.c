/* Local writes, the upload queue and the gate. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "client/engine_model.h"

static const char *const operation_names[] = {
    [CLIENT_PUT] = "PUT", [CLIENT_PATCH] = "PATCH", [CLIENT_DELETE] = "DELETE"};

/* --- local writes --- */

static struct row_value value_of(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_STRING:
        return (struct row_value){
            .kind = ROW_VALUE_TEXT, .text = json_string_value(value), .length = json_string_length(value)};
    case JSON_INTEGER:
        return (struct row_value){.kind = ROW_VALUE_INTEGER, .integer = json_integer_value(value)};
    case JSON_REAL:
        return (struct row_value){.kind = ROW_VALUE_REAL, .real = json_real_value(value)};
    case JSON_TRUE:
    case JSON_FALSE:
        return (struct row_value){.kind = ROW_VALUE_INTEGER, .integer = json_is_true(value)};
    default:
        return (struct row_value){0};
    }
}

static void begin_entry(struct buffer *out, const struct client_operation *operation) {
    buffer_clear(out);
    buffer_printf(out, "{\"op\":\"%s\",\"id\":", operation_names[operation->kind]);
    buffer_append_json_text(out, operation->id);
    buffer_append_text(out, ",\"type\":");
    buffer_append_json_text(out, operation->table);
}

/* The columns that a PUT sets, or that an update changes (`old` not NULL), by name. */
static void append_columns(struct buffer *out, const struct model_table *table,
                           const struct row_value *values, const struct row_value *old) {
    const char *comma = "";

    buffer_append_text(out, ",\"data\":{");
    for (size_t i = 0; i < table->n_columns; i++) {
        size_t c = table->by_name[i];

        if (old == NULL ? values[c].kind == ROW_VALUE_NULL : row_value_equal(&old[c], &values[c]))
            continue;
        buffer_append_text(out, comma);
        buffer_append_json_string(out, table->columns[c].name, table->columns[c].length);
        buffer_append_char(out, ':');
        row_append_queued(&values[c], out);
        comma = ",";
    }
    buffer_append_char(out, '}');
}

static void add_entry(struct engine_model *model) {
    struct buffer *entry = &model->shared->entry;

    buffer_append_char(entry, '}');
    MEMORY_RESERVE(model->queue, model->queue_capacity, model->queue_end + 1);
    model->queue[model->queue_end++] =
        (struct model_entry){.id = ++model->sequence,
                             .transaction = model->next_transaction,
                             .data = memory_copy_bytes(entry->data, entry->length)};
}

static void store(struct engine_model *model, struct model_item *item, const struct row_value *values) {
    struct buffer *text = &model->shared->before;
    struct model_data *data;

    buffer_clear(text);
    row_append_data(item->type->table, values, text);
    data = model_data_make(model->shared->data, text->data, text->length);
    model_item_show(model, item, data);
    model_data_drop(data);
}

static void overlay(const struct model_table *table, const struct client_operation *operation,
                    struct row_value *values) {
    for (size_t c = 0; c < table->n_columns; c++) {
        const json_t *value = json_object_get(operation->values, table->columns[c].name);

        if (value == NULL)
            continue;
        values[c] = value_of(value);
        if (table->columns[c].type == ROW_REAL && values[c].kind == ROW_VALUE_INTEGER)
            values[c] = (struct row_value){.kind = ROW_VALUE_REAL, .real = (double)values[c].integer};
    }
}

/* What a local transaction has come to. */
struct write {
    bool effect; /* of the newest operation */
    bool gated;  /* something must come back before checkpoints are applied again */
};

static bool has_old(const struct client_table *options, const char *column) {
    for (size_t c = 0; c < options->n_old_columns; c++)
        if (strcmp(options->old_columns[c], column) == 0)
            return true;
    return options->old_columns == NULL;
}

static enum status refuse_number(const struct client_operation *operation, struct error *error) {
    return error_set(error, STATUS_INVALID, "%s %s: number out of range", operation_names[operation->kind],
                     operation->table);
}

/* What was there, behind the data of an entry: of a change (`now` not NULL) or a deletion. */
static void append_old(struct buffer *out, const struct model_table *table, const struct row_value *old,
                       const struct row_value *now) {
    const struct client_table *options = table->options;
    const bool changes = options->old_only_when_changed && now != NULL;
    const char *comma = "";

    if (!options->include_old)
        return;
    buffer_append_text(out, ",\"old\":{");
    for (size_t c = 0; c < table->n_columns; c++) {
        if (!has_old(options, table->columns[c].name) || (changes && row_value_equal(&old[c], &now[c])))
            continue;
        buffer_append_text(out, comma);
        buffer_append_json_string(out, table->columns[c].name, table->columns[c].length);
        buffer_append_char(out, ':');
        if (changes)
            row_append_queued(&old[c], out);
        else
            row_append_old(&old[c], out);
        comma = ",";
    }
    buffer_append_char(out, '}');
}

static void append_metadata(struct buffer *out, const struct model_table *table,
                            const struct client_operation *operation) {
    const char *metadata = engine_metadata(table->options, operation);

    if (metadata == NULL)
        return;
    buffer_append_text(out, ",\"metadata\":");
    buffer_append_json_text(out, metadata);
}

/* The entry goes to the queue, and the row is looked at again when it comes back. */
static void queue(struct engine_model *model, struct model_item *item,
                  const struct client_operation *operation, struct write *write) {
    append_metadata(&model->shared->entry, item->type->table, operation);
    add_entry(model);
    item->updated = true;
    model_item_list(model, item);
    write->gated = true;
    write->effect = true;
}

static enum status put(struct engine_model *model, struct model_item *item,
                       const struct client_operation *operation, struct write *write, struct error *error) {
    const struct model_table *table = item->type->table;
    struct row_value *values = model->shared->rows->values;

    memset(values, 0, table->n_columns * sizeof *values);
    overlay(table, operation, values);
    if (!item->type->local && !row_is_readable(table, values))
        return refuse_number(operation, error);
    write->effect = true;
    if (!table->options->insert_only)
        store(model, item, values);
    if (item->type->local)
        return STATUS_OK;
    begin_entry(&model->shared->entry, operation);
    append_columns(&model->shared->entry, table, values, NULL);
    if (table->options->insert_only)
        add_entry(model);
    else
        queue(model, item, operation, write);
    return STATUS_OK;
}

static bool changes_nothing(const struct model_table *table, const struct row_value *values,
                            const struct row_value *old) {
    for (size_t c = 0; c < table->n_columns; c++)
        if (!row_value_equal(&old[c], &values[c]))
            return false;
    return true;
}

static enum status patch(struct engine_model *model, struct model_item *item,
                         const struct client_operation *operation, struct write *write, struct error *error) {
    const struct model_table *table = item->type->table;
    struct row_reader *rows = model->shared->rows;
    const char *message;

    if (!row_read(rows, table, item->shown->bytes, item->shown->length, rows->values, &message))
        return error_set(error, STATUS_INVALID, "PATCH %s: %s", table->name, message);
    memcpy(rows->others, rows->values, table->n_columns * sizeof *rows->values);
    overlay(table, operation, rows->values);
    for (size_t c = 0; c < table->n_columns; c++)
        row_convert(rows, table->columns[c].type, &rows->values[c]);
    if (!item->type->local &&
        (!row_is_readable(table, rows->others) || !row_is_readable(table, rows->values)))
        return refuse_number(operation, error);
    write->effect = item->type->local;
    if (!item->type->local &&
        !(table->options->ignore_empty_update && changes_nothing(table, rows->values, rows->others))) {
        begin_entry(&model->shared->entry, operation);
        append_columns(&model->shared->entry, table, rows->values, rows->others);
        append_old(&model->shared->entry, table, rows->others, rows->values);
        queue(model, item, operation, write);
    }
    store(model, item, rows->values); /* frees what the values borrow from */
    return STATUS_OK;
}

/* The view is read first, which fails when the row is no JSON. */
static enum status remove_row(struct engine_model *model, struct model_item *item,
                              const struct client_operation *operation, struct write *write,
                              struct error *error) {
    const struct model_table *table = item->type->table;
    struct row_reader *rows = model->shared->rows;
    const char *message;

    if (!row_read(rows, table, item->shown->bytes, item->shown->length, rows->values, &message))
        return error_set(error, STATUS_INVALID, "DELETE %s: %s", operation->table, message);
    write->effect = true;
    if (!item->type->local) {
        begin_entry(&model->shared->entry, operation);
        append_old(&model->shared->entry, table, rows->values, NULL);
        queue(model, item, operation, write);
    }
    model_item_show(model, item, NULL);
    return STATUS_OK;
}

static void add_written(struct model_shared *shared, const struct client_operation *operation) {
    MEMORY_RESERVE(shared->written, shared->written_capacity, shared->n_written + 1);
    shared->written[shared->n_written++] = (struct note_row){
        .operation = operation_names[operation->kind],
        .table = operation->table,
        .id = operation->id,
        .values = engine_written_values(operation),
    };
}

static void free_written(struct model_shared *shared) {
    for (size_t i = 0; i < shared->n_written; i++)
        free((char *)(uintptr_t)shared->written[i].values);
    shared->n_written = 0;
}

/* An UPDATE or DELETE of a missing row does nothing, nor does an UPDATE that sets nothing. */
static bool has_effect(const struct client_operation *operation, const struct model_item *item) {
    if (operation->kind == CLIENT_PUT)
        return true;
    return item->shown != NULL &&
           (operation->kind == CLIENT_DELETE || json_object_size(operation->values) > 0);
}

static enum status write_one(struct engine_model *model, const struct client_operation *operation,
                             struct write *write, struct error *error) {
    enum status status = engine_check_operation(model->shared->schema, operation, error);
    struct model_item *item;

    if (status != STATUS_OK)
        return status;
    if (operation->id == NULL)
        return operation->kind == CLIENT_PUT
                   ? error_set(error, STATUS_INVALID, "PUT %s: id is required", operation->table)
                   : STATUS_OK;
    item = model_item_get(model, model_table_type(model->shared, operation->table), operation->id,
                          strlen(operation->id));
    if (!has_effect(operation, item)) {
        model_item_free_empty(model, item);
        return STATUS_OK;
    }
    model_item_show(model, item, item->shown); /* from here on it can be undone */
    write->effect = false;
    if (operation->kind == CLIENT_PUT)
        status = put(model, item, operation, write, error);
    else if (operation->kind == CLIENT_DELETE)
        status = remove_row(model, item, operation, write, error);
    else
        status = patch(model, item, operation, write, error);
    if (status == STATUS_OK && write->effect)
        add_written(model->shared, operation);
    return status;
}

static void undo(struct engine_model *model, size_t queue_end, int64_t sequence) {
    model_transaction_undo(model);
    while (model->queue_end > queue_end)
        free(model->queue[--model->queue_end].data);
    model->sequence = sequence;
}

/* A transaction takes a number with its first statement, even if that meets no row; but not for local-only
 * tables. */
static bool takes_number(const struct client_schema *schema, const struct client_operation *operations,
                         size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!engine_find_table(schema, operations[i].table)->local_only &&
            (operations[i].kind != CLIENT_PATCH || json_object_size(operations[i].values) > 0))
            return true;
    return false;
}

enum status model_write(struct engine *engine, const struct client_operation *operations, size_t count,
                        struct engine_result *result, struct error *error) {
    struct engine_model *model = engine_model_of(engine);
    size_t queue_end = model->queue_end;
    int64_t sequence = model->sequence;
    struct write write = {0};
    enum status status = STATUS_OK;

    *result = (struct engine_result){0};
    free_written(model->shared);
    model_transaction_begin(model);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = write_one(model, &operations[i], &write, error);
    if (status != STATUS_OK) {
        undo(model, queue_end, sequence);
        return status;
    }
    if (model->queue_end > queue_end)
        result->transaction = model->next_transaction;
    if (write.gated) {
        model->target = ENGINE_TARGET_UNKNOWN;
        model->seen = MODEL_NONE;
        model->applied = MODEL_NONE;
    }
    model->next_transaction += takes_number(model->shared->schema, operations, count);
    model_transaction_end(model, result);
    result->written = model->shared->written;
    result->n_written = model->shared->n_written;
    return STATUS_OK;
}

/* --- the queue --- */

int64_t model_queue_head(struct engine *engine) {
    const struct engine_model *model = engine_model_of(engine);

    return model->queue_start < model->queue_end ? model->queue[model->queue_start].id : 0;
}

static json_t *read_entry(const struct model_entry *entry) {
    json_t *text =
        json_string_lossy(entry->data, strlen(entry->data)); /* half a surrogate pair is no UTF-8 */
    json_t *data = json_parse(json_string_value(text), json_string_length(text), NULL);

    json_decref(text);
    assert(json_is_object(data)); /* written here */
    return data;
}

enum status model_next_transaction(struct engine *engine, int64_t after,
                                   struct engine_transaction *transaction, struct error *error) {
    struct engine_model *model = engine_model_of(engine);
    size_t first = model->queue_start;

    while (first < model->queue_end && model->queue[first].id <= after)
        first++;
    if (first == model->queue_end)
        return error_set(error, STATUS_NOT_FOUND, "the upload queue is empty");
    *transaction =
        (struct engine_transaction){.entries = json_array(), .transaction = model->queue[first].transaction};
    for (size_t i = first; i < model->queue_end; i++) {
        if (model->queue[i].transaction != transaction->transaction)
            break;
        json_array_append_new(transaction->entries, read_entry(&model->queue[i]));
        transaction->last = model->queue[i].id;
    }
    return STATUS_OK;
}

void model_queue_each(struct engine *engine,
                      void (*entry)(void *context, int64_t transaction, const json_t *data), void *context) {
    struct engine_model *model = engine_model_of(engine);

    for (size_t i = model->queue_start; i < model->queue_end; i++) {
        json_t *data = read_entry(&model->queue[i]);

        entry(context, model->queue[i].transaction, data);
        json_decref(data);
    }
}

static void put_target(struct engine_model *model, int64_t target) {
    model->target = target == 0 ? MODEL_NONE : target;
}

enum status model_complete(struct engine *engine, int64_t last, int64_t target, struct error *error) {
    struct engine_model *model = engine_model_of(engine);

    (void)error;
    while (model->queue_start < model->queue_end && model->queue[model->queue_start].id <= last)
        free(model->queue[model->queue_start++].data);
    if (model->queue_start == model->queue_end) {
        model->queue_start = 0;
        model->queue_end = 0;
    }
    if (target != ENGINE_TARGET_SAME)
        put_target(model, target);
    return STATUS_OK;
}

enum status model_set_target(struct engine *engine, int64_t sequence, int64_t target, bool *set,
                             struct error *error) {
    struct engine_model *model = engine_model_of(engine);

    (void)error;
    assert(target > 0);
    *set = model->queue_start == model->queue_end && model->sequence == sequence;
    if (*set)
        put_target(model, target);
    return STATUS_OK;
}

void model_gate(struct engine *engine, struct engine_gate *gate) {
    const struct engine_model *model = engine_model_of(engine);

    gate->queue_empty = model->queue_start == model->queue_end;
    gate->sequence = model->sequence;
    gate->target = model->target == MODEL_NONE ? 0 : model->target;
    gate->applied = model->applied == MODEL_NONE ? 0 : model->applied;
}

void model_queue_free(struct engine_model *model) {
    for (size_t i = model->queue_start; i < model->queue_end; i++)
        free(model->queue[i].data);
    free(model->queue);
}
