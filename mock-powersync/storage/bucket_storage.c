#include "mock-powersync/storage/bucket_storage.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mock-powersync/storage/checksum.h"
#include "mock-powersync/storage/storage.h"

#define SWEEP_LEAST 1024 /* buckets and lookups that nobody needs are not looked for below this number */

struct bucket_storage *bucket_storage_create(struct storage *storage, int number) {
    assert(storage && number >= 1);
    struct bucket_storage *buckets = memory_allocate(sizeof *buckets);
    buckets->storage = storage;
    buckets->number = number;
    buckets->sweep_at = SWEEP_LEAST;
    return buckets;
}

static void free_bucket(void *value) {
    struct bucket *bucket = value;
    assert(!bucket->watches.first);
    free(bucket->name);
    free(bucket->operations);
    free(bucket);
}

static void free_table(void *value) {
    struct table_progress *progress = value;
    free(progress->cursor);
    free(progress);
}

void bucket_storage_destroy(struct bucket_storage *buckets) {
    if (!buckets)
        return;
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&buckets->buckets, &i));) {
        struct bucket *bucket = entry->value;
        for (size_t j = 0; j < bucket->count; j++)
            if (bucket->operations[j].kind == OPERATION_PUT)
                pool_release(&buckets->rows.pool, bucket->operations[j].data,
                             (size_t)bucket->operations[j].data_length + 1);
    }
    map_free(&buckets->buckets, free_bucket);
    parameter_index_free(&buckets->parameters);
    source_rows_free(&buckets->rows);
    map_free(&buckets->tables, free_table);
    map_free(&buckets->texts, NULL);
    free(buckets->touched.buckets);
    free(buckets->unstored.buckets);
    arena_free(&buckets->arena);
    free(buckets);
}

/* Buckets */

static void list_add(struct bucket_list *list, struct bucket *bucket) {
    MEMORY_RESERVE(list->buckets, list->capacity, list->count + 1);
    list->buckets[list->count++] = bucket;
}

struct bucket *bucket_storage_find(const struct bucket_storage *buckets, const char *name, size_t length) {
    return map_get_bytes(&buckets->buckets, name, length);
}

struct bucket *bucket_storage_bucket(struct bucket_storage *buckets, const char *name, size_t length) {
    struct bucket *bucket = bucket_storage_find(buckets, name, length);
    if (!bucket) {
        bucket = memory_allocate(sizeof *bucket);
        bucket->name = memory_copy_bytes(name, length);
        map_set_bytes(&buckets->buckets, name, length, bucket);
    }
    return bucket;
}

const char *bucket_storage_text(struct bucket_storage *buckets, const char *text) {
    char *kept = map_get(&buckets->texts, text);
    if (!kept) {
        kept = arena_copy_text(&buckets->arena, text);
        map_set(&buckets->texts, text, kept);
    }
    return kept;
}

static uint64_t target_of(const struct bucket_operation *operation) {
    return operation->place ? 0 : operation->target_op;
}

void bucket_append(struct bucket_storage *buckets, struct bucket *bucket, struct bucket_operation operation) {
    uint32_t before = bucket->count > 0 ? bucket->operations[bucket->count - 1].sum : 0;
    operation.sum = before + operation.checksum;
    assert(bucket->count == 0 || bucket->operations[bucket->count - 1].op_id < operation.op_id);
    MEMORY_RESERVE(bucket->operations, bucket->capacity, bucket->count + 1);
    bucket->operations[bucket->count++] = operation;
    bucket->uncompacted++;
    if (operation.place)
        operation.place->references++;
    uint64_t target = target_of(&operation);
    bucket->highest_target = target > bucket->highest_target ? target : bucket->highest_target;
    buckets->data_bytes += operation.data_length;
    buckets->n_operations++;
    if (!bucket->touched)
        list_add(&buckets->touched, bucket);
    bucket->touched = true;
    bucket_needs_storing(buckets, bucket);
}

void bucket_needs_storing(struct bucket_storage *buckets, struct bucket *bucket) {
    if (!buckets->storage->journal || bucket->unstored)
        return;
    bucket->unstored = true;
    list_add(&buckets->unstored, bucket);
}

char *operation_keep_data(struct bucket_storage *buckets, const void *bytes, size_t length) {
    char *data = pool_allocate(&buckets->rows.pool, length + 1);
    if (length > 0)
        memcpy(data, bytes, length);
    data[length] = '\0';
    return data;
}

void operation_strip(struct bucket_storage *buckets, struct bucket_operation *operation) {
    if (!operation->place)
        return;
    if (operation->kind == OPERATION_PUT)
        pool_release(&buckets->rows.pool, operation->data, (size_t)operation->data_length + 1);
    buckets->data_bytes -= operation->data_length;
    operation->data_length = 0;
    operation_place_release(&buckets->rows, operation->place);
    operation->place = NULL;
    operation->target_op = 0;
}

static uint64_t next_op(struct bucket_storage *buckets) {
    return buckets->last_op = ++buckets->storage->last_op;
}

/* Saving */

static void put(struct bucket_storage *buckets, struct bucket *bucket, struct operation_place *place,
                const struct bucket_output *output) {
    struct bucket_operation operation = {
        .op_id = next_op(buckets),
        .checksum = checksum_put(output->object_type, output->object_id, output->data, output->data_length),
        .place = place,
        .data = operation_keep_data(buckets, output->data, output->data_length),
        .data_length = (uint32_t)output->data_length & 0xffffff,
        .kind = OPERATION_PUT,
    };
    bucket_append(buckets, bucket, operation);
}

static void remove_emitted(struct bucket_storage *buckets, const struct emitted *emitted) {
    char subkey[37];
    source_row_subkey(emitted->place->row, subkey);
    struct bucket_operation operation = {.op_id = next_op(buckets),
                                         .checksum = checksum_remove(subkey),
                                         .place = emitted->place,
                                         .kind = OPERATION_REMOVE};
    bucket_append(buckets, emitted->bucket, operation);
}

/* Is `wanted` among what this save has put so far? A row may be in thousands of buckets, but it is seldom
 * twice in one. */
static bool emitted_has(uint64_t save, const struct emitted *emitted, size_t count,
                        const struct emitted *wanted) {
    if (wanted->bucket->saved_by != save)
        return false;
    if (wanted->bucket->saved_place == wanted->place)
        return true;
    for (size_t i = 0; i < count; i++)
        if (emitted[i].bucket == wanted->bucket && emitted[i].place == wanted->place)
            return true;
    return false;
}

/* PUTs first, then the REMOVEs of the buckets that the row left, as in the real service. Returns how many
 * outputs were too large. */
static size_t save_buckets(struct bucket_storage *buckets, struct source_row *row,
                           const struct row_outputs *outputs) {
    struct emitted *now = memory_allocate_array(outputs->n_buckets + 1, sizeof *now);
    size_t n_now = 0, too_large = 0;
    const uint64_t save = ++buckets->saves;
    for (size_t i = 0; i < outputs->n_buckets; i++) {
        const struct bucket_output *output = &outputs->buckets[i];
        if (output->data_length > ROW_BYTES_LIMIT) {
            too_large++;
            continue;
        }
        const char *type = bucket_storage_text(buckets, output->object_type);
        struct emitted emitted = {bucket_storage_bucket(buckets, output->bucket, output->bucket_length),
                                  source_row_place(&buckets->rows, row, type, output->object_id)};
        put(buckets, emitted.bucket, emitted.place, output);
        if (emitted_has(save, now, n_now, &emitted))
            continue;
        emitted.bucket->saved_by = save;
        emitted.bucket->saved_place = emitted.place;
        emitted.place->references++;
        now[n_now++] = emitted;
    }
    const struct emitted *before = source_row_emitted(row);
    for (size_t i = 0; i < row->n_emitted; i++)
        if (!emitted_has(save, now, n_now, &before[i]))
            remove_emitted(buckets, &before[i]);
    source_row_set_emitted(&buckets->rows, row, now, n_now);
    return too_large;
}

size_t bucket_storage_save(struct bucket_storage *buckets, const char *table, const char *id,
                           const struct row_outputs *outputs, bool skip_existing) {
    static const struct row_outputs none = {0};
    outputs = outputs ? outputs : &none;
    struct source_row *row = source_rows_find(&buckets->rows, table, id);
    bool empty = outputs->n_buckets == 0 && outputs->n_lookups == 0;
    if (!row && empty)
        return 0;
    if (row && skip_existing && (row->n_emitted > 0 || source_row_has_parameters(row)))
        return 0;
    if (!row)
        row = source_rows_add(&buckets->rows, bucket_storage_text(buckets, table), id);
    size_t too_large = save_buckets(buckets, row, outputs);
    uint64_t before = buckets->storage->last_op;
    parameter_index_save(&buckets->parameters, row, outputs->lookups, outputs->n_lookups,
                         &buckets->storage->last_op);
    if (buckets->storage->last_op > before)
        buckets->last_op = buckets->storage->last_op;
    source_rows_tidy(&buckets->rows, row);
    return too_large;
}

struct table_progress *bucket_storage_table(struct bucket_storage *buckets, const char *name) {
    struct table_progress *progress = map_get(&buckets->tables, name);
    if (!progress) {
        progress = memory_allocate(sizeof *progress);
        map_set(&buckets->tables, name, progress);
    }
    return progress;
}

void table_progress_set(struct table_progress *progress, bool done, const char *cursor) {
    char *copy = memory_copy_text(cursor); /* it may be the present one */
    free(progress->cursor);
    progress->cursor = copy;
    progress->done = done;
}

/* Committing */

/* Drop what nobody needs, when there may be much of it: clients can ask for any number of buckets. */
static void sweep(struct bucket_storage *buckets) {
    if (buckets->buckets.count + buckets->parameters.lookups.count < buckets->sweep_at)
        return;
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&buckets->buckets, &i));) {
        struct bucket *bucket = entry->value;
        if (bucket->count > 0 || bucket->watches.first)
            continue;
        map_remove_bytes(&buckets->buckets, entry->key, entry->key_length);
        free_bucket(bucket);
    }
    parameter_index_sweep(&buckets->parameters);
    buckets->sweep_at = SWEEP_LEAST + 2 * (buckets->buckets.count + buckets->parameters.lookups.count);
}

static void publish(struct bucket_storage *buckets) {
    for (size_t i = 0; i < buckets->touched.count; i++) {
        struct bucket *bucket = buckets->touched.buckets[i];
        bucket->touched = false;
        watch_wake_all(&bucket->watches);
    }
    buckets->touched.count = 0;
    parameter_index_publish(&buckets->parameters);
}

static bool is_blocked(const struct bucket_storage *buckets, int64_t lsn) {
    return !buckets->snapshot_done || lsn < buckets->lsn || lsn < buckets->no_checkpoint_before;
}

bool bucket_storage_commit(struct bucket_storage *buckets, int64_t lsn, bool empty) {
    assert(lsn > 0);
    bool moved = buckets->last_op > buckets->checkpoint;
    if (is_blocked(buckets, lsn) || (!moved && !empty && buckets->lsn != 0))
        return false;
    int64_t old_lsn = buckets->lsn, old_resume = buckets->resume_lsn;
    uint64_t old = buckets->checkpoint;
    buckets->lsn = lsn;
    buckets->resume_lsn = lsn > old_resume ? lsn : old_resume;
    buckets->checkpoint = moved ? buckets->last_op : old;
    if (!storage_make_checkpoint(buckets->storage, buckets)) {
        buckets->lsn = old_lsn;
        buckets->resume_lsn = old_resume;
        buckets->checkpoint = old;
        return false;
    }
    if (moved) {
        buckets->previous = old;
        buckets->commits++;
        publish(buckets);
    }
    storage_tell_checkpoint(buckets->storage, buckets);
    sweep(buckets);
    return true;
}

/* Reading */

size_t bucket_index_after(const struct bucket *bucket, uint64_t op_id) {
    size_t low = 0, high = bucket->count;
    assert(bucket->count <= bucket->capacity);
    /* Most readers are close to the end. */
    if (high > 0 && bucket->operations[high - 1].op_id <= op_id)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bucket->operations[middle].op_id <= op_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct bucket_state bucket_state_at(const struct bucket *bucket, uint64_t op_id) {
    size_t count = bucket_index_after(bucket, op_id);
    return (struct bucket_state){.checksum = count > 0 ? bucket->operations[count - 1].sum : 0,
                                 .count = count};
}

bool bucket_is_compacted_past(const struct bucket *bucket, uint64_t after, uint64_t checkpoint) {
    if (bucket->highest_target <= checkpoint || after >= checkpoint)
        return false;
    if (bucket->operations[0].kind == OPERATION_CLEAR && bucket->operations[0].op_id > checkpoint)
        return true;
    size_t end = bucket_index_after(bucket, checkpoint);
    for (size_t i = bucket_index_after(bucket, after); i < end; i++)
        if (target_of(&bucket->operations[i]) > checkpoint)
            return true;
    return false;
}

const char *operation_object_type(const struct bucket_operation *operation) {
    assert(operation->place);
    return operation->place->object_type;
}

const char *operation_object_id(const struct bucket_operation *operation) {
    assert(operation->place);
    return operation_place_id(operation->place);
}

void operation_subkey(const struct bucket_operation *operation, char out[37]) {
    assert(operation->place);
    source_row_subkey(operation->place->row, out);
}

size_t bucket_storage_lookup(const struct bucket_storage *buckets, const char *key, size_t length,
                             uint64_t op_id, void (*each)(void *context, const char *tuple, size_t length),
                             void *context) {
    return parameter_index_find(&buckets->parameters, key, length, op_id, each, context);
}

struct watch_list *bucket_storage_lookup_watches(struct bucket_storage *buckets, const char *key,
                                                 size_t length) {
    return &parameter_index_lookup(&buckets->parameters, key, length)->watches;
}

struct storage_size bucket_storage_size(const struct bucket_storage *buckets) {
    return (struct storage_size){
        .operations = buckets->data_bytes + buckets->n_operations * sizeof(struct bucket_operation),
        .parameters = buckets->parameters.bytes,
        .source_rows = buckets->rows.bytes,
    };
}

/* Checking */

static void check_bucket(const struct bucket_storage *buckets, const struct bucket *bucket, size_t *bytes) {
    uint32_t sum = 0;
    uint64_t last = 0;
    for (size_t i = 0; i < bucket->count; i++) {
        const struct bucket_operation *operation = &bucket->operations[i];
        sum += operation->checksum;
        assert(operation->sum == sum);
        assert(operation->op_id > last && operation->op_id <= buckets->last_op);
        assert(bucket->touched || operation->op_id <= buckets->checkpoint);
        assert((operation->place != NULL) ==
               (operation->kind == OPERATION_PUT || operation->kind == OPERATION_REMOVE));
        assert(!operation->place || operation->place->references > 0);
        /* What ends a CLEAR is a MOVE, or a REMOVE that a MOVE before it points at. */
        assert(operation->kind != OPERATION_CLEAR || (i == 0 && operation->target_op >= operation->op_id));
        assert(target_of(operation) <= bucket->highest_target);
        assert(operation->kind == OPERATION_PUT || operation->data_length == 0);
        *bytes += operation->data_length;
        last = operation->op_id;
    }
    assert(bucket->stored <= bucket->count);
}

void bucket_storage_check(const struct bucket_storage *buckets) {
    assert(buckets->checkpoint <= buckets->last_op && buckets->last_op <= buckets->storage->last_op);
    size_t operations = 0, bytes = 0;
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&buckets->buckets, &i));) {
        check_bucket(buckets, entry->value, &bytes);
        operations += ((const struct bucket *)entry->value)->count;
    }
    assert(operations == buckets->n_operations && bytes == buckets->data_bytes);
    for (size_t i = 0; i < buckets->rows.n_slots; i++) {
        const struct source_row *row = buckets->rows.slots[i];
        assert(!row || row->places || row->entries);
        assert(!row || source_rows_find(&buckets->rows, row->table, row->id) == row);
    }
}
