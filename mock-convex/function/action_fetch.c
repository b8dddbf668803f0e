/* HTTP requests of actions: convex_fetch of function.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "mock-convex/function/action_internal.h"
#include "mock-convex/function/http_message.h"

#define RESPONSE_MAX ((size_t)16 << 20) /* bytes of a response's body */

struct convex_fetch {
    struct convex_action *action;
    uint64_t exchange;
    int status;
    struct convex_value *headers;
    struct buffer body;
};

void convex_fetch_drop(struct convex_fetch *fetch) {
    if (fetch == NULL) {
        return;
    }
    host_http_abort(fetch->action->deployment->host, fetch->exchange);
    convex_free(fetch->headers);
    buffer_free(&fetch->body);
    free(fetch);
}

/* The action goes on; `message` NULL: with the response. */
static void finish(struct convex_fetch *fetch, const char *message) {
    struct convex_action *action = fetch->action;
    struct convex_action_entry *entry = convex_action_last(action);
    assert(action->fetch == fetch && action->waiting);
    if (message != NULL) {
        convex_action_entry_fail(entry, STATUS_IO, message, NULL);
    } else {
        entry->done = true;
        entry->value = convex_object();
        convex_object_set(entry->value, "status", convex_float64(fetch->status));
        convex_object_set(entry->value, "headers", fetch->headers);
        convex_object_set(entry->value, "body", convex_body_value(fetch->body.data, fetch->body.length));
        fetch->headers = NULL;
    }
    action->fetch = NULL;
    convex_fetch_drop(fetch);
    convex_action_resume(action);
}

static void on_head(void *context, uint64_t exchange, const struct http_response *response) {
    struct convex_fetch *fetch = context;
    (void)exchange;
    fetch->status = response->status;
    fetch->headers = convex_headers_value(response->headers, response->n_headers);
}

static void on_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    struct convex_fetch *fetch = context;
    (void)exchange;
    buffer_append(&fetch->body, bytes, length);
    if (fetch->body.length > RESPONSE_MAX) {
        finish(fetch, "the response has more than 16 MiB");
    }
}

static void on_end(void *context, uint64_t exchange) {
    (void)exchange;
    finish(context, NULL);
}

static void on_failed(void *context, uint64_t exchange, enum http_failure failure) {
    (void)exchange;
    finish(context, failure == HTTP_FAILURE_REFUSED ? "the connection was refused"
                    : failure == HTTP_FAILURE_RESET ? "the connection was reset"
                                                    : "the server could not be reached");
}

/* "http://authority/target" taken apart. False: it is no such URL. `authority` is the caller's. */
static bool split_url(const char *url, char **authority, const char **target) {
    const char *at = strstr(url, "://");
    if (at == NULL || (strncasecmp(url, "http:", 5) != 0 && strncasecmp(url, "https:", 6) != 0)) {
        return false;
    }
    at += 3;
    size_t length = strcspn(at, "/?#");
    if (length == 0) {
        return false;
    }
    *authority = memory_copy_bytes(at, length);
    *target = at + length;
    return true;
}

/* The target of a request: it begins with a slash and has no fragment. */
static char *make_target(const char *rest) {
    return memory_format("%s%.*s", *rest == '/' ? "" : "/", (int)strcspn(rest, "#"), rest);
}

static void send(struct convex_action *action, const char *authority, const char *target,
                 const struct convex_value *request) {
    static const struct http_client_events events = {on_head, on_body, on_end, on_failed};
    struct convex_fetch *fetch = memory_allocate(sizeof *fetch);
    struct convex_http_parts parts;
    convex_http_parts_read(&parts, request);
    const struct http_request http = {.authority = authority,
                                      .method = parts.method != NULL ? parts.method : "GET",
                                      .target = target,
                                      .headers = parts.headers,
                                      .n_headers = parts.n_headers,
                                      .body = parts.body_length > 0 ? parts.body : NULL,
                                      .body_length = parts.body_length};
    fetch->action = action;
    action->fetch = fetch;
    fetch->exchange = host_http_send(action->deployment->host, &http, &events, fetch);
    convex_http_parts_free(&parts);
}

enum status convex_fetch(struct convex_context *context, const char *url, const struct convex_value *request,
                         struct convex_value **response, struct error *error) {
    struct convex_action_entry *entry = NULL;
    struct buffer detail = {0};
    char *authority = NULL;
    const char *rest = NULL;
    *response = NULL;
    if (context->action == NULL) {
        return convex_action_refuse_waiting(error);
    }
    if (convex_http_check(request, error) != STATUS_OK) {
        return STATUS_INVALID;
    }
    if (!split_url(url, &authority, &rest)) {
        return error_set(error, STATUS_INVALID, "\"%.200s\" is no URL that can be fetched", url);
    }
    buffer_append_text(&detail, url);
    convex_append_json(&detail, request, CONVEX_FORMAT_ENCODED);
    enum status status = convex_action_step(context, "fetch", detail.data, detail.length, &entry, error);
    if (status == STATUS_OK && !entry->done) {
        char *target = make_target(rest);
        send(context->action, authority, target, request);
        free(target);
        status = convex_action_wait(context->action, error);
    } else if (status == STATUS_OK) {
        status = convex_action_give(context, entry, response, error);
    }
    buffer_free(&detail);
    free(authority);
    return status;
}
