/* Tables whose declaration changes while they hold documents; see convex_store_change_table. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/store/component.h"
#include "mock-convex/store/store.h"

struct convex_store_table *convex_store_declared(const struct convex_store *store,
                                                 const struct convex_table *declared) {
    char *name = convex_component_name(declared->component, declared->name);
    struct convex_store_table *table = convex_store_table(store, name);
    free(name);
    return table;
}

static bool same_index(const struct convex_index *a, const struct convex_index *b) {
    if (strcmp(a->name, b->name) != 0 || a->n_fields != b->n_fields) {
        return false;
    }
    for (size_t i = 0; i < a->n_fields; i++) {
        if (strcmp(a->fields[i], b->fields[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* All revisions of a document, oldest first. */
static void backfill_document(struct convex_store_index *index, struct convex_document *document) {
    const struct convex_revision **chain = NULL;
    size_t count = 0, capacity = 0;
    for (const struct convex_revision *at = document->newest; at != NULL; at = at->previous) {
        MEMORY_RESERVE(chain, capacity, count + 1);
        chain[count++] = at;
    }
    const struct convex_value *before = NULL;
    for (size_t i = count; i-- > 0;) {
        convex_store_index_update(index, document, before, chain[i]->value, chain[i]->ts);
        before = chain[i]->value;
    }
    free(chain);
}

static void backfill(struct convex_store *store, struct convex_store_index *index) {
    for (size_t i = 0; i < store->n_documents; i++) {
        if (store->documents[i]->table == index->table) {
            backfill_document(index, store->documents[i]);
        }
    }
}

/* The entries of the old index with this declaration; false: there was none. */
static bool take_entries(struct convex_store_table *table, struct convex_store_index *index) {
    for (size_t i = 2; i < table->n_indexes; i++) {
        struct convex_store_index *old = &table->indexes[i];
        if (same_index(old->declared, index->declared)) {
            index->entries = old->entries;
            memset(&old->entries, 0, sizeof old->entries);
            return true;
        }
    }
    return false;
}

static bool same_indexes(const struct convex_store_table *table, const struct convex_table *declared) {
    if (table->n_indexes != 2 + declared->n_indexes) {
        return false;
    }
    for (size_t i = 0; i < declared->n_indexes; i++) {
        if (!same_index(table->indexes[2 + i].declared, &declared->indexes[i])) {
            return false;
        }
    }
    return true;
}

/* The old array stays in memory: read sets of transactions that are over at the next look name its members.
 */
static void retire(struct convex_store_table *table) {
    for (size_t i = 0; i < table->n_indexes; i++) {
        convex_ordered_free(&table->indexes[i].entries, NULL);
    }
    table->retired = memory_resize(table->retired, table->n_retired + 1, sizeof(struct convex_store_index *));
    table->retired[table->n_retired++] = table->indexes;
}

void convex_store_change_table(struct convex_store *store, struct convex_store_table *table,
                               const struct convex_table *declared) {
    table->document = declared->document;
    if (same_indexes(table, declared)) { /* perhaps declared in another place of memory */
        for (size_t i = 0; i < declared->n_indexes; i++) {
            table->indexes[2 + i].declared = &declared->indexes[i];
        }
        return;
    }
    size_t count = 2 + declared->n_indexes;
    struct convex_store_index *indexes = memory_allocate_array(count, sizeof *indexes);
    for (size_t i = 0; i < count; i++) {
        indexes[i].table = table;
        if (i < 2) {
            indexes[i] = table->indexes[i];
            memset(&table->indexes[i].entries, 0, sizeof table->indexes[i].entries);
            continue;
        }
        indexes[i].kind = CONVEX_BY_FIELDS;
        indexes[i].declared = &declared->indexes[i - 2];
        if (!take_entries(table, &indexes[i])) {
            backfill(store, &indexes[i]);
        }
    }
    retire(table);
    table->indexes = indexes;
    table->n_indexes = count;
}
