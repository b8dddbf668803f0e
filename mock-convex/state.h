/* The inside of a deployment, for the files that answer its routes. */
#ifndef MOCK_CONVEX_STATE_H
#define MOCK_CONVEX_STATE_H

#include "mock-convex/deployment.h"
#include "mock-convex/export/head_page.h"
#include "mock-convex/function/slots.h"
#include "mock-convex/http/reply.h"
#include "mock-convex/http/request.h"
#include "mock-convex/store/store.h"
#include "mock-convex/store/table_shapes.h"

struct convex_action;
struct convex_answer;
struct convex_auth;
struct convex_parked;
struct convex_mutation;
struct sync_hub;

struct convex_deployment {
    struct host *host;
    char *deploy_key;
    struct convex_auth *auth; /* see auth.h */
    struct convex_switches switches;
    struct convex_slots function_slots, action_slots, request_slots, job_slots;
    int64_t written_since, written; /* ns; bytes of documents committed since then, see convex_throttle */
    struct map exchanges;           /* requests that are counted, see request_count.h */
    bool redacts;                   /* a production deployment tells callers no error texts */
    struct convex_store store;
    struct convex_storage *storage; /* where `store` and `syncs` go when the deployment ends */
    bool owns_storage;
    struct map functions;                                     /* path -> const struct convex_function */
    int64_t mutation_time_low, mutation_time_high, read_time; /* ns */
    size_t delta_page_rows;    /* log rows read for one page of document_deltas */
    size_t snapshot_page_rows; /* documents of one page of list_snapshot */
    struct convex_head_page head_page;
    struct host *site; /* for HTTP actions; NULL: none */
    const struct convex_http_route *http_routes;
    size_t n_http_routes;
    int conflicts;        /* first attempts of each mutation that conflict whatever they read */
    bool bumps_when_idle; /* see idle_bump.h */
    uint64_t idle_timer;
    struct convex_table_shapes shapes; /* for json_schemas */
    int64_t summaries_at;              /* ns of the host's time; before it json_schemas has no answer */
    struct map syncs;                  /* see data_sync_list.h */
    struct convex_answer *answers;     /* decided, not yet sent */
    struct convex_parked *parked;      /* requests that wait for the keys of a token */
    size_t n_parked;
    struct convex_mutation *mutations; /* running */
    struct convex_action *actions;     /* running */
    uint64_t collect_timer;            /* see collect.h */
    struct map jobs;                   /* scheduled ones that are not over, see scheduler.h */
    struct sync_hub *sync;             /* WebSocket sessions */
};

/* Exactly these and the built-in one are the functions from now on. The array is borrowed. */
void convex_set_functions(struct convex_deployment *deployment, const struct convex_function *functions,
                          size_t count);

/* Something may have been committed: everything in the log from position `from`. Tells whom it concerns, and
 * notes it (NOTE_COMMIT), without the rows of system tables. */
void convex_note_commit(struct convex_deployment *deployment, size_t from, const char *path);

#endif
