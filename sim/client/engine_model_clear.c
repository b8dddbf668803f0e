/* Emptying a client's database, and the counter of checkpoint requests. */
#include <stdlib.h>

#include "client/engine_model.h"

static void drop_operations(struct model_item *item) {
    while (item->operations != NULL) {
        struct model_operation *next = item->operations->next;

        model_operation_free(item->operations);
        item->operations = next;
    }
}

/* No row is shown any more, but those of local-only tables unless they are meant too; a soft clear keeps the
 * op log, all of which is news again. */
static void clear_items(struct engine_model *model, bool local, bool soft) {
    for (size_t i = 0; i < model->n_slots; i++) {
        struct model_item *item = model->slots[i];

        if (item == NULL || (item->type != NULL && item->type->local && !local))
            continue;
        model_item_show(model, item, NULL);
        item->updated = false;
        if (!soft)
            drop_operations(item);
        else if (item->operations != NULL)
            model_item_list(model, item);
    }
    if (soft)
        return;
    for (size_t i = 0; i < model->n_changed; i++)
        model->changed[i]->listed = false;
    model->n_changed = 0;
}

static void clear_buckets(struct engine_model *model, bool soft) {
    struct map_entry *entry;
    size_t position = 0;

    while ((entry = map_next(&model->buckets, &position)) != NULL) {
        struct model_bucket *bucket = entry->value;

        if (soft)
            bucket->last_applied = 0;
        else
            model_bucket_drop_stored(model, (struct json_span){entry->key, entry->key_length});
    }
}

static void clear_queue(struct engine_model *model) {
    model_queue_free(model);
    model->queue = NULL;
    model->queue_start = 0;
    model->queue_end = 0;
    model->queue_capacity = 0;
    model->target = model->seen = model->applied = MODEL_NONE;
    model->requested_id = MODEL_NONE;
}

enum status model_clear(struct engine *engine, unsigned flags, struct engine_result *result,
                        struct error *error) {
    struct engine_model *model = engine_model_of(engine);
    const bool soft = (flags & ENGINE_CLEAR_SOFT) != 0;

    *result = (struct engine_result){0};
    if (soft && model->active)
        return error_set(error, STATUS_INVALID, "a soft clear while an iteration is active");
    model_transaction_begin(model);
    clear_items(model, (flags & ENGINE_CLEAR_LOCAL) != 0, soft);
    clear_buckets(model, soft);
    clear_queue(model);
    model->n_subscriptions = 0;
    model->n_synced = 0;
    model->tracked_op = 0;
    model->complete_op = 0;
    model_transaction_end(model, result);
    model_status_tell_offline(model, result);
    model_collect_all(model, result);
    return STATUS_OK;
}

/* --- checkpoint requests --- */

void model_use_requests(struct engine *engine) {
    engine_model_of(engine)->requests = true;
}

/* What a new iteration asks for: at least what the gate waits for. */
int64_t model_first_request(const struct engine_model *model) {
    int64_t id = 1;

    if (!model->requests)
        return 0;
    if (model->requested_id != MODEL_NONE && model->requested_id > id)
        id = model->requested_id;
    if (model->target != MODEL_NONE && model->target != ENGINE_TARGET_UNKNOWN && model->target > id)
        id = model->target;
    return id;
}

enum status model_request_id(struct engine *engine, enum engine_request request, int64_t *id,
                             struct error *error) {
    struct engine_model *model = engine_model_of(engine);

    if (request == ENGINE_REQUEST_CURRENT) {
        *id = model->requested_id == MODEL_NONE ? 0 : model->requested_id;
        return STATUS_OK;
    }
    if (!model->active)
        return error_set(error, STATUS_INVALID, "No iteration is active");
    if (request == ENGINE_REQUEST_SEED) {
        model->requested_id = *id;
        return STATUS_OK;
    }
    if (model->requested_id == MODEL_NONE)
        return error_set(error, STATUS_INVALID, "Checkpoint request state has not been seeded");
    *id = ++model->requested_id;
    return STATUS_OK;
}
