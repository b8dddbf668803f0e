#include "mock-powersync/replication/convex_client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_scan.h"
#include "base/memory.h"
#include "base/percent.h"

/* Fixed pauses of the real service after a failure: no growth, no jitter. */
#define DELAY_DENIED (120 * TIME_SECOND)
#define DELAY_RATE_LIMITED (15 * TIME_SECOND)
#define DELAY_RETRYABLE (10 * TIME_SECOND)
#define DELAY_API_ERROR (45 * TIME_SECOND)

#define BODY_LIMIT ((size_t)256 * 1024 * 1024) /* a page has no limit in bytes at the deployment */

struct convex_call {
    struct host *host;
    bool strict_expiry;
    bool paged; /* the answer is given as text */
    char *path; /* of the request, without its query: part of what a failure says */
    uint64_t exchange;
    uint64_t timer;
    int status;
    struct buffer body;
    void (*done)(void *, const struct convex_reply *);
    void *context;
};

static void call_free(struct convex_call *call) {
    buffer_free(&call->body);
    free(call->path);
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
    assert(reply->body || reply->text || reply->failure->retry_delay > 0);
    host_timer_cancel(call->host, call->timer);
    call->done(call->context, reply);
    call_free(call);
}

static void fail(struct convex_call *call, int64_t delay, const char *message) {
    struct source_failure failure = {.message = message, .retry_delay = delay};
    finish(call, &(struct convex_reply){.failure = &failure});
}

/* The real service recognises a lost cursor by words only, in lower case, of the answer and of the path; so
 * it misses what the deployment says about its own retention (unless strict_expiry repairs that). */
static bool says_lost(const struct convex_call *call, const char *answer) {
    char *text = memory_format("%s %s", call->path, answer);
    for (char *at = text; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + ('a' - 'A'));
    bool expired = strstr(text, "expired") != NULL;
    bool cursor = strstr(text, "cursor") && (expired || strstr(text, "invalid"));
    bool snapshot = strstr(text, "snapshot") && expired;
    free(text);
    return cursor || snapshot ||
           (call->strict_expiry &&
            (strstr(answer, "InvalidWindowToReadDocuments") || strstr(answer, "SnapshotTooOld")));
}

static int64_t delay_of_status(int status) {
    if (status == 401 || status == 403)
        return DELAY_DENIED;
    if (status == 429)
        return DELAY_RATE_LIMITED;
    return status >= 500 ? DELAY_RETRYABLE : DELAY_API_ERROR;
}

static void refuse(struct convex_call *call) {
    const char *answer = buffer_text(&call->body);
    char message[400];
    snprintf(message, sizeof message, "Convex answered %s with status %d: %.300s", call->path, call->status,
             answer);
    for (char *at = message; *at; at++)
        if (*at < ' ' || *at > '~') /* it goes into logs and JSON, whatever it was */
            *at = '?';
    struct source_failure failure = {.message = message, .retry_delay = delay_of_status(call->status)};
    if (says_lost(call, answer)) {
        failure.position_lost = true;
        failure.code = "PSYNC_S1500";
        failure.retry_delay = SOURCE_DELAY_OTHER;
    }
    finish(call, &(struct convex_reply){.failure = &failure});
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

static bool is_object(const struct buffer *body) {
    struct json_scan scan;
    json_scan_start(&scan, body->data, body->length);
    return json_scan_peek(&scan) == '{' && json_scan_skip(&scan) && json_scan_finish(&scan);
}

static void on_end(void *context, uint64_t exchange) {
    struct convex_call *call = context;
    assert(exchange == call->exchange);
    if (call->status < 200 || call->status > 299) {
        refuse(call);
        return;
    }
    struct convex_reply reply = {0};
    if (call->paged && is_object(&call->body)) {
        reply.text = call->body.data;
        reply.length = call->body.length;
    } else if (!call->paged) {
        reply.body = json_parse(buffer_text(&call->body), call->body.length, NULL);
    }
    if (reply.text || json_is_object(reply.body))
        finish(call, &reply);
    else
        fail(call, DELAY_API_ERROR, "the deployment's answer is not a JSON object");
    json_decref(reply.body);
}

static void on_failed(void *context, uint64_t exchange, enum http_failure failure) {
    (void)exchange;
    static const char *const messages[] = {[HTTP_FAILURE_REFUSED] = "the deployment refused the connection",
                                           [HTTP_FAILURE_RESET] =
                                               "the connection to the deployment was reset",
                                           [HTTP_FAILURE_TIMEOUT] = "the deployment cannot be reached"};
    fail(context, DELAY_RETRYABLE, messages[failure]);
}

/* Measured on the real service: an aborted request counts as an API error, although it is a time-out. */
static void on_timeout(void *context) {
    struct convex_call *call = context;
    assert(call->timer);
    call->timer = 0;
    host_http_abort(call->host, call->exchange);
    fail(call, DELAY_API_ERROR, "the deployment did not answer in time");
}

void convex_client_open(struct convex_client *client, struct host *host,
                        const struct source_settings *settings) {
    *client = (struct convex_client){.host = host,
                                     .authorization = memory_format("Convex %s", settings->key),
                                     .request_timeout = settings->request_timeout,
                                     .strict_expiry = settings->strict_expiry};
    enum status status = convex_address_parse(&client->address, settings->address, NULL);
    assert(status == STATUS_OK);
    (void)status;
}

void convex_client_close(struct convex_client *client) {
    convex_address_free(&client->address);
    free(client->authorization);
    *client = (struct convex_client){0};
}

static struct convex_call *send(const struct convex_client *client, const char *target, const char *body,
                                void (*done)(void *, const struct convex_reply *), void *context) {
    static const struct http_client_events events = {on_head, on_body, on_end, on_failed};
    assert(client->request_timeout > 0 && target[0] == '/');
    struct convex_call *call = memory_allocate(sizeof *call);
    call->host = client->host;
    call->done = done;
    call->context = context;
    call->strict_expiry = client->strict_expiry;
    call->paged =
        strncmp(target, "/api/list_snapshot", 18) == 0 || strncmp(target, "/api/document_deltas", 20) == 0;
    call->path = memory_copy_bytes(target, strcspn(target, "?"));
    char *whole = memory_format("%s%s", client->address.path, target);
    struct http_header headers[] = {{"accept", "application/json"},
                                    {"authorization", client->authorization},
                                    {"user-agent", "node-fetch"},
                                    {"content-type", "application/json"}};
    struct http_request request = {.authority = client->address.authority,
                                   .method = body ? "POST" : "GET",
                                   .target = whole,
                                   .headers = headers,
                                   .n_headers = body ? 4 : 3,
                                   .body = body,
                                   .body_length = body ? strlen(body) : 0};
    call->exchange = host_http_send(client->host, &request, &events, call);
    call->timer = host_timer_set(client->host, client->request_timeout, on_timeout, call);
    free(whole);
    return call;
}

struct convex_call *convex_client_head(const struct convex_client *client,
                                       void (*done)(void *, const struct convex_reply *), void *context) {
    return send(client, "/api/list_snapshot?format=json", NULL, done, context);
}

struct convex_call *convex_client_schemas(const struct convex_client *client,
                                          void (*done)(void *, const struct convex_reply *), void *context) {
    return send(client, "/api/json_schemas?format=json", NULL, done, context);
}

struct convex_call *convex_client_snapshot(const struct convex_client *client, int64_t snapshot,
                                           const char *table, const char *cursor,
                                           void (*done)(void *, const struct convex_reply *), void *context) {
    struct buffer target = {0};
    buffer_printf(&target, "/api/list_snapshot?format=json&snapshot=%lld", (long long)snapshot);
    if (cursor) {
        buffer_append_text(&target, "&cursor=");
        percent_encode_form(&target, cursor);
    }
    buffer_append_text(&target, "&table_name=");
    percent_encode_form(&target, table);
    struct convex_call *call = send(client, target.data, NULL, done, context);
    buffer_free(&target);
    return call;
}

struct convex_call *convex_client_deltas(const struct convex_client *client, int64_t cursor,
                                         void (*done)(void *, const struct convex_reply *), void *context) {
    char target[100];
    snprintf(target, sizeof target, "/api/document_deltas?format=json&cursor=%lld", (long long)cursor);
    return send(client, target, NULL, done, context);
}

struct convex_call *convex_client_marker(const struct convex_client *client,
                                         void (*done)(void *, const struct convex_reply *), void *context) {
    return send(client, "/api/mutation",
                "{\"path\":\"powersync_checkpoints:createCheckpoint\",\"args\":{},\"format\":\"json\"}", done,
                context);
}
