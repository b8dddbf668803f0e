/* Tables as a transaction sees them: those of the store and, where no schema is declared, those that it makes
 * itself by writing to them. */
#include <stdlib.h>
#include <string.h>

#include "mock-convex/store/component.h"
#include "mock-convex/store/transaction_internal.h"
#include "mock-convex/value/name.h"

static void note_absent(struct convex_transaction *transaction, const char *name) {
    for (size_t i = 0; i < transaction->n_absent; i++) {
        if (strcmp(transaction->absent[i], name) == 0) {
            return;
        }
    }
    transaction->absent =
        memory_resize(transaction->absent, transaction->n_absent + 1, sizeof *transaction->absent);
    transaction->absent[transaction->n_absent++] = arena_copy_text(&transaction->arena, name);
}

struct convex_store_table *convex_transaction_find_table(const struct convex_transaction *transaction,
                                                         const char *full_name) {
    struct convex_store_table *table = convex_store_table(transaction->store, full_name);
    for (size_t i = 0; table == NULL && i < transaction->n_made; i++) {
        if (strcmp(transaction->made[i]->full_name, full_name) == 0) {
            table = transaction->made[i];
        }
    }
    return table;
}

struct convex_store_table *convex_transaction_table(struct convex_transaction *transaction,
                                                    const char *name) {
    char *full = NULL;
    if (strchr(name, '/') != NULL) { /* a full name would reach into another component */
        return NULL;
    }
    if (!convex_component_is_root(transaction->component)) {
        name = full = convex_component_name(transaction->component, name);
    }
    struct convex_store_table *table = convex_transaction_find_table(transaction, name);
    if (table == NULL) {
        note_absent(transaction, name);
    }
    free(full);
    return table;
}

/* The number of a table that the transaction makes, after the first `made` ones. */
static uint32_t next_number(const struct convex_transaction *transaction, const char *component,
                            size_t made) {
    uint32_t number = convex_store_next_number(transaction->store, component);
    for (size_t i = 0; i < made; i++) {
        number += strcmp(transaction->made[i]->component, component) == 0;
    }
    return number;
}

static void draw_tablet(struct host *host, unsigned char tablet[16]) {
    for (size_t half = 0; half < 2; half++) {
        uint64_t random = host_random(host, "convex.tablet");
        for (size_t i = 0; i < 8; i++) {
            tablet[8 * half + i] = (unsigned char)(random >> (8 * i));
        }
    }
}

enum status convex_transaction_make_table(struct convex_transaction *transaction, const char *name,
                                          struct convex_store_table **table, struct error *error) {
    unsigned char tablet[16];
    const char *component = transaction->component != NULL ? transaction->component : "";
    uint32_t number = next_number(transaction, component, transaction->n_made);
    if (!convex_name_is_table(name) || name[0] == '_') {
        return error_set(error, STATUS_INVALID, "\"%.64s\" cannot be the name of a table", name);
    }
    if (transaction->store->n_tables + transaction->n_made >= CONVEX_TABLES_MAX) {
        return error_set(error, STATUS_LIMIT, "TooManyTables: there can be %d tables", CONVEX_TABLES_MAX);
    }
    draw_tablet(transaction->host, tablet);
    *table =
        convex_store_make_table(&(struct convex_table){.name = name, .component = component}, number, tablet);
    (*table)->from = CONVEX_LIVE;
    transaction->made =
        memory_resize(transaction->made, transaction->n_made + 1, sizeof(struct convex_store_table *));
    transaction->made[transaction->n_made++] = *table;
    return STATUS_OK;
}

void convex_transaction_drop_made(struct convex_transaction *transaction) {
    for (size_t i = 0; i < transaction->n_made; i++) {
        convex_store_free_table(transaction->made[i]);
    }
    free(transaction->made);
    free(transaction->absent);
    transaction->made = NULL;
    transaction->absent = NULL;
    transaction->n_made = transaction->n_absent = 0;
}

enum status convex_transaction_check_tables(const struct convex_transaction *transaction,
                                            struct error *error) {
    const struct convex_store *store = transaction->store;
    if (store->schema_ts > transaction->begin) {
        return error_set(error, STATUS_CONFLICT, "the schema or the functions changed meanwhile");
    }
    for (size_t i = 0; i < transaction->n_made; i++) {
        const struct convex_store_table *made = transaction->made[i];
        if (made->number != next_number(transaction, made->component, i)) {
            return error_set(error, STATUS_CONFLICT,
                             "another table was made while this mutation was running");
        }
    }
    for (size_t i = 0; i < transaction->n_absent; i++) {
        if (convex_store_table(store, transaction->absent[i]) != NULL) {
            return error_set(error, STATUS_CONFLICT,
                             "the table \"%.64s\" was made while this mutation was running",
                             transaction->absent[i]);
        }
    }
    return STATUS_OK;
}

void convex_transaction_adopt_made(struct convex_transaction *transaction, int64_t wall_clock) {
    struct convex_store *store = transaction->store;
    for (size_t i = 0; i < transaction->n_made; i++) {
        convex_store_adopt_table(store, transaction->made[i], convex_store_next_ts(store, wall_clock));
    }
    transaction->n_made = 0;
}
