#include "mock-convex/function/reads_note.h"

#include <assert.h>
#include <string.h>

#include "base/digest.h"

/* The rows of a note, whose texts lie one after the other in one buffer that may move while it grows. */
struct draft {
    struct note_row *rows; /* `id` and `values` are set at the end, from `places` */
    struct place {
        size_t id, values;
    } * places;
    size_t count;
    struct buffer text;
};

enum { NO_TEXT = 0 }; /* the buffer's first byte belongs to nobody */

static struct place *begin_row(struct draft *draft, const char *operation, const char *table) {
    draft->rows[draft->count] = (struct note_row){.operation = operation, .table = table};
    draft->places[draft->count] = (struct place){.id = draft->text.length};
    return &draft->places[draft->count++];
}

static void append_id(struct draft *draft, const struct convex_store_table *table,
                      const unsigned char internal[16]) {
    char id[CONVEX_ID_TEXT_MAX];
    struct convex_id binary = {.table = table->number};
    memcpy(binary.internal, internal, 16);
    convex_id_encode(&binary, id);
    buffer_append(&draft->text, id, strlen(id) + 1);
}

static bool is_system(const struct convex_store_table *table) {
    return table->system;
}

static void draft_read(struct draft *draft, const struct convex_read *read) {
    struct place *place = begin_row(draft, "READ", read->table->name);
    append_id(draft, read->table, read->internal);
    place->values = draft->text.length;
    buffer_append_integer(&draft->text, read->ts);
    buffer_append_char(&draft->text, 0);
}

/* "by_uuid(uuid)": an index that a push declares anew with other fields is another one. */
static void append_index(struct draft *draft, const struct convex_store_index *index) {
    const struct convex_index *declared = index->declared;
    buffer_append_text(&draft->text, index->kind == CONVEX_BY_ID              ? "by_id"
                                     : index->kind == CONVEX_BY_CREATION_TIME ? "by_creation_time"
                                                                              : declared->name);
    for (size_t i = 0; declared != NULL && i < declared->n_fields; i++) {
        buffer_append_char(&draft->text, i == 0 ? '(' : ',');
        buffer_append_text(&draft->text, declared->fields[i]);
    }
    buffer_append_text(&draft->text, declared != NULL ? ")" : "");
}

/* A single id: what convex_get looked for. A READ row says more about it. */
static bool is_point(const struct convex_interval *interval) {
    return interval->index->kind == CONVEX_BY_ID && interval->low_length == 16 &&
           interval->high_length == 17 && memcmp(interval->low, interval->high, 16) == 0;
}

static void draft_range(struct draft *draft, const struct convex_interval *interval) {
    struct place *place = begin_row(draft, "RANGE", interval->index->table->name);
    append_index(draft, interval->index);
    buffer_append_char(&draft->text, 0);
    place->values = draft->text.length;
    buffer_append_text(&draft->text, "{\"low\":\"");
    hex_append(&draft->text, interval->low, interval->low_length);
    buffer_append_text(&draft->text, interval->high != NULL ? "\",\"high\":\"" : "\",\"high\":null}");
    if (interval->high != NULL) {
        hex_append(&draft->text, interval->high, interval->high_length);
        buffer_append_text(&draft->text, "\"}");
    }
    buffer_append_char(&draft->text, 0);
}

static void draft_keys(struct draft *draft, const struct convex_revision *revision) {
    const struct convex_document *document = revision->document;
    struct place *place = begin_row(draft, "KEY", document->table->name);
    struct buffer key = {0};
    append_id(draft, document->table, document->internal);
    if (revision->value == NULL) {
        return;
    }
    place->values = draft->text.length;
    for (size_t i = 0; i < document->table->n_indexes; i++) {
        const struct convex_store_index *index = &document->table->indexes[i];
        buffer_clear(&key);
        convex_store_index_key(index, revision->value, document->internal, &key);
        buffer_append_text(&draft->text, i == 0 ? "{\"" : ",\"");
        append_index(draft, index);
        buffer_append_text(&draft->text, "\":\"");
        hex_append(&draft->text, key.data, key.length);
        buffer_append_char(&draft->text, '"');
    }
    buffer_append(&draft->text, "}", 2);
    buffer_free(&key);
}

static void draft_transaction(struct draft *draft, const struct convex_transaction *transaction) {
    for (size_t i = 0; i < transaction->n_reads; i++) {
        if (!is_system(transaction->reads[i].table)) {
            draft_read(draft, &transaction->reads[i]);
        }
    }
    for (size_t i = 0; i < transaction->n_intervals; i++) {
        const struct convex_interval *interval = &transaction->intervals[i];
        if (!is_system(interval->index->table) && !is_point(interval)) {
            draft_range(draft, interval);
        }
    }
}

static void send_draft(struct convex_deployment *deployment, struct draft *draft, int64_t snapshot) {
    for (size_t i = 0; i < draft->count; i++) {
        const struct place *place = &draft->places[i];
        draft->rows[i].id = draft->text.data + place->id;
        draft->rows[i].values = place->values != NO_TEXT ? draft->text.data + place->values : NULL;
    }
    const struct note note = {
        .kind = NOTE_READS, .timestamp = snapshot, .rows = draft->rows, .n_rows = draft->count};
    host_note(deployment->host, &note);
}

void convex_note_reads(struct convex_deployment *deployment, const struct convex_transaction *transaction,
                       size_t from) {
    const struct convex_store *store = &deployment->store;
    size_t reads = transaction != NULL ? transaction->n_reads + transaction->n_intervals : 0;
    size_t most = reads + store->log_count - from;
    struct arena arena = {0};
    struct draft draft = {0};
    assert(from < store->log_count);
    if (!host_is_heard(deployment->host)) {
        return;
    }
    draft.rows = arena_allocate(&arena, most * sizeof *draft.rows);
    draft.places = arena_allocate(&arena, most * sizeof *draft.places);
    buffer_append_char(&draft.text, 0);
    if (transaction != NULL) {
        draft_transaction(&draft, transaction);
    }
    const size_t before = draft.count;
    for (size_t i = from; i < store->log_count; i++) {
        if (!is_system(store->log[i]->document->table)) {
            draft_keys(&draft, store->log[i]);
        }
    }
    assert(draft.count <= most);
    if (draft.count > before) { /* else there is no NOTE_COMMIT either */
        send_draft(deployment, &draft, transaction != NULL ? transaction->begin : store->latest - 1);
    }
    buffer_free(&draft.text);
    arena_free(&arena);
}

enum status convex_commit_noted(struct convex_deployment *deployment, struct convex_transaction *transaction,
                                const char *path, int64_t *ts, struct error *error) {
    size_t from = deployment->store.log_count;
    enum status status = convex_transaction_commit(transaction, host_wall_clock(deployment->host), ts, error);
    if (status == STATUS_OK && deployment->store.log_count > from) {
        convex_note_reads(deployment, transaction, from);
        convex_note_commit(deployment, from, path);
    }
    return status;
}
