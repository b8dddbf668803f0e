/* Storage in a file: everything that was flushed comes back, and a crash at any write, or a disk that fails
 * for a while, loses and doubles nothing (invariants I2, I8, I12, I14 and I15 of the service). */
#include "mock-powersync/unit.h"

#include <stdio.h>
#include <unistd.h>

#include "mock-powersync/breaking_vfs.h"
#include "mock-powersync/storage_work.h"

#define BOUNDARY 1000 /* position of the first snapshot; change i has position BOUNDARY + 1 + i */

enum { CHANGES = 42, REDEPLOY_AT = 24, SNAPSHOT_PAGE = 5, DELTA_PAGE = 3 };

static const char *const configs[] = {WORK_CONFIG, WORK_CONFIG "  more:\n    query: SELECT * FROM items\n"};

/* What happens in the source, whoever reads it. */
struct source {
    struct work_row initial[WORK_ROWS];
    struct {
        unsigned row;
        struct work_row value;
    } changes[CHANGES];
};

static void source_make(struct source *source, uint64_t seed) {
    struct dice dice = {.seed = seed};
    for (unsigned i = 0; i < WORK_ROWS; i++)
        source->initial[i] = work_row_roll(&dice, i);
    for (unsigned i = 0; i < CHANGES; i++) {
        source->changes[i].row = roll(&dice, WORK_ROWS);
        source->changes[i].value = work_row_roll(&dice, 100 + i);
    }
}

static void source_at(const struct source *source, int64_t position, struct work_row rows[WORK_ROWS]) {
    memcpy(rows, source->initial, sizeof source->initial);
    for (int64_t i = 0; BOUNDARY + 1 + i <= position; i++)
        rows[source->changes[i].row] = source->changes[i].value;
}

struct run {
    struct source source;
    struct breaking_vfs *vfs;
    char directory[40];
    char path[80];
    struct storage *storage;
    /* What the world outside has seen */
    int stream;          /* that the client follows */
    uint64_t checkpoint; /* that it completed */
    struct reduced client[WORK_BUCKETS];
    uint64_t highest_op;
    int64_t answered; /* newest write checkpoint */
};

static void client_forget(struct run *run) {
    for (unsigned i = 0; i < WORK_BUCKETS; i++) {
        reduced_free(&run->client[i]);
        run->client[i] = (struct reduced){0};
    }
}

/* The client takes the present checkpoint and compares it with the source at its position. */
static void client_sync(struct run *run) {
    const struct replication_stream *stream = storage_serving(run->storage);
    if (!stream)
        return;
    if (stream->number != run->stream) {
        assert_true(stream->number > run->stream);
        client_forget(run);
        run->checkpoint = 0;
    }
    struct bucket_storage *buckets = stream->buckets;
    assert_true(buckets->checkpoint >= run->checkpoint); /* I2 */
    run->stream = stream->number;
    run->checkpoint = buckets->checkpoint;
    run->highest_op = run->storage->last_op > run->highest_op ? run->storage->last_op : run->highest_op;
    struct work_row rows[WORK_ROWS];
    source_at(&run->source, buckets->lsn, rows);
    for (unsigned i = 0; i < WORK_BUCKETS; i++) {
        const struct bucket *bucket = work_bucket(buckets, i);
        assert_false(bucket_is_compacted_past(bucket, run->client[i].after, buckets->checkpoint));
        reduced_read(&run->client[i], bucket, buckets->checkpoint, SIZE_MAX);
        char *expected = model_bucket(rows, i), *found = reduced_text(&run->client[i]);
        assert_string_equal(found, expected);
        assert_int_equal(reduced_checksum(&run->client[i]),
                         bucket_state_at(bucket, buckets->checkpoint).checksum);
        free(expected);
        free(found);
    }
    for (unsigned i = 0; i < WORK_KEYS; i++) {
        char *expected = model_lookup(rows, i), *found = storage_tuples(buckets, i, buckets->checkpoint);
        assert_string_equal(found, expected);
        free(expected);
        free(found);
    }
}

/* The job of one stream, as far as the disk lets it. False: the disk failed. */

static bool commit(struct run *run, struct bucket_storage *buckets, int64_t position, bool empty) {
    bool made = bucket_storage_commit(buckets, position, empty);
    assert_true(!made || !run->vfs->broken);
    client_sync(run);
    return !run->vfs->broken;
}

static bool snapshot(struct run *run, struct bucket_storage *buckets, int64_t boundary) {
    if (buckets->snapshot_lsn == 0)
        buckets->snapshot_lsn = boundary;
    struct work_row rows[WORK_ROWS];
    source_at(&run->source, buckets->snapshot_lsn, rows);
    struct table_progress *progress = bucket_storage_table(buckets, "items");
    while (!progress->done) {
        unsigned first = progress->cursor ? (unsigned)strtoul(progress->cursor, NULL, 10) : 0;
        unsigned next = first + SNAPSHOT_PAGE;
        for (unsigned i = first; i < next && i < WORK_ROWS; i++)
            work_save(buckets, i, &rows[i], true);
        char cursor[20];
        snprintf(cursor, sizeof cursor, "%u", next);
        table_progress_set(progress, next >= WORK_ROWS, cursor);
        progress->replicated += SNAPSHOT_PAGE;
        if (storage_flush(run->storage, NULL))
            return false;
    }
    buckets->snapshot_done = true;
    return commit(run, buckets, buckets->snapshot_lsn, true);
}

static bool ask_for_checkpoint(struct run *run, int64_t head) {
    struct write_checkpoints *checkpoints = &run->storage->write_checkpoints;
    int64_t id = write_checkpoints_next(checkpoints, "user", head, head);
    if (storage_flush(run->storage, NULL))
        return false;
    assert_true(id > run->answered);
    run->answered = id;
    return true;
}

/* Some upkeep between pages. */
static bool look_after(struct run *run, int64_t position) {
    if (position % 2 == 0 && !ask_for_checkpoint(run, position))
        return false;
    struct compaction_options options = {.expire_before = position};
    return position % 4 != 0 || storage_compact(run->storage, NULL, &options, NULL, NULL) == STATUS_OK;
}

static bool stream_changes(struct run *run, struct bucket_storage *buckets, int64_t end) {
    while (buckets->resume_lsn < end) {
        int64_t page = buckets->resume_lsn + DELTA_PAGE;
        for (int64_t i = buckets->resume_lsn + 1; i <= page; i++) {
            work_save(buckets, run->source.changes[i - BOUNDARY - 1].row,
                      &run->source.changes[i - BOUNDARY - 1].value, false);
            if (i % 5 == 0 && storage_flush(run->storage, NULL))
                return false;
        }
        /* A page that changes nothing is a keepalive here, so that the position moves. */
        if (!commit(run, buckets, page, true) || !look_after(run, page))
            return false;
    }
    return true;
}

static bool replicate(struct run *run, struct replication_stream *stream, int64_t boundary, int64_t end) {
    if (!stream->buckets->snapshot_done && !snapshot(run, stream->buckets, boundary))
        return false;
    if (stream->buckets->lsn == 0 && !commit(run, stream->buckets, stream->buckets->snapshot_lsn, true))
        return false;
    return stream_changes(run, stream->buckets, end);
}

/* From wherever the storage stands to the end: a first config, and from REDEPLOY_AT on a second one. */
static bool work(struct run *run) {
    const int64_t redeploy = BOUNDARY + REDEPLOY_AT, end = BOUNDARY + CHANGES;
    if (run->storage->last_number == 0 &&
        storage_deploy(run->storage, configs[0], "sync.yaml", false, NULL, NULL))
        return false;
    struct replication_stream *stream = storage_deploying(run->storage);
    stream = stream ? stream : storage_serving(run->storage);
    if (strcmp(stream->text, configs[0]) == 0) {
        if (!replicate(run, stream, BOUNDARY, redeploy) ||
            storage_deploy(run->storage, configs[1], "sync.yaml", false, &stream, NULL))
            return false;
    }
    return replicate(run, stream, redeploy, end);
}

static bool run_open(struct run *run) {
    if (storage_open(&run->storage, run->path, NULL))
        return false;
    storage_check(run->storage);
    assert_true(run->storage->last_op >= run->checkpoint);
    const struct replication_stream *serving = storage_serving(run->storage);
    assert_true(run->stream == 0 || (serving && serving->number >= run->stream));
    assert_true(write_checkpoints_record(&run->storage->write_checkpoints, "user")->id >= run->answered);
    client_sync(run);
    return true;
}

static void run_begin(struct run *run, uint64_t seed) {
    *run = (struct run){.vfs = breaking_vfs_create()};
    source_make(&run->source, seed);
    snprintf(run->directory, sizeof run->directory, "/tmp/syncline-journal-XXXXXX");
    assert_non_null(mkdtemp(run->directory));
    snprintf(run->path, sizeof run->path, "file:%s/storage?vfs=breaking", run->directory);
}

static void run_end(struct run *run) {
    storage_destroy(run->storage);
    client_forget(run);
    breaking_vfs_destroy(run->vfs);
    static const char *const files[] = {"storage", "storage-wal", "storage-journal"};
    for (size_t i = 0; i < 3; i++) {
        char path[100];
        snprintf(path, sizeof path, "%s/%s", run->directory, files[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(run->directory), 0);
}

/* The end is the same, whatever happened on the way; and the file says what memory says. */
static void assert_finished(struct run *run) {
    const struct replication_stream *serving = storage_serving(run->storage);
    assert_int_equal(run->storage->n_streams, 1);
    assert_int_equal(serving->number, 2);
    assert_int_equal(serving->buckets->lsn, BOUNDARY + CHANGES);
    client_sync(run);
    storage_check(run->storage);
    char *before = storage_text(serving->buckets);
    storage_destroy(run->storage);
    assert_true(run_open(run));
    char *after = storage_text(storage_serving(run->storage)->buckets);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void crash_at_any_write(void **state) {
    (void)state;
    long n = 0;
    for (bool broke = true; broke; n++) {
        struct run run;
        run_begin(&run, 1);
        breaking_vfs_repair(run.vfs, n);
        if (!run_open(&run) || !work(&run)) {
            storage_destroy(run.storage); /* the process is gone */
            run.storage = NULL;
            breaking_vfs_repair(run.vfs, -1);
            assert_true(run_open(&run));
            assert_true(work(&run));
        } else {
            broke = run.vfs->broken; /* the last write of all may do without */
        }
        breaking_vfs_repair(run.vfs, -1);
        assert_finished(&run);
        run_end(&run);
    }
    assert_true(n > 200);
}

/* The process lives on: what could not be written stays in memory, unseen, until it can. */
static void disk_fails_at_any_write(void **state) {
    (void)state;
    long n = 20;
    for (bool broke = true; broke; n++) {
        struct run run;
        run_begin(&run, 2);
        assert_true(run_open(&run));
        breaking_vfs_repair(run.vfs, n);
        broke = !work(&run);
        breaking_vfs_repair(run.vfs, -1);
        if (broke)
            assert_true(work(&run));
        assert_finished(&run);
        run_end(&run);
    }
    assert_true(n > 200);
}

static void same_for_other_histories(void **state) {
    (void)state;
    for (uint64_t seed = 10; seed < 30; seed++) {
        struct run run;
        run_begin(&run, seed);
        assert_true(run_open(&run));
        assert_true(work(&run));
        assert_finished(&run);
        run_end(&run);
    }
}

static void details_come_back(void **state) {
    (void)state;
    struct run run;
    run_begin(&run, 3);
    assert_true(run_open(&run));
    struct replication_stream *stream;
    assert_int_equal(storage_deploy(run.storage, WORK_CONFIG, "my.yaml", false, &stream, NULL), STATUS_OK);
    stream->buckets->snapshot_lsn = 77;
    stream->buckets->no_checkpoint_before = 88;
    table_progress_set(bucket_storage_table(stream->buckets, "a"), true, NULL);
    table_progress_set(bucket_storage_table(stream->buckets, "b"), false, "the \"cursor\"");
    bucket_storage_table(stream->buckets, "b")->replicated = 99;
    replication_stream_report(stream, "it failed", 123);
    struct write_checkpoints *checkpoints = &run.storage->write_checkpoints;
    write_checkpoints_supply(checkpoints, "ann/1", 9, 1234, 55);
    write_checkpoints_next(checkpoints, "bob", 99, 66);
    assert_int_equal(storage_flush(run.storage, NULL), STATUS_OK);
    bucket_storage_table(stream->buckets, "b")->replicated = 100; /* not flushed */
    storage_destroy(run.storage);

    assert_true(run_open(&run));
    stream = storage_deploying(run.storage);
    assert_string_equal(stream->file, "my.yaml");
    assert_string_equal(stream->text, WORK_CONFIG);
    assert_int_equal(stream->buckets->snapshot_lsn, 77);
    assert_int_equal(stream->buckets->no_checkpoint_before, 88);
    assert_true(bucket_storage_table(stream->buckets, "a")->done);
    assert_null(bucket_storage_table(stream->buckets, "a")->cursor);
    assert_string_equal(bucket_storage_table(stream->buckets, "b")->cursor, "the \"cursor\"");
    assert_int_equal(bucket_storage_table(stream->buckets, "b")->replicated, 99);
    assert_string_equal(stream->error, "it failed");
    assert_int_equal(stream->error_at, 123);
    const struct write_checkpoint *record =
        write_checkpoints_record(&run.storage->write_checkpoints, "ann/1");
    assert_int_equal(record->id, 9);
    assert_int_equal(record->head, 1234);
    assert_int_equal(record->requested_at, 55);
    assert_true(record->supplied && record->pending);
    assert_false(write_checkpoints_record(&run.storage->write_checkpoints, "bob")->supplied);
    run_end(&run);
}

/* A stream that was stopped while somebody held it goes when the storage is opened again. */
static void stopped_streams_go(void **state) {
    (void)state;
    struct run run;
    run_begin(&run, 4);
    assert_true(run_open(&run));
    struct replication_stream *first, *second;
    assert_int_equal(storage_deploy(run.storage, configs[0], "sync.yaml", false, &first, NULL), STATUS_OK);
    work_save(first->buckets, 0, &run.source.initial[1], false);
    replication_stream_hold(first);
    assert_int_equal(storage_deploy(run.storage, configs[1], "sync.yaml", false, &second, NULL), STATUS_OK);
    assert_int_equal(first->state, STREAM_STOPPED);
    first->holders = 0; /* its holder died with the process */
    storage_destroy(run.storage);
    assert_true(run_open(&run));
    assert_int_equal(run.storage->n_streams, 1);
    assert_int_equal(run.storage->streams[0]->number, 2);
    assert_int_equal(storage_flush(run.storage, NULL), STATUS_OK);
    storage_destroy(run.storage);
    assert_true(run_open(&run));
    assert_int_equal(run.storage->n_streams, 1);
    run_end(&run);
}

static void only_storages_are_opened(void **state) {
    (void)state;
    struct run run;
    run_begin(&run, 5);
    struct error error;
    struct storage *storage = NULL;
    assert_int_equal(storage_open(&storage, "/nowhere/at/all", &error), STATUS_IO);
    assert_true(strlen(error.message) > 0);

    assert_true(run_open(&run));
    assert_int_equal(storage_open(&storage, run.path, &error), STATUS_IO); /* one process at a time */
    assert_non_null(strstr(error.message, "locked"));
    storage_destroy(run.storage);
    run.storage = NULL;

    char path[100];
    snprintf(path, sizeof path, "%s/storage", run.directory);
    sqlite3 *other;
    unlink(path);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "CREATE TABLE mine (x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    assert_int_equal(storage_open(&storage, path, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "something else"));
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("no database ", file);
    fclose(file);
    assert_int_equal(storage_open(&storage, path, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "no SQLite database"));
    run_end(&run);
}

/* A damaged file is refused, or opened as what it says; it never takes the process down. */
static void damaged_files(void **state) {
    (void)state;
    struct run run;
    run_begin(&run, 6);
    assert_true(run_open(&run));
    assert_true(work(&run));
    storage_destroy(run.storage);
    run.storage = NULL;
    char path[100];
    snprintf(path, sizeof path, "%s/storage", run.directory);
    static char good[1 << 20], bad[1 << 20];
    FILE *file = fopen(path, "r");
    size_t length = fread(good, 1, sizeof good, file);
    fclose(file);
    assert_true(length > 4096 && length < sizeof good);
    struct dice dice = {.seed = 6};
    unsigned refused = 0, taken = 0;
    for (unsigned i = 0; i < 600; i++) {
        memcpy(bad, good, length);
        for (unsigned j = 0; j < 1 + i % 8; j++)
            bad[roll(&dice, (unsigned)length)] = (char)roll(&dice, 256);
        file = fopen(path, "w");
        assert_int_equal(fwrite(bad, 1, length, file), length);
        fclose(file);
        struct error error = {0};
        struct storage *storage;
        if (storage_open(&storage, run.path, &error) == STATUS_OK) {
            taken++;
            storage_destroy(storage);
        } else {
            refused++;
            assert_true(strlen(error.message) > 0);
        }
    }
    assert_true(refused > 100 && taken > 100);
    run_end(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(details_come_back),        cmocka_unit_test(stopped_streams_go),
        cmocka_unit_test(only_storages_are_opened), cmocka_unit_test(same_for_other_histories),
        cmocka_unit_test(crash_at_any_write),       cmocka_unit_test(damaged_files),
        cmocka_unit_test(disk_fails_at_any_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
