/* A Convex deployment behind a host: documents with real ids, a multi-version store with commit timestamps,
 * mutations as transactions, the streaming export API and the function API, deploy key checks. Routes: see
 * docs/mock-convex.md. Everything it keeps is in memory. */
#ifndef MOCK_CONVEX_DEPLOYMENT_H
#define MOCK_CONVEX_DEPLOYMENT_H

#include "kernel/host.h"
#include "mock-convex/function.h"
#include "mock-convex/switches.h"

struct convex_deployment;

/* What outlives a crash: documents, scheduled jobs, the results of mutations that came over WebSockets, the
 * list of Data Sync readers. A crash is convex_deployment_destroy and convex_deployment_create on the same
 * storage, with the same tables: nothing committed is lost, nothing half done is there. Mutations and actions
 * that were running are gone, jobs whose time has come run, commit timestamps go on from the newest. At most
 * one deployment at a time runs on a storage. */
struct convex_storage;
struct convex_storage *convex_storage_create(void);
void convex_storage_destroy(struct convex_storage *storage);

/* One entry of auth.config.ts. */
struct convex_auth_provider {
    const char *issuer;      /* OIDC `domain`, or the custom issuer: "https://issuer.example" */
    const char *application; /* applicationID, which `aud` must hold; NULL (custom only): any */
    const char *jwks;        /* custom JWT: URL of the key set (or a data: URL); NULL: OIDC discovery */
    const char *algorithm;   /* custom JWT: "RS256" or "ES256" */
};

/* Where the router sends HTTP actions: the path itself, or all below it when it ends with a slash. */
struct convex_http_route {
    const char *method; /* "POST" */
    const char *path;   /* "/webhook" or "/files/" */
    const char *function;
};

enum convex_key_kind {
    CONVEX_KEY_READ_ONLY, /* may look and run queries, no more */
    CONVEX_KEY_NO_VIEW    /* may do everything but look at data: no export */
};

struct convex_key {
    const char *key; /* as deploy_key */
    enum convex_key_kind kind;
};

struct convex_deployment_options {
    const char *deploy_key;        /* "prod:happy-animal-123|0123abcd"; compared whole */
    const struct convex_key *keys; /* further keys, with roles of their own */
    size_t n_keys;
    struct convex_storage *storage; /* NULL: one of its own, which goes with it */
    struct host *site;              /* listens for HTTP actions (the second port); NULL: only below /http/ */
    const struct convex_http_route *http_routes;
    size_t n_http_routes;
    const struct convex_auth_provider *providers;
    size_t n_providers;
    bool schemaless;                   /* a table that is written to and does not exist is made */
    const struct convex_table *tables; /* declared tables; powersync_checkpoints is always there */
    size_t n_tables;
    const struct convex_function *functions; /* powersync_checkpoints:createCheckpoint is always there */
    size_t n_functions;
    int64_t mutation_time_low;  /* ns of virtual time between a mutation's begin and its commit, uniform */
    int64_t mutation_time_high; /* usual 1 ms .. 15 ms */
    int64_t read_time;          /* ns that answering any other request takes; usual 2 ms */
    int conflicts;              /* so many first attempts of each mutation conflict, for tests; usual 0 */
    bool bumps_when_idle;       /* the newest timestamp moves on without commits, as idle_bump.h says */
    struct convex_switches switches;
};

/* Listens at once. The hosts must outlive the deployment; options are copied, function, route and table
 * arrays borrowed. */
struct convex_deployment *convex_deployment_create(struct host *host,
                                                   const struct convex_deployment_options *options);
void convex_deployment_destroy(struct convex_deployment *deployment);

/* Run a function now, outside HTTP and without virtual time, as a deployment's own seed script would.
 * `result` may be NULL; else the caller frees it. */
enum status convex_deployment_run(struct convex_deployment *deployment, const char *path,
                                  const struct convex_value *args, struct convex_value **result,
                                  struct error *error);

/* What a query gives as of a commit timestamp, for checks: without virtual time, subscriptions, notes or
 * random numbers, so that a run does not change. `args` is the arguments object as encoded JSON, `user` a
 * token identifier ("issuer|subject") or NULL: nobody. On STATUS_OK `*text` is the caller's: the result as
 * encoded JSON, or with `*failed` the error's text as callers see it, without the request id. STATUS_INVALID:
 * it cannot be told (arguments that are no object, a time to come, a function that asks for the time or for
 * random numbers). */
enum status convex_deployment_evaluate(struct convex_deployment *deployment, const char *path,
                                       const char *args, const char *user, int64_t ts, bool *failed,
                                       char **text, struct error *error);

/* Deploy another schema and other functions, all of them, at once: tables and indexes that are new come (an
 * index with entries of all documents), indexes that are not declared any more go, validators are exchanged.
 * Documents and their ids stay. A table that is not declared any more stays as it is, without validator. What
 * is running conflicts and runs again; open queries of WebSockets run again, with the new functions.
 * STATUS_INVALID: names that cannot be, or a document that does not fit (the message names table, document
 * and path); STATUS_LIMIT: too many tables. Then nothing has changed. Both arrays and all that they name must
 * outlive the deployment. */
enum status convex_deployment_push(struct convex_deployment *deployment, const struct convex_table *tables,
                                   size_t n_tables, const struct convex_function *functions,
                                   size_t n_functions, struct error *error);

/* Change a table now, as the dashboard or an import would; `name` is a full one (component.h), so that of a
 * table in shop is "shop//pets". STATUS_NOT_FOUND: there is no such table. A
 * transaction that has read or written the table meanwhile conflicts.
 *
 * drop: the table and its past vanish from the export; no tombstones. Functions no longer find it.
 * clear: its documents are deleted, 1000 a transaction; tombstones and NOTE_COMMITs as of any deletion.
 * replace: import, then activate, at once. */
enum status convex_deployment_drop_table(struct convex_deployment *deployment, const char *name,
                                         struct error *error);
enum status convex_deployment_clear_table(struct convex_deployment *deployment, const char *name,
                                          struct error *error);
enum status convex_deployment_replace_table(struct convex_deployment *deployment, const char *name,
                                            const struct convex_value *const *documents, size_t count,
                                            struct error *error);

/* The two halves of a replacement, as an import makes it. Copies of the documents (objects without system
 * fields) are written to a hidden table, in transactions of 1000; any status but STATUS_OK: one of them
 * cannot be stored, and nothing will come of it. Then the hidden table takes the name over. A reader of the
 * log who asks in between passes the new rows unseen, and the end of the old ones is never told: nothing is
 * noted.
 * `*import` belongs to the deployment and may be activated once. STATUS_NOT_FOUND: the table has gone. */
struct convex_store_table;
enum status convex_deployment_import(struct convex_deployment *deployment, const char *name,
                                     const struct convex_value *const *documents, size_t count,
                                     struct convex_store_table **import, struct error *error);
enum status convex_deployment_activate(struct convex_deployment *deployment,
                                       struct convex_store_table *import, struct error *error);

int64_t
convex_deployment_latest(const struct convex_deployment *deployment); /* newest commit timestamp, ns */

#endif
