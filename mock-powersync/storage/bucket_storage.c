#include "mock-powersync/storage/bucket_storage.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mock-powersync/storage/checksum.h"

/* A place where a source row was put and not yet removed from. */
struct emitted {
    struct bucket *bucket;
    const char *object_type;
    const char *object_id;
};

struct source_row {
    char subkey[37];
    bool present;
    struct emitted *emitted;
    size_t n_emitted;
    size_t capacity;
};

struct bucket_storage *bucket_storage_create(int number, size_t n_tables, uint64_t first_op) {
    assert(number >= 1 && first_op >= 1);
    struct bucket_storage *storage = memory_allocate(sizeof *storage);
    storage->number = number;
    storage->last_op = first_op - 1;
    storage->checkpoint = storage->previous = first_op - 1;
    storage->n_tables = n_tables;
    storage->tables = memory_allocate_array(n_tables + 1, sizeof *storage->tables);
    return storage;
}

static void free_bucket(void *value) {
    struct bucket *bucket = value;
    assert(!bucket->watches.first);
    free(bucket->name);
    free(bucket->operations);
    free(bucket);
}

static void free_row(void *value) {
    struct source_row *row = value;
    free(row->emitted);
    free(row);
}

void bucket_storage_destroy(struct bucket_storage *storage) {
    assert(storage);
    map_free(&storage->buckets, free_bucket);
    map_free(&storage->rows, free_row);
    for (size_t i = 0; i < storage->n_tables; i++)
        free(storage->tables[i].cursor);
    free(storage->tables);
    free(storage->touched);
    arena_free(&storage->arena);
    free(storage);
}

struct bucket *bucket_storage_bucket(struct bucket_storage *storage, const char *name, size_t length) {
    struct bucket *bucket = map_get_bytes(&storage->buckets, name, length);
    if (!bucket) {
        bucket = memory_allocate(sizeof *bucket);
        bucket->name = memory_copy_bytes(name, length);
        map_set_bytes(&storage->buckets, name, length, bucket);
    }
    return bucket;
}

static struct source_row *row_of(struct bucket_storage *storage, const char *table, const char *id,
                                 bool make) {
    struct buffer key = {0};
    buffer_append(&key, table, strlen(table) + 1);
    buffer_append_text(&key, id);
    struct source_row *row = map_get_bytes(&storage->rows, key.data, key.length);
    if (!row && make) {
        row = memory_allocate(sizeof *row);
        subkey_make(table, id, row->subkey);
        map_set_bytes(&storage->rows, key.data, key.length, row);
    }
    buffer_free(&key);
    return row;
}

static void append_operation(struct bucket_storage *storage, struct bucket *bucket,
                             struct bucket_operation operation) {
    operation.op_id = ++storage->last_op;
    uint32_t before = bucket->count > 0 ? bucket->operations[bucket->count - 1].sum : 0;
    operation.sum = before + operation.checksum;
    assert(bucket->count == 0 || bucket->operations[bucket->count - 1].op_id < operation.op_id);
    MEMORY_RESERVE(bucket->operations, bucket->capacity, bucket->count + 1);
    bucket->operations[bucket->count++] = operation;
    if (!bucket->touched) {
        bucket->touched = true;
        MEMORY_RESERVE(storage->touched, storage->touched_capacity, storage->n_touched + 1);
        storage->touched[storage->n_touched++] = bucket;
    }
}

/* The object id is kept once for all operations that the row makes under it. */
static const char *keep_object_id(struct bucket_storage *storage, const struct source_row *row,
                                  const char *id) {
    for (size_t i = 0; i < row->n_emitted; i++)
        if (strcmp(row->emitted[i].object_id, id) == 0)
            return row->emitted[i].object_id;
    return arena_copy_text(&storage->arena, id);
}

static void put(struct bucket_storage *storage, const struct source_row *row, struct bucket *bucket,
                const struct bucket_output *output, const char *object_id) {
    struct bucket_operation operation = {
        .checksum = checksum_put(output->object_type, object_id, output->data, output->data_length),
        .object_type = output->object_type,
        .object_id = object_id,
        .subkey = row->subkey,
        .data = arena_copy_bytes(&storage->arena, output->data, output->data_length),
        .data_length = output->data_length,
    };
    append_operation(storage, bucket, operation);
}

static void remove_emitted(struct bucket_storage *storage, const struct source_row *row,
                           const struct emitted *emitted) {
    struct bucket_operation operation = {
        .checksum = checksum_remove(row->subkey),
        .object_type = emitted->object_type,
        .object_id = emitted->object_id,
        .subkey = row->subkey,
    };
    append_operation(storage, emitted->bucket, operation);
}

static bool emitted_has(const struct emitted *emitted, size_t count, const struct emitted *wanted) {
    for (size_t i = 0; i < count; i++)
        if (emitted[i].bucket == wanted->bucket && strcmp(emitted[i].object_id, wanted->object_id) == 0 &&
            strcmp(emitted[i].object_type, wanted->object_type) == 0)
            return true;
    return false;
}

void bucket_storage_save(struct bucket_storage *storage, const char *table, const char *id,
                         const struct bucket_output *outputs, size_t n_outputs, bool skip_existing) {
    struct source_row *row = row_of(storage, table, id, n_outputs > 0);
    if (!row || (skip_existing && row->present))
        return;
    struct emitted *now = memory_allocate_array(n_outputs + 1, sizeof *now);
    size_t n_now = 0;
    for (size_t i = 0; i < n_outputs; i++) {
        const struct bucket_output *output = &outputs[i];
        struct emitted place = {bucket_storage_bucket(storage, output->bucket, output->bucket_length),
                                output->object_type, keep_object_id(storage, row, output->object_id)};
        put(storage, row, place.bucket, output, place.object_id);
        if (!emitted_has(now, n_now, &place))
            now[n_now++] = place;
    }
    /* The real service writes a row's PUTs first, then the REMOVEs of the buckets that it left. */
    for (size_t i = 0; i < row->n_emitted; i++)
        if (!emitted_has(now, n_now, &row->emitted[i]))
            remove_emitted(storage, row, &row->emitted[i]);
    free(row->emitted);
    row->emitted = now;
    row->n_emitted = n_now;
    row->present = n_now > 0;
}

bool bucket_storage_commit(struct bucket_storage *storage, int64_t lsn, bool empty) {
    assert(lsn > 0);
    if (!storage->snapshot_done || lsn < storage->lsn)
        return false;
    bool moved = storage->last_op > storage->checkpoint;
    if (!moved && !empty)
        return false;
    storage->lsn = lsn;
    if (!moved)
        return true;
    assert(storage->n_touched > 0); /* every operation is in a bucket */
    storage->previous = storage->checkpoint;
    storage->checkpoint = storage->last_op;
    storage->commits++;
    for (size_t i = 0; i < storage->n_touched; i++) {
        struct bucket *bucket = storage->touched[i];
        bucket->touched = false;
        watch_wake_all(&bucket->watches);
    }
    storage->n_touched = 0;
    assert(storage->checkpoint == storage->last_op && storage->lsn == lsn);
    return true;
}

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

void bucket_storage_check(const struct bucket_storage *storage) {
    assert(storage->checkpoint <= storage->last_op);
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&storage->buckets, &i));) {
        const struct bucket *bucket = entry->value;
        uint32_t sum = 0;
        uint64_t last = 0;
        for (size_t j = 0; j < bucket->count; j++) {
            const struct bucket_operation *operation = &bucket->operations[j];
            sum += operation->checksum;
            assert(operation->sum == sum);
            assert(operation->op_id > last && operation->op_id <= storage->last_op);
            assert(bucket->touched || operation->op_id <= storage->checkpoint);
            last = operation->op_id;
        }
    }
}
