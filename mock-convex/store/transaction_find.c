/* Index ranges as a transaction sees them; see convex_transaction_find_range in transaction.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mock-convex/store/index_key.h"
#include "mock-convex/store/transaction_internal.h"

/* The keys of a range: low <= key < high. */
struct span {
    struct buffer low, high;
    bool bounded; /* else there is no `high` */
    bool empty;
    bool descending;
};

static void span_free(struct span *span) {
    buffer_free(&span->low);
    buffer_free(&span->high);
}

/* A walk over one index with the transaction's own entries merged in. */
struct walk {
    struct convex_transaction *transaction;
    const struct convex_store_index *index;
    const struct span *span;
    const struct convex_ordered *own_entries; /* NULL: none */
    const struct convex_ordered_node *base;
    const struct convex_ordered_node *own;
};

static bool in_span(const struct convex_ordered_node *node, const struct span *span) {
    const struct buffer *edge = span->descending ? &span->low : &span->high;
    int order =
        convex_key_compare(convex_ordered_key(node), node->key_length, buffer_text(edge), edge->length);
    return span->descending ? order >= 0 : !span->bounded || order < 0;
}

static const struct convex_ordered_node *first_in(const struct convex_ordered *entries,
                                                  const struct span *span) {
    if (span->descending) {
        return convex_ordered_before(entries, span->bounded ? buffer_text(&span->high) : NULL,
                                     span->high.length);
    }
    return convex_ordered_seek(entries, buffer_text(&span->low), span->low.length);
}

static const struct convex_ordered_node *next_in(const struct convex_ordered *entries,
                                                 const struct convex_ordered_node *node,
                                                 const struct span *span) {
    return span->descending ? convex_ordered_before(entries, convex_ordered_key(node), node->key_length)
                            : convex_ordered_next(node);
}

static void walk_start(struct walk *walk) {
    const struct convex_transaction *transaction = walk->transaction;
    walk->base = first_in(&walk->index->entries, walk->span);
    for (size_t i = 0; i < transaction->n_overlays; i++) {
        if (transaction->overlays[i].index == walk->index) {
            walk->own_entries = &transaction->overlays[i].entries;
            walk->own = first_in(walk->own_entries, walk->span);
        }
    }
}

/* Skip entries of other times, and those of documents that this transaction has written. */
static void walk_settle(struct walk *walk) {
    int64_t begin = walk->transaction->begin;
    for (; walk->base != NULL && in_span(walk->base, walk->span);
         walk->base = next_in(&walk->index->entries, walk->base, walk->span)) {
        const struct convex_document *document = walk->base->item;
        if (walk->base->from <= begin && begin < walk->base->until &&
            convex_transaction_pending(walk->transaction, document->table, document->internal) == NULL) {
            break;
        }
    }
    if (walk->base != NULL && !in_span(walk->base, walk->span)) {
        walk->base = NULL;
    }
    if (walk->own != NULL && !in_span(walk->own, walk->span)) {
        walk->own = NULL;
    }
}

/* Does the own entry come before the base's? */
static bool own_is_next(const struct walk *walk, size_t base_length) {
    if (walk->base == NULL || walk->own == NULL) {
        return walk->base == NULL;
    }
    int order = convex_key_compare(convex_ordered_key(walk->own), walk->own->key_length,
                                   convex_ordered_key(walk->base), base_length);
    return walk->span->descending ? order > 0 : order < 0;
}

/* The next document and its key; NULL at the end. */
static const struct convex_value *walk_next(struct walk *walk, const unsigned char **key, size_t *length) {
    walk_settle(walk);
    const struct convex_ordered_node *base = walk->base, *own = walk->own;
    if (base == NULL && own == NULL) {
        return NULL;
    }
    size_t base_length = base != NULL ? base->key_length - CONVEX_ENTRY_SUFFIX : 0;
    bool take_own = own_is_next(walk, base_length);
    *key = convex_ordered_key(take_own ? own : base);
    *length = take_own ? own->key_length : base_length;
    if (take_own) {
        const struct convex_pending *pending = own->item;
        walk->own = next_in(walk->own_entries, own, walk->span);
        return pending->value;
    }
    walk->base = next_in(&walk->index->entries, base, walk->span);
    const struct convex_document *document = base->item;
    const struct convex_revision *revision = convex_store_revision_at(document, walk->transaction->begin);
    assert(revision != NULL && revision->value != NULL); /* else its index entry would have ended */
    convex_read_set_add_document(walk->transaction, document->table, document->internal, revision);
    return revision->value;
}

/* --- what a range asks for --- */

/* One field's value as a key. False: no document has it (an id of another table, or none). */
static bool append_key(const struct convex_store_index *index, const struct convex_value *value,
                       struct buffer *key) {
    struct convex_id id;
    if (index->kind != CONVEX_BY_ID) {
        convex_index_key_append(key, value);
        return true;
    }
    if (value->kind != CONVEX_STRING ||
        !convex_transaction_decode_id(index->table, value->as.bytes.data, &id)) {
        return false;
    }
    buffer_append(key, id.internal, 16);
    return true;
}

/* False: the bound is an id that the table cannot have. */
static bool apply_bounds(const struct convex_store_index *index, const struct convex_range *range,
                         struct span *span) {
    buffer_append(&span->high, buffer_text(&span->low), span->low.length);
    bool good = (range->lower == NULL || append_key(index, range->lower, &span->low)) &&
                (range->upper == NULL || append_key(index, range->upper, &span->high));
    if (good && range->lower != NULL && range->above_lower) {
        span->empty = !convex_index_key_after_prefix(&span->low);
    }
    span->bounded =
        good && ((range->upper != NULL && range->below_upper) || convex_index_key_after_prefix(&span->high));
    span->empty = span->empty ||
                  (span->bounded && convex_key_compare(buffer_text(&span->low), span->low.length,
                                                       buffer_text(&span->high), span->high.length) >= 0);
    return good;
}

static enum status make_span(const struct convex_store_index *index, const struct convex_range *range,
                             struct span *span, struct error *error) {
    /* Every index ends with _creationTime, so that may be asked for as well. */
    size_t fields = index->kind == CONVEX_BY_FIELDS ? index->declared->n_fields + 1 : 1;
    size_t asked = range->n_keys + (range->lower != NULL || range->upper != NULL);
    if (asked > fields) {
        return error_set(error, STATUS_INVALID,
                         "the index has %zu fields (with _creationTime), %zu are asked for", fields, asked);
    }
    span->descending = range->descending;
    span->empty = range->limit == 0;
    for (size_t i = 0; i < range->n_keys; i++) {
        span->empty = !append_key(index, range->keys[i], &span->low) || span->empty;
    }
    return span->empty || apply_bounds(index, range, span)
               ? STATUS_OK
               : error_set(error, STATUS_INVALID, "a bound of _id must be an id of the table \"%s\"",
                           index->table->name);
}

/* What was scanned: the range to its end, or only up to the last document when the limit cut it short. */
static enum status record_scan(struct convex_transaction *transaction, const struct convex_store_index *index,
                               const struct span *span, const unsigned char *last, size_t last_length,
                               struct error *error) {
    const struct buffer *high = span->bounded ? &span->high : NULL;
    struct buffer edge = {0};
    if (last == NULL) {
        return convex_read_set_add(transaction, index, &span->low, high, error);
    }
    buffer_append(&edge, last, last_length);
    if (!span->descending) {
        buffer_append_char(&edge, 0); /* the last document itself was read */
    }
    enum status status = span->descending ? convex_read_set_add(transaction, index, &edge, high, error)
                                          : convex_read_set_add(transaction, index, &span->low, &edge, error);
    buffer_free(&edge);
    return status;
}

static enum status scan(struct convex_transaction *transaction, const struct convex_store_index *index,
                        const struct span *span, const struct convex_range *range,
                        const struct convex_value ***documents, size_t *count, struct error *error) {
    struct walk walk = {.transaction = transaction, .index = index, .span = span};
    const struct convex_value *document = NULL;
    const unsigned char *key = NULL;
    size_t capacity = 0, length = 0;
    enum status status = STATUS_OK;
    walk_start(&walk);
    while (status == STATUS_OK && *count < range->limit &&
           (document = walk_next(&walk, &key, &length)) != NULL) {
        bool passes = true;
        status = convex_transaction_count_read(transaction, document, error);
        if (status == STATUS_OK && range->filter != NULL) {
            status = range->filter(range->filter_context, document, &passes, error);
        }
        if (status == STATUS_OK && passes) {
            MEMORY_RESERVE(*documents, capacity, *count + 1);
            (*documents)[(*count)++] = document;
        }
    }
    return status == STATUS_OK
               ? record_scan(transaction, index, span, *count == range->limit ? key : NULL, length, error)
               : status;
}

enum status convex_transaction_find_range(struct convex_transaction *transaction,
                                          struct convex_store_index *index, const struct convex_range *range,
                                          const struct convex_value ***documents, size_t *count,
                                          struct error *error) {
    struct span span = {0};
    *documents = NULL;
    *count = 0;
    enum status status = make_span(index, range, &span, error);
    if (status == STATUS_OK && !span.empty) {
        status = scan(transaction, index, &span, range, documents, count, error);
    }
    if (status != STATUS_OK) {
        free(*documents);
        *documents = NULL;
        *count = 0;
    }
    span_free(&span);
    return status;
}

enum status convex_transaction_find(struct convex_transaction *transaction, struct convex_store_index *index,
                                    const struct convex_value *const *keys, size_t n_keys, size_t limit,
                                    const struct convex_value ***documents, size_t *count,
                                    struct error *error) {
    const struct convex_range range = {.keys = keys, .n_keys = n_keys, .limit = limit};
    return convex_transaction_find_range(transaction, index, &range, documents, count, error);
}
