#include "mock-powersync/stream/sync_line.h"

#include <assert.h>
#include <inttypes.h>

/* Op ids and write checkpoints travel as decimal texts. */
static void append_id(struct buffer *out, uint64_t id) {
    buffer_append_char(out, '"');
    buffer_append_integer(out, (int64_t)id);
    buffer_append_char(out, '"');
}

void sync_line_bucket_append(struct buffer *out, const struct sync_line_bucket *bucket) {
    buffer_append_text(out, "{\"bucket\":");
    buffer_append_json_text(out, bucket->name);
    buffer_append_text(out, ",\"checksum\":");
    buffer_append_integer(out, (int32_t)bucket->checksum);
    buffer_append_text(out, ",\"count\":");
    buffer_append_integer(out, (int64_t)bucket->count);
    buffer_append_text(out, ",\"priority\":");
    buffer_append_integer(out, bucket->priority);
    buffer_append_text(out, ",\"subscriptions\":");
    buffer_append_text(out, bucket->subscriptions);
    buffer_append_char(out, '}');
}

static void append_head(struct buffer *out, uint64_t op_id, int64_t write_checkpoint) {
    buffer_append_text(out, "{\"last_op_id\":");
    append_id(out, op_id);
    if (write_checkpoint != 0) {
        buffer_append_text(out, ",\"write_checkpoint\":");
        append_id(out, (uint64_t)write_checkpoint);
    }
}

void sync_line_checkpoint(struct buffer *out, uint64_t op_id, int64_t write_checkpoint, const char *buckets,
                          const char *streams) {
    buffer_append_text(out, "{\"checkpoint\":");
    append_head(out, op_id, write_checkpoint);
    buffer_append_text(out, ",\"buckets\":[");
    buffer_append_text(out, buckets);
    buffer_append_text(out, "],\"streams\":[");
    buffer_append_text(out, streams);
    buffer_append_text(out, "]}}\n");
}

void sync_line_diff(struct buffer *out, uint64_t op_id, int64_t write_checkpoint, const char *updated) {
    buffer_append_text(out, "{\"checkpoint_diff\":");
    append_head(out, op_id, write_checkpoint);
    buffer_append_text(out, ",\"removed_buckets\":[],\"updated_buckets\":[");
    buffer_append_text(out, updated);
    buffer_append_text(out, "]}}\n");
}

static void append_operation(struct buffer *out, const struct bucket_operation *operation, bool raw) {
    buffer_append_text(out, "{\"op_id\":");
    append_id(out, operation->op_id);
    if (operation->kind == OPERATION_MOVE || operation->kind == OPERATION_CLEAR) {
        buffer_append_text(out, operation->kind == OPERATION_MOVE ? ",\"op\":\"MOVE\",\"checksum\":"
                                                                  : ",\"op\":\"CLEAR\",\"checksum\":");
        buffer_append_integer(out, operation->checksum);
        buffer_append_text(out, raw ? "}" : ",\"data\":null}");
        return;
    }
    bool put = operation->kind == OPERATION_PUT;
    char subkey[37];
    operation_subkey(operation, subkey);
    buffer_append_text(out, put ? ",\"op\":\"PUT\",\"object_type\":" : ",\"op\":\"REMOVE\",\"object_type\":");
    buffer_append_json_text(out, operation_object_type(operation));
    buffer_append_text(out, ",\"object_id\":");
    buffer_append_json_text(out, operation_object_id(operation));
    buffer_append_text(out, ",\"checksum\":");
    buffer_append_integer(out, operation->checksum);
    buffer_append_text(out, ",\"subkey\":\"");
    buffer_append_text(out, subkey);
    buffer_append_text(out, "\",\"data\":");
    if (!put)
        buffer_append_text(out, "null");
    else if (raw)
        buffer_append_json_string(out, operation->data, operation->data_length);
    else
        buffer_append(out, operation->data, operation->data_length);
    buffer_append_char(out, '}');
}

void sync_line_data(struct buffer *out, const struct bucket *bucket, uint64_t after, size_t first,
                    size_t count, bool has_more, bool raw) {
    assert(count > 0 && first + count <= bucket->count);
    assert(bucket->operations[first].op_id > after);
    buffer_append_text(out, "{\"data\":{\"bucket\":");
    buffer_append_json_text(out, bucket->name);
    buffer_append_text(out, ",\"after\":");
    append_id(out, after);
    buffer_append_text(out, has_more ? ",\"has_more\":true,\"data\":[" : ",\"has_more\":false,\"data\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_char(out, ',');
        append_operation(out, &bucket->operations[first + i], raw);
    }
    buffer_append_text(out, "],\"next_after\":");
    append_id(out, bucket->operations[first + count - 1].op_id);
    buffer_append_text(out, "}}\n");
}

void sync_line_partial(struct buffer *out, uint64_t op_id, int priority) {
    buffer_append_text(out, "{\"partial_checkpoint_complete\":{\"last_op_id\":");
    append_id(out, op_id);
    assert(priority >= 0 && priority <= 3);
    buffer_printf(out, ",\"priority\":%d}}\n", priority);
}

void sync_line_complete(struct buffer *out, uint64_t op_id) {
    buffer_append_text(out, "{\"checkpoint_complete\":{\"last_op_id\":");
    append_id(out, op_id);
    buffer_append_text(out, "}}\n");
}

void sync_line_token_expires(struct buffer *out, int64_t seconds) {
    assert(seconds >= 0);
    buffer_printf(out, "{\"token_expires_in\":%" PRId64 "}\n", seconds);
}
