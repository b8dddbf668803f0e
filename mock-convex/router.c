#include "mock-convex/router.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/data_sync.h"
#include "mock-convex/data_sync_list.h"
#include "mock-convex/export_api.h"
#include "mock-convex/function_routes.h"
#include "mock-convex/http_action.h"
#include "mock-convex/mutation.h"
#include "mock-convex/sync_hub.h"
#include "mock-convex/table_changes.h"

/* --- answers that are decided and wait for their time --- */

struct convex_answer {
    struct convex_deployment *deployment;
    struct convex_answer *next, **link; /* in the deployment's list; `link` points at what points here */
    uint64_t exchange;
    uint64_t timer;
    struct convex_reply reply;
};

static void release_answer(struct convex_answer *answer) {
    host_timer_cancel(answer->deployment->host, answer->timer);
    *answer->link = answer->next;
    if (answer->next != NULL) {
        answer->next->link = answer->link;
    }
    convex_reply_free(&answer->reply);
    free(answer);
}

static void fire_answer(void *context) {
    struct convex_answer *answer = context;
    answer->timer = 0;
    convex_reply_send(&answer->reply, answer->deployment->host, answer->exchange);
    release_answer(answer);
}

/* Takes the reply. */
static void answer_later(struct convex_deployment *deployment, uint64_t exchange, struct convex_reply reply) {
    assert(reply.status != 0);
    struct convex_answer *answer = memory_allocate(sizeof *answer);
    answer->deployment = deployment;
    answer->exchange = exchange;
    answer->reply = reply;
    answer->next = deployment->answers;
    answer->link = &deployment->answers;
    if (answer->next != NULL) {
        answer->next->link = &answer->next;
    }
    deployment->answers = answer;
    answer->timer = host_timer_set(deployment->host, deployment->read_time, fire_answer, answer);
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
    reply->plain = true;
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

static const struct route routes[] = {
    {"/", "GET", answer_root},
    {"/version", "GET", answer_version},
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
    {"/api/streaming_import/clear_tables", "PUT", convex_answer_clear_tables},
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

static bool allows(const struct route *route, const char *method) {
    return strcmp(method, "GET") == 0    ? strstr(route->methods, "GET") != NULL
           : strcmp(method, "POST") == 0 ? strstr(route->methods, "POST") != NULL
           : strcmp(method, "PUT") == 0  ? strstr(route->methods, "PUT") != NULL
                                         : false;
}

void convex_router_request(struct convex_deployment *deployment, uint64_t exchange,
                           const struct http_request *http) {
    assert(exchange != 0 && http->method != NULL && http->target != NULL);
    struct convex_request request;
    struct convex_reply reply = {0};
    bool started = false;
    convex_request_open(&request, http);
    const struct route *route = find_route(request.path);
    if (sync_hub_is_route(request.path)) {
        started = sync_hub_open(deployment->sync, exchange, &request, &reply);
    } else if (convex_http_is_route(request.path)) {
        convex_http_request(deployment, deployment->host, exchange, &request,
                            request.path + strlen(CONVEX_HTTP_PREFIX));
        started = true;
    } else if (route == NULL || !allows(route, http->method)) {
        reply.status = route == NULL ? 404 : 405; /* with an empty body, as the backend's router */
    } else if (route->answer != NULL) {
        route->answer(deployment, &request, &reply);
    } else {
        started = convex_function_start(deployment, exchange, &request, &reply);
    }
    if (!started) {
        answer_later(deployment, exchange, reply);
    }
    convex_request_close(&request);
}

void convex_router_closed(struct convex_deployment *deployment, uint64_t exchange) {
    if (convex_mutation_closed(deployment, exchange)) {
        return;
    }
    for (struct convex_answer *answer = deployment->answers; answer != NULL; answer = answer->next) {
        if (answer->exchange == exchange) {
            release_answer(answer);
            return;
        }
    }
}

void convex_router_drop_all(struct convex_deployment *deployment) {
    while (deployment->answers != NULL) {
        release_answer(deployment->answers); // NOLINT(clang-analyzer-unix.Malloc): it unlinks the first one
    }
}
