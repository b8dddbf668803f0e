#include "mock-convex/deployment.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/checkpoint_function.h"
#include "mock-convex/data_sync_list.h"
#include "mock-convex/export_row.h"
#include "mock-convex/idle_bump.h"
#include "mock-convex/mutation.h"
#include "mock-convex/router.h"
#include "mock-convex/run_now.h"
#include "mock-convex/state.h"
#include "mock-convex/sync_hub.h"

/* --- life --- */

static void on_request(void *context, uint64_t exchange, const struct http_request *http) {
    convex_router_request(context, exchange, http);
}

static void on_closed(void *context, uint64_t exchange) {
    convex_router_closed(context, exchange);
}

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
    deployment->conflicts = options->conflicts;
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
    convex_router_drop_all(deployment);
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
