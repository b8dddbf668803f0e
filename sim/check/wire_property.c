/* The property "wire-grammar": every answer to POST /sync/stream, as the service wrote it, before the network
 * had a chance to spoil it. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "check/check.h"
#include "check/stream_lines.h"
#include "check/wire_grammar.h"

#define ERROR_BODY_LIMIT ((size_t)64 * 1024) /* bytes kept of an answer that is no stream */

struct wire_watcher {
    struct checker *checker;
    struct wire_scratch *scratch;
    int64_t now;           /* of the current wire event, ns */
    struct map streams;    /* exchange id -> struct stream_watch */
    struct map last_op_id; /* client -> int64_t, the highest that it was told */
    struct map sums;       /* client, a space, bucket -> struct wire_sum */
    struct buffer key;
};

struct stream_watch {
    struct wire_watcher *watcher;
    uint64_t exchange;
    char *client;
    struct wire_grammar *grammar;
    struct stream_lines lines;
    int status;         /* 0: nothing written yet */
    struct buffer body; /* of an error */
};

static void free_watch(void *value) {
    struct stream_watch *watch = value;
    wire_grammar_destroy(watch->grammar);
    stream_lines_free(&watch->lines);
    buffer_free(&watch->body);
    free(watch->client);
    free(watch);
}

static void report_fault(void *context, const struct wire_fault *fault) {
    const struct stream_watch *watch = context;
    struct violation violation = {
        .property = property_wire_grammar.name,
        .client = watch->client,
        .table = "",
        .row = "",
        .expected = memory_copy_text(fault->expected),
        .seen = memory_copy_text(fault->seen),
        .time = watch->watcher->now,
        .explanation =
            memory_format("%s: %s\nexchange %" PRIu64 ", line %" PRIu64 "%s%s", wire_rule_name(fault->rule),
                          wire_rule_promise(fault->rule), watch->exchange, fault->line,
                          *fault->bucket ? ", bucket " : "", fault->bucket)};
    checker_report(watch->watcher->checker, &violation);
}

static int64_t told_before(const struct wire_watcher *watcher, const char *client) {
    const int64_t *told = map_get(&watcher->last_op_id, client);
    return told ? *told : 0;
}

static void remember_told(struct wire_watcher *watcher, const struct stream_watch *watch) {
    int64_t *told = map_get(&watcher->last_op_id, watch->client);
    int64_t now = wire_grammar_last_op_id(watch->grammar);
    if (!told) {
        told = memory_allocate(sizeof *told);
        map_set(&watcher->last_op_id, watch->client, told);
    }
    if (now > *told)
        *told = now;
}

/* --- sums --- */

static void sum_key(struct wire_watcher *watcher, const char *client, const char *bucket) {
    buffer_clear(&watcher->key);
    buffer_printf(&watcher->key, "%s %s", client, bucket); /* node names have no spaces */
}

static void keep_sum(void *context, const char *bucket, struct wire_sum sum) {
    const struct stream_watch *watch = context;
    struct wire_watcher *watcher = watch->watcher;
    sum_key(watcher, watch->client, bucket);
    struct wire_sum *kept = map_get(&watcher->sums, buffer_text(&watcher->key));
    if (!kept) {
        kept = memory_allocate(sizeof *kept);
        map_set(&watcher->sums, buffer_text(&watcher->key), kept);
    }
    *kept = sum;
}

static void recall_sums(struct wire_watcher *watcher, const struct stream_watch *watch) {
    const size_t length = strlen(watch->client);
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&watcher->sums, &i));)
        if (strncmp(entry->key, watch->client, length) == 0 && entry->key[length] == ' ')
            wire_grammar_remember(watch->grammar, entry->key + length + 1,
                                  *(const struct wire_sum *)entry->value);
}

static void start_watch(struct wire_watcher *watcher, const struct wire_event *event) {
    struct stream_watch *watch = memory_allocate(sizeof *watch);
    watch->watcher = watcher;
    watch->exchange = event->exchange;
    watch->client = memory_copy_text(event->client);
    watch->grammar = wire_grammar_create(&(struct wire_grammar_settings){
        .scratch = watcher->scratch,
        .last_op_id = told_before(watcher, event->client),
        .report = report_fault,
        .context = watch,
    });
    /* A request that the service will refuse says nothing about the stream. */
    if (wire_grammar_request(watch->grammar, event->bytes, event->length, NULL) == STATUS_OK)
        recall_sums(watcher, watch);
    char key[17];
    stream_lines_key(event->exchange, key);
    struct stream_watch *before = map_set(&watcher->streams, key, watch);
    assert(!before);
    (void)before;
}

static void end_watch(struct wire_watcher *watcher, struct stream_watch *watch) {
    char key[17];
    wire_grammar_sums(watch->grammar, keep_sum, watch);
    stream_lines_key(watch->exchange, key);
    map_remove(&watcher->streams, key);
    free_watch(watch);
}

/* --- head and body --- */

static void see_head(struct stream_watch *watch, const struct wire_event *event) {
    watch->status = event->status;
    watch->lines.encoding = stream_lines_encoding(event);
    if (event->status != 200 && event->status < 400)
        wire_grammar_fault(watch->grammar, WIRE_RESPONSE_HEAD, "status 200 or an error status",
                           "another status");
    if (!event->response)
        return;
    const char *type = stream_lines_header(event->response, "content-type");
    if (watch->lines.encoding == STREAM_BINARY)
        wire_grammar_binary(watch->grammar);
    else if (event->status == 200 && !stream_lines_media_type(type, "application/x-ndjson"))
        wire_grammar_fault(watch->grammar, WIRE_RESPONSE_HEAD, "content-type application/x-ndjson", type);
}

static void see_line(void *context, const char *bytes, size_t length) {
    struct stream_watch *watch = context;
    wire_grammar_line(watch->grammar, bytes, length);
}

static void see_body(struct stream_watch *watch, const struct wire_event *event) {
    if (watch->status == 0)
        wire_grammar_fault(watch->grammar, WIRE_RESPONSE_HEAD, "a head before the body", "none");
    if (watch->lines.encoding != STREAM_NO_LINES) {
        stream_lines_body(&watch->lines, event->bytes, event->length, see_line, watch);
        remember_told(watch->watcher, watch);
    } else if (watch->status != 200 && watch->body.length + event->length <= ERROR_BODY_LIMIT) {
        buffer_append(&watch->body, event->bytes, event->length);
    }
}

/* {"error":{"name","code","status","description",...}}, the status as in the head; or what the HTTP framework
 * says of requests that no handler has seen. */
static bool is_error_body(const json_t *body, int status) {
    const json_t *error = json_object_get(body, "error");
    if (json_is_object(error))
        return json_text(error, "code") && json_text(error, "description") &&
               json_integer_or(error, "status", 0) == status;
    return status < 500 && json_integer_or(body, "statusCode", 0) == status && json_text(body, "message");
}

static void check_error_body(struct stream_watch *watch) {
    /* Too many streams are turned away without a word; too long a body is refused by the host itself. */
    if (watch->body.length == 0 && (watch->status == 429 || watch->status == 413))
        return;
    json_t *body = json_parse(buffer_text(&watch->body), watch->body.length, NULL);
    if (!is_error_body(body, watch->status))
        wire_grammar_fault(watch->grammar, WIRE_ERROR_BODY,
                           "a JSON object \"error\" with code, description and the status of the head",
                           watch->body.length > 0 ? buffer_text(&watch->body) : "nothing");
    json_decref(body);
}

static void see_end(struct stream_watch *watch) {
    if (stream_lines_left(&watch->lines) > 0)
        wire_grammar_fault(watch->grammar, WIRE_STREAM_END, "a newline after the last line",
                           "an incomplete line");
    if (watch->status >= 400)
        check_error_body(watch);
}

/* --- the property --- */

static void *create(struct checker *checker) {
    struct wire_watcher *watcher = memory_allocate(sizeof *watcher);
    watcher->checker = checker;
    watcher->scratch = wire_scratch_create();
    return watcher;
}

static void destroy(void *self) {
    struct wire_watcher *watcher = self;
    map_free(&watcher->streams, free_watch);
    map_free(&watcher->last_op_id, free);
    map_free(&watcher->sums, free);
    buffer_free(&watcher->key);
    wire_scratch_destroy(watcher->scratch);
    free(watcher);
}

static void see_wire(void *self, int64_t now, const struct wire_event *event) {
    struct wire_watcher *watcher = self;
    /* What a captive portal says is not the service's word. */
    if (!stream_lines_is_stream(event) || !strcmp(event->server, WIRE_CAPTIVE_PORTAL))
        return;
    watcher->now = now;
    if (event->kind == WIRE_REQUEST) {
        start_watch(watcher, event);
        return;
    }
    char key[17];
    stream_lines_key(event->exchange, key);
    struct stream_watch *watch = map_get(&watcher->streams, key);
    if (!watch)
        return;
    switch (event->kind) {
    case WIRE_RESPONSE:
        see_head(watch, event);
        break;
    case WIRE_WRITE:
        see_body(watch, event);
        break;
    case WIRE_END:
        see_end(watch);
        end_watch(watcher, watch);
        break;
    case WIRE_FAILED:
    case WIRE_ABORTED:
    case WIRE_CLOSED: /* broken off: nothing more is promised */
        end_watch(watcher, watch);
        break;
    default:
        break;
    }
}

const struct property property_wire_grammar = {
    .name = "wire-grammar",
    .promise = "every line on every sync stream obeys the protocol, and its checksums add up",
    .create = create,
    .wire = see_wire,
    .destroy = destroy,
};
