#include "check/sync_line.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/memory.h"

/* What is being read: the cursor, the parser's arrays and how much of each this line has filled. */
struct reading {
    struct json_scan scan; /* first */
    struct sync_line_parser *parser;
    struct sync_line *line;
    size_t scratch_used;
};

/* An object with known fields. Fields are listed in the order in which the service writes them, which makes
 * finding the next one cheap; any order is accepted. Other fields are skipped, as the client core does. */
struct field {
    const char *name;
    size_t length;
    const char *missing; /* reason when it is absent; NULL: optional */
};

struct shape {
    const struct field *fields;
    unsigned n_fields;
    bool (*read)(struct reading *reading, unsigned field, void *into);
};

#define REQUIRED(name)                                                                                       \
    { name, sizeof(name) - 1, "no " name }
#define OPTIONAL(name)                                                                                       \
    { name, sizeof(name) - 1, NULL }
#define SHAPE(fields, read)                                                                                  \
    { fields, sizeof(fields) / sizeof(fields)[0], read }

/* --- texts --- */

/* Scratch memory of the whole line's length is there before the first text goes in: a text never gets longer
 * when it is unescaped, so slices of scratch memory stay where they are while the line is read. */
static char *scratch_for(struct reading *reading, size_t length) {
    struct sync_line_parser *parser = reading->parser;
    size_t needed = (size_t)(reading->scan.end - reading->scan.start);
    assert(reading->scratch_used + length <= needed);
    if (parser->scratch_capacity < needed) {
        assert(reading->scratch_used == 0);
        free(parser->scratch);
        parser->scratch = memory_allocate(needed);
        parser->scratch_capacity = needed;
    }
    return parser->scratch + reading->scratch_used;
}

static bool read_text(struct reading *reading, struct json_span *text, const char *reason) {
    bool escaped;
    struct json_span inside;
    if (!json_scan_string(&reading->scan, &inside, &escaped, reason))
        return false;
    *text = inside;
    if (escaped) {
        char *from = scratch_for(reading, inside.length);
        char *end = json_scan_unescape(from, inside.bytes, inside.length);
        assert((size_t)(end - from) <= inside.length);
        *text = (struct json_span){from, (size_t)(end - from)};
        reading->scratch_used += text->length;
    }
    return true;
}

static bool is_null(struct reading *reading) {
    return json_scan_peek(&reading->scan) == 'n';
}

static bool read_null(struct reading *reading) {
    return json_scan_literal(&reading->scan, "null");
}

/* Absent and null mean the same to the client core. */
static bool read_optional_text(struct reading *reading, struct json_span *text, const char *reason) {
    return is_null(reading) ? read_null(reading) : read_text(reading, text, reason);
}

static bool read_bool(struct reading *reading, bool *value) {
    *value = json_scan_peek(&reading->scan) == 't';
    return json_scan_literal(&reading->scan, *value ? "true" : "false");
}

/* Op ids and write checkpoints: a string of decimal digits, 64 bits, no sign, no leading zero (an integer is
 * refused by the client core). */
static bool read_decimal(struct reading *reading, int64_t *value, const char *reason) {
    struct json_span text;
    bool escaped;
    if (!json_scan_string(&reading->scan, &text, &escaped, reason))
        return false;
    int64_t sum = 0;
    bool good = text.length > 0 && text.length <= 19 && (text.length == 1 || text.bytes[0] != '0');
    for (size_t i = 0; good && i < text.length; i++) {
        int digit = text.bytes[i] - '0';
        good = digit >= 0 && digit <= 9 && sum <= (INT64_MAX - digit) / 10;
        if (good)
            sum = sum * 10 + digit;
    }
    if (!good) {
        reading->scan.at = text.bytes;
        return json_scan_fail(&reading->scan, reason);
    }
    *value = sum;
    return true;
}

/* u32, or negative i32, or a double that is whole: sums are announced signed, and may come out of JavaScript.
 */
static bool read_checksum(struct reading *reading, uint32_t *checksum, bool *negative) {
    int64_t value;
    if (!json_scan_whole(&reading->scan, INT32_MIN, UINT32_MAX, &value,
                         "a checksum must be a whole 32-bit number"))
        return false;
    *checksum = (uint32_t)(value & UINT32_MAX);
    *negative = value < 0;
    return true;
}

/* --- objects and lists --- */

static bool field_is(const struct field *field, const struct json_span *key) {
    return field->length == key->length && memcmp(field->name, key->bytes, key->length) == 0;
}

/* Index of the field called `key`, tried from `guess` on; n_fields when there is none. */
static unsigned find_field(const struct shape *shape, unsigned guess, const struct json_span *key) {
    for (unsigned i = 0, at = guess; i < shape->n_fields; i++, at++) {
        if (at >= shape->n_fields)
            at = 0;
        if (field_is(&shape->fields[at], key))
            return at;
    }
    return shape->n_fields;
}

static bool read_key(struct reading *reading, struct json_span *key) {
    return read_text(reading, key, "expected a key") &&
           json_scan_take(&reading->scan, ':', "expected a colon");
}

static bool check_missing(struct reading *reading, const struct shape *shape, unsigned seen) {
    for (unsigned i = 0; i < shape->n_fields; i++)
        if (!(seen & 1u << i) && shape->fields[i].missing)
            return json_scan_fail(&reading->scan, shape->fields[i].missing);
    return true;
}

static bool read_object(struct reading *reading, const struct shape *shape, void *into) {
    unsigned seen = 0;
    unsigned guess = 0;
    bool first = true;
    bool more;
    assert(shape->n_fields < 32);
    if (!json_scan_open(&reading->scan, '{', "expected an object"))
        return false;
    for (;;) {
        struct json_span key;
        if (!json_scan_next(&reading->scan, '}', &first, &more))
            return false;
        if (!more)
            return check_missing(reading, shape, seen);
        if (!read_key(reading, &key))
            return false;
        unsigned field = find_field(shape, guess, &key);
        if (field == shape->n_fields) {
            if (!json_scan_skip(&reading->scan))
                return false;
            continue;
        }
        if (seen & 1u << field)
            return json_scan_fail(&reading->scan, "a field is there twice");
        seen |= 1u << field;
        guess = field + 1;
        if (!shape->read(reading, field, into))
            return false;
    }
}

/* Call `element` for each element of an array. */
static bool read_list(struct reading *reading, bool (*element)(struct reading *reading, void *into),
                      void *into) {
    bool first = true;
    bool more;
    if (!json_scan_open(&reading->scan, '[', "expected a list"))
        return false;
    for (;;) {
        if (!json_scan_next(&reading->scan, ']', &first, &more))
            return false;
        if (!more)
            return true;
        if (!element(reading, into))
            return false;
    }
}

/* --- buckets of a checkpoint --- */

/* {"default": i} or {"sub": i} */
enum { REASON_DEFAULT, REASON_SUB };
static const struct field reason_fields[] = {OPTIONAL("default"), OPTIONAL("sub")};

static bool read_reason_field(struct reading *reading, unsigned field, void *into) {
    struct sync_subscription *subscription = into;
    int64_t index;
    if (subscription->index != UINT32_MAX)
        return json_scan_fail(&reading->scan, "a subscription is either default or sub");
    if (!json_scan_integer(&reading->scan, 0, INT32_MAX, &index, "a subscription must be an index"))
        return false;
    *subscription =
        (struct sync_subscription){.is_default = field == REASON_DEFAULT, .index = (uint32_t)index};
    return true;
}

static const struct shape reason_shape = SHAPE(reason_fields, read_reason_field);

static bool read_reason(struct reading *reading, void *into) {
    struct sync_bucket *bucket = into;
    struct sync_line_parser *parser = reading->parser;
    struct sync_subscription subscription = {.index = UINT32_MAX};
    if (!read_object(reading, &reason_shape, &subscription))
        return false;
    if (subscription.index == UINT32_MAX)
        return json_scan_fail(&reading->scan, "a subscription is neither default nor sub");
    size_t n = reading->line->n_subscriptions++;
    MEMORY_RESERVE(parser->subscriptions, parser->subscriptions_capacity, n + 1);
    parser->subscriptions[n] = subscription;
    bucket->n_subscriptions++;
    return true;
}

enum { BUCKET_NAME, BUCKET_CHECKSUM, BUCKET_COUNT, BUCKET_PRIORITY, BUCKET_SUBSCRIPTIONS };
static const struct field bucket_fields[] = {REQUIRED("bucket"), REQUIRED("checksum"), OPTIONAL("count"),
                                             OPTIONAL("priority"), OPTIONAL("subscriptions")};

static bool read_bucket_field(struct reading *reading, unsigned field, void *into) {
    struct sync_bucket *bucket = into;
    struct json_scan *scan = &reading->scan;
    int64_t priority;
    bool negative;
    switch (field) {
    case BUCKET_NAME:
        return read_text(reading, &bucket->name, "a bucket's name must be a string");
    case BUCKET_CHECKSUM:
        return read_checksum(reading, &bucket->checksum, &negative);
    case BUCKET_COUNT:
        return json_scan_integer(scan, 0, INT64_MAX, &bucket->count, "a count must be a whole number from 0");
    case BUCKET_PRIORITY:
        if (!json_scan_integer(scan, 0, INT32_MAX, &priority, "a priority must be a whole number from 0"))
            return false;
        bucket->priority = (int32_t)priority;
        return true;
    default:
        assert(field == BUCKET_SUBSCRIPTIONS);
        return read_list(reading, read_reason, bucket);
    }
}

static const struct shape bucket_shape = SHAPE(bucket_fields, read_bucket_field);

static bool read_bucket(struct reading *reading, void *into) {
    (void)into;
    struct sync_line_parser *parser = reading->parser;
    struct sync_bucket bucket = {
        .count = -1, .priority = 3, .first_subscription = (uint32_t)reading->line->n_subscriptions};
    if (!read_object(reading, &bucket_shape, &bucket))
        return false;
    size_t n = reading->line->n_buckets++;
    MEMORY_RESERVE(parser->buckets, parser->buckets_capacity, n + 1);
    parser->buckets[n] = bucket;
    return true;
}

static bool read_removed(struct reading *reading, void *into) {
    (void)into;
    struct sync_line_parser *parser = reading->parser;
    struct json_span name = {0};
    if (!read_text(reading, &name, "a bucket's name must be a string"))
        return false;
    size_t n = reading->line->n_removed++;
    MEMORY_RESERVE(parser->removed, parser->removed_capacity, n + 1);
    parser->removed[n] = name;
    return true;
}

/* --- streams of a checkpoint --- */

enum { ERROR_SUBSCRIPTION, ERROR_MESSAGE };
static const struct field error_fields[] = {REQUIRED("subscription"), REQUIRED("message")};

static bool read_error_field(struct reading *reading, unsigned field, void *into) {
    (void)into;
    struct json_span text;
    int64_t index;
    if (field == ERROR_MESSAGE)
        return read_text(reading, &text, "an error's message must be a string");
    if (json_scan_peek(&reading->scan) != '"')
        return json_scan_integer(&reading->scan, 0, INT32_MAX, &index, "an error's subscription is an index");
    if (!read_text(reading, &text, "expected a string"))
        return false;
    return (text.length == 7 && memcmp(text.bytes, "default", 7) == 0) ||
           json_scan_fail(&reading->scan, "an error's subscription is an index or default");
}

static const struct shape error_shape = SHAPE(error_fields, read_error_field);

static bool read_stream_error(struct reading *reading, void *into) {
    struct sync_stream *stream = into;
    stream->n_errors++;
    return read_object(reading, &error_shape, NULL);
}

enum { STREAM_NAME, STREAM_IS_DEFAULT, STREAM_ERRORS };
static const struct field stream_fields[] = {REQUIRED("name"), REQUIRED("is_default"), OPTIONAL("errors")};

static bool read_stream_field(struct reading *reading, unsigned field, void *into) {
    struct sync_stream *stream = into;
    switch (field) {
    case STREAM_NAME:
        return read_text(reading, &stream->name, "a stream's name must be a string");
    case STREAM_IS_DEFAULT:
        return read_bool(reading, &stream->is_default);
    default:
        assert(field == STREAM_ERRORS);
        return read_list(reading, read_stream_error, stream);
    }
}

static const struct shape stream_shape = SHAPE(stream_fields, read_stream_field);

static bool read_stream(struct reading *reading, void *into) {
    (void)into;
    struct sync_line_parser *parser = reading->parser;
    struct sync_stream stream = {0};
    if (!read_object(reading, &stream_shape, &stream))
        return false;
    size_t n = reading->line->n_streams++;
    MEMORY_RESERVE(parser->streams, parser->streams_capacity, n + 1);
    parser->streams[n] = stream;
    return true;
}

/* --- operations --- */

static const char *const operation_names[] = {"PUT", "REMOVE", "MOVE", "CLEAR"};

static bool read_operation_kind(struct reading *reading, enum sync_operation_kind *kind) {
    struct json_span text;
    if (!read_text(reading, &text, "op must be a string"))
        return false;
    for (unsigned i = 0; i < sizeof operation_names / sizeof operation_names[0]; i++)
        if (strlen(operation_names[i]) == text.length &&
            memcmp(operation_names[i], text.bytes, text.length) == 0) {
            *kind = (enum sync_operation_kind)i;
            return true;
        }
    return json_scan_fail(&reading->scan, "op must be PUT, REMOVE, MOVE or CLEAR");
}

static bool read_row_data(struct reading *reading, struct sync_operation *operation) {
    struct json_scan *scan = &reading->scan;
    switch (json_scan_peek(scan)) {
    case 'n':
        operation->data_form = SYNC_DATA_NULL;
        return read_null(reading);
    case '"':
        operation->data_form = SYNC_DATA_TEXT;
        return json_scan_string(scan, &operation->data, &operation->data_escaped, "data must be a string");
    case '{':
        operation->data_form = SYNC_DATA_OBJECT;
        operation->data.bytes = scan->at;
        /* White space inside of row data is the row's business, not the line's. */
        bool spaced = scan->spaced;
        if (!json_scan_skip(scan))
            return false;
        scan->spaced = spaced;
        operation->data.length = (size_t)(scan->at - operation->data.bytes);
        return true;
    default:
        return json_scan_fail(scan, "data must be a string, an object or null");
    }
}

enum { OP_ID, OP_KIND, OP_TYPE, OP_OBJECT, OP_CHECKSUM, OP_SUBKEY, OP_DATA };
static const struct field operation_fields[] = {
    REQUIRED("op_id"),    REQUIRED("op"),     OPTIONAL("object_type"), OPTIONAL("object_id"),
    REQUIRED("checksum"), OPTIONAL("subkey"), OPTIONAL("data")};

static bool read_operation_field(struct reading *reading, unsigned field, void *into) {
    struct sync_operation *operation = into;
    switch (field) {
    case OP_ID:
        return read_decimal(reading, &operation->op_id, "op_id must be a string of decimal digits");
    case OP_KIND:
        return read_operation_kind(reading, &operation->kind);
    case OP_TYPE:
        return read_optional_text(reading, &operation->object_type, "object_type must be a string");
    case OP_OBJECT:
        return read_optional_text(reading, &operation->object_id, "object_id must be a string");
    case OP_CHECKSUM:
        return read_checksum(reading, &operation->checksum, &operation->checksum_negative);
    case OP_SUBKEY:
        return read_optional_text(reading, &operation->subkey, "subkey must be a string");
    default:
        assert(field == OP_DATA);
        return read_row_data(reading, operation);
    }
}

static const struct shape operation_shape = SHAPE(operation_fields, read_operation_field);

static bool read_operation(struct reading *reading, void *into) {
    (void)into;
    struct sync_line_parser *parser = reading->parser;
    size_t n = reading->line->n_operations++;
    MEMORY_RESERVE(parser->operations, parser->operations_capacity, n + 1);
    struct sync_operation *operation = &parser->operations[n];
    memset(operation, 0, sizeof *operation);
    return read_object(reading, &operation_shape, operation);
}

/* --- lines --- */

#define LAST_OP_ID_REASON "last_op_id must be a string of decimal digits"

static bool read_write_checkpoint(struct reading *reading) {
    if (is_null(reading))
        return read_null(reading);
    return read_decimal(reading, &reading->line->write_checkpoint,
                        "write_checkpoint must be a string of decimal digits");
}

enum { CHECKPOINT_LAST_OP_ID, CHECKPOINT_WRITE, CHECKPOINT_BUCKETS, CHECKPOINT_STREAMS };
static const struct field checkpoint_fields[] = {REQUIRED("last_op_id"), OPTIONAL("write_checkpoint"),
                                                 REQUIRED("buckets"), OPTIONAL("streams")};

static bool read_checkpoint_field(struct reading *reading, unsigned field, void *into) {
    struct sync_line *line = into;
    switch (field) {
    case CHECKPOINT_LAST_OP_ID:
        return read_decimal(reading, &line->last_op_id, LAST_OP_ID_REASON);
    case CHECKPOINT_WRITE:
        return read_write_checkpoint(reading);
    case CHECKPOINT_BUCKETS:
        return read_list(reading, read_bucket, NULL);
    default:
        assert(field == CHECKPOINT_STREAMS);
        line->has_streams = true;
        return read_list(reading, read_stream, NULL);
    }
}

static const struct shape checkpoint_shape = SHAPE(checkpoint_fields, read_checkpoint_field);

enum { DIFF_LAST_OP_ID, DIFF_WRITE, DIFF_REMOVED, DIFF_UPDATED };
static const struct field diff_fields[] = {REQUIRED("last_op_id"), OPTIONAL("write_checkpoint"),
                                           REQUIRED("removed_buckets"), REQUIRED("updated_buckets")};

static bool read_diff_field(struct reading *reading, unsigned field, void *into) {
    struct sync_line *line = into;
    switch (field) {
    case DIFF_LAST_OP_ID:
        return read_decimal(reading, &line->last_op_id, LAST_OP_ID_REASON);
    case DIFF_WRITE:
        return read_write_checkpoint(reading);
    case DIFF_REMOVED:
        return read_list(reading, read_removed, NULL);
    default:
        assert(field == DIFF_UPDATED);
        return read_list(reading, read_bucket, NULL);
    }
}

static const struct shape diff_shape = SHAPE(diff_fields, read_diff_field);

enum { DATA_BUCKET, DATA_AFTER, DATA_HAS_MORE, DATA_OPERATIONS, DATA_NEXT_AFTER };
static const struct field data_fields[] = {REQUIRED("bucket"), OPTIONAL("after"), OPTIONAL("has_more"),
                                           REQUIRED("data"), OPTIONAL("next_after")};

static bool read_data_field(struct reading *reading, unsigned field, void *into) {
    struct sync_line *line = into;
    switch (field) {
    case DATA_BUCKET:
        return read_text(reading, &line->bucket, "a bucket's name must be a string");
    case DATA_AFTER:
        return read_decimal(reading, &line->after, "after must be a string of decimal digits");
    case DATA_HAS_MORE:
        return read_bool(reading, &line->has_more);
    case DATA_OPERATIONS:
        return read_list(reading, read_operation, NULL);
    default:
        assert(field == DATA_NEXT_AFTER);
        return read_decimal(reading, &line->next_after, "next_after must be a string of decimal digits");
    }
}

static const struct shape data_shape = SHAPE(data_fields, read_data_field);

/* checkpoint_complete has the first field only. */
enum { COMPLETE_LAST_OP_ID, COMPLETE_PRIORITY };
static const struct field partial_fields[] = {REQUIRED("last_op_id"), REQUIRED("priority")};

static bool read_complete_field(struct reading *reading, unsigned field, void *into) {
    struct sync_line *line = into;
    int64_t priority;
    if (field == COMPLETE_LAST_OP_ID)
        return read_decimal(reading, &line->last_op_id, LAST_OP_ID_REASON);
    assert(field == COMPLETE_PRIORITY);
    if (!json_scan_integer(&reading->scan, 0, INT32_MAX, &priority,
                           "a priority must be a whole number from 0"))
        return false;
    line->priority = (int32_t)priority;
    return true;
}

static const struct shape partial_shape = SHAPE(partial_fields, read_complete_field);
static const struct shape complete_shape = {partial_fields, 1, read_complete_field};

static bool read_token_expiry(struct reading *reading) {
    int64_t seconds;
    if (!json_scan_integer(&reading->scan, INT32_MIN, INT32_MAX, &seconds,
                           "token_expires_in must be a whole number of seconds"))
        return false;
    reading->line->token_expires_in = (int32_t)seconds;
    return true;
}

/* In the order of enum sync_line_kind. */
static const struct {
    const char *key;
    const struct shape *shape;
} line_kinds[] = {
    {"checkpoint", &checkpoint_shape},
    {"checkpoint_diff", &diff_shape},
    {"data", &data_shape},
    {"partial_checkpoint_complete", &partial_shape},
    {"checkpoint_complete", &complete_shape},
    {"token_expires_in", NULL},
};

static enum sync_line_kind kind_of(const struct json_span *key) {
    unsigned kind = 0;
    while (kind < SYNC_LINE_UNKNOWN && (strlen(line_kinds[kind].key) != key->length ||
                                        memcmp(line_kinds[kind].key, key->bytes, key->length) != 0))
        kind++;
    return (enum sync_line_kind)kind;
}

static bool read_content(struct reading *reading) {
    struct sync_line *line = reading->line;
    line->kind = kind_of(&line->key);
    if (line->kind == SYNC_LINE_UNKNOWN)
        return json_scan_skip(&reading->scan);
    if (line->kind == SYNC_LINE_TOKEN_EXPIRES_IN)
        return read_token_expiry(reading);
    return read_object(reading, line_kinds[line->kind].shape, line);
}

static bool read_line(struct reading *reading) {
    struct json_scan *scan = &reading->scan;
    bool first = true;
    bool more;
    if (!json_scan_open(scan, '{', "expected an object") || !json_scan_next(scan, '}', &first, &more))
        return false;
    if (!more)
        return json_scan_fail(scan, "an object without a key");
    if (!read_key(reading, &reading->line->key) || !read_content(reading) ||
        !json_scan_next(scan, '}', &first, &more))
        return false;
    if (more)
        return json_scan_fail(scan, "more than one key");
    return json_scan_finish(scan);
}

enum status sync_line_parse(struct sync_line_parser *parser, const char *bytes, size_t length,
                            struct sync_line *line, struct error *error) {
    struct reading reading = {.parser = parser, .line = line};
    json_scan_start(&reading.scan, bytes, length);
    *line = (struct sync_line){.write_checkpoint = -1, .after = -1, .next_after = -1};
    if (!read_line(&reading)) {
        assert(reading.scan.reason);
        parser->reason = reading.scan.reason;
        parser->offset = (size_t)(reading.scan.at - reading.scan.start);
        assert(parser->offset <= length);
        int column = parser->offset < INT32_MAX ? (int)parser->offset + 1 : INT32_MAX;
        return error ? error_set_at(error, STATUS_INVALID, "", 1, column, "%s", parser->reason)
                     : STATUS_INVALID;
    }
    assert(reading.scan.depth == 0 && !reading.scan.reason);
    line->spaced = reading.scan.spaced;
    line->buckets = parser->buckets;
    line->removed = parser->removed;
    line->subscriptions = parser->subscriptions;
    line->streams = parser->streams;
    line->operations = parser->operations;
    return STATUS_OK;
}

void sync_line_parser_free(struct sync_line_parser *parser) {
    free(parser->buckets);
    free(parser->removed);
    free(parser->subscriptions);
    free(parser->streams);
    free(parser->operations);
    free(parser->scratch);
    memset(parser, 0, sizeof *parser);
}

/* --- texts and lines --- */

void sync_text_unescape(struct buffer *out, const char *bytes, size_t length) {
    if (length == 0)
        return;
    size_t used = out->length;
    buffer_append(out, bytes, length); /* makes room, and is right when there is no escape */
    char *end = json_scan_unescape(out->data + used, bytes, length);
    out->length = (size_t)(end - out->data);
    out->data[out->length] = '\0';
}

bool sync_text_is_object(const char *bytes, size_t length) {
    struct json_scan scan;
    json_scan_start(&scan, bytes, length);
    return json_scan_peek(&scan) == '{' && json_scan_skip(&scan) && json_scan_finish(&scan);
}

void sync_line_split(struct sync_line_splitter *splitter, const void *bytes, size_t length,
                     void (*line)(void *context, const char *bytes, size_t length), void *context) {
    struct buffer *rest = &splitter->rest;
    size_t limit = splitter->limit ? splitter->limit : SYNC_LINE_LENGTH;
    const char *at = bytes;
    while (length > 0) {
        assert(rest->length < limit);
        size_t room = limit - rest->length < length ? limit - rest->length : length;
        const char *newline = memchr(at, '\n', room);
        size_t piece = newline ? (size_t)(newline - at) : room;
        bool ends = newline || rest->length + piece == limit;
        if (!ends || rest->length > 0)
            buffer_append(rest, at, piece);
        if (ends && rest->length > 0)
            line(context, rest->data, rest->length);
        else if (ends)
            line(context, at, piece);
        if (ends)
            buffer_clear(rest);
        at += piece + (newline != NULL);
        length -= piece + (newline != NULL);
    }
}

void sync_line_splitter_free(struct sync_line_splitter *splitter) {
    buffer_free(&splitter->rest);
}
