#include "mock-powersync/storage/storage.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-powersync/storage/journal.h"

struct storage *storage_create(void) {
    return memory_allocate(sizeof(struct storage));
}

static void free_stream(struct replication_stream *stream) {
    bucket_storage_destroy(stream->buckets);
    sync_config_destroy(stream->config);
    free(stream->text);
    free(stream->file);
    free(stream->error);
    free(stream);
}

void storage_destroy(struct storage *storage) {
    if (!storage)
        return;
    assert(!storage->changes.first);
    for (size_t i = 0; i < storage->n_streams; i++) {
        assert(storage->streams[i]->holders == 0);
        free_stream(storage->streams[i]);
    }
    free(storage->streams);
    write_checkpoints_free(&storage->write_checkpoints);
    journal_close(storage->journal);
    free(storage);
}

enum status storage_flush(struct storage *storage, struct error *error) {
    return storage->journal ? journal_flush(storage->journal, storage, error) : STATUS_OK;
}

/* Streams */

static struct replication_stream *stream_in(const struct storage *storage, enum stream_state a,
                                            enum stream_state b) {
    for (size_t i = 0; i < storage->n_streams; i++)
        if (storage->streams[i]->state == a || storage->streams[i]->state == b)
            return storage->streams[i];
    return NULL;
}

struct replication_stream *storage_serving(const struct storage *storage) {
    return stream_in(storage, STREAM_ACTIVE, STREAM_ERRORED);
}

struct replication_stream *storage_deploying(const struct storage *storage) {
    return stream_in(storage, STREAM_PROCESSING, STREAM_PROCESSING);
}

static void forget(struct storage *storage, const struct replication_stream *stream) {
    size_t kept = 0;
    for (size_t i = 0; i < storage->n_streams; i++)
        if (storage->streams[i] != stream)
            storage->streams[kept++] = storage->streams[i];
    assert(kept + 1 == storage->n_streams);
    storage->n_streams = kept;
}

/* A stopped stream that nobody holds is gone. */
static void terminate_unheld(struct storage *storage, struct replication_stream *stream) {
    if (!stream || stream->state != STREAM_STOPPED || stream->holders > 0)
        return;
    stream->state = STREAM_TERMINATED;
    forget(storage, stream);
    if (storage->journal && stream->stored)
        journal_forget(storage->journal, stream->number);
    free_stream(stream);
}

void storage_terminate_stopped(struct storage *storage) {
    for (size_t i = storage->n_streams; i > 0; i--)
        terminate_unheld(storage, storage->streams[i - 1]);
}

struct replication_stream *replication_stream_hold(struct replication_stream *stream) {
    assert(stream->state != STREAM_TERMINATED);
    stream->holders++;
    return stream;
}

void replication_stream_release(struct replication_stream *stream) {
    if (!stream)
        return;
    assert(stream->holders > 0);
    stream->holders--;
    terminate_unheld(stream->storage, stream);
}

void replication_stream_report(struct replication_stream *stream, const char *error, int64_t at) {
    if (!error && !stream->error)
        return;
    char *copy = memory_copy_text(error);
    free(stream->error);
    stream->error = copy;
    stream->error_at = error ? at : 0;
    watch_wake_all(&stream->storage->changes);
}

struct replication_stream *storage_add_stream(struct storage *storage, int number, const char *text,
                                              const char *file, struct error *error) {
    struct sync_config *config;
    if (sync_config_parse(&config, text, file, error))
        return NULL;
    struct replication_stream *stream = memory_allocate(sizeof *stream);
    stream->storage = storage;
    stream->number = number;
    stream->text = memory_copy_text(text);
    stream->file = memory_copy_text(file);
    stream->config = config;
    stream->buckets = bucket_storage_create(storage, number);
    stream->buckets->parameters.lists_unstored = storage->journal != NULL;
    MEMORY_RESERVE(storage->streams, storage->streams_capacity, storage->n_streams + 1);
    storage->streams[storage->n_streams++] = stream;
    return stream;
}

/* A new stream; what was being deployed until now is stopped, `errored` (may be NULL) is not replicated any
 * more. All of it durably, or nothing. */
static enum status deploy(struct storage *storage, const char *text, const char *file,
                          struct replication_stream *errored, struct replication_stream **result,
                          struct error *error) {
    struct replication_stream *replaced = storage_deploying(storage);
    struct replication_stream *stream =
        storage_add_stream(storage, storage->last_number + 1, text, file, error);
    if (!stream)
        return STATUS_INVALID;
    storage->last_number++;
    if (replaced)
        replaced->state = STREAM_STOPPED;
    if (errored)
        errored->state = STREAM_ERRORED;
    enum status status = storage_flush(storage, error);
    if (status) {
        storage->last_number--;
        forget(storage, stream);
        free_stream(stream);
        if (errored)
            errored->state = STREAM_ACTIVE;
        if (replaced)
            replaced->state = STREAM_PROCESSING;
        return status;
    }
    if (result)
        *result = stream;
    watch_wake_all(&storage->changes);
    terminate_unheld(storage, replaced);
    return STATUS_OK;
}

enum status storage_deploy(struct storage *storage, const char *text, const char *file, bool force,
                           struct replication_stream **stream, struct error *error) {
    assert(storage && text && file);
    struct replication_stream *newest = storage_deploying(storage);
    newest = newest ? newest : storage_serving(storage);
    if (!newest || force || strcmp(newest->text, text) != 0)
        return deploy(storage, text, file, NULL, stream, error);
    if (stream)
        *stream = newest;
    return STATUS_OK;
}

enum status storage_stream_restart(struct storage *storage, struct replication_stream *stream,
                                   struct error *error) {
    assert(stream->state == STREAM_PROCESSING || stream->state == STREAM_ACTIVE);
    /* What a deployment that is under way will bring is newer than this stream's text. */
    if (stream->state == STREAM_ACTIVE && storage_deploying(storage)) {
        stream->state = STREAM_ERRORED;
        watch_wake_all(&storage->changes);
        return storage_flush(storage, error);
    }
    struct replication_stream *errored = stream->state == STREAM_ACTIVE ? stream : NULL;
    return deploy(storage, stream->text, stream->file, errored, NULL, error);
}

/* Checkpoints */

static struct replication_stream *stream_of(const struct storage *storage,
                                            const struct bucket_storage *buckets) {
    for (size_t i = 0; i < storage->n_streams; i++)
        if (storage->streams[i]->buckets == buckets)
            return storage->streams[i];
    return NULL;
}

bool storage_make_checkpoint(struct storage *storage, struct bucket_storage *buckets) {
    struct replication_stream *stream = stream_of(storage, buckets);
    assert(stream);
    if (stream->state != STREAM_PROCESSING && stream->state != STREAM_ACTIVE)
        return false;
    struct replication_stream *replaced =
        stream->state == STREAM_PROCESSING ? storage_serving(storage) : NULL;
    enum stream_state before = stream->state;
    enum stream_state replaced_before = replaced ? replaced->state : STREAM_STOPPED;
    stream->state = STREAM_ACTIVE;
    if (replaced)
        replaced->state = STREAM_STOPPED;
    if (storage_flush(storage, NULL) == STATUS_OK) {
        stream->activated = before == STREAM_PROCESSING;
        return true;
    }
    stream->state = before;
    if (replaced)
        replaced->state = replaced_before;
    return false;
}

void storage_tell_checkpoint(struct storage *storage, const struct bucket_storage *buckets) {
    struct replication_stream *stream = stream_of(storage, buckets);
    assert(stream && stream->state == STREAM_ACTIVE);
    write_checkpoints_published(&storage->write_checkpoints, buckets->lsn);
    if (!stream->activated)
        return;
    stream->activated = false;
    watch_wake_all(&storage->changes);
    storage_terminate_stopped(storage);
}

/* Looking */

struct storage_size storage_size(const struct storage *storage) {
    struct storage_size all = {0};
    for (size_t i = 0; i < storage->n_streams; i++) {
        struct storage_size one = bucket_storage_size(storage->streams[i]->buckets);
        all.operations += one.operations;
        all.parameters += one.parameters;
        all.source_rows += one.source_rows;
    }
    return all;
}

void storage_check(const struct storage *storage) {
    size_t serving = 0, deploying = 0;
    int last = 0;
    for (size_t i = 0; i < storage->n_streams; i++) {
        const struct replication_stream *stream = storage->streams[i];
        serving += stream->state == STREAM_ACTIVE || stream->state == STREAM_ERRORED;
        deploying += stream->state == STREAM_PROCESSING;
        assert(stream->number > last && stream->number <= storage->last_number);
        assert(stream->state != STREAM_STOPPED || stream->holders > 0);
        assert((stream->buckets->lsn > 0) == (stream->state != STREAM_PROCESSING) ||
               stream->state == STREAM_STOPPED);
        last = stream->number;
        bucket_storage_check(stream->buckets);
    }
    assert(serving <= 1 && deploying <= 1);
}
