#include "mock-convex/store/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/store/component.h"
#include "mock-convex/store/index_key.h"

void convex_store_init(struct convex_store *store, int64_t wall_clock) {
    assert(wall_clock >= INT64_C(1000000000000000000)); /* cursors need 19 digits */
    memset(store, 0, sizeof *store);
    store->latest = wall_clock;
    convex_store_component(store, "");
}

/* NULL: it is not known. */
static struct convex_store_component *find_component(const struct convex_store *store, const char *path) {
    for (size_t i = 0; i < store->n_components; i++) {
        if (strcmp(store->components[i].path, path) == 0) {
            return &store->components[i];
        }
    }
    return NULL;
}

static struct convex_store_component *add_component(struct convex_store *store, const char *path,
                                                    size_t length) {
    char *copy = memory_copy_bytes(path, length);
    struct convex_store_component *component = find_component(store, copy);
    if (component != NULL) {
        free(copy);
        return component;
    }
    store->components = memory_resize(store->components, store->n_components + 1, sizeof *store->components);
    component = &store->components[store->n_components++];
    *component = (struct convex_store_component){.path = copy};
    return component;
}

struct convex_store_component *convex_store_component(struct convex_store *store, const char *path) {
    path = path != NULL ? path : "";
    for (size_t i = 0; path[i] != 0; i++) {
        if (path[i] == '/') {
            add_component(store, path, i);
        }
    }
    return add_component(store, path, strlen(path));
}

uint32_t convex_store_next_number(const struct convex_store *store, const char *path) {
    const struct convex_store_component *component = find_component(store, path != NULL ? path : "");
    return CONVEX_FIRST_TABLE_NUMBER + (component != NULL ? component->n_tables : 0);
}

void convex_store_free_table(struct convex_store_table *table) {
    for (size_t i = 0; i < table->n_indexes; i++) {
        convex_ordered_free(&table->indexes[i].entries, NULL);
    }
    for (size_t i = 0; i < table->n_retired; i++) {
        free(table->retired[i]);
    }
    free(table->retired);
    free(table->indexes);
    free(table->full_name != table->name ? table->full_name : NULL);
    free(table->component);
    free(table->name);
    free(table);
}

void convex_store_free(struct convex_store *store) {
    for (size_t i = 0; i < store->log_count; i++) {
        convex_free(store->log[i]->value);
        free(store->log[i]);
    }
    for (size_t i = 0; i < store->n_documents; i++) {
        free(store->documents[i]);
    }
    for (size_t i = 0; i < store->n_tables; i++) {
        convex_store_free_table(store->tables[i]);
    }
    for (size_t i = 0; i < store->n_system; i++) {
        convex_store_free_table(store->system[i]);
    }
    free(store->log);
    free(store->documents);
    free(store->tables);
    for (size_t i = 0; i < store->n_components; i++) {
        free(store->components[i].path);
    }
    free(store->components);
    map_free(&store->by_name, NULL);
    memset(store, 0, sizeof *store);
}

/* A table with room for its indexes, the first two of which are there. */
static struct convex_store_table *make_table(const char *component, const char *name, size_t n_indexes,
                                             const unsigned char tablet[16]) {
    struct convex_store_table *table = memory_allocate(sizeof *table);
    bool in_root = convex_component_is_root(component);
    table->name = memory_copy_text(name);
    table->component = memory_copy_text(in_root ? "" : component);
    table->full_name = in_root ? table->name : convex_component_name(component, name);
    table->until = CONVEX_LIVE;
    memcpy(table->tablet, tablet, sizeof table->tablet);
    table->n_indexes = n_indexes;
    table->indexes = memory_allocate_array(table->n_indexes, sizeof *table->indexes);
    for (size_t i = 0; i < table->n_indexes; i++) {
        struct convex_store_index *index = &table->indexes[i];
        index->table = table;
        index->kind = i == 0 ? CONVEX_BY_ID : i == 1 ? CONVEX_BY_CREATION_TIME : CONVEX_BY_FIELDS;
    }
    return table;
}

static void append_table(struct convex_store *store, struct convex_store_table *table) {
    store->tables = memory_resize(store->tables, store->n_tables + 1, sizeof *store->tables);
    store->tables[store->n_tables++] = table;
    convex_store_component(store, table->component)->n_tables++;
}

struct convex_store_table *convex_store_make_table(const struct convex_table *declared, uint32_t number,
                                                   const unsigned char tablet[16]) {
    struct convex_store_table *table =
        make_table(declared->component, declared->name, 2 + declared->n_indexes, tablet);
    table->number = number;
    table->document = declared->document;
    for (size_t i = 2; i < table->n_indexes; i++) {
        table->indexes[i].declared = &declared->indexes[i - 2];
        assert(table->indexes[i].declared->n_fields >= 1 && table->indexes[i].declared->n_fields <= 4);
    }
    return table;
}

void convex_store_adopt_table(struct convex_store *store, struct convex_store_table *table, int64_t from) {
    assert(!map_has(&store->by_name, table->full_name));
    assert(table->number == convex_store_next_number(store, table->component));
    table->from = from;
    store->table_changes++;
    append_table(store, table);
    map_set(&store->by_name, table->full_name, table);
}

struct convex_store_table *convex_store_add_table(struct convex_store *store,
                                                  const struct convex_table *declared,
                                                  const unsigned char tablet[16]) {
    struct convex_store_table *table =
        convex_store_make_table(declared, convex_store_next_number(store, declared->component), tablet);
    convex_store_adopt_table(store, table, 0);
    return table;
}

struct convex_store_table *convex_store_add_system_table(struct convex_store *store,
                                                         const struct convex_table *declared,
                                                         const unsigned char tablet[16]) {
    assert(declared->name[0] == '_' && store->n_system < CONVEX_SYSTEM_TABLES_MAX);
    assert(!map_has(&store->by_name, declared->name));
    struct convex_store_table *table =
        convex_store_make_table(declared, (uint32_t)store->n_system + 1, tablet);
    table->system = true;
    store->system[store->n_system++] = table;
    map_set(&store->by_name, table->name, table);
    return table;
}

struct convex_store_table *convex_store_add_hidden(struct convex_store *store,
                                                   const struct convex_store_table *model,
                                                   const unsigned char tablet[16]) {
    struct convex_store_table *table = make_table(model->component, model->name, model->n_indexes, tablet);
    append_table(store, table);
    table->number = model->number;
    table->document = model->document;
    table->from = CONVEX_LIVE;
    for (size_t i = 2; i < table->n_indexes; i++) {
        table->indexes[i].declared = model->indexes[i].declared;
    }
    return table;
}

int64_t convex_store_drop_table(struct convex_store *store, struct convex_store_table *table,
                                struct convex_store_table *successor, int64_t wall_clock) {
    assert(!table->system && table->until == CONVEX_LIVE &&
           map_get(&store->by_name, table->full_name) == table);
    assert(successor == NULL || successor->from == CONVEX_LIVE);
    int64_t ts = convex_store_bump(store, wall_clock);
    table->until = ts;
    store->table_changes++;
    if (successor == NULL) {
        map_remove(&store->by_name, table->full_name);
    } else {
        successor->from = ts;
        map_set(&store->by_name, table->full_name, successor);
    }
    return ts;
}

struct convex_store_table *convex_store_table_numbered(const struct convex_store *store,
                                                       const char *component, uint32_t number) {
    for (size_t i = 0; i < store->n_tables; i++) {
        struct convex_store_table *table = store->tables[i];
        if (table->number == number && convex_store_table_lives(table, store->latest) &&
            strcmp(table->component, component) == 0) {
            return table;
        }
    }
    return NULL;
}

struct convex_store_table *convex_store_table(const struct convex_store *store, const char *full_name) {
    assert(full_name != NULL);
    return map_get(&store->by_name, full_name);
}

struct convex_store_index *convex_store_index(struct convex_store_table *table, const char *name) {
    if (strcmp(name, "by_id") == 0) {
        return &table->indexes[0];
    }
    if (strcmp(name, "by_creation_time") == 0) {
        return &table->indexes[1];
    }
    for (size_t i = 2; i < table->n_indexes; i++) {
        if (strcmp(table->indexes[i].declared->name, name) == 0) {
            return &table->indexes[i];
        }
    }
    return NULL;
}

struct convex_document *convex_store_document(const struct convex_store_table *table,
                                              const unsigned char internal[16]) {
    const struct convex_ordered_node *node = convex_ordered_seek(&table->indexes[0].entries, internal, 16);
    return node != NULL && memcmp(convex_ordered_key(node), internal, 16) == 0 ? node->item : NULL;
}

const struct convex_revision *convex_store_revision_at(const struct convex_document *document, int64_t ts) {
    assert(document->newest != NULL);
    const struct convex_revision *revision = document->newest;
    while (revision != NULL && revision->ts > ts) {
        revision = revision->previous;
    }
    return revision;
}

size_t convex_store_log_after(const struct convex_store *store, int64_t ts) {
    size_t low = 0, high = store->log_count;
    if (high == 0 || store->log[high - 1]->ts <= ts) { /* most ask for what is newer than the newest */
        return high;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (store->log[middle]->ts > ts) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

int64_t convex_store_next_ts(const struct convex_store *store, int64_t wall_clock) {
    return wall_clock > store->latest ? wall_clock : store->latest + 1;
}

int64_t convex_store_bump(struct convex_store *store, int64_t wall_clock) {
    store->latest = convex_store_next_ts(store, wall_clock);
    return store->latest;
}

void convex_store_index_key(const struct convex_store_index *index, const struct convex_value *document,
                            const unsigned char internal[16], struct buffer *key) {
    if (index->kind != CONVEX_BY_ID) {
        for (size_t i = 0; index->declared != NULL && i < index->declared->n_fields; i++) {
            convex_index_key_append(key, convex_object_get(document, index->declared->fields[i]));
        }
        convex_index_key_append(key, convex_object_get(document, "_creationTime"));
    }
    buffer_append(key, internal, 16);
}

/* Younger entries of one key first: the suffix is the inverted timestamp. */
static void append_suffix(struct buffer *key, int64_t ts) {
    uint64_t inverted = ~(uint64_t)ts;
    for (int i = 0; i < CONVEX_ENTRY_SUFFIX; i++) {
        buffer_append_char(key, (char)(unsigned char)(inverted >> (56 - 8 * i)));
    }
}

static void retire_entry(struct convex_store_index *index, const struct buffer *key, int64_t ts) {
    struct convex_ordered_node *node = convex_ordered_seek(&index->entries, key->data, key->length);
    assert(node != NULL && node->key_length == key->length + CONVEX_ENTRY_SUFFIX);
    assert(memcmp(convex_ordered_key(node), key->data, key->length) == 0 && node->until == CONVEX_LIVE);
    node->until = ts;
}

void convex_store_index_update(struct convex_store_index *index, struct convex_document *document,
                               const struct convex_value *before, const struct convex_value *after,
                               int64_t ts) {
    struct buffer old_key = {0}, new_key = {0};
    if (before != NULL) {
        convex_store_index_key(index, before, document->internal, &old_key);
    }
    if (after != NULL) {
        convex_store_index_key(index, after, document->internal, &new_key);
    }
    bool same = before != NULL && after != NULL && old_key.length == new_key.length &&
                memcmp(old_key.data, new_key.data, old_key.length) == 0;
    if (before != NULL && !same) {
        retire_entry(index, &old_key, ts);
    }
    if (after != NULL && !same) {
        append_suffix(&new_key, ts);
        struct convex_ordered_node *node =
            convex_ordered_insert(&index->entries, new_key.data, new_key.length, document);
        node->from = ts;
        node->until = CONVEX_LIVE;
    }
    buffer_free(&old_key);
    buffer_free(&new_key);
}

static struct convex_document *add_document(struct convex_store *store, struct convex_store_table *table,
                                            const unsigned char internal[16]) {
    struct convex_document *document = memory_allocate(sizeof *document);
    document->table = table;
    memcpy(document->internal, internal, 16);
    MEMORY_RESERVE(store->documents, store->documents_capacity, store->n_documents + 1);
    store->documents[store->n_documents++] = document;
    return document;
}

static void apply_write(struct convex_store *store, struct convex_store_write *write, int64_t ts) {
    struct convex_document *document = convex_store_document(write->table, write->internal);
    if (document == NULL) {
        document = add_document(store, write->table, write->internal);
    }
    struct convex_revision *revision = memory_allocate(sizeof *revision);
    revision->ts = ts;
    revision->document = document;
    revision->value = write->value;
    revision->previous = document->newest;
    const struct convex_value *before = document->newest != NULL ? document->newest->value : NULL;
    for (size_t i = 0; i < write->table->n_indexes; i++) {
        convex_store_index_update(&write->table->indexes[i], document, before, write->value, ts);
    }
    document->newest = revision;
    assert(revision->previous == NULL || revision->previous->ts < ts);
    MEMORY_RESERVE(store->log, store->log_capacity, store->log_count + 1);
    store->log[store->log_count++] = revision;
}

int64_t convex_store_commit(struct convex_store *store, struct convex_store_write *writes, size_t count,
                            int64_t wall_clock) {
    assert(count > 0);
    int64_t ts = convex_store_next_ts(store, wall_clock);
    assert(ts > store->latest);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            int order = memcmp(writes[i - 1].table->tablet, writes[i].table->tablet, 16);
            assert(order < 0 || (order == 0 && memcmp(writes[i - 1].internal, writes[i].internal, 16) < 0));
        }
        apply_write(store, &writes[i], ts);
    }
    store->latest = ts;
    return ts;
}
