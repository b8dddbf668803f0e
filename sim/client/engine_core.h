/* The engine `core`, inside: shared by engine_core.c (the sync iteration) and engine_core_queue.c (local
 * writes and the upload queue). Each public operation is one transaction on the client's only connection; the
 * tabs of an app have a connection each, and take turns, so none ever meets another's lock. */
#ifndef SYNCLINE_CLIENT_ENGINE_CORE_H
#define SYNCLINE_CLIENT_ENGINE_CORE_H

#include "base/buffer.h"
#include "client/engine.h"
#include "client/view.h"

/* What all connections of one database know. */
struct core_database {
    size_t connections; /* engines that have it */
    size_t running;     /* of them, those whose process has not ended */
    struct view_shown *shown;
    int64_t newest, promised; /* local transactions: the last committed, the last that a sync covers */
    uint64_t losses;          /* of the disk's power, as far as they are known */
    bool uncertain;           /* a commit has failed: it may be there after a restart all the same */
};

struct engine_core {
    struct engine engine; /* first */
    struct client_pool *pool;
    struct host *host;
    const struct client_schema *schema;
    bool updated; /* it is not, or was not always, the pool's */
    sqlite3 *database;
    struct core_database *shared;
    bool ended; /* its process has, and not begun again */
    struct view *view;
    char client_id[37];

    sqlite3_stmt *begin, *commit, *rollback;
    sqlite3_stmt *control;  /* powersync_control(?1, ?2) */
    sqlite3_stmt *head;     /* id of the first queued entry */
    sqlite3_stmt *sequence; /* queue ids given out so far */
    /* The upload gate; put sets the target to ?1. */
    sqlite3_stmt *gate_target, *gate_applied, *gate_put;

    int64_t tracked_op;  /* last_op_id of the newest checkpoint or checkpoint_diff line */
    int64_t complete_op; /* the same when checkpoint_complete came: what is applied now or after an upload */
    struct buffer request;
    struct buffer status;        /* JSON */
    struct buffer start_options; /* JSON */
    struct buffer open_streams;  /* JSON: what the app has open, a part of it */
    bool requests;               /* checkpoint requests instead of legacy write checkpoints */

    struct disk *disk;      /* NULL: the database is in memory */
    bool statements_struck; /* client_disk */
    uint64_t faults_before; /* of the disk, when the open transaction began */
    struct buffer aftermath;

    struct note_row *written; /* operations of the last local write; values are owned */
    size_t n_written;
    size_t written_capacity;
};

static inline struct engine_core *engine_core_of(struct engine *engine) {
    return (struct engine_core *)engine; /* its first member */
}

/* SQLite sees this client's clock from here on. */
void engine_core_enter(struct engine_core *core);
enum status engine_core_begin(struct engine_core *core, struct error *error);
/* The newest error of the connection: STATUS_IO when the disk is behind it, else `otherwise`. */
enum status engine_core_failed(struct engine_core *core, enum status otherwise, struct error *error);
/* The simulator looks, not the app: no fault of the disk strikes. */
void engine_core_look(struct engine_core *core, bool begin);
/* The rows that look different, for a result; none when there is no power to read them. */
void engine_core_collect(struct engine_core *core, struct engine_result *result);
enum status engine_core_commit(struct engine_core *core, struct error *error); /* on failure: rolled back */
void engine_core_rollback(struct engine_core *core);
/* First column of the first row of a prepared statement; 0 when there is none. */
int64_t engine_core_integer(struct engine_core *core, sqlite3_stmt *statement);
enum status engine_core_put_target(struct engine_core *core, int64_t target, struct error *error);
void engine_core_free_written(struct engine_core *core);

/* Operations of engine.h. */
enum status engine_core_write(struct engine *engine, const struct client_operation *operations, size_t count,
                              struct engine_result *result, struct error *error);
int64_t engine_core_queue_head(struct engine *engine);
enum status engine_core_next_transaction(struct engine *engine, int64_t after,
                                         struct engine_transaction *transaction, struct error *error);
void engine_core_queue_each(struct engine *engine,
                            void (*entry)(void *context, int64_t transaction, const json_t *data),
                            void *context);
enum status engine_core_complete(struct engine *engine, int64_t last, int64_t target, struct error *error);
enum status engine_core_set_target(struct engine *engine, int64_t sequence, int64_t target, bool *set,
                                   struct error *error);

#endif
