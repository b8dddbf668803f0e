#include "client/http_call.h"

#include <assert.h>
#include <string.h>

const char *http_failure_text(enum http_failure failure) {
    switch (failure) {
    case HTTP_FAILURE_REFUSED:
        return "refused";
    case HTTP_FAILURE_RESET:
        return "reset";
    case HTTP_FAILURE_TIMEOUT:
        return "timeout";
    }
    return "failed";
}

/* Make the call idle first, so that the owner may start it again. */
static void finish(struct http_call *call, const char *failure) {
    struct buffer body = call->body;
    struct http_answer answer = {.status = failure == NULL ? call->status : 0,
                                 .failure = failure,
                                 .body = failure == NULL ? buffer_text(&body) : "",
                                 .length = failure == NULL ? body.length : 0};

    call->body = (struct buffer){0};
    call->exchange = 0;
    call->done(call->context, &answer);
    buffer_free(&body);
}

static void on_head(void *context, uint64_t exchange, const struct http_response *response) {
    struct http_call *call = context;

    assert(exchange == call->exchange);
    call->status = response->status;
}

static void on_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    struct http_call *call = context;

    assert(exchange == call->exchange);
    if (call->body.length + length > HTTP_CALL_LIMIT) {
        host_http_abort(call->host, exchange);
        finish(call, "answer too large");
        return;
    }
    buffer_append(&call->body, bytes, length);
}

static void on_end(void *context, uint64_t exchange) {
    struct http_call *call = context;

    assert(exchange == call->exchange);
    finish(call, call->status != 0 ? NULL : "no head");
}

static void on_failed(void *context, uint64_t exchange, enum http_failure failure) {
    struct http_call *call = context;

    assert(exchange == call->exchange);
    finish(call, http_failure_text(failure));
}

static const struct http_client_events call_events = {
    .head = on_head, .body = on_body, .end = on_end, .failed = on_failed};

void http_call_start(struct http_call *call, struct host *host, const struct http_request *request,
                     void (*done)(void *context, const struct http_answer *answer), void *context) {
    assert(call->exchange == 0);
    call->host = host;
    call->status = 0;
    call->done = done;
    call->context = context;
    call->exchange = host_http_send(host, request, &call_events, call);
    assert(call->exchange != 0);
}

void http_call_cancel(struct http_call *call) {
    if (call->exchange == 0)
        return;
    host_http_abort(call->host, call->exchange);
    http_call_forget(call);
}

void http_call_forget(struct http_call *call) {
    call->exchange = 0;
    buffer_free(&call->body);
}
