/* Properties: what users were promised. Each is one file; each sees the history record by record and the
 * wire, and reports violations. A new property is one new file and one line in check/properties.c. */
#ifndef SYNCLINE_CHECK_CHECK_H
#define SYNCLINE_CHECK_CHECK_H

#include "client/client.h"
#include "client/mapping.h"
#include "history/history.h"

struct checker;
struct oracle_request; /* check/oracle_streams.h */

struct violation {
    const char *property;
    const char *client; /* node name, or "" */
    const char *table;  /* or "" */
    const char *row;    /* row id, or "" */
    char *expected;     /* texts owned by the checker once reported */
    char *seen;
    uint64_t first_record; /* the two history records that matter; 0: none */
    uint64_t second_record;
    int64_t time;      /* virtual ns */
    char *explanation; /* a few lines */
};

struct property {
    const char *name;    /* "atomic-visibility" */
    const char *promise; /* one line for `syncline list properties` */
    void *(*create)(struct checker *checker);
    void (*record)(void *self, const struct history_record *record);       /* may be NULL */
    void (*wire)(void *self, int64_t now, const struct wire_event *event); /* may be NULL */
    void (*finish)(void *self); /* after the world has healed and settled; may be NULL */
    void (*destroy)(void *self);
};

extern const struct property *const check_properties[]; /* NULL-terminated, in the order of reports */
const struct property *check_property_find(const char *name);

struct check_settings {
    const struct client_schema *schema;
    const struct client_mapping *mapping;  /* how rows become documents; NULL: nobody says */
    const char *sync_config;               /* the streams, which the oracle evaluates with SQLite */
    const char *const *clients;            /* node names */
    const char *const *users;              /* the user of each client, same order */
    const struct oracle_request *requests; /* what each client asks for; NULL: nobody asks for anything */
    size_t n_clients;
    size_t n_subjects; /* of `users` and `requests`, clients first; behind them users who sign in on a client
                          later, with its request, and what clients may ask for later. 0: nobody does */
    bool disks;        /* the clients' databases are on disks: notes of restarts say what was left */
    bool streams_change; /* clients open and leave streams while they run: what they ask for is in their notes
                          * and requests, and some subject asks for each such combination */
    bool wrong_clocks;   /* clients' clocks may be wrong */
    const char *const *properties; /* names to check; NULL: all */
    size_t n_properties;
    /* Why this process of the service must not take a token now; NULL: it may. NULL: nobody can tell. */
    const char *(*refuse_token)(void *context, const char *service, const char *token);
    void *token_context;
    /* What a query gives as of a commit timestamp, as encoded JSON, or with `*failed` the error without
     * request id (owned by the caller). STATUS_MISSING: the deployment is down, ask again; any other failure:
     * it cannot be told. NULL: transitions are not compared. */
    enum status (*evaluate)(void *context, const char *path, const char *args, const char *user, int64_t ts,
                            bool *failed, char **text, struct error *error);
    void *evaluate_context;
};

enum status checker_create(struct history *history, struct world *world,
                           const struct check_settings *settings, struct checker **checker,
                           struct error *error);
void checker_finish(struct checker *checker); /* end of run: run every property's finish */
void checker_destroy(struct checker *checker);

/* For properties: `violation` is copied, its owned texts are taken. Only the first 16 of a property are kept.
 */
void checker_report(struct checker *checker, const struct violation *violation);
size_t checker_violations(const struct checker *checker, const struct violation *const **violations);
uint64_t checker_judged(const struct checker *checker); /* applied checkpoints and reads that were compared */

const struct check_settings *checker_settings(const struct checker *checker);
struct history *checker_history(struct checker *checker);
struct oracle;
struct oracle *checker_oracle(struct checker *checker); /* shared by the view properties; check/oracle.h */
struct view_models;
struct view_models *checker_views(struct checker *checker); /* likewise; check/view_model.h */
struct stream_log;
struct stream_log *checker_streams(struct checker *checker); /* check/stream_log.h */
struct upload_log;
struct upload_log *checker_uploads(struct checker *checker); /* check/upload_log.h */

#endif
