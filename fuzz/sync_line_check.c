#include "sync_line_check.h"

#include <assert.h>
#include <string.h>

#include "sync_line_print.h"

/* A text is a slice of the input or of the parser's scratch memory. */
static void check_text(const struct sync_line_parser *parser, struct json_span text, const char *bytes,
                       size_t length) {
    if (!text.bytes)
        return;
    bool in_input = text.bytes >= bytes && text.bytes + text.length <= bytes + length;
    bool in_scratch = parser->scratch && text.bytes >= parser->scratch &&
                      text.bytes + text.length <= parser->scratch + parser->scratch_capacity;
    assert(in_input || in_scratch);
}

static void check_buckets(const struct sync_line_parser *parser, const struct sync_line *line,
                          const char *bytes, size_t length) {
    for (size_t i = 0; i < line->n_buckets; i++) {
        const struct sync_bucket *bucket = &line->buckets[i];
        assert(bucket->name.bytes && bucket->priority >= 0 && bucket->count >= -1);
        assert((size_t)bucket->first_subscription + bucket->n_subscriptions <= line->n_subscriptions);
        check_text(parser, bucket->name, bytes, length);
    }
    for (size_t i = 0; i < line->n_removed; i++)
        check_text(parser, line->removed[i], bytes, length);
}

static void check_operations(const struct sync_line_parser *parser, const struct sync_line *line,
                             const char *bytes, size_t length) {
    for (size_t i = 0; i < line->n_operations; i++) {
        const struct sync_operation *operation = &line->operations[i];
        bool has_data = operation->data_form == SYNC_DATA_TEXT || operation->data_form == SYNC_DATA_OBJECT;
        assert(operation->op_id >= 0 && has_data == (operation->data.bytes != NULL));
        check_text(parser, operation->object_type, bytes, length);
        check_text(parser, operation->object_id, bytes, length);
        check_text(parser, operation->subkey, bytes, length);
        check_text(parser, operation->data, bytes, length);
    }
}

bool sync_line_check(struct sync_line_check *check, const char *bytes, size_t length) {
    struct sync_line line;
    struct sync_line_parser *parser = &check->parser;
    if (sync_line_parse(parser, bytes, length, &line, NULL) != STATUS_OK) {
        assert(parser->reason && parser->offset <= length);
        return false;
    }
    check_text(parser, line.key, bytes, length);
    check_text(parser, line.bucket, bytes, length);
    check_buckets(parser, &line, bytes, length);
    check_operations(parser, &line, bytes, length);
    enum sync_line_kind kind = line.kind;
    buffer_clear(&check->first);
    buffer_clear(&check->second);
    sync_line_print(&check->first, &line);
    enum status status = sync_line_parse(parser, check->first.data, check->first.length, &line, NULL);
    assert(status == STATUS_OK && line.kind == kind && !line.spaced);
    sync_line_print(&check->second, &line);
    assert(check->first.length == check->second.length);
    assert(memcmp(check->first.data, check->second.data, check->first.length) == 0);
    return true;
}
