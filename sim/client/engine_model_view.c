/* What the app sees: which rows of its tables a transaction changed, and their text. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/engine_model.h"

void model_transaction_begin(struct engine_model *model) {
    struct model_shared *shared = model->shared;

    assert(shared->n_touched == 0);
    buffer_clear(&shared->text);
}

void model_transaction_undo(struct engine_model *model) {
    struct model_shared *shared = model->shared;

    for (size_t i = 0; i < shared->n_touched; i++) {
        struct model_touch *touch = &shared->touched[i];

        model_item_show(model, touch->item, touch->before);
        model_data_drop(touch->before);
        touch->item->updated = touch->was_updated;
        touch->item->touched = false;
    }
    shared->n_touched = 0;
}

static bool same_data(const struct model_data *a, const struct model_data *b) {
    return a == b ||
           (a != NULL && b != NULL && a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0);
}

static void add_row(struct model_shared *shared, size_t *n_rows, const struct model_item *item,
                    bool has_values) {
    MEMORY_RESERVE(shared->changed_rows, shared->changed_rows_capacity, *n_rows + 1);
    MEMORY_RESERVE(shared->positions, shared->positions_capacity, 2 * (*n_rows + 1));
    shared->changed_rows[*n_rows] = (struct note_row){.table = item->type->name};
    shared->positions[2 * *n_rows] = shared->text.length;
    buffer_append(&shared->text, item->id, item->id_length + 1);
    shared->positions[2 * *n_rows + 1] = has_values ? shared->text.length : SIZE_MAX;
    (*n_rows)++;
}

static void append_text(struct model_shared *shared, const struct model_item *item,
                        const struct model_data *data, struct buffer *out) {
    row_append_text(shared->rows, item->type->table, data->bytes, data->length, out);
}

/* Adds the row if it looks different now. */
static void compare(struct model_shared *shared, const struct model_item *item,
                    const struct model_data *before, size_t *n_rows) {
    size_t start = shared->text.length;
    size_t values;

    if (item->type == NULL || item->type->table == NULL || same_data(before, item->shown))
        return;
    add_row(shared, n_rows, item, item->shown != NULL);
    if (item->shown == NULL)
        return;
    values = shared->text.length;
    append_text(shared, item, item->shown, &shared->text);
    if (before != NULL) {
        buffer_clear(&shared->before);
        append_text(shared, item, before, &shared->before);
        if (shared->before.length == shared->text.length - values &&
            memcmp(shared->before.data, shared->text.data + values, shared->before.length) == 0) {
            shared->text.length = start;
            (*n_rows)--;
            return;
        }
    }
    buffer_append_char(&shared->text, 0);
}

static void answer(struct model_shared *shared, size_t n_rows, struct engine_result *result) {
    for (size_t i = 0; i < n_rows; i++) {
        size_t values = shared->positions[2 * i + 1];

        shared->changed_rows[i].id = shared->text.data + shared->positions[2 * i];
        shared->changed_rows[i].values = values == SIZE_MAX ? NULL : shared->text.data + values;
    }
    result->rows = shared->changed_rows;
    result->n_rows = n_rows;
}

void model_transaction_end(struct engine_model *model, struct engine_result *result) {
    struct model_shared *shared = model->shared;
    size_t n_rows = 0;

    for (size_t i = 0; i < shared->n_touched; i++) {
        struct model_touch *touch = &shared->touched[i];

        compare(shared, touch->item, touch->before, &n_rows);
        model_data_drop(touch->before);
        touch->item->touched = false;
        model_item_free_empty(model, touch->item);
    }
    shared->n_touched = 0;
    answer(shared, n_rows, result);
}

static int by_id(const void *a, const void *b) {
    return model_item_compare(*(struct model_item *const *)a, *(struct model_item *const *)b);
}

static void sort_table(struct engine_model *model, size_t table) {
    const struct model_table *wanted = &model->shared->rows->tables[table];
    size_t count = 0, capacity = 0;
    struct model_item **items = NULL;

    for (size_t i = 0; i < model->n_slots; i++) {
        struct model_item *item = model->slots[i];

        if (item == NULL || item->shown == NULL || item->type == NULL || item->type->table != wanted)
            continue;
        MEMORY_RESERVE(items, capacity, count + 2);
        items[count++] = item;
    }
    MEMORY_RESERVE(items, capacity, count + 1);
    if (count > 1)
        qsort(items, count, sizeof *items, by_id);
    items[count] = NULL;
    model->sorted[table] = items;
}

struct model_item **model_table_items(struct engine_model *model, size_t table, size_t *count) {
    if (model->sorted == NULL)
        model->sorted = memory_allocate_array(model->shared->schema->n_tables, sizeof *model->sorted);
    if (model->sorted[table] == NULL)
        sort_table(model, table);
    *count = 0;
    while (model->sorted[table][*count] != NULL)
        (*count)++;
    return model->sorted[table];
}

void model_collect_all(struct engine_model *model, struct engine_result *result) {
    struct model_shared *shared = model->shared;
    size_t n_rows = 0;

    buffer_clear(&shared->text);
    for (size_t t = 0; t < shared->schema->n_tables; t++) {
        size_t count;
        struct model_item **items = model_table_items(model, t, &count);

        for (size_t i = 0; i < count; i++) {
            add_row(shared, &n_rows, items[i], true);
            append_text(shared, items[i], items[i]->shown, &shared->text);
            buffer_append_char(&shared->text, 0);
        }
    }
    answer(shared, n_rows, result);
}
