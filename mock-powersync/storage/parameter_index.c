#include "mock-powersync/storage/parameter_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void drop_versions(struct parameter_index *index, struct lookup_version *version) {
    while (version) {
        struct lookup_version *older = version->older;
        index->bytes -= sizeof *version + version->length;
        index->n_versions--;
        free(version);
        version = older;
    }
}

static void free_lookup(void *value) {
    struct lookup *lookup = value;
    assert(!lookup->watches.first);
    while (lookup->first) {
        struct lookup_entry *entry = lookup->first;
        lookup->first = entry->next;
        while (entry->newest) {
            struct lookup_version *older = entry->newest->older;
            free(entry->newest);
            entry->newest = older;
        }
        free(entry);
    }
    free(lookup);
}

void parameter_index_free(struct parameter_index *index) {
    map_free(&index->lookups, free_lookup);
    free(index->touched);
    free(index->unstored);
    *index = (struct parameter_index){0};
}

struct lookup *parameter_index_lookup(struct parameter_index *index, const char *key, size_t length) {
    struct lookup *lookup = map_get_bytes(&index->lookups, key, length);
    if (lookup)
        return lookup;
    lookup = memory_allocate(sizeof *lookup + length + 1);
    memcpy(lookup->key, key, length);
    lookup->key_length = length;
    map_set_bytes(&index->lookups, key, length, lookup);
    return lookup;
}

static void touch(struct parameter_index *index, struct lookup *lookup) {
    if (lookup->touched)
        return;
    lookup->touched = true;
    MEMORY_RESERVE(index->touched, index->touched_capacity, index->n_touched + 1);
    index->touched[index->n_touched++] = lookup;
}

/* A row may have thousands of keys, or a key thousands of rows: the shorter list decides. */
static struct lookup_entry *find_entry(const struct source_row *row, const struct lookup *lookup) {
    struct lookup_entry *own = row->entries, *other = lookup->first;
    for (; own && other; own = own->next_of_row, other = other->next) {
        if (own->lookup == lookup)
            return own;
        if (other->row == row)
            return other;
    }
    return NULL;
}

static struct lookup_entry *entry_of(struct parameter_index *index, struct source_row *row, const char *key,
                                     size_t length) {
    struct lookup *lookup = parameter_index_lookup(index, key, length);
    struct lookup_entry *entry = find_entry(row, lookup);
    if (entry)
        return entry;
    entry = memory_allocate(sizeof *entry);
    *entry = (struct lookup_entry){
        .lookup = lookup, .row = row, .previous = lookup->last, .next_of_row = row->entries};
    if (lookup->last)
        lookup->last->next = entry;
    else
        lookup->first = entry;
    lookup->last = entry;
    row->entries = entry;
    index->bytes += sizeof *entry + length;
    return entry;
}

static void add_version(struct parameter_index *index, struct lookup_entry *entry, uint64_t op_id,
                        const char *values, size_t length) {
    struct lookup_version *newest = entry->newest;
    assert(!newest || newest->op_id < op_id);
    /* The same words again tell nothing new at any checkpoint. */
    if (newest && newest->length == length && (length == 0 || memcmp(newest->values, values, length) == 0))
        return;
    struct lookup_version *version = memory_allocate(sizeof *version + length);
    version->older = newest;
    version->op_id = op_id;
    version->length = (uint32_t)length;
    if (length > 0)
        memcpy(version->values, values, length);
    entry->newest = version;
    index->bytes += sizeof *version + length;
    index->n_versions++;
    touch(index, entry->lookup);
    if (index->lists_unstored && !entry->unstored) {
        entry->unstored = true;
        MEMORY_RESERVE(index->unstored, index->unstored_capacity, index->n_unstored + 1);
        index->unstored[index->n_unstored++] = entry;
    }
}

void parameter_index_save(struct parameter_index *index, struct source_row *row,
                          const struct lookup_output *outputs, size_t count, uint64_t *sequence) {
    for (size_t i = 0; i < count; i++) {
        const struct lookup_output *output = &outputs[i];
        assert(output->values_length > 0 && output->values_length < UINT32_MAX);
        struct lookup_entry *entry = entry_of(index, row, output->key, output->key_length);
        add_version(index, entry, ++*sequence, output->values, output->values_length);
        entry->kept = true;
    }
    for (struct lookup_entry *entry = row->entries; entry; entry = entry->next_of_row) {
        if (!entry->kept && entry->newest->length > 0)
            add_version(index, entry, ++*sequence, NULL, 0);
        entry->kept = false;
    }
}

void parameter_index_restore(struct parameter_index *index, struct source_row *row, const char *key,
                             size_t key_length, uint64_t op_id, const char *values, size_t length) {
    add_version(index, entry_of(index, row, key, key_length), op_id, values, length);
}

void parameter_index_stored(struct parameter_index *index, uint64_t op_id) {
    for (size_t i = 0; i < index->n_unstored; i++)
        index->unstored[i]->unstored = false;
    index->n_unstored = 0;
    index->rewritten = false;
    index->stored_op = op_id;
}

bool source_row_has_parameters(const struct source_row *row) {
    for (const struct lookup_entry *entry = row->entries; entry; entry = entry->next_of_row)
        if (entry->newest->length > 0)
            return true;
    return false;
}

/* The arrays inside an array. */
static size_t split(const char *values, size_t length, void (*each)(void *, const char *, size_t),
                    void *context) {
    size_t depth = 0, start = 0, count = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        char byte = values[i];
        if (quoted) {
            i += byte == '\\';
            quoted = byte != '"';
        } else if (byte == '"') {
            quoted = true;
        } else if (byte == '[' || byte == '{') {
            if (++depth == 2)
                start = i;
        } else if ((byte == ']' || byte == '}') && depth > 0 && depth-- == 2) {
            each(context, values + start, i + 1 - start);
            count++;
        }
    }
    return count;
}

size_t parameter_index_find(const struct parameter_index *index, const char *key, size_t length,
                            uint64_t op_id, void (*each)(void *context, const char *tuple, size_t length),
                            void *context) {
    const struct lookup *lookup = map_get_bytes(&index->lookups, key, length);
    size_t count = 0;
    for (const struct lookup_entry *entry = lookup ? lookup->first : NULL; entry; entry = entry->next) {
        const struct lookup_version *version = entry->newest;
        while (version && version->op_id > op_id)
            version = version->older;
        if (version && version->length > 0)
            count += split(version->values, version->length, each, context);
    }
    return count;
}

void parameter_index_publish(struct parameter_index *index) {
    for (size_t i = 0; i < index->n_touched; i++) {
        index->touched[i]->touched = false;
        watch_wake_all(&index->touched[i]->watches);
    }
    index->n_touched = 0;
}

static void drop_entry(struct parameter_index *index, struct source_rows *rows, struct lookup_entry *entry) {
    struct lookup *lookup = entry->lookup;
    *(entry->previous ? &entry->previous->next : &lookup->first) = entry->next;
    *(entry->next ? &entry->next->previous : &lookup->last) = entry->previous;
    struct lookup_entry **link = &entry->row->entries;
    while (*link != entry)
        link = &(*link)->next_of_row;
    *link = entry->next_of_row;
    index->bytes -= sizeof *entry + lookup->key_length;
    source_rows_tidy(rows, entry->row);
    free(entry);
}

size_t parameter_index_compact(struct parameter_index *index, struct source_rows *rows, uint64_t op_id) {
    size_t before = index->n_versions;
    /* Entries may go: the file is written anew from what is left. */
    parameter_index_stored(index, index->stored_op);
    index->rewritten = index->lists_unstored;
    struct map_entry *found;
    for (size_t i = 0; (found = map_next(&index->lookups, &i));) {
        struct lookup *lookup = found->value;
        for (struct lookup_entry *entry = lookup->first, *next; entry; entry = next) {
            next = entry->next;
            struct lookup_version **link = &entry->newest;
            while (*link && (*link)->op_id > op_id)
                link = &(*link)->older;
            if (!*link)
                continue;
            drop_versions(index, (*link)->older);
            (*link)->older = NULL;
            if ((*link)->length == 0) {
                drop_versions(index, *link);
                *link = NULL;
            }
            if (!entry->newest)
                drop_entry(index, rows, entry);
        }
    }
    return before - index->n_versions;
}

void parameter_index_sweep(struct parameter_index *index) {
    struct map_entry *found;
    for (size_t i = 0; (found = map_next(&index->lookups, &i));) {
        struct lookup *lookup = found->value;
        if (!lookup->first && !lookup->watches.first && !lookup->touched) {
            map_remove_bytes(&index->lookups, found->key, found->key_length);
            free_lookup(lookup);
        }
    }
}
