/* Bucket storage: what one replication stream keeps. Operations in buckets, the parameter index, the
 * checkpoint up to which clients see both, and where replication stands. It is part of a struct storage and
 * survives a crash of the service's process.
 *
 * Operation ids come from the storage's one sequence. Operations and parameters are stored at once but are
 * invisible until a commit moves the checkpoint past them; a bucket's checksum and count at any checkpoint
 * come from running sums, so nothing needs to be cached. Compaction (compaction.h) rewrites operations behind
 * readers' backs: keep positions (op ids), never indices or pointers to operations, from one event to the
 * next.
 *
 * A bucket or lookup exists while it holds something or is watched; others may go at the next commit. */
#ifndef MOCK_POWERSYNC_BUCKET_STORAGE_H
#define MOCK_POWERSYNC_BUCKET_STORAGE_H

#include "base/map.h"
#include "mock-powersync/config/evaluate.h"
#include "mock-powersync/storage/parameter_index.h"
#include "mock-powersync/storage/source_row.h"
#include "mock-powersync/storage/watch.h"

#define ROW_BYTES_LIMIT (15 * 1024 * 1024) /* of one synced row's text: a larger one is not synced */

/* PUT: the row is so. REMOVE: the row is gone. MOVE: a checksum, nothing else. CLEAR: forget what was before;
 * a checksum. */
enum operation_kind { OPERATION_PUT, OPERATION_REMOVE, OPERATION_MOVE, OPERATION_CLEAR };

struct bucket_operation {
    uint64_t op_id;
    uint32_t checksum;
    uint32_t sum;                  /* of the bucket's checksums up to and including this one, modulo 2^32 */
    struct operation_place *place; /* PUT and REMOVE: what it is about; else NULL */
    union {
        char *data;         /* PUT: JSON object text, terminated by 0; owned */
        uint64_t target_op; /* MOVE and CLEAR: no checkpoint before this one can be told any more */
    };
    uint32_t data_length : 24; /* PUT; else 0 */
    uint32_t kind : 8;         /* enum operation_kind */
};

struct bucket {
    char *name;
    struct bucket_operation *operations; /* ascending op_id */
    size_t count;
    size_t capacity;
    struct watch_list watches;                 /* woken when a commit made new operations visible */
    uint64_t highest_target;                   /* of its MOVEs and CLEARs */
    size_t uncompacted;                        /* operations since the last compaction */
    size_t stored;                             /* operations that the file has; the rest is new */
    uint32_t number;                           /* in the file; 0: not there yet */
    uint64_t saved_by;                         /* the last row that was put here: which save it was, */
    const struct operation_place *saved_place; /* and as what: to find a row's buckets again at once */
    bool touched;                              /* has operations that no commit has published yet */
    bool unstored;                             /* on the storage's list of buckets to write */
    bool rewritten;                            /* compaction changed what the file has */
};

struct bucket_state {
    uint32_t checksum;
    size_t count;
};

/* Where one table's snapshot stands. */
struct table_progress {
    bool done;
    char *cursor;       /* of the next page, the source's own text; NULL: the first */
    int64_t replicated; /* rows so far */
};

struct bucket_list {
    struct bucket **buckets;
    size_t count;
    size_t capacity;
};

struct storage;

struct bucket_storage {
    struct storage *storage; /* whose part it is */
    int number;              /* of the replication stream: the N of "N#" in bucket names */
    struct map buckets;
    struct source_rows rows;
    struct parameter_index parameters;
    struct map texts;    /* types and tables, kept once */
    struct arena arena;  /* their texts */
    uint64_t last_op;    /* highest op id that this stream took */
    uint64_t checkpoint; /* op id up to which clients see */
    uint64_t previous;   /* the checkpoint before it, for the mutant replay-old-checkpoint */
    int64_t lsn;         /* position of the checkpoint; 0: never committed */
    uint64_t commits;    /* how often the checkpoint's op id moved */
    uint64_t saves;      /* how often a row was saved */
    uint64_t rewrites;   /* how often compaction changed a bucket's operations */
    struct bucket_list touched;
    struct bucket_list unstored; /* only with a file */
    uint32_t last_bucket;        /* number in the file */
    size_t data_bytes;           /* texts of operations */
    size_t n_operations;
    size_t sweep_at; /* buckets and lookups: when so many exist, drop the unneeded */

    bool snapshot_done;
    int64_t snapshot_lsn;         /* the pinned boundary; 0: not chosen yet */
    int64_t no_checkpoint_before; /* commits below this position show nothing; 0: none */
    int64_t resume_lsn;           /* where streaming goes on; every commit moves it at least to its own */
    struct map tables;            /* name -> struct table_progress */
};

struct bucket_storage *bucket_storage_create(struct storage *storage, int number);
void bucket_storage_destroy(struct bucket_storage *buckets); /* nobody may watch any more */

/* Replace what a source row contributes: PUTs for the buckets, REMOVEs where it was and no longer is, entries
 * of the parameter index. `outputs` NULL or empty: the row is gone or selected by nothing. A text above
 * ROW_BYTES_LIMIT counts as not there. `skip_existing`: leave a row alone that is already there (snapshots).
 * Returns the number of rows that were too large. */
size_t bucket_storage_save(struct bucket_storage *buckets, const char *table, const char *id,
                           const struct row_outputs *outputs, bool skip_existing);

/* Make everything saved so far visible at `lsn`, durably. False, and nothing changes: the snapshot is not
 * done, `lsn` is below the checkpoint or below no_checkpoint_before, there is nothing new and `empty` is
 * false (the first commit is made all the same), or the file cannot be written. What a refused commit would
 * have shown comes with the next one. The first commit of a stream in STREAM_PROCESSING activates it. Wakes
 * the watches of changed buckets and lookups, and those of write checkpoints that the serving stream reached.
 */
bool bucket_storage_commit(struct bucket_storage *buckets, int64_t lsn, bool empty);

/* The progress of this table, made when it does not exist. */
struct table_progress *bucket_storage_table(struct bucket_storage *buckets, const char *name);
void table_progress_set(struct table_progress *progress, bool done, const char *cursor);

/* The bucket of this name, made when it does not exist. */
struct bucket *bucket_storage_bucket(struct bucket_storage *buckets, const char *name, size_t length);
/* NULL: nobody made it. */
struct bucket *bucket_storage_find(const struct bucket_storage *buckets, const char *name, size_t length);
struct bucket_state bucket_state_at(const struct bucket *bucket, uint64_t op_id);
/* Index of the first operation above op_id; bucket->count when there is none. */
size_t bucket_index_after(const struct bucket *bucket, uint64_t op_id);
/* The operations in (after, checkpoint] cannot tell the state of `checkpoint` any more, because compaction
 * left out what a later operation says anyway: they may be sent, but the checkpoint must not be completed. A
 * newer checkpoint exists then that can be. */
bool bucket_is_compacted_past(const struct bucket *bucket, uint64_t after, uint64_t checkpoint);

const char *operation_object_type(const struct bucket_operation *operation); /* PUT and REMOVE only */
const char *operation_object_id(const struct bucket_operation *operation);
void operation_subkey(const struct bucket_operation *operation, char out[37]);

/* Calls `each` with every tuple (JSON array text) that rows have under the key as of the checkpoint `op_id`.
 * Returns how many. */
size_t bucket_storage_lookup(const struct bucket_storage *buckets, const char *key, size_t length,
                             uint64_t op_id, void (*each)(void *context, const char *tuple, size_t length),
                             void *context);
/* Woken by commits that changed what is under the key. Watch it at once: nobody else keeps it. */
struct watch_list *bucket_storage_lookup_watches(struct bucket_storage *buckets, const char *key,
                                                 size_t length);

/* Bytes, for metrics. */
struct storage_size {
    size_t operations;
    size_t parameters;
    size_t source_rows;
};
struct storage_size bucket_storage_size(const struct bucket_storage *buckets);

/* Every invariant of the structure, asserted; for tests. */
void bucket_storage_check(const struct bucket_storage *buckets);

/* For the storage's other files: put an operation at the end of a bucket; everything in it is taken over. */
void bucket_append(struct bucket_storage *buckets, struct bucket *bucket, struct bucket_operation operation);
char *operation_keep_data(struct bucket_storage *buckets, const void *bytes, size_t length);
/* Forget what a PUT or REMOVE says; its kind is the caller's business. */
void operation_strip(struct bucket_storage *buckets, struct bucket_operation *operation);
void bucket_needs_storing(struct bucket_storage *buckets, struct bucket *bucket);
const char *bucket_storage_text(struct bucket_storage *buckets, const char *text); /* kept once */

#endif
