/* The store of a deployment: tables, documents with all their revisions, indexes that remember when each
 * entry was valid, and the log of commits. Everything that was ever committed can be read as of any timestamp
 * since.
 *
 * The store owns documents and values. Nothing here knows about transactions in progress (transaction.h) and
 * nothing can fail: what may be written has been checked before. */
#ifndef MOCK_CONVEX_STORE_H
#define MOCK_CONVEX_STORE_H

#include "base/map.h"
#include "mock-convex/function.h"
#include "mock-convex/store/ordered_list.h"
#include "mock-convex/value/document_id.h"

#define CONVEX_FIRST_TABLE_NUMBER 10001
#define CONVEX_TABLES_MAX 10000
#define CONVEX_SYSTEM_TABLES_MAX 3
#define CONVEX_LIVE INT64_MAX /* `until` of an entry that is valid now */

struct convex_store_table;

enum convex_index_kind { CONVEX_BY_ID, CONVEX_BY_CREATION_TIME, CONVEX_BY_FIELDS };

struct convex_store_index {
    enum convex_index_kind kind;
    const struct convex_index *declared; /* CONVEX_BY_FIELDS, else NULL; borrowed */
    struct convex_store_table *table;
    /* Key: index key of the fields, creation time, internal id (by_id: the internal id alone), then 8 bytes
     * that sort younger entries of the same key first. Item: struct convex_document. */
    struct convex_ordered entries;
};
#define CONVEX_ENTRY_SUFFIX 8

struct convex_document {
    struct convex_store_table *table;
    unsigned char internal[16];
    struct convex_revision *newest; /* the chain goes back in time */
};

struct convex_revision {
    int64_t ts;
    struct convex_document *document;
    struct convex_value *value; /* with _id and _creationTime; NULL: deleted */
    struct convex_revision *previous;
};

struct convex_store_table {
    char *name;
    char *component;          /* path; "": the root */
    char *full_name;          /* see component.h; the same memory as `name` in the root */
    uint32_t number;          /* counts in each component from CONVEX_FIRST_TABLE_NUMBER */
    bool system;              /* the deployment's own: in the log, but nobody is ever shown its rows */
    int64_t from;             /* ns; it exists for readers at from <= ts < until. CONVEX_LIVE: still hidden */
    int64_t until;            /* CONVEX_LIVE: not dropped */
    unsigned char tablet[16]; /* random; orders tables in the log and in snapshots */
    struct convex_store_index *indexes; /* by_id, by_creation_time, then the declared ones */
    size_t n_indexes;
    const struct convex_validator *document; /* of its documents; borrowed, NULL: any */
    struct convex_store_index **retired; /* earlier arrays of indexes, which transactions may still name */
    size_t n_retired;
};

/* A component, in the order in which they came to be known: the root, then the others. */
struct convex_store_component {
    char *path;
    uint32_t n_tables; /* that it ever had, hidden and dropped ones too: numbers are not used again */
};

struct convex_store {
    struct convex_store_component *components;
    size_t n_components;
    struct convex_store_table **tables; /* in the order of their making; dropped and hidden ones too */
    size_t n_tables;
    struct convex_store_table *system[CONVEX_SYSTEM_TABLES_MAX]; /* not among `tables` */
    size_t n_system;
    struct map by_name;           /* full name -> living table */
    struct convex_revision **log; /* by (ts, tablet, internal id) */
    size_t log_count;
    size_t log_capacity;
    struct convex_document **documents; /* for freeing */
    size_t n_documents;
    size_t documents_capacity;
    int64_t latest; /* newest commit timestamp; before the first commit, the wall clock at the start. ns, 19
                       digits */
    uint64_t table_changes; /* counts tables that come, go or are replaced, and pushes */
    int64_t schema_ts; /* when tables were last changed by a push; transactions from before it conflict */
    bool schemaless;   /* transactions make the tables that they write to */
};

/* One document's final state in a commit. */
struct convex_store_write {
    struct convex_store_table *table;
    unsigned char internal[16];
    struct convex_value *value; /* taken; NULL: deleted */
};

void convex_store_init(struct convex_store *store, int64_t wall_clock);
void convex_store_free(struct convex_store *store);
/* `table` is borrowed; `tablet` is 16 random bytes. Returns the table. The name must be new. */
struct convex_store_table *convex_store_add_table(struct convex_store *store,
                                                  const struct convex_table *table,
                                                  const unsigned char tablet[16]);
/* The same for a table of the deployment's own. Its name begins with "_", its number is below those of the
 * others and moves none of them. */
struct convex_store_table *convex_store_add_system_table(struct convex_store *store,
                                                         const struct convex_table *table,
                                                         const unsigned char tablet[16]);
/* By full name: tables and system tables. NULL: none. */
struct convex_store_table *convex_store_table(const struct convex_store *store, const char *full_name);
/* The living table that a declaration is about; NULL: none. */
struct convex_store_table *convex_store_declared(const struct convex_store *store,
                                                 const struct convex_table *declared);
/* The component, which is known from now on, and so are all above it. */
struct convex_store_component *convex_store_component(struct convex_store *store, const char *path);
static inline bool convex_store_table_lives(const struct convex_store_table *table, int64_t ts) {
    return table->from <= ts && ts < table->until;
}
/* The number that the next table of the component gets. */
uint32_t convex_store_next_number(const struct convex_store *store, const char *component);
/* The two halves of convex_store_add_table: a table of nobody's, and its adoption under the next number. */
struct convex_store_table *convex_store_make_table(const struct convex_table *table, uint32_t number,
                                                   const unsigned char tablet[16]);
void convex_store_adopt_table(struct convex_store *store, struct convex_store_table *table, int64_t from);
void convex_store_free_table(struct convex_store_table *table); /* one that was not adopted */
/* Give a table other indexes and another validator. Indexes that stay keep their entries, new ones get those
 * of all documents and their past. `declared` is borrowed. */
void convex_store_change_table(struct convex_store *store, struct convex_store_table *table,
                               const struct convex_table *declared);
/* A second, hidden and empty table with the number, the name and the indexes of `table`. Nobody finds it
 * before it is swapped in; rows that it gets until then are in the log, unseen. */
struct convex_store_table *convex_store_add_hidden(struct convex_store *store,
                                                   const struct convex_store_table *table,
                                                   const unsigned char tablet[16]);
/* End the table's life. `successor` NULL: the name is free; else it takes over name and readers, with all
 * that it holds. Leaves no tombstones. Transactions that know the table fail. Returns the timestamp. */
int64_t convex_store_drop_table(struct convex_store *store, struct convex_store_table *table,
                                struct convex_store_table *successor, int64_t wall_clock);
struct convex_store_index *convex_store_index(struct convex_store_table *table,
                                              const char *name); /* NULL: none */
/* The table of the component with this number that lives now; NULL: none. */
struct convex_store_table *convex_store_table_numbered(const struct convex_store *store,
                                                       const char *component, uint32_t number);
/* The document, if it lives now or ever did; NULL: never. */
struct convex_document *convex_store_document(const struct convex_store_table *table,
                                              const unsigned char internal[16]);
/* The revision that is valid at `ts`; NULL: none yet. A revision without value is a deletion. */
const struct convex_revision *convex_store_revision_at(const struct convex_document *document, int64_t ts);
/* Position in the log of the first revision above `ts`. */
size_t convex_store_log_after(const struct convex_store *store, int64_t ts);

/* Move the newest timestamp on without rows. Returns it. */
int64_t convex_store_bump(struct convex_store *store, int64_t wall_clock);
/* The timestamp that the next commit gets: above all before it, the wall clock if possible. */
int64_t convex_store_next_ts(const struct convex_store *store, int64_t wall_clock);
/* Publish `count` > 0 writes, sorted by (tablet, internal id), each document once. Returns the commit
 * timestamp. */
int64_t convex_store_commit(struct convex_store *store, struct convex_store_write *writes, size_t count,
                            int64_t wall_clock);

/* Forget all commits after `ts`, as a restored backup has: rows of the log, revisions, entries of indexes.
 * Tables stay as they are. No transaction may be open. */
void convex_store_rewind(struct convex_store *store, int64_t ts);
/* Enter one step of a document's life into an index: NULL stands for a document that is not there. */
void convex_store_index_update(struct convex_store_index *index, struct convex_document *document,
                               const struct convex_value *before, const struct convex_value *after,
                               int64_t ts);
/* The key of a document in an index, without the suffix, appended to `key`. */
void convex_store_index_key(const struct convex_store_index *index, const struct convex_value *document,
                            const unsigned char internal[16], struct buffer *key);

#endif
