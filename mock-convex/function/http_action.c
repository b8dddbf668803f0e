#include "mock-convex/function/http_action.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/function/action.h"
#include "mock-convex/function/http_message.h"
#include "mock-convex/http/request_count.h"
#include "mock-convex/http/router.h"
#include "mock-convex/value/value_check.h"

/* --- routes --- */

bool convex_http_is_route(const char *path) {
    size_t length = strlen(CONVEX_HTTP_PREFIX);
    return strncmp(path, CONVEX_HTTP_PREFIX, length) == 0 && path[length] == '/';
}

/* How well a route fits: 0 not at all, longer prefixes better, the path itself best. */
static size_t fit(const char *route, const char *path) {
    size_t length = strlen(route);
    if (strcmp(route, path) == 0) {
        return SIZE_MAX;
    }
    return length > 0 && route[length - 1] == '/' && strncmp(route, path, length) == 0 ? length : 0;
}

static const struct convex_function *find_function(const struct convex_deployment *deployment,
                                                   const char *method, const char *path) {
    const struct convex_http_route *best = NULL;
    size_t best_fit = 0;
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    for (size_t i = 0; i < deployment->n_http_routes; i++) {
        const struct convex_http_route *route = &deployment->http_routes[i];
        size_t fits = strcmp(route->method, wanted) == 0 ? fit(route->path, path) : 0;
        if (fits > best_fit) {
            best = route;
            best_fit = fits;
        }
    }
    const struct convex_function *function =
        best != NULL ? map_get(&deployment->functions, best->function) : NULL;
    return function != NULL && function->kind == CONVEX_HTTP_ACTION ? function : NULL;
}

/* --- one request --- */

struct site_call {
    struct convex_deployment *deployment;
    struct host *host; /* that the request came to */
    uint64_t exchange;
    bool head; /* the method: no body */
    struct convex_call call;
};

static void free_call(void *context) {
    struct site_call *site = context;
    convex_call_free(&site->call);
    free(site);
}

static struct convex_value *describe_query(const struct convex_query *query) {
    struct convex_value *object = convex_object();
    for (size_t i = 0; i < query->count; i++) {
        const struct convex_query_pair *pair = &query->pairs[i];
        if (convex_object_get(object, pair->name) == NULL) {
            convex_object_set(object, pair->name, convex_string(pair->value));
        }
    }
    return object;
}

static struct convex_value *describe_request(const struct convex_request *request, const char *path) {
    const struct http_request *http = request->http;
    struct convex_value *object = convex_object();
    convex_object_set(object, "method", convex_string(http->method));
    convex_object_set(object, "path", convex_string(path));
    convex_object_set(object, "query", describe_query(&request->query));
    convex_object_set(object, "headers", convex_headers_value(http->headers, http->n_headers));
    convex_object_set(object, "body", convex_body_value(http->body, http->body_length));
    return object;
}

static void send_response(const struct site_call *site, const struct convex_value *value) {
    struct convex_http_parts parts;
    char length[32];
    convex_http_parts_read(&parts, value);
    snprintf(length, sizeof length, "%zu", parts.body_length);
    parts.headers[parts.n_headers++] = (struct http_header){"content-length", length}; /* there is room */
    const struct http_response response = {
        .status = parts.status, .headers = parts.headers, .n_headers = parts.n_headers};
    host_http_respond(site->host, site->exchange, &response);
    if (parts.body_length > 0 && !site->head) {
        host_http_write(site->host, site->exchange, parts.body, parts.body_length);
    }
    host_http_end(site->host, site->exchange);
    convex_http_parts_free(&parts);
}

/* An error that nobody caught: 500, with the text that any other caller would see. */
static void send_failure(const struct site_call *site, const char *message,
                         const struct convex_value *thrown) {
    struct buffer text = {0};
    struct convex_reply reply = {0};
    convex_call_failure(site->deployment, &site->call, message, thrown, &text);
    convex_reply_error(&reply, 500, "InternalServerError", "%s", buffer_text(&text));
    if (site->head) {
        buffer_clear(&reply.body);
    }
    convex_reply_send(&reply, site->host, site->exchange);
    buffer_free(&text);
}

static void answer(void *context, const struct convex_action_outcome *outcome) {
    struct site_call *site = context;
    struct convex_value *empty = convex_object();
    const struct convex_value *value = outcome->value;
    struct error error = {0};
    if (value != NULL && value->kind == CONVEX_NULL) {
        value = empty;
    }
    if (outcome->code != NULL) {
        struct convex_reply reply = {0};
        convex_reply_error(&reply, 429, outcome->code, "%s", outcome->message);
        convex_reply_send(&reply, site->host, site->exchange);
    } else if (value == NULL) {
        send_failure(site, outcome->message, outcome->thrown);
    } else if (convex_http_check(value, &error) != STATUS_OK) {
        send_failure(site, error.message, NULL);
    } else {
        send_response(site, value);
    }
    convex_free(empty);
    convex_request_over(site->deployment, site->host, site->exchange);
    free_call(site);
}

static void start(struct convex_deployment *deployment, struct host *host, uint64_t exchange,
                  const struct convex_request *request, const char *path, const struct convex_value *user,
                  const struct convex_function *function) {
    struct site_call *site = memory_allocate(sizeof *site);
    struct convex_value *args = describe_request(request, path);
    *site = (struct site_call){.deployment = deployment,
                               .host = host,
                               .exchange = exchange,
                               .head = strcmp(request->http->method, "HEAD") == 0,
                               .call = {.path = memory_copy_text(function->path), .function = function}};
    const struct convex_action_caller caller = {.done = answer, .gone = free_call, .context = site};
    convex_action_start(deployment, function, user, args, deployment->read_time, caller);
    convex_free(args);
}

bool convex_http_start(struct convex_deployment *deployment, struct host *host, uint64_t exchange,
                       const struct convex_request *request, const char *path,
                       const struct convex_value *user, struct convex_reply *reply) {
    const struct convex_function *function = find_function(deployment, request->http->method, path);
    if (function == NULL) {
        reply->status = 404;
        reply->content_type = "text/plain; charset=utf-8";
        buffer_append_text(&reply->body, strcmp(request->http->method, "HEAD") == 0
                                             ? ""
                                             : "No HTTP action is routed to this method and path.");
        return false;
    }
    if (request->query.count > CONVEX_FIELDS_MAX) {
        return convex_reply_error(reply, 400, "BadQueryArgs", "The query string has too many fields.");
    }
    start(deployment, host, exchange, request, path, user, function);
    return true;
}

/* --- the second port --- */

static void on_request(void *context, uint64_t exchange, const struct http_request *http) {
    convex_router_site_request(context, exchange, http);
}

/* An action goes on; the host ignores its answer. */
static void on_closed(void *context, uint64_t exchange) {
    convex_router_closed(context, exchange);
}

void convex_http_listen(struct convex_deployment *deployment) {
    static const struct http_server_events events = {.request = on_request, .closed = on_closed};
    if (deployment->site != NULL) {
        host_http_listen(deployment->site, &events, deployment);
    }
}

void convex_http_stop(struct convex_deployment *deployment) {
    if (deployment->site != NULL) {
        host_http_listen(deployment->site, NULL, NULL);
    }
}
