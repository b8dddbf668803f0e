#include "mock-convex/deployment.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/export/export_row.h"
#include "mock-convex/function/action.h"
#include "mock-convex/function/checkpoint_function.h"
#include "mock-convex/function/http_action.h"
#include "mock-convex/function/mutation.h"
#include "mock-convex/function/run_now.h"
#include "mock-convex/function/scheduler.h"
#include "mock-convex/http/auth.h"
#include "mock-convex/http/router.h"
#include "mock-convex/state.h"
#include "mock-convex/store/collect.h"
#include "mock-convex/store/idle_bump.h"
#include "mock-convex/store/noise.h"
#include "mock-convex/store/storage.h"
#include "mock-convex/sync/sync_hub.h"

/* --- life --- */

static void on_request(void *context, uint64_t exchange, const struct http_request *http) {
    convex_router_request(context, exchange, http);
}

static void on_closed(void *context, uint64_t exchange) {
    convex_router_closed(context, exchange);
}

static void add_functions(struct convex_deployment *deployment,
                          const struct convex_deployment_options *options) {
    deployment->store.schemaless = options->schemaless;
    convex_set_functions(deployment, options->functions, options->n_functions);
}

static void add_limits(struct convex_deployment *deployment) {
    const struct convex_switches *switches = &deployment->switches;
    const struct convex_limits *limits = &switches->limits;
    struct host *host = deployment->host;
    assert(switches->system_noise >= 0 && switches->system_noise <= CONVEX_NOISE_MAX);
    deployment->function_slots =
        (struct convex_slots){.host = host, .limit = limits->function_slots, .patience = 5 * TIME_SECOND};
    deployment->action_slots =
        (struct convex_slots){.host = host, .limit = limits->action_slots, .patience = 10 * TIME_SECOND};
    deployment->request_slots = (struct convex_slots){.host = host, .limit = limits->requests};
    deployment->summaries_at = switches->summaries_delay > 0 ? host_now(host) + switches->summaries_delay : 0;
}

struct convex_deployment *convex_deployment_create(struct host *host,
                                                   const struct convex_deployment_options *options) {
    static const struct http_server_events events = {.request = on_request, .closed = on_closed};
    assert(options->deploy_key != NULL && options->read_time >= 0);
    assert(options->mutation_time_low >= 0 && options->mutation_time_high >= options->mutation_time_low);
    struct convex_deployment *deployment = memory_allocate(sizeof *deployment);
    deployment->host = host;
    deployment->deploy_key = memory_copy_text(options->deploy_key);
    deployment->auth = convex_auth_make(host, options);
    deployment->redacts = strncmp(options->deploy_key, "prod:", 5) == 0;
    deployment->mutation_time_low = options->mutation_time_low;
    deployment->mutation_time_high = options->mutation_time_high;
    deployment->read_time = options->read_time;
    deployment->delta_page_rows = (size_t)host_knob(host, "convex.delta-page-rows", 128, 1, 128);
    deployment->conflicts = options->conflicts;
    deployment->snapshot_page_rows = (size_t)host_knob(host, "convex.snapshot-page-rows", 1024, 16, 1024);
    deployment->switches = options->switches;
    add_limits(deployment);
    convex_storage_open(deployment, options);
    add_functions(deployment, options);
    deployment->site = options->site;
    deployment->http_routes = options->http_routes;
    deployment->n_http_routes = options->n_http_routes;
    host_http_listen(host, &events, deployment);
    convex_http_listen(deployment);
    deployment->sync = sync_hub_make(deployment);
    deployment->bumps_when_idle = options->bumps_when_idle;
    convex_idle_wait(deployment);
    convex_scheduler_start(deployment);
    if (deployment->store.log_count > 0) {
        convex_collect_wait(deployment);
    }
    return deployment;
}

void convex_deployment_destroy(struct convex_deployment *deployment) {
    if (deployment == NULL) {
        return;
    }
    host_http_listen(deployment->host, NULL, NULL);
    convex_http_stop(deployment);
    convex_idle_stop(deployment);
    sync_hub_free(deployment->sync);
    convex_collect_stop(deployment);
    convex_scheduler_stop(deployment);
    convex_action_drop_all(deployment);
    convex_mutation_drop_all(deployment);
    convex_router_drop_all(deployment);
    convex_auth_free(deployment->auth);
    convex_table_shapes_free(&deployment->shapes);
    convex_head_page_free(&deployment->head_page);
    convex_storage_close(deployment);
    map_free(&deployment->functions, NULL);
    free(deployment->deploy_key);
    free(deployment);
}

int64_t convex_deployment_latest(const struct convex_deployment *deployment) {
    return deployment->store.latest;
}

static void describe_row(const struct convex_revision *revision, struct arena *arena, struct note_row *row) {
    char id[CONVEX_ID_TEXT_MAX];
    convex_document_id_text(revision->document, id);
    row->table = revision->document->table->name;
    row->id = arena_copy_text(arena, id);
    if (revision->value != NULL) {
        struct buffer text = {0};
        convex_append_json(&text, revision->value, CONVEX_FORMAT_JSON);
        row->values = arena_copy_bytes(arena, text.data, text.length);
        buffer_free(&text);
    }
}

static void note_rows(struct convex_deployment *deployment, size_t from, const char *path) {
    const struct convex_store *store = &deployment->store;
    struct arena arena = {0};
    size_t count = 0;
    struct note_row *rows = arena_allocate(&arena, (store->log_count - from) * sizeof *rows);
    for (size_t i = from; i < store->log_count; i++) {
        if (!store->log[i]->document->table->system) {
            describe_row(store->log[i], &arena, &rows[count++]);
        }
    }
    const struct note note = {
        .kind = NOTE_COMMIT, .timestamp = store->latest, .rows = rows, .n_rows = count, .text = path};
    if (count > 0) {
        host_note(deployment->host, &note);
    }
    arena_free(&arena);
}

/* Changes of system tables (deletions do not count), or of the others? */
static bool has_rows(const struct convex_store *store, size_t from, bool system) {
    bool found = false;
    for (size_t i = from; i < store->log_count && !found; i++) {
        const struct convex_revision *revision = store->log[i];
        found = revision->document->table->system == system && (!system || revision->value != NULL);
    }
    return found;
}

void convex_note_commit(struct convex_deployment *deployment, size_t from, const char *path) {
    const struct convex_store *store = &deployment->store;
    assert(from <= store->log_count);
    size_t count = store->log_count - from;
    if (count == 0) {
        return;
    }
    convex_idle_wait(deployment);
    if (host_is_heard(deployment->host)) {
        note_rows(deployment, from, path);
    }
    if (has_rows(store, from, false)) {
        convex_noise_make(deployment);
    }
    sync_hub_commit(deployment->sync);
    convex_scheduler_look(deployment, from);
    if (has_rows(store, from, true)) {
        convex_collect_wait(deployment);
    }
}

enum status convex_deployment_run(struct convex_deployment *deployment, const char *path,
                                  const struct convex_value *args, struct convex_value **result,
                                  struct error *error) {
    const struct convex_function *function = map_get(&deployment->functions, path);
    struct convex_value *value = NULL, *thrown = NULL;
    if (function == NULL) {
        return error_set(error, STATUS_NOT_FOUND, "there is no function \"%s\"", path);
    }
    enum status status = convex_run_now(deployment, function, NULL, args, &value, &thrown, NULL, error);
    convex_free(thrown);
    if (status == STATUS_OK && result != NULL) {
        *result = value;
    } else {
        convex_free(value);
    }
    return status;
}
