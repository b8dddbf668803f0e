/* A store forgets its newest commits; see convex_store_rewind in store.h. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/store/store.h"

/* Remove what became valid after `ts`, and what ended after it lasts on. */
static void rewind_index(struct convex_store_index *index, int64_t ts) {
    struct buffer key = {0};
    struct convex_ordered_node *next;
    for (struct convex_ordered_node *node = convex_ordered_first(&index->entries); node != NULL;
         node = next) {
        next = convex_ordered_next(node);
        if (node->from > ts) {
            buffer_clear(&key);
            buffer_append(&key, convex_ordered_key(node), node->key_length);
            convex_ordered_remove(&index->entries, key.data, key.length);
        } else if (node->until > ts) {
            node->until = CONVEX_LIVE;
        }
    }
    buffer_free(&key);
}

static void rewind_table(struct convex_store_table *table, int64_t ts) {
    for (size_t i = 0; i < table->n_indexes; i++) {
        rewind_index(&table->indexes[i], ts);
    }
    if (table->from != CONVEX_LIVE && table->from > ts) {
        table->from = ts;
    }
    if (table->until != CONVEX_LIVE && table->until > ts) {
        table->until = ts;
    }
}

void convex_store_rewind(struct convex_store *store, int64_t ts) {
    if (ts >= store->latest) {
        return;
    }
    for (size_t i = 0; i < store->n_tables; i++) {
        rewind_table(store->tables[i], ts);
    }
    for (size_t i = 0; i < store->n_system; i++) {
        rewind_table(store->system[i], ts);
    }
    while (store->log_count > 0 && store->log[store->log_count - 1]->ts > ts) {
        struct convex_revision *revision = store->log[--store->log_count];
        revision->document->newest = revision->previous;
        convex_free(revision->value);
        free(revision);
    }
    store->schema_ts = store->schema_ts < ts ? store->schema_ts : ts;
    store->latest = ts;
}
