#include "mock-convex/function/mutation.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "mock-convex/function/context.h"
#include "mock-convex/function/reads_note.h"
#include "mock-convex/http/cors.h"
#include "mock-convex/http/request_count.h"

#define RETRY_DELAY_BASE (100 * TIME_MILLISECOND)
#define RETRY_DELAY_MAX (2000 * TIME_MILLISECOND)

struct convex_mutation {
    struct convex_deployment *deployment;
    struct convex_mutation *next, **link; /* in the deployment's list; `link` points at what points here */
    uint64_t exchange;                    /* 0: the caller has gone */
    struct convex_mutation_caller caller; /* when it is no exchange's */
    uint64_t timer;
    struct convex_slot slot; /* from its start to its end */
    struct convex_call call;
    int attempts; /* begun so far */
    bool running; /* `context` holds a transaction */
    struct convex_context context;
    enum status status; /* of the function */
    int64_t ts;         /* of the commit */
    struct convex_value *result;
    struct error error;
};

static void end_attempt(struct convex_mutation *mutation) {
    if (mutation->running) {
        convex_context_end(&mutation->context);
    }
    convex_free(mutation->result);
    mutation->running = false;
    mutation->result = NULL;
}

static void release(struct convex_mutation *mutation) {
    end_attempt(mutation);
    host_timer_cancel(mutation->deployment->host, mutation->timer);
    convex_slot_leave(&mutation->slot);
    if (mutation->exchange != 0) {
        convex_request_over(mutation->deployment, mutation->deployment->host, mutation->exchange);
    }
    *mutation->link = mutation->next;
    if (mutation->next != NULL) {
        mutation->next->link = mutation->link;
    }
    convex_call_free(&mutation->call);
    free(mutation);
}

/* Answer, if anybody still listens, and forget the mutation. */
static void answer(struct convex_mutation *mutation, struct convex_reply *reply) {
    if (mutation->exchange != 0) {
        convex_cors_allow(reply, mutation->call.origin);
        convex_reply_send(reply, mutation->deployment->host, mutation->exchange);
    } else {
        convex_reply_free(reply);
    }
    release(mutation);
}

/* False: the caller is an exchange and wants a reply. */
static bool tell_caller(struct convex_mutation *mutation, const struct convex_mutation_outcome *outcome) {
    if (mutation->caller.done == NULL) {
        return false;
    }
    mutation->caller.done(mutation->caller.context, outcome);
    release(mutation);
    return true;
}

static void set_timer(struct convex_mutation *mutation, int64_t delay, void (*fire)(void *)) {
    mutation->timer = host_timer_set(mutation->deployment->host, delay, fire, mutation);
}

static void reach_commit(void *context);

static void run_attempt(struct convex_mutation *mutation) {
    struct convex_deployment *deployment = mutation->deployment;
    assert(!mutation->running && mutation->attempts < CONVEX_MUTATION_ATTEMPTS);
    mutation->attempts++;
    if (mutation->attempts > 1) { /* a push may have come in between */
        const struct convex_function *before = mutation->call.function;
        convex_call_resolve(deployment, &mutation->call);
        bool usable = mutation->call.function != NULL && mutation->call.function->kind == CONVEX_MUTATION;
        mutation->call.function = usable ? mutation->call.function : before;
    }
    const struct convex_call *call = &mutation->call;
    mutation->status = convex_context_run(&mutation->context, deployment, call->function, call->user,
                                          call->args, &mutation->result, &mutation->error);
    if (mutation->status == STATUS_OK && mutation->caller.finish != NULL) {
        mutation->status = mutation->caller.finish(mutation->caller.context, &mutation->context.transaction,
                                                   mutation->result, &mutation->error);
    }
    mutation->running = true;
    convex_call_keep_log(deployment, &mutation->call, &mutation->context.log);
    set_timer(mutation,
              host_random_between(deployment->host, "convex.mutation-time", deployment->mutation_time_low,
                                  deployment->mutation_time_high),
              reach_commit);
}

static void fire_retry(void *context) {
    struct convex_mutation *mutation = context;
    mutation->timer = 0;
    run_attempt(mutation);
}

/* It ends without having run to its end. */
static void refuse(struct convex_mutation *mutation, int status, const char *code, const char *message) {
    struct convex_reply reply = {0};
    if (!tell_caller(mutation, &(struct convex_mutation_outcome){.code = code})) {
        convex_reply_error(&reply, status, code, "%s", message);
        answer(mutation, &reply);
    }
}

/* A conflict (or with `throttled` too much written): again after a random delay whose bound doubles, or give
 * up. */
static void retry_or_give_up(struct convex_mutation *mutation, const struct error *conflict, bool throttled) {
    struct host *host = mutation->deployment->host;
    assert(mutation->running && mutation->attempts >= 1);
    end_attempt(mutation);
    if (mutation->attempts == CONVEX_MUTATION_ATTEMPTS) {
        if (throttled) {
            refuse(mutation, 429, "TooManyWrites", conflict->message);
            return;
        }
        char *message = memory_format("%s: %s", mutation->call.path, conflict->message);
        host_mark(host, "convex.occ-exhausted");
        refuse(mutation, 503, "OptimisticConcurrencyControlFailure", message);
        free(message);
        return;
    }
    if (!throttled) {
        host_mark(host, "convex.occ-retry");
    }
    int64_t bound = RETRY_DELAY_BASE << (mutation->attempts - 1);
    bound = bound < RETRY_DELAY_MAX ? bound : RETRY_DELAY_MAX;
    set_timer(mutation, host_random_between(host, "convex.occ-delay", 0, bound), fire_retry);
}

/* It has committed. */
static void answer_success(struct convex_mutation *mutation) {
    struct convex_reply reply = {0};
    if (tell_caller(mutation, &(struct convex_mutation_outcome){.value = mutation->result,
                                                                .ts = mutation->ts,
                                                                .log = &mutation->call.log})) {
        return;
    }
    convex_call_succeed(&mutation->call, mutation->result, &reply);
    answer(mutation, &reply);
}

static void fire_answer(void *context) {
    struct convex_mutation *mutation = context;
    mutation->timer = 0;
    answer_success(mutation);
}

/* It has committed, and its caller sees the connection break. */
static void lose_answer(struct convex_mutation *mutation) {
    if (tell_caller(mutation, &(struct convex_mutation_outcome){
                                  .value = mutation->result, .ts = mutation->ts, .lost = true})) {
        return;
    }
    if (mutation->exchange != 0) {
        host_http_reset(mutation->deployment->host, mutation->exchange);
    }
    release(mutation);
}

/* Has as much been written in this second as may be? A single transaction may pass the limit. */
static bool is_throttled(struct convex_deployment *deployment) {
    int64_t now = host_now(deployment->host), rate = deployment->switches.limits.write_rate;
    if (now - deployment->written_since >= TIME_SECOND) {
        deployment->written_since = now;
        deployment->written = 0;
    }
    return rate > 0 && deployment->written >= rate;
}

static void commit(struct convex_mutation *mutation) {
    struct convex_deployment *deployment = mutation->deployment;
    struct error conflict = {0};
    if (mutation->attempts <= deployment->conflicts) {
        error_set(&conflict, STATUS_CONFLICT, "a conflict that the deployment was told to have");
        retry_or_give_up(mutation, &conflict, false);
        return;
    }
    if (is_throttled(deployment)) {
        error_set(&conflict, STATUS_LIMIT, "too much is written to this deployment");
        retry_or_give_up(mutation, &conflict, true);
        return;
    }
    size_t bytes = mutation->context.transaction.bytes_written;
    enum status status = convex_commit_noted(deployment, &mutation->context.transaction, mutation->call.path,
                                             &mutation->ts, &conflict);
    if (status == STATUS_CONFLICT) {
        retry_or_give_up(mutation, &conflict, false);
        return;
    }
    deployment->written += (int64_t)bytes;
    assert(status == STATUS_OK && mutation->ts <= deployment->store.latest);
    if (mutation->caller.committed != NULL) {
        mutation->caller.committed(mutation->caller.context, mutation->ts);
    }
    struct fault_point fault = host_fault_point(deployment->host, "convex.after-commit");
    if (fault.action == FAULT_DELAY) {
        set_timer(mutation, fault.delay, fire_answer);
    } else if (fault.action == FAULT_ERROR) {
        lose_answer(mutation);
    } else {
        answer_success(mutation);
    }
}

static void fire_commit(void *context) {
    struct convex_mutation *mutation = context;
    mutation->timer = 0;
    commit(mutation);
}

/* The time of the commit has come. A function that threw has nothing to commit. */
static void reach_commit(void *context) {
    struct convex_mutation *mutation = context;
    struct convex_deployment *deployment = mutation->deployment;
    struct convex_reply reply = {0};
    mutation->timer = 0;
    if (mutation->status != STATUS_OK) {
        if (tell_caller(mutation, &(struct convex_mutation_outcome){.message = mutation->error.message,
                                                                    .thrown = mutation->context.thrown,
                                                                    .log = &mutation->call.log})) {
            return;
        }
        convex_call_fail(deployment, &mutation->call, mutation->error.message, mutation->context.thrown,
                         &reply);
        answer(mutation, &reply);
        return;
    }
    struct fault_point fault = host_fault_point(deployment->host, "convex.before-commit");
    if (fault.action == FAULT_DELAY) {
        set_timer(mutation, fault.delay, fire_commit);
    } else if (fault.action == FAULT_ERROR) { /* the commit queue stayed full: nothing is committed */
        if (tell_caller(mutation, &(struct convex_mutation_outcome){.code = "CommitterFullError"})) {
            return;
        }
        convex_reply_error(&reply, 503, "CommitterFullError",
                           "Too many commits are waiting. Try again later.");
        answer(mutation, &reply);
    } else {
        commit(mutation);
    }
}

static void slot_granted(void *context) {
    run_attempt(context);
}

static void slot_refused(void *context) {
    refuse(context, 429, "TooManyConcurrentRequests", "Too many functions run at once.");
}

static void start(struct convex_deployment *deployment, const struct convex_call *call, uint64_t exchange,
                  struct convex_mutation_caller caller) {
    assert(call->function->kind == CONVEX_MUTATION && call->args != NULL);
    struct convex_mutation *mutation = memory_allocate(sizeof *mutation);
    mutation->deployment = deployment;
    mutation->exchange = exchange;
    mutation->caller = caller;
    mutation->call = *call;
    mutation->next = deployment->mutations;
    mutation->link = &deployment->mutations;
    if (mutation->next != NULL) {
        mutation->next->link = &mutation->next;
    }
    deployment->mutations = mutation;
    mutation->slot =
        (struct convex_slot){.granted = slot_granted, .refused = slot_refused, .context = mutation};
    if (convex_slot_take(&deployment->function_slots, &mutation->slot)) {
        run_attempt(mutation);
    }
}

void convex_mutation_run(struct convex_deployment *deployment, const struct convex_call *call,
                         const struct convex_mutation_caller *caller) {
    assert(caller->done != NULL);
    start(deployment, call, 0, *caller);
}

void convex_mutation_start(struct convex_deployment *deployment, uint64_t exchange,
                           const struct convex_call *call) {
    assert(exchange != 0);
    start(deployment, call, exchange, (struct convex_mutation_caller){0});
}

bool convex_mutation_closed(struct convex_deployment *deployment, uint64_t exchange) {
    assert(exchange != 0);
    for (struct convex_mutation *mutation = deployment->mutations; mutation != NULL;
         mutation = mutation->next) {
        if (mutation->exchange == exchange) {
            mutation->exchange = 0;
            return true;
        }
    }
    return false;
}

void convex_mutation_drop_all(struct convex_deployment *deployment) {
    while (deployment->mutations != NULL) {
        release(deployment->mutations); // NOLINT(clang-analyzer-unix.Malloc): it unlinks the first one
    }
}
