/* last-write-wins: in the app pages an upload sets exactly the columns that its local transaction changed,
 * to what it says, whatever is there and whenever it was written: who arrives last wins, column by column. A
 * column that was written with the value that the device showed anyway is not changed, and is not sent. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "check/local_row.h"
#include "check/properties.h"
#include "check/upload_log.h"

struct state {
    struct checker *checker;
    const struct client_table *pages; /* NULL: the app has none */
    struct map documents;             /* uuid -> json_t, as of the newest commit */
};

static const char pages_table[] = "pages";

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

/* `index` is that of the write's row about the page. */
static void compare(struct state *state, const struct history_record *write, size_t index,
                    const struct history_record *commit, const json_t *before, const json_t *after) {
    const struct note_row *row = &write->note.rows[index];
    const struct unchanged *unchanged = upload_log_unchanged(checker_uploads(state->checker));
    json_t *change = json_parse(row->values, strlen(row->values), NULL);
    for (size_t i = 0; i < state->pages->n_columns; i++) {
        const char *column = state->pages->columns[i].name;
        const json_t *stated = json_object_get(change, column);
        if (stated == NULL || unchanged_has(unchanged, write, index, i))
            stated = json_object_get(before, column);
        const json_t *seen = json_object_get(after, column);
        if (stated != NULL && seen != NULL && !json_equal(stated, seen))
            report(state, write, commit, row->id, column, stated, seen);
    }
    json_decref(change);
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

static void judge(struct state *state, const struct history_record *write,
                  const struct history_record *commit) {
    for (size_t i = 0; i < write->note.n_rows; i++) {
        const struct note_row *row = &write->note.rows[i];
        const json_t *before = map_get(&state->documents, row->id);
        if (strcmp(row->table, pages_table) != 0 || row->values == NULL || before == NULL)
            continue;
        json_t *after = written(commit, row->id);
        compare(state, write, i, commit, before, after == NULL ? before : after);
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

static void record(void *self, const struct history_record *record) {
    struct state *state = self;
    const struct uploaded_part *parts;
    const size_t count = upload_log_parts(checker_uploads(state->checker), &parts);
    if (state->pages == NULL || record->note.kind != NOTE_COMMIT)
        return;
    for (size_t i = 0; i < count; i++)
        if (parts[i].rows == 0) /* the whole transaction */
            judge(state, parts[i].write, record);
    for (size_t i = 0; i < record->note.n_rows; i++)
        if (strcmp(record->note.rows[i].table, pages_table) == 0 && record->note.rows[i].values != NULL)
            keep(state, &record->note.rows[i]);
}

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    state->pages = local_row_table(checker_settings(checker)->schema, pages_table);
    return state;
}

static void free_document(void *document) {
    json_decref(document);
}

static void destroy(void *self) {
    struct state *state = self;
    map_free(&state->documents, free_document);
    free(state);
}

const struct property property_last_write_wins = {
    .name = "last-write-wins",
    .promise = "pages: the upload that arrives last wins, column by column, and touches no other column",
    .create = create,
    .record = record,
    .destroy = destroy,
};
