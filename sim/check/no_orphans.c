/* no-orphans: when all is settled, no row refers to one that is deleted or somebody else's. In between a
 * child may be without its parent, and no database forbids it: the backend's rules must see to it. Judged at
 * the end, where the app declares what refers to what and deleting is a mark. A parent that has never been
 * there is parent-first's business. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "check/properties.h"
#include "check/row_set.h"
#include "check/upload_log.h"

struct state {
    struct checker *checker;
    struct map documents; /* row_set_key -> struct kept, in order of their first commit */
    struct buffer key;
    bool refers; /* some column is a reference, and who is deleted is marked */
};

struct kept {
    char *table, *uuid;
    json_t *fields; /* the newest */
    uint64_t commit;
};

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    const struct client_mapping *mapping = checker_settings(checker)->mapping;
    state->checker = checker;
    for (size_t i = 0; mapping != NULL && mapping->soft_delete && i < mapping->n_columns; i++)
        state->refers = state->refers || mapping->columns[i].parent != NULL;
    return state;
}

static void free_kept(void *value) {
    struct kept *kept = value;
    free(kept->table);
    free(kept->uuid);
    json_decref(kept->fields);
    free(kept);
}

static void destroy(void *self) {
    struct state *state = self;
    map_free(&state->documents, free_kept);
    buffer_free(&state->key);
    free(state);
}

static void on_record(void *self, const struct history_record *record) {
    struct state *state = self;
    const struct committed_document *documents;
    if (record->note.kind != NOTE_COMMIT || !state->refers)
        return;
    const size_t count = upload_log_documents(checker_uploads(state->checker), &documents);
    for (size_t i = 0; i < count; i++) {
        row_set_key(&state->key, documents[i].table, documents[i].uuid);
        struct kept *kept = map_get_bytes(&state->documents, state->key.data, state->key.length);
        if (kept == NULL) {
            kept = memory_allocate(sizeof *kept);
            *kept = (struct kept){.table = memory_copy_text(documents[i].table),
                                  .uuid = memory_copy_text(documents[i].uuid)};
            map_set_bytes(&state->documents, state->key.data, state->key.length, kept);
        }
        json_decref(kept->fields);
        kept->fields = json_incref(documents[i].fields);
        kept->commit = record->number;
    }
}

static bool is_deleted(const struct kept *kept) {
    const json_t *mark = json_object_get(kept->fields, "deletedAt");
    return mark != NULL && !json_is_null(mark);
}

/* NULL: nobody, or the table has no owners. */
static const char *owner_of(const struct client_mapping *mapping, const struct kept *kept) {
    const char *column = mapping_column(mapping, kept->table, COLUMN_OWNER);
    struct buffer field = {0};
    if (column == NULL)
        return NULL;
    mapping_append_field(&field, mapping, column);
    const char *owner = json_text(kept->fields, buffer_text(&field));
    buffer_free(&field);
    return owner;
}

static void report(const struct state *state, const struct kept *child, const struct kept *parent,
                   char *seen) {
    const uint64_t last = child->commit > parent->commit ? child->commit : parent->commit;
    const struct violation violation = {
        .property = property_no_orphans.name,
        .client = "",
        .table = child->table,
        .row = child->uuid,
        .expected = memory_format("%s %s is there, of the same owner", parent->table, parent->uuid),
        .seen = seen,
        .first_record = last == child->commit ? parent->commit : child->commit,
        .second_record = last,
        .explanation = memory_format("%s %s refers to %s %s, and nobody has put that right.", child->table,
                                     child->uuid, parent->table, parent->uuid)};
    checker_report(state->checker, &violation);
}

static void judge(struct state *state, const struct client_mapping *mapping, const struct kept *child,
                  const struct column_mapping *reference) {
    struct buffer field = {0};
    mapping_append_field(&field, mapping, reference->column);
    const char *uuid = json_text(child->fields, buffer_text(&field));
    buffer_free(&field);
    row_set_key(&state->key, reference->parent, uuid == NULL ? "" : uuid);
    const struct kept *parent = map_get_bytes(&state->documents, state->key.data, state->key.length);
    if (parent == NULL)
        return;
    const char *owner = owner_of(mapping, child), *parents = owner_of(mapping, parent);
    if (is_deleted(parent))
        report(state, child, parent, memory_copy_text("it is deleted"));
    else if (owner != NULL && parents != NULL && strcmp(owner, parents) != 0)
        report(state, child, parent, memory_format("the one is %s's, the other %s's", owner, parents));
}

static void finish(void *self) {
    struct state *state = self;
    const struct client_mapping *mapping = checker_settings(state->checker)->mapping;
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&state->documents, &at)) != NULL;) {
        const struct kept *child = entry->value;
        for (size_t i = 0; !is_deleted(child) && i < mapping->n_columns; i++)
            if (mapping->columns[i].parent != NULL && strcmp(mapping->columns[i].table, child->table) == 0)
                judge(state, mapping, child, &mapping->columns[i]);
    }
}

const struct property property_no_orphans = {
    .name = "no-orphans",
    .promise = "in the end no row refers to one that is deleted or somebody else's",
    .create = create,
    .record = on_record,
    .finish = finish,
    .destroy = destroy,
};
