/* An app under test: its tables on both sides, its sync config, its Convex functions, and what its users do.
 * An app is one file (or a few) and one line in APPS below; docs/apps.md says how to add one. */
#ifndef SYNCLINE_APP_APP_H
#define SYNCLINE_APP_APP_H

#include "app/issuer.h"
#include "client/client.h"
#include "client/mapping.h"
#include "mock-convex/deployment.h"

struct app_action {
    const char *kind; /* the name of one of the app's: "add-list", "edit", "delete", ... */
    int64_t rows;     /* how many rows the transaction should touch, 1..20 */
    uint64_t choice;  /* seed of everything else that is chosen: which list, which text */
    const char *step; /* id of the plan step */
};

struct batch; /* app/batch.h: one local transaction */

/* Something that users do, as one local transaction. */
struct app_action_kind {
    const char *name; /* "add-list" */
    int weight;       /* how often, among the app's; 0: only where a scenario asks for it */
    /* Puts its rows into the empty batch: batch->rows of them, if it can; none, when there is nothing to act
     * on. It decides by the batch's random numbers and by what the device shows. */
    void (*perform)(struct batch *batch);
};

/* One uploaded operation on its way into a table of the deployment. */
struct app_arrival {
    const char *table;
    const char *uuid;               /* of the client's row */
    const char *document;           /* _id of the document that is there already; NULL: there is none */
    struct convex_value *fields;    /* what will be written; may be changed */
    const char *metadata;           /* that came with the operation; NULL: none */
    const struct convex_value *old; /* the values before, by columns; NULL: none came */
    bool dropped;                   /* set: nothing is written */
};

struct app {
    const char *name;        /* "todo" */
    const char *sync_config; /* YAML, edition 3 */
    const struct client_schema *schema;
    const struct client_schema *old_schema; /* of the app's version 1, where `schema` is 2; NULL: none */
    const struct convex_table *tables;
    size_t n_tables;
    const struct convex_function *functions;
    size_t n_functions;
    struct client_mapping mapping;         /* from rows to documents */
    const struct app_action_kind *actions; /* ends with name NULL */
    /* Documents that are there before the first client connects. `users` are the user ids of the scenario. */
    enum status (*seed)(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                        int64_t lists_per_user, int64_t todos_per_list, uint64_t choice, struct error *error);
    /* What the backend does with an uploaded PUT or PATCH before it is written: give a ticket its number,
     * move the money of a transfer. Runs inside the upload's mutation. NULL: everything is written as it
     * comes. */
    enum status (*receive)(struct convex_context *context, struct app_arrival *arrival, struct error *error);
    /* The same before a row is deleted. `*kept` set: it stays. NULL: it goes. */
    enum status (*remove)(struct convex_context *context, const char *table, const char *uuid, bool *kept,
                          struct error *error);
};

const struct app_action_kind *app_action_find(const struct app *app, const char *name); /* NULL: none */
/* Do the action on the client's local database; `users` are those of the scenario. STATUS_INVALID: the app
 * knows no such action. STATUS_IO: the disk did not take it. */
enum status app_act(const struct app *app, struct client *client, const struct app_action *action,
                    const char *const *users, size_t n_users, struct error *error);

/* Every app, one line each, in the order of lists. Names of tables are never used by two apps. */
/* clang-format off */
#define APPS(app_line) \
    app_line(todo) \
    app_line(teams) \
    app_line(notes) \
    app_line(bank) \
    app_line(counter) \
    app_line(tickets) \
    app_line(chat) \
    app_line(pages) \
    app_line(registers) \
    app_line(profile) \
    app_line(wide) \
    app_line(values) \
    app_line(diary)
/* clang-format on */

#define APP_DECLARE(name_) extern const struct app app_##name_;
APPS(APP_DECLARE)
#undef APP_DECLARE

const struct app *app_find(const char *name); /* NULL: unknown */
const struct app *const *app_all(void);       /* NULL-terminated */

/* Every app lists these among its functions. Its tables have an index "by_uuid" on ["uuid"], the client's id
 * of the row, and there is a table upload_receipts. One local transaction is one mutation, idempotent by
 * client id and transaction id (and "opId", when a transaction comes in parts). */
#define APP_UPLOAD_FUNCTIONS                                                                                 \
    {.path = "sync:applyTransaction", .kind = CONVEX_MUTATION, .run = app_apply_transaction},                \
        {.path = "sync:applyUpload", .kind = CONVEX_MUTATION, .internal = true, .run = app_apply_upload}, {  \
        .path = "sync:findUpload", .kind = CONVEX_QUERY, .internal = true, .run = app_find_upload            \
    }

/* What clients call: {clientId, transactionId, opId?, operations: [{op, table, id, data}]}, with the user as
 * `checkpointFor` when the answer shall be a custom write checkpoint (write_checkpoint.h). */
enum status app_apply_transaction(struct convex_context *context, const struct convex_value *args,
                                  struct convex_value **result, struct error *error);
/* What the app's server calls (upload_server.h): "fields" of documents instead of "data", "user" whose
 * documents alone may be touched, and the wrong ways "dedupe" and "known". With rows that were not there to
 * be changed the result is {missed: ["table/id"]}. */
enum status app_apply_upload(struct convex_context *context, const struct convex_value *args,
                             struct convex_value **result, struct error *error);
/* For a server that looks first and writes later, which is wrong: {done, known: [ids of rows that are
 * there]}. */
enum status app_find_upload(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error);

#endif
