#include "check/commit_log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Only indexes in which somebody has searched are kept in order. */
struct logged_index {
    const char *name;
    struct key_order order;
    struct logged_index *next;
};

struct logged_table {
    struct map documents; /* id -> struct logged_document */
    struct logged_index *indexes;
    bool replaced;
    struct logged_table *next; /* among those that have ended */
};

static void free_document(void *value) {
    struct logged_document *document = value;
    free(document->versions); /* the rest is the arena's */
}

static void free_table(void *value) {
    struct logged_table *table = value;
    map_free(&table->documents, free_document);
    for (struct logged_index *index = table->indexes; index != NULL; index = index->next)
        key_order_free(&index->order);
}

void commit_log_free(struct commit_log *log) {
    map_free(&log->tables, free_table);
    for (struct logged_table *table = log->ended; table != NULL; table = table->next)
        free_table(table);
    free(log->commits);
    arena_free(&log->arena);
    memset(log, 0, sizeof *log);
}

struct logged_document *commit_log_document(struct commit_log *log, const char *table, const char *id) {
    const struct logged_table *logged = map_get(&log->tables, table);
    return logged != NULL ? map_get(&logged->documents, id) : NULL;
}

/* --- keys and ranges --- */

struct key_text logged_key(const char *keys, const char *index) {
    const size_t length = strlen(index);
    for (const char *at = keys; at != NULL && (at = strchr(at, '"')) != NULL;) {
        const char *name = at + 1, *name_end = strchr(name, '"');
        if (name_end == NULL || strncmp(name_end, "\":\"", 3) != 0)
            break;
        const char *key = name_end + 3, *key_end = strchr(key, '"');
        if (key_end == NULL)
            break;
        if ((size_t)(name_end - name) == length && memcmp(name, index, length) == 0)
            return (struct key_text){key, (size_t)(key_end - key)};
        at = key_end + 1;
    }
    return (struct key_text){0};
}

/* The text between `at` and the next quote, and where it ends. */
static struct key_text read_hex(const char **at) {
    const size_t length = strspn(*at, "0123456789abcdef");
    const struct key_text text = {*at, length};
    *at += length;
    return text;
}

static bool skip(const char **at, const char *expected) {
    const size_t length = strlen(expected);
    const bool there = strncmp(*at, expected, length) == 0;
    *at += there ? length : 0;
    return there;
}

bool logged_range_parse(const struct note_row *row, struct logged_range *range) {
    const char *at = row->values != NULL ? row->values : "";
    *range = (struct logged_range){.table = row->table, .index = row->id};
    if (!skip(&at, "{\"low\":\""))
        return false;
    range->low = read_hex(&at);
    if (skip(&at, "\",\"high\":null}"))
        return *at == 0;
    if (!skip(&at, "\",\"high\":\""))
        return false;
    range->high = read_hex(&at);
    return skip(&at, "\"}") && *at == 0;
}

bool logged_range_holds(const struct logged_range *range, struct key_text key) {
    return key.text != NULL && key_text_compare(key, range->low) >= 0 &&
           (range->high.text == NULL || key_text_compare(key, range->high) < 0);
}

bool logged_write_touches(const struct logged_write *write, const struct logged_range *range) {
    const struct logged_document *document = write->document;
    if (strcmp(document->table, range->table) != 0)
        return false;
    const struct logged_version *version = &document->versions[write->version];
    return logged_range_holds(range, logged_key(version->keys, range->index)) ||
           (write->version > 0 && logged_range_holds(range, logged_key(version[-1].keys, range->index)));
}

/* --- indexes --- */

static struct logged_index *make_index(struct commit_log *log, struct logged_table *table, const char *name) {
    struct logged_index *index = arena_allocate(&log->arena, sizeof *index);
    const struct map_entry *entry;
    index->name = name;
    index->next = table->indexes;
    table->indexes = index;
    for (size_t i = 0; (entry = map_next(&table->documents, &i)) != NULL;) {
        struct logged_document *document = entry->value;
        const struct key_text key = logged_key(document->versions[document->n_versions - 1].keys, name);
        if (key.text != NULL)
            key_order_add(&index->order, key, document);
    }
    return index;
}

const struct key_order *commit_log_index(struct commit_log *log, const char *table, const char *name) {
    struct logged_table *logged = map_get(&log->tables, table);
    if (logged == NULL)
        return NULL;
    struct logged_index *index = logged->indexes;
    while (index != NULL && strcmp(index->name, name) != 0)
        index = index->next;
    return &(index != NULL ? index : make_index(log, logged, name))->order;
}

/* --- commits --- */

static struct logged_table *need_table(struct commit_log *log, const char *name) {
    struct logged_table *table = map_get(&log->tables, name);
    if (table == NULL) {
        table = arena_allocate(&log->arena, sizeof *table);
        map_set(&log->tables, name, table);
    }
    return table;
}

void commit_log_end_table(struct commit_log *log, const struct history_record *record) {
    const char *name = record->note.rows[0].table;
    struct logged_table *table = map_remove(&log->tables, name);
    assert(record->note.kind == NOTE_TABLE && record->note.n_rows == 1);
    if (table != NULL) {
        table->next = log->ended;
        log->ended = table;
    }
    if (strcmp(record->note.text, "replaces") == 0)
        need_table(log, name)->replaced = true;
}

bool commit_log_is_replaced(const struct commit_log *log, const char *name) {
    const struct logged_table *table = map_get(&log->tables, name);
    return table != NULL && table->replaced;
}

static struct logged_document *need_document(struct commit_log *log, struct logged_table *table,
                                             const struct note_row *row) {
    struct logged_document *document = map_get(&table->documents, row->id);
    if (document == NULL) {
        document = arena_allocate(&log->arena, sizeof *document);
        document->table = row->table;
        document->id = row->id;
        map_set(&table->documents, row->id, document);
    }
    return document;
}

static void move_in_indexes(struct logged_table *table, struct logged_document *document, const char *before,
                            const char *after) {
    for (struct logged_index *index = table->indexes; index != NULL; index = index->next) {
        const struct key_text old = logged_key(before, index->name), new = logged_key(after, index->name);
        if (old.text != NULL && new.text != NULL && key_text_compare(old, new) == 0)
            continue; /* the older text stays as long as the history does */
        if (old.text != NULL)
            key_order_remove(&index->order, old);
        if (new.text != NULL)
            key_order_add(&index->order, new, document);
    }
}

static struct logged_write write_document(struct commit_log *log, const struct note_row *row,
                                          const char *keys, int64_t ts) {
    struct logged_table *table = need_table(log, row->table);
    struct logged_document *document = need_document(log, table, row);
    const char *before = document->n_versions > 0 ? document->versions[document->n_versions - 1].keys : NULL;
    MEMORY_RESERVE(document->versions, document->capacity, document->n_versions + 1);
    document->versions[document->n_versions] =
        (struct logged_version){.ts = ts, .commit = log->n_commits, .keys = keys};
    move_in_indexes(table, document, before, keys);
    return (struct logged_write){document, document->n_versions++};
}

/* The KEY row of this document. They come in the order of the commit's rows, so the search rarely walks. */
static const char *keys_of(const struct history_record *reads, const struct note_row *row, size_t *at) {
    const size_t count = reads != NULL ? reads->note.n_rows : 0;
    for (size_t i = *at; i < count; i++) {
        const struct note_row *key = &reads->note.rows[i];
        if (strcmp(key->operation, "KEY") == 0 && strcmp(key->id, row->id) == 0 &&
            strcmp(key->table, row->table) == 0) {
            *at = i + 1;
            return row->values != NULL ? key->values : NULL;
        }
    }
    return NULL;
}

size_t commit_log_add(struct commit_log *log, const struct history_record *reads,
                      const struct history_record *record) {
    const struct note *note = &record->note;
    assert(note->kind == NOTE_COMMIT);
    MEMORY_RESERVE(log->commits, log->capacity, log->n_commits + 1);
    struct logged_commit *commit = &log->commits[log->n_commits];
    *commit = (struct logged_commit){
        .ts = note->timestamp,
        .snapshot = reads != NULL ? reads->note.timestamp : note->timestamp - 1,
        .record = record,
        .reads = reads,
        .writes = arena_allocate(&log->arena, (note->n_rows + 1) * sizeof *commit->writes),
        .n_writes = note->n_rows};
    size_t at = 0;
    for (size_t i = 0; i < note->n_rows; i++)
        commit->writes[i] =
            write_document(log, &note->rows[i], keys_of(reads, &note->rows[i], &at), note->timestamp);
    return log->n_commits++;
}
