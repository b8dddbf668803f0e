#include "mock-convex/store/transaction.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mock-convex/store/component.h"
#include "mock-convex/store/schema.h"
#include "mock-convex/store/transaction_internal.h"
#include "mock-convex/value/value_check.h"

void convex_transaction_begin(struct convex_transaction *transaction, struct convex_store *store,
                              struct host *host, int64_t wall_clock) {
    memset(transaction, 0, sizeof *transaction);
    transaction->store = store;
    transaction->host = host;
    transaction->begin = store->latest;
    transaction->wall_clock = wall_clock;
    /* _creationTime belongs to the start of the transaction, so it is not ordered as commits are. */
    transaction->next_creation_time = (double)convex_store_next_ts(store, wall_clock) / 1e6;
}

static void free_pending(void *item) {
    struct convex_pending *pending = item;
    convex_free(pending->value);
    free(pending);
}

void convex_transaction_end(struct convex_transaction *transaction) {
    convex_ordered_free(&transaction->pending, free_pending);
    for (size_t i = 0; i < transaction->n_overlays; i++) {
        convex_ordered_free(&transaction->overlays[i].entries, NULL);
    }
    convex_transaction_drop_made(transaction);
    free(transaction->overlays);
    free(transaction->intervals);
    free(transaction->reads);
    arena_free(&transaction->arena);
    memset(transaction, 0, sizeof *transaction);
}

/* --- what the transaction sees --- */

static void pending_key(const struct convex_store_table *table, const unsigned char internal[16],
                        unsigned char key[32]) {
    memcpy(key, table->tablet, 16);
    memcpy(key + 16, internal, 16);
}

struct convex_pending *convex_transaction_pending(const struct convex_transaction *transaction,
                                                  const struct convex_store_table *table,
                                                  const unsigned char internal[16]) {
    unsigned char key[32];
    if (transaction->pending.count == 0) {
        return NULL;
    }
    pending_key(table, internal, key);
    const struct convex_ordered_node *node = convex_ordered_get(&transaction->pending, key, sizeof key);
    return node != NULL ? node->item : NULL;
}

/* The document's state for this transaction; NULL: it does not exist. */
static const struct convex_value *visible(struct convex_transaction *transaction,
                                          const struct convex_store_table *table,
                                          const unsigned char internal[16]) {
    const struct convex_pending *pending = convex_transaction_pending(transaction, table, internal);
    if (pending != NULL) {
        return pending->value;
    }
    const struct convex_document *document = convex_store_document(table, internal);
    const struct convex_revision *revision =
        document != NULL ? convex_store_revision_at(document, transaction->begin) : NULL;
    convex_read_set_add_document(transaction, table, internal, revision);
    return revision != NULL ? revision->value : NULL;
}

enum status convex_transaction_count_read(struct convex_transaction *transaction,
                                          const struct convex_value *document, struct error *error) {
    transaction->documents_read++;
    transaction->bytes_read += convex_size(document);
    if (transaction->documents_read > CONVEX_DOCUMENTS_READ_MAX) {
        return error_set(error, STATUS_LIMIT,
                         "TooManyDocumentsRead: more than %d documents in one transaction",
                         CONVEX_DOCUMENTS_READ_MAX);
    }
    if (transaction->bytes_read > CONVEX_BYTES_READ_MAX) {
        return error_set(error, STATUS_LIMIT, "TooManyBytesRead: more than 16 MiB in one transaction");
    }
    return STATUS_OK;
}

/* Decode an id of this table. False: it is none. */
bool convex_transaction_decode_id(const struct convex_store_table *table, const char *text,
                                  struct convex_id *id) {
    return convex_id_decode(text, id) == STATUS_OK && id->table == table->number;
}

enum status convex_transaction_get(struct convex_transaction *transaction, struct convex_store_table *table,
                                   const char *text, const struct convex_value **document,
                                   struct error *error) {
    struct convex_id id;
    *document = NULL;
    if (!convex_transaction_decode_id(table, text, &id)) {
        return STATUS_OK;
    }
    enum status status = convex_read_set_add_point(transaction, &table->indexes[0], id.internal, 16, error);
    const struct convex_value *value = visible(transaction, table, id.internal);
    if (status == STATUS_OK && value != NULL) {
        status = convex_transaction_count_read(transaction, value, error);
    }
    *document = status == STATUS_OK ? value : NULL;
    return status;
}

/* --- writes --- */

static struct convex_overlay *overlay_of(struct convex_transaction *transaction,
                                         struct convex_store_index *index) {
    for (size_t i = 0; i < transaction->n_overlays; i++) {
        if (transaction->overlays[i].index == index) {
            return &transaction->overlays[i];
        }
    }
    transaction->overlays =
        memory_resize(transaction->overlays, transaction->n_overlays + 1, sizeof *transaction->overlays);
    struct convex_overlay *overlay = &transaction->overlays[transaction->n_overlays++];
    memset(overlay, 0, sizeof *overlay);
    overlay->index = index;
    return overlay;
}

/* Enter the pending document into the overlays of its table's indexes, or take it out. */
static void show_pending(struct convex_transaction *transaction, struct convex_pending *pending, bool show) {
    struct buffer key = {0};
    for (size_t i = 0; pending->value != NULL && i < pending->table->n_indexes; i++) {
        struct convex_overlay *overlay = overlay_of(transaction, &pending->table->indexes[i]);
        buffer_clear(&key);
        convex_store_index_key(overlay->index, pending->value, pending->internal, &key);
        if (show) {
            convex_ordered_insert(&overlay->entries, key.data, key.length, pending);
        } else {
            void *removed = convex_ordered_remove(&overlay->entries, key.data, key.length);
            assert(removed == pending);
            (void)removed;
        }
    }
    buffer_free(&key);
}

/* Stage the document's new state (taken; NULL: deleted). */
static enum status stage(struct convex_transaction *transaction, struct convex_store_table *table,
                         const unsigned char internal[16], struct convex_value *value, struct error *error) {
    size_t size = value != NULL ? convex_size(value) : 0;
    if (table->system) { /* has limits of its own, which are far away */
        size = 0;
    } else if (transaction->documents_written >= CONVEX_DOCUMENTS_WRITTEN_MAX ||
               transaction->bytes_written + size > CONVEX_BYTES_WRITTEN_MAX) {
        bool documents = transaction->documents_written >= CONVEX_DOCUMENTS_WRITTEN_MAX;
        convex_free(value);
        return error_set(error, STATUS_LIMIT,
                         documents ? "TooManyWrites: more than 16000 writes in one transaction"
                                   : "TooManyBytesWritten: more than 16 MiB in one transaction");
    }
    assert(value == NULL || convex_object_text(value, "_id") != NULL);
    transaction->documents_written += !table->system;
    transaction->bytes_written += size;
    struct convex_pending *pending = convex_transaction_pending(transaction, table, internal);
    if (pending == NULL) {
        unsigned char key[32];
        pending_key(table, internal, key);
        pending = memory_allocate(sizeof *pending);
        pending->table = table;
        memcpy(pending->internal, internal, 16);
        convex_ordered_insert(&transaction->pending, key, sizeof key, pending);
    }
    show_pending(transaction, pending, false);
    convex_free(pending->value);
    pending->value = value;
    show_pending(transaction, pending, true);
    return STATUS_OK;
}

void convex_draw_bytes(struct host *host, const char *choice, unsigned char bytes[16]) {
    for (size_t i = 0; i < 2; i++) {
        uint64_t random = host_random(host, choice);
        for (size_t j = 0; j < 8; j++) {
            bytes[8 * i + j] = (unsigned char)(random >> (8 * j));
        }
    }
}

/* System rows draw from a stream of their own, so that they change no id of a user's document. */
static void make_internal_id(struct convex_transaction *transaction, bool system,
                             unsigned char internal[16]) {
    convex_draw_bytes(transaction->host, system ? "convex.system-id" : "convex.document-id", internal);
    int64_t day = transaction->wall_clock / TIME_DAY;
    internal[14] = (unsigned char)(day >> 8);
    internal[15] = (unsigned char)day;
}

/* The next larger double of a positive one. */
static double next_up(double number) {
    uint64_t bits;
    assert(number > 0);
    memcpy(&bits, &number, sizeof bits);
    bits++;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static enum status refuse_system_fields(const struct convex_value *document, struct error *error) {
    if (document->kind != CONVEX_OBJECT) {
        return error_set(error, STATUS_INVALID, "InvalidDocumentError: a document must be an object");
    }
    if (convex_object_get(document, "_id") != NULL || convex_object_get(document, "_creationTime") != NULL) {
        return error_set(error, STATUS_INVALID,
                         "InvalidDocumentError: _id and _creationTime are set by the system");
    }
    return STATUS_OK;
}

static bool knows_table(const void *context, const char *name, uint32_t number) {
    const struct convex_transaction *transaction = context;
    char *full = convex_component_name(transaction->component, name);
    const struct convex_store_table *table = convex_transaction_find_table(transaction, full);
    free(full);
    return table != NULL && table->number == number;
}

struct convex_validator_tables convex_transaction_tables(const struct convex_transaction *transaction) {
    return (struct convex_validator_tables){.knows = knows_table, .context = transaction};
}

/* What may be stored in this table. */
static enum status check_document(const struct convex_transaction *transaction,
                                  const struct convex_store_table *table, const struct convex_value *document,
                                  struct error *error) {
    const struct convex_validator_tables tables = convex_transaction_tables(transaction);
    if (table->system) {
        return STATUS_OK;
    }
    enum status status = convex_document_check(document, error);
    return status == STATUS_OK ? convex_schema_check(table->document, table->name, document, &tables, error)
                               : status;
}

enum status convex_transaction_insert(struct convex_transaction *transaction,
                                      struct convex_store_table *table, struct convex_value *document,
                                      char text[CONVEX_ID_TEXT_MAX], struct error *error) {
    struct convex_id id = {.table = table->number};
    enum status status = refuse_system_fields(document, error);
    if (status == STATUS_OK) {
        make_internal_id(transaction, table->system, id.internal);
        convex_id_encode(&id, text);
        convex_object_set(document, "_id", convex_string(text));
        convex_object_set(document, "_creationTime", convex_float64(transaction->next_creation_time));
        transaction->next_creation_time = next_up(transaction->next_creation_time);
        status = check_document(transaction, table, document, error);
    }
    if (status != STATUS_OK) {
        convex_free(document);
        return status;
    }
    /* The backend also records that the new id is unused. It is random, so nobody can ever conflict with
     * that. */
    return stage(transaction, table, id.internal, document, error);
}

/* The document that a write is for: read, as the backend does. STATUS_NOT_FOUND when there is none. */
static enum status read_target(struct convex_transaction *transaction, struct convex_store_table *table,
                               const char *text, struct convex_id *id, const struct convex_value **document,
                               struct error *error) {
    enum status status = convex_transaction_get(transaction, table, text, document, error);
    if (status == STATUS_OK && *document == NULL) {
        return error_set(error, STATUS_NOT_FOUND, "there is no document %.40s in the table \"%s\"", text,
                         table->name);
    }
    if (status == STATUS_OK) {
        status = convex_id_decode(text, id);
        assert(status == STATUS_OK);
    }
    return status;
}

/* Stage `after` (taken) unless it equals what is there: the backend drops such a write. */
static enum status stage_change(struct convex_transaction *transaction, struct convex_store_table *table,
                                const unsigned char internal[16], const struct convex_value *before,
                                struct convex_value *after, struct error *error) {
    enum status status = check_document(transaction, table, after, error);
    if (status != STATUS_OK || convex_compare(before, after) == 0) {
        convex_free(after);
        return status;
    }
    return stage(transaction, table, internal, after, error);
}

enum status convex_transaction_patch(struct convex_transaction *transaction, struct convex_store_table *table,
                                     const char *text, const struct convex_value *patch,
                                     struct error *error) {
    struct convex_id id;
    const struct convex_value *before;
    enum status status = refuse_system_fields(patch, error);
    if (status == STATUS_OK) {
        status = read_target(transaction, table, text, &id, &before, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    assert(before != NULL && before->kind == CONVEX_OBJECT);
    struct convex_value *after = convex_copy(before);
    for (size_t i = 0; i < patch->as.object.count; i++) {
        const struct convex_field *field = &patch->as.object.fields[i];
        if (field->value->kind == CONVEX_UNDEFINED) {
            convex_object_remove(after, field->name);
        } else {
            convex_object_set(after, field->name, convex_copy(field->value));
        }
    }
    return stage_change(transaction, table, id.internal, before, after, error);
}

enum status convex_transaction_replace(struct convex_transaction *transaction,
                                       struct convex_store_table *table, const char *text,
                                       struct convex_value *document, struct error *error) {
    struct convex_id id;
    const struct convex_value *before;
    enum status status = refuse_system_fields(document, error);
    if (status == STATUS_OK) {
        status = read_target(transaction, table, text, &id, &before, error);
    }
    if (status != STATUS_OK) {
        convex_free(document);
        return status;
    }
    convex_object_set(document, "_id", convex_copy(convex_object_get(before, "_id")));
    convex_object_set(document, "_creationTime", convex_copy(convex_object_get(before, "_creationTime")));
    return stage_change(transaction, table, id.internal, before, document, error);
}

enum status convex_transaction_delete(struct convex_transaction *transaction,
                                      struct convex_store_table *table, const char *text,
                                      struct error *error) {
    struct convex_id id;
    const struct convex_value *before;
    enum status status = read_target(transaction, table, text, &id, &before, error);
    return status == STATUS_OK ? stage(transaction, table, id.internal, NULL, error) : status;
}

enum status convex_transaction_commit(struct convex_transaction *transaction, int64_t wall_clock, int64_t *ts,
                                      struct error *error) {
    assert(transaction->store != NULL && ts != NULL);
    size_t count = transaction->pending.count;
    *ts = transaction->begin;
    if (count == 0) {
        return STATUS_OK;
    }
    enum status status = convex_transaction_validate(transaction, error);
    if (status != STATUS_OK) {
        return status;
    }
    convex_transaction_adopt_made(transaction, wall_clock);
    struct convex_store_write *writes = memory_allocate_array(count, sizeof *writes);
    size_t at = 0;
    for (const struct convex_ordered_node *node = convex_ordered_first(&transaction->pending); node != NULL;
         node = convex_ordered_next(node)) {
        struct convex_pending *pending = node->item;
        writes[at].table = pending->table;
        memcpy(writes[at].internal, pending->internal, 16);
        writes[at++].value = pending->value;
        pending->value = NULL; /* the store owns it now */
    }
    assert(at == count);
    *ts = convex_store_commit(transaction->store, writes, count, wall_clock);
    free(writes);
    return STATUS_OK;
}
