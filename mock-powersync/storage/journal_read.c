/* Reading a storage's file back. What rows contribute and what is not published yet follows from the
 * operations. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-powersync/storage/journal_internal.h"

struct reader {
    struct journal *journal;
    struct storage *storage;
    struct replication_stream *stream; /* that is being read */
    struct bucket **buckets;           /* of it, by number */
    uint64_t last_parameter;           /* of it: op id */
    struct error *error;
};

/* Calls `read` with every row of the query; `stream` fills its parameter. */
static enum status each_row(struct reader *reader, const char *sql, int stream,
                            enum status (*read)(struct reader *, sqlite3_stmt *)) {
    sqlite3_stmt *statement = NULL;
    enum status status = STATUS_OK;
    if (sqlite3_prepare_v2(reader->journal->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return journal_failed(reader->journal, reader->error);
    if (stream > 0)
        sqlite3_bind_int(statement, 1, stream);
    int result = SQLITE_ROW;
    while (!status && (result = sqlite3_step(statement)) == SQLITE_ROW)
        status = read(reader, statement);
    if (!status && result != SQLITE_DONE)
        status = journal_failed(reader->journal, reader->error);
    sqlite3_finalize(statement);
    return status;
}

/* A column that may be NULL. */
static const char *text_or_null(sqlite3_stmt *statement, int column) {
    return (const char *)sqlite3_column_text(statement, column);
}

static const char *text(sqlite3_stmt *statement, int column) {
    const char *found = text_or_null(statement, column);
    return found ? found : "";
}

static size_t bytes(sqlite3_stmt *statement, int column) {
    return (size_t)sqlite3_column_bytes(statement, column);
}

static enum status damaged(const struct reader *reader, const char *what) {
    return error_set(reader->error, STATUS_INVALID, "the storage's file is damaged: %s", what);
}

static enum status read_meta(struct reader *reader, sqlite3_stmt *row) {
    int64_t value = sqlite3_column_int64(row, 1);
    if (value < 0 || (strcmp(text(row, 0), "last_op") != 0 && value >= INT_MAX))
        return damaged(reader, "the numbers of operations and streams");
    if (strcmp(text(row, 0), "last_op") == 0)
        reader->storage->last_op = (uint64_t)value;
    else
        reader->storage->last_number = (int)value;
    return STATUS_OK;
}

static enum status read_stream(struct reader *reader, sqlite3_stmt *row) {
    int64_t number = sqlite3_column_int64(row, 0);
    if (number < 1 || number > reader->storage->last_number)
        return damaged(reader, "the number of a stream");
    struct replication_stream *stream =
        storage_add_stream(reader->storage, (int)number, text(row, 1), text(row, 2), reader->error);
    if (!stream)
        return STATUS_INVALID;
    struct bucket_storage *buckets = stream->buckets;
    int state = sqlite3_column_int(row, 3);
    if (state < STREAM_PROCESSING || state > STREAM_STOPPED)
        return damaged(reader, "the state of a stream");
    stream->state = (enum stream_state)state;
    stream->stored = true;
    buckets->last_op = (uint64_t)sqlite3_column_int64(row, 4);
    buckets->checkpoint = buckets->previous = (uint64_t)sqlite3_column_int64(row, 5);
    buckets->lsn = sqlite3_column_int64(row, 6);
    buckets->snapshot_done = sqlite3_column_int(row, 7) != 0;
    buckets->snapshot_lsn = sqlite3_column_int64(row, 8);
    buckets->no_checkpoint_before = sqlite3_column_int64(row, 9);
    buckets->resume_lsn = sqlite3_column_int64(row, 10);
    if (buckets->last_op > reader->storage->last_op || buckets->checkpoint > buckets->last_op)
        return damaged(reader, "the checkpoint of a stream");
    stream->error = memory_copy_text(text_or_null(row, 11));
    stream->error_at = sqlite3_column_int64(row, 12);
    return STATUS_OK;
}

static enum status read_table(struct reader *reader, sqlite3_stmt *row) {
    struct table_progress *progress = bucket_storage_table(reader->stream->buckets, text(row, 0));
    table_progress_set(progress, sqlite3_column_int(row, 1) != 0, text_or_null(row, 2));
    progress->replicated = sqlite3_column_int64(row, 3);
    return STATUS_OK;
}

static enum status read_bucket(struct reader *reader, sqlite3_stmt *row) {
    struct bucket_storage *buckets = reader->stream->buckets;
    struct bucket *bucket = bucket_storage_bucket(buckets, text(row, 1), bytes(row, 1));
    int64_t number = sqlite3_column_int64(row, 0);
    if (number != (int64_t)buckets->last_bucket + 1)
        return damaged(reader, "the numbers of buckets");
    bucket->number = ++buckets->last_bucket;
    reader->buckets =
        memory_resize(reader->buckets, (size_t)buckets->last_bucket + 1, sizeof *reader->buckets);
    reader->buckets[bucket->number] = bucket;
    return STATUS_OK;
}

static struct source_row *row_of(struct bucket_storage *buckets, const char *table, const char *id) {
    struct source_row *row = source_rows_find(&buckets->rows, table, id);
    return row ? row : source_rows_add(&buckets->rows, bucket_storage_text(buckets, table), id);
}

/* What the row contributes after this PUT or REMOVE. */
static void follow(struct bucket_storage *buckets, struct bucket *bucket,
                   const struct bucket_operation *operation) {
    struct source_row *row = operation->place->row;
    const struct emitted *before = source_row_emitted(row);
    struct emitted *now = memory_allocate_array(row->n_emitted + 1, sizeof *now);
    size_t count = 0;
    for (size_t i = 0; i < row->n_emitted; i++)
        if (before[i].bucket != bucket || before[i].place != operation->place)
            now[count++] = before[i];
    if (operation->kind == OPERATION_PUT)
        now[count++] = (struct emitted){bucket, operation->place};
    for (size_t i = 0; i < count; i++)
        now[i].place->references++;
    source_row_set_emitted(&buckets->rows, row, now, count);
}

static enum status read_operation(struct reader *reader, sqlite3_stmt *row) {
    struct bucket_storage *buckets = reader->stream->buckets;
    int64_t number = sqlite3_column_int64(row, 0);
    int kind = sqlite3_column_int(row, 2);
    if (number < 1 || number > buckets->last_bucket || kind < OPERATION_PUT || kind > OPERATION_CLEAR)
        return damaged(reader, "an operation");
    struct bucket *bucket = reader->buckets[number];
    uint64_t op_id = (uint64_t)sqlite3_column_int64(row, 1);
    uint64_t last = bucket->count > 0 ? bucket->operations[bucket->count - 1].op_id : 0;
    if (op_id <= last || op_id > buckets->last_op)
        return damaged(reader, "the id of an operation");
    struct bucket_operation operation = {
        .op_id = op_id, .checksum = (uint32_t)sqlite3_column_int64(row, 3), .kind = (unsigned char)kind};
    if (kind == OPERATION_MOVE || kind == OPERATION_CLEAR) {
        operation.target_op = (uint64_t)sqlite3_column_int64(row, 4);
    } else {
        const char *type = bucket_storage_text(buckets, text(row, 7));
        struct source_row *source = row_of(buckets, text(row, 5), text(row, 6));
        operation.place = source_row_place(&buckets->rows, source, type, text(row, 8));
    }
    if (kind == OPERATION_PUT) {
        size_t length = bytes(row, 9);
        if (length > ROW_BYTES_LIMIT)
            return damaged(reader, "an operation");
        operation.data = operation_keep_data(buckets, sqlite3_column_blob(row, 9), length);
        operation.data_length = (uint32_t)length & 0xffffff;
    }
    bucket_append(buckets, bucket, operation);
    bucket->stored = bucket->count;
    if (operation.place)
        follow(buckets, bucket, &operation);
    return STATUS_OK;
}

static enum status read_parameter(struct reader *reader, sqlite3_stmt *row) {
    struct bucket_storage *buckets = reader->stream->buckets;
    uint64_t op_id = (uint64_t)sqlite3_column_int64(row, 0);
    if (op_id <= reader->last_parameter || op_id > buckets->last_op)
        return damaged(reader, "the id of a parameter");
    reader->last_parameter = op_id;
    struct source_row *source = row_of(buckets, text(row, 2), text(row, 3));
    parameter_index_restore(&buckets->parameters, source, text(row, 1), bytes(row, 1), op_id,
                            sqlite3_column_blob(row, 4), bytes(row, 4));
    return STATUS_OK;
}

static enum status read_write_checkpoint(struct reader *reader, sqlite3_stmt *row) {
    struct write_checkpoints *checkpoints = &reader->storage->write_checkpoints;
    const struct replication_stream *serving = storage_serving(reader->storage);
    struct write_checkpoint *record = write_checkpoints_record(checkpoints, text(row, 0));
    record->id = sqlite3_column_int64(row, 1);
    record->head = sqlite3_column_int64(row, 2);
    record->requested_at = sqlite3_column_int64(row, 3);
    record->supplied = sqlite3_column_int(row, 4) != 0;
    if (!serving || record->head > serving->buckets->lsn)
        write_checkpoint_wait(checkpoints, record);
    return STATUS_OK;
}

/* Only what lies beyond the checkpoint waits for a commit. */
static void restore_touched(struct bucket_storage *buckets) {
    size_t kept = 0;
    for (size_t i = 0; i < buckets->touched.count; i++) {
        struct bucket *bucket = buckets->touched.buckets[i];
        bucket->touched = bucket->operations[bucket->count - 1].op_id > buckets->checkpoint;
        if (bucket->touched)
            buckets->touched.buckets[kept++] = bucket;
    }
    buckets->touched.count = kept;
}

static enum status read_contents(struct reader *reader) {
    static const struct {
        const char *sql;
        enum status (*read)(struct reader *, sqlite3_stmt *);
    } parts[] = {
        {"SELECT name, done, cursor, replicated FROM tables WHERE stream = ?", read_table},
        {"SELECT number, name FROM buckets WHERE stream = ? ORDER BY number", read_bucket},
        {"SELECT bucket, op_id, kind, checksum, target, source, row, type, id, data FROM operations"
         " WHERE stream = ? ORDER BY bucket, op_id",
         read_operation},
        {"SELECT op_id, key, source, row, tuples FROM parameters WHERE stream = ? ORDER BY op_id",
         read_parameter},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; !status && i < sizeof parts / sizeof *parts; i++)
        status = each_row(reader, parts[i].sql, reader->stream->number, parts[i].read);
    return status;
}

enum status journal_read(struct journal *journal, struct storage *storage, struct error *error) {
    struct reader reader = {.journal = journal, .storage = storage, .error = error};
    enum status status = each_row(&reader, "SELECT name, value FROM meta", 0, read_meta);
    if (!status)
        status = each_row(&reader, "SELECT * FROM streams ORDER BY number", 0, read_stream);
    for (size_t i = 0; !status && i < storage->n_streams; i++) {
        reader.stream = storage->streams[i];
        reader.last_parameter = 0;
        status = read_contents(&reader);
        restore_touched(reader.stream->buckets);
        reader.stream->buckets->parameters.lists_unstored = true;
        parameter_index_stored(&reader.stream->buckets->parameters, reader.stream->buckets->last_op);
    }
    free(reader.buckets);
    if (!status)
        status = each_row(&reader, "SELECT * FROM write_checkpoints", 0, read_write_checkpoint);
    storage->write_checkpoints.lists_unstored = true;
    return status;
}
