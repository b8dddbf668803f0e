#include "check/wire_grammar.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "check/wire_state.h"

static_assert(WIRE_RULES <= 32, "one bit a rule");

static const struct {
    const char *name;
    const char *promise;
} rules[WIRE_RULES] = {
    [WIRE_LINE_SYNTAX] = {"line-syntax",
                          "each line is a JSON object with one key and fields of the right types"},
    [WIRE_LINE_LAYOUT] = {"line-layout", "lines are written without white space between tokens"},
    [WIRE_CHECKPOINT_FIRST] = {"checkpoint-first", "O1: only keepalives come before the checkpoint"},
    [WIRE_CHECKPOINT_ONCE] = {"checkpoint-once",
                              "a connection has one checkpoint line; changes come as diffs"},
    [WIRE_DATA_EXPECTED] = {"data-expected",
                            "O2: data belongs to buckets that the latest checkpoint has to fetch"},
    [WIRE_OP_BOUND] = {"op-bound", "O3: no operation is above the latest last_op_id"},
    [WIRE_OP_ORDER] = {"op-order", "O9: op ids strictly increase inside a bucket"},
    [WIRE_POSITIONS] = {"positions", "O9: after continues next_after, next_after is the last op id"},
    [WIRE_PRIORITY_ORDER] = {"priority-order", "O4: data comes by ascending priority number"},
    [WIRE_PARTIAL_COMPLETE] = {"partial-complete",
                               "O5: each priority group but the last is completed in order"},
    [WIRE_COMPLETE] = {"complete", "O2: a completion carries the last_op_id of the checkpoint, once"},
    [WIRE_LAST_OP_MONOTONE] = {"last-op-monotone", "O7: last_op_id never decreases"},
    [WIRE_WRITE_CHECKPOINT] = {"write-checkpoint", "O8: write_checkpoint never decreases and is repeated"},
    [WIRE_CHECKSUM] = {"checksum", "O10: a completed bucket's operations sum up to its announced checksum"},
    [WIRE_COUNT] = {"count", "I6: a bucket's count is the number of its operations"},
    [WIRE_BUCKET_SET] = {"bucket-set", "I9: diffs remove what is known and update what changed"},
    [WIRE_ROW_FORM] = {"row-form", "operations have the fields of their kind, data is encoded as requested"},
    [WIRE_ROW_CHECKSUM] = {"row-checksum", "an operation's checksum is the hash of its content"},
    [WIRE_SUBSCRIPTIONS] = {"subscriptions", "a bucket's subscriptions point at existing ones"},
    [WIRE_TOKEN_EXPIRY] = {"token-expiry", "I17: token_expires_in is not negative, and 0 ends the stream"},
    [WIRE_STREAM_END] = {"stream-end", "a stream ends after a whole line"},
    [WIRE_RESPONSE_HEAD] = {"response-head", "a stream has status 200 and the content type of its lines"},
    [WIRE_ERROR_BODY] = {"error-body", "an error has a body of the documented shape"},
};

const char *wire_rule_name(enum wire_rule rule) {
    assert(rule < WIRE_RULES);
    return rules[rule].name;
}

const char *wire_rule_promise(enum wire_rule rule) {
    assert(rule < WIRE_RULES);
    return rules[rule].promise;
}

struct wire_scratch *wire_scratch_create(void) {
    return memory_allocate(sizeof(struct wire_scratch));
}

void wire_scratch_destroy(struct wire_scratch *scratch) {
    if (!scratch)
        return;
    sync_line_parser_free(&scratch->parser);
    wire_rows_free(&scratch->rows);
    buffer_free(&scratch->bucket);
    free(scratch);
}

struct wire_grammar *wire_grammar_create(const struct wire_grammar_settings *settings) {
    assert(settings->scratch && settings->report);
    struct wire_grammar *grammar = memory_allocate(sizeof *grammar);
    grammar->settings = *settings;
    grammar->include_defaults = true;
    grammar->last_op_id = settings->last_op_id;
    grammar->write_checkpoint = -1;
    return grammar;
}

void wire_grammar_destroy(struct wire_grammar *grammar) {
    if (!grammar)
        return;
    map_free(&grammar->buckets, free);
    free(grammar->stream_defaults);
    free(grammar->fetched);
    free(grammar);
}

uint64_t wire_grammar_lines(const struct wire_grammar *grammar) {
    return grammar->line;
}

uint64_t wire_grammar_faults(const struct wire_grammar *grammar) {
    return grammar->faults;
}

int64_t wire_grammar_last_op_id(const struct wire_grammar *grammar) {
    return grammar->last_op_id;
}

bool wire_grammar_complete(const struct wire_grammar *grammar) {
    return grammar->started && !grammar->open;
}

/* --- reports --- */

static void report(struct wire_grammar *grammar, enum wire_rule rule, uint64_t line, const char *bucket,
                   const char *expected, const char *seen) {
    struct wire_fault fault = {rule, line, bucket, expected, seen};
    grammar->faults++;
    grammar->settings.report(grammar->settings.context, &fault);
}

void wire_grammar_fault(struct wire_grammar *grammar, enum wire_rule rule, const char *expected,
                        const char *seen) {
    assert(rule < WIRE_RULES);
    report(grammar, rule, 0, "", expected, seen);
}

/* True when this rule has not been broken by this line yet: one report for each is enough. */
static bool first_fault(struct wire_grammar *grammar, enum wire_rule rule) {
    uint32_t bit = UINT32_C(1) << rule;
    bool first = !(grammar->reported & bit);
    grammar->reported |= bit;
    return first;
}

void wire_fault_at(struct wire_grammar *grammar, enum wire_rule rule, const struct wire_bucket *bucket,
                   const char *format, ...) {
    if (!first_fault(grammar, rule))
        return;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char *bar = strchr(text, '|');
    assert(bar);
    *bar = '\0';
    report(grammar, rule, grammar->line, bucket ? bucket->name : "", text, bar + 1);
}

void wire_fault_name(struct wire_grammar *grammar, enum wire_rule rule, const struct json_span *name,
                     const char *expected, const char *seen) {
    if (!first_fault(grammar, rule))
        return;
    struct buffer *text = &grammar->settings.scratch->bucket;
    buffer_clear(text);
    buffer_append(text, name->bytes, name->length);
    report(grammar, rule, grammar->line, buffer_text(text), expected, seen);
}

/* --- buckets --- */

struct wire_bucket *wire_bucket_find(const struct wire_grammar *grammar, const struct json_span *name) {
    return map_get_bytes(&grammar->buckets, name->bytes, name->length);
}

struct wire_bucket *wire_bucket_add(struct wire_grammar *grammar, const char *name, size_t length) {
    struct wire_bucket *bucket = memory_allocate(sizeof *bucket + length + 1);
    memcpy(bucket->name, name, length);
    bucket->position = -1;
    bucket->count = -1;
    void *before = map_set_bytes(&grammar->buckets, name, length, bucket);
    assert(!before);
    (void)before;
    return bucket;
}

void wire_bucket_start(struct wire_bucket *bucket, int64_t position) {
    assert(position >= 0);
    bucket->position = position;
    bucket->sum = 0;
    bucket->received = 0;
    bucket->sum_known = position == 0;
    bucket->count_rule = position == 0 ? COUNT_EXACT : COUNT_UNKNOWN;
}

void wire_bucket_set_fetch(struct wire_grammar *grammar, struct wire_bucket *bucket, enum wire_fetch fetch) {
    assert(bucket->priority >= 0 && bucket->priority < WIRE_PRIORITIES);
    assert(bucket->fetch != FETCH_SURE || grammar->sure[bucket->priority] > 0);
    assert(bucket->fetch != FETCH_MAYBE || grammar->maybe[bucket->priority] > 0);
    if (bucket->fetch == FETCH_SURE)
        grammar->sure[bucket->priority]--;
    if (bucket->fetch == FETCH_MAYBE)
        grammar->maybe[bucket->priority]--;
    bucket->fetch = fetch;
    if (fetch == FETCH_SURE)
        grammar->sure[bucket->priority]++;
    if (fetch == FETCH_MAYBE)
        grammar->maybe[bucket->priority]++;
}

/* --- the request --- */

/* A position as clients send it: decimal digits. -1: not one. */
static int64_t position_of(const char *text) {
    if (!text || !*text || strlen(text) > 19 || strspn(text, "0123456789") != strlen(text))
        return -1;
    uint64_t value = strtoull(text, NULL, 10);
    return value <= INT64_MAX ? (int64_t)value : -1;
}

static enum status request_positions(struct wire_grammar *grammar, const json_t *buckets,
                                     struct error *error) {
    size_t index;
    json_t *entry;
    json_array_foreach(buckets, index, entry) {
        const char *name = json_text(entry, "name");
        int64_t after = position_of(json_text(entry, "after"));
        if (!name || after < 0)
            return error_set(error, STATUS_INVALID, "buckets[%zu] needs a name and a decimal position",
                             index);
        size_t length = json_string_length(json_object_get(entry, "name"));
        struct wire_bucket *bucket = map_get_bytes(&grammar->buckets, name, length);
        wire_bucket_start(bucket ? bucket : wire_bucket_add(grammar, name, length), after);
    }
    return STATUS_OK;
}

static enum status request_fields(struct wire_grammar *grammar, const json_t *request, struct error *error) {
    if (!json_is_object(request))
        return error_set(error, STATUS_INVALID, "the request is not an object");
    const json_t *buckets = json_object_get(request, "buckets");
    if (buckets && !json_is_array(buckets))
        return error_set(error, STATUS_INVALID, "buckets is not a list");
    if (request_positions(grammar, buckets, error) != STATUS_OK)
        return STATUS_INVALID;
    const json_t *streams = json_object_get(request, "streams");
    grammar->include_defaults = json_bool_or(streams, "include_defaults", true);
    grammar->n_subscriptions = json_array_size(json_object_get(streams, "subscriptions"));
    grammar->encoding =
        json_bool_or(request, "raw_data", false) ? WIRE_ENCODING_TEXT : WIRE_ENCODING_EMBEDDED;
    grammar->has_request = true;
    return STATUS_OK;
}

void wire_grammar_binary(struct wire_grammar *grammar) {
    grammar->encoding = WIRE_ENCODING_TEXT;
}

enum status wire_grammar_request(struct wire_grammar *grammar, const void *body, size_t length,
                                 struct error *error) {
    assert(grammar->line == 0 && !grammar->has_request);
    json_t *request =
        length > 0 ? json_parse(body, length, error) : json_object(); /* every field may be left out */
    if (!request)
        return STATUS_INVALID;
    enum status status = request_fields(grammar, request, error);
    if (status != STATUS_OK)
        map_clear(&grammar->buckets, free);
    json_decref(request);
    return status;
}

/* --- from stream to stream --- */

void wire_grammar_sums(const struct wire_grammar *grammar,
                       void (*each)(void *context, const char *bucket, struct wire_sum sum), void *context) {
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&grammar->buckets, &i)) != NULL;) {
        const struct wire_bucket *bucket = entry->value;
        if (bucket->listed && bucket->sum_known && bucket->position > 0)
            each(context, bucket->name, (struct wire_sum){bucket->position, bucket->sum});
    }
}

void wire_grammar_remember(struct wire_grammar *grammar, const char *name, struct wire_sum sum) {
    struct wire_bucket *bucket = map_get(&grammar->buckets, name);
    assert(grammar->line == 0);
    if (!bucket || bucket->position != sum.position)
        return;
    bucket->sum = sum.sum;
    bucket->sum_known = true;
}

/* --- lines --- */

static void token_line(struct wire_grammar *grammar, const struct sync_line *line) {
    if (line->token_expires_in < 0)
        wire_fault_at(grammar, WIRE_TOKEN_EXPIRY, NULL, "token_expires_in of at least 0|%d",
                      line->token_expires_in);
    grammar->expired = line->token_expires_in <= 0;
}

static void syntax_fault(struct wire_grammar *grammar) {
    const struct sync_line_parser *parser = &grammar->settings.scratch->parser;
    wire_fault_at(grammar, WIRE_LINE_SYNTAX, NULL, "a line of the sync protocol|byte %zu: %s",
                  parser->offset + 1, parser->reason);
}

static void follow(struct wire_grammar *grammar, const struct sync_line *line) {
    switch (line->kind) {
    case SYNC_LINE_CHECKPOINT:
    case SYNC_LINE_CHECKPOINT_DIFF:
        wire_checkpoint_line(grammar, line);
        break;
    case SYNC_LINE_DATA:
        wire_data_line(grammar, line);
        break;
    case SYNC_LINE_PARTIAL_CHECKPOINT_COMPLETE:
        wire_partial_line(grammar, line);
        break;
    case SYNC_LINE_CHECKPOINT_COMPLETE:
        wire_complete_line(grammar, line);
        break;
    case SYNC_LINE_TOKEN_EXPIRES_IN:
        token_line(grammar, line);
        break;
    case SYNC_LINE_UNKNOWN: /* clients ignore it, so newer services may send it */
        break;
    }
}

void wire_grammar_line(struct wire_grammar *grammar, const char *bytes, size_t length) {
    struct sync_line line;
    grammar->line++;
    grammar->reported = 0;
    if (grammar->expired)
        wire_fault_at(grammar, WIRE_TOKEN_EXPIRY, NULL,
                      "the end of the stream after token_expires_in 0|another line");
    grammar->expired = false;
    if (sync_line_parse(&grammar->settings.scratch->parser, bytes, length, &line, NULL) != STATUS_OK) {
        syntax_fault(grammar);
        return;
    }
    if (line.spaced)
        wire_fault_at(grammar, WIRE_LINE_LAYOUT, NULL, "no white space between tokens|some");
    follow(grammar, &line);
}
