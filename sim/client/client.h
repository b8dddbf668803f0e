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
};
struct client_schema {
    const struct client_table *tables;
    size_t n_tables;
};

struct core_library; /* client/core_library.h: the loaded libpowersync */
struct client_pool;  /* client/client.h below: template database that clients are cloned from */

/* A stream that the app asks for, beside those that everybody gets. */
struct client_subscription {
    const char *stream;
    const char *parameters; /* JSON object text; NULL: none */
};

struct client_settings {
    const char *user;    /* JWT sub */
    const char *service; /* authority of the PowerSync service */
    const char *backend; /* authority that uploads go to */
    const char *issuer;  /* authority that answers GET /token?user=... with {"token":..} */
    const struct upload_path
        *upload;             /* how a local transaction becomes a request, and its answer a verdict */
    size_t upload_batch;     /* most entries of one request of a path that takes many; 0: 100 */
    int64_t upload_throttle; /* ns; usual 1 s, +-10 % */
    int64_t retry_delay;     /* ns; usual 5 s, +-10 %, for download and upload */
    const char *parameters;  /* of the connection, JSON object text; NULL: {} */
    const struct client_subscription *subscriptions; /* for as long as the client lives */
    size_t n_subscriptions;
};

struct client;

/* A pool opens one database with the app's schema and clones it for each client (the clone gets a new client
 * id). The library may be shared by many pools; both outlive their clients. STATUS_MISSING when the core is
 * not installed. */
enum status client_pool_create(struct core_library *library, struct disk_vfs *vfs,
                               const struct client_schema *schema, struct client_pool **pool,
                               struct error *error);
void client_pool_destroy(struct client_pool *pool);
/* Clients of this node, which come later, have their database as a file in WAL mode on this disk. With
 * `synchronous_full` each commit is synced, else only checkpoints of the log are (the SDK's setting). The
 * disk is borrowed, and outlives them. */
void client_pool_use_disk(struct client_pool *pool, const char *node, struct disk *disk,
                          bool synchronous_full);

enum status client_create(struct client_pool *pool, struct host *host, const struct client_settings *settings,
                          struct client **client, struct error *error);
void client_destroy(struct client *client);

void client_connect(struct client *client);    /* start the stream and upload loops; idempotent */
void client_disconnect(struct client *client); /* stop both; local reads and writes go on */

/* One row operation of a local transaction. values: column -> text/integer/real/null; unused for DELETE. */
enum client_operation_kind { CLIENT_PUT, CLIENT_PATCH, CLIENT_DELETE };
struct client_operation {
    enum client_operation_kind kind;
    const char *table;
    const char *id;
    const json_t *values; /* object, borrowed */
};
/* Commit one local transaction (all rows or none). `step` is the plan step's id for the history, or NULL. */
enum status client_write(struct client *client, const struct client_operation *operations, size_t count,
                         const char *step, struct error *error);

/* The app's connection, to read through the views. Do not write with it. */
sqlite3 *client_database(struct client *client);
const char *client_name(const struct client *client);
const char *client_user(const struct client *client);
const char *client_id(const struct client *client);                    /* the core's client id, a UUID */
uint64_t client_app_random(struct client *client, const char *choice); /* the app's own choices */

/* The process ends (net_crash_node must have been called for its node) and starts again on the same database:
 * nothing committed is lost, everything in memory is. restart also connects if it was connected. A client
 * with a disk starts on what that holds: disk_end_process or disk_lose_power comes after client_crash.
 * STATUS_IO: the database cannot be opened now, and the client is still down. */
void client_crash(struct client *client);
enum status client_restart(struct client *client, struct error *error);

/* Nothing left to do: the upload queue is empty and the last write checkpoint it asked for has been applied.
 */
bool client_settled(const struct client *client);
/* Emit NOTE_QUEUE for what is still queued. */
void client_note_queue(struct client *client);

#endif
