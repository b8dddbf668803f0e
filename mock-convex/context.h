/* One attempt of one function call: what convex_get and the other calls of function.h work on, and how it is
 * run. */
#ifndef MOCK_CONVEX_CONTEXT_H
#define MOCK_CONVEX_CONTEXT_H

#include "mock-convex/transaction.h"

struct convex_context {
    struct host *host;
    struct convex_transaction transaction;
    bool read_only; /* a query */
    enum status
        limit; /* STATUS_LIMIT once a limit was hit: the call fails whatever the function makes of it */
    struct error limit_error;
};

/* Run `function` in a new transaction on the newest snapshot. On STATUS_OK `*result` is a value of the caller
 * (never NULL). The transaction stays open in every case: the caller commits it or not, and ends it. */
enum status convex_context_run(struct convex_context *context, struct convex_store *store, struct host *host,
                               const struct convex_function *function, const struct convex_value *args,
                               struct convex_value **result, struct error *error);

#endif
