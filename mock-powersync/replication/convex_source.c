#include "mock-powersync/replication/convex_source.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

/* Fixed pauses of the real service after a failure: no growth, no jitter. */
#define DELAY_DENIED (120 * TIME_SECOND)
#define DELAY_RATE_LIMITED (15 * TIME_SECOND)
#define DELAY_RETRYABLE (10 * TIME_SECOND)
#define DELAY_API_ERROR (45 * TIME_SECOND)

#define BODY_LIMIT ((size_t)256 * 1024 * 1024) /* a page has no limit in bytes at the deployment */

struct convex_call {
    struct host *host;
    uint64_t exchange;
    uint64_t timer;
    int status;
    struct buffer body;
    void (*done)(void *, const struct convex_reply *);
    void *context;
};

static void call_free(struct convex_call *call) {
    buffer_free(&call->body);
    free(call);
}

void convex_call_cancel(struct convex_call *call) {
    if (!call)
        return;
    host_timer_cancel(call->host, call->timer);
    host_http_abort(call->host, call->exchange);
    call_free(call);
}

static void finish(struct convex_call *call, const struct convex_reply *reply) {
    assert(reply->body || reply->retry_delay > 0);
    host_timer_cancel(call->host, call->timer);
    call->done(call->context, reply);
    call_free(call);
}

static void fail(struct convex_call *call, int64_t delay, bool expired, const char *message) {
    struct convex_reply reply = {.retry_delay = delay, .cursor_expired = expired, .message = message};
    finish(call, &reply);
}

/* The real service recognises a lost cursor by words only, in lower case. */
static bool says_expired(const struct buffer *body) {
    char *text = memory_copy_text(buffer_text(body));
    for (char *at = text; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    bool expired = strstr(text, "expired") != NULL;
    bool cursor = strstr(text, "cursor") && (expired || strstr(text, "invalid"));
    bool snapshot = strstr(text, "snapshot") && expired;
    free(text);
    return cursor || snapshot;
}

static int64_t delay_of_status(int status) {
    if (status == 401 || status == 403)
        return DELAY_DENIED;
    if (status == 429)
        return DELAY_RATE_LIMITED;
    return status >= 500 ? DELAY_RETRYABLE : DELAY_API_ERROR;
}

static void on_head(void *context, uint64_t exchange, const struct http_response *response) {
    (void)exchange;
    ((struct convex_call *)context)->status = response->status;
}

static void on_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    struct convex_call *call = context;
    assert(exchange == call->exchange);
    if (call->body.length + length <= BODY_LIMIT)
        buffer_append(&call->body, bytes, length);
}

static void on_end(void *context, uint64_t exchange) {
    struct convex_call *call = context;
    assert(exchange == call->exchange);
    if (call->status < 200 || call->status > 299) {
        char message[100];
        snprintf(message, sizeof message, "the deployment answered with status %d", call->status);
        fail(call, delay_of_status(call->status), says_expired(&call->body), message);
        return;
    }
    json_t *body = json_parse(buffer_text(&call->body), call->body.length, NULL);
    if (json_is_object(body)) {
        struct convex_reply reply = {.body = body};
        finish(call, &reply);
    } else {
        fail(call, DELAY_API_ERROR, false, "the deployment's answer is not a JSON object");
    }
    json_decref(body);
}

static void on_failed(void *context, uint64_t exchange, enum http_failure failure) {
    (void)exchange;
    static const char *const messages[] = {[HTTP_FAILURE_REFUSED] = "the deployment refused the connection",
                                           [HTTP_FAILURE_RESET] =
                                               "the connection to the deployment was reset",
                                           [HTTP_FAILURE_TIMEOUT] = "the deployment cannot be reached"};
    fail(context, DELAY_RETRYABLE, false, messages[failure]);
}

/* Measured on the real service: an aborted request counts as an API error, although it is a time-out. */
static void on_timeout(void *context) {
    struct convex_call *call = context;
    assert(call->timer);
    call->timer = 0;
    host_http_abort(call->host, call->exchange);
    fail(call, DELAY_API_ERROR, false, "the deployment did not answer in time");
}

static struct convex_call *send(const struct convex_source *source, const char *target, const char *body,
                                void (*done)(void *, const struct convex_reply *), void *context) {
    static const struct http_client_events events = {on_head, on_body, on_end, on_failed};
    assert(source->request_timeout > 0 && target[0] == '/');
    struct convex_call *call = memory_allocate(sizeof *call);
    call->host = source->host;
    call->done = done;
    call->context = context;
    char *authorization = memory_format("Convex %s", source->deploy_key);
    struct http_header headers[] = {{"accept", "application/json"},
                                    {"authorization", authorization},
                                    {"user-agent", "node-fetch"},
                                    {"content-type", "application/json"}};
    struct http_request request = {.authority = source->deployment,
                                   .method = body ? "POST" : "GET",
                                   .target = target,
                                   .headers = headers,
                                   .n_headers = body ? 4 : 3,
                                   .body = body,
                                   .body_length = body ? strlen(body) : 0};
    call->exchange = host_http_send(source->host, &request, &events, call);
    call->timer = host_timer_set(source->host, source->request_timeout, on_timeout, call);
    free(authorization);
    return call;
}

struct convex_call *convex_source_head(const struct convex_source *source,
                                       void (*done)(void *, const struct convex_reply *), void *context) {
    return send(source, "/api/list_snapshot?format=json", NULL, done, context);
}

struct convex_call *convex_source_schemas(const struct convex_source *source,
                                          void (*done)(void *, const struct convex_reply *), void *context) {
    return send(source, "/api/json_schemas?format=json", NULL, done, context);
}

/* As JavaScript's URLSearchParams writes a value. */
static void append_query_value(struct buffer *out, const char *value) {
    for (const unsigned char *at = (const unsigned char *)value; *at; at++) {
        if (*at < 0x80 && (isalnum(*at) || strchr("*-._", *at)))
            buffer_append_char(out, (char)*at);
        else if (*at == ' ')
            buffer_append_char(out, '+');
        else
            buffer_printf(out, "%%%02X", *at);
    }
}

struct convex_call *convex_source_snapshot(const struct convex_source *source, int64_t snapshot,
                                           const char *table, const char *cursor,
                                           void (*done)(void *, const struct convex_reply *), void *context) {
    struct buffer target = {0};
    buffer_printf(&target, "/api/list_snapshot?format=json&snapshot=%lld", (long long)snapshot);
    if (cursor) {
        buffer_append_text(&target, "&cursor=");
        append_query_value(&target, cursor);
    }
    buffer_append_text(&target, "&table_name=");
    append_query_value(&target, table);
    struct convex_call *call = send(source, target.data, NULL, done, context);
    buffer_free(&target);
    return call;
}

struct convex_call *convex_source_deltas(const struct convex_source *source, int64_t cursor,
                                         void (*done)(void *, const struct convex_reply *), void *context) {
    char target[100];
    snprintf(target, sizeof target, "/api/document_deltas?format=json&cursor=%lld", (long long)cursor);
    return send(source, target, NULL, done, context);
}

struct convex_call *convex_source_marker(const struct convex_source *source,
                                         void (*done)(void *, const struct convex_reply *), void *context) {
    return send(source, "/api/mutation",
                "{\"path\":\"powersync_checkpoints:createCheckpoint\",\"args\":{},\"format\":\"json\"}", done,
                context);
}

bool convex_reply_timestamp(const json_t *body, const char *key, int64_t *timestamp) {
    const json_t *value = json_object_get(body, key);
    if (!json_is_integer(value))
        return false;
    *timestamp = json_integer_value(value);
    /* The real service takes 0 or exactly 19 digits, so that text compares like numbers. */
    return *timestamp == 0 || *timestamp >= INT64_C(1000000000000000000);
}
