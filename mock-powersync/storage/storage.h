/* Storage: everything that survives the end of a service's process. It may be shared by several processes
 * (API, replication, a second service); they talk through it only.
 *
 * It holds replication streams: one deployed sync config each, with its own buckets. At most one is served
 * (active or errored) and at most one is being deployed (processing). A stream that is replaced is stopped;
 * when nobody holds it any more it is terminated: gone with all its data.
 *
 * With a file (SQLite) everything up to the last flush comes back after a crash; commits, deploys and write
 * checkpoints that were answered are flushed. Without one it lives in memory. */
#ifndef MOCK_POWERSYNC_STORAGE_H
#define MOCK_POWERSYNC_STORAGE_H

#include "base/error.h"
#include "mock-powersync/storage/bucket_storage.h"
#include "mock-powersync/storage/stream_lock.h"
#include "mock-powersync/storage/write_checkpoint.h"

struct journal;

enum stream_state {
    STREAM_PROCESSING, /* being deployed: replicated, not served yet */
    STREAM_ACTIVE,     /* replicated and served */
    STREAM_ERRORED,    /* served as it is, not replicated any more */
    STREAM_STOPPED,    /* replaced */
    STREAM_TERMINATED  /* its data is gone */
};

struct replication_stream {
    struct storage *storage;
    int number; /* from 1, never used again */
    enum stream_state state;
    char *text; /* the sync config's YAML */
    char *file; /* its name in messages */
    struct sync_config *config;
    struct bucket_storage *buckets;
    char *error;             /* the last failure of its replication; NULL: none */
    int64_t error_at;        /* wall clock, ns */
    struct stream_lock lock; /* whose replicator works on it; not in the file */
    unsigned holders;
    bool activated; /* by the commit that is being made */
    bool stored;    /* the file knows it */
};

struct storage {
    uint64_t last_op; /* of all streams, buckets and the parameter indexes */
    int last_number;
    uint64_t last_lock_holder;           /* of the replicators that ever worked on it */
    struct replication_stream **streams; /* ascending numbers, without terminated ones */
    size_t n_streams;
    size_t streams_capacity;
    struct write_checkpoints write_checkpoints; /* survive redeploys */
    struct watch_list changes; /* woken when a stream was deployed, changed its state or failed */
    struct journal *journal;   /* NULL: in memory */
};

struct storage *storage_create(void);
/* Everything that was flushed to the file at `path` (through SQLite's default VFS; a "file:" URI may name
 * another); an empty storage when there is none. STATUS_IO: it cannot be opened, or another process has it;
 * STATUS_INVALID: it is not a storage, or its sync config is not understood any more. */
enum status storage_open(struct storage **storage, const char *path, struct error *error);
/* Nobody may hold a stream or watch any more. What was not flushed is lost. */
void storage_destroy(struct storage *storage);

/* Make all that was saved so far durable. STATUS_IO: nothing of it is; it stays to be written by the next
 * call. */
enum status storage_flush(struct storage *storage, struct error *error);

/* Deploy a sync config. Byte-identical text is not deployed again unless forced: then `stream` is the one
 * that has it. STATUS_INVALID with file, line and column: the text is wrong. `stream` may be NULL. */
enum status storage_deploy(struct storage *storage, const char *text, const char *file, bool force,
                           struct replication_stream **stream, struct error *error);
struct replication_stream *storage_serving(const struct storage *storage);   /* NULL: none */
struct replication_stream *storage_deploying(const struct storage *storage); /* NULL: none */
/* Begin anew with the same text, as when the source lost the position: the stream that is served goes on
 * being served but is errored, one that was being deployed is stopped. */
enum status storage_stream_restart(struct storage *storage, struct replication_stream *stream,
                                   struct error *error);

/* A stream is valid while it is held, also when it is stopped. */
struct replication_stream *replication_stream_hold(struct replication_stream *stream);
void replication_stream_release(struct replication_stream *stream); /* may be NULL */
/* Its replication failed, or (NULL) works again. */
void replication_stream_report(struct replication_stream *stream, const char *error, int64_t at);

struct storage_size storage_size(const struct storage *storage); /* of all streams */
void storage_check(const struct storage *storage);               /* all invariants, asserted; for tests */

/* For the storage's other files: a stream that is not in any state yet; NULL: the text is wrong. */
struct replication_stream *storage_add_stream(struct storage *storage, int number, const char *text,
                                              const char *file, struct error *error);
void storage_terminate_stopped(struct storage *storage);

/* For bucket_storage.c. The stream with these buckets moved its checkpoint: change the streams' states and
 * flush; false: nothing changed. Then tell everybody. */
bool storage_make_checkpoint(struct storage *storage, struct bucket_storage *buckets);
void storage_tell_checkpoint(struct storage *storage, const struct bucket_storage *buckets);

#endif
