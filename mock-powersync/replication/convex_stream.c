#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/replication/convex_job.h"
#include "mock-powersync/replication/convex_row.h"

#define IDLE_KEEPALIVE (60 * TIME_SECOND)

static void poll(void *context);

static const json_t *values_of(const struct convex_job *job) {
    return json_object_get(job->page, "values");
}

/* Rows */

static bool is_marker(const json_t *row) {
    const char *table = json_text(row, "_table");
    return table && strcmp(table, CONVEX_MARKER_TABLE) == 0;
}

static bool is_selected(const struct convex_job *job, const json_t *row) {
    const char *name = json_text(row, "_table");
    if (!name || is_marker(row) || !json_text(row, "_id"))
        return false;
    const struct source_table table = convex_table(name);
    return map_has(&job->known, name) || sync_config_selects(writer_config(job->writer), &table);
}

/* A table that json_schemas did not know: all of its life is in the deltas, so it needs no snapshot. */
static void resolve_late(struct convex_job *job, const struct source_table *table) {
    if (map_has(&job->known, table->name))
        return;
    map_set(&job->known, table->name, job);
    writer_table_found(job->writer, table);
}

static void write_row(struct convex_job *job, const json_t *document, int64_t ts) {
    const struct source_table table = convex_table(json_text(document, "_table"));
    const char *id = json_text(document, "_id");
    resolve_late(job, &table);
    if (job->written == 0 || job->written_ts != ts)
        writer_transaction(job->writer);
    job->written++;
    job->written_ts = ts;
    if (json_is_true(json_object_get(document, "_deleted"))) {
        writer_delete(job->writer, &table, id);
    } else {
        struct row row = convex_row(document, &job->arena);
        writer_update(job->writer, &table, id, &row);
    }
}

static void apply_row(struct convex_job *job, const json_t *row) {
    if (is_marker(row))
        job->marker = true;
    else if (is_selected(job, row))
        write_row(job, row, json_integer_or(row, "_ts", 0));
}

/* Apply rows up to `end`. */
static void apply_rows(struct convex_job *job, size_t end) {
    assert(end <= json_array_size(values_of(job)));
    for (; job->applied < end; job->applied++)
        apply_row(job, json_array_get(values_of(job), job->applied));
    arena_free(&job->arena);
}

/* The end of a page */

static void next_poll(struct convex_job *job) {
    assert(job->page);
    bool more = json_is_true(json_object_get(job->page, "hasMore"));
    json_decref(job->page);
    job->page = NULL;
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
    apply_rows(job, json_array_size(values_of(job)));
    int64_t cursor = json_integer_or(job->page, "cursor", 0);
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
    const json_t *values = values_of(job);
    size_t point = 0, size = json_array_size(values);
    size_t start = 0;
    while (start < size) {
        int64_t current = json_integer_or(json_array_get(values, start), "_ts", 0);
        size_t end = start, selected = 0;
        while (end < size && json_integer_or(json_array_get(values, end), "_ts", 0) == current)
            selected += is_selected(job, json_array_get(values, end++));
        size_t half = selected / 2;
        if (half > 0 && current > job->cursor) {
            point = start;
            while (half > 0)
                half -= is_selected(job, json_array_get(values, point++));
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

static bool page_is_valid(const json_t *page) {
    int64_t cursor;
    const json_t *values = json_object_get(page, "values");
    if (!json_is_array(values) || !convex_reply_timestamp(page, "cursor", &cursor) || cursor == 0)
        return false;
    size_t i;
    json_t *row;
    json_array_foreach((json_t *)(uintptr_t)values, i, row) {
        if (!json_is_object(row))
            return false;
    }
    return true;
}

/* Timestamps never go back, on a page or from page to page; rows of no table and markers do not count. The
 * real service finds out while it writes, and forgets what it wrote. */
static bool page_is_in_order(struct convex_job *job, const json_t *page) {
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(page, "values"), i, row) {
        if (!json_text(row, "_table") || is_marker(row))
            continue;
        int64_t ts = json_integer_or(row, "_ts", 0);
        if (ts < job->last_ts)
            return false;
        job->last_ts = ts;
    }
    return true;
}

static void on_deltas(void *context, const struct convex_reply *reply) {
    struct convex_job *job = context;
    if (!convex_job_received(job, reply))
        return;
    if (!page_is_valid(reply->body)) {
        convex_job_assert_failed(job, "a delta page has no values or no cursor of 19 digits");
        return;
    }
    if (!page_is_in_order(job, reply->body)) {
        convex_job_assert_failed(job, "timestamps of a delta page go back");
        return;
    }
    assert(!job->page && !job->timer);
    job->page = json_incref(reply->body);
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

static void poll(void *context) {
    struct convex_job *job = context;
    job->timer = 0;
    assert(!job->call && !job->page && job->cursor > 0);
    job->call = convex_client_deltas(&job->source->client, job->cursor, on_deltas, job);
}

void convex_stream_start(struct convex_job *job) {
    job->cursor = writer_position(job->writer);
    job->last_ts = 0;
    job->kept_alive = false;
    poll(job);
}
