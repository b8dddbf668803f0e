/* The virtual client: an app's process on a device, with a real SQLite database, the SDK's loops (stream,
 * upload, credentials) and an engine that does what the SDK's native core does. Constants are those of the
 * PowerSync JS SDK. */
#ifndef SYNCLINE_CLIENT_CLIENT_H
#define SYNCLINE_CLIENT_CLIENT_H

#include <sqlite3.h>

#include "base/error.h"
#include "client/upload.h"
#include "disk/vfs.h"
#include "kernel/host.h"

/* The app's local schema. Every table has an implicit TEXT id. */
struct client_column {
    const char *name;
    const char *type; /* "text", "integer", "real" */
};
struct client_table {
    const char *name;
    const struct client_column *columns;
    size_t n_columns;
    /* Options, with the names that SDKs give them. Neither metadata nor old values with local-only. */
    bool local_only;                /* localOnly: rows of this device alone, never queued, never synced */
    bool insert_only;               /* insertOnly: what is inserted is queued, and not kept */
    bool include_metadata;          /* trackMetadata: writes may set "_metadata", which goes with the entry */
    bool include_old;               /* trackPrevious: entries of changes and deletions say what was there */
    bool old_only_when_changed;     /* trackPrevious.onlyWhenChanged */
    bool ignore_empty_update;       /* ignoreEmptyUpdates: an update without change queues nothing */
    const char *const *old_columns; /* trackPrevious.columns; NULL: all */
    size_t n_old_columns;
};
struct client_schema {
    const struct client_table *tables;
    size_t n_tables;
    int64_t version; /* of the app, where it has several; notes tell it */
};
#define CLIENT_METADATA "_metadata" /* column of writes to tables with include_metadata */

struct tabs;         /* client/tabs.h: what the processes of one app share */
struct core_library; /* client/core_library.h: the loaded libpowersync */
struct client_pool;  /* client/client.h below: template database that clients are cloned from */

/* A stream that the app asks for, beside those that everybody gets. */
struct client_subscription {
    const char *stream;
    const char *parameters; /* JSON object text; NULL: none */
    int64_t ttl;            /* s that it stays when the app has left it; 0: a day, as in the SDKs */
    bool overrides;         /* `priority` counts instead of the stream's own */
    int priority;           /* 0..3 */
};

/* How a client learns that the checkpoints it gets have its uploads in them. */
enum client_checkpoints {
    CLIENT_CHECKPOINTS_LEGACY,   /* ids of the service: GET /write-checkpoint2.json */
    CLIENT_CHECKPOINTS_REQUESTS, /* ids of its own: POST /sync/checkpoint-request */
    /* Numbers of the app's backend, which the app completes transactions with. The JS SDK (shared-internals
     * 1.3.0) uses such a number only when something is left in the queue; then the numbers before the last
     * count, and a single transaction waits for an id of the service all the same. */
    CLIENT_CHECKPOINTS_CUSTOM,
    CLIENT_CHECKPOINTS_CUSTOM_AS_MEANT /* only when nothing is left, and what was held back is looked at again
                                        */
};
const char *client_checkpoints_name(enum client_checkpoints checkpoints); /* NULL: behind the last */
static inline bool client_checkpoints_are_custom(enum client_checkpoints checkpoints) {
    return checkpoints >= CLIENT_CHECKPOINTS_CUSTOM;
}

struct client_settings {
    const char *user;    /* JWT sub */
    const char *service; /* authority of the PowerSync service */
    const char *backend; /* authority that uploads go to */
    const char *issuer;  /* authority that answers GET /token?user=... with {"token":..} */
    const char
        *config; /* authority that answers GET /api/powersync/config?user=... with {"powersyncUrl",
                    "userId"}, which the app asks for before each token; NULL: the app knows `service` */
    const struct upload_path
        *upload;             /* how a local transaction becomes a request, and its answer a verdict */
    bool own_keys;           /* the app gives each local transaction a key of its own, as the metadata of its
                                rows, and the backend knows uploads by it; else by the transaction's number */
    size_t upload_batch;     /* most entries of one request of a path that takes many; 0: 100 */
    int64_t upload_throttle; /* ns; usual 1 s, +-10 % */
    int64_t retry_delay;     /* ns; usual 5 s, +-10 %, for download and upload */
    int64_t idle_timeout; /* ns after which a silent stream is given up; 0: never, as the SDK over HTTP (over
                             WebSocket: 30 s) */
    enum client_checkpoints write_checkpoints;
    const char *parameters;                          /* of the connection, JSON object text; NULL: {} */
    const struct client_subscription *subscriptions; /* for as long as the client lives */
    size_t n_subscriptions;
    struct tabs *tabs; /* this app's processes on this device, which are on one disk: it becomes one of them;
                        * NULL: the app has one process */
};

struct client;

/* A pool opens one database with the app's schema and clones it for each client (the clone gets a new client
 * id). The library may be shared by many pools; both outlive their clients. STATUS_MISSING when the core is
 * not installed. */
enum client_engine {
    CLIENT_ENGINE_CORE,
    CLIENT_ENGINE_MODEL, /* needs no library */
    CLIENT_ENGINE_BOTH   /* side by side, compared after each call */
};
enum status client_pool_create_for(enum client_engine engine, struct core_library *library,
                                   struct disk_vfs *vfs, const struct client_schema *schema,
                                   struct client_pool **pool, struct error *error);
enum status client_pool_create(struct core_library *library, struct disk_vfs *vfs,
                               const struct client_schema *schema, struct client_pool **pool,
                               struct error *error);
void client_pool_destroy(struct client_pool *pool);
/* Clients of this node, which come later, have their database as a file in WAL mode on a disk. The model has
 * no files, and with both engines neither has: then this does nothing. */
struct client_disk {
    struct disk *disk;      /* borrowed; outlives them */
    bool synchronous_full;  /* each commit is synced, else only checkpoints of the log are (the SDK's setting)
                             */
    bool statements_struck; /* faults strike the statements of local writes too, not only their commits: all
                               releases of the core use freed memory then */
    bool shared;            /* by several processes: no exclusive locking */
};
void client_pool_use_disk(struct client_pool *pool, const char *node, const struct client_disk *disk);

enum status client_create(struct client_pool *pool, struct host *host, const struct client_settings *settings,
                          struct client **client, struct error *error);
void client_destroy(struct client *client);

void client_connect(struct client *client); /* start the stream and upload loops; idempotent */
/* The app calls connect although it is connected: the SDK ends the stream and begins anew. */
void client_connect_again(struct client *client);
void client_disconnect(struct client *client); /* stop both; local reads and writes go on */

/* What SDKs call disconnectAndClear: disconnect, then empty the database. What was not uploaded is lost; the
 * client id stays. `local`: local-only tables too; `soft`: what was downloaded stays, and the next checkpoint
 * shows it again. */
struct client_clearing {
    bool local;
    bool soft;
};
enum status client_disconnect_and_clear(struct client *client, struct client_clearing clearing,
                                        struct error *error);

/* The app's session. After client_sign_out nobody is signed in; after client_sign_in the next token is
 * another user's. Only while disconnected; what the app does with the former user's data is its own business
 * (client_disconnect_and_clear). An expired session gives no tokens; one that is cached is used on. */
void client_sign_out(struct client *client);
void client_sign_in(struct client *client, const char *user);
/* As client_sign_in, for an app that keeps the data when somebody signs out: it clears when another user than
 * the one whose data this is signs in. The app opens (and connects) some time later; a crash delays it. */
void client_enter(struct client *client, const char *user);
bool client_entering(const struct client *client);
void client_expire_session(struct client *client, bool expired);

/* What the app sees of its sync (client_status.c). Texts are borrowed until the next call with this client.
 */
#define CLIENT_PRIORITY_ALL 2147483647 /* a whole checkpoint */
struct client_priority {
    int64_t priority;
    bool has_synced;
    int64_t last_synced_at; /* us since the Unix epoch; 0: never */
};
struct client_status {
    bool connected;
    bool connecting;
    bool downloading;
    bool uploading;
    bool has_synced;            /* a whole checkpoint was published at least once */
    const char *download_error; /* of the last attempt; NULL: none */
    const char *upload_error;
    struct client_priority priorities[4];
    size_t n_priorities;
};
void client_status(const struct client *client, struct client_status *status);
/* Call `done` once when a whole checkpoint has been published, or at once when that has happened. One at a
 * time; a crash forgets it. */
void client_wait_for_first_sync(struct client *client, void (*done)(void *context), void *context);

/* Streams that the app opens and leaves while it runs (client_streams.c). Subscribing keeps the stream in the
 * database and renews it, however often it is done; each needs an unsubscribe of its own. Once nobody has it
 * open any more it lives on for its ttl. client_unsubscribe_all lets go of it at once. A crash leaves all
 * but those of the settings. What an app has open is subscribed to again after clearing. */
#define CLIENT_STREAM_TTL 86400 /* s */
enum status client_subscribe(struct client *client, const struct client_subscription *subscription,
                             struct error *error);
void client_unsubscribe(struct client *client, const struct client_subscription *subscription);
enum status client_unsubscribe_all(struct client *client, const struct client_subscription *subscription,
                                   struct error *error);
struct client_stream_status {
    bool active;     /* the service lists it */
    bool is_default; /* everybody gets it */
    bool subscribed; /* by this app */
    int64_t expires_at;
    int64_t last_synced_at;    /* both us since the Unix epoch; 0: never */
    int64_t total, downloaded; /* operations of the running download */
};
/* False: it is neither subscribed to nor listed. */
bool client_stream_status(const struct client *client, const struct client_subscription *subscription,
                          struct client_stream_status *status);
/* Call `done` once when an open stream has been synced, or at once when that has happened before. One for
 * each stream; leaving it or a crash forgets it. */
void client_wait_for_stream(struct client *client, const struct client_subscription *subscription,
                            void (*done)(void *context), void *context);

/* A watch query over all of the app's tables: `changed` runs 30 ms after the first change since it ran last,
 * never from inside a call. One at a time; NULL ends it. It outlives crashes, as an app registers anew. */
void client_watch(struct client *client, void (*changed)(void *context), void *context);

/* The app goes on with another schema (the SDK's updateSchema), borrowed for as long as the client lives.
 * Nothing is downloaded: rows of tables that it does not know are kept and come back with a schema that does,
 * columns appear, and tables that change between local-only and synced begin with what the other side has.
 * STATUS_CONFLICT while connected: the SDK refuses. */
enum status client_update_schema(struct client *client, const struct client_schema *schema,
                                 struct error *error);
const struct client_schema *client_schema(const struct client *client);

/* One row operation of a local transaction. values: column -> text/integer/real/null, and "_metadata" where
 * the table has it; of a DELETE that alone, or NULL. */
enum client_operation_kind { CLIENT_PUT, CLIENT_PATCH, CLIENT_DELETE };
struct client_operation {
    enum client_operation_kind kind;
    const char *table;
    const char *id;       /* NULL: none. A PUT is refused then, anything else meets no row */
    const json_t *values; /* object, borrowed */
};
/* Commit one local transaction (all rows or none). `step` is the plan step's id for the history, or NULL. */
enum status client_write(struct client *client, const struct client_operation *operations, size_t count,
                         const char *step, struct error *error);

/* The app's connection, to read through the views. Do not write with it. */
sqlite3 *client_database(struct client *client);
const char *client_name(const struct client *client);
const char *client_user(const struct client *client);                  /* NULL: nobody is signed in */
const char *client_id(const struct client *client);                    /* the core's client id, a UUID */
uint64_t client_app_random(struct client *client, const char *choice); /* the app's own choices */

/* The process ends (net_crash_node must have been called for its node) and starts again on the same database:
 * nothing committed is lost, everything in memory is. restart also connects if it was connected. A client
 * with a disk starts on what that holds: disk_end_process or disk_lose_power comes after client_crash.
 * STATUS_IO: the database cannot be opened now, and the client is still down. One of several tabs takes only
 * itself away: the last to end and the first to begin are the app's crash and restart. */
void client_crash(struct client *client);
enum status client_restart(struct client *client, struct error *error);

/* Nothing left to do: the upload queue is empty and the last write checkpoint it asked for has been applied.
 */
bool client_settled(const struct client *client);
/* With CLIENT_ENGINE_BOTH: where the engines first differed; NULL: nowhere. */
const char *client_engine_difference(const struct client *client);
/* Emit NOTE_QUEUE for what is still queued. */
void client_note_queue(struct client *client);

#endif
