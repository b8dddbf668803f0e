/* An engine: what the SDK's native core does for one client. It stores rows, op log and upload queue, checks
 * and applies checkpoints, holds the upload gate, and tells the SDK what to do next. It has no policy: when
 * to connect, what to retry and how long to wait is the SDK's business (sdk_stream.h, sdk_upload.h).
 *
 * Every call is one transaction of its own. Calls that can change what the app sees report the changed rows.
 * Pointers in a result are borrowed until the next call to an engine of the same pool. A call that fails
 * leaves the data as it was; if it was a line or an event, the sync iteration is over. */
#ifndef SYNCLINE_CLIENT_ENGINE_H
#define SYNCLINE_CLIENT_ENGINE_H

#include <jansson.h>

#include "base/error.h"
#include "client/client.h"

/* "Some write checkpoint that is not known yet": the target while uploads are outstanding. */
#define ENGINE_TARGET_UNKNOWN INT64_MAX
/* For `complete`: the target stays what it is. */
#define ENGINE_TARGET_SAME (-1)

/* For `clear`, as the core numbers them. */
enum {
    ENGINE_CLEAR_LOCAL = 1, /* local-only tables too */
    ENGINE_CLEAR_SOFT = 2   /* keep what was downloaded: the next checkpoint shows it again */
};

/* Checkpoint requests: what to do with the counter of ids. */
enum engine_request {
    ENGINE_REQUEST_SEED,   /* it begins at *id; needs an iteration */
    ENGINE_REQUEST_NEXT,   /* *id := the next one; needs an iteration, and the seed */
    ENGINE_REQUEST_CURRENT /* *id := the newest; 0: none */
};

enum engine_event {
    ENGINE_ESTABLISHED,      /* the service answered 200 */
    ENGINE_END,              /* the service ended the stream */
    ENGINE_COMPLETED_UPLOAD, /* the target is now a concrete id: a checkpoint that was held back may go */
    ENGINE_REFRESHED_TOKEN,  /* a new token is there before the old one ran out */
    ENGINE_CHANGED_STREAMS,  /* `ask` was called anew: the request may have to change */
    ENGINE_STOP              /* end of the iteration, whatever the reason */
};

struct engine_result {
    /* What the SDK must do, in this order. */
    bool fetch_credentials;
    bool did_expire; /* with fetch_credentials */
    bool establish;
    const char *request; /* with establish: body of POST /sync/stream */
    size_t request_length;
    int64_t checkpoint_request; /* with establish: the id to ask for at once; 0: none */
    bool close;                 /* the iteration is over */
    bool hide_disconnect;       /* with close: begin the next one at once */

    bool applied;        /* a checkpoint was published */
    bool partial;        /* the line ended a priority: what changed is of streams up to it */
    int64_t priority;    /* with partial */
    bool blocked;        /* a complete and correct checkpoint was held back because of local changes */
    int64_t op;          /* op id of the last checkpoint that was complete */
    bool status_changed; /* see engine_operations.status */

    const struct note_row
        *rows; /* rows that the app now sees differently, in the order in which they were written */
    size_t n_rows;

    const struct note_row
        *written; /* `write` only: the operations that had an effect, for NOTE_LOCAL_WRITE */
    size_t n_written;
    int64_t transaction; /* `write` only: number in the upload queue; 0: nothing was changed */

    /* `restart` only, where the database is on a disk. */
    const char
        *aftermath;   /* why the data may differ: "power loss", "disk error" (a commit had failed, and may
                         be there all the same), "damaged: ..." (the app begins anew); NULL: it may not */
    int64_t survived; /* the newest local transaction that is there */
    int64_t promised; /* the newest that the disk had promised to keep */
    bool joined;      /* another connection is there already: nothing of all this is told */
};

/* The first transaction of the upload queue. The caller frees it with engine_transaction_free. */
struct engine_transaction {
    int64_t transaction;
    int64_t last;    /* queue id of its last entry */
    json_t *entries; /* array of {"op","id","type","data"} in queue order */
};

struct engine_gate {
    bool queue_empty;
    int64_t target;   /* write checkpoint that must be seen first; 0: none */
    int64_t applied;  /* write checkpoint of the last applied checkpoint that had one; 0: none */
    int64_t sequence; /* entries that were ever queued; 0: none */
};

struct engine;

struct engine_operations {
    const char *name; /* "core" */
    void (*destroy)(struct engine *engine);
    const char *(*client_id)(struct engine *engine);
    sqlite3 *(*database)(struct engine *engine); /* NULL when the engine has none */

    /* What the app has open from now on: told at each start and with ENGINE_CHANGED_STREAMS. Streams that are
     * not subscribed to (below) are not asked for all the same. */
    enum status (*ask)(struct engine *engine, const char *parameters,
                       const struct client_subscription *subscriptions, size_t n_subscriptions,
                       struct error *error);
    /* Keep a subscription in the database, or renew it; or let it go, whatever its time to live. What is open
     * is renewed by each start, keepalive and ENGINE_CHANGED_STREAMS; what has run out is dropped when a
     * request is made. */
    enum status (*subscribe)(struct engine *engine, const struct client_subscription *subscription,
                             struct error *error);
    enum status (*unsubscribe)(struct engine *engine, const struct client_subscription *subscription,
                               struct error *error);
    /* The status as the database has it, where no iteration runs. */
    void (*offline_status)(struct engine *engine, struct engine_result *result);
    /* From the next `ask` on write checkpoints come by checkpoint requests. NULL: the engine cannot. */
    void (*use_requests)(struct engine *engine);
    enum status (*request_id)(struct engine *engine, enum engine_request request, int64_t *id,
                              struct error *error);
    enum status (*start)(struct engine *engine, struct engine_result *result, struct error *error);
    enum status (*line)(struct engine *engine, const void *bytes, size_t length, bool binary,
                        struct engine_result *result, struct error *error);
    enum status (*event)(struct engine *engine, enum engine_event event, struct engine_result *result,
                         struct error *error);

    enum status (*write)(struct engine *engine, const struct client_operation *operations, size_t count,
                         struct engine_result *result, struct error *error);
    int64_t (*queue_head)(struct engine *engine); /* queue id of the first entry; 0: empty */
    /* The first transaction behind queue id `after` (0: of the whole queue). STATUS_NOT_FOUND: there is none.
     */
    enum status (*next_transaction)(struct engine *engine, int64_t after,
                                    struct engine_transaction *transaction, struct error *error);
    /* Every queued operation, oldest first. */
    void (*queue_each)(struct engine *engine,
                       void (*entry)(void *context, int64_t transaction, const json_t *data), void *context);
    /* Remove the entries up to `last` and set the target. */
    enum status (*complete)(struct engine *engine, int64_t last, int64_t target, struct error *error);
    void (*gate)(struct engine *engine, struct engine_gate *gate);
    /* The newest sync status, as the core's JSON: connected, connecting, priority_status, downloading,
     * streams. "" before the first start. Borrowed until the next call. */
    const char *(*status)(struct engine *engine);
    /* Set the target if the queue is still empty and nothing was queued since `sequence` was read. */
    enum status (*set_target)(struct engine *engine, int64_t sequence, int64_t target, bool *set,
                              struct error *error);

    /* Empty the tables, the queue and what was synced (flags below). No iteration may be running. What is
     * visible afterwards is in `result`, all of it. The client id stays. */
    enum status (*clear)(struct engine *engine, unsigned flags, struct engine_result *result,
                         struct error *error);
    /* The process ends. NULL: there is nothing to do. */
    void (*end)(struct engine *engine);
    /* The process ended and began again on what was committed: the iteration is gone. All visible rows in
     * `result`. */
    enum status (*restart)(struct engine *engine, struct engine_result *result, struct error *error);
    /* The app's tables are others from now on. No iteration may be running. What is visible afterwards is in
     * `result`, all of it. STATUS_INVALID: no such schema can be. */
    enum status (*update_schema)(struct engine *engine, const struct client_schema *schema,
                                 struct engine_result *result, struct error *error);
    const struct client_schema *(*schema)(const struct engine *engine);
    /* For mutants: put a row among the published ones, as if it had been synced. */
    enum status (*plant_row)(struct engine *engine, const char *id, struct engine_result *result,
                             struct error *error);
};

struct engine {
    const struct engine_operations *operations;
};

void engine_transaction_free(struct engine_transaction *transaction);

const struct client_table *engine_find_table(const struct client_schema *schema,
                                             const char *name); /* NULL: there is none */
/* The metadata of a write: of a PUT or PATCH a column, of a DELETE all that its values may hold. Only texts
 * count, as in the core. NULL: there is none. */
const char *engine_metadata(const struct client_table *table, const struct client_operation *operation);
/* The columns of a write for NOTE_LOCAL_WRITE, owned by the caller; NULL for a DELETE. */
char *engine_written_values(const struct client_operation *operation);
/* Refuses what SQLite would refuse with a worse message, and names that would need quoting. */
enum status engine_check_operation(const struct client_schema *schema,
                                   const struct client_operation *operation, struct error *error);

/* The engine that the pool is for. */
enum status engine_create(struct client_pool *pool, struct host *host, struct engine **engine,
                          struct error *error);
/* The engine `core`: the real client core on a clone of the pool's database. */
enum status engine_core_create(struct client_pool *pool, struct host *host, struct engine **engine,
                               struct error *error);

/* One more connection on the database of such an engine, for a process of its own. */
enum status engine_core_join(struct engine *first, struct host *host, struct engine **engine,
                             struct error *error);

/* The engine `model`: our own, in compact memory. What it answers is to be what `core` answers. `client_id`
 * NULL: a new one. */
void engine_model_create(struct client_pool *pool, struct host *host, const char *client_id,
                         struct engine **engine);
/* The engine `both`: every call goes to `core` and to `model`, and `core` answers. The first difference is
 * kept for engine_both_difference. */
enum status engine_both_create(struct client_pool *pool, struct host *host, struct engine **engine,
                               struct error *error);
const char *engine_both_difference(const struct engine *engine); /* NULL: none, or another engine */
sqlite3 *engine_both_model_database(struct engine *engine);      /* the other one is its `database` */

static inline void engine_destroy(struct engine *engine) {
    engine->operations->destroy(engine);
}
static inline enum status engine_start(struct engine *engine, struct engine_result *result,
                                       struct error *error) {
    return engine->operations->start(engine, result, error);
}
static inline enum status engine_line(struct engine *engine, const void *bytes, size_t length, bool binary,
                                      struct engine_result *result, struct error *error) {
    return engine->operations->line(engine, bytes, length, binary, result, error);
}
static inline enum status engine_send(struct engine *engine, enum engine_event event,
                                      struct engine_result *result, struct error *error) {
    return engine->operations->event(engine, event, result, error);
}
static inline void engine_gate(struct engine *engine, struct engine_gate *gate) {
    engine->operations->gate(engine, gate);
}

#endif
