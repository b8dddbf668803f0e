/* What transaction.c (points and writes), transaction_find.c (index ranges) and read_set.c (intervals,
 * validation) share. */
#ifndef MOCK_CONVEX_TRANSACTION_INTERNAL_H
#define MOCK_CONVEX_TRANSACTION_INTERNAL_H

#include "mock-convex/store/transaction.h"

/* The state that a document will have if the transaction commits. */
struct convex_pending {
    struct convex_store_table *table;
    unsigned char internal[16];
    struct convex_value *value; /* owned; NULL: deleted */
};

/* Index entries of pending documents: key without suffix -> struct convex_pending. */
struct convex_overlay {
    struct convex_store_index *index;
    struct convex_ordered entries;
};

/* Record that low <= key < high was read; `high` NULL: to the end. STATUS_LIMIT when there are too many
 * intervals. */
enum status convex_read_set_add(struct convex_transaction *transaction,
                                const struct convex_store_index *index, const struct buffer *low,
                                const struct buffer *high, struct error *error);
/* Record that one key was read. */
enum status convex_read_set_add_point(struct convex_transaction *transaction,
                                      const struct convex_store_index *index, const void *key, size_t length,
                                      struct error *error);

/* Remember that this document was looked at; `revision` NULL: there is none. */
void convex_read_set_add_document(struct convex_transaction *transaction,
                                  const struct convex_store_table *table, const unsigned char internal[16],
                                  const struct convex_revision *revision);

/* The own write to this document; NULL: none. */
struct convex_pending *convex_transaction_pending(const struct convex_transaction *transaction,
                                                  const struct convex_store_table *table,
                                                  const unsigned char internal[16]);
/* Count a document as read. STATUS_LIMIT: one too many. */
enum status convex_transaction_count_read(struct convex_transaction *transaction,
                                          const struct convex_value *document, struct error *error);
/* By full name; NULL: none. Not recorded. */
struct convex_store_table *convex_transaction_find_table(const struct convex_transaction *transaction,
                                                         const char *full_name);
/* Free the tables that were not adopted. */
void convex_transaction_drop_made(struct convex_transaction *transaction);
/* STATUS_CONFLICT: the tables of the store are no longer those that the transaction saw. */
enum status convex_transaction_check_tables(const struct convex_transaction *transaction,
                                            struct error *error);
/* The store takes the tables over, as of the next commit. */
void convex_transaction_adopt_made(struct convex_transaction *transaction, int64_t wall_clock);

/* Decode an id of this table. False: it is none. */
bool convex_transaction_decode_id(const struct convex_store_table *table, const char *text,
                                  struct convex_id *id);

#endif
