/* parent-first: no commit leaves a document that refers to one that has never been there. A parent that is
 * gone again is no violation: somebody deleted it while somebody else added to it. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "check/document_index.h"
#include "check/properties.h"
#include "check/upload_log.h"

struct state {
    struct checker *checker;
    struct document_index seen; /* in tables that others refer to */
};

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    return state;
}

static void destroy(void *self) {
    struct state *state = self;
    document_index_free(&state->seen);
    free(state);
}

static void report(struct state *state, const struct committed_document *document,
                   const struct column_mapping *reference, const char *parent,
                   const struct history_record *commit) {
    const struct uploaded_part *parts;
    const bool known = upload_log_parts(checker_uploads(state->checker), &parts) > 0;
    const struct violation violation = {
        .property = property_parent_first.name,
        .client = known ? parts[0].write->node : "",
        .table = document->table,
        .row = document->uuid,
        .expected = memory_format("%s %s is there", reference->parent, parent),
        .seen = memory_copy_text("it has never been"),
        .first_record = known ? parts[0].write->number : 0,
        .second_record = commit->number,
        .time = commit->time,
        .explanation =
            memory_format("Commit %lld leaves %s %s, whose %s is %s; no such document of %s has been there.",
                          (long long)commit->note.timestamp, document->table, document->uuid,
                          reference->column, parent, reference->parent)};
    checker_report(state->checker, &violation);
}

static void judge(struct state *state, const struct client_mapping *mapping,
                  const struct committed_document *document, const struct history_record *commit) {
    for (size_t i = 0; i < mapping->n_columns; i++) {
        const struct column_mapping *reference = &mapping->columns[i];
        struct buffer field = {0};
        if (reference->parent == NULL || strcmp(reference->table, document->table) != 0) {
            continue;
        }
        mapping_append_field(&field, mapping, reference->column);
        const char *parent = json_text(document->fields, buffer_text(&field));
        buffer_free(&field);
        if (parent != NULL && *parent &&
            document_index_get(&state->seen, reference->parent, parent) == NULL) {
            report(state, document, reference, parent, commit);
        }
    }
}

static void on_record(void *self, const struct history_record *record) {
    struct state *state = self;
    const struct client_mapping *mapping = checker_settings(state->checker)->mapping;
    const struct committed_document *documents;
    bool refers = false;
    for (size_t i = 0; mapping != NULL && i < mapping->n_columns; i++) {
        refers = refers || mapping->columns[i].parent != NULL;
    }
    if (record->note.kind != NOTE_COMMIT || !refers) {
        return;
    }
    const size_t count = upload_log_documents(checker_uploads(state->checker), &documents);
    for (size_t i = 0; i < count; i++) {
        document_index_set(&state->seen, documents[i].table, documents[i].uuid, "");
    }
    for (size_t i = 0; i < count; i++) {
        judge(state, mapping, &documents[i], record);
    }
}

const struct property property_parent_first = {
    .name = "parent-first",
    .promise = "no commit leaves a row that refers to one that has never been there",
    .create = create,
    .record = on_record,
    .destroy = destroy,
};
