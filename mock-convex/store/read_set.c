/* The read set of a transaction and its validation; see transaction.h. */
#include <assert.h>
#include <string.h>

#include "mock-convex/store/transaction_internal.h"

static const unsigned char *keep(struct convex_transaction *transaction, const void *bytes, size_t length) {
    return (const unsigned char *)arena_copy_bytes(&transaction->arena, bytes, length);
}

static bool same_interval(const struct convex_interval *a, const struct convex_interval *b) {
    return a->index == b->index && a->low_length == b->low_length && a->high_length == b->high_length &&
           (a->high == NULL) == (b->high == NULL) && memcmp(a->low, b->low, a->low_length) == 0 &&
           (a->high == NULL || memcmp(a->high, b->high, a->high_length) == 0);
}

enum status convex_read_set_add(struct convex_transaction *transaction,
                                const struct convex_store_index *index, const struct buffer *low,
                                const struct buffer *high, struct error *error) {
    struct convex_interval interval = {.index = index,
                                       .low = (const unsigned char *)buffer_text(low),
                                       .low_length = low->length,
                                       .high = high != NULL ? (const unsigned char *)buffer_text(high) : NULL,
                                       .high_length = high != NULL ? high->length : 0};
    size_t count = transaction->n_intervals;
    if (count > 0 && same_interval(&transaction->intervals[count - 1], &interval)) {
        return STATUS_OK; /* the usual repetition: look up, then patch */
    }
    if (count >= CONVEX_INTERVALS_MAX) {
        return error_set(error, STATUS_LIMIT, "TooManyReads: more than %d index ranges in one transaction",
                         CONVEX_INTERVALS_MAX);
    }
    interval.low = keep(transaction, interval.low, interval.low_length);
    interval.high = high != NULL ? keep(transaction, interval.high, interval.high_length) : NULL;
    MEMORY_RESERVE(transaction->intervals, transaction->intervals_capacity, count + 1);
    transaction->intervals[count] = interval;
    transaction->n_intervals = count + 1;
    return STATUS_OK;
}

enum status convex_read_set_add_point(struct convex_transaction *transaction,
                                      const struct convex_store_index *index, const void *key, size_t length,
                                      struct error *error) {
    struct buffer low = {0}, high = {0};
    buffer_append(&low, key, length);
    buffer_append(&high, key, length);
    buffer_append_char(&high, 0); /* the next larger key; no key is a prefix of another */
    enum status status = convex_read_set_add(transaction, index, &low, &high, error);
    buffer_free(&low);
    buffer_free(&high);
    return status;
}

void convex_read_set_add_document(struct convex_transaction *transaction,
                                  const struct convex_store_table *table, const unsigned char internal[16],
                                  const struct convex_revision *revision) {
    size_t count = transaction->n_reads;
    const struct convex_read *last = count > 0 ? &transaction->reads[count - 1] : NULL;
    if (last != NULL && last->table == table && memcmp(last->internal, internal, 16) == 0) {
        return; /* looked up, then patched */
    }
    MEMORY_RESERVE(transaction->reads, transaction->reads_capacity, count + 1);
    struct convex_read *read = &transaction->reads[transaction->n_reads++];
    read->table = table;
    memcpy(read->internal, internal, 16);
    read->ts = revision != NULL ? revision->ts : 0;
}

static bool contains(const struct convex_interval *interval, const struct buffer *key) {
    return convex_key_compare(key->data, key->length, interval->low, interval->low_length) >= 0 &&
           (interval->high == NULL ||
            convex_key_compare(key->data, key->length, interval->high, interval->high_length) < 0);
}

/* Does the read set hold this state's key in this index? */
static bool was_read(const struct convex_transaction *transaction, const struct convex_store_index *index,
                     const struct convex_revision *revision, const struct convex_value *value) {
    struct buffer key = {0};
    bool found = false;
    for (size_t i = 0; value != NULL && !found && i < transaction->n_intervals; i++) {
        const struct convex_interval *interval = &transaction->intervals[i];
        if (interval->index != index) {
            continue;
        }
        if (key.length == 0) {
            convex_store_index_key(index, value, revision->document->internal, &key);
        }
        found = contains(interval, &key);
    }
    buffer_free(&key);
    return found;
}

/* Both the old and the new index keys count: leaving a range disturbs its reader as much as entering it. */
static bool touches(const struct convex_transaction *transaction, const struct convex_revision *revision) {
    const struct convex_store_table *table = revision->document->table;
    const struct convex_value *before = revision->previous != NULL ? revision->previous->value : NULL;
    for (size_t i = 0; i < table->n_indexes; i++) {
        if (was_read(transaction, &table->indexes[i], revision, before) ||
            was_read(transaction, &table->indexes[i], revision, revision->value)) {
            return true;
        }
    }
    return false;
}

/* The deliberate bugs in here: changes that validation does not look at. */
static bool is_overlooked(const struct convex_transaction *transaction,
                          const struct convex_revision *revision) {
    bool appears = revision->previous == NULL || revision->previous->value == NULL;
    return host_mutant(transaction->host, appears ? "phantom" : "lost-update");
}

/* A table that was dropped or replaced meanwhile would swallow the writes. A hidden one never ends. */
static bool tables_live(const struct convex_transaction *transaction) {
    for (size_t i = 0; i < transaction->n_intervals; i++) {
        if (transaction->intervals[i].index->table->until != CONVEX_LIVE) {
            return false;
        }
    }
    const struct convex_ordered_node *node = convex_ordered_first(&transaction->pending);
    for (; node != NULL; node = convex_ordered_next(node)) {
        const struct convex_pending *pending = node->item;
        if (pending->table->until != CONVEX_LIVE) {
            return false;
        }
    }
    return true;
}

enum status convex_transaction_validate(const struct convex_transaction *transaction, struct error *error) {
    const struct convex_store *store = transaction->store;
    assert(transaction->begin <= store->latest);
    if (!tables_live(transaction)) {
        return error_set(error, STATUS_CONFLICT,
                         "a table was dropped or replaced while this mutation was running");
    }
    enum status status = convex_transaction_check_tables(transaction, error);
    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = convex_store_log_after(store, transaction->begin); i < store->log_count; i++) {
        const struct convex_revision *revision = store->log[i];
        if (touches(transaction, revision) && !is_overlooked(transaction, revision)) {
            char id[CONVEX_ID_TEXT_MAX];
            struct convex_id binary = {.table = revision->document->table->number};
            memcpy(binary.internal, revision->document->internal, 16);
            convex_id_encode(&binary, id);
            return error_set(
                error, STATUS_CONFLICT,
                "documents read from the table \"%s\" changed while this mutation was running (document %s)",
                revision->document->table->name, id);
        }
    }
    return STATUS_OK;
}
