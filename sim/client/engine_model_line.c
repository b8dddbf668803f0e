#include "client/engine_model_line.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* A member of an object of the protocol. In JSON an object may also be written as the array of its members'
 * values, in this order. (docs/known-differences.md: not in BSON.) */
struct field {
    const char *name;
    bool (*read)(struct model_line *line, void *target);
    bool required;
};

static bool is_named(struct json_span key, const char *name) {
    return strlen(name) == key.length && memcmp(name, key.bytes, key.length) == 0;
}

static bool missing(struct model_line *line, const struct field *fields, size_t n_fields, unsigned seen) {
    for (size_t i = 0; i < n_fields; i++)
        if (fields[i].required && (seen & 1U << i) == 0)
            return !cursor_fail(&line->cursor, "a field is missing");
    return false;
}

static bool read_member(struct model_line *line, const struct field *fields, size_t n_fields,
                        struct json_span key, unsigned *seen, void *target) {
    for (size_t i = 0; i < n_fields; i++) {
        if (!is_named(key, fields[i].name))
            continue;
        if ((*seen & 1U << i) != 0)
            return cursor_fail(&line->cursor, "a field is there twice");
        *seen |= 1U << i;
        return fields[i].read(line, target);
    }
    return cursor_skip(&line->cursor);
}

static bool read_object(struct model_line *line, const struct field *fields, size_t n_fields, void *target) {
    bool is_array = cursor_kind(&line->cursor) == CURSOR_ARRAY;
    struct json_span key = {0};
    unsigned seen = 0;
    size_t position = 0;
    bool escaped, more;

    if (is_array && line->cursor.binary)
        return cursor_fail(&line->cursor, "expected an object");
    if (!cursor_open(&line->cursor))
        return false;
    for (;; position++) {
        if (!cursor_next(&line->cursor, &key, &escaped, &more))
            return false;
        if (!more)
            return !missing(line, fields, n_fields, seen);
        if (is_array && position >= n_fields)
            return cursor_fail(&line->cursor, "too many values");
        if (is_array)
            key = (struct json_span){fields[position].name, strlen(fields[position].name)};
        if (!read_member(line, fields, n_fields, key, &seen, target))
            return false;
    }
}

#define READ_OBJECT(line, fields, target) read_object(line, fields, sizeof(fields) / sizeof *(fields), target)

/* Calls `item` for each value of an array. */
static bool read_list(struct model_line *line, bool (*item)(struct model_line *line, void *target),
                      void *target) {
    struct json_span key;
    bool escaped, more;

    if (cursor_kind(&line->cursor) != CURSOR_ARRAY)
        return cursor_fail(&line->cursor, "expected a list");
    if (!cursor_open(&line->cursor))
        return false;
    for (;;) {
        if (!cursor_next(&line->cursor, &key, &escaped, &more))
            return false;
        if (!more)
            return true;
        if (!item(line, target))
            return false;
    }
}

/* Decimal text of an int64, with a sign or without. */
static bool read_decimal(struct model_line *line, int64_t *value) {
    struct json_span text;
    bool negative;
    size_t i;
    int64_t sum = 0;

    if (!cursor_text(&line->cursor, &text))
        return false;
    negative = text.length > 0 && text.bytes[0] == '-';
    i = negative || (text.length > 0 && text.bytes[0] == '+');
    if (i == text.length)
        return cursor_fail(&line->cursor, "no decimal number");
    for (; i < text.length; i++) {
        int64_t digit = text.bytes[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, negative ? -digit : digit, &sum))
            return cursor_fail(&line->cursor, "no decimal number that fits");
    }
    *value = sum;
    return true;
}

static bool is_null(struct model_line *line) {
    return cursor_kind(&line->cursor) == CURSOR_NULL;
}

/* --- members of checkpoints --- */

static bool read_last_op(struct model_line *line, void *target) {
    (void)target;
    return read_decimal(line, &line->last_op);
}

static bool read_write_checkpoint(struct model_line *line, void *target) {
    (void)target;
    line->has_write_checkpoint = !is_null(line);
    return line->has_write_checkpoint ? read_decimal(line, &line->write_checkpoint)
                                      : cursor_null(&line->cursor);
}

static bool read_bucket_name(struct model_line *line, void *target) {
    return cursor_text(&line->cursor, &((struct line_bucket *)target)->name);
}

static bool read_bucket_checksum(struct model_line *line, void *target) {
    return cursor_checksum(&line->cursor, &((struct line_bucket *)target)->checksum);
}

static bool read_bucket_priority(struct model_line *line, void *target) {
    if (is_null(line))
        return cursor_null(&line->cursor);
    return cursor_integer(&line->cursor, 0, INT32_MAX - 1, &((struct line_bucket *)target)->priority);
}

static bool read_bucket_count(struct model_line *line, void *target) {
    if (is_null(line))
        return cursor_null(&line->cursor);
    return cursor_integer(&line->cursor, INT64_MIN, INT64_MAX, &((struct line_bucket *)target)->count);
}

/* An object with one key: {"default":0} or {"sub":0}. */
static bool read_reason(struct model_line *line, void *target) {
    struct line_bucket *bucket = target;
    struct line_reason reason;
    struct json_span key;
    bool escaped, more;

    if (cursor_kind(&line->cursor) != CURSOR_OBJECT)
        return cursor_fail(&line->cursor, "expected an object");
    if (!cursor_open(&line->cursor) || !cursor_next(&line->cursor, &key, &escaped, &more))
        return false;
    reason.is_default = more && is_named(key, "default");
    if (!more || (!reason.is_default && !is_named(key, "sub")))
        return cursor_fail(&line->cursor, "no reason for a bucket");
    if (!cursor_integer(&line->cursor, 0, INT64_MAX, &reason.index) ||
        !cursor_next(&line->cursor, &key, &escaped, &more))
        return false;
    if (more)
        return cursor_fail(&line->cursor, "two reasons in one");
    MEMORY_RESERVE(line->reasons, line->reasons_capacity, line->n_reasons + 1);
    line->reasons[line->n_reasons++] = reason;
    bucket->n_reasons++;
    return true;
}

static bool read_bucket_reasons(struct model_line *line, void *target) {
    return read_list(line, read_reason, target);
}

static bool read_bucket(struct model_line *line, void *target) {
    static const struct field fields[] = {{"bucket", read_bucket_name, true},
                                          {"checksum", read_bucket_checksum, true},
                                          {"priority", read_bucket_priority, false},
                                          {"count", read_bucket_count, false},
                                          {"subscriptions", read_bucket_reasons, false}};
    struct line_bucket bucket = {.priority = 3, .count = -1, .first_reason = line->n_reasons};

    (void)target;
    if (!READ_OBJECT(line, fields, &bucket))
        return false;
    MEMORY_RESERVE(line->buckets, line->buckets_capacity, line->n_buckets + 1);
    line->buckets[line->n_buckets++] = bucket;
    return true;
}

static bool read_buckets(struct model_line *line, void *target) {
    return read_list(line, read_bucket, target);
}

static bool read_removed_bucket(struct model_line *line, void *target) {
    struct json_span name;

    (void)target;
    if (!cursor_text(&line->cursor, &name))
        return false;
    MEMORY_RESERVE(line->removed, line->removed_capacity, line->n_removed + 1);
    line->removed[line->n_removed++] = name;
    return true;
}

static bool read_removed(struct model_line *line, void *target) {
    return read_list(line, read_removed_bucket, target);
}

static bool read_stream_name(struct model_line *line, void *target) {
    return cursor_text(&line->cursor, &((struct line_stream *)target)->name);
}

static bool read_stream_default(struct model_line *line, void *target) {
    return cursor_boolean(&line->cursor, &((struct line_stream *)target)->is_default);
}

static bool read_error_cause(struct model_line *line, void *target) {
    struct json_span text;
    int64_t index;

    (void)target;
    if (cursor_kind(&line->cursor) != CURSOR_TEXT)
        return cursor_integer(&line->cursor, 0, INT64_MAX, &index);
    if (!cursor_text(&line->cursor, &text))
        return false;
    return is_named(text, "default") || cursor_fail(&line->cursor, "no cause of an error");
}

static bool read_error_message(struct model_line *line, void *target) {
    struct json_span text;

    (void)target;
    return cursor_text(&line->cursor, &text);
}

static bool read_stream_error(struct model_line *line, void *target) {
    static const struct field fields[] = {{"subscription", read_error_cause, true},
                                          {"message", read_error_message, true}};

    return READ_OBJECT(line, fields, target);
}

static bool read_stream_errors(struct model_line *line, void *target) {
    return read_list(line, read_stream_error, target);
}

static bool read_stream(struct model_line *line, void *target) {
    static const struct field fields[] = {{"name", read_stream_name, true},
                                          {"is_default", read_stream_default, true},
                                          {"errors", read_stream_errors, true}};
    struct line_stream stream = {0};

    (void)target;
    if (!READ_OBJECT(line, fields, &stream))
        return false;
    MEMORY_RESERVE(line->streams, line->streams_capacity, line->n_streams + 1);
    line->streams[line->n_streams++] = stream;
    return true;
}

static bool read_streams(struct model_line *line, void *target) {
    return read_list(line, read_stream, target);
}

/* --- members of data lines --- */

static bool read_data_bucket(struct model_line *line, void *target) {
    (void)target;
    return cursor_text(&line->cursor, &line->bucket);
}

static bool read_checksum(struct model_line *line, void *target) {
    return cursor_checksum(&line->cursor, &((struct line_operation *)target)->checksum);
}

static bool read_op_id(struct model_line *line, void *target) {
    return read_decimal(line, &((struct line_operation *)target)->id);
}

static bool read_op(struct model_line *line, void *target) {
    static const char *const names[] = {
        [LINE_PUT] = "PUT", [LINE_REMOVE] = "REMOVE", [LINE_MOVE] = "MOVE", [LINE_CLEAR] = "CLEAR"};
    struct json_span text;

    if (!cursor_text(&line->cursor, &text))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (is_named(text, names[i])) {
            ((struct line_operation *)target)->kind = (enum line_operation_kind)i;
            return true;
        }
    }
    return cursor_fail(&line->cursor, "an unknown operation");
}

static bool read_optional_text(struct model_line *line, struct json_span *text) {
    return is_null(line) ? cursor_null(&line->cursor) : cursor_text(&line->cursor, text);
}

static bool read_object_id(struct model_line *line, void *target) {
    return read_optional_text(line, &((struct line_operation *)target)->row);
}

static bool read_object_type(struct model_line *line, void *target) {
    return read_optional_text(line, &((struct line_operation *)target)->type);
}

static bool read_subkey(struct model_line *line, void *target) {
    return read_optional_text(line, &((struct line_operation *)target)->subkey);
}

static bool read_row_data(struct model_line *line, void *target) {
    return read_optional_text(line, &((struct line_operation *)target)->data);
}

static bool read_operation(struct model_line *line, void *target) {
    static const struct field fields[] = {{"checksum", read_checksum, true},
                                          {"op_id", read_op_id, true},
                                          {"op", read_op, true},
                                          {"object_id", read_object_id, false},
                                          {"object_type", read_object_type, false},
                                          {"subkey", read_subkey, false},
                                          {"data", read_row_data, false}};
    struct line_operation operation = {0};

    (void)target;
    if (!READ_OBJECT(line, fields, &operation))
        return false;
    MEMORY_RESERVE(line->operations, line->operations_capacity, line->n_operations + 1);
    line->operations[line->n_operations++] = operation;
    return true;
}

static bool read_operations(struct model_line *line, void *target) {
    return read_list(line, read_operation, target);
}

/* --- lines --- */

static bool read_checkpoint(struct model_line *line) {
    static const struct field fields[] = {{"last_op_id", read_last_op, true},
                                          {"write_checkpoint", read_write_checkpoint, false},
                                          {"buckets", read_buckets, true},
                                          {"streams", read_streams, false}};

    return READ_OBJECT(line, fields, NULL);
}

static bool read_diff(struct model_line *line) {
    static const struct field fields[] = {{"last_op_id", read_last_op, true},
                                          {"updated_buckets", read_buckets, true},
                                          {"removed_buckets", read_removed, true},
                                          {"write_checkpoint", read_write_checkpoint, false}};

    return READ_OBJECT(line, fields, NULL);
}

static bool read_complete(struct model_line *line) {
    return read_object(line, NULL, 0, NULL);
}

static bool read_partial_priority(struct model_line *line, void *target) {
    (void)target;
    return cursor_integer(&line->cursor, 0, INT32_MAX - 1, &line->number);
}

static bool read_partial(struct model_line *line) {
    static const struct field fields[] = {{"priority", read_partial_priority, true}};

    return READ_OBJECT(line, fields, NULL);
}

static bool read_data(struct model_line *line) {
    static const struct field fields[] = {{"bucket", read_data_bucket, true},
                                          {"data", read_operations, true}};

    return READ_OBJECT(line, fields, NULL);
}

static bool read_keepalive(struct model_line *line) {
    return cursor_integer(&line->cursor, INT32_MIN, INT32_MAX, &line->number);
}

static bool read_body(struct model_line *line, struct json_span name) {
    static const struct {
        const char *name;
        enum line_kind kind;
        bool (*read)(struct model_line *line);
    } kinds[] = {{"checkpoint", LINE_CHECKPOINT, read_checkpoint},
                 {"checkpoint_diff", LINE_DIFF, read_diff},
                 {"checkpoint_complete", LINE_COMPLETE, read_complete},
                 {"partial_checkpoint_complete", LINE_PARTIAL, read_partial},
                 {"data", LINE_DATA, read_data},
                 {"token_expires_in", LINE_KEEPALIVE, read_keepalive}};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (is_named(name, kinds[i].name)) {
            line->kind = kinds[i].kind;
            return kinds[i].read(line);
        }
    }
    line->kind = LINE_UNKNOWN;
    return cursor_skip(&line->cursor);
}

/* An object with exactly one key, which is written without escapes. */
static bool read_line(struct model_line *line) {
    struct json_span name = {0};
    bool escaped, more;

    if (cursor_kind(&line->cursor) != CURSOR_OBJECT)
        return cursor_fail(&line->cursor, "a line is an object");
    if (!cursor_open(&line->cursor) || !cursor_next(&line->cursor, &name, &escaped, &more))
        return false;
    if (!more || escaped)
        return cursor_fail(&line->cursor, "a line has one key");
    if (!read_body(line, name))
        return false;
    if (line->cursor.binary) /* the core looks no further */
        return true;
    if (!cursor_next(&line->cursor, &name, &escaped, &more))
        return false;
    if (more)
        return cursor_fail(&line->cursor, "a line has one key");
    return cursor_finish(&line->cursor);
}

static void reset(struct model_line *line) {
    line->has_write_checkpoint = false;
    line->n_buckets = 0;
    line->n_reasons = 0;
    line->n_removed = 0;
    line->n_streams = 0;
    line->n_operations = 0;
}

enum status model_line_read(struct model_line *line, const void *bytes, size_t length, bool binary,
                            struct error *error) {
    reset(line);
    MEMORY_RESERVE(line->scratch.data, line->scratch.capacity, length + 1);
    cursor_start(&line->cursor, bytes, length, binary, line->scratch.data);
    if (read_line(line))
        return STATUS_OK;
    return error_set(error, STATUS_INVALID, "Sync protocol error: invalid %s line: %s",
                     binary ? "binary" : "text", line->cursor.reason);
}

void model_line_free(struct model_line *line) {
    free(line->buckets);
    free(line->reasons);
    free(line->removed);
    free(line->streams);
    free(line->operations);
    buffer_free(&line->scratch);
}
