#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/http/route.h"
#include "mock-powersync/http/token_rules.h"
#include "mock-powersync/service_internal.h"

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* A process that only replicates has the first table. */
static const struct {
    const struct route *routes;
    size_t count;
} tables[] = {{probe_routes, LENGTH(probe_routes)},
              {stream_routes, LENGTH(stream_routes)},
              {checkpoint_routes, LENGTH(checkpoint_routes)},
              {admin_routes, LENGTH(admin_routes)},
              {sync_rules_routes, LENGTH(sync_rules_routes)}};

static const struct route *find_route(const struct powersync_service *service,
                                      const struct http_request *request) {
    size_t length = strcspn(request->target, "?"), n_tables = service->batcher ? LENGTH(tables) : 1;
    for (size_t i = 0; i < n_tables; i++)
        for (size_t j = 0; j < tables[i].count; j++) {
            const struct route *route = &tables[i].routes[j];
            if (strcmp(route->method, request->method) == 0 && strlen(route->path) == length &&
                strncmp(route->path, request->target, length) == 0)
                return route;
        }
    return NULL;
}

/* --- the life of a call --- */

static void start(struct route_call *call);

static struct request_group *group_of(const struct route_call *call) {
    return &call->service->groups[call->route->group];
}

static void free_call(struct route_call *call) {
    auth_call_cancel(call->auth);
    if (call->work)
        call->stop(call->work);
    json_decref(call->parameters);
    arena_free(&call->arena);
    free(call);
}

void route_call_work(struct route_call *call, void *work, void (*stop)(void *work)) {
    assert(work && stop && !call->work);
    call->work = work;
    call->stop = stop;
}

/* Without the peer, or after the answer. */
static void drop(struct route_call *call) {
    struct request_group *group = group_of(call);
    map_remove(&call->service->calls, exchange_key(call->exchange).text);
    struct request_ticket *next = request_group_leave(group, &call->ticket);
    free_call(call);
    if (next)
        start((struct route_call *)next);
}

void route_call_end(struct route_call *call) {
    call->work = NULL; /* it is what ends the call */
    drop(call);
}

void route_call_answer(struct route_call *call, int status, const char *json) {
    http_respond_json(call->service->host, call->exchange, status, json);
    route_call_end(call);
}

void route_call_answer_data(struct route_call *call, const struct buffer *json) {
    struct buffer body = {0};
    buffer_append_text(&body, "{\"data\":");
    buffer_append(&body, buffer_text(json), json->length);
    buffer_append_char(&body, '}');
    route_call_answer(call, 200, body.data);
    buffer_free(&body);
}

void route_call_answer_json(struct route_call *call, json_t *value) {
    struct buffer json = {0};
    assert(value);
    json_append(&json, value);
    json_decref(value);
    route_call_answer_data(call, &json);
    buffer_free(&json);
}

void route_call_refuse(struct route_call *call, const struct http_error *error) {
    http_respond_error(call->service->host, call->exchange, error);
    route_call_end(call);
}

void route_call_fail(struct route_call *call, const char *details) {
    struct http_error error;
    http_error_set(&error, 500, "InternalServerError", "PSYNC_S2001", "Something went wrong");
    snprintf(error.details, sizeof error.details, "%.500s", details);
    route_call_refuse(call, &error);
}

bool route_invalid(struct http_error *error, const char *what) {
    http_error_set(error, 400, "ValidationError", "PSYNC_S2001", "Validation failed");
    snprintf(error->details, sizeof error->details, "[\"%s\"]", what);
    return false;
}

/* --- who may --- */

static bool is_operator(const struct route_call *call, const char **why) {
    const struct powersync_options *options = &call->service->options;
    const char *token = token_of_header(request_header(call->request, "authorization"));
    *why = options->n_api_tokens == 0 ? "Authentication disabled"
           : !token                   ? "Authentication required"
                                      : "Authentication failed";
    for (size_t i = 0; token && i < options->n_api_tokens; i++)
        if (strcmp(token, options->api_tokens[i]) == 0)
            return true;
    return false;
}

static void handle_operator(struct route_call *call) {
    const char *why;
    struct http_error error;
    if (is_operator(call, &why)) {
        call->route->handle(call, NULL);
        return;
    }
    http_error_authorization(&error, "PSYNC_S2101", "Authorization failed");
    snprintf(error.details, sizeof error.details, "[\"%s\"]", why);
    route_call_refuse(call, &error);
}

static void on_user(void *context, const struct auth_user *user, const struct http_error *error) {
    struct route_call *call = context;
    if (user)
        call->route->handle(call, user);
    else
        route_call_refuse(call, error);
}

/* The keys may not be there yet: then the request has to be kept. So keep it where they are fetched. */
static void handle_user(struct route_call *call) {
    if (call->service->options.auth.n_jwks_uris > 0 && !call->arena.blocks)
        call->request = request_copy(call->request, true, &call->arena);
    auth_check(call->service->auth, request_header(call->request, "authorization"), &call->auth, on_user,
               call);
}

/* --- the way of a call --- */

static void start(struct route_call *call) {
    struct http_error error = {0};
    const struct route *route = call->route;
    call->parameters = request_parameters_read(call->request, route->yaml, &error);
    if (!call->parameters || (route->validate && !route->validate(call->parameters, &error)))
        route_call_refuse(call, &error);
    else if (route->access == ACCESS_ALL)
        route->handle(call, NULL);
    else if (route->access == ACCESS_OPERATOR)
        handle_operator(call);
    else
        handle_user(call);
}

static void refuse_overload(struct powersync_service *service, uint64_t exchange) {
    static const struct http_header headers[] = {{"access-control-allow-origin", "*"}};
    const struct http_response response = {.status = 429, .headers = headers, .n_headers = 1};
    host_http_respond(service->host, exchange, &response);
    host_http_end(service->host, exchange);
}

static void enter(struct powersync_service *service, uint64_t exchange, const struct route *route,
                  const struct http_request *request) {
    struct route_call *call = memory_allocate(sizeof *call);
    *call = (struct route_call){.service = service, .route = route, .exchange = exchange, .request = request};
    enum request_turn turn = request_group_enter(group_of(call), &call->ticket);
    if (turn == TURN_NEVER) {
        free(call);
        refuse_overload(service, exchange);
        return;
    }
    assert(!map_has(&service->calls, exchange_key(exchange).text));
    map_set(&service->calls, exchange_key(exchange).text, call);
    if (turn == TURN_NOW)
        start(call);
    else
        call->request = request_copy(request, false, &call->arena);
}

/* A browser asks whether it may; without saying what for it is refused, in plain text. */
static void answer_preflight(struct powersync_service *service, uint64_t exchange,
                             const struct http_request *request) {
    static const struct http_header yes[] = {
        {"access-control-allow-origin", "*"},
        {"access-control-expose-headers", "Content-Type"},
        {"access-control-allow-methods", "GET,HEAD,POST"},
        {"access-control-allow-headers", "Content-Type, Authorization, User-Agent, X-User-Agent"},
        {"access-control-max-age", "3600"}};
    static const struct http_header no[] = {{"content-type", "text/plain"}};
    static const char invalid[] = "Invalid Preflight Request";
    bool asks = request_header(request, "origin") && request_header(request, "access-control-request-method");
    const struct http_response response = {
        .status = asks ? 204 : 400, .headers = asks ? yes : no, .n_headers = asks ? LENGTH(yes) : 1};
    host_http_respond(service->host, exchange, &response);
    if (!asks)
        host_http_write(service->host, exchange, invalid, strlen(invalid));
    host_http_end(service->host, exchange);
}

void routes_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct powersync_service *service = context;
    assert(service->running);
    if (service->rsocket && rsocket_server_accept(service->rsocket, exchange))
        return;
    if (strcmp(request->method, "OPTIONS") == 0) {
        answer_preflight(service, exchange, request);
        return;
    }
    const struct route *route = find_route(service, request);
    if (route) {
        enter(service, exchange, route, request);
        return;
    }
    struct http_error error;
    http_error_set(&error, 404, "RouteNotFound", "PSYNC_S2002", "The path does not exist on this server");
    http_respond_error(service->host, exchange, &error);
}

void routes_closed(void *context, uint64_t exchange) {
    struct powersync_service *service = context;
    struct route_call *call = map_get(&service->calls, exchange_key(exchange).text);
    if (call)
        drop(call);
}

void routes_break_streams(struct powersync_service *service) {
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&service->calls, &i));) {
        struct route_call *call = entry->value;
        if (call->route->group != GROUP_SYNC)
            continue;
        host_http_reset(service->host, call->exchange);
        drop(call);
    }
}

void routes_stop(struct powersync_service *service) {
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&service->calls, &i));)
        free_call(entry->value);
    map_clear(&service->calls, NULL);
}
