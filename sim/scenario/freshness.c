#include "scenario/freshness.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

struct fresh_commit {
    int64_t time;
    size_t writer;       /* index of the client that wrote it + 1; 0: unknown */
    unsigned char *seen; /* by client */
};

/* What the newest commit made of a row. */
struct fresh_row {
    struct fresh_commit *commit;
    char *text; /* NULL: deleted */
};

struct freshness {
    const struct client_schema *schema;
    size_t n_clients;
    int64_t *synced;       /* by client: when it first published a checkpoint; -1: not yet */
    struct map clients;    /* node name -> index + 1 */
    struct map client_ids; /* the core's client id -> index + 1 */
    struct map uuids;      /* document id -> row id: a deleted document has only the former */
    struct map rows;       /* "table/row id" -> struct fresh_row */
    struct fresh_commit **commits;
    size_t n_commits, commits_capacity;
    int64_t *delays;
    size_t n_delays, delays_capacity;
    struct buffer key;
};

struct freshness *freshness_create(const struct client_schema *schema, const char *const *clients,
                                   size_t n_clients) {
    assert(schema && schema->n_tables > 0);
    struct freshness *fresh = memory_allocate(sizeof *fresh);
    fresh->schema = schema;
    fresh->n_clients = n_clients;
    fresh->synced = memory_allocate_array(n_clients + 1, sizeof *fresh->synced);
    for (size_t i = 0; i <= n_clients; i++)
        fresh->synced[i] = -1;
    for (size_t i = 0; i < n_clients; i++)
        map_set(&fresh->clients, clients[i], (void *)(uintptr_t)(i + 1));
    return fresh;
}

static void free_row(void *value) {
    struct fresh_row *row = value;
    free(row->text);
    free(row);
}

void freshness_destroy(struct freshness *fresh) {
    if (!fresh)
        return;
    map_free(&fresh->clients, NULL);
    map_free(&fresh->client_ids, NULL);
    map_free(&fresh->uuids, free);
    map_free(&fresh->rows, free_row);
    for (size_t i = 0; i < fresh->n_commits; i++) {
        free(fresh->commits[i]->seen);
        free(fresh->commits[i]);
    }
    free(fresh->commits);
    free(fresh->synced);
    free(fresh->delays);
    buffer_free(&fresh->key);
    free(fresh);
}

static size_t index_of(const struct map *map, const char *name) {
    return name ? (size_t)(uintptr_t)map_get(map, name) : 0;
}

static const char *row_key(struct freshness *fresh, const char *table, const char *id) {
    buffer_clear(&fresh->key);
    buffer_printf(&fresh->key, "%s/%s", table, id);
    return buffer_text(&fresh->key);
}

static const struct client_table *find_table(const struct freshness *fresh, const char *name) {
    for (size_t i = 0; i < fresh->schema->n_tables; i++)
        if (!strcmp(fresh->schema->tables[i].name, name))
            return &fresh->schema->tables[i];
    return NULL;
}

/* A document's field as the client's column shows it (disk/row_text.h). */
static void append_column(struct buffer *out, const json_t *field) {
    if (json_is_string(field))
        buffer_append_json_string(out, json_string_value(field), json_string_length(field));
    else if (json_is_boolean(field))
        buffer_append_integer(out, json_is_true(field));
    else if (json_is_integer(field))
        buffer_append_integer(out, json_integer_value(field));
    else if (json_is_real(field))
        buffer_append_double(out, json_real_value(field));
    else
        buffer_append_text(out, "null");
}

static char *text_of_document(const struct client_table *table, const json_t *document) {
    struct buffer text = {0};
    for (size_t i = 0; i < table->n_columns; i++) {
        buffer_append_char(&text, i ? ',' : '[');
        append_column(&text, json_object_get(document, table->columns[i].name));
    }
    buffer_append_char(&text, ']');
    return buffer_take(&text);
}

/* Takes `text`. */
static void set_row(struct freshness *fresh, struct fresh_commit *commit, const char *table, const char *id,
                    char *text) {
    const char *key = row_key(fresh, table, id);
    struct fresh_row *row = map_get(&fresh->rows, key);
    if (!row) {
        row = memory_allocate(sizeof *row);
        map_set(&fresh->rows, key, row);
    }
    free(row->text);
    row->text = text;
    row->commit = commit;
}

static void record_document(struct freshness *fresh, struct fresh_commit *commit,
                            const struct note_row *row) {
    const struct client_table *table = find_table(fresh, row->table);
    bool receipt = !table && !strcmp(row->table, "upload_receipts");
    if (!table && !receipt)
        return;
    json_t *document = row->values ? json_parse(row->values, strlen(row->values), NULL) : NULL;
    if (receipt) {
        commit->writer = index_of(&fresh->client_ids, document ? json_text(document, "client_id") : NULL);
    } else if (document) {
        const char *uuid = json_text(document, "uuid");
        if (uuid && !map_has(&fresh->uuids, row->id))
            map_set(&fresh->uuids, row->id, memory_copy_text(uuid));
        if (uuid)
            set_row(fresh, commit, row->table, uuid, text_of_document(table, document));
    } else {
        const char *uuid = map_get(&fresh->uuids, row->id);
        if (uuid)
            set_row(fresh, commit, row->table, uuid, NULL);
    }
    json_decref(document);
}

static void record_commit(struct freshness *fresh, const struct history_record *record) {
    struct fresh_commit *commit = memory_allocate(sizeof *commit);
    commit->time = record->time;
    commit->seen = memory_allocate(fresh->n_clients + 1);
    MEMORY_RESERVE(fresh->commits, fresh->commits_capacity, fresh->n_commits + 1);
    fresh->commits[fresh->n_commits++] = commit;
    for (size_t i = 0; i < record->note.n_rows; i++)
        record_document(fresh, commit, &record->note.rows[i]);
}

static void record_view(struct freshness *fresh, const struct history_record *record) {
    size_t client = index_of(&fresh->clients, record->node);
    if (fresh->synced[client] < 0)
        fresh->synced[client] = record->time;
    for (size_t i = 0; client && i < record->note.n_rows; i++) {
        const struct note_row *seen = &record->note.rows[i];
        struct fresh_row *row = map_get(&fresh->rows, row_key(fresh, seen->table, seen->id));
        if (!row || row->commit->writer == client || row->commit->seen[client] ||
            row->commit->time < fresh->synced[client])
            continue;
        bool same =
            row->text && seen->values ? !strcmp(row->text, seen->values) : !row->text && !seen->values;
        if (!same)
            continue;
        row->commit->seen[client] = 1;
        MEMORY_RESERVE(fresh->delays, fresh->delays_capacity, fresh->n_delays + 1);
        assert(record->time >= row->commit->time);
        fresh->delays[fresh->n_delays++] = record->time - row->commit->time;
    }
}

void freshness_record(void *context, const struct history_record *record) {
    struct freshness *fresh = context;
    const struct note *note = &record->note;
    if (note->kind == NOTE_COMMIT)
        record_commit(fresh, record);
    else if (note->kind == NOTE_VIEW && note->text && !strcmp(note->text, "checkpoint"))
        record_view(fresh, record);
    else if (note->kind == NOTE_UPLOAD_STARTED && note->text && !map_has(&fresh->client_ids, note->text))
        map_set(&fresh->client_ids, note->text, (void *)(uintptr_t)index_of(&fresh->clients, record->node));
}

size_t freshness_take(struct freshness *fresh, int64_t **delays) {
    assert(fresh->n_delays <= fresh->delays_capacity);
    size_t count = fresh->n_delays;
    *delays = fresh->delays;
    fresh->delays = NULL;
    fresh->n_delays = fresh->delays_capacity = 0;
    return count;
}
