/* Transactions over the store: reads from the snapshot at `begin` with the transaction's own writes on top, a
 * record of everything that was read, and a commit that fails when another commit since `begin` touched any
 * of it (optimistic concurrency control, serializable: empty ranges count as read, so phantoms conflict too).
 *
 * A transaction belongs to its maker and must be ended before its store is freed. STATUS_INVALID and
 * STATUS_NOT_FOUND are the function author's errors; STATUS_LIMIT is one of the backend's limits;
 * STATUS_CONFLICT comes from commit only. Messages begin with the backend's code where there is one. */
#ifndef MOCK_CONVEX_TRANSACTION_H
#define MOCK_CONVEX_TRANSACTION_H

#include "base/memory.h"
#include "kernel/host.h"
#include "mock-convex/store/store.h"
#include "mock-convex/validator.h"

/* The backend's limits of one transaction. */
#define CONVEX_DOCUMENTS_READ_MAX 32000
#define CONVEX_DOCUMENTS_WRITTEN_MAX 16000 /* every call counts, also repeated ones to one document */
#define CONVEX_BYTES_READ_MAX ((size_t)16 << 20)
#define CONVEX_BYTES_WRITTEN_MAX ((size_t)16 << 20)
#define CONVEX_INTERVALS_MAX 4096

/* Something that was read: all keys of an index with low <= key < high. */
struct convex_interval {
    const struct convex_store_index *index;
    const unsigned char *low;
    size_t low_length;
    const unsigned char *high; /* NULL: to the end */
    size_t high_length;
};

/* A document that the transaction looked at in its snapshot (its own writes are none of that). */
struct convex_read {
    const struct convex_store_table *table;
    unsigned char internal[16];
    int64_t ts; /* of the revision it saw; 0: there was none */
};

struct convex_overlay;

struct convex_transaction {
    struct convex_store *store;
    const char *component;     /* whose function runs; borrowed, NULL or "": the root's */
    struct host *host;         /* for random ids */
    int64_t begin;             /* snapshot timestamp, ns */
    int64_t wall_clock;        /* at the start, ns */
    double next_creation_time; /* ms; each insert takes the next larger double */
    struct arena arena;        /* interval keys */
    struct convex_interval *intervals;
    size_t n_intervals;
    size_t intervals_capacity;
    struct convex_read *reads; /* in the order of reading; a document may be there more than once */
    size_t n_reads;
    size_t reads_capacity;
    struct convex_ordered pending;   /* own writes by (tablet, internal id): struct convex_pending */
    struct convex_overlay *overlays; /* index entries of own writes, for the tables written to */
    size_t n_overlays;
    struct convex_store_table **made; /* tables that come into being with its commit (schemaless) */
    size_t n_made;
    const char **absent; /* names of tables that it looked for in vain */
    size_t n_absent;
    size_t documents_read, documents_written, bytes_read, bytes_written;
};

/* `wall_clock` in ns. The snapshot is the newest published commit. */
void convex_transaction_begin(struct convex_transaction *transaction, struct convex_store *store,
                              struct host *host, int64_t wall_clock);
void convex_transaction_end(struct convex_transaction *transaction); /* also without commit */

/* The table that the component calls by this name, its own ones included; NULL: there is none, which counts
 * as read. */
struct convex_store_table *convex_transaction_table(struct convex_transaction *transaction, const char *name);
/* A table that will be there when the transaction commits. The name must be new. STATUS_INVALID: it cannot be
 * a table's; STATUS_LIMIT: there are too many. */
enum status convex_transaction_make_table(struct convex_transaction *transaction, const char *name,
                                          struct convex_store_table **table, struct error *error);

/* What convex_validate asks about ids, in the running function's component. Borrows the transaction. */
struct convex_validator_tables convex_transaction_tables(const struct convex_transaction *transaction);

/* `*document` is borrowed until the next write; NULL: no such document (also when `id` is no id of this
 * table). */
enum status convex_transaction_get(struct convex_transaction *transaction, struct convex_store_table *table,
                                   const char *id, const struct convex_value **document, struct error *error);
/* See convex_find_range in function.h; `range->index` is not looked at. */
enum status convex_transaction_find_range(struct convex_transaction *transaction,
                                          struct convex_store_index *index, const struct convex_range *range,
                                          const struct convex_value ***documents, size_t *count,
                                          struct error *error);
/* The case without bounds, ascending. */
enum status convex_transaction_find(struct convex_transaction *transaction, struct convex_store_index *index,
                                    const struct convex_value *const *keys, size_t n_keys, size_t limit,
                                    const struct convex_value ***documents, size_t *count,
                                    struct error *error);
/* Takes `document` in every case. */
enum status convex_transaction_insert(struct convex_transaction *transaction,
                                      struct convex_store_table *table, struct convex_value *document,
                                      char id[CONVEX_ID_TEXT_MAX], struct error *error);
/* Fields of kind CONVEX_UNDEFINED in `patch` are removed. Not taken. Writes nothing when nothing changes. */
enum status convex_transaction_patch(struct convex_transaction *transaction, struct convex_store_table *table,
                                     const char *id, const struct convex_value *patch, struct error *error);
/* Takes `document` in every case. Writes nothing when nothing changes. */
enum status convex_transaction_replace(struct convex_transaction *transaction,
                                       struct convex_store_table *table, const char *id,
                                       struct convex_value *document, struct error *error);
enum status convex_transaction_delete(struct convex_transaction *transaction,
                                      struct convex_store_table *table, const char *id, struct error *error);

/* Has any commit after `begin` touched what was read? STATUS_CONFLICT then; the message names table and
 * document. */
enum status convex_transaction_validate(const struct convex_transaction *transaction, struct error *error);
/* Validate and publish. `*ts`: the commit timestamp, or `begin` when nothing was written (then nothing is
 * validated). */
enum status convex_transaction_commit(struct convex_transaction *transaction, int64_t wall_clock, int64_t *ts,
                                      struct error *error);

/* 16 random bytes, for ids. */
void convex_draw_bytes(struct host *host, const char *choice, unsigned char bytes[16]);

#endif
