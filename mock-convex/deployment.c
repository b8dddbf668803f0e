#include "mock-convex/deployment.h"
#include "mock-convex/sync_hub.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/checkpoint_function.h"
#include "mock-convex/data_sync.h"
#include "mock-convex/data_sync_list.h"
#include "mock-convex/export_api.h"
#include "mock-convex/export_row.h"
#include "mock-convex/function_routes.h"
#include "mock-convex/idle_bump.h"
#include "mock-convex/mutation.h"
#include "mock-convex/run_now.h"
#include "mock-convex/state.h"
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
    {"/api/action", "POST", convex_answer_action},
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

static void on_request(void *context, uint64_t exchange, const struct http_request *http) {
    assert(context != NULL && exchange != 0 && http->method != NULL && http->target != NULL);
    struct convex_deployment *deployment = context;
    struct convex_request request;
    struct convex_reply reply = {0};
    bool started = false;
    convex_request_open(&request, http);
    const struct route *route = find_route(request.path);
    if (sync_hub_is_route(request.path)) {
        started = sync_hub_open(deployment->sync, exchange, &request, &reply);
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

static void on_closed(void *context, uint64_t exchange) {
    struct convex_deployment *deployment = context;
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

/* --- life --- */

static void add_table(struct convex_deployment *deployment, const struct convex_table *table) {
    unsigned char tablet[16];
    uint64_t random[2] = {host_random(deployment->host, "convex.tablet"),
                          host_random(deployment->host, "convex.tablet")};
    for (size_t i = 0; i < sizeof tablet; i++) {
        tablet[i] = (unsigned char)(random[i / 8] >> (8 * (i % 8)));
    }
    convex_store_add_table(&deployment->store, table, tablet);
}

static void add_schema(struct convex_deployment *deployment,
                       const struct convex_deployment_options *options) {
    for (size_t i = 0; i < options->n_tables; i++) {
        add_table(deployment, &options->tables[i]);
    }
    if (convex_store_table(&deployment->store, convex_checkpoint_table.name) == NULL) {
        add_table(deployment, &convex_checkpoint_table);
    }
    const struct convex_function *builtin = &convex_checkpoint_function;
    map_set(&deployment->functions, builtin->path, (void *)(uintptr_t)builtin);
    for (size_t i = 0; i < options->n_functions; i++) {
        const struct convex_function *function = &options->functions[i];
        assert(function->path != NULL && function->run != NULL);
        map_set(&deployment->functions, function->path, (void *)(uintptr_t)function);
    }
}

struct convex_deployment *convex_deployment_create(struct host *host,
                                                   const struct convex_deployment_options *options) {
    static const struct http_server_events events = {.request = on_request, .closed = on_closed};
    assert(options->deploy_key != NULL && options->read_time >= 0);
    assert(options->mutation_time_low >= 0 && options->mutation_time_high >= options->mutation_time_low);
    struct convex_deployment *deployment = memory_allocate(sizeof *deployment);
    deployment->host = host;
    deployment->deploy_key = memory_copy_text(options->deploy_key);
    deployment->redacts = strncmp(options->deploy_key, "prod:", 5) == 0;
    deployment->mutation_time_low = options->mutation_time_low;
    deployment->mutation_time_high = options->mutation_time_high;
    deployment->read_time = options->read_time;
    deployment->delta_page_rows = (size_t)host_knob(host, "convex.delta-page-rows", 128, 1, 128);
    deployment->snapshot_page_rows = (size_t)host_knob(host, "convex.snapshot-page-rows", 1024, 16, 1024);
    convex_store_init(&deployment->store, host_wall_clock(host));
    add_schema(deployment, options);
    host_http_listen(host, &events, deployment);
    deployment->sync = sync_hub_make(deployment);
    deployment->bumps_when_idle = options->bumps_when_idle;
    convex_idle_wait(deployment);
    return deployment;
}

void convex_deployment_destroy(struct convex_deployment *deployment) {
    if (deployment == NULL) {
        return;
    }
    host_http_listen(deployment->host, NULL, NULL);
    convex_idle_stop(deployment);
    sync_hub_free(deployment->sync);
    convex_mutation_drop_all(deployment);
    while (deployment->answers != NULL) {
        release_answer(deployment->answers); // NOLINT(clang-analyzer-unix.Malloc): it unlinks the first one
    }
    convex_store_free(&deployment->store);
    convex_sync_list_free(deployment);
    map_free(&deployment->functions, NULL);
    free(deployment->deploy_key);
    free(deployment);
}

int64_t convex_deployment_latest(const struct convex_deployment *deployment) {
    return deployment->store.latest;
}

void convex_note_commit(struct convex_deployment *deployment, size_t from, const char *path) {
    const struct convex_store *store = &deployment->store;
    assert(from <= store->log_count);
    size_t count = store->log_count - from;
    if (count == 0) {
        return;
    }
    convex_idle_wait(deployment);
    struct arena arena = {0};
    struct buffer text = {0};
    struct note_row *rows = arena_allocate(&arena, count * sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        const struct convex_revision *revision = store->log[from + i];
        char id[CONVEX_ID_TEXT_MAX];
        convex_document_id_text(revision->document, id);
        rows[i].table = revision->document->table->name;
        rows[i].id = arena_copy_text(&arena, id);
        if (revision->value != NULL) {
            buffer_clear(&text);
            convex_append_json(&text, revision->value, CONVEX_FORMAT_JSON);
            rows[i].values = arena_copy_bytes(&arena, text.data, text.length);
        }
    }
    struct note note = {
        .kind = NOTE_COMMIT, .timestamp = store->latest, .rows = rows, .n_rows = count, .text = path};
    host_note(deployment->host, &note);
    sync_hub_commit(deployment->sync);
    buffer_free(&text);
    arena_free(&arena);
}

enum status convex_deployment_run(struct convex_deployment *deployment, const char *path,
                                  const struct convex_value *args, struct convex_value **result,
                                  struct error *error) {
    const struct convex_function *function = map_get(&deployment->functions, path);
    struct convex_value *value = NULL, *thrown = NULL;
    if (function == NULL) {
        return error_set(error, STATUS_NOT_FOUND, "there is no function \"%s\"", path);
    }
    enum status status = convex_run_now(deployment, function, args, &value, &thrown, error);
    convex_free(thrown);
    if (status == STATUS_OK && result != NULL) {
        *result = value;
    } else {
        convex_free(value);
    }
    return status;
}
