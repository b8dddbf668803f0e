/* last-write-wins: in the app pages an upload sets exactly the columns that its local transaction changed,
 * to what it says, whatever is there and whenever it was written: who arrives last wins, column by column. A
 * column that was written with the value that the device showed anyway is not changed, and is not sent. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "check/local_row.h"
#include "check/properties.h"
#include "check/viewers.h"

struct state {
    struct checker *checker;
    const struct client_table *pages; /* NULL: the app has none */
    struct viewers viewers;
    struct map clients;   /* client id -> node name */
    struct map writes;    /* "node transaction" -> struct page_write */
    struct map documents; /* uuid -> json_t, as of the newest commit */
    struct buffer key;
};

struct page_write {
    const struct history_record *record;
    json_t *changes; /* uuid -> {column: value} */
};

static const char pages_table[] = "pages";

static void free_write(void *value) {
    struct page_write *write = value;
    if (write != NULL)
        json_decref(write->changes);
    free(write);
}

static const char *write_key(struct state *state, const char *node, const char *transaction) {
    buffer_clear(&state->key);
    buffer_printf(&state->key, "%s %s", node, transaction);
    return buffer_text(&state->key);
}

static const struct page_write *write_of(struct state *state, const char *receipt_text) {
    json_t *receipt = json_parse(receipt_text, strlen(receipt_text), NULL);
    const char *client_id = json_text(receipt, "client_id"), *number = json_text(receipt, "transaction_id");
    const char *node = client_id == NULL ? NULL : map_get(&state->clients, client_id);
    const struct page_write *write =
        node == NULL || number == NULL ? NULL : map_get(&state->writes, write_key(state, node, number));
    json_decref(receipt);
    return write;
}

static void report(struct state *state, const struct history_record *write,
                   const struct history_record *commit, const char *uuid, const char *column,
                   const json_t *expected, const json_t *seen) {
    struct buffer wanted = {0}, found = {0};
    buffer_printf(&wanted, "%s ", column);
    json_append(&wanted, expected);
    buffer_printf(&found, "%s ", column);
    json_append(&found, seen);
    const struct violation violation = {
        .property = property_last_write_wins.name,
        .client = write->node,
        .table = pages_table,
        .row = uuid,
        .expected = buffer_take(&wanted),
        .seen = buffer_take(&found),
        .first_record = write->number,
        .second_record = commit->number,
        .time = commit->time,
        .explanation = memory_format("%s's transaction arrived last, and the column is not what that makes "
                                     "of the page that was there.",
                                     write->node)};
    checker_report(state->checker, &violation);
}

/* `change` is what the transaction says of the page; NULL: nothing. */
static void compare(struct state *state, const struct history_record *write,
                    const struct history_record *commit, const char *uuid, const json_t *change,
                    const json_t *before, const json_t *after) {
    for (size_t i = 0; i < state->pages->n_columns; i++) {
        const char *column = state->pages->columns[i].name;
        const json_t *stated = json_object_get(change, column);
        const json_t *expected = stated == NULL ? json_object_get(before, column) : stated;
        const json_t *seen = json_object_get(after, column);
        if (expected != NULL && seen != NULL && !json_equal(expected, seen))
            report(state, write, commit, uuid, column, expected, seen);
    }
}

/* The commit's version of a page that it wrote, parsed; NULL: it did not. The caller frees it. */
static json_t *written(const struct history_record *commit, const char *uuid) {
    for (size_t i = 0; i < commit->note.n_rows; i++) {
        const struct note_row *row = &commit->note.rows[i];
        if (strcmp(row->table, pages_table) != 0 || row->values == NULL)
            continue;
        json_t *document = json_parse(row->values, strlen(row->values), NULL);
        const char *its = json_text(document, "uuid");
        if (its != NULL && strcmp(its, uuid) == 0)
            return document;
        json_decref(document);
    }
    return NULL;
}

static void judge(struct state *state, const struct page_write *write, const struct history_record *commit) {
    const char *uuid;
    json_t *change;
    json_object_foreach(write->changes, uuid, change) {
        const json_t *before = map_get(&state->documents, uuid);
        json_t *after = written(commit, uuid);
        if (before != NULL)
            compare(state, write->record, commit, uuid, change, before, after == NULL ? before : after);
        json_decref(after);
    }
}

static void keep(struct state *state, const struct note_row *row) {
    json_t *document = json_parse(row->values, strlen(row->values), NULL);
    const char *uuid = json_text(document, "uuid");
    if (uuid == NULL)
        json_decref(document);
    else
        json_decref(map_set(&state->documents, uuid, document));
}

static void note_commit(struct state *state, const struct history_record *commit) {
    for (size_t i = 0; i < commit->note.n_rows; i++) {
        const struct note_row *row = &commit->note.rows[i];
        const struct page_write *write = strcmp(row->table, "upload_receipts") == 0 && row->values != NULL
                                             ? write_of(state, row->values)
                                             : NULL;
        if (write != NULL)
            judge(state, write, commit);
    }
    for (size_t i = 0; i < commit->note.n_rows; i++)
        if (strcmp(commit->note.rows[i].table, pages_table) == 0 && commit->note.rows[i].values != NULL)
            keep(state, &commit->note.rows[i]);
}

/* What the operation changes of the row as the device shows it. */
static json_t *changes_of(struct state *state, const char *node, const struct note_row *operation) {
    const struct viewer *viewer = map_get(&state->viewers.viewers, node);
    json_t *change = json_parse(operation->values, strlen(operation->values), NULL);
    char *key = memory_format("%s %s", operation->table, operation->id);
    const struct viewer_row *row = viewer == NULL ? NULL : map_get(&viewer->rows, key);
    free(key);
    struct viewer_values shown = {0};
    if (row != NULL)
        shown = viewer_values_parse(row);
    for (size_t i = 0; i < state->pages->n_columns; i++) {
        const char *column = state->pages->columns[i].name;
        const char *before = viewer_text(&shown, column), *after = json_text(change, column);
        if (before != NULL && after != NULL && strcmp(before, after) == 0)
            json_object_del(change, column);
    }
    viewer_values_free(&shown);
    return change;
}

static void note_written(struct state *state, const struct history_record *record) {
    char number[24];
    struct page_write *write = memory_allocate(sizeof *write);
    write->record = record;
    write->changes = json_object();
    for (size_t i = 0; i < record->note.n_rows; i++) {
        const struct note_row *operation = &record->note.rows[i];
        if (strcmp(operation->table, pages_table) == 0 && operation->values != NULL)
            json_object_set_new(write->changes, operation->id, changes_of(state, record->node, operation));
    }
    snprintf(number, sizeof number, "%lld", (long long)record->note.transaction);
    free_write(map_set(&state->writes, write_key(state, record->node, number), write));
}

static void record(void *self, const struct history_record *record) {
    struct state *state = self;
    if (state->viewers.idle)
        return;
    if (record->note.kind == NOTE_LOCAL_WRITE)
        note_written(state, record);
    else if (record->note.kind == NOTE_UPLOAD_STARTED && record->note.text != NULL)
        map_set(&state->clients, record->note.text, (void *)(uintptr_t)record->node);
    else if (record->note.kind == NOTE_COMMIT)
        note_commit(state, record);
    viewers_record(&state->viewers, record);
}

static bool wants(const char *table) {
    return strcmp(table, pages_table) == 0;
}

static void change_nothing(void *self, struct viewer *viewer, struct viewer_row *row,
                           const struct viewer_values *values) {
    (void)self, (void)viewer, (void)row, (void)values;
}

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    state->pages = local_row_table(checker_settings(checker)->schema, pages_table);
    state->viewers = (struct viewers){
        .schema = checker_settings(checker)->schema, .wants = wants, .change = change_nothing};
    viewers_begin(&state->viewers);
    return state;
}

static void free_document(void *document) {
    json_decref(document);
}

static void destroy(void *self) {
    struct state *state = self;
    map_free(&state->clients, NULL);
    map_free(&state->writes, free_write);
    viewers_free(&state->viewers);
    map_free(&state->documents, free_document);
    buffer_free(&state->key);
    free(state);
}

const struct property property_last_write_wins = {
    .name = "last-write-wins",
    .promise = "pages: the upload that arrives last wins, column by column, and touches no other column",
    .create = create,
    .record = record,
    .destroy = destroy,
};
