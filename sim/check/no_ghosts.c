/* no-ghosts: in the end no device shows a row whose table was deleted after it. Deleting a table leaves no
 * tombstones, so whoever reads changes keeps the rows for ever; only a new copy of all tables takes them
 * away. The oracle goes on with such rows (docs/properties.md, "Tables that end"); this property says that
 * they are there. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "check/properties.h"
#include "check/row_set.h"
#include "check/upload_log.h"
#include "check/view_model.h"

struct document {
    char *table;
    uint64_t commit; /* record of the newest */
    uint64_t end;    /* record of the end of its table; 0: it is there */
};

struct state {
    struct checker *checker;
    struct map documents; /* row_set_key of a client's row -> struct document */
    struct buffer key;
};

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    return state;
}

static void free_document(void *value) {
    struct document *document = value;
    free(document->table);
    free(document);
}

static void destroy(void *self) {
    struct state *state = self;
    map_free(&state->documents, free_document);
    buffer_free(&state->key);
    free(state);
}

static void see_commit(struct state *state, const struct history_record *record) {
    const struct committed_document *documents;
    const size_t count = upload_log_documents(checker_uploads(state->checker), &documents);
    for (size_t i = 0; i < count; i++) {
        row_set_key(&state->key, documents[i].table, documents[i].uuid);
        struct document *document = map_get_bytes(&state->documents, state->key.data, state->key.length);
        if (document == NULL) {
            document = memory_allocate(sizeof *document);
            document->table = memory_copy_text(documents[i].table);
            map_set_bytes(&state->documents, state->key.data, state->key.length, document);
        }
        document->commit = record->number;
        document->end = 0;
    }
}

static void see_end(struct state *state, const struct history_record *record) {
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&state->documents, &at)) != NULL;) {
        struct document *document = entry->value;
        if (document->end == 0 && strcmp(document->table, record->note.rows[0].table) == 0)
            document->end = record->number;
    }
}

static void on_record(void *self, const struct history_record *record) {
    if (record->note.kind == NOTE_COMMIT)
        see_commit(self, record);
    else if (record->note.kind == NOTE_TABLE)
        see_end(self, record);
}

static void judge(struct state *state, const struct view_model *model, const struct view_row *row) {
    row_set_key(&state->key, row->table, row->id);
    const struct document *document = map_get_bytes(&state->documents, state->key.data, state->key.length);
    if (row->text == NULL || row->local || document == NULL || document->end == 0)
        return;
    const struct violation violation = {
        .property = property_no_ghosts.name,
        .client = model->client,
        .table = row->table,
        .row = row->id,
        .expected = memory_copy_text("no row"),
        .seen = memory_copy_text(row->text),
        .first_record = document->commit,
        .second_record = document->end,
        .explanation = memory_format("%s still shows a row of the table %s, which was deleted. Nothing tells "
                                     "readers of changes so; a new copy of all tables (another sync config) "
                                     "would.",
                                     model->client, row->table)};
    checker_report(state->checker, &violation);
}

static void finish(void *self) {
    struct state *state = self;
    const struct view_models *views = checker_views(state->checker);
    for (size_t i = 0; i < view_models_count(views); i++) {
        const struct view_model *model = view_models_get(views, i);
        for (size_t row = 0; row < model->rows.count; row++)
            judge(state, model, &model->rows.rows[row]);
    }
}

const struct property property_no_ghosts = {
    .name = "no-ghosts",
    .promise = "in the end no device shows a row of a table that was deleted after it",
    .create = create,
    .record = on_record,
    .finish = finish,
    .destroy = destroy,
};
