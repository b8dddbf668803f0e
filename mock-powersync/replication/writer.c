#include "mock-powersync/replication/writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    struct writer_options options;
    struct arena arena;         /* what evaluating needs */
    size_t evaluated;           /* rows since the arena was emptied */
    int64_t oldest_uncommitted; /* time of the oldest change that was read and not committed; 0: none */
};

enum { ROWS_AN_ARENA = 100 };

struct writer *writer_create(const struct writer_options *options) {
    struct writer *writer = memory_allocate(sizeof *writer);
    writer->options = *options;
    return writer;
}

void writer_destroy(struct writer *writer) {
    if (!writer)
        return;
    arena_free(&writer->arena);
    free(writer);
}

const struct sync_config *writer_config(const struct writer *writer) {
    return writer->options.config;
}

bool writer_snapshot_is_done(const struct writer *writer) {
    return writer->options.buckets->snapshot_done;
}

int64_t writer_boundary(const struct writer *writer) {
    return writer->options.buckets->snapshot_lsn;
}

int64_t writer_position(const struct writer *writer) {
    return writer->options.buckets->lsn;
}

static struct table_progress *progress_of(const struct writer *writer, const char *table) {
    const struct sync_config *config = writer->options.config;
    for (size_t i = 0; i < config->n_patterns; i++)
        if (!config->patterns[i].prefix && strcmp(config->patterns[i].name, table) == 0)
            return &writer->options.buckets->tables[i];
    return NULL;
}

const struct table_progress *writer_progress(const struct writer *writer, const char *table) {
    return progress_of(writer, table);
}

void writer_start_snapshot(struct writer *writer, int64_t boundary) {
    assert(boundary > 0 && writer_boundary(writer) == 0);
    writer->options.buckets->snapshot_lsn = boundary;
}

static void save(struct writer *writer, const struct source_table *table, const char *id,
                 const struct row *row, bool skip_existing) {
    struct row_outputs outputs = {0};
    struct bucket_storage *buckets = writer->options.buckets;
    if (row)
        evaluate_row(writer->options.config, buckets->number, table, row, &writer->arena, &outputs);
    bucket_storage_save(buckets, table->name, id, outputs.buckets, outputs.n_buckets, skip_existing);
    writer->options.metrics->rows_replicated++;
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

void writer_page_done(struct writer *writer, const struct source_table *table, const char *cursor, bool last,
                      size_t rows) {
    struct table_progress *progress = progress_of(writer, table->name);
    (void)rows;
    free(progress->cursor);
    progress->cursor = memory_copy_text(cursor);
    progress->done = last;
}

void writer_table_found(struct writer *writer, const struct source_table *table) {
    struct table_progress *progress = progress_of(writer, table->name);
    if (progress)
        progress->done = true;
}

static void commit(struct writer *writer, int64_t position, bool empty) {
    bool moved = bucket_storage_commit(writer->options.buckets, position, empty);
    writer->oldest_uncommitted = 0;
    if (moved)
        writer->options.published(writer->options.context);
}

void writer_finish_snapshot(struct writer *writer) {
    struct bucket_storage *buckets = writer->options.buckets;
    assert(!buckets->snapshot_done && buckets->snapshot_lsn > 0);
    buckets->snapshot_done = true;
    commit(writer, buckets->snapshot_lsn, true);
}

void writer_commit(struct writer *writer, int64_t position) {
    commit(writer, position, false);
}

void writer_keepalive(struct writer *writer, int64_t position) {
    commit(writer, position, true);
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
