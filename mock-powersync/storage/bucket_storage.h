/* Bucket storage: operations in buckets, the checkpoint up to which clients can see them, and where
 * replication stands. It survives a crash of the service's process.
 *
 * Operation ids come from one sequence over all buckets, from 1. Operations are appended at once but are
 * invisible until a commit moves the checkpoint past them; a bucket's checksum and count at any checkpoint
 * come from running sums. */
#ifndef MOCK_POWERSYNC_BUCKET_STORAGE_H
#define MOCK_POWERSYNC_BUCKET_STORAGE_H

#include "base/map.h"
#include "mock-powersync/config/evaluate.h"
#include "mock-powersync/storage/watch.h"

struct bucket_operation {
    uint64_t op_id;
    uint32_t checksum;
    uint32_t sum; /* of the bucket's checksums up to and including this one, modulo 2^32 */
    const char *object_type;
    const char *object_id;
    const char *subkey;
    const char *data; /* JSON object text; NULL: REMOVE, else PUT */
    size_t data_length;
};

struct bucket {
    char *name;
    struct bucket_operation *operations; /* ascending op_id */
    size_t count;
    size_t capacity;
    struct watch_list watches; /* woken when a commit made new operations visible */
    bool touched;              /* has operations that no commit has published yet */
};

struct bucket_state {
    uint32_t checksum;
    size_t count;
};

/* Where one table's snapshot stands. */
struct table_progress {
    bool done;
    char *cursor; /* of the next page; NULL: the first */
};

struct source_row;

struct bucket_storage {
    int number; /* of the replication stream: the N of "N#" in bucket names */
    struct map buckets;
    struct map rows;     /* "<table>\0<id>" -> struct source_row */
    struct arena arena;  /* ids, subkeys, data */
    uint64_t last_op;    /* highest op id given out */
    uint64_t checkpoint; /* op id up to which clients see */
    uint64_t previous;   /* the checkpoint before it, for the mutant replay-old-checkpoint */
    int64_t lsn;         /* of the checkpoint: a Convex timestamp, ns; 0: never committed */
    uint64_t commits;    /* how often the checkpoint's op id moved */
    struct bucket **touched;
    size_t n_touched;
    size_t touched_capacity;

    bool snapshot_done;
    int64_t snapshot_lsn; /* the pinned boundary; 0: not chosen yet */
    struct table_progress *tables;
    size_t n_tables;
};

struct bucket_storage *bucket_storage_create(int number, size_t n_tables, uint64_t first_op);
void bucket_storage_destroy(struct bucket_storage *storage); /* nobody may watch any more */

/* Replace what a source row contributes: PUTs for the outputs, REMOVEs where it was and no longer is. No
 * outputs: the row is gone or selected by nothing. `skip_existing`: leave a row alone that is already there
 * (snapshots). */
void bucket_storage_save(struct bucket_storage *storage, const char *table, const char *id,
                         const struct bucket_output *outputs, size_t n_outputs, bool skip_existing);

/* Make everything appended so far visible at `lsn`. Does nothing and returns false when the snapshot is not
 * done, when `lsn` would go back, or when there is nothing new and `empty` is false. Wakes the watches of
 * changed buckets. */
bool bucket_storage_commit(struct bucket_storage *storage, int64_t lsn, bool empty);

/* The bucket of this name, made when it does not exist. */
struct bucket *bucket_storage_bucket(struct bucket_storage *storage, const char *name, size_t length);
struct bucket_state bucket_state_at(const struct bucket *bucket, uint64_t op_id);
/* Index of the first operation above op_id; bucket->count when there is none. */
size_t bucket_index_after(const struct bucket *bucket, uint64_t op_id);

/* Every invariant of the structure, asserted; for tests. */
void bucket_storage_check(const struct bucket_storage *storage);

#endif
