#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mock-powersync/replication/convex_job.h"

#define IDLE_KEEPALIVE (60 * TIME_SECOND)

static void poll(void *context);

/* Rows */

static bool is_marker(const struct convex_document *row) {
    return row->table && strcmp(row->table, CONVEX_MARKER_TABLE) == 0;
}

static bool is_selected(const struct convex_job *job, const struct convex_document *row) {
    if (!row->table || is_marker(row) || !row->id)
        return false;
    const struct source_table table = convex_table(row->table);
    return map_has(&job->known, row->table) || sync_config_selects(writer_config(job->writer), &table);
}

/* A table that json_schemas did not know: all of its life is in the deltas, so it needs no snapshot. */
static void resolve_late(struct convex_job *job, const struct source_table *table) {
    if (map_has(&job->known, table->name))
        return;
    map_set(&job->known, table->name, job);
    writer_table_found(job->writer, table);
}

/* Mutant numeric-affinity: as a column that is declared as a number would have it. */
static void make_numbers(const struct row *row) {
    for (size_t i = 0; i < row->count; i++) {
        struct sql_value *value = &row->columns[i].value;
        if (value->kind != SQL_TEXT)
            continue;
        const size_t digits = strspn(value->text, "-0123456789");
        if (digits > 0 && digits == value->length)
            *value = (struct sql_value){.kind = SQL_REAL, .real = strtod(value->text, NULL)};
    }
}

/* Mutant fixed-types: a column's first value says what the others must be. */
static bool fits_types(struct convex_job *job, const struct convex_document *row) {
    bool fits = true;
    for (size_t i = 0; i < row->row.count; i++) {
        const struct row_column *column = &row->row.columns[i];
        char *key = memory_format("%s.%s", row->table, column->name);
        const uintptr_t kind = (uintptr_t)column->value.kind, first = (uintptr_t)map_get(&job->types, key);
        fits = fits && (first == 0 || kind == SQL_NULL || first == kind);
        if (first == 0 && kind != SQL_NULL)
            map_set(&job->types, key, (void *)kind);
        free(key);
    }
    return fits;
}

static bool is_left_out(struct convex_job *job, const struct convex_document *row) {
    if (host_mutant(job->host, "numeric-affinity"))
        make_numbers(&row->row);
    return host_mutant(job->host, "fixed-types") && !row->deleted && !fits_types(job, row);
}

static void write_row(struct convex_job *job, const struct convex_document *row) {
    const struct source_table table = convex_table(row->table);
    if (is_left_out(job, row))
        return;
    resolve_late(job, &table);
    if (job->written == 0 || job->written_ts != row->ts)
        writer_transaction(job->writer);
    job->written++;
    job->written_ts = row->ts;
    if (row->deleted)
        writer_delete(job->writer, &table, row->id);
    else
        writer_update(job->writer, &table, row->id, &row->row);
}

/* Apply rows up to `end`. */
static void apply_rows(struct convex_job *job, size_t end) {
    assert(end <= job->page.count);
    for (; job->applied < end; job->applied++) {
        const struct convex_document *row = &job->page.documents[job->applied];
        if (is_marker(row))
            job->marker = true;
        else if (writer_has_write_checkpoints(job->writer, row->table))
            job->marker |= !row->deleted && writer_write_checkpoint(job->writer, job->page.cursor, &row->row);
        else if (is_selected(job, row))
            write_row(job, row);
    }
}

/* The end of a page */

static void next_poll(struct convex_job *job) {
    bool more = job->page.more;
    job->page = (struct convex_page){0};
    arena_free(&job->arena);
    if (more)
        poll(job);
    else
        convex_job_pause(job, job->source->polling_interval, poll);
}

static void keep_alive(struct convex_job *job) {
    if (!writer_keepalive(job->writer, job->cursor)) {
        convex_job_storage_failed(job);
        return;
    }
    job->last_keepalive = host_now(job->host);
    job->kept_alive = true;
    next_poll(job);
}

static void commit_page(void *context) {
    struct convex_job *job = context;
    job->timer = 0;
    if (job->written == 0)
        keep_alive(job);
    else if (writer_commit(job->writer, job->cursor))
        next_poll(job);
    else
        convex_job_storage_failed(job);
}

/* Of an idle source: at once after the start, then once a minute. */
static bool keepalive_is_due(const struct convex_job *job, bool idle) {
    return idle && (!job->kept_alive || host_now(job->host) - job->last_keepalive > IDLE_KEEPALIVE);
}

static void finish_page(struct convex_job *job) {
    apply_rows(job, job->page.count);
    int64_t cursor = job->page.cursor;
    bool idle = cursor == job->cursor;
    job->cursor = cursor;
    if (!idle)
        writer_seen(job->writer, cursor);
    if (job->written > 0 || job->marker) {
        convex_job_before_commit(job, commit_page);
        return;
    }
    if (keepalive_is_due(job, idle))
        keep_alive(job);
    else
        next_poll(job); /* the cursor moves in memory only */
}

/* Mutant split-transaction: where to cut the last transaction of the page that changes several rows; 0: there
 * is none. */
static size_t split_point(const struct convex_job *job, int64_t *ts) {
    const struct convex_document *rows = job->page.documents;
    size_t point = 0, size = job->page.count;
    size_t start = 0;
    while (start < size) {
        int64_t current = rows[start].ts;
        size_t end = start, selected = 0;
        while (end < size && rows[end].ts == current)
            selected += is_selected(job, &rows[end++]);
        size_t half = selected / 2;
        if (half > 0 && current > job->cursor) {
            point = start;
            while (half > 0)
                half -= is_selected(job, &rows[point++]);
            *ts = current;
        }
        start = end;
    }
    return point;
}

static void finish_split_page(void *context) {
    struct convex_job *job = context;
    job->timer = 0;
    finish_page(job);
}

static void commit_half(struct convex_job *job, size_t point, int64_t ts) {
    apply_rows(job, point);
    assert(ts - 1 >= job->cursor);
    host_mark(job->host, "replicator.split-transaction");
    if (!writer_commit(job->writer, ts - 1)) {
        convex_job_storage_failed(job);
        return;
    }
    convex_job_pause(job, job->source->polling_interval, finish_split_page);
}

/* Timestamps never go back, on a page or from page to page; rows of no table and markers do not count. The
 * real service finds out while it writes, and forgets what it wrote. */
static bool page_is_in_order(struct convex_job *job) {
    for (size_t i = 0; i < job->page.count; i++) {
        const struct convex_document *row = &job->page.documents[i];
        if (!row->table || is_marker(row))
            continue;
        if (row->ts < job->last_ts)
            return false;
        job->last_ts = row->ts;
    }
    return true;
}

static void take_page(struct convex_job *job) {
    job->applied = 0;
    job->written = 0;
    job->marker = false;
    int64_t ts = 0;
    size_t point = 0;
    if (host_mutant(job->host, "split-transaction"))
        point = split_point(job, &ts);
    if (point > 0)
        commit_half(job, point, ts);
    else
        finish_page(job);
}

static void on_deltas(void *context, const struct convex_reply *reply) {
    struct convex_job *job = context;
    if (!convex_job_received(job, reply))
        return;
    assert(!job->timer);
    if (!convex_page_read(reply->text, reply->length, &job->arena, &job->page) || job->page.cursor == 0)
        convex_job_assert_failed(job, "a delta page has no values or no cursor of 19 digits");
    else if (!page_is_in_order(job))
        convex_job_assert_failed(job, "timestamps of a delta page go back");
    else
        take_page(job);
}

/* Mutant early-polls: a clock asks for the next page, whether the last one has come or not. What comes of it
 * is thrown away. */
static void on_early(void *context, const struct convex_reply *reply) {
    struct convex_job *job = context;
    (void)reply;
    job->early = NULL;
}

static void poll_early(void *context) {
    struct convex_job *job = context;
    job->early_timer = 0;
    if (job->call && !job->early)
        job->early = convex_client_deltas(&job->source->client, job->cursor, on_early, job);
}

static void poll(void *context) {
    struct convex_job *job = context;
    job->timer = 0;
    assert(!job->call && job->page.count == 0 && job->cursor > 0);
    job->call = convex_client_deltas(&job->source->client, job->cursor, on_deltas, job);
    if (!job->early_timer && host_mutant(job->host, "early-polls"))
        job->early_timer = host_timer_set(job->host, job->source->polling_interval, poll_early, job);
}

void convex_stream_start(struct convex_job *job) {
    job->cursor = writer_position(job->writer);
    job->last_ts = 0;
    job->kept_alive = false;
    poll(job);
}
