#include "mock-powersync/stream/sync_line.h"

#include <assert.h>
#include <string.h>

static void text(struct line_writer *line, const char *key, const char *value) {
    line_text(line, key, value, strlen(value));
}

/* Checkpoints */

static void append_bucket(struct line_writer *line, const struct sync_line_bucket *bucket) {
    line_object(line, NULL);
    text(line, "bucket", bucket->name);
    line_number(line, "checksum", (int32_t)bucket->checksum); /* sums are signed, on the real wire, too */
    line_number(line, "count", (int64_t)bucket->count);
    assert(bucket->priority >= 0 && bucket->priority <= 3);
    line_number(line, "priority", bucket->priority);
    line_array(line, "subscriptions");
    for (size_t i = 0; i < bucket->n_reasons; i++) {
        const struct sync_line_reason *reason = &bucket->reasons[i];
        line_object(line, NULL);
        line_number(line, reason->is_default ? "default" : "sub", (int64_t)reason->index);
        line_close(line);
    }
    line_close(line);
    line_close(line);
}

static void append_buckets(struct line_writer *line, const char *key,
                           const struct sync_line_checkpoint *checkpoint) {
    line_array(line, key);
    for (size_t i = 0; i < checkpoint->n_buckets; i++)
        append_bucket(line, &checkpoint->buckets[i]);
    line_close(line);
}

static void append_stream(struct line_writer *line, const struct sync_line_stream *stream) {
    line_object(line, NULL);
    text(line, "name", stream->name);
    line_boolean(line, "is_default", stream->is_default);
    line_array(line, "errors");
    for (size_t i = 0; i < stream->n_errors; i++) {
        const struct sync_line_error *error = &stream->errors[i];
        line_object(line, NULL);
        if (error->subscription.is_default)
            text(line, "subscription", "default");
        else
            line_number(line, "subscription", (int64_t)error->subscription.index);
        text(line, "message", error->message);
        line_close(line);
    }
    line_close(line);
    line_close(line);
}

static void begin_checkpoint(struct line_writer *line, enum line_format format, struct buffer *out,
                             const char *kind, const struct sync_line_checkpoint *checkpoint) {
    line_begin(line, format, out);
    line_object(line, kind);
    line_id(line, "last_op_id", checkpoint->op_id);
    if (checkpoint->write_checkpoint != 0)
        line_id(line, "write_checkpoint", (uint64_t)checkpoint->write_checkpoint);
}

void sync_line_checkpoint(struct buffer *out, enum line_format format,
                          const struct sync_line_checkpoint *checkpoint) {
    struct line_writer line;
    begin_checkpoint(&line, format, out, "checkpoint", checkpoint);
    append_buckets(&line, "buckets", checkpoint);
    line_array(&line, "streams");
    for (size_t i = 0; i < checkpoint->n_streams; i++)
        append_stream(&line, &checkpoint->streams[i]);
    line_close(&line);
    line_close(&line);
    line_finish(&line);
}

void sync_line_diff(struct buffer *out, enum line_format format, const struct sync_line_checkpoint *diff) {
    struct line_writer line;
    begin_checkpoint(&line, format, out, "checkpoint_diff", diff);
    line_array(&line, "removed_buckets");
    for (size_t i = 0; i < diff->n_removed; i++)
        text(&line, NULL, diff->removed[i]);
    line_close(&line);
    append_buckets(&line, "updated_buckets", diff);
    line_close(&line);
    line_finish(&line);
}

/* Data */

static void append_data(struct line_writer *line, const struct bucket_operation *operation) {
    if (operation->kind != OPERATION_PUT)
        line_null(line, "data");
    else if (line->format == LINE_NDJSON_EMBEDDED)
        line_json(line, "data", operation->data, operation->data_length);
    else
        line_text(line, "data", operation->data, operation->data_length);
}

/* A row that is put or removed. */
static void append_row(struct line_writer *line, const struct bucket_operation *operation) {
    char subkey[37];
    operation_subkey(operation, subkey);
    text(line, "op", operation->kind == OPERATION_PUT ? "PUT" : "REMOVE");
    text(line, "object_type", operation_object_type(operation));
    text(line, "object_id", operation_object_id(operation));
    line_number(line, "checksum", operation->checksum);
    text(line, "subkey", subkey);
    append_data(line, operation);
}

/* What compaction left: a checksum, and no row. */
static void append_rest(struct line_writer *line, const struct bucket_operation *operation) {
    bool clear = operation->kind == OPERATION_CLEAR;
    text(line, "op", clear ? "CLEAR" : "MOVE");
    line_number(line, "checksum", clear ? (int64_t)(int32_t)operation->checksum : operation->checksum);
    if (line->format == LINE_NDJSON_EMBEDDED)
        line_null(line, "data");
}

static void append_operation(struct line_writer *line, const struct bucket_operation *operation) {
    line_object(line, NULL);
    line_id(line, "op_id", operation->op_id);
    if (operation->kind == OPERATION_PUT || operation->kind == OPERATION_REMOVE)
        append_row(line, operation);
    else
        append_rest(line, operation);
    line_close(line);
}

void sync_line_data(struct buffer *out, enum line_format format, const struct bucket *bucket, uint64_t after,
                    size_t first, size_t count, bool has_more) {
    assert(count > 0 && first + count <= bucket->count);
    assert(bucket->operations[first].op_id > after);
    struct line_writer line;
    line_begin(&line, format, out);
    line_object(&line, "data");
    text(&line, "bucket", bucket->name);
    line_id(&line, "after", after);
    line_boolean(&line, "has_more", has_more);
    line_array(&line, "data");
    for (size_t i = 0; i < count; i++)
        append_operation(&line, &bucket->operations[first + i]);
    line_close(&line);
    line_id(&line, "next_after", bucket->operations[first + count - 1].op_id);
    line_close(&line);
    line_finish(&line);
}

/* The others */

static void only_op_id(struct line_writer *line, enum line_format format, struct buffer *out,
                       const char *kind, uint64_t op_id) {
    line_begin(line, format, out);
    line_object(line, kind);
    line_id(line, "last_op_id", op_id);
}

void sync_line_partial(struct buffer *out, enum line_format format, uint64_t op_id, int priority) {
    struct line_writer line;
    assert(priority >= 0 && priority <= 3);
    only_op_id(&line, format, out, "partial_checkpoint_complete", op_id);
    line_number(&line, "priority", priority);
    line_close(&line);
    line_finish(&line);
}

void sync_line_complete(struct buffer *out, enum line_format format, uint64_t op_id) {
    struct line_writer line;
    only_op_id(&line, format, out, "checkpoint_complete", op_id);
    line_close(&line);
    line_finish(&line);
}

void sync_line_token_expires(struct buffer *out, enum line_format format, int64_t seconds) {
    struct line_writer line;
    assert(seconds >= 0);
    line_begin(&line, format, out);
    line_number(&line, "token_expires_in", seconds);
    line_finish(&line);
}
