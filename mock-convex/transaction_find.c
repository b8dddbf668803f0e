/* Index ranges as a transaction sees them; see convex_transaction_find in transaction.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mock-convex/index_key.h"
#include "mock-convex/transaction_internal.h"

/* A walk over one index with the transaction's own entries merged in. */
struct walk {
    struct convex_transaction *transaction;
    const struct convex_store_index *index;
    const struct buffer *prefix;
    const struct convex_ordered_node *base;
    const struct convex_ordered_node *own;
};

static bool in_prefix(const struct convex_ordered_node *node, const struct buffer *prefix) {
    return node->key_length >= prefix->length &&
           (prefix->length == 0 || memcmp(convex_ordered_key(node), prefix->data, prefix->length) == 0);
}

static void walk_start(struct walk *walk) {
    const struct convex_transaction *transaction = walk->transaction;
    walk->base = convex_ordered_seek(&walk->index->entries, buffer_text(walk->prefix), walk->prefix->length);
    walk->own = NULL;
    for (size_t i = 0; i < transaction->n_overlays; i++) {
        if (transaction->overlays[i].index == walk->index) {
            walk->own = convex_ordered_seek(&transaction->overlays[i].entries, buffer_text(walk->prefix),
                                            walk->prefix->length);
        }
    }
}

/* Skip entries of other times, and those of documents that this transaction has written. */
static void walk_settle(struct walk *walk) {
    int64_t begin = walk->transaction->begin;
    for (; walk->base != NULL && in_prefix(walk->base, walk->prefix);
         walk->base = convex_ordered_next(walk->base)) {
        const struct convex_document *document = walk->base->item;
        if (walk->base->from <= begin && begin < walk->base->until &&
            convex_transaction_pending(walk->transaction, document->table, document->internal) == NULL) {
            break;
        }
    }
    if (walk->base != NULL && !in_prefix(walk->base, walk->prefix)) {
        walk->base = NULL;
    }
    if (walk->own != NULL && !in_prefix(walk->own, walk->prefix)) {
        walk->own = NULL;
    }
}

/* The next document and its key; NULL at the end. */
static const struct convex_value *walk_next(struct walk *walk, const unsigned char **key, size_t *length) {
    walk_settle(walk);
    const struct convex_ordered_node *base = walk->base, *own = walk->own;
    if (base == NULL && own == NULL) {
        return NULL;
    }
    size_t base_length = base != NULL ? base->key_length - CONVEX_ENTRY_SUFFIX : 0;
    bool take_own =
        base == NULL || (own != NULL && convex_key_compare(convex_ordered_key(own), own->key_length,
                                                           convex_ordered_key(base), base_length) < 0);
    *key = convex_ordered_key(take_own ? own : base);
    *length = take_own ? own->key_length : base_length;
    if (take_own) {
        const struct convex_pending *pending = own->item;
        walk->own = convex_ordered_next(own);
        return pending->value;
    }
    walk->base = convex_ordered_next(base);
    const struct convex_document *document = base->item;
    const struct convex_revision *revision = convex_store_revision_at(document, walk->transaction->begin);
    assert(revision != NULL && revision->value != NULL); /* else its index entry would have ended */
    convex_read_set_add_document(walk->transaction, document->table, document->internal, revision);
    return revision->value;
}

/* The bytes that all entries begin with whose first fields equal `keys`. False: no document can match. */
static bool make_prefix(const struct convex_store_index *index, const struct convex_value *const *keys,
                        size_t n_keys, struct buffer *prefix) {
    if (index->kind == CONVEX_BY_ID && n_keys > 0) {
        struct convex_id id;
        if (keys[0]->kind != CONVEX_STRING ||
            !convex_transaction_decode_id(index->table, keys[0]->as.bytes.data, &id)) {
            return false;
        }
        buffer_append(prefix, id.internal, 16);
        return true;
    }
    for (size_t i = 0; i < n_keys; i++) {
        convex_index_key_append(prefix, keys[i]);
    }
    return true;
}

/* What was scanned: from the prefix to its end, or only up to the last document when the limit cut it short.
 */
static enum status record_scan(struct convex_transaction *transaction, const struct convex_store_index *index,
                               const struct buffer *prefix, const unsigned char *last, size_t last_length,
                               struct error *error) {
    struct buffer high = {0};
    bool bounded = true;
    if (last != NULL) {
        buffer_append(&high, last, last_length);
        buffer_append_char(&high, 0);
    } else {
        buffer_append(&high, buffer_text(prefix), prefix->length);
        bounded = convex_index_key_after_prefix(&high);
    }
    enum status status = convex_read_set_add(transaction, index, prefix, bounded ? &high : NULL, error);
    buffer_free(&high);
    return status;
}

enum status convex_transaction_find(struct convex_transaction *transaction, struct convex_store_index *index,
                                    const struct convex_value *const *keys, size_t n_keys, size_t limit,
                                    const struct convex_value ***documents, size_t *count,
                                    struct error *error) {
    size_t fields = index->kind == CONVEX_BY_FIELDS ? index->declared->n_fields : 1;
    struct buffer prefix = {0};
    size_t capacity = 0;
    *documents = NULL;
    *count = 0;
    if (n_keys > fields) {
        return error_set(error, STATUS_INVALID, "the index has %zu fields, %zu keys were given", fields,
                         n_keys);
    }
    if (limit == 0 || !make_prefix(index, keys, n_keys, &prefix)) {
        buffer_free(&prefix);
        return STATUS_OK;
    }
    struct walk walk = {.transaction = transaction, .index = index, .prefix = &prefix};
    const struct convex_value *document = NULL;
    const unsigned char *key = NULL;
    size_t length = 0;
    enum status status = STATUS_OK;
    walk_start(&walk);
    while (status == STATUS_OK && *count < limit && (document = walk_next(&walk, &key, &length)) != NULL) {
        MEMORY_RESERVE(*documents, capacity, *count + 1);
        (*documents)[(*count)++] = document;
        status = convex_transaction_count_read(transaction, document, error);
    }
    if (status == STATUS_OK) {
        bool cut = *count == limit;
        status = record_scan(transaction, index, &prefix, cut ? key : NULL, length, error);
    }
    if (status != STATUS_OK) {
        free(*documents);
        *documents = NULL;
        *count = 0;
    }
    buffer_free(&prefix);
    return status;
}
