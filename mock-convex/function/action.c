#include "mock-convex/function/action.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/function/action_internal.h"
#include "mock-convex/http/cors.h"
#include "mock-convex/http/request_count.h"

/* --- the record --- */

static void free_entry(struct convex_action_entry *entry) {
    convex_free(entry->value);
    convex_free(entry->thrown);
    free(entry->message);
    free(entry);
}

struct convex_action_entry *convex_action_last(struct convex_action *action) {
    assert(action->n_entries > 0);
    return action->entries[action->n_entries - 1];
}

/* The run fails with this, whatever the function makes of it. */
static enum status doom(struct convex_context *context, enum status status, const char *message,
                        struct error *error) {
    if (context->limit == STATUS_OK) {
        context->limit = error_set(&context->limit_error, status, "%s", message);
    }
    return error_set(error, status, "%s", message);
}

static struct hash128 key_of(const char *kind, const void *detail, size_t length) {
    struct buffer text = {0};
    buffer_append_text(&text, kind);
    buffer_append_char(&text, 0);
    buffer_append(&text, detail, length);
    struct hash128 key = hash128_of(text.data, text.length);
    buffer_free(&text);
    return key;
}

enum status convex_action_step(struct convex_context *context, const char *kind, const void *detail,
                               size_t length, struct convex_action_entry **entry, struct error *error) {
    struct convex_action *action = context->action;
    struct hash128 key = key_of(kind, detail, length);
    assert(action->running && action->position <= action->n_entries);
    if (action->waiting) {
        return doom(context, STATUS_INVALID, "the action went on after a call returned STATUS_PENDING",
                    error);
    }
    if (action->position < action->n_entries) {
        *entry = action->entries[action->position++];
        if (!hash128_equal((*entry)->key, key)) {
            return doom(context, STATUS_INVALID,
                        "the action made other calls than in its run before: it must always make the same",
                        error);
        }
        assert((*entry)->done);
        return STATUS_OK;
    }
    if (action->n_entries >= CONVEX_ACTION_CALLS_MAX) {
        return doom(context, STATUS_LIMIT, "an action may make 1000 calls at most", error);
    }
    MEMORY_RESERVE(action->entries, action->capacity, action->n_entries + 1);
    *entry = memory_allocate(sizeof **entry);
    (*entry)->key = key;
    action->entries[action->n_entries++] = *entry;
    action->position++;
    return STATUS_OK;
}

enum status convex_action_wait(struct convex_action *action, struct error *error) {
    assert(action->running && !action->waiting && !convex_action_last(action)->done);
    action->waiting = true;
    return error_set(error, STATUS_PENDING, "the answer is not there yet");
}

void convex_action_entry_fail(struct convex_action_entry *entry, enum status status, const char *message,
                              const struct convex_value *thrown) {
    assert(!entry->done && status != STATUS_OK && status != STATUS_PENDING);
    entry->done = true;
    entry->status = status;
    entry->message = memory_copy_text(message);
    entry->thrown = thrown != NULL ? convex_copy(thrown) : NULL;
}

enum status convex_action_give(struct convex_context *context, const struct convex_action_entry *entry,
                               struct convex_value **result, struct error *error) {
    assert(entry->done);
    if (entry->status != STATUS_OK) {
        convex_catch(context);
        context->thrown = entry->thrown != NULL ? convex_copy(entry->thrown) : NULL;
        return error_set(error, entry->status, "%s", entry->message);
    }
    if (result != NULL) {
        *result = entry->value != NULL ? convex_copy(entry->value) : convex_null();
    }
    return STATUS_OK;
}

/* --- life --- */

static void free_action(struct convex_action *action) {
    if (action->caller.done != NULL && action->caller.gone != NULL) {
        action->caller.gone(action->caller.context);
    }
    host_timer_cancel(action->deployment->host, action->timer);
    convex_slot_leave(&action->slot);
    convex_fetch_drop(action->fetch);
    for (size_t i = 0; i < action->n_entries; i++) {
        free_entry(action->entries[i]);
    }
    *action->link = action->next;
    if (action->next != NULL) {
        action->next->link = action->link;
    }
    free(action->entries);
    convex_free(action->user);
    convex_free(action->args);
    free(action);
}

static void finish(struct convex_action *action, const struct convex_action_outcome *outcome) {
    struct convex_action_caller caller = action->caller;
    action->caller.done = NULL;
    action->ended = true;
    convex_slot_leave(&action->slot);
    if (caller.done != NULL) {
        caller.done(caller.context, outcome);
    }
    if (!action->child) {
        free_action(action);
    }
}

/* What is wrong with the way in which the function used its calls; NULL: nothing. */
static const char *find_misuse(const struct convex_action *action, enum status status) {
    if (action->waiting) {
        return "the action ended although a call had returned STATUS_PENDING";
    }
    if (status == STATUS_PENDING) {
        return "the action returned STATUS_PENDING without a call that waits";
    }
    if (action->position < action->n_entries) {
        return "the action made fewer calls than in its run before: it must always make the same";
    }
    return NULL;
}

static void run(struct convex_action *action) {
    struct convex_context context;
    struct convex_value *value = NULL;
    struct error error = {0};
    assert(!action->running && !action->ended);
    convex_context_begin(&context, action->deployment, action->function, action->user);
    context.action = action;
    context.depth = action->depth;
    action->running = true;
    action->waiting = false;
    action->position = 0;
    enum status status = convex_context_call(&context, action->function, action->args, &value, &error);
    action->running = false;
    bool waits = status == STATUS_PENDING && action->waiting;
    const char *misuse = context.limit != STATUS_OK ? NULL : find_misuse(action, status);
    if (!waits) {
        const char *message = misuse != NULL ? misuse : status != STATUS_OK ? error.message : NULL;
        const struct convex_action_outcome outcome = {.value = message == NULL ? value : NULL,
                                                      .message = message,
                                                      .thrown = misuse == NULL ? context.thrown : NULL,
                                                      .log = &context.log};
        finish(action, &outcome);
    }
    convex_free(value);
    convex_context_end(&context);
}

void convex_action_resume(struct convex_action *action) {
    action->child = false;
    if (action->ended) {
        free_action(action);
        return;
    }
    assert(convex_action_last(action)->done);
    run(action);
}

static void slot_granted(void *context) {
    run(context);
}

static void slot_refused(void *context) {
    struct convex_log log = {0};
    const struct convex_action_outcome outcome = {
        .message = "Too many actions run at once.", .code = "TooManyConcurrentRequests", .log = &log};
    finish(context, &outcome);
}

static void fire_start(void *context) {
    struct convex_action *action = context;
    action->timer = 0;
    action->slot = (struct convex_slot){.granted = slot_granted, .refused = slot_refused, .context = action};
    if (convex_slot_take(&action->deployment->action_slots, &action->slot)) {
        run(action);
    }
}

struct convex_action *convex_action_start(struct convex_deployment *deployment,
                                          const struct convex_function *function,
                                          const struct convex_value *user, const struct convex_value *args,
                                          int64_t delay, struct convex_action_caller caller) {
    assert(function->kind == CONVEX_ACTION || function->kind == CONVEX_HTTP_ACTION);
    struct convex_action *action = memory_allocate(sizeof *action);
    action->deployment = deployment;
    action->function = function;
    action->user = user != NULL ? convex_copy(user) : NULL;
    action->args = convex_copy(args);
    action->caller = caller;
    action->next = deployment->actions;
    action->link = &deployment->actions;
    if (action->next != NULL) {
        action->next->link = &action->next;
    }
    deployment->actions = action;
    action->timer = host_timer_set(deployment->host, delay, fire_start, action);
    return action;
}

void convex_action_leave(struct convex_action *action) {
    assert(!action->ended);
    action->caller.done = NULL;
}

void convex_action_drop_all(struct convex_deployment *deployment) {
    while (deployment->actions != NULL) {
        free_action(deployment->actions); // NOLINT(clang-analyzer-unix.Malloc): it unlinks the first one
    }
}

/* --- over HTTP --- */

struct http_call {
    struct convex_deployment *deployment;
    uint64_t exchange;
    struct convex_call call;
};

static void free_http(void *context) {
    struct http_call *http = context;
    convex_call_free(&http->call);
    free(http);
}

/* The host ignores answers to exchanges that are over. */
static void answer_http(void *context, const struct convex_action_outcome *outcome) {
    struct http_call *http = context;
    struct convex_reply reply = {0};
    convex_call_keep_log(http->deployment, &http->call, outcome->log);
    if (outcome->code != NULL) {
        convex_reply_error(&reply, 429, outcome->code, "%s", outcome->message);
    } else if (outcome->value != NULL) {
        convex_call_succeed(&http->call, outcome->value, &reply);
    } else {
        convex_call_fail(http->deployment, &http->call, outcome->message, outcome->thrown, &reply);
    }
    convex_cors_allow(&reply, http->call.origin);
    convex_reply_send(&reply, http->deployment->host, http->exchange);
    convex_request_over(http->deployment, http->deployment->host, http->exchange);
    free_http(http);
}

void convex_action_call(struct convex_deployment *deployment, uint64_t exchange,
                        const struct convex_call *call) {
    struct http_call *http = memory_allocate(sizeof *http);
    *http = (struct http_call){.deployment = deployment, .exchange = exchange, .call = *call};
    const struct convex_action_caller caller = {.done = answer_http, .gone = free_http, .context = http};
    convex_action_start(deployment, call->function, call->user, call->args, deployment->read_time, caller);
}
