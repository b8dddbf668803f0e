#include "mock-convex/store/watch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct convex_watched_index {
    const struct convex_store_index *index;
    struct convex_interval_map intervals;
};

struct convex_watched_range {
    struct convex_watched_index *index;
    struct convex_interval_holder holder; /* owner: the watch */
};

void convex_watches_free(struct convex_watches *watches) {
    assert(watches->first == NULL);
    map_free(&watches->indexes, free);
}

/* --- watching --- */

static struct convex_watched_index *find_index(const struct convex_watches *watches,
                                               const struct convex_store_index *index) {
    return map_get_bytes(&watches->indexes, &index, sizeof index);
}

static struct convex_watched_index *get_index(struct convex_watches *watches,
                                              const struct convex_store_index *index) {
    struct convex_watched_index *watched = find_index(watches, index);
    if (watched == NULL) {
        watched = memory_allocate(sizeof *watched);
        watched->index = index;
        map_set_bytes(&watches->indexes, &index, sizeof index, watched);
    }
    return watched;
}

static void copy_absent(struct convex_watch *watch, const struct convex_transaction *transaction) {
    watch->n_absent = transaction->n_absent;
    watch->absent =
        watch->n_absent > 0 ? memory_allocate_array(watch->n_absent, sizeof *watch->absent) : NULL;
    for (size_t i = 0; i < watch->n_absent; i++) {
        watch->absent[i] = memory_copy_text(transaction->absent[i]);
    }
}

static void enter_ranges(struct convex_watch *watch, const struct convex_transaction *transaction) {
    watch->n_ranges = transaction->n_intervals;
    watch->ranges =
        watch->n_ranges > 0 ? memory_allocate_array(watch->n_ranges, sizeof *watch->ranges) : NULL;
    for (size_t i = 0; i < watch->n_ranges; i++) {
        struct convex_watched_range *range = &watch->ranges[i];
        range->index = get_index(watch->among, transaction->intervals[i].index);
        range->holder.owner = watch;
        convex_interval_map_add(&range->index->intervals, &transaction->intervals[i], &range->holder);
    }
}

void convex_watch_begin(struct convex_watch *watch, struct convex_watches *watches,
                        const struct convex_transaction *transaction, void *owner) {
    assert(watch->among == NULL && transaction->store == watches->store);
    assert(transaction->n_made == 0 && transaction->pending.count == 0);
    size_t unseen = convex_store_log_after(watches->store, transaction->begin);
    if (watches->first == NULL) { /* nobody was interested so far */
        watches->looked = unseen;
        watches->table_changes = watches->store->table_changes;
    }
    watches->looked = unseen < watches->looked ? unseen : watches->looked;
    *watch = (struct convex_watch){.among = watches,
                                   .next = watches->first,
                                   .link = &watches->first,
                                   .owner = owner,
                                   .begin = transaction->begin};
    if (watch->next != NULL) {
        watch->next->link = &watch->next;
    }
    watches->first = watch;
    enter_ranges(watch, transaction);
    copy_absent(watch, transaction);
}

void convex_watch_end(struct convex_watch *watch) {
    if (watch->among == NULL) {
        return;
    }
    for (size_t i = 0; i < watch->n_ranges; i++) {
        convex_interval_map_remove(&watch->ranges[i].index->intervals, &watch->ranges[i].holder);
    }
    for (size_t i = 0; i < watch->n_absent; i++) {
        free(watch->absent[i]);
    }
    free(watch->ranges);
    free(watch->absent);
    *watch->link = watch->next;
    if (watch->next != NULL) {
        watch->next->link = watch->link;
    }
    *watch = (struct convex_watch){0};
}

/* --- looking --- */

struct look {
    struct convex_watches *watches;
    void (*touched)(void *context, void *owner);
    void *context;
    int64_t ts; /* of the commit that is looked at */
};

/* Of a table that ended, or of one that came into being; every push concerns all. */
static bool tables_changed(const struct convex_watch *watch, const struct convex_store *store) {
    bool changed = store->schema_ts > watch->begin;
    for (size_t i = 0; i < watch->n_ranges && !changed; i++) {
        changed = watch->ranges[i].index->index->table->until != CONVEX_LIVE;
    }
    for (size_t i = 0; i < watch->n_absent && !changed; i++) {
        changed = convex_store_table(store, watch->absent[i]) != NULL;
    }
    return changed;
}

static void look_at_tables(const struct look *look) {
    struct convex_watches *watches = look->watches;
    if (watches->table_changes == watches->store->table_changes) {
        return;
    }
    watches->table_changes = watches->store->table_changes;
    for (struct convex_watch *watch = watches->first; watch != NULL; watch = watch->next) {
        if (tables_changed(watch, watches->store)) {
            look->touched(look->context, watch->owner);
        }
    }
}

static void found(void *context, void *owner) {
    const struct look *look = context;
    const struct convex_watch *watch = owner;
    if (look->ts > watch->begin) {
        look->touched(look->context, watch->owner);
    }
}

/* `value` NULL: there is no document, so no key. */
static void look_at_state(struct look *look, const struct convex_watched_index *watched,
                          const struct convex_revision *revision, const struct convex_value *value) {
    struct buffer key = {0};
    if (value != NULL) {
        convex_store_index_key(watched->index, value, revision->document->internal, &key);
        convex_interval_map_find(&watched->intervals, key.data, key.length, found, look);
    }
    buffer_free(&key);
}

static void look_at_revision(struct look *look, const struct convex_revision *revision) {
    const struct convex_store_table *table = revision->document->table;
    const struct convex_value *before = revision->previous != NULL ? revision->previous->value : NULL;
    if (before == NULL && host_mutant(look->watches->host, "stale-subscription")) {
        return;
    }
    look->ts = revision->ts;
    for (size_t i = 0; i < table->n_indexes; i++) {
        const struct convex_watched_index *watched = find_index(look->watches, &table->indexes[i]);
        if (watched != NULL && watched->intervals.root != NULL) {
            look_at_state(look, watched, revision, before);
            look_at_state(look, watched, revision, revision->value);
        }
    }
}

void convex_watches_look(struct convex_watches *watches, void (*touched)(void *context, void *owner),
                         void *context) {
    struct look look = {.watches = watches, .touched = touched, .context = context};
    if (watches->first == NULL) {
        return;
    }
    look_at_tables(&look);
    for (; watches->looked < watches->store->log_count; watches->looked++) {
        look_at_revision(&look, watches->store->log[watches->looked]);
    }
}
