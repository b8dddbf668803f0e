/* Checking and publishing a checkpoint. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/engine_model.h"

static bool involved(const struct model_bucket *bucket, int64_t priority) {
    return bucket->tracked && (priority == MODEL_NONE || bucket->priority <= priority);
}

/* A published row takes operations of any bucket, a partial one of those that are involved. */
static bool counts(const struct model_bucket *bucket, int64_t priority) {
    return priority == MODEL_NONE || involved(bucket, priority);
}

/* Buckets whose operations do not add up are downloaded again from the start. */
static bool drop_mismatches(struct engine_model *model, int64_t priority) {
    const struct map_entry *entry;
    size_t position = 0;
    bool found = false;

    while ((entry = map_next(&model->buckets, &position)) != NULL) {
        const struct model_bucket *bucket = entry->value;

        if (!involved(bucket, priority) || bucket->add_checksum + bucket->op_checksum == bucket->checksum)
            continue;
        found = true;
        model_bucket_drop_stored(model, (struct json_span){bucket->name, bucket->name_length});
    }
    return found;
}

static void set_last_ops(struct engine_model *model, int64_t priority) {
    const struct map_entry *entry;
    size_t position = 0;

    while ((entry = map_next(&model->buckets, &position)) != NULL) {
        struct model_bucket *bucket = entry->value;

        if (bucket->row != 0 && involved(bucket, priority))
            bucket->last_op = model->target_op;
    }
}

/* What the gate has seen when this is applied. */
static int64_t newly_seen(const struct engine_model *model, int64_t priority) {
    if (priority == MODEL_NONE && model->target_write_checkpoint != MODEL_NONE)
        return model->target_write_checkpoint;
    return model->seen;
}

/* Priority 0 is published whatever the app has written. */
static bool gate_is_shut(const struct engine_model *model, int64_t priority) {
    int64_t seen = newly_seen(model, priority);

    if (priority == 0)
        return false;
    return (model->target != MODEL_NONE && model->target > (seen == MODEL_NONE ? 0 : seen)) ||
           model->queue_start < model->queue_end;
}

static bool has_news(const struct model_item *item, int64_t priority) {
    for (const struct model_operation *at = item->operations; at != NULL; at = at->next)
        if (counts(at->bucket, priority) && at->id > at->bucket->last_applied)
            return true;
    return false;
}

/* The newest operation of a row; of two with one id the one that came first. Id 0 counts as none. */
static struct model_data *newest_data(const struct model_item *item, int64_t priority) {
    const struct model_operation *newest = NULL;

    for (const struct model_operation *at = item->operations; at != NULL; at = at->next)
        if (counts(at->bucket, priority) && (newest == NULL || at->id > newest->id))
            newest = at;
    return newest == NULL || newest->id == 0 ? NULL : newest->data;
}

static int by_type_and_id(const void *a, const void *b) {
    return model_item_compare(*(struct model_item *const *)a, *(struct model_item *const *)b);
}

static bool must_publish(const struct model_item *item, int64_t priority) {
    return (priority == MODEL_NONE && item->updated) || has_news(item, priority);
}

static void publish(struct engine_model *model, int64_t priority) {
    if (model->n_changed > 1)
        qsort(model->changed, model->n_changed, sizeof *model->changed, by_type_and_id);
    for (size_t i = 0; i < model->n_changed; i++)
        if (must_publish(model->changed[i], priority))
            model_item_show(model, model->changed[i], newest_data(model->changed[i], priority));
}

/* Operations without a row: the core stores them and fails when it comes to apply them. */
static bool cannot_be_applied(struct engine_model *model, int64_t priority) {
    const struct model_item *item = model_item_find(model, NULL, "", 0);

    return item != NULL && must_publish(item, priority);
}

static void list_items_of(struct engine_model *model, const struct model_bucket *bucket) {
    for (size_t i = 0; i < model->n_slots; i++)
        if (model->slots[i] != NULL)
            for (const struct model_operation *at = model->slots[i]->operations; at != NULL; at = at->next)
                if (at->bucket == bucket)
                    model_item_list(model, model->slots[i]);
}

static void set_last_applied(struct engine_model *model, int64_t priority) {
    const struct map_entry *entry;
    size_t position = 0;

    while ((entry = map_next(&model->buckets, &position)) != NULL) {
        struct model_bucket *bucket = entry->value;
        int64_t before = bucket->last_applied;

        if (bucket->row == 0 || !counts(bucket, priority))
            continue;
        bucket->last_applied = bucket->last_op;
        if (bucket->last_applied < before)
            list_items_of(model, bucket); /* a service that goes back: these are news again */
    }
}

/* Keep on the list what the next apply must look at. */
static void forget_changed(struct engine_model *model) {
    size_t kept = 0;

    for (size_t i = 0; i < model->n_changed; i++) {
        struct model_item *item = model->changed[i];

        item->updated = false;
        item->listed = has_news(item, MODEL_NONE);
        if (item->listed)
            model->changed[kept++] = item;
        else
            model_item_free_empty(model, item); /* unless it was touched: then at the end */
    }
    model->n_changed = kept;
    if (kept == 0 && model->changed_capacity > 64) {
        free(model->changed);
        model->changed = NULL;
        model->changed_capacity = 0;
    }
}

static void reset_counts(struct engine_model *model) {
    const struct map_entry *entry;
    size_t position = 0;

    while ((entry = map_next(&model->buckets, &position)) != NULL) {
        struct model_bucket *bucket = entry->value;

        if (!bucket->tracked || bucket->row == 0 || bucket->count < 0)
            continue;
        bucket->count_since_last = 0;
        bucket->count_at_last = bucket->count;
    }
}

/* A priority that is done makes those before it old news. */
static void add_priority(struct model_priority **priorities, size_t *count, size_t *capacity, int64_t number,
                         int64_t now) {
    size_t kept = 1;

    MEMORY_RESERVE(*priorities, *capacity, *count + 1);
    for (size_t i = *count; i-- > 0;) /* make room at the front */
        (*priorities)[i + 1] = (*priorities)[i];
    (*priorities)[0] = (struct model_priority){number, now};
    for (size_t i = 1; i <= *count; i++)
        if ((*priorities)[i].number > number)
            (*priorities)[kept++] = (*priorities)[i];
    *count = kept;
}

static void mark_streams(struct engine_model *model, int64_t priority, int64_t now) {
    for (size_t i = 0; i < model->status.n_streams; i++) {
        struct model_stream *stream = &model->status.streams[i];

        if (priority != MODEL_NONE && (stream->priority == MODEL_NONE || stream->priority > priority))
            continue;
        stream->as.last_synced_at = now;
        for (size_t s = 0; s < model->n_subscriptions; s++)
            if (model->subscriptions[s].id == stream->as.id)
                model->subscriptions[s].last_synced_at = now;
    }
}

static void mark_completed(struct engine_model *model, int64_t priority) {
    struct model_status *status = &model->status;
    int64_t now = model_now(model);
    int64_t number = priority == MODEL_NONE ? INT32_MAX : priority;

    add_priority(&model->synced, &model->n_synced, &model->synced_capacity, number, now);
    mark_streams(model, priority, now);
    add_priority(&status->priorities, &status->n_priorities, &status->priorities_capacity, number, now);
    if (priority != MODEL_NONE)
        return;
    status->n_priorities = 1;
    status->downloading = false;
    status->last_applied = model->target_write_checkpoint;
    if (model->target_write_checkpoint != MODEL_NONE)
        model->applied = model->target_write_checkpoint;
}

enum status model_apply(struct engine_model *model, int64_t priority, enum model_outcome *outcome,
                        struct error *error) {
    bool shut;

    if (drop_mismatches(model, priority)) {
        *outcome = MODEL_MISMATCH;
        return STATUS_OK;
    }
    shut = gate_is_shut(model, priority);
    if (!shut && cannot_be_applied(model, priority))
        return error_set(error, STATUS_INVALID, "an operation without a row cannot be applied");
    set_last_ops(model, priority);
    model->seen = newly_seen(model, priority);
    *outcome = shut ? MODEL_BLOCKED : MODEL_APPLIED;
    if (shut)
        return STATUS_OK;
    publish(model, priority);
    set_last_applied(model, priority);
    if (priority == MODEL_NONE) {
        forget_changed(model);
        reset_counts(model);
    }
    mark_completed(model, priority);
    return STATUS_OK;
}
