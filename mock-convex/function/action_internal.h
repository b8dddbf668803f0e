/* What action.c (its life), action_calls.c (its calls) and action_fetch.c (its HTTP requests) share. */
#ifndef MOCK_CONVEX_ACTION_INTERNAL_H
#define MOCK_CONVEX_ACTION_INTERNAL_H

#include "base/digest.h"
#include "mock-convex/function/action.h"
#include "mock-convex/function/context.h"

/* One call that an action has made, and its answer. */
struct convex_action_entry {
    struct hash128 key; /* of what was called with what */
    bool done;          /* the answer is there */
    enum status status;
    struct convex_value *value;  /* owned; of an answer that is a value */
    struct convex_value *thrown; /* owned; of a failed function */
    char *message;               /* owned; of a failure */
    uint64_t number;             /* of an answer that is a number */
};

struct convex_fetch; /* action_fetch.c */

struct convex_action {
    struct convex_deployment *deployment;
    struct convex_action *next, **link; /* in the deployment's list; `link` points at what points here */
    const struct convex_function *function;
    struct convex_value *user, *args;   /* owned; `user` NULL: nobody */
    struct convex_action_caller caller; /* `done` NULL: it has gone */
    uint64_t timer;                     /* the start, or a sleep */
    struct convex_slot slot;            /* from its start to its end */
    struct convex_fetch *fetch;         /* that it waits for */
    struct convex_action_entry **entries;
    size_t n_entries, capacity;
    size_t position; /* of the next call of this run */
    bool running;    /* inside its function */
    bool waiting;    /* for the last entry */
    bool child;      /* a mutation or an action runs for it and will report */
    bool ended;      /* its outcome was told; it only waits for the child */
    int depth;       /* of actions that call actions */
};

/* Find the call in the record, or begin an entry (`(*entry)->done` is false then). `kind` and `detail` are
 * what must be the same in every run. A status but STATUS_OK must be passed on. */
enum status convex_action_step(struct convex_context *context, const char *kind, const void *detail,
                               size_t length, struct convex_action_entry **entry, struct error *error);
/* The action's run ends here; it goes on when the answer is there. Returns STATUS_PENDING. */
enum status convex_action_wait(struct convex_action *action, struct error *error);
/* The answer of the entry that is waited for has come: run the action again. */
void convex_action_resume(struct convex_action *action);
/* Hand an entry's answer to the function. `result` NULL: there is no value. */
enum status convex_action_give(struct convex_context *context, const struct convex_action_entry *entry,
                               struct convex_value **result, struct error *error);
/* Fill the entry with a failure. */
void convex_action_entry_fail(struct convex_action_entry *entry, enum status status, const char *message,
                              const struct convex_value *thrown);
struct convex_action_entry *convex_action_last(struct convex_action *action);

void convex_fetch_drop(struct convex_fetch *fetch); /* NULL: none */

#endif
