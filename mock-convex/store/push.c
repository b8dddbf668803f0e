/* A deployment gets another schema and other functions; see convex_deployment_push in deployment.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mock-convex/function/checkpoint_function.h"
#include "mock-convex/state.h"
#include "mock-convex/store/component.h"
#include "mock-convex/store/schema.h"
#include "mock-convex/sync/sync_hub.h"

static void add_table(struct convex_deployment *deployment, const struct convex_table *declared) {
    struct convex_store *store = &deployment->store;
    unsigned char tablet[16];
    for (size_t half = 0; half < 2; half++) {
        uint64_t random = host_random(deployment->host, "convex.tablet");
        for (size_t i = 0; i < 8; i++) {
            tablet[8 * half + i] = (unsigned char)(random >> (8 * i));
        }
    }
    struct convex_store_table *table =
        convex_store_make_table(declared, convex_store_next_number(store, declared->component), tablet);
    convex_store_adopt_table(store, table, store->latest);
}

static bool declares(const struct convex_table *tables, size_t count,
                     const struct convex_store_table *table) {
    for (size_t i = 0; i < count; i++) {
        const char *component = tables[i].component != NULL ? tables[i].component : "";
        if (strcmp(tables[i].name, table->name) == 0 && strcmp(component, table->component) == 0) {
            return true;
        }
    }
    return false;
}

static void apply_tables(struct convex_deployment *deployment, const struct convex_table *tables,
                         size_t count) {
    struct convex_store *store = &deployment->store;
    for (size_t i = 0; i < store->n_tables; i++) {
        struct convex_store_table *table = store->tables[i];
        if (convex_store_table(store, table->full_name) == table && !declares(tables, count, table)) {
            table->document = NULL;
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct convex_store_table *table = convex_store_declared(store, &tables[i]);
        if (table != NULL) {
            convex_store_change_table(store, table, &tables[i]);
        } else {
            add_table(deployment, &tables[i]);
        }
    }
}

void convex_set_functions(struct convex_deployment *deployment, const struct convex_function *functions,
                          size_t count) {
    const struct convex_function *builtin = &convex_checkpoint_function;
    map_clear(&deployment->functions, NULL);
    map_set(&deployment->functions, builtin->path, (void *)(uintptr_t)builtin);
    for (size_t i = 0; i < count; i++) {
        assert(functions[i].path != NULL && functions[i].run != NULL);
        char *name = convex_component_name(functions[i].component, functions[i].path);
        map_set(&deployment->functions, name, (void *)(uintptr_t)&functions[i]);
        convex_store_component(&deployment->store, functions[i].component);
        free(name);
    }
}

enum status convex_deployment_push(struct convex_deployment *deployment, const struct convex_table *tables,
                                   size_t n_tables, const struct convex_function *functions,
                                   size_t n_functions, struct error *error) {
    struct convex_store *store = &deployment->store;
    enum status status = convex_schema_check_tables(tables, n_tables, error);
    if (status == STATUS_OK) {
        status = convex_schema_check_functions(functions, n_functions, error);
    }
    if (status == STATUS_OK && store->n_tables + n_tables > CONVEX_TABLES_MAX) {
        status = error_set(error, STATUS_LIMIT, "TooManyTables: there can be %d tables", CONVEX_TABLES_MAX);
    }
    if (status == STATUS_OK) {
        status = convex_schema_check_store(store, tables, n_tables, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    store->schema_ts = convex_store_bump(store, host_wall_clock(deployment->host));
    store->table_changes++;
    apply_tables(deployment, tables, n_tables);
    convex_set_functions(deployment, functions, n_functions);
    sync_hub_commit(deployment->sync);
    return STATUS_OK;
}
