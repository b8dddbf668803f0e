/* The op log: what data lines do to buckets and to the operations of rows. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/engine_model.h"

void model_bucket_free(void *pointer) {
    struct model_bucket *bucket = pointer;

    free(bucket->reasons);
    free(bucket->name);
    free(bucket);
}

struct model_bucket *model_bucket_get(struct engine_model *model, struct json_span name) {
    struct model_bucket *bucket = map_get_bytes(&model->buckets, name.bytes, name.length);

    if (bucket != NULL)
        return bucket;
    bucket = memory_allocate(sizeof *bucket);
    bucket->name = memory_copy_bytes(name.bytes, name.length);
    bucket->name_length = name.length;
    map_set_bytes(&model->buckets, name.bytes, name.length, bucket);
    return bucket;
}

static void mark_updated(struct engine_model *model, struct model_item *item) {
    if (item->type == NULL)
        return;
    item->updated = true;
    model_item_list(model, item);
}

/* Drop the operations of a bucket from the op log. The item stays, for the next apply. */
static void drop_operations(struct engine_model *model, const struct model_bucket *bucket) {
    for (size_t i = 0; i < model->n_slots; i++) {
        struct model_item *item = model->slots[i];

        if (item == NULL)
            continue;
        for (struct model_operation **at = &item->operations; *at != NULL;) {
            struct model_operation *operation = *at;

            if (operation->bucket != bucket) {
                at = &operation->next;
                continue;
            }
            *at = operation->next;
            model_operation_free(operation);
            mark_updated(model, item);
            model_item_list(model, item);
        }
    }
}

static void forget_stored(struct model_bucket *bucket) {
    bucket->row = 0;
    bucket->last_applied = 0;
    bucket->last_op = 0;
    bucket->add_checksum = 0;
    bucket->op_checksum = 0;
    bucket->count_at_last = 0;
    bucket->count_since_last = 0;
}

void model_bucket_drop_stored(struct engine_model *model, struct json_span name) {
    struct model_bucket *bucket = map_get_bytes(&model->buckets, name.bytes, name.length);

    if (bucket == NULL)
        return;
    if (bucket->row != 0)
        drop_operations(model, bucket);
    forget_stored(bucket);
    if (!bucket->tracked) {
        map_remove_bytes(&model->buckets, name.bytes, name.length);
        model_bucket_free(bucket);
    }
}

static int64_t next_row(struct engine_model *model) {
    const struct map_entry *entry;
    size_t position = 0;
    int64_t newest = 0;

    while ((entry = map_next(&model->buckets, &position)) != NULL) {
        const struct model_bucket *bucket = entry->value;

        if (bucket->row > newest)
            newest = bucket->row;
    }
    return newest + 1;
}

/* What a data line adds up for its bucket. */
struct sums {
    uint32_t add, op;
    bool initial; /* nothing of the bucket was published: a REMOVE has nothing to take back */
};

/* The core's keys say "null" for a row without subkey. */
static struct json_span subkey_of(const struct line_operation *operation) {
    static const char none[] = "null";
    struct json_span subkey = operation->subkey;

    if (subkey.bytes == NULL ||
        (subkey.length == sizeof none - 1 && memcmp(subkey.bytes, none, subkey.length) == 0))
        return (struct json_span){0};
    return subkey;
}

static bool same_subkey(struct json_span subkey, const char *stored) {
    if (subkey.bytes == NULL)
        return stored[0] == 0;
    return stored[0] == '/' && strlen(stored + 1) == subkey.length &&
           memcmp(subkey.bytes, stored + 1, subkey.length) == 0;
}

/* Drop the operation that this one takes the place of. */
static bool supersede(struct model_item *item, const struct model_bucket *bucket, struct json_span subkey,
                      struct sums *sums) {
    bool superseded = false;

    for (struct model_operation **at = &item->operations; *at != NULL;) {
        struct model_operation *old = *at;

        if (old->bucket != bucket || !same_subkey(subkey, old->subkey)) {
            at = &old->next;
            continue;
        }
        sums->add += old->hash;
        sums->op -= old->hash;
        superseded |= !sums->initial;
        *at = old->next;
        model_operation_free(old);
    }
    return superseded;
}

static void append_operation(struct model_texts *texts, struct model_item *item, struct model_bucket *bucket,
                             const struct line_operation *source, struct json_span subkey) {
    const size_t key_length = subkey.bytes == NULL ? 0 : subkey.length + 1;
    struct model_operation *operation =
        memory_resize(NULL, 1, offsetof(struct model_operation, subkey) + key_length + 1);
    struct model_operation **last = &item->operations;

    /* Member by member: the allocation may end before the structure's padding does. */
    operation->next = NULL;
    operation->bucket = bucket;
    operation->data =
        source->data.bytes == NULL ? NULL : model_data_make(texts, source->data.bytes, source->data.length);
    operation->id = source->id;
    operation->hash = source->checksum;
    if (key_length > 0) {
        operation->subkey[0] = '/';
        memcpy(operation->subkey + 1, subkey.bytes, subkey.length);
    }
    operation->subkey[key_length] = 0;
    while (*last != NULL)
        last = &(*last)->next;
    *last = operation;
}

static void put_or_remove(struct engine_model *model, struct model_bucket *bucket,
                          const struct line_operation *operation, struct sums *sums) {
    bool has_row = operation->type.bytes != NULL && operation->row.bytes != NULL;
    const struct model_type *type =
        has_row ? model_type_of(model->shared, operation->type.bytes, operation->type.length) : NULL;
    struct json_span subkey = subkey_of(operation);
    struct model_item *item =
        model_item_get(model, type, has_row ? operation->row.bytes : "", has_row ? operation->row.length : 0);
    bool superseded = has_row && supersede(item, bucket, subkey, sums);

    model_item_list(model, item);
    if (operation->kind == LINE_REMOVE) {
        sums->add += operation->checksum;
        if (superseded)
            mark_updated(model, item);
        return;
    }
    append_operation(model->shared->data, item, bucket, operation, subkey);
    sums->op += operation->checksum;
}

static void clear_bucket(struct engine_model *model, struct model_bucket *bucket, uint32_t checksum,
                         struct sums *sums) {
    drop_operations(model, bucket);
    bucket->last_applied = 0;
    bucket->add_checksum = checksum;
    bucket->op_checksum = 0;
    *sums = (struct sums){.initial = true};
}

static void insert_operation(struct engine_model *model, struct model_bucket *bucket,
                             const struct line_operation *operation, struct sums *sums) {
    switch (operation->kind) {
    case LINE_MOVE:
        sums->add += operation->checksum;
        break;
    case LINE_CLEAR:
        clear_bucket(model, bucket, operation->checksum, sums);
        break;
    default:
        put_or_remove(model, bucket, operation, sums);
    }
}

void model_oplog_insert(struct engine_model *model, const struct model_line *line) {
    struct model_bucket *bucket = model_bucket_get(model, line->bucket);
    struct sums sums;

    if (bucket->row == 0)
        bucket->row = next_row(model);
    sums = (struct sums){.initial = bucket->last_applied == 0};
    for (size_t i = 0; i < line->n_operations; i++)
        insert_operation(model, bucket, &line->operations[i], &sums);
    if (line->n_operations == 0)
        return;
    bucket->last_op = line->operations[line->n_operations - 1].id;
    bucket->add_checksum += sums.add;
    bucket->op_checksum += sums.op;
    bucket->count_since_last += (int64_t)line->n_operations;
    if (bucket->tracked && model->status.downloading)
        bucket->shown_since_last += (int64_t)line->n_operations;
}
