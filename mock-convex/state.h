/* The inside of a deployment, for the files that answer its routes. */
#ifndef MOCK_CONVEX_STATE_H
#define MOCK_CONVEX_STATE_H

#include "mock-convex/deployment.h"
#include "mock-convex/reply.h"
#include "mock-convex/request.h"
#include "mock-convex/store.h"

struct convex_answer;
struct convex_mutation;
struct sync_hub;

struct convex_deployment {
    struct host *host;
    char *deploy_key;
    bool redacts; /* a production deployment tells callers no error texts */
    struct convex_store store;
    struct map functions;                                     /* path -> const struct convex_function */
    int64_t mutation_time_low, mutation_time_high, read_time; /* ns */
    size_t delta_page_rows;    /* log rows read for one page of document_deltas */
    size_t snapshot_page_rows; /* documents of one page of list_snapshot */
    int conflicts;             /* first attempts of each mutation that conflict whatever they read */
    bool bumps_when_idle;      /* see idle_bump.h */
    uint64_t idle_timer;
    struct map syncs;                  /* see data_sync_list.h */
    struct convex_answer *answers;     /* decided, not yet sent */
    struct convex_mutation *mutations; /* running */
    struct sync_hub *sync;             /* WebSocket sessions */
};

/* NOTE_COMMIT for everything in the log from position `from`; nothing when the log ends there. */
void convex_note_commit(struct convex_deployment *deployment, size_t from, const char *path);

#endif
