#include "mock-powersync/replication/replicator.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define MARKER_TABLE "powersync_checkpoints"
#define IDLE_KEEPALIVE (60 * TIME_SECOND)

struct replicator {
    struct replicator_options options;
    struct convex_call *call; /* the request under way; at most one */
    uint64_t timer;           /* the pause under way; never together with a call */
    size_t resolved;          /* tables looked up in json_schemas in this round */
    bool *listed;             /* by table: json_schemas knows it */
    bool streaming;
    int64_t cursor;         /* of the next delta page */
    int64_t last_ts;        /* of the newest row seen by this job */
    int64_t last_keepalive; /* virtual time */
    bool kept_alive;        /* false: last_keepalive is not set yet */
    json_t *page;           /* the delta page being applied */
    size_t applied;         /* rows of it that are done */
    bool written;           /* it changed a selected table */
    bool marker;            /* it had the write checkpoint marker */
    struct arena arena;     /* what evaluating the rows of one page needs */
};

static void start_job(void *context);
static void poll(void *context);
static void snapshot_next(struct replicator *replicator);
static void finish_page(struct replicator *replicator);

static void pause(struct replicator *replicator, int64_t delay, void (*then)(void *)) {
    assert(!replicator->timer && !replicator->call);
    replicator->timer = host_timer_set(replicator->options.host, delay, then, replicator);
}

static void end_job(struct replicator *replicator, int64_t delay, const char *reason) {
    assert(delay > 0 && !replicator->call);
    json_decref(replicator->page);
    replicator->page = NULL;
    arena_free(&replicator->arena);
    char *text = memory_format("replication stopped: %s", reason);
    host_note(replicator->options.host, &(struct note){.kind = NOTE_TEXT, .text = text});
    free(text);
    host_mark(replicator->options.host, "replicator.job-ended");
    pause(replicator, delay, start_job);
}

/* The call is over; false when it failed (the job has then ended). */
static bool reply_is_good(struct replicator *replicator, const struct convex_reply *reply) {
    replicator->call = NULL;
    if (reply->body)
        return true;
    end_job(replicator, reply->cursor_expired ? CONVEX_DELAY_OTHER : reply->retry_delay, reply->message);
    return false;
}

static void commit(struct replicator *replicator, int64_t lsn, bool empty) {
    bucket_storage_commit(replicator->options.storage, lsn, empty);
}

/* Go on with `then`, at once or as the fault point says. */
static void pass_fault_point(struct replicator *replicator, void (*then)(void *)) {
    struct fault_point fault = host_fault_point(replicator->options.host, "replicator.before-commit");
    if (fault.action == FAULT_ERROR)
        end_job(replicator, CONVEX_DELAY_OTHER, "storage failed before a commit");
    else if (fault.action == FAULT_DELAY)
        pause(replicator, fault.delay, then);
    else
        then(replicator);
}

/* Rows */

static struct source_table convex_table(const char *name) {
    return (struct source_table){"default", "convex", name};
}

static void save_row(struct replicator *replicator, const char *table, const char *id, const json_t *document,
                     bool skip_existing) {
    struct arena *arena = &replicator->arena;
    struct row_outputs outputs = {0};
    struct bucket_storage *storage = replicator->options.storage;
    if (document) {
        struct source_table source = convex_table(table);
        struct row row = row_from_document(document, arena);
        evaluate_row(replicator->options.config, storage->number, &source, &row, arena, &outputs);
    }
    bucket_storage_save(storage, table, id, &outputs, skip_existing);
}

/* Snapshot */

static void finish_snapshot(void *context) {
    struct replicator *replicator = context;
    replicator->timer = 0;
    struct bucket_storage *storage = replicator->options.storage;
    assert(!storage->snapshot_done && storage->snapshot_lsn > 0);
    storage->snapshot_done = true;
    commit(replicator, storage->snapshot_lsn, true);
    start_job(replicator);
}

static void save_snapshot_rows(struct replicator *replicator, const char *table, const json_t *values) {
    size_t i;
    json_t *row;
    json_array_foreach((json_t *)(uintptr_t)values, i, row) {
        const char *id = json_text(row, "_id");
        if (id && !json_is_true(json_object_get(row, "_deleted")))
            save_row(replicator, table, id, row, true);
    }
    arena_free(&replicator->arena);
}

static void on_snapshot_page(void *context, const struct convex_reply *reply) {
    struct replicator *replicator = context;
    if (!reply_is_good(replicator, reply))
        return;
    struct bucket_storage *storage = replicator->options.storage;
    const json_t *values = json_object_get(reply->body, "values");
    int64_t snapshot;
    if (!convex_reply_timestamp(reply->body, "snapshot", &snapshot) || snapshot != storage->snapshot_lsn ||
        !json_is_array(values)) {
        end_job(replicator, CONVEX_DELAY_OTHER, "a snapshot page is not of the pinned snapshot");
        return;
    }
    size_t index = replicator->applied;
    assert(index < replicator->options.config->n_patterns);
    const char *table = replicator->options.config->patterns[index].name;
    save_snapshot_rows(replicator, table, values);
    const char *cursor = json_text(reply->body, "cursor");
    bool done = !json_is_true(json_object_get(reply->body, "hasMore")) || !cursor;
    table_progress_set(bucket_storage_table(storage, table), done, cursor);
    snapshot_next(replicator);
}

static void snapshot_next(struct replicator *replicator) {
    struct bucket_storage *storage = replicator->options.storage;
    for (size_t i = 0; i < replicator->options.config->n_patterns; i++) {
        const char *table = replicator->options.config->patterns[i].name;
        const struct table_progress *progress = bucket_storage_table(storage, table);
        if (progress->done || !replicator->listed[i])
            continue;
        replicator->applied = i;
        replicator->call = convex_source_snapshot(&replicator->options.source, storage->snapshot_lsn, table,
                                                  progress->cursor, on_snapshot_page, replicator);
        return;
    }
    pass_fault_point(replicator, finish_snapshot);
}

/* Start of a job: the real service asks json_schemas once per table, before the snapshot and before
 * streaming. */

static void on_schemas(void *context, const struct convex_reply *reply);

static void resolve_next(struct replicator *replicator) {
    if (replicator->resolved < replicator->options.config->n_patterns)
        replicator->call = convex_source_schemas(&replicator->options.source, on_schemas, replicator);
    else if (replicator->streaming)
        poll(replicator);
    else
        snapshot_next(replicator);
}

static void on_schemas(void *context, const struct convex_reply *reply) {
    struct replicator *replicator = context;
    if (!reply_is_good(replicator, reply))
        return;
    size_t index = replicator->resolved++;
    assert(index < replicator->options.config->n_patterns);
    const char *name = replicator->options.config->patterns[index].name;
    replicator->listed[index] = json_object_get(reply->body, name) != NULL;
    if (!replicator->listed[index] && !replicator->streaming) {
        char *text = memory_format("table %s is not in json_schemas: no snapshot of it", name);
        host_note(replicator->options.host, &(struct note){.kind = NOTE_TEXT, .text = text});
        free(text);
    }
    resolve_next(replicator);
}

static void on_head(void *context, const struct convex_reply *reply) {
    struct replicator *replicator = context;
    if (!reply_is_good(replicator, reply))
        return;
    int64_t head;
    if (!convex_reply_timestamp(reply->body, "snapshot", &head) || head == 0) {
        end_job(replicator, CONVEX_DELAY_OTHER, "the snapshot is not a 19-digit timestamp");
        return;
    }
    replicator->options.storage->snapshot_lsn = head; /* before any table work: a resumed snapshot keeps it */
    resolve_next(replicator);
}

static void start_job(void *context) {
    struct replicator *replicator = context;
    const struct bucket_storage *storage = replicator->options.storage;
    replicator->timer = 0;
    replicator->resolved = 0;
    replicator->streaming = storage->snapshot_done;
    replicator->cursor = storage->lsn;
    replicator->last_ts = 0;
    replicator->kept_alive = false;
    if (!storage->snapshot_done && storage->snapshot_lsn == 0)
        replicator->call = convex_source_head(&replicator->options.source, on_head, replicator);
    else
        resolve_next(replicator);
}

/* Streaming */

/* The selected table of a row that counts; NULL for rows to skip. */
static const char *selected_table(const struct replicator *replicator, const json_t *row) {
    const char *name = json_text(row, "_table");
    if (!name || strcmp(name, MARKER_TABLE) == 0 || !json_text(row, "_id"))
        return NULL;
    struct source_table table = convex_table(name);
    return sync_config_selects(replicator->options.config, &table) ? name : NULL;
}

static bool apply_row(struct replicator *replicator, const json_t *row) {
    const char *name = json_text(row, "_table");
    if (!name)
        return true;
    if (strcmp(name, MARKER_TABLE) == 0) {
        replicator->marker = true;
        return true;
    }
    int64_t ts = json_integer_or(row, "_ts", 0);
    if (ts < replicator->last_ts)
        return false;
    replicator->last_ts = ts;
    const char *table = selected_table(replicator, row);
    if (!table)
        return true;
    bool deleted = json_is_true(json_object_get(row, "_deleted"));
    save_row(replicator, table, json_text(row, "_id"), deleted ? NULL : row, false);
    replicator->written = true;
    return true;
}

/* Apply rows up to `end`; false when the job had to end. */
static bool apply_rows(struct replicator *replicator, size_t end) {
    const json_t *values = json_object_get(replicator->page, "values");
    assert(end <= json_array_size(values));
    for (; replicator->applied < end; replicator->applied++) {
        if (!apply_row(replicator, json_array_get(values, replicator->applied))) {
            end_job(replicator, CONVEX_DELAY_OTHER, "timestamps of a delta page go back");
            return false;
        }
    }
    arena_free(&replicator->arena);
    return true;
}

static void next_poll(struct replicator *replicator) {
    assert(replicator->page);
    bool more = json_is_true(json_object_get(replicator->page, "hasMore"));
    json_decref(replicator->page);
    replicator->page = NULL;
    if (more)
        poll(replicator);
    else
        pause(replicator, replicator->options.polling_interval, poll);
}

static void commit_page(void *context) {
    struct replicator *replicator = context;
    replicator->timer = 0;
    bool changes = replicator->written;
    commit(replicator, replicator->cursor, !changes);
    if (!changes) {
        replicator->last_keepalive = host_now(replicator->options.host);
        replicator->kept_alive = true;
    }
    next_poll(replicator);
}

/* Keepalives of an idle source: at once after the start, then once a minute. */
static bool idle_keepalive_due(const struct replicator *replicator, bool idle) {
    return idle && (!replicator->kept_alive ||
                    host_now(replicator->options.host) - replicator->last_keepalive > IDLE_KEEPALIVE);
}

static void finish_page(struct replicator *replicator) {
    if (!apply_rows(replicator, json_array_size(json_object_get(replicator->page, "values"))))
        return;
    int64_t cursor = json_integer_or(replicator->page, "cursor", 0);
    bool idle = cursor == replicator->cursor;
    replicator->cursor = cursor;
    if (replicator->written || replicator->marker)
        pass_fault_point(replicator, commit_page);
    else if (idle_keepalive_due(replicator, idle))
        commit_page(replicator);
    else
        next_poll(replicator); /* the cursor moves in memory only */
}

static void finish_split_page(void *context) {
    struct replicator *replicator = context;
    replicator->timer = 0;
    finish_page(replicator);
}

/* Mutant: where to cut the last transaction of the page that changes several rows; 0: there is none. */
static size_t split_point(const struct replicator *replicator, const json_t *values, int64_t *ts) {
    size_t point = 0, size = json_array_size(values);
    size_t start = 0;
    while (start < size) {
        int64_t current = json_integer_or(json_array_get(values, start), "_ts", 0);
        size_t end = start, selected = 0;
        while (end < size && json_integer_or(json_array_get(values, end), "_ts", 0) == current)
            selected += selected_table(replicator, json_array_get(values, end++)) != NULL;
        size_t half = selected / 2;
        if (half > 0 && current > replicator->cursor) {
            point = start;
            while (half > 0)
                half -= selected_table(replicator, json_array_get(values, point++)) != NULL;
            *ts = current;
        }
        start = end;
    }
    return point;
}

static void commit_half(struct replicator *replicator, size_t point, int64_t ts) {
    if (!apply_rows(replicator, point))
        return;
    assert(ts - 1 >= replicator->cursor);
    host_mark(replicator->options.host, "replicator.split-transaction");
    commit(replicator, ts - 1, false);
    pause(replicator, replicator->options.polling_interval, finish_split_page);
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

static void on_deltas(void *context, const struct convex_reply *reply) {
    struct replicator *replicator = context;
    if (!reply_is_good(replicator, reply))
        return;
    if (!page_is_valid(reply->body)) {
        end_job(replicator, CONVEX_DELAY_OTHER, "a delta page has no values or no 19-digit cursor");
        return;
    }
    assert(!replicator->page && !replicator->timer);
    replicator->page = json_incref(reply->body);
    replicator->applied = 0;
    replicator->written = false;
    replicator->marker = false;
    int64_t ts = 0;
    size_t point = 0;
    if (host_mutant(replicator->options.host, "split-transaction"))
        point = split_point(replicator, json_object_get(replicator->page, "values"), &ts);
    if (point > 0)
        commit_half(replicator, point, ts);
    else
        finish_page(replicator);
}

static void poll(void *context) {
    struct replicator *replicator = context;
    replicator->timer = 0;
    assert(!replicator->call && !replicator->page && replicator->cursor > 0);
    replicator->call =
        convex_source_deltas(&replicator->options.source, replicator->cursor, on_deltas, replicator);
}

struct replicator *replicator_create(const struct replicator_options *options) {
    assert(options->polling_interval > 0);
    struct replicator *replicator = memory_allocate(sizeof *replicator);
    replicator->options = *options;
    replicator->listed = memory_allocate_array(options->config->n_patterns + 1, sizeof *replicator->listed);
    start_job(replicator);
    return replicator;
}

void replicator_destroy(struct replicator *replicator) {
    if (!replicator)
        return;
    convex_call_cancel(replicator->call);
    host_timer_cancel(replicator->options.host, replicator->timer);
    json_decref(replicator->page);
    arena_free(&replicator->arena);
    free(replicator->listed);
    free(replicator);
}
