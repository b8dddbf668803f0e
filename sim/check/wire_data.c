/* Data lines: they belong to what is being fetched, chain, stay within the checkpoint, and carry sound
 * operations. */
#include <assert.h>
#include <inttypes.h>

#include "check/wire_state.h"

static void check_rows(struct wire_grammar *grammar, const struct sync_line *line) {
    struct wire_rows *rows = &grammar->settings.scratch->rows;
    for (size_t i = 0; i < line->n_operations; i++) {
        const struct sync_operation *operation = &line->operations[i];
        if (wire_rows_good(rows, operation, grammar->encoding))
            continue;
        const char *form = wire_rows_form(rows, operation, grammar->encoding);
        if (form)
            wire_fault_name(grammar, WIRE_ROW_FORM, &line->bucket, form, "an operation of another form");
        else
            wire_fault_at(grammar, WIRE_ROW_CHECKSUM, wire_bucket_find(grammar, &line->bucket),
                          "checksum %" PRIu32 " of operation %" PRId64 "|%" PRIu32,
                          wire_rows_checksum(rows, operation), operation->op_id, operation->checksum);
    }
}

static void check_op_ids(struct wire_grammar *grammar, const struct sync_line *line,
                         const struct wire_bucket *bucket) {
    int64_t previous = line->after;
    for (size_t i = 0; i < line->n_operations; i++) {
        int64_t op_id = line->operations[i].op_id;
        if (op_id <= previous)
            wire_fault_at(grammar, WIRE_OP_ORDER, bucket, "an op id above %" PRId64 "|%" PRId64, previous,
                          op_id);
        if (op_id > grammar->last_op_id)
            wire_fault_at(grammar, WIRE_OP_BOUND, bucket, "op ids up to %" PRId64 "|%" PRId64,
                          grammar->last_op_id, op_id);
        previous = op_id;
    }
}

static void check_positions(struct wire_grammar *grammar, const struct sync_line *line,
                            struct wire_bucket *bucket) {
    assert(line->n_operations > 0);
    int64_t last = line->operations[line->n_operations - 1].op_id;
    if (bucket->position < 0 && line->after >= 0) { /* no request was seen: the stream itself tells */
        if (bucket->sum_known)
            bucket->position = line->after; /* nothing came before the last completion */
        else
            wire_bucket_start(bucket, line->after);
    }
    if (line->after != bucket->position)
        wire_fault_at(grammar, WIRE_POSITIONS, bucket, "after %" PRId64 "|after %" PRId64, bucket->position,
                      line->after);
    if (line->next_after != last)
        wire_fault_at(grammar, WIRE_POSITIONS, bucket, "next_after %" PRId64 "|next_after %" PRId64, last,
                      line->next_after);
}

static void add_operations(struct wire_bucket *bucket, const struct sync_line *line) {
    for (size_t i = 0; i < line->n_operations; i++) {
        const struct sync_operation *operation = &line->operations[i];
        if (operation->kind == SYNC_CLEAR) { /* replaces all that was before it */
            bucket->sum = 0;
            bucket->sum_known = true;
            bucket->count_rule = COUNT_UNKNOWN;
        }
        bucket->sum += operation->checksum;
        bucket->received++;
    }
    bucket->position = line->operations[line->n_operations - 1].op_id;
    bucket->more = line->has_more;
    bucket->exhausted = !line->has_more;
}

/* False when the line has no place in the stream at all. */
static bool check_place(struct wire_grammar *grammar, const struct sync_line *line,
                        struct wire_bucket *bucket) {
    if (!grammar->started) {
        wire_fault_name(grammar, WIRE_CHECKPOINT_FIRST, &line->bucket, "a checkpoint", "data");
        return false;
    }
    if (!bucket || !bucket->listed) {
        wire_fault_name(grammar, WIRE_DATA_EXPECTED, &line->bucket, "data of a bucket of the checkpoint",
                        "data of another");
        return false;
    }
    if (line->n_operations == 0) {
        wire_fault_name(grammar, WIRE_DATA_EXPECTED, &line->bucket, "at least one operation", "none");
        return false;
    }
    if (!grammar->open)
        wire_fault_at(grammar, WIRE_DATA_EXPECTED, bucket,
                      "a new checkpoint first|data after checkpoint_complete");
    else if (bucket->fetch == FETCH_NONE)
        wire_fault_at(grammar, WIRE_DATA_EXPECTED, bucket,
                      "data of buckets that changed|data of one that is complete or did not change");
    else if (bucket->exhausted)
        wire_fault_at(grammar, WIRE_DATA_EXPECTED, bucket, "no more data after has_more=false|more data");
    return true;
}

static void check_priority(struct wire_grammar *grammar, struct wire_bucket *bucket) {
    for (int32_t priority = 0; priority < bucket->priority; priority++)
        if (grammar->sure[priority] > 0)
            wire_fault_at(grammar, WIRE_PRIORITY_ORDER, bucket,
                          "partial_checkpoint_complete of priority %" PRId32
                          " first|data of priority %" PRId32,
                          priority, bucket->priority);
    if (bucket->fetch == FETCH_MAYBE)
        wire_bucket_set_fetch(grammar, bucket, FETCH_SURE);
}

void wire_data_line(struct wire_grammar *grammar, const struct sync_line *line) {
    struct wire_bucket *bucket = wire_bucket_find(grammar, &line->bucket);
    check_rows(grammar, line);
    if (!check_place(grammar, line, bucket))
        return;
    check_priority(grammar, bucket);
    check_positions(grammar, line, bucket);
    check_op_ids(grammar, line, bucket);
    add_operations(bucket, line);
}
