/* The calls of an action that may wait; see action.h and function.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/function/action_internal.h"
#include "mock-convex/function/mutation.h"
#include "mock-convex/function/run_now.h"
#include "mock-convex/function/scheduler.h"

#define SLEEP_MAX (10 * TIME_MINUTE) /* as long as an action may run at all */

enum status convex_action_refuse_waiting(struct error *error) {
    return error_set(error, STATUS_INVALID, "an action that has to wait cannot be run here");
}

/* --- other functions --- */

static void describe_call(const char *path, const struct convex_value *args, struct buffer *out) {
    buffer_append_text(out, path);
    buffer_append_char(out, 0);
    convex_append_json(out, args, CONVEX_FORMAT_ENCODED);
}

static void run_query(struct convex_action *action, struct convex_action_entry *entry,
                      const struct convex_function *function, const struct convex_value *args) {
    struct convex_value *value = NULL, *thrown = NULL;
    struct error error = {0};
    enum status status =
        convex_run_now(action->deployment, function, action->user, args, &value, &thrown, NULL, &error);
    if (status == STATUS_OK) {
        entry->done = true;
        entry->value = value;
    } else {
        convex_action_entry_fail(entry, status, error.message, thrown);
    }
    convex_free(thrown);
}

static void mutation_done(void *context, const struct convex_mutation_outcome *outcome) {
    struct convex_action *action = context;
    struct convex_action_entry *entry = convex_action_last(action);
    if (outcome->value != NULL) {
        entry->done = true;
        entry->value = convex_copy(outcome->value);
    } else if (outcome->code != NULL) {
        convex_action_entry_fail(entry, STATUS_CONFLICT, outcome->code, NULL);
    } else {
        convex_action_entry_fail(entry, STATUS_INVALID, outcome->message, outcome->thrown);
    }
    convex_action_resume(action);
}

static void start_mutation(struct convex_action *action, const struct convex_function *function,
                           const struct convex_value *args) {
    const struct convex_call call = {.path = memory_copy_text(function->path),
                                     .component = memory_copy_text(function->component),
                                     .function = function,
                                     .user = action->user != NULL ? convex_copy(action->user) : NULL,
                                     .args = convex_copy(args)};
    const struct convex_mutation_caller caller = {.done = mutation_done, .context = action};
    action->child = true;
    convex_mutation_run(action->deployment, &call, &caller);
}

static void action_done(void *context, const struct convex_action_outcome *outcome) {
    struct convex_action *action = context;
    struct convex_action_entry *entry = convex_action_last(action);
    if (outcome->value != NULL) {
        entry->done = true;
        entry->value = convex_copy(outcome->value);
    } else {
        convex_action_entry_fail(entry, STATUS_INVALID, outcome->message, outcome->thrown);
    }
    convex_action_resume(action);
}

static void start_action(struct convex_action *action, const struct convex_function *function,
                         const struct convex_value *args) {
    const struct convex_action_caller caller = {.done = action_done, .context = action};
    action->child = true;
    struct convex_action *child =
        convex_action_start(action->deployment, function, action->user, args, 0, caller);
    child->depth = action->depth + 1;
}

/* False: the entry holds a failure, or a query's answer. */
static bool start_function(struct convex_action *action, struct convex_action_entry *entry,
                           enum convex_function_kind kind, const char *path,
                           const struct convex_value *args) {
    const struct convex_function *function = NULL;
    struct error error = {0};
    enum status status = convex_find_callee(action->deployment, kind, path, &function, &error);
    if (status == STATUS_OK && kind == CONVEX_ACTION && action->depth >= CONVEX_CALL_DEPTH_MAX) {
        status = error_set(&error, STATUS_LIMIT, "actions call each other more than %d deep",
                           CONVEX_CALL_DEPTH_MAX);
    }
    if (status != STATUS_OK) {
        convex_action_entry_fail(entry, status, error.message, NULL);
    } else if (kind == CONVEX_QUERY) {
        run_query(action, entry, function, args);
    } else if (kind == CONVEX_MUTATION) {
        start_mutation(action, function, args);
        return true;
    } else {
        start_action(action, function, args);
        return true;
    }
    return false;
}

enum status convex_action_run_function(struct convex_context *context, enum convex_function_kind kind,
                                       const char *path, const struct convex_value *args,
                                       struct convex_value **result, struct error *error) {
    static const char *const kinds[] = {
        [CONVEX_QUERY] = "query", [CONVEX_MUTATION] = "mutation", [CONVEX_ACTION] = "action"};
    struct convex_action *action = context->action;
    struct convex_action_entry *entry = NULL;
    struct buffer detail = {0};
    describe_call(path, args, &detail);
    enum status status = convex_action_step(context, kinds[kind], detail.data, detail.length, &entry, error);
    buffer_free(&detail);
    if (status != STATUS_OK) {
        return status;
    }
    if (!entry->done && start_function(action, entry, kind, path, args)) {
        return convex_action_wait(action, error);
    }
    return convex_action_give(context, entry, result, error);
}

/* --- time and chance --- */

static void fire_sleep(void *context) {
    struct convex_action *action = context;
    action->timer = 0;
    convex_action_last(action)->done = true;
    convex_action_resume(action);
}

enum status convex_sleep(struct convex_context *context, int64_t delay, struct error *error) {
    struct convex_action_entry *entry = NULL;
    if (context->action == NULL) {
        return convex_action_refuse_waiting(error);
    }
    if (delay < 0 || delay > SLEEP_MAX) {
        return error_set(error, STATUS_INVALID, "an action can sleep from 0 to 10 minutes");
    }
    enum status status = convex_action_step(context, "sleep", &delay, sizeof delay, &entry, error);
    if (status != STATUS_OK || entry->done) {
        return status;
    }
    context->action->timer = host_timer_set(context->host, delay, fire_sleep, context->action);
    return convex_action_wait(context->action, error);
}

/* A number that is the same in every run: drawn once. 0 when there can be no more calls. */
static uint64_t number(struct convex_context *context, const char *kind, uint64_t (*draw)(struct host *)) {
    struct convex_action_entry *entry = NULL;
    if (convex_action_step(context, kind, "", 0, &entry, NULL) != STATUS_OK) {
        return 0;
    }
    if (!entry->done) {
        entry->done = true;
        entry->number = draw(context->host);
    }
    return entry->number;
}

static uint64_t draw_time(struct host *host) {
    return (uint64_t)(host_wall_clock(host) / TIME_MILLISECOND);
}

static uint64_t draw_random(struct host *host) {
    return host_random(host, "convex.math-random");
}

int64_t convex_action_now(struct convex_context *context) {
    return (int64_t)number(context, "now", draw_time);
}

uint64_t convex_action_random(struct convex_context *context) {
    return number(context, "random", draw_random);
}

/* --- scheduling, in a transaction of its own --- */

enum status convex_action_schedule(struct convex_context *context, int64_t delay, const char *path,
                                   const struct convex_value *args, char *id, struct error *error) {
    struct convex_action_entry *entry = NULL;
    struct buffer detail = {0};
    buffer_append(&detail, &delay, sizeof delay);
    describe_call(path, args, &detail);
    enum status status = convex_action_step(context, "schedule", detail.data, detail.length, &entry, error);
    buffer_free(&detail);
    if (status != STATUS_OK) {
        return status;
    }
    if (!entry->done) {
        struct error failure = {0};
        status = convex_scheduler_add(context->deployment, delay, path, args, id, &failure);
        if (status == STATUS_OK) {
            entry->done = true;
            entry->value = convex_string(id);
        } else {
            convex_action_entry_fail(entry, status, failure.message, NULL);
        }
    }
    status = convex_action_give(context, entry, NULL, error);
    if (status == STATUS_OK) {
        strcpy(id, entry->value->as.bytes.data);
    }
    return status;
}

enum status convex_action_cancel(struct convex_context *context, const char *id, struct error *error) {
    struct convex_action_entry *entry = NULL;
    enum status status = convex_action_step(context, "cancel", id, strlen(id), &entry, error);
    if (status == STATUS_OK && !entry->done) {
        struct error failure = {0};
        status = convex_scheduler_cancel(context->deployment, id, &failure);
        if (status == STATUS_OK) {
            entry->done = true;
        } else {
            convex_action_entry_fail(entry, status, failure.message, NULL);
        }
        status = STATUS_OK;
    }
    return status == STATUS_OK ? convex_action_give(context, entry, NULL, error) : status;
}
