#include <assert.h>

#include "mock-powersync/replication/convex_job.h"

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
static size_t insert_rows(struct convex_job *job, const struct convex_page *page) {
    const struct source_table table = convex_table(job->table);
    size_t written = 0;
    for (size_t i = 0; i < page->count; i++) {
        const struct convex_document *document = &page->documents[i];
        if (!document->id || document->deleted)
            continue;
        writer_insert(job->writer, &table, document->id, &document->row);
        written++;
    }
    return written;
}

static bool take_page(struct convex_job *job, const struct convex_page *page) {
    size_t rows = insert_rows(job, page);
    bool last = !page->more || !page->page_cursor;
    const struct source_table table = convex_table(job->table);
    return writer_page_done(job->writer, &table, page->page_cursor, last, rows);
}

static void on_page(void *context, const struct convex_reply *reply) {
    struct convex_job *job = context;
    struct convex_page page;
    if (!convex_job_received(job, reply))
        return;
    if (!convex_page_read(reply->text, reply->length, &job->arena, &page) ||
        page.snapshot != writer_boundary(job->writer)) {
        convex_job_assert_failed(job, "a snapshot page is not of the pinned snapshot");
        return;
    }
    bool good = take_page(job, &page);
    arena_free(&job->arena);
    if (good)
        convex_snapshot_next(job);
    else
        convex_job_storage_failed(job);
}
