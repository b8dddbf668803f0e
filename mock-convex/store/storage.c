#include "mock-convex/store/storage.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/function/checkpoint_function.h"
#include "mock-convex/store/component.h"
#include "mock-convex/store/transaction.h"

static const struct convex_index request_indexes[] = {
    {.name = "by_request", .fields = {"sessionId", "requestId"}, .n_fields = 2}};
static const struct convex_table system_tables[] = {
    {.name = CONVEX_JOBS_TABLE},
    {.name = CONVEX_REQUESTS_TABLE, .indexes = request_indexes, .n_indexes = 1},
    {.name = CONVEX_NOISE_TABLE}};

struct convex_storage *convex_storage_create(void) {
    return memory_allocate(sizeof(struct convex_storage));
}

void convex_storage_destroy(struct convex_storage *storage) {
    if (storage == NULL) {
        return;
    }
    assert(!storage->busy);
    convex_store_free(&storage->store);
    map_free(&storage->syncs, free);
    free(storage);
}

/* The declarations are given anew, perhaps in another place of memory. */
static bool bind_again(struct convex_store *store, const struct convex_table *declared) {
    bool known = false;
    for (size_t i = 0; i < store->n_tables; i++) {
        struct convex_store_table *table = store->tables[i];
        const char *component = declared->component != NULL ? declared->component : "";
        if (strcmp(table->name, declared->name) != 0 || strcmp(table->component, component) != 0) {
            continue;
        }
        known = true;
        convex_store_change_table(store, table, declared);
    }
    return known;
}

static void add_table(struct convex_deployment *deployment, const struct convex_table *declared) {
    unsigned char tablet[16];
    if (!bind_again(&deployment->store, declared)) {
        convex_draw_bytes(deployment->host, "convex.tablet", tablet);
        convex_store_add_table(&deployment->store, declared, tablet);
    }
}

static void add_system_tables(struct convex_deployment *deployment) {
    for (size_t i = 0; i < sizeof system_tables / sizeof system_tables[0]; i++) {
        unsigned char tablet[16];
        convex_draw_bytes(deployment->host, "convex.system-tablet", tablet);
        convex_store_add_system_table(&deployment->store, &system_tables[i], tablet);
    }
}

void convex_storage_open(struct convex_deployment *deployment,
                         const struct convex_deployment_options *options) {
    struct convex_storage *storage = options->storage != NULL ? options->storage : convex_storage_create();
    assert(!storage->busy);
    deployment->storage = storage;
    deployment->owns_storage = options->storage == NULL;
    if (storage->begun) {
        deployment->store = storage->store;
        deployment->syncs = storage->syncs;
        memset(&storage->store, 0, sizeof storage->store);
        memset(&storage->syncs, 0, sizeof storage->syncs);
        if (deployment->switches.restart_loses > 0) {
            convex_store_rewind(&deployment->store,
                                deployment->store.latest - deployment->switches.restart_loses);
        }
    } else {
        convex_store_init(&deployment->store, host_wall_clock(deployment->host));
        add_system_tables(deployment);
    }
    storage->begun = storage->busy = true;
    bool has_checkpoints = false;
    for (size_t i = 0; i < options->n_tables; i++) {
        add_table(deployment, &options->tables[i]);
        has_checkpoints =
            has_checkpoints || (convex_component_is_root(options->tables[i].component) &&
                                strcmp(options->tables[i].name, convex_checkpoint_table.name) == 0);
    }
    if (!has_checkpoints) {
        add_table(deployment, &convex_checkpoint_table);
    }
}

void convex_storage_close(struct convex_deployment *deployment) {
    struct convex_storage *storage = deployment->storage;
    assert(storage->busy);
    storage->store = deployment->store;
    storage->syncs = deployment->syncs;
    storage->busy = false;
    if (deployment->owns_storage) {
        convex_storage_destroy(storage);
    }
}
