/* One attempt of one function call: what convex_get and the other calls of function.h work on, and how it is
 * run. */
#ifndef MOCK_CONVEX_CONTEXT_H
#define MOCK_CONVEX_CONTEXT_H

#include "mock-convex/function/log.h"
#include "mock-convex/store/transaction.h"

struct convex_action;
struct convex_deployment;

struct convex_context {
    struct host *host;
    struct convex_transaction transaction;
    bool read_only;                         /* a query */
    bool is_action;                         /* no reads and writes */
    struct convex_action *action;           /* that runs; NULL: none, or one that may not wait */
    struct convex_deployment *deployment;   /* whose function it is */
    int depth;                              /* calls of functions inside each other */
    size_t scheduled, scheduled_bytes;      /* jobs of this transaction, and the size of their arguments */
    struct convex_value *thrown;            /* of convex_throw; NULL: nothing */
    struct convex_log log;                  /* of convex_log, of this attempt */
    const struct convex_function *function; /* that runs */
    const struct convex_value *user;        /* who calls, see convex_user; borrowed, NULL: nobody */
    /* Once a limit was hit or a mutation inside the transaction has failed: the call fails whatever the
     * function makes of it. */
    enum status limit;
    struct error limit_error;
    bool evaluates; /* for a check: it must draw no random numbers of the host */
    bool impure;    /* has asked for the time or for random numbers */
};

#define CONVEX_RESULT_SIZE_MAX ((size_t)16 << 20)
#define CONVEX_CALL_DEPTH_MAX 64

/* A new transaction on the newest snapshot, for one call of `function` by `user` (borrowed; NULL: nobody). */
void convex_context_begin(struct convex_context *context, struct convex_deployment *deployment,
                          const struct convex_function *function, const struct convex_value *user);
/* Call `function` in it, once. On STATUS_OK `*result` is a value of the caller (never NULL). */
enum status convex_context_call(struct convex_context *context, const struct convex_function *function,
                                const struct convex_value *args, struct convex_value **result,
                                struct error *error);
/* Ends the transaction, also without commit, and forgets what was thrown. */
void convex_context_end(struct convex_context *context);

/* Run `function` in a new transaction on the newest snapshot. On STATUS_OK `*result` is a value of the caller
 * (never NULL). The context stays open in every case: the caller commits its transaction or not, and ends it.
 */
enum status convex_context_run(struct convex_context *context, struct convex_deployment *deployment,
                               const struct convex_function *function, const struct convex_value *user,
                               const struct convex_value *args, struct convex_value **result,
                               struct error *error);
/* Call another function inside the same transaction. */
enum status convex_context_nest(struct convex_context *context, const struct convex_function *function,
                                const struct convex_value *args, struct convex_value **result,
                                struct error *error);

#endif
