#include "mock-powersync/replication/writer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    struct writer_options options;
    struct arena arena; /* what evaluating needs */
    struct bucket_storage *buckets;
    size_t evaluated; /* rows since the arena was emptied */
    size_t unflushed_rows;
    size_t unflushed_bytes;
    bool checkpoint_waits;      /* a custom write checkpoint is to be seen with the next commit */
    int64_t oldest_uncommitted; /* time of the oldest change that was read and not committed; 0: none */
};

enum { ROWS_AN_ARENA = 100, FLUSH_ROWS = 2000, FLUSH_BYTES = 5 * 1000 * 1000 };

struct writer *writer_create(const struct writer_options *options) {
    struct writer *writer = memory_allocate(sizeof *writer);
    writer->options = *options;
    writer->buckets = options->stream->buckets;
    return writer;
}

void writer_destroy(struct writer *writer) {
    if (!writer)
        return;
    arena_free(&writer->arena);
    free(writer);
}

const struct sync_config *writer_config(const struct writer *writer) {
    return writer->options.stream->config;
}

bool writer_snapshot_is_done(const struct writer *writer) {
    return writer->buckets->snapshot_done;
}

int64_t writer_boundary(const struct writer *writer) {
    return writer->buckets->snapshot_lsn;
}

int64_t writer_position(const struct writer *writer) {
    return writer->buckets->resume_lsn;
}

const struct table_progress *writer_progress(const struct writer *writer, const char *table) {
    return bucket_storage_table(writer->buckets, table);
}

static bool flush(struct writer *writer) {
    writer->unflushed_rows = writer->unflushed_bytes = 0;
    return storage_flush(writer->options.stream->storage, NULL) == STATUS_OK;
}

bool writer_start_snapshot(struct writer *writer, int64_t boundary) {
    assert(boundary > 0 && writer_boundary(writer) == 0);
    writer->buckets->snapshot_lsn = boundary;
    return flush(writer);
}

/* Big transactions go to disk in parts, which nobody sees before the commit. What cannot be written now is
 * written by it. */
static void count(struct writer *writer, const struct row_outputs *outputs) {
    writer->options.metrics->rows_replicated++;
    writer->unflushed_rows++;
    for (size_t i = 0; i < outputs->n_buckets; i++)
        writer->unflushed_bytes += outputs->buckets[i].data_length;
    if (writer->unflushed_rows >= FLUSH_ROWS || writer->unflushed_bytes >= FLUSH_BYTES)
        flush(writer);
}

static void save(struct writer *writer, const struct source_table *table, const char *id,
                 const struct row *row, bool skip_existing) {
    struct row_outputs outputs = {0};
    if (row)
        evaluate_row(writer->options.stream->config, writer->buckets->number, table, row, &writer->arena,
                     &outputs);
    bucket_storage_save(writer->buckets, table->name, id, &outputs, skip_existing);
    count(writer, &outputs);
    if (++writer->evaluated >= ROWS_AN_ARENA) {
        arena_free(&writer->arena);
        writer->evaluated = 0;
    }
}

void writer_insert(struct writer *writer, const struct source_table *table, const char *id,
                   const struct row *row) {
    save(writer, table, id, row, true);
}

void writer_update(struct writer *writer, const struct source_table *table, const char *id,
                   const struct row *row) {
    assert(row);
    save(writer, table, id, row, false);
}

void writer_delete(struct writer *writer, const struct source_table *table, const char *id) {
    save(writer, table, id, NULL, false);
}

void writer_transaction(struct writer *writer) {
    writer->options.metrics->transactions_replicated++;
}

bool writer_has_write_checkpoints(const struct writer *writer, const char *table) {
    const char *wanted = writer->options.write_checkpoint_table;
    return wanted != NULL && table != NULL && strcmp(wanted, table) == 0;
}

static const char *text_of(const struct row *row, const char *name) {
    const struct sql_value *value = row_get(row, name);
    return value != NULL && value->kind == SQL_TEXT ? value->text : NULL;
}

/* Digits only, from 1. 0: it is no such number, or none that fits. */
static int64_t number_of(const char *text) {
    char *end;
    if (text == NULL || *text < '1' || *text > '9')
        return 0;
    errno = 0;
    const int64_t number = strtoll(text, &end, 10);
    return *end == '\0' && errno == 0 ? number : 0;
}

bool writer_write_checkpoint(struct writer *writer, int64_t position, const struct row *row) {
    struct write_checkpoints *checkpoints = &writer->options.stream->storage->write_checkpoints;
    const char *user = text_of(row, "user_id");
    const int64_t id = number_of(text_of(row, "checkpoint"));
    if (user == NULL || id <= 0)
        return false;
    char *key = write_checkpoint_key(user, text_of(row, "client_id"));
    write_checkpoints_replicate(checkpoints, key, id, position, host_wall_clock(writer->options.host));
    free(key);
    writer->checkpoint_waits = !host_mutant(writer->options.host, "checkpoint-with-data-only");
    return writer->checkpoint_waits;
}

bool writer_page_done(struct writer *writer, const struct source_table *table, const char *cursor, bool last,
                      size_t rows) {
    struct table_progress *progress = bucket_storage_table(writer->buckets, table->name);
    progress->replicated += (int64_t)rows;
    table_progress_set(progress, last, cursor);
    return flush(writer);
}

void writer_table_found(struct writer *writer, const struct source_table *table) {
    table_progress_set(bucket_storage_table(writer->buckets, table->name), true, NULL);
}

/* A commit that storage refuses because there is nothing to show is none; so is one that it cannot write, and
 * then a flush cannot either. */
static bool commit(struct writer *writer, int64_t position, bool empty) {
    if (!bucket_storage_commit(writer->buckets, position, empty) && !flush(writer))
        return false;
    replication_stream_report(writer->options.stream, NULL, 0);
    writer->unflushed_rows = writer->unflushed_bytes = 0;
    writer->oldest_uncommitted = 0;
    writer->checkpoint_waits = false;
    return true;
}

bool writer_finish_snapshot(struct writer *writer) {
    struct bucket_storage *buckets = writer->buckets;
    assert(!buckets->snapshot_done && buckets->snapshot_lsn > 0);
    buckets->snapshot_done = true;
    commit(writer, buckets->snapshot_lsn, true);
    buckets->snapshot_done = buckets->lsn > 0; /* not so: it failed, or the stream was replaced meanwhile */
    return buckets->snapshot_done;
}

bool writer_commit(struct writer *writer, int64_t position) {
    return commit(writer, position, writer->checkpoint_waits);
}

bool writer_keepalive(struct writer *writer, int64_t position) {
    return commit(writer, position, true);
}

void writer_seen(struct writer *writer, int64_t time) {
    if (writer->oldest_uncommitted == 0)
        writer->oldest_uncommitted = time;
}

int64_t writer_lag(const struct writer *writer) {
    if (writer->oldest_uncommitted == 0)
        return 0;
    int64_t lag = host_wall_clock(writer->options.host) - writer->oldest_uncommitted;
    return lag > 0 ? lag : 0;
}

struct fault_point writer_before_commit(struct writer *writer) {
    return host_fault_point(writer->options.host, "replicator.before-commit");
}
