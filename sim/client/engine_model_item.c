/* Rows and their operations, found by a hash table without order: whoever needs an order sorts. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/engine_model.h"

void model_operation_free(struct model_operation *operation) {
    model_data_drop(operation->data);
    free(operation);
}

static uint32_t hash_of(const struct model_type *type, const char *id, size_t length) {
    uint32_t hash = 2166136261U;

    if (type != NULL)
        for (const char *at = type->name; *at != 0; at++)
            hash = (hash ^ (unsigned char)*at) * 16777619U;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)id[i]) * 16777619U;
    return hash ^ hash >> 15;
}

/* The slot of the item, or the free one where it belongs. */
static size_t find_slot(const struct engine_model *model, const struct model_type *type, const char *id,
                        size_t length, uint32_t hash) {
    size_t slot = hash & (model->n_slots - 1);

    for (;; slot = (slot + 1) & (model->n_slots - 1)) {
        const struct model_item *item = model->slots[slot];

        if (item == NULL || (item->hash == hash && item->type == type && item->id_length == length &&
                             memcmp(item->id, id, length) == 0))
            return slot;
    }
}

struct model_item *model_item_find(struct engine_model *model, const struct model_type *type, const char *id,
                                   size_t length) {
    if (model->n_slots == 0)
        return NULL;
    return model->slots[find_slot(model, type, id, length, hash_of(type, id, length))];
}

static void grow(struct engine_model *model) {
    struct model_item **old = model->slots;
    size_t n_old = model->n_slots;

    model->n_slots = n_old == 0 ? 16 : 2 * n_old;
    model->slots = memory_allocate_array(model->n_slots, sizeof *model->slots);
    for (size_t i = 0; i < n_old; i++)
        if (old[i] != NULL)
            model->slots[find_slot(model, old[i]->type, old[i]->id, old[i]->id_length, old[i]->hash)] =
                old[i];
    free(old);
}

struct model_item *model_item_get(struct engine_model *model, const struct model_type *type, const char *id,
                                  size_t length) {
    uint32_t hash = hash_of(type, id, length);
    struct model_item *item;
    size_t slot;

    if (8 * (model->n_items + 1) > 7 * model->n_slots)
        grow(model);
    slot = find_slot(model, type, id, length, hash);
    if (model->slots[slot] != NULL)
        return model->slots[slot];
    item = memory_allocate(offsetof(struct model_item, id) + length + 1);
    item->type = type;
    item->hash = hash;
    item->id_length = (uint32_t)length;
    memcpy(item->id, id, length);
    model->slots[slot] = item;
    model->n_items++;
    return item;
}

/* Close the gap: whoever could stand in the free slot moves there. */
static void remove_slot(struct engine_model *model, size_t slot) {
    size_t mask = model->n_slots - 1;

    for (size_t next = (slot + 1) & mask; model->slots[next] != NULL; next = (next + 1) & mask) {
        size_t home = model->slots[next]->hash & mask;

        if (((next - home) & mask) >= ((next - slot) & mask)) {
            model->slots[slot] = model->slots[next];
            slot = next;
        }
    }
    model->slots[slot] = NULL;
    model->n_items--;
}

void model_item_free_empty(struct engine_model *model, struct model_item *item) {
    if (item->shown != NULL || item->operations != NULL || item->updated || item->listed || item->touched)
        return;
    remove_slot(model, find_slot(model, item->type, item->id, item->id_length, item->hash));
    free(item);
}

void model_item_list(struct engine_model *model, struct model_item *item) {
    if (item->listed)
        return;
    item->listed = true;
    MEMORY_RESERVE(model->changed, model->changed_capacity, model->n_changed + 1);
    model->changed[model->n_changed++] = item;
}

static void forget_order(struct engine_model *model, const struct model_item *item) {
    size_t table;

    if (model->sorted == NULL || item->type == NULL || item->type->table == NULL)
        return;
    table = item->type->table->index;
    free(model->sorted[table]);
    model->sorted[table] = NULL;
}

void model_item_show(struct engine_model *model, struct model_item *item, struct model_data *data) {
    struct model_shared *shared = model->shared;

    if (!item->touched) {
        item->touched = true;
        MEMORY_RESERVE(shared->touched, shared->touched_capacity, shared->n_touched + 1);
        shared->touched[shared->n_touched++] =
            (struct model_touch){item, model_data_share(item->shown), item->updated};
    }
    if ((item->shown == NULL) != (data == NULL))
        forget_order(model, item);
    model_data_share(data);
    model_data_drop(item->shown);
    item->shown = data;
}

int model_item_compare(const struct model_item *a, const struct model_item *b) {
    size_t shorter = a->id_length < b->id_length ? a->id_length : b->id_length;
    int order = 0;

    if (a->type != b->type) {
        if (a->type == NULL || b->type == NULL)
            return a->type == NULL ? -1 : 1;
        return strcmp(a->type->name, b->type->name);
    }
    order = memcmp(a->id, b->id, shorter);
    return order != 0 ? order : (a->id_length > b->id_length) - (a->id_length < b->id_length);
}

void model_items_forget_order(struct engine_model *model) {
    for (size_t t = 0; model->sorted != NULL && t < model->shared->schema->n_tables; t++)
        free(model->sorted[t]);
    free(model->sorted);
    model->sorted = NULL;
}

void model_items_free(struct engine_model *model) {
    for (size_t i = 0; i < model->n_slots; i++) {
        struct model_item *item = model->slots[i];

        if (item == NULL)
            continue;
        while (item->operations != NULL) {
            struct model_operation *next = item->operations->next;

            model_operation_free(item->operations);
            item->operations = next;
        }
        model_data_drop(item->shown);
        free(item);
    }
    model_items_forget_order(model);
    free(model->slots);
    free(model->changed);
}
