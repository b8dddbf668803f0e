/* Random work on a storage, and two judges of it that share no code with it: a model that knows what each
 * bucket and each key must hold, and a client that reduces operations as the sync protocol says. */
#ifndef TESTS_MOCK_POWERSYNC_STORAGE_WORK_H
#define TESTS_MOCK_POWERSYNC_STORAGE_WORK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/random.h"
#include "mock-powersync/storage/checksum.h"
#include "mock-powersync/storage/compaction.h"
#include "mock-powersync/storage/storage.h"

#define WORK_CONFIG "config: {edition: 3}\nstreams:\n  all:\n    query: SELECT * FROM items\n"

enum { WORK_ROWS = 12, WORK_BUCKETS = 4, WORK_IDS = 5, WORK_KEYS = 3, WORK_OUTPUTS = 3 };

/* Random numbers, the same for the same seed. */
struct dice {
    uint64_t seed;
    uint64_t counter;
};

static inline unsigned roll(struct dice *dice, unsigned sides) {
    uint64_t value = (dice->seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + ++dice->counter;
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((value ^ value >> 31) % sides);
}

/* What one row of the source contributes. */
struct work_row {
    size_t n_outputs;
    struct {
        unsigned bucket, type, id;
        char data[40];
    } outputs[WORK_OUTPUTS];
    size_t n_lookups;
    struct {
        unsigned key;
        char values[40];
    } lookups[WORK_KEYS];
};

static inline struct work_row work_row_roll(struct dice *dice, unsigned number) {
    struct work_row row = {0};
    if (roll(dice, 4) == 0)
        return row; /* the row is gone */
    row.n_outputs = roll(dice, WORK_OUTPUTS + 1);
    for (size_t i = 0; i < row.n_outputs; i++) {
        row.outputs[i].bucket = roll(dice, WORK_BUCKETS);
        row.outputs[i].type = roll(dice, 2);
        row.outputs[i].id = roll(dice, WORK_IDS);
        snprintf(row.outputs[i].data, sizeof row.outputs[i].data, "{\"n\":%u,\"i\":%zu}", number, i);
    }
    unsigned first = roll(dice, WORK_KEYS);
    row.n_lookups = roll(dice, WORK_KEYS);
    for (size_t i = 0; i < row.n_lookups; i++) {
        row.lookups[i].key = (first + (unsigned)i) % WORK_KEYS;
        snprintf(row.lookups[i].values, sizeof row.lookups[i].values, "[[\"v%u\"],[%u,\"]\\\"\"]]",
                 roll(dice, 3), roll(dice, 3));
    }
    return row;
}

static inline void work_save(struct bucket_storage *buckets, unsigned index, const struct work_row *row,
                             bool skip_existing) {
    static const char *const types[] = {"lists", "todos"};
    struct bucket_output outputs[WORK_OUTPUTS];
    struct lookup_output lookups[WORK_KEYS];
    char names[WORK_OUTPUTS][20], ids[WORK_OUTPUTS][20], keys[WORK_KEYS][20], id[20];
    for (size_t i = 0; i < row->n_outputs; i++) {
        snprintf(names[i], sizeof names[i], "b%u", row->outputs[i].bucket);
        snprintf(ids[i], sizeof ids[i], "id%u", row->outputs[i].id);
        outputs[i] = (struct bucket_output){.bucket = names[i],
                                            .bucket_length = strlen(names[i]),
                                            .object_type = types[row->outputs[i].type],
                                            .object_id = ids[i],
                                            .data = row->outputs[i].data,
                                            .data_length = strlen(row->outputs[i].data)};
    }
    for (size_t i = 0; i < row->n_lookups; i++) {
        snprintf(keys[i], sizeof keys[i], "k%u", row->lookups[i].key);
        lookups[i] = (struct lookup_output){keys[i], strlen(keys[i]), row->lookups[i].values,
                                            strlen(row->lookups[i].values)};
    }
    snprintf(id, sizeof id, "row%u", index);
    struct row_outputs all = {outputs, row->n_outputs, lookups, row->n_lookups, 0};
    bucket_storage_save(buckets, "items", id, &all, skip_existing);
}

/* Sorted lines. */
struct lines {
    char **lines;
    size_t count, capacity;
};

static inline void lines_add(struct lines *lines, char *line) {
    MEMORY_RESERVE(lines->lines, lines->capacity, lines->count + 1);
    lines->lines[lines->count++] = line;
}

static inline int lines_compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline char *lines_text(struct lines *lines) {
    struct buffer text = {0};
    if (lines->count > 0)
        qsort(lines->lines, lines->count, sizeof *lines->lines, lines_compare);
    for (size_t i = 0; i < lines->count; i++) {
        buffer_append_text(&text, lines->lines[i]);
        buffer_append_char(&text, '\n');
        free(lines->lines[i]);
    }
    free(lines->lines);
    return buffer_take(&text);
}

/* What a bucket must hold: for each type, id and source row the last text. The caller frees it. */
static inline char *model_bucket(const struct work_row *rows, unsigned bucket) {
    static const char *const types[] = {"lists", "todos"};
    struct lines lines = {0};
    for (unsigned i = 0; i < WORK_ROWS; i++) {
        char id[20], subkey[37];
        unsigned char bytes[16];
        snprintf(id, sizeof id, "row%u", i);
        subkey_make("items", id, bytes);
        subkey_text(bytes, subkey);
        for (size_t j = 0; j < rows[i].n_outputs; j++) {
            bool last = rows[i].outputs[j].bucket == bucket;
            for (size_t k = j + 1; last && k < rows[i].n_outputs; k++)
                last = rows[i].outputs[k].bucket != bucket ||
                       rows[i].outputs[k].type != rows[i].outputs[j].type ||
                       rows[i].outputs[k].id != rows[i].outputs[j].id;
            if (last)
                lines_add(&lines, memory_format("%s id%u %s %s", types[rows[i].outputs[j].type],
                                                rows[i].outputs[j].id, subkey, rows[i].outputs[j].data));
        }
    }
    return lines_text(&lines);
}

/* The tuples under a key: those of all rows. */
static inline char *model_lookup(const struct work_row *rows, unsigned key) {
    struct lines lines = {0};
    for (unsigned i = 0; i < WORK_ROWS; i++)
        for (size_t j = 0; j < rows[i].n_lookups; j++) {
            if (rows[i].lookups[j].key != key)
                continue;
            const char *values = rows[i].lookups[j].values; /* [["v0"],[0,"]\""]] */
            const char *comma = strstr(values, "],[");
            lines_add(&lines, memory_copy_bytes(values + 1, (size_t)(comma - values)));
            lines_add(&lines, memory_copy_bytes(comma + 2, strlen(comma + 2) - 1));
        }
    return lines_text(&lines);
}

static inline void add_tuple(void *context, const char *tuple, size_t length) {
    lines_add(context, memory_copy_bytes(tuple, length));
}

static inline char *storage_tuples(const struct bucket_storage *buckets, unsigned key, uint64_t op_id) {
    struct lines lines = {0};
    char name[20];
    snprintf(name, sizeof name, "k%u", key);
    size_t count = bucket_storage_lookup(buckets, name, strlen(name), op_id, add_tuple, &lines);
    assert_int_equal(count, lines.count);
    return lines_text(&lines);
}

/* A client's copy of one bucket (fact sheet 2.5). */
struct reduced {
    uint64_t after;
    uint32_t base;
    struct map live; /* "type id subkey" -> struct reduced_row */
};

struct reduced_row {
    uint32_t checksum;
    char *data;
};

static inline void free_reduced_row(void *value) {
    struct reduced_row *row = value;
    free(row->data);
    free(row);
}

static inline void reduced_drop(struct reduced *bucket, const char *key) {
    struct reduced_row *old = map_remove(&bucket->live, key);
    if (!old)
        return;
    bucket->base += old->checksum;
    free_reduced_row(old);
}

static inline void reduce(struct reduced *bucket, const struct bucket_operation *operation) {
    assert_true(operation->op_id > bucket->after);
    bucket->after = operation->op_id;
    if (operation->kind == OPERATION_CLEAR) {
        map_clear(&bucket->live, free_reduced_row);
        bucket->base = operation->checksum;
        return;
    }
    if (operation->kind == OPERATION_MOVE) {
        bucket->base += operation->checksum;
        return;
    }
    char subkey[37];
    operation_subkey(operation, subkey);
    char *key =
        memory_format("%s %s %s", operation_object_type(operation), operation_object_id(operation), subkey);
    reduced_drop(bucket, key);
    if (operation->kind == OPERATION_PUT) {
        struct reduced_row *row = memory_allocate(sizeof *row);
        row->checksum = operation->checksum;
        row->data = memory_copy_bytes(operation->data, operation->data_length);
        map_set(&bucket->live, key, row);
    } else {
        bucket->base += operation->checksum;
    }
    free(key);
}

static inline void reduced_free(struct reduced *bucket) {
    map_free(&bucket->live, free_reduced_row);
}

static inline uint32_t reduced_checksum(const struct reduced *bucket) {
    uint32_t sum = bucket->base;
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&bucket->live, &i));)
        sum += ((const struct reduced_row *)entry->value)->checksum;
    return sum;
}

static inline char *reduced_text(const struct reduced *bucket) {
    struct lines lines = {0};
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&bucket->live, &i));)
        lines_add(&lines,
                  memory_format("%s %s", entry->key, ((const struct reduced_row *)entry->value)->data));
    return lines_text(&lines);
}

/* Reduce at most `limit` operations up to `checkpoint`. True: there are no more. */
static inline bool reduced_read(struct reduced *client, const struct bucket *bucket, uint64_t checkpoint,
                                size_t limit) {
    size_t end = bucket_index_after(bucket, checkpoint);
    size_t i = bucket_index_after(bucket, client->after);
    for (; i < end && limit > 0; i++, limit--)
        reduce(client, &bucket->operations[i]);
    return i >= end;
}

static inline struct bucket *work_bucket(struct bucket_storage *buckets, unsigned number) {
    char name[20];
    snprintf(name, sizeof name, "b%u", number);
    return bucket_storage_bucket(buckets, name, strlen(name));
}

static inline void add_emitted(struct lines *lines, const struct source_row *row) {
    for (size_t i = 0; i < row->n_emitted; i++) {
        const struct emitted *emitted = &source_row_emitted(row)[i];
        lines_add(lines, memory_format("%s %s in %s as %s %s", row->table, row->id, emitted->bucket->name,
                                       emitted->place->object_type, operation_place_id(emitted->place)));
    }
}

/* All that a client could read, the parameters, and where rows are. The caller frees it. */
static inline char *storage_text(const struct bucket_storage *buckets) {
    struct lines lines = {0};
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&buckets->buckets, &i));) {
        const struct bucket *bucket = entry->value;
        for (size_t j = 0; j < bucket->count; j++) {
            const struct bucket_operation *operation = &bucket->operations[j];
            char subkey[37] = "";
            if (operation->place)
                operation_subkey(operation, subkey);
            lines_add(&lines,
                      memory_format("%s %06llu %d %u %u %s %s %s %s %llu", bucket->name,
                                    (unsigned long long)operation->op_id, (int)operation->kind,
                                    operation->checksum, operation->sum,
                                    operation->place ? operation_object_type(operation) : "",
                                    operation->place ? operation_object_id(operation) : "", subkey,
                                    operation->kind == OPERATION_PUT ? operation->data : "",
                                    operation->place ? 0ULL : (unsigned long long)operation->target_op));
        }
    }
    for (size_t i = 0; i < buckets->rows.n_slots; i++)
        if (buckets->rows.slots[i])
            add_emitted(&lines, buckets->rows.slots[i]);
    for (unsigned key = 0; key < WORK_KEYS; key++)
        lines_add(&lines, storage_tuples(buckets, key, buckets->checkpoint));
    lines_add(&lines,
              memory_format("%d %llu %llu %lld %lld %d", buckets->number,
                            (unsigned long long)buckets->last_op, (unsigned long long)buckets->checkpoint,
                            (long long)buckets->lsn, (long long)buckets->resume_lsn, buckets->snapshot_done));
    return lines_text(&lines);
}

#endif
