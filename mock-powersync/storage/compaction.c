#include "mock-powersync/storage/compaction.h"

#include <assert.h>
#include <string.h>

struct compaction {
    struct bucket_storage *buckets;
    const struct compaction_options *options;
    uint64_t max_op;
    struct compaction_result result;
};

struct compaction_options compaction_usual(void) {
    return (struct compaction_options){.minimum_operations = 10, .minimum_percent = 10};
}

/* The newest operation of a place leaves its index + 1 there. What other buckets left is told from it by
 * looking: a mark that is right points at an operation of this place behind `i`. */
static const struct bucket_operation *newest_of_place(const struct bucket *bucket, size_t i, size_t end) {
    struct operation_place *place = bucket->operations[i].place;
    size_t mark = place->mark;
    if (mark > i + 1 && mark <= end && bucket->operations[mark - 1].place == place)
        return &bucket->operations[mark - 1];
    place->mark = (uint32_t)(i + 1) & INT32_MAX;
    return NULL;
}

static void move_replaced(struct compaction *compaction, struct bucket *bucket, size_t end) {
    assert(end < INT32_MAX);
    for (size_t i = end; i-- > 0;) {
        struct bucket_operation *operation = &bucket->operations[i];
        const struct bucket_operation *newest = operation->place ? newest_of_place(bucket, i, end) : NULL;
        if (!newest)
            continue;
        operation_strip(compaction->buckets, operation);
        operation->kind = OPERATION_MOVE;
        operation->target_op = newest->op_id;
        if (newest->op_id > bucket->highest_target)
            bucket->highest_target = newest->op_id;
        compaction->result.moved++;
    }
}

/* One operation alone stays what it is, as with the real service's Postgres storage. */
static void clear_leading(struct compaction *compaction, struct bucket *bucket, size_t end) {
    size_t run = 0;
    uint64_t target = 0;
    for (; run < end && bucket->operations[run].kind != OPERATION_PUT; run++)
        if (!bucket->operations[run].place && bucket->operations[run].target_op > target)
            target = bucket->operations[run].target_op;
    if (run < 2)
        return;
    for (size_t i = 0; i < run; i++)
        operation_strip(compaction->buckets, &bucket->operations[i]);
    const uint64_t last_id = bucket->operations[run - 1].op_id;
    const uint32_t sum = bucket->operations[run - 1].sum;
    bucket->operations[0] = (struct bucket_operation){
        .op_id = last_id, .checksum = sum, .sum = sum, .target_op = target, .kind = OPERATION_CLEAR};
    memmove(bucket->operations + 1, bucket->operations + run,
            (bucket->count - run) * sizeof *bucket->operations);
    bucket->count -= run - 1;
    compaction->buckets->n_operations -= run - 1;
    compaction->result.cleared += run;
}

static void shrink(struct bucket *bucket) {
    if (bucket->capacity / 2 <= bucket->count)
        return;
    bucket->operations = memory_resize(bucket->operations, bucket->count, sizeof *bucket->operations);
    bucket->capacity = bucket->count;
}

static void compact_bucket(struct compaction *compaction, struct bucket *bucket) {
    struct compaction_result before = compaction->result;
    move_replaced(compaction, bucket, bucket_index_after(bucket, compaction->max_op));
    clear_leading(compaction, bucket, bucket_index_after(bucket, compaction->max_op));
    bucket->uncompacted = bucket->count - bucket_index_after(bucket, compaction->max_op);
    if (compaction->result.moved == before.moved && compaction->result.cleared == before.cleared)
        return;
    compaction->buckets->rewrites++;
    shrink(bucket);
    bucket->rewritten = bucket->stored > 0;
    bucket->stored = 0;
    bucket_needs_storing(compaction->buckets, bucket);
}

static bool is_worth_it(const struct compaction_options *options, const struct bucket *bucket) {
    return bucket->uncompacted >= options->minimum_operations &&
           bucket->uncompacted * 100 >= bucket->count * (size_t)options->minimum_percent;
}

static void compact_stream(struct compaction *compaction) {
    const struct compaction_options *options = compaction->options;
    struct bucket_storage *buckets = compaction->buckets;
    uint64_t checkpoint = buckets->checkpoint;
    compaction->max_op = options->max_op > 0 && options->max_op < checkpoint ? options->max_op : checkpoint;
    for (size_t i = 0; options->names && i < options->n_names; i++) {
        struct bucket *bucket = bucket_storage_find(buckets, options->names[i], strlen(options->names[i]));
        if (bucket)
            compact_bucket(compaction, bucket);
    }
    struct map_entry *entry;
    for (size_t i = 0; !options->names && (entry = map_next(&buckets->buckets, &i));)
        if (is_worth_it(options, entry->value))
            compact_bucket(compaction, entry->value);
    if (!options->names)
        compaction->result.parameters +=
            parameter_index_compact(&buckets->parameters, &buckets->rows, compaction->max_op);
}

enum status storage_compact(struct storage *storage, struct replication_stream *stream,
                            const struct compaction_options *options, struct compaction_result *result,
                            struct error *error) {
    struct compaction_options usual = compaction_usual();
    struct compaction compaction = {.options = options ? options : &usual};
    for (size_t i = 0; i < storage->n_streams; i++) {
        if (stream && storage->streams[i] != stream)
            continue;
        compaction.buckets = storage->streams[i]->buckets;
        compact_stream(&compaction);
    }
    if (compaction.options->expire_before > 0)
        compaction.result.expired =
            write_checkpoints_expire(&storage->write_checkpoints, compaction.options->expire_before);
    if (result)
        *result = compaction.result;
    return storage_flush(storage, error);
}
