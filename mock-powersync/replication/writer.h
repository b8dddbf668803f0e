/* What a replication job writes through: rows in, bucket operations out, for one replication stream. Rows are
 * evaluated here; they become visible to clients by a commit only, whole or not at all. Counts the metrics of
 * replication: data_replicated_bytes and chunks_replicated stay absent, as in the real service's module.
 * What returns bool is false when storage could not be written or does not want it any more (the stream was
 * replaced): then nothing of it is visible, and the job ends. */
#ifndef MOCK_POWERSYNC_WRITER_H
#define MOCK_POWERSYNC_WRITER_H

#include "kernel/host.h"
#include "mock-powersync/config/evaluate.h"
#include "mock-powersync/metrics.h"
#include "mock-powersync/storage/storage.h"

struct writer_options {
    struct host *host;
    struct replication_stream *stream; /* of the caller's hold */
    struct powersync_metrics *metrics;
    const char *write_checkpoint_table; /* powersync_options; NULL: none */
};

/* What the options point to must outlive the writer. */
struct writer *writer_create(const struct writer_options *options);
void writer_destroy(struct writer *writer); /* what was not committed stays invisible; NULL is ignored */

/* What to copy: the patterns of the config, in their order. */
const struct sync_config *writer_config(const struct writer *writer);

/* Where it stands, as storage remembers it */
bool writer_snapshot_is_done(const struct writer *writer);
int64_t writer_boundary(const struct writer *writer); /* of the snapshot under way; 0: not chosen yet */
int64_t writer_position(const struct writer *writer); /* where streaming goes on */
const struct table_progress *writer_progress(const struct writer *writer, const char *table);

/* The snapshot. Its boundary is chosen before anything else, so that a resumed one keeps it. */
bool writer_start_snapshot(struct writer *writer, int64_t boundary);
/* A row that is already there stays as it is. */
void writer_insert(struct writer *writer, const struct source_table *table, const char *id,
                   const struct row *row);
/* The page's rows and the cursor of the next page (NULL: none) survive a crash from here on. */
bool writer_page_done(struct writer *writer, const struct source_table *table, const char *cursor, bool last,
                      size_t rows);
/* All tables are there: a commit at the boundary shows them to clients. */
bool writer_finish_snapshot(struct writer *writer);

/* Streaming */
void writer_transaction(struct writer *writer); /* the next row begins a transaction of the source */
void writer_update(struct writer *writer, const struct source_table *table, const char *id,
                   const struct row *row);
void writer_delete(struct writer *writer, const struct source_table *table, const char *id);
/* Is it the table of custom write checkpoints? No config needs to select it. */
bool writer_has_write_checkpoints(const struct writer *writer, const char *table);
/* A row of it: clients see the checkpoint's number with the commit that is for `position`, or a later one. A
 * row without user or number is left out. True: it is worth a commit of its own. Mutant
 * checkpoint-with-data-only: it waits for the next commit of data. */
bool writer_write_checkpoint(struct writer *writer, int64_t position, const struct row *row);
/* A table that appeared after the boundary: all its rows came by streaming. */
void writer_table_found(struct writer *writer, const struct source_table *table);
/* Show what was written, as of `position`. When that made no operation, the position stays where it was. */
bool writer_commit(struct writer *writer, int64_t position);
/* Everything up to `position` is there, although nothing was written. */
bool writer_keepalive(struct writer *writer, int64_t position);
/* The job has read the source up to this time (ns since the Unix epoch), and may commit it or not. */
void writer_seen(struct writer *writer, int64_t time);
/* How long the oldest thing seen has not been committed, ns; 0: nothing waits. */
int64_t writer_lag(const struct writer *writer);

/* Ask before each commit: storage may fail, or let wait. */
struct fault_point writer_before_commit(struct writer *writer);

#endif
