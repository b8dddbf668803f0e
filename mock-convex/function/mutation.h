/* Mutations in virtual time: the function runs at once on the newest snapshot; after the time that
 * a commit takes its reads are validated and its writes published, or it is run again, at most 5 times in
 * all. A caller that has gone changes nothing about that: the mutation still commits. */
#ifndef MOCK_CONVEX_MUTATION_H
#define MOCK_CONVEX_MUTATION_H

#include "mock-convex/function/function_api.h"
#include "mock-convex/state.h"
#include "mock-convex/store/transaction.h"

#define CONVEX_MUTATION_ATTEMPTS 5

/* How a mutation ended, for callers that are not HTTP exchanges. Borrowed for the duration of the call. */
struct convex_mutation_outcome {
    const struct convex_value *value;  /* it committed; NULL: it did not */
    int64_t ts;                        /* of the commit; of the snapshot when nothing was written */
    const char *message;               /* the function's error; NULL unless it failed by itself */
    const struct convex_value *thrown; /* the data of that error; NULL: none */
    const struct convex_log *log;      /* NULL: none */
    const char *code;                  /* the backend's error; NULL unless it was that */
    bool lost; /* it committed, and who asked from outside must not learn it: the connection breaks */
};

struct convex_mutation_caller {
    /* Part of the transaction, after the function has succeeded; perhaps several times. A status but
     * STATUS_OK fails the mutation. NULL: nothing to add. */
    enum status (*finish)(void *context, struct convex_transaction *transaction,
                          const struct convex_value *value, struct error *error);
    /* At the moment of the commit, which may be long before the answer, or all there is when the deployment
     * crashes in between. NULL: not wanted. */
    void (*committed)(void *context, int64_t ts);
    void (*done)(void *context, const struct convex_mutation_outcome *outcome); /* the answer */
    void *context;
};

/* Run a checked call of a mutation (taken). `done` comes once, or never when all mutations are dropped. */
void convex_mutation_run(struct convex_deployment *deployment, const struct convex_call *call,
                         const struct convex_mutation_caller *caller);
/* Run a checked call of a mutation (taken). It will answer the exchange. */
void convex_mutation_start(struct convex_deployment *deployment, uint64_t exchange,
                           const struct convex_call *call);
/* The peer of this exchange has gone. True: it was a mutation's. */
bool convex_mutation_closed(struct convex_deployment *deployment, uint64_t exchange);
/* Drop all running mutations. They do not commit. */
void convex_mutation_drop_all(struct convex_deployment *deployment);

#endif
