#include "sync_line_print.h"

#include <assert.h>

static void print_text(struct buffer *out, const struct json_span *text) {
    assert(text->bytes);
    buffer_append_json_string(out, text->bytes, text->length);
}

static void print_optional_text(struct buffer *out, const char *key, const struct json_span *text) {
    if (!text->bytes)
        return;
    buffer_append_text(out, key);
    print_text(out, text);
}

static void print_decimal(struct buffer *out, const char *key, int64_t value) {
    if (value < 0)
        return;
    buffer_append_text(out, key);
    buffer_append_char(out, '"');
    buffer_append_integer(out, value);
    buffer_append_char(out, '"');
}

static void print_bucket(struct buffer *out, const struct sync_line *line, const struct sync_bucket *bucket) {
    buffer_append_text(out, "{\"bucket\":");
    print_text(out, &bucket->name);
    buffer_append_text(out, ",\"checksum\":");
    buffer_append_integer(out, (int32_t)bucket->checksum);
    if (bucket->count >= 0) {
        buffer_append_text(out, ",\"count\":");
        buffer_append_integer(out, bucket->count);
    }
    buffer_append_text(out, ",\"priority\":");
    buffer_append_integer(out, bucket->priority);
    buffer_append_text(out, ",\"subscriptions\":[");
    for (uint32_t i = 0; i < bucket->n_subscriptions; i++) {
        const struct sync_subscription *reason = &line->subscriptions[bucket->first_subscription + i];
        buffer_append_text(out, i > 0 ? "," : "");
        buffer_append_text(out, reason->is_default ? "{\"default\":" : "{\"sub\":");
        buffer_append_integer(out, reason->index);
        buffer_append_char(out, '}');
    }
    buffer_append_text(out, "]}");
}

static void print_buckets(struct buffer *out, const char *key, const struct sync_line *line) {
    buffer_append_text(out, key);
    for (size_t i = 0; i < line->n_buckets; i++) {
        buffer_append_text(out, i > 0 ? "," : "");
        print_bucket(out, line, &line->buckets[i]);
    }
    buffer_append_char(out, ']');
}

static void print_stream(struct buffer *out, const struct sync_stream *stream) {
    buffer_append_text(out, "{\"name\":");
    print_text(out, &stream->name);
    buffer_append_text(out, stream->is_default ? ",\"is_default\":true" : ",\"is_default\":false");
    buffer_append_text(out, ",\"errors\":[");
    for (uint32_t i = 0; i < stream->n_errors; i++)
        buffer_append_text(out, i > 0 ? ",{\"subscription\":0,\"message\":\"\"}"
                                      : "{\"subscription\":0,\"message\":\"\"}");
    buffer_append_text(out, "]}");
}

static void print_checkpoint(struct buffer *out, const struct sync_line *line) {
    print_decimal(out, "{\"last_op_id\":", line->last_op_id);
    print_decimal(out, ",\"write_checkpoint\":", line->write_checkpoint);
    print_buckets(out, ",\"buckets\":[", line);
    if (line->has_streams) {
        buffer_append_text(out, ",\"streams\":[");
        for (size_t i = 0; i < line->n_streams; i++) {
            buffer_append_text(out, i > 0 ? "," : "");
            print_stream(out, &line->streams[i]);
        }
        buffer_append_char(out, ']');
    }
    buffer_append_char(out, '}');
}

static void print_diff(struct buffer *out, const struct sync_line *line) {
    print_decimal(out, "{\"last_op_id\":", line->last_op_id);
    print_decimal(out, ",\"write_checkpoint\":", line->write_checkpoint);
    buffer_append_text(out, ",\"removed_buckets\":[");
    for (size_t i = 0; i < line->n_removed; i++) {
        buffer_append_text(out, i > 0 ? "," : "");
        print_text(out, &line->removed[i]);
    }
    print_buckets(out, "],\"updated_buckets\":[", line);
    buffer_append_char(out, '}');
}

static void print_operation(struct buffer *out, const struct sync_operation *operation) {
    static const char *const names[] = {"PUT", "REMOVE", "MOVE", "CLEAR"};
    print_decimal(out, "{\"op_id\":", operation->op_id);
    buffer_printf(out, ",\"op\":\"%s\"", names[operation->kind]);
    print_optional_text(out, ",\"object_type\":", &operation->object_type);
    print_optional_text(out, ",\"object_id\":", &operation->object_id);
    buffer_append_text(out, ",\"checksum\":");
    if (operation->checksum_negative)
        buffer_append_integer(out, (int32_t)operation->checksum);
    else
        buffer_append_integer(out, operation->checksum);
    print_optional_text(out, ",\"subkey\":", &operation->subkey);
    if (operation->data_form != SYNC_DATA_ABSENT)
        buffer_append_text(out, ",\"data\":");
    if (operation->data_form == SYNC_DATA_NULL)
        buffer_append_text(out, "null");
    if (operation->data_form == SYNC_DATA_TEXT) {
        buffer_append_char(out, '"');
        buffer_append(out, operation->data.bytes, operation->data.length);
        buffer_append_char(out, '"');
    }
    if (operation->data_form == SYNC_DATA_OBJECT)
        buffer_append(out, operation->data.bytes, operation->data.length);
    buffer_append_char(out, '}');
}

static void print_data(struct buffer *out, const struct sync_line *line) {
    print_optional_text(out, "{\"bucket\":", &line->bucket);
    print_decimal(out, ",\"after\":", line->after);
    buffer_append_text(out,
                       line->has_more ? ",\"has_more\":true,\"data\":[" : ",\"has_more\":false,\"data\":[");
    for (size_t i = 0; i < line->n_operations; i++) {
        buffer_append_text(out, i > 0 ? "," : "");
        print_operation(out, &line->operations[i]);
    }
    buffer_append_char(out, ']');
    print_decimal(out, ",\"next_after\":", line->next_after);
    buffer_append_char(out, '}');
}

void sync_line_print(struct buffer *out, const struct sync_line *line) {
    buffer_append_char(out, '{');
    print_text(out, &line->key);
    buffer_append_char(out, ':');
    switch (line->kind) {
    case SYNC_LINE_CHECKPOINT:
        print_checkpoint(out, line);
        break;
    case SYNC_LINE_CHECKPOINT_DIFF:
        print_diff(out, line);
        break;
    case SYNC_LINE_DATA:
        print_data(out, line);
        break;
    case SYNC_LINE_PARTIAL_CHECKPOINT_COMPLETE:
        print_decimal(out, "{\"last_op_id\":", line->last_op_id);
        buffer_append_text(out, ",\"priority\":");
        buffer_append_integer(out, line->priority);
        buffer_append_char(out, '}');
        break;
    case SYNC_LINE_CHECKPOINT_COMPLETE:
        print_decimal(out, "{\"last_op_id\":", line->last_op_id);
        buffer_append_char(out, '}');
        break;
    case SYNC_LINE_TOKEN_EXPIRES_IN:
        buffer_append_integer(out, line->token_expires_in);
        break;
    case SYNC_LINE_UNKNOWN:
        buffer_append_text(out, "null");
        break;
    }
    buffer_append_char(out, '}');
}
