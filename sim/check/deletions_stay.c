/* deletions-stay: where deleting is a mark with a time, a row that is marked stays as it is, the time
 * included, until an upload puts it anew: no second DELETE makes it younger, and no PATCH changes what nobody
 * can see. Judged at each commit. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "check/document_index.h"
#include "check/properties.h"
#include "check/upload_log.h"

struct state {
    struct checker *checker;
    struct document_index deleted; /* the document; "": it is not deleted */
};

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    return state;
}

static void destroy(void *self) {
    struct state *state = self;
    document_index_free(&state->deleted);
    free(state);
}

/* Does an upload of this commit put the row? It may have deleted it again. */
static bool is_put(struct state *state, const struct committed_document *document) {
    const struct uploaded_part *parts;
    const size_t count = upload_log_parts(checker_uploads(state->checker), &parts);
    for (size_t p = 0; p < count; p++) {
        const struct note *write = &parts[p].write->note;
        for (size_t i = 0; i < write->n_rows; i++)
            if (strcmp(write->rows[i].operation, "PUT") == 0 &&
                strcmp(write->rows[i].table, document->table) == 0 &&
                strcmp(write->rows[i].id, document->uuid) == 0)
                return true;
    }
    return false;
}

static void report(struct state *state, const struct committed_document *document, const char *before,
                   const char *after, const struct history_record *commit) {
    const struct uploaded_part *parts;
    const bool known = upload_log_parts(checker_uploads(state->checker), &parts) > 0;
    const struct violation violation = {
        .property = property_deletions_stay.name,
        .client = known ? parts[0].write->node : "",
        .table = document->table,
        .row = document->uuid,
        .expected = memory_copy_text(before),
        .seen = memory_copy_text(after),
        .first_record = known ? parts[0].write->number : 0,
        .second_record = commit->number,
        .time = commit->time,
        .explanation = memory_format("Commit %lld changes %s %s, which is deleted, and leaves it deleted.",
                                     (long long)commit->note.timestamp, document->table, document->uuid)};
    checker_report(state->checker, &violation);
}

static void judge(struct state *state, const struct committed_document *document,
                  const struct history_record *commit) {
    const json_t *mark = json_object_get(document->fields, "deletedAt");
    const char *before = document_index_get(&state->deleted, document->table, document->uuid);
    struct buffer after = {0};
    if (mark != NULL && !json_is_null(mark))
        json_append(&after, document->fields);
    if (before != NULL && *before && after.length > 0 && strcmp(before, buffer_text(&after)) != 0 &&
        !is_put(state, document))
        report(state, document, before, buffer_text(&after), commit);
    document_index_set(&state->deleted, document->table, document->uuid, buffer_text(&after));
    buffer_free(&after);
}

static void on_record(void *self, const struct history_record *record) {
    struct state *state = self;
    const struct client_mapping *mapping = checker_settings(state->checker)->mapping;
    const struct committed_document *documents;
    if (record->note.kind != NOTE_COMMIT || mapping == NULL || !mapping->soft_delete)
        return;
    const size_t count = upload_log_documents(checker_uploads(state->checker), &documents);
    for (size_t i = 0; i < count; i++)
        judge(state, &documents[i], record);
}

const struct property property_deletions_stay = {
    .name = "deletions-stay",
    .promise = "a row that is marked as deleted keeps its time and its content until it is put anew",
    .create = create,
    .record = on_record,
    .destroy = destroy,
};
