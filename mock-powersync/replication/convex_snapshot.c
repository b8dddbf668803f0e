#include <assert.h>

#include "base/json.h"
#include "mock-powersync/replication/convex_job.h"
#include "mock-powersync/replication/convex_row.h"

static void on_page(void *context, const struct convex_reply *reply);

static void finish(void *context) {
    struct convex_job *job = context;
    job->timer = 0;
    if (writer_finish_snapshot(job->writer))
        convex_job_begin(job);
    else
        convex_job_storage_failed(job);
}

void convex_snapshot_next(struct convex_job *job) {
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&job->known, &i));) {
        const struct table_progress *progress = writer_progress(job->writer, entry->key);
        if (progress->done)
            continue;
        job->table = entry->key;
        job->call = convex_client_snapshot(&job->source->client, writer_boundary(job->writer), entry->key,
                                           progress->cursor, on_page, job);
        return;
    }
    convex_job_before_commit(job, finish);
}

/* The rows of a page are those of the table that was asked for: their own `_table` is not looked at. */
static size_t insert_rows(struct convex_job *job, const json_t *values) {
    const struct source_table table = convex_table(job->table);
    size_t i, written = 0;
    json_t *document;
    json_array_foreach((json_t *)(uintptr_t)values, i, document) {
        const char *id = json_text(document, "_id");
        if (!id || json_is_true(json_object_get(document, "_deleted")))
            continue;
        struct row row = convex_row(document, &job->arena);
        writer_insert(job->writer, &table, id, &row);
        written++;
    }
    arena_free(&job->arena);
    return written;
}

static void on_page(void *context, const struct convex_reply *reply) {
    struct convex_job *job = context;
    if (!convex_job_received(job, reply))
        return;
    const json_t *values = json_object_get(reply->body, "values");
    int64_t snapshot;
    if (!convex_reply_timestamp(reply->body, "snapshot", &snapshot) ||
        snapshot != writer_boundary(job->writer) || !json_is_array(values)) {
        convex_job_assert_failed(job, "a snapshot page is not of the pinned snapshot");
        return;
    }
    size_t rows = insert_rows(job, values);
    const char *cursor = json_text(reply->body, "cursor");
    bool last = !json_is_true(json_object_get(reply->body, "hasMore")) || !cursor;
    const struct source_table table = convex_table(job->table);
    if (writer_page_done(job->writer, &table, cursor, last, rows))
        convex_snapshot_next(job);
    else
        convex_job_storage_failed(job);
}
