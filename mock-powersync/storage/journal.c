#include "mock-powersync/storage/journal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-powersync/storage/journal_internal.h"

#define APPLICATION_ID "1400467043" /* the bytes "Sync" */
#define VERSION "1"

/* An operation names its row, type and id in full: what is written is only ever added to, and what rows
 * contribute at present follows from the operations. */
static const char schema[] =
    "PRAGMA application_id = " APPLICATION_ID ";"
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE streams (number INTEGER PRIMARY KEY, text TEXT NOT NULL, file TEXT NOT NULL, state INTEGER,"
    " last_op INTEGER, checkpoint INTEGER, lsn INTEGER, snapshot_done INTEGER, snapshot_lsn INTEGER,"
    " no_checkpoint_before INTEGER, resume_lsn INTEGER, error TEXT, error_at INTEGER);"
    "CREATE TABLE tables (stream INTEGER, name TEXT, done INTEGER NOT NULL, cursor TEXT, replicated INTEGER,"
    " PRIMARY KEY (stream, name)) WITHOUT ROWID;"
    "CREATE TABLE buckets (stream INTEGER, number INTEGER, name BLOB NOT NULL, PRIMARY KEY (stream, number))"
    " WITHOUT ROWID;"
    "CREATE TABLE operations (stream INTEGER, bucket INTEGER, op_id INTEGER, kind INTEGER NOT NULL,"
    " checksum INTEGER NOT NULL, target INTEGER NOT NULL, source TEXT, row TEXT, type TEXT, id TEXT, data "
    "BLOB,"
    " PRIMARY KEY (stream, bucket, op_id)) WITHOUT ROWID;"
    "CREATE TABLE parameters (stream INTEGER, op_id INTEGER, key BLOB NOT NULL, source TEXT NOT NULL,"
    " row TEXT NOT NULL, tuples BLOB, PRIMARY KEY (stream, op_id)) WITHOUT ROWID;"
    "CREATE TABLE write_checkpoints (key TEXT PRIMARY KEY, id INTEGER, head INTEGER, requested_at INTEGER,"
    " supplied INTEGER) WITHOUT ROWID;"
    "PRAGMA user_version = " VERSION ";";

static const char *const texts[JOURNAL_STATEMENTS] = {
    [JOURNAL_META] = "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
                     " WHERE value <> excluded.value",
    [JOURNAL_ADD_STREAM] = "INSERT INTO streams (number, text, file) VALUES (?, ?, ?)",
    [JOURNAL_SET_STREAM] =
        "UPDATE streams SET state = ?2, last_op = ?3, checkpoint = ?4, lsn = ?5, snapshot_done = ?6,"
        " snapshot_lsn = ?7, no_checkpoint_before = ?8, resume_lsn = ?9, error = ?10, error_at = ?11"
        " WHERE number = ?1 AND (state, last_op, checkpoint, lsn, snapshot_done, snapshot_lsn,"
        " no_checkpoint_before, resume_lsn, error, error_at)"
        " IS NOT (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [JOURNAL_SET_TABLE] = "INSERT INTO tables VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
                          " SET done = excluded.done, cursor = excluded.cursor, replicated ="
                          " excluded.replicated WHERE (done, cursor, replicated) IS NOT"
                          " (excluded.done, excluded.cursor, excluded.replicated)",
    [JOURNAL_ADD_BUCKET] = "INSERT OR IGNORE INTO buckets VALUES (?, ?, ?)",
    [JOURNAL_EMPTY_BUCKET] = "DELETE FROM operations WHERE stream = ? AND bucket = ?",
    [JOURNAL_ADD_OPERATION] = "INSERT INTO operations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [JOURNAL_EMPTY_PARAMETERS] = "DELETE FROM parameters WHERE stream = ?",
    [JOURNAL_ADD_PARAMETER] = "INSERT INTO parameters VALUES (?, ?, ?, ?, ?, ?)",
    [JOURNAL_SET_WRITE_CHECKPOINT] = "INSERT OR REPLACE INTO write_checkpoints VALUES (?, ?, ?, ?, ?)",
    [JOURNAL_REMOVE_WRITE_CHECKPOINT] = "DELETE FROM write_checkpoints WHERE key = ?",
};

enum status journal_failed(const struct journal *journal, struct error *error) {
    return error_set(error, STATUS_IO, "the storage's file: %s",
                     journal->database ? sqlite3_errmsg(journal->database) : "out of memory");
}

enum status journal_execute(struct journal *journal, const char *sql, struct error *error) {
    return sqlite3_exec(journal->database, sql, NULL, NULL, NULL) == SQLITE_OK
               ? STATUS_OK
               : journal_failed(journal, error);
}

/* Run a statement with these values: i an int64_t, t a text or NULL, b a pointer and a size_t. */
static bool run(struct journal *journal, enum journal_statement which, const char *format, ...) {
    sqlite3_stmt **statement = &journal->statements[which];
    if (!*statement && sqlite3_prepare_v3(journal->database, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                          statement, NULL) != SQLITE_OK)
        return false;
    va_list values;
    va_start(values, format);
    for (int i = 0; format[i] != '\0'; i++) {
        if (format[i] == 'i') {
            sqlite3_bind_int64(*statement, i + 1, va_arg(values, int64_t));
        } else if (format[i] == 't') {
            sqlite3_bind_text(*statement, i + 1, va_arg(values, const char *), -1, SQLITE_STATIC);
        } else {
            assert(format[i] == 'b');
            const void *bytes = va_arg(values, const void *);
            sqlite3_bind_blob64(*statement, i + 1, bytes, va_arg(values, size_t), SQLITE_STATIC);
        }
    }
    va_end(values);
    bool done = sqlite3_step(*statement) == SQLITE_DONE;
    return sqlite3_reset(*statement) == SQLITE_OK && done;
}

/* Opening */

static enum status configure(struct journal *journal, struct error *error) {
    /* One process at a time: its memory is the truth while it runs. Then the log needs no shared memory. */
    enum status status = journal_execute(journal,
                                         "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                                         " PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; COMMIT;",
                                         error);
    if (status && sqlite3_errcode(journal->database) == SQLITE_NOTADB)
        return error_set(error, STATUS_INVALID, "the storage's file is no SQLite database");
    return status;
}

static int64_t number_of(struct journal *journal, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(journal->database, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

static enum status make_schema(struct journal *journal, struct error *error) {
    if (number_of(journal, "SELECT count(*) FROM sqlite_schema") == 0) {
        enum status status = journal_execute(journal, "BEGIN", error);
        if (!status)
            status = journal_execute(journal, schema, error);
        return status ? status : journal_execute(journal, "COMMIT", error);
    }
    if (number_of(journal, "SELECT application_id = " APPLICATION_ID " FROM pragma_application_id") != 1)
        return error_set(error, STATUS_INVALID, "the storage's file is a database of something else");
    if (number_of(journal, "SELECT user_version = " VERSION " FROM pragma_user_version") != 1)
        return error_set(error, STATUS_INVALID, "the storage's file is of another version of Syncline");
    return STATUS_OK;
}

enum status storage_open(struct storage **storage, const char *path, struct error *error) {
    struct journal *journal = memory_allocate(sizeof *journal);
    struct storage *made = storage_create();
    enum status status = STATUS_OK;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    if (sqlite3_open_v2(path, &journal->database, flags, NULL) != SQLITE_OK)
        status = journal_failed(journal, error);
    if (!status)
        status = configure(journal, error);
    if (!status)
        status = make_schema(journal, error);
    if (!status)
        status = journal_read(journal, made, error);
    made->journal = journal;
    if (status) {
        storage_destroy(made);
        return status;
    }
    storage_terminate_stopped(made);
    *storage = made;
    return STATUS_OK;
}

void journal_close(struct journal *journal) {
    if (!journal)
        return;
    for (size_t i = 0; i < JOURNAL_STATEMENTS; i++)
        sqlite3_finalize(journal->statements[i]);
    sqlite3_close(journal->database);
    free(journal->forgotten);
    free(journal);
}

/* Writing */

void journal_forget(struct journal *journal, int stream) {
    MEMORY_RESERVE(journal->forgotten, journal->forgotten_capacity, journal->n_forgotten + 1);
    journal->forgotten[journal->n_forgotten++] = stream;
}

static bool delete_forgotten(struct journal *journal) {
    static const char *const tables[] = {"streams WHERE number", "tables WHERE stream",
                                         "buckets WHERE stream", "operations WHERE stream",
                                         "parameters WHERE stream"};
    for (size_t i = 0; i < journal->n_forgotten; i++) {
        for (size_t j = 0; j < sizeof tables / sizeof *tables; j++) {
            char sql[100];
            snprintf(sql, sizeof sql, "DELETE FROM %s = %d", tables[j], journal->forgotten[i]);
            if (journal_execute(journal, sql, NULL))
                return false;
        }
    }
    return true;
}

static bool write_operation(struct journal *journal, int64_t stream, const struct bucket *bucket,
                            const struct bucket_operation *operation) {
    const struct operation_place *place = operation->place;
    bool put = operation->kind == OPERATION_PUT;
    return run(journal, JOURNAL_ADD_OPERATION, "iiiiiittttb", stream, (int64_t)bucket->number,
               (int64_t)operation->op_id, (int64_t)operation->kind, (int64_t)operation->checksum,
               place ? INT64_C(0) : (int64_t)operation->target_op, place ? place->row->table : NULL,
               place ? place->row->id : NULL, place ? place->object_type : NULL,
               place ? operation_place_id(place) : NULL, put ? operation->data : NULL,
               (size_t)operation->data_length);
}

static bool write_bucket(struct journal *journal, struct bucket_storage *buckets, struct bucket *bucket) {
    int64_t stream = buckets->number;
    if (bucket->number == 0)
        bucket->number = ++buckets->last_bucket;
    bool good = true;
    if (bucket->stored == 0)
        good = run(journal, JOURNAL_ADD_BUCKET, "iib", stream, (int64_t)bucket->number, bucket->name,
                   strlen(bucket->name));
    if (bucket->rewritten)
        good = good && run(journal, JOURNAL_EMPTY_BUCKET, "ii", stream, (int64_t)bucket->number);
    for (size_t i = bucket->stored; good && i < bucket->count; i++)
        good = write_operation(journal, stream, bucket, &bucket->operations[i]);
    return good;
}

/* Versions of an entry that the file does not have, oldest first. */
static bool write_versions(struct journal *journal, int64_t stream, const struct lookup_entry *entry,
                           const struct lookup_version *version, uint64_t stored_op) {
    if (!version || version->op_id <= stored_op)
        return true;
    if (!write_versions(journal, stream, entry, version->older, stored_op))
        return false;
    return run(journal, JOURNAL_ADD_PARAMETER, "iibttb", stream, (int64_t)version->op_id, entry->lookup->key,
               entry->lookup->key_length, entry->row->table, entry->row->id, version->values,
               (size_t)version->length);
}

static bool write_parameters(struct journal *journal, const struct bucket_storage *buckets) {
    const struct parameter_index *index = &buckets->parameters;
    int64_t stream = buckets->number;
    bool good = true;
    if (!index->rewritten) {
        for (size_t i = 0; good && i < index->n_unstored; i++)
            good = write_versions(journal, stream, index->unstored[i], index->unstored[i]->newest,
                                  index->stored_op);
        return good;
    }
    good = run(journal, JOURNAL_EMPTY_PARAMETERS, "i", stream);
    struct map_entry *found;
    for (size_t i = 0; good && (found = map_next(&index->lookups, &i));) {
        const struct lookup *lookup = found->value;
        for (const struct lookup_entry *entry = lookup->first; good && entry; entry = entry->next)
            good = write_versions(journal, stream, entry, entry->newest, 0);
    }
    return good;
}

static bool write_tables(struct journal *journal, const struct bucket_storage *buckets) {
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&buckets->tables, &i));) {
        const struct table_progress *progress = entry->value;
        if (!run(journal, JOURNAL_SET_TABLE, "ititi", (int64_t)buckets->number, entry->key,
                 (int64_t)progress->done, progress->cursor, progress->replicated))
            return false;
    }
    return true;
}

static bool write_stream(struct journal *journal, const struct replication_stream *stream) {
    struct bucket_storage *buckets = stream->buckets;
    int64_t number = stream->number;
    if (!stream->stored && !run(journal, JOURNAL_ADD_STREAM, "itt", number, stream->text, stream->file))
        return false;
    if (!run(journal, JOURNAL_SET_STREAM, "iiiiiiiiiti", number, (int64_t)stream->state,
             (int64_t)buckets->last_op, (int64_t)buckets->checkpoint, buckets->lsn,
             (int64_t)buckets->snapshot_done, buckets->snapshot_lsn, buckets->no_checkpoint_before,
             buckets->resume_lsn, stream->error, stream->error_at))
        return false;
    for (size_t i = 0; i < buckets->unstored.count; i++)
        if (!write_bucket(journal, buckets, buckets->unstored.buckets[i]))
            return false;
    return write_tables(journal, buckets) && write_parameters(journal, buckets);
}

static bool write_write_checkpoints(struct journal *journal, const struct write_checkpoints *checkpoints) {
    bool good = true;
    for (size_t i = 0; good && i < checkpoints->n_unstored; i++) {
        const struct write_checkpoint *record = checkpoints->unstored[i];
        if (record->id == 0)
            good = run(journal, JOURNAL_REMOVE_WRITE_CHECKPOINT, "t", record->key);
        else
            good = run(journal, JOURNAL_SET_WRITE_CHECKPOINT, "tiiii", record->key, record->id, record->head,
                       record->requested_at, (int64_t)record->supplied);
    }
    return good;
}

static bool write_all(struct journal *journal, const struct storage *storage) {
    if (!delete_forgotten(journal) ||
        !run(journal, JOURNAL_META, "ti", "last_op", (int64_t)storage->last_op) ||
        !run(journal, JOURNAL_META, "ti", "last_number", (int64_t)storage->last_number))
        return false;
    for (size_t i = 0; i < storage->n_streams; i++)
        if (!write_stream(journal, storage->streams[i]))
            return false;
    return write_write_checkpoints(journal, &storage->write_checkpoints);
}

/* Everything is in the file. */
static void remember_written(struct journal *journal, struct storage *storage) {
    journal->n_forgotten = 0;
    for (size_t i = 0; i < storage->n_streams; i++) {
        struct bucket_storage *buckets = storage->streams[i]->buckets;
        storage->streams[i]->stored = true;
        for (size_t j = 0; j < buckets->unstored.count; j++) {
            struct bucket *bucket = buckets->unstored.buckets[j];
            bucket->stored = bucket->count;
            bucket->unstored = bucket->rewritten = false;
        }
        buckets->unstored.count = 0;
        parameter_index_stored(&buckets->parameters, buckets->last_op);
    }
    write_checkpoints_stored(&storage->write_checkpoints);
}

enum status journal_flush(struct journal *journal, struct storage *storage, struct error *error) {
    enum status status = journal_execute(journal, "BEGIN IMMEDIATE", error);
    if (status)
        return status;
    if (!write_all(journal, storage))
        status = journal_failed(journal, error);
    if (!status)
        status = journal_execute(journal, "COMMIT", error);
    if (!status)
        remember_written(journal, storage);
    else if (!sqlite3_get_autocommit(journal->database))
        journal_execute(journal, "ROLLBACK", NULL);
    return status;
}
