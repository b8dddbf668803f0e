/* ownership: an upload changes nothing but rows of the user who uploads, and makes none for others. Judged in
 * the tables that have an owner, by the documents of each commit that carries an upload. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "check/document_index.h"
#include "check/properties.h"
#include "check/upload_log.h"

struct state {
    struct checker *checker;
    struct document_index owners; /* "" when nobody is the owner */
};

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    return state;
}

static void destroy(void *self) {
    struct state *state = self;
    document_index_free(&state->owners);
    free(state);
}

static void report(struct state *state, const struct uploaded_part *part,
                   const struct committed_document *document, const char *owner, const char *user,
                   const struct history_record *commit) {
    const struct violation violation = {
        .property = property_ownership.name,
        .client = part->write->node,
        .table = document->table,
        .row = document->uuid,
        .expected = memory_format("only rows of %s change", user),
        .seen = memory_format("a row of %s", owner),
        .first_record = part->write->number,
        .second_record = commit->number,
        .time = commit->time,
        .explanation = memory_format(
            "Transaction %lld of %s (record %llu), uploaded by %s, wrote %s %s, which "
            "belongs to %s.",
            (long long)part->write->note.transaction, part->write->node,
            (unsigned long long)part->write->number, user, document->table, document->uuid, owner)};
    checker_report(state->checker, &violation);
}

static void judge(struct state *state, const struct uploaded_part *part,
                  const struct committed_document *document, const char *owner,
                  const struct history_record *commit) {
    const char *user = checker_settings(state->checker)->users[part->client];
    const char *before = document_index_get(&state->owners, document->table, document->uuid);
    const char *other = before != NULL && *before && strcmp(before, user) != 0 ? before : NULL;
    if (other == NULL && *owner && strcmp(owner, user) != 0) {
        other = owner;
    }
    if (other != NULL) {
        report(state, part, document, other, user, commit);
    }
}

static void on_record(void *self, const struct history_record *record) {
    struct state *state = self;
    const struct client_mapping *mapping = checker_settings(state->checker)->mapping;
    const struct committed_document *documents;
    const struct uploaded_part *parts;
    if (record->note.kind != NOTE_COMMIT || mapping == NULL) {
        return;
    }
    const size_t n_parts = upload_log_parts(checker_uploads(state->checker), &parts);
    for (size_t d = 0; d < upload_log_documents(checker_uploads(state->checker), &documents); d++) {
        const char *column = mapping_column(mapping, documents[d].table, COLUMN_OWNER);
        struct buffer field = {0};
        if (column == NULL) {
            continue;
        }
        mapping_append_field(&field, mapping, column);
        const char *owner = json_text(documents[d].fields, buffer_text(&field));
        owner = owner == NULL ? "" : owner;
        buffer_free(&field);
        for (size_t p = 0; p < n_parts; p++) {
            judge(state, &parts[p], &documents[d], owner, record);
        }
        document_index_set(&state->owners, documents[d].table, documents[d].uuid, owner);
    }
}

const struct property property_ownership = {
    .name = "ownership",
    .promise = "an upload changes nothing but rows of the user who uploads",
    .create = create,
    .record = on_record,
    .destroy = destroy,
};
