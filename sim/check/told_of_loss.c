/* told-of-loss: a change of a row that is not there any more (deleted by somebody else, or never arrived) has
 * no effect, and the app hears of it with the answer to the upload; else its user believes that it was saved.
 * Judged when an upload is completed, where deleting is a mark: by what was there before its commit. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "check/document_index.h"
#include "check/properties.h"
#include "check/upload_log.h"

struct state {
    struct checker *checker;
    struct document_index live; /* "": deleted */
    struct map losses;          /* "client transaction" -> struct loss */
    struct buffer key;
};

struct loss {
    const struct note_row *row; /* the first that was not there */
    uint64_t commit;            /* record */
};

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    return state;
}

static void destroy(void *self) {
    struct state *state = self;
    document_index_free(&state->live);
    map_free(&state->losses, free);
    buffer_free(&state->key);
    free(state);
}

static const char *key_of(struct state *state, const char *client, int64_t transaction) {
    buffer_clear(&state->key);
    buffer_printf(&state->key, "%s %" PRId64, client, transaction);
    return buffer_text(&state->key);
}

static bool is_there(struct state *state, const struct note *write, size_t index) {
    const struct note_row *row = &write->rows[index];
    for (size_t i = 0; i < index; i++)
        if (strcmp(write->rows[i].operation, "PUT") == 0 && strcmp(write->rows[i].table, row->table) == 0 &&
            strcmp(write->rows[i].id, row->id) == 0)
            return true;
    const char *live = document_index_get(&state->live, row->table, row->id);
    return live != NULL && *live;
}

static void expect_losses(struct state *state, const struct uploaded_part *part,
                          const struct history_record *commit) {
    const struct note *write = &part->write->note;
    for (size_t i = 0; i < write->n_rows; i++) {
        if (strcmp(write->rows[i].operation, "PATCH") != 0 || is_there(state, write, i))
            continue;
        struct loss *loss = memory_allocate(sizeof *loss);
        *loss = (struct loss){&write->rows[i], commit->number};
        free(map_set(&state->losses, key_of(state, part->write->node, write->transaction), loss));
        return;
    }
}

static void take_commit(struct state *state, const struct history_record *record) {
    const struct uploaded_part *parts;
    const struct committed_document *documents;
    const size_t n_parts = upload_log_parts(checker_uploads(state->checker), &parts);
    for (size_t i = 0; i < n_parts; i++)
        if (parts[i].rows == 0) /* the whole transaction */
            expect_losses(state, &parts[i], record);
    const size_t count = upload_log_documents(checker_uploads(state->checker), &documents);
    for (size_t i = 0; i < count; i++) {
        const json_t *mark = json_object_get(documents[i].fields, "deletedAt");
        document_index_set(&state->live, documents[i].table, documents[i].uuid,
                           mark == NULL || json_is_null(mark) ? "there" : "");
    }
}

static void judge(struct state *state, const struct history_record *record) {
    const int64_t transaction = record->note.transaction;
    const struct loss *loss = map_get(&state->losses, key_of(state, record->node, transaction));
    const char *told = record->note.text == NULL ? "" : record->note.text;
    if (loss == NULL || strstr(told, loss->row->id) != NULL)
        return;
    const struct violation violation = {
        .property = property_told_of_loss.name,
        .client = record->node,
        .table = loss->row->table,
        .row = loss->row->id,
        .expected = memory_format("the answer names %s/%s", loss->row->table, loss->row->id),
        .seen = memory_copy_text(*told ? told : "accepted, without a word"),
        .first_record = loss->commit,
        .second_record = record->number,
        .time = record->time,
        .explanation =
            memory_format("Transaction %" PRId64 " changed a row that was not there any more at its commit "
                          "(record %" PRIu64 "), and the app was not told.",
                          transaction, loss->commit)};
    checker_report(state->checker, &violation);
}

static void on_record(void *self, const struct history_record *record) {
    struct state *state = self;
    const struct client_mapping *mapping = checker_settings(state->checker)->mapping;
    if (mapping == NULL || !mapping->soft_delete)
        return;
    if (record->note.kind == NOTE_COMMIT)
        take_commit(state, record);
    else if (record->note.kind == NOTE_UPLOAD_ACKNOWLEDGED)
        judge(state, record);
}

const struct property property_told_of_loss = {
    .name = "told-of-loss",
    .promise = "an app hears of each change of its own that met a row which is not there any more",
    .create = create,
    .record = on_record,
    .destroy = destroy,
};
