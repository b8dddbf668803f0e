#include "mock-convex/http/router.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/export/data_sync.h"
#include "mock-convex/export/data_sync_list.h"
#include "mock-convex/export/export_api.h"
#include "mock-convex/function/function_routes.h"
#include "mock-convex/function/http_action.h"
#include "mock-convex/function/mutation.h"
#include "mock-convex/http/auth.h"
#include "mock-convex/http/client_version.h"
#include "mock-convex/http/cors.h"
#include "mock-convex/http/request_count.h"
#include "mock-convex/store/table_changes.h"
#include "mock-convex/sync/sync_hub.h"

#define PARKED_MOST 1000 /* requests */

/* --- answers that are decided and wait for their time --- */

struct convex_answer {
    struct convex_deployment *deployment;
    struct convex_answer *next, **link; /* in the deployment's list; `link` points at what points here */
    struct host *host;                  /* that the request came to */
    uint64_t exchange;
    uint64_t timer;
    struct convex_slot slot; /* of a query, until it is answered */
    struct convex_reply reply;
};

static void release_answer(struct convex_answer *answer) {
    host_timer_cancel(answer->deployment->host, answer->timer);
    *answer->link = answer->next;
    if (answer->next != NULL) {
        answer->next->link = answer->link;
    }
    convex_reply_free(&answer->reply);
    convex_slot_leave(&answer->slot);
    convex_request_over(answer->deployment, answer->host, answer->exchange);
    free(answer);
}

static void fire_answer(void *context) {
    struct convex_answer *answer = context;
    answer->timer = 0;
    convex_reply_send(&answer->reply, answer->host, answer->exchange);
    release_answer(answer);
}

/* Takes the reply, and the slot (NULL: none). */
static void answer_later(struct convex_deployment *deployment, struct host *host, uint64_t exchange,
                         struct convex_reply reply, struct convex_slot *slot) {
    assert(reply.status != 0);
    struct convex_answer *answer = memory_allocate(sizeof *answer);
    answer->deployment = deployment;
    answer->host = host;
    answer->exchange = exchange;
    answer->reply = reply;
    if (slot != NULL && slot->holds) {
        answer->slot = *slot;
        *slot = (struct convex_slot){0};
    }
    answer->next = deployment->answers;
    answer->link = &deployment->answers;
    if (answer->next != NULL) {
        answer->next->link = &answer->next;
    }
    deployment->answers = answer;
    answer->timer = host_timer_set(deployment->host, deployment->read_time, fire_answer, answer);
}

/* --- requests that wait for the keys of their token, or for their turn --- */

struct convex_parked {
    struct convex_deployment *deployment;
    struct convex_parked *next, **link; /* in the deployment's list; `link` points at what points here */
    struct host *host;                  /* that the request came to */
    uint64_t exchange;
    struct auth_waiter waiter;
    struct convex_slot slot;  /* that it waits for; zeroed: it waits for keys */
    struct http_request http; /* a copy, in `memory` */
    struct arena memory;
};

static void release_parked(struct convex_parked *parked) {
    *parked->link = parked->next;
    if (parked->next != NULL) {
        parked->next->link = parked->link;
    }
    parked->deployment->n_parked--;
    auth_waiter_cancel(&parked->waiter);
    convex_slot_leave(&parked->slot);
    arena_free(&parked->memory);
    free(parked);
}

static void route_request(struct convex_deployment *deployment, struct host *host, uint64_t exchange,
                          const struct http_request *http, bool parks, struct convex_slot *slot);

/* Fill in a zeroed one and keep it. */
static void keep_parked(struct convex_parked *parked, struct convex_deployment *deployment, struct host *host,
                        uint64_t exchange, const struct http_request *http) {
    parked->deployment = deployment;
    parked->host = host;
    parked->exchange = exchange;
    parked->http = convex_request_copy(&parked->memory, http);
    parked->next = deployment->parked;
    parked->link = &deployment->parked;
    if (parked->next != NULL) {
        parked->next->link = &parked->next;
    }
    deployment->parked = parked;
    deployment->n_parked++;
}

/* The keys are there, or will not come: now the request takes the way of any other. */
static void unpark(void *context) {
    struct convex_parked *parked = context;
    route_request(parked->deployment, parked->host, parked->exchange, &parked->http, false, NULL);
    release_parked(parked);
}

/* --- queries that wait for a slot --- */

static void slot_granted(void *context) {
    struct convex_parked *parked = context;
    route_request(parked->deployment, parked->host, parked->exchange, &parked->http, false, &parked->slot);
    release_parked(parked);
}

static void slot_refused(void *context) {
    struct convex_parked *parked = context;
    struct convex_reply reply = {0};
    struct convex_request request;
    convex_request_open(&request, &parked->http);
    convex_reply_error(&reply, 429, "TooManyConcurrentRequests", "Too many functions run at once.");
    convex_cors_allow(&reply, convex_request_header(&request, "origin"));
    convex_request_close(&request);
    answer_later(parked->deployment, parked->host, parked->exchange, reply, NULL);
    release_parked(parked);
}

/* True: the query may run now, and `slot` is its own. False: it waits. */
static bool take_slot(struct convex_deployment *deployment, uint64_t exchange,
                      const struct http_request *http, struct convex_slot *slot) {
    struct convex_slots *slots = &deployment->function_slots;
    if (slot->holds || slots->limit == 0 || slots->taken < slots->limit) {
        return slot->holds || convex_slot_take(slots, slot);
    }
    struct convex_parked *parked = memory_allocate(sizeof *parked);
    parked->slot = (struct convex_slot){.granted = slot_granted, .refused = slot_refused, .context = parked};
    keep_parked(parked, deployment, deployment->host, exchange, http);
    bool taken = convex_slot_take(slots, &parked->slot);
    assert(!taken);
    (void)taken;
    return false;
}

/* True: it waits and will be routed again. False: it need not wait, or there are too many who do and the
 * reply says so. */
static bool park(struct convex_deployment *deployment, struct host *host, uint64_t exchange,
                 const struct convex_request *request, struct convex_reply *reply) {
    const char *header = convex_request_header(request, "authorization");
    if (header == NULL) {
        return false;
    }
    struct convex_parked *parked = memory_allocate(sizeof *parked);
    parked->waiter = (struct auth_waiter){.ready = unpark, .context = parked};
    if (!convex_auth_wait(deployment->auth, header, &parked->waiter)) {
        free(parked);
        return false;
    }
    if (deployment->n_parked == PARKED_MOST) {
        auth_waiter_cancel(&parked->waiter);
        free(parked);
        return convex_reply_error(reply, 503, "WorkerOverloaded",
                                  "Too many requests wait for the keys of an auth provider.");
    }
    keep_parked(parked, deployment, host, exchange, request->http);
    return true;
}

/* --- routes --- */

struct route {
    const char *path;
    const char *methods; /* "GET POST" */
    /* NULL: convex_function_start, whose mutations answer in their own time */
    void (*answer)(struct convex_deployment *deployment, const struct convex_request *request,
                   struct convex_reply *reply);
};

static void answer_text(struct convex_reply *reply, const char *text) {
    reply->status = 200;
    reply->content_type = "text/plain; charset=utf-8";
    buffer_append_text(&reply->body, text);
}

static void answer_root(struct convex_deployment *deployment, const struct convex_request *request,
                        struct convex_reply *reply) {
    (void)deployment;
    (void)request;
    answer_text(reply, "This Convex deployment is running.");
}

static void answer_version(struct convex_deployment *deployment, const struct convex_request *request,
                           struct convex_reply *reply) {
    (void)deployment;
    (void)request;
    answer_text(reply, "unknown");
}

/* "prod:happy-animal-123|0123abcd" -> "happy-animal-123" */
static void answer_name(struct convex_deployment *deployment, const struct convex_request *request,
                        struct convex_reply *reply) {
    const char *key = deployment->deploy_key, *colon = strchr(key, ':');
    size_t length = strcspn(key, "|");
    (void)request;
    if (colon != NULL && colon < key + length) {
        length -= (size_t)(colon + 1 - key);
        key = colon + 1;
    }
    char *name = memory_copy_bytes(key, length);
    answer_text(reply, name);
    free(name);
}

/* The body back. The host's bound on bodies is below the backend's. */
static void answer_echo(struct convex_deployment *deployment, const struct convex_request *request,
                        struct convex_reply *reply) {
    (void)deployment;
    reply->status = 200;
    reply->content_type = "application/octet-stream";
    if (request->http->body_length > 0) {
        buffer_append(&reply->body, request->http->body, request->http->body_length);
    }
}

static const struct route routes[] = {
    {"/", "GET", answer_root},
    {"/version", "GET", answer_version},
    {"/instance_version", "GET", answer_version},
    {"/instance_name", "GET", answer_name},
    {"/echo", "POST", answer_echo},
    {"/api/list_snapshot", "GET POST", convex_answer_list_snapshot},
    {"/api/document_deltas", "GET POST", convex_answer_document_deltas},
    {"/api/check_admin_key", "GET", convex_answer_check_admin_key},
    {"/api/json_schemas", "GET", convex_answer_json_schemas},
    {"/api/get_table_column_names", "GET", convex_answer_column_names},
    {"/api/test_streaming_export_connection", "GET", convex_answer_test_connection},
    {"/api/v1/data/sync", "POST", convex_answer_data_sync},
    {"/api/v1/data/list_active_syncs", "GET", convex_answer_list_active_syncs},
    {"/api/data_sync_cursor_from_deltas", "POST", convex_answer_data_sync_cursor},
    {"/api/delete_tables", "POST", convex_answer_delete_tables},
    {"/api/shapes2", "GET", convex_answer_shapes},
    {"/api/streaming_import/clear_tables", "PUT", convex_answer_clear_tables},
    {"/api/streaming_import/replace_tables", "PUT POST", convex_answer_replace_tables},
    {"/api/query", "GET POST", convex_answer_query},
    {"/api/query_batch", "POST", convex_answer_query_batch},
    {"/api/query_ts", "POST", convex_answer_query_ts},
    {"/api/query_at_ts", "POST", convex_answer_query_at_ts},
    {"/api/action", "POST", NULL},
    {"/api/mutation", "POST", NULL},
    {"/api/function", "POST", NULL},
    {CONVEX_RUN_PREFIX, "POST", NULL}}; /* and what is below it */

static const struct route *find_route(const char *path) {
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(routes[i].path, path) == 0 ||
            (strcmp(routes[i].path, CONVEX_RUN_PREFIX) == 0 &&
             strncmp(path, CONVEX_RUN_PREFIX, strlen(CONVEX_RUN_PREFIX)) == 0)) {
            return &routes[i];
        }
    }
    return NULL;
}

/* Does it run functions in its answer? */
static bool is_query(const struct route *route) {
    return route->answer == convex_answer_query || route->answer == convex_answer_query_batch ||
           route->answer == convex_answer_query_at_ts;
}

static bool allows(const struct route *route, const char *method) {
    return strcmp(method, "GET") == 0    ? strstr(route->methods, "GET") != NULL
           : strcmp(method, "POST") == 0 ? strstr(route->methods, "POST") != NULL
           : strcmp(method, "PUT") == 0  ? strstr(route->methods, "PUT") != NULL
                                         : false;
}

/* Is the caller's program one that the backend still talks to? On the WebSocket's path the version stands for
 * that of the npm package. */
static bool check_client(const struct convex_request *request, struct convex_reply *reply) {
    struct convex_client_version version;
    const char *header = convex_request_header(request, "convex-client");
    const char *slash = sync_hub_is_route(request->path) ? strchr(request->path + 5, '/') : NULL;
    char *text = slash != NULL
                     ? memory_format("npm-%.*s", (int)(slash - request->path - 5), request->path + 5)
                     : memory_copy_text(header);
    bool good = true;
    if (text != NULL && strncmp(request->path, "/api/", 5) == 0) {
        if (convex_client_version_parse(text, &version) != STATUS_OK) {
            good = convex_reply_error(reply, 400, "InvalidClientVersion",
                                      "\"%.100s\" is no name and version of a client.", text);
        } else if (!convex_client_version_is_supported(&version)) {
            good = convex_reply_error(reply, 400, "ClientVersionUnsupported",
                                      "This version of the client is too old: %.100s.", text);
            convex_reply_header(reply, "x-convex-deprecation-state", "Unsupported");
            convex_reply_header(reply, "x-convex-deprecation-message", "Update the convex package.");
        }
    }
    free(text);
    return good;
}

/* True: the reply comes later. `parks`: the request may wait for the keys of its token. */
static bool dispatch(struct convex_deployment *deployment, uint64_t exchange,
                     const struct convex_request *request, bool parks, struct convex_slot *slot,
                     struct convex_reply *reply) {
    const struct route *route = find_route(request->path);
    if (sync_hub_is_route(request->path)) {
        return check_client(request, reply) && sync_hub_open(deployment->sync, exchange, request, reply);
    }
    if (route == NULL || !allows(route, request->http->method)) {
        reply->status = route == NULL ? 404 : 405; /* with an empty body, as the backend's router */
        return false;
    }
    if (!check_client(request, reply)) {
        return false;
    }
    if (parks && park(deployment, deployment->host, exchange, request, reply)) {
        return true;
    }
    if (reply->status != 0) {
        return false;
    }
    if (route->answer == NULL) {
        return convex_function_start(deployment, exchange, request, reply);
    }
    if (is_query(route) && !take_slot(deployment, exchange, request->http, slot)) {
        return true;
    }
    route->answer(deployment, request, reply);
    return false;
}

/* A request to an HTTP action, which may use the Authorization header in its own way: one that names nobody
 * is no error. */
static bool dispatch_site(struct convex_deployment *deployment, struct host *host, uint64_t exchange,
                          const struct convex_request *request, bool parks, struct convex_reply *reply) {
    struct convex_caller caller = {0};
    struct convex_reply ignored = {0};
    const char *path = request->path;
    if (parks && park(deployment, host, exchange, request, reply)) {
        return true;
    }
    if (reply->status != 0) {
        return false;
    }
    bool known = convex_auth_identify(deployment->auth, request, &caller, &ignored);
    convex_reply_free(&ignored);
    path += host == deployment->host ? strlen(CONVEX_HTTP_PREFIX) : 0;
    return convex_http_start(deployment, host, exchange, request, path, known ? caller.user : NULL, reply);
}

/* `slot` NULL, or one that the request holds. */
static void route_request(struct convex_deployment *deployment, struct host *host, uint64_t exchange,
                          const struct http_request *http, bool parks, struct convex_slot *slot) {
    struct convex_slot own = {0};
    struct convex_request request;
    slot = slot != NULL ? slot : &own;
    struct convex_reply reply = {0};
    convex_request_open(&request, http);
    bool for_site = host != deployment->host || convex_http_is_route(request.path);
    if (for_site) {
        if (dispatch_site(deployment, host, exchange, &request, parks, &reply)) {
            convex_request_close(&request);
            return;
        }
    } else if (strcmp(http->method, "OPTIONS") == 0) {
        convex_cors_preflight(&request, &reply);
    } else if (dispatch(deployment, exchange, &request, parks, slot, &reply)) {
        convex_request_close(&request);
        return;
    }
    if (!for_site) { /* an HTTP action speaks for itself */
        convex_cors_allow(&reply, convex_request_header(&request, "origin"));
    }
    answer_later(deployment, host, exchange, reply, slot);
    convex_request_close(&request);
}

static void go(struct convex_deployment *deployment, uint64_t exchange, const struct http_request *http) {
    route_request(deployment, deployment->host, exchange, http, true, NULL);
}

void convex_router_request(struct convex_deployment *deployment, uint64_t exchange,
                           const struct http_request *http) {
    assert(exchange != 0 && http->method != NULL && http->target != NULL);
    char *path = memory_copy_bytes(http->target, strcspn(http->target, "?"));
    bool goes = sync_hub_is_route(path) || convex_request_count(deployment, exchange, http, go);
    free(path);
    if (goes) {
        go(deployment, exchange, http);
    }
}

void convex_router_site_request(struct convex_deployment *deployment, uint64_t exchange,
                                const struct http_request *http) {
    route_request(deployment, deployment->site, exchange, http, true, NULL);
}

void convex_router_closed(struct convex_deployment *deployment, uint64_t exchange) {
    convex_request_over(deployment, deployment->host, exchange);
    if (convex_mutation_closed(deployment, exchange)) {
        return;
    }
    for (struct convex_parked *parked = deployment->parked; parked != NULL; parked = parked->next) {
        if (parked->exchange == exchange) {
            release_parked(parked);
            return;
        }
    }
    for (struct convex_answer *answer = deployment->answers; answer != NULL; answer = answer->next) {
        if (answer->exchange == exchange) {
            release_answer(answer);
            return;
        }
    }
}

void convex_router_drop_all(struct convex_deployment *deployment) {
    convex_request_drop_all(deployment);
    while (deployment->parked != NULL) {
        release_parked(deployment->parked); // NOLINT(clang-analyzer-unix.Malloc): it unlinks the first one
    }
    while (deployment->answers != NULL) {
        release_answer(deployment->answers); // NOLINT(clang-analyzer-unix.Malloc): it unlinks the first one
    }
}
