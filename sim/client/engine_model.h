/* The engine `model`, inside: what the client core keeps in SQLite, in compact memory. What all clients of a
 * pool have in common (names, the line reader, SQLite for the rare value that needs it) is in `struct
 * model_shared`.
 *
 * A row of the app and its operations hang together: struct model_item holds what is published, the op log
 * of this row over all buckets, and whether it must be looked at again. Everything that changes a published
 * row goes through model_item_show, so that a transaction knows what it changed and can be undone. */
#ifndef SYNCLINE_CLIENT_ENGINE_MODEL_H
#define SYNCLINE_CLIENT_ENGINE_MODEL_H

#include "base/map.h"
#include "client/engine.h"
#include "client/engine_model_line.h"
#include "client/engine_model_row.h"

#define MODEL_NONE INT64_MIN /* no such value: SQL NULL */

/* Row data as the service sent it, or as a local write made it. There is one copy of each text, shared by the
 * op logs and published rows of all clients of the pool: many devices hold the same lists. */
struct model_data {
    struct model_texts *home;
    uint64_t hash;
    uint32_t references;
    uint32_t length;
    char bytes[]; /* terminated by 0 */
};

struct model_texts {
    struct model_data **slots; /* open addressing by hash; NULL: free */
    size_t n_slots, count;
};

/* A type of rows that was seen; known to the schema or not. A local-only table is a type beside that of the
 * service's rows of this name, which nobody sees then. */
struct model_type {
    char *name;
    const struct model_table *table; /* NULL: the app has no such table */
    bool local;
};

struct model_bucket {
    char *name;
    size_t name_length;
    int64_t row; /* its place in the order of creation; 0: nothing is stored */
    int64_t last_applied, last_op;
    uint32_t add_checksum, op_checksum;
    int64_t count_at_last, count_since_last;
    bool known;   /* the next checkpoint deletes it unless it is in there */
    bool tracked; /* in the tracked checkpoint, with what follows */
    uint32_t checksum;
    int64_t priority, count;                 /* count -1: none */
    int64_t shown_at_last, shown_since_last; /* download progress */
    struct line_reason *reasons;
    size_t n_reasons;
};

/* One PUT of the op log: the newest of its bucket, row and subkey. */
struct model_operation {
    struct model_operation *next; /* in the order of arrival */
    struct model_bucket *bucket;
    struct model_data *data; /* NULL: none */
    int64_t id;
    uint32_t hash;
    char subkey[]; /* "" when there is none or it is "null", else behind a '/' */
};

struct model_item {
    const struct model_type *type; /* NULL: operations without a row, which the core cannot apply */
    struct model_data *shown;      /* NULL: no such row */
    struct model_operation *operations;
    uint32_t hash;
    uint32_t id_length;
    bool updated; /* look at it in the next full apply, whatever the op log says */
    bool listed;  /* in `changed` */
    bool touched; /* in `touched` */
    char id[];
};

struct model_touch {
    struct model_item *item;
    struct model_data *before;
    bool was_updated;
};

struct model_entry { /* of the upload queue */
    int64_t id, transaction;
    char *data; /* JSON */
};

struct model_subscription {
    int64_t id;
    const char *name, *parameters; /* interned; parameters NULL: none */
    bool active, is_default;
    int64_t ttl;        /* s; MODEL_NONE: not asked for by the app */
    int64_t priority;   /* that the app wants; MODEL_NONE: the stream's own */
    int64_t expires_at; /* us, or MODEL_NONE */
    int64_t last_synced_at;
};

/* A stream as the status shows it: a copy made by the last checkpoint. */
struct model_stream {
    struct model_subscription as;
    int64_t server; /* its place in the checkpoint's streams; -1: not there */
    int64_t priority;
    uint64_t buckets_hash;
};

struct model_priority {
    int64_t number, last_synced_at;
};

struct model_status {
    bool connected, connecting, downloading;
    struct model_priority *priorities;
    size_t n_priorities, priorities_capacity;
    struct model_stream *streams;
    size_t n_streams, streams_capacity;
    int64_t last_applied; /* write checkpoint, or MODEL_NONE */
    uint64_t emitted;     /* hash of what was told last */
};

struct engine_model {
    struct engine engine; /* first */
    struct client_pool *pool;
    struct model_shared *shared;
    struct host *host;
    char client_id[37];

    /* Rows and op log. */
    struct model_item **slots; /* open addressing by hash; NULL: free */
    size_t n_slots, n_items;
    struct model_item **changed; /* what the next apply may find changed */
    size_t n_changed, changed_capacity;
    struct map buckets;          /* name -> struct model_bucket * */
    struct model_item ***sorted; /* per table of the schema: what it shows, by id; NULL: to be made */

    /* Queue and gate. */
    struct model_entry *queue;
    size_t queue_start, queue_end, queue_capacity;
    int64_t sequence, next_transaction;
    int64_t target, seen, applied; /* write checkpoints, or MODEL_NONE */
    bool requests;                 /* checkpoint requests, with a counter of ids */
    int64_t requested_id;          /* the counter; MODEL_NONE: not seeded */

    struct model_subscription *subscriptions;
    size_t n_subscriptions, subscriptions_capacity;
    struct model_priority *synced; /* as stored */
    size_t n_synced, synced_capacity;

    /* What the app asks for. */
    char *parameters; /* JSON with sorted keys */
    struct model_subscription *asked;
    size_t n_asked;

    /* The iteration: gone after a restart. */
    bool active;
    bool has_target; /* a checkpoint is tracked */
    bool held_back;  /* it is complete and correct, but not applied */
    int64_t target_op, target_write_checkpoint;
    struct model_subscription *requested; /* subscriptions in the order of the request */
    size_t n_requested;
    struct line_stream *server_streams; /* of the last checkpoint; names are interned */
    size_t n_server_streams;
    struct model_status status;

    int64_t tracked_op, complete_op; /* as in engine_core */
};

/* What the clients of a pool with the same schema share: used by one call at a time. */
struct model_shared {
    struct disk_vfs *vfs;
    const struct client_schema *schema;
    struct row_reader *rows;
    struct map types;                   /* of the service's rows: name -> struct model_type * */
    struct map local_types;             /* of local-only tables */
    struct map texts, *interned;        /* whatever the schema: the texts of the pool's first */
    struct model_texts own_data, *data; /* texts of rows, likewise */
    struct model_line line;
    struct model_tables *tables; /* the app's questions */

    struct model_touch *touched;
    size_t n_touched, touched_capacity;
    struct note_row *changed_rows; /* last answer */
    size_t changed_rows_capacity;
    size_t *positions; /* two in `text` a row: id, values (SIZE_MAX: none) */
    size_t positions_capacity;
    struct buffer text, before, request, status, entry;
    struct note_row *written;
    size_t n_written, written_capacity;
};

static inline struct engine_model *engine_model_of(struct engine *engine) {
    return (struct engine_model *)engine; /* its first member */
}

int64_t model_now(struct engine_model *model); /* us since 1970, whole ms as SQLite's clock */

/* --- engine_model_item.c: rows and their operations --- */
struct model_item *model_item_find(struct engine_model *model, const struct model_type *type, const char *id,
                                   size_t length);
/* Made when it is not there. */
struct model_item *model_item_get(struct engine_model *model, const struct model_type *type, const char *id,
                                  size_t length);
void model_item_list(struct engine_model *model, struct model_item *item);
/* Publish `data` (NULL: none), of which the caller keeps its reference. */
void model_item_show(struct engine_model *model, struct model_item *item, struct model_data *data);
void model_item_free_empty(struct engine_model *model, struct model_item *item);
int model_item_compare(const struct model_item *a, const struct model_item *b); /* by type and id */
void model_items_free(struct engine_model *model);
void model_items_forget_order(struct engine_model *model); /* of all tables */
void model_operation_free(struct model_operation *operation);

/* --- engine_model_data.c: texts of rows --- */
struct model_data *model_data_make(struct model_texts *texts, const char *bytes, size_t length);
struct model_data *model_data_share(struct model_data *data);
void model_data_drop(struct model_data *data);
void model_texts_free(struct model_texts *texts); /* nobody holds any */

/* --- engine_model_view.c: what a transaction changed --- */
void model_transaction_begin(struct engine_model *model);
void model_transaction_undo(struct engine_model *model);
/* The rows that look different now, in the order in which they were touched; ends the transaction. */
void model_transaction_end(struct engine_model *model, struct engine_result *result);
void model_collect_all(struct engine_model *model, struct engine_result *result);
/* What a table shows, by id. */
struct model_item **model_table_items(struct engine_model *model, size_t table, size_t *count);

/* --- engine_model_oplog.c: buckets --- */
struct model_bucket *model_bucket_get(struct engine_model *model, struct json_span name);
void model_bucket_drop_stored(struct engine_model *model, struct json_span name);
void model_oplog_insert(struct engine_model *model, const struct model_line *line);
void model_bucket_free(void *bucket);

/* --- engine_model_apply.c --- */
enum model_outcome { MODEL_APPLIED, MODEL_BLOCKED, MODEL_MISMATCH };
/* Check and publish the tracked checkpoint, up to a priority or (MODEL_NONE) all of it. STATUS_INVALID:
 * what was downloaded cannot be applied. */
enum status model_apply(struct engine_model *model, int64_t priority, enum model_outcome *outcome,
                        struct error *error);

/* --- engine_model_streams.c --- */
const char *model_intern(struct model_shared *shared, const char *text, size_t length);
/* As the app names it; names are interned. */
struct model_subscription model_subscription_of(struct engine_model *model,
                                                const struct client_subscription *wanted);
enum status model_subscribe(struct engine *engine, const struct client_subscription *subscription,
                            struct error *error);
enum status model_unsubscribe(struct engine *engine, const struct client_subscription *subscription,
                              struct error *error);
void model_subscriptions_extend(struct engine_model *model); /* those that the app asks for live on */
void model_subscriptions_expire(struct engine_model *model);
/* Whether the request would ask for other subscriptions than it did. */
bool model_subscriptions_differ(struct engine_model *model);
void model_subscriptions_request(struct engine_model *model);
void model_streams_resolve(struct engine_model *model, const struct model_line *line);
bool model_stream_has(struct engine_model *model, const struct model_stream *stream,
                      const struct model_bucket *bucket);

/* --- engine_model_status.c --- */
void model_status_offline(struct engine_model *model); /* as stored */
void model_status_tell_offline(struct engine_model *model, struct engine_result *result);
void model_status_emit(struct engine_model *model, struct engine_result *result);
const char *model_status_text(struct engine *engine);

/* --- engine_model_queue.c --- */
enum status model_write(struct engine *engine, const struct client_operation *operations, size_t count,
                        struct engine_result *result, struct error *error);
int64_t model_queue_head(struct engine *engine);
enum status model_next_transaction(struct engine *engine, int64_t after,
                                   struct engine_transaction *transaction, struct error *error);
void model_queue_each(struct engine *engine,
                      void (*entry)(void *context, int64_t transaction, const json_t *data), void *context);
enum status model_complete(struct engine *engine, int64_t last, int64_t target, struct error *error);
enum status model_set_target(struct engine *engine, int64_t sequence, int64_t target, bool *set,
                             struct error *error);
void model_gate(struct engine *engine, struct engine_gate *gate);
void model_queue_free(struct engine_model *model);

/* --- engine_model_clear.c --- */
enum status model_clear(struct engine *engine, unsigned flags, struct engine_result *result,
                        struct error *error);
void model_use_requests(struct engine *engine);
enum status model_request_id(struct engine *engine, enum engine_request request, int64_t *id,
                             struct error *error);
int64_t model_first_request(const struct engine_model *model); /* 0: the mode is off */

/* --- engine_model_tables.c: the app's questions, in SQL --- */
struct model_tables *model_tables_create(struct model_shared *shared);
void model_tables_free(struct model_tables *tables);
sqlite3 *model_tables_of(struct model_tables *tables, struct engine_model *model);

/* --- engine_model_schema.c --- */
enum status model_update_schema(struct engine *engine, const struct client_schema *schema,
                                struct engine_result *result, struct error *error);

/* --- engine_model.c --- */
/* `first`: the pool's other one, which lives longer; NULL: there is none. */
struct model_shared *model_shared_create(struct disk_vfs *vfs, const struct client_schema *schema,
                                         struct model_shared *first);
const struct client_schema *model_shared_schema(const struct model_shared *shared);
void model_shared_free(struct model_shared *shared);
const struct model_type *model_type_of(struct model_shared *shared, const char *name, size_t length);
/* The type of the rows that the app sees in a table of its schema. */
const struct model_type *model_table_type(struct model_shared *shared, const char *table);

#endif
