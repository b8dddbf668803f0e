#include "mock-convex/function/scheduler.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/function/action.h"
#include "mock-convex/function/context.h"
#include "mock-convex/function/mutation.h"
#include "mock-convex/function/reads_note.h"
#include "mock-convex/store/component.h"
#include "mock-convex/store/storage.h"
#include "mock-convex/value/utf8.h"

#define RETRY_DELAY_BASE (100 * TIME_MILLISECOND)
#define RETRY_DELAY_MAX (60 * TIME_SECOND)

/* A job that is not over. */
struct convex_job {
    struct convex_deployment *deployment;
    char id[CONVEX_ID_TEXT_MAX];
    uint64_t timer;
    bool running;
    struct convex_slot slot; /* while it runs, or waits to */
    int retries;
};

static struct convex_store_table *jobs_table(const struct convex_deployment *deployment) {
    struct convex_store_table *table = convex_store_table(&deployment->store, CONVEX_JOBS_TABLE);
    assert(table != NULL && table->system);
    return table;
}

/* --- rows --- */

static const char *state_of(const struct convex_value *row) {
    return convex_object_text(convex_object_get(row, "state"), "kind");
}

static bool is_pending(const struct convex_value *row) {
    return strcmp(state_of(row), "pending") == 0;
}

static struct convex_value *make_state(const char *kind, const char *error) {
    struct convex_value *state = convex_object();
    convex_object_set(state, "kind", convex_string(kind));
    if (error != NULL) {
        struct buffer text = {0}; /* it may have been cut inside a character */
        convex_utf8_append(&text, error, strlen(error));
        convex_object_set(state, "error", convex_string(buffer_text(&text)));
        buffer_free(&text);
    }
    return state;
}

static struct convex_value *make_row(int64_t due, const char *path, const struct convex_value *args) {
    struct convex_value *row = convex_object(), *list = convex_array();
    convex_array_append(list, convex_copy(args));
    convex_object_set(row, "name", convex_string(path));
    convex_object_set(row, "args", list);
    convex_object_set(row, "scheduledTime", convex_float64((double)due));
    convex_object_set(row, "state", make_state("pending", NULL));
    return row;
}

static enum status patch_state(struct convex_transaction *transaction, struct convex_store_table *table,
                               const char *id, const char *kind, const char *message, struct error *error) {
    struct convex_value *patch = convex_object();
    convex_object_set(patch, "state", make_state(kind, message));
    if (strcmp(kind, "inProgress") != 0) {
        int64_t now = host_wall_clock(transaction->host) / TIME_MILLISECOND;
        convex_object_set(patch, "completedTime", convex_float64((double)now));
    }
    enum status status = convex_transaction_patch(transaction, table, id, patch, error);
    convex_free(patch);
    return status;
}

/* Whole milliseconds, rounded up: never too early. */
static int64_t due_time(int64_t wall_clock, int64_t delay) {
    return (wall_clock + delay + TIME_MILLISECOND - 1) / TIME_MILLISECOND;
}

/* --- convex_schedule, convex_cancel --- */

static enum status check_job(const struct convex_deployment *deployment, int64_t delay, const char *path,
                             struct error *error) {
    const struct convex_function *function = map_get(&deployment->functions, path);
    if (function == NULL) {
        return error_set(error, STATUS_NOT_FOUND, "Could not find the function '%.300s'.", path);
    }
    if (function->kind != CONVEX_MUTATION && function->kind != CONVEX_ACTION) {
        return error_set(error, STATUS_INVALID, "'%.300s' is neither a mutation nor an action.", path);
    }
    if (delay < 0 || delay > CONVEX_JOB_DELAY_MAX) {
        return error_set(error, STATUS_INVALID, "a job is scheduled at most five years ahead, and not back");
    }
    return STATUS_OK;
}

static enum status count_job(struct convex_context *context, const struct convex_value *args,
                             struct error *error) {
    context->scheduled++;
    context->scheduled_bytes += convex_size(args);
    if (context->scheduled > CONVEX_JOBS_PER_TRANSACTION_MAX ||
        context->scheduled_bytes > CONVEX_JOBS_SIZE_MAX) {
        context->limit = error_set(&context->limit_error, STATUS_LIMIT,
                                   context->scheduled > CONVEX_JOBS_PER_TRANSACTION_MAX
                                       ? "more than 1000 functions scheduled in one transaction"
                                       : "more than 16 MiB of arguments scheduled in one transaction");
        return error_set(error, STATUS_LIMIT, "%s", context->limit_error.message);
    }
    return STATUS_OK;
}

static enum status schedule(struct convex_context *context, int64_t delay, const char *path,
                            const struct convex_value *args, char *id, struct error *error) {
    struct convex_transaction *transaction = &context->transaction;
    assert(args != NULL && args->kind == CONVEX_OBJECT);
    if (context->action != NULL) {
        return convex_action_schedule(context, delay, path, args, id, error);
    }
    if (context->is_action) {
        return convex_scheduler_add(context->deployment, delay, path, args, id, error);
    }
    if (context->read_only) {
        return error_set(error, STATUS_INVALID, "a query cannot schedule");
    }
    enum status status = check_job(context->deployment, delay, path, error);
    if (status == STATUS_OK) {
        status = count_job(context, args, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct convex_value *row = make_row(due_time(transaction->wall_clock, delay), path, args);
    return convex_transaction_insert(transaction, jobs_table(context->deployment), row, id, error);
}

enum status convex_schedule(struct convex_context *context, int64_t delay, const char *path,
                            const struct convex_value *args, char *id, struct error *error) {
    char *name = convex_component_name(context->function->component, path);
    enum status status = schedule(context, delay, name, args, id, error);
    free(name);
    return status;
}

static enum status cancel(struct convex_deployment *deployment, struct convex_transaction *transaction,
                          const char *id, struct error *error) {
    struct convex_store_table *table = jobs_table(deployment);
    const struct convex_value *row = NULL;
    enum status status = convex_transaction_get(transaction, table, id, &row, error);
    if (status == STATUS_OK && row == NULL) {
        return error_set(error, STATUS_NOT_FOUND, "there is no scheduled function %.40s", id);
    }
    if (status != STATUS_OK || !is_pending(row)) {
        return status;
    }
    return patch_state(transaction, table, id, "canceled", NULL, error);
}

enum status convex_cancel(struct convex_context *context, const char *id, struct error *error) {
    if (context->action != NULL) {
        return convex_action_cancel(context, id, error);
    }
    if (context->is_action) {
        return convex_scheduler_cancel(context->deployment, id, error);
    }
    if (context->read_only) {
        return error_set(error, STATUS_INVALID, "a query cannot cancel");
    }
    return cancel(context->deployment, &context->transaction, id, error);
}

/* --- in transactions of its own --- */

static void begin(struct convex_deployment *deployment, struct convex_transaction *transaction) {
    convex_transaction_begin(transaction, &deployment->store, deployment->host,
                             host_wall_clock(deployment->host));
}

/* Commit when all is well, and end. Nothing can have come in between. */
static enum status commit(struct convex_deployment *deployment, struct convex_transaction *transaction,
                          enum status status, struct error *error) {
    int64_t ts;
    if (status == STATUS_OK) {
        status = convex_commit_noted(deployment, transaction, "scheduler", &ts, error);
        assert(status == STATUS_OK);
    }
    convex_transaction_end(transaction);
    return status;
}

enum status convex_scheduler_add(struct convex_deployment *deployment, int64_t delay, const char *path,
                                 const struct convex_value *args, char *id, struct error *error) {
    struct convex_transaction transaction;
    enum status status = check_job(deployment, delay, path, error);
    if (status != STATUS_OK) {
        return status;
    }
    begin(deployment, &transaction);
    struct convex_value *row = make_row(due_time(transaction.wall_clock, delay), path, args);
    status = convex_transaction_insert(&transaction, jobs_table(deployment), row, id, error);
    return commit(deployment, &transaction, status, error);
}

enum status convex_scheduler_cancel(struct convex_deployment *deployment, const char *id,
                                    struct error *error) {
    struct convex_transaction transaction;
    begin(deployment, &transaction);
    enum status status = cancel(deployment, &transaction, id, error);
    return commit(deployment, &transaction, status, error);
}

static void set_state(struct convex_deployment *deployment, const char *id, const char *kind,
                      const char *message) {
    struct convex_transaction transaction;
    struct error error = {0};
    begin(deployment, &transaction);
    enum status status = patch_state(&transaction, jobs_table(deployment), id, kind, message, &error);
    status = commit(deployment, &transaction, status, &error);
    assert(status == STATUS_OK); /* the row is there: only those of ended jobs are deleted */
    (void)status;
}

/* --- running --- */

/* The row as it is now. */
static const struct convex_value *row_of(const struct convex_job *job) {
    struct convex_id id;
    enum status status = convex_id_decode(job->id, &id);
    assert(status == STATUS_OK);
    (void)status;
    return convex_store_document(jobs_table(job->deployment), id.internal)->newest->value;
}

static void forget(struct convex_job *job) {
    host_timer_cancel(job->deployment->host, job->timer);
    convex_slot_leave(&job->slot);
    map_remove(&job->deployment->jobs, job->id);
    free(job);
}

static void fire(void *context);

static void wait(struct convex_job *job, int64_t delay) {
    assert(job->timer == 0 && !job->running);
    convex_slot_leave(&job->slot);
    job->timer = host_timer_set(job->deployment->host, delay, fire, job);
}

static int64_t time_left(const struct convex_job *job) {
    double due = convex_object_get(row_of(job), "scheduledTime")->as.number;
    int64_t left = (int64_t)due * TIME_MILLISECOND - host_wall_clock(job->deployment->host);
    return left > 0 ? left : 0;
}

static void try_again(struct convex_job *job) {
    int64_t delay = RETRY_DELAY_BASE << (job->retries < 10 ? job->retries : 10);
    job->retries++;
    delay = delay < RETRY_DELAY_MAX ? delay : RETRY_DELAY_MAX;
    wait(job, host_random_between(job->deployment->host, "convex.job-retry", delay / 2, delay));
}

/* Part of the mutation's transaction. It reads the row, so a cancellation meanwhile is a conflict. */
static enum status finish_mutation(void *context, struct convex_transaction *transaction,
                                   const struct convex_value *value, struct error *error) {
    const struct convex_job *job = context;
    struct convex_store_table *table = jobs_table(job->deployment);
    const struct convex_value *row = NULL;
    (void)value;
    enum status status = convex_transaction_get(transaction, table, job->id, &row, error);
    if (status == STATUS_OK && (row == NULL || !is_pending(row))) {
        status = error_set(error, STATUS_INVALID, "the job was canceled");
    }
    return status == STATUS_OK ? patch_state(transaction, table, job->id, "success", NULL, error) : status;
}

static void mutation_done(void *context, const struct convex_mutation_outcome *outcome) {
    struct convex_job *job = context;
    job->running = false;
    if (outcome->code != NULL) {
        try_again(job);
        return;
    }
    if (outcome->value == NULL && is_pending(row_of(job))) {
        job->running = true; /* ours to forget */
        set_state(job->deployment, job->id, "failed", outcome->message);
    }
    forget(job);
}

static void action_done(void *context, const struct convex_action_outcome *outcome) {
    struct convex_job *job = context;
    set_state(job->deployment, job->id, outcome->value != NULL ? "success" : "failed", outcome->message);
    forget(job);
}

static void fail(struct convex_job *job, const char *message) {
    set_state(job->deployment, job->id, "failed", message);
    forget(job);
}

static void begin_job(struct convex_job *job) {
    struct convex_deployment *deployment = job->deployment;
    const struct convex_value *row = row_of(job);
    const struct convex_function *function = map_get(&deployment->functions, convex_object_text(row, "name"));
    const struct convex_value *args = convex_object_get(row, "args")->as.array.items[0];
    job->running = true;
    if (function == NULL) {
        fail(job, "there is no such function");
    } else if (function->kind == CONVEX_MUTATION) {
        const struct convex_call call = {.path = memory_copy_text(function->path),
                                         .component = memory_copy_text(function->component),
                                         .function = function,
                                         .args = convex_copy(args)};
        const struct convex_mutation_caller caller = {
            .finish = finish_mutation, .done = mutation_done, .context = job};
        convex_mutation_run(deployment, &call, &caller);
    } else if (function->kind == CONVEX_ACTION) {
        const struct convex_action_caller caller = {.done = action_done, .context = job};
        set_state(deployment, job->id, "inProgress", NULL);
        convex_action_start(deployment, function, NULL, args, 0, caller);
    } else {
        fail(job, "neither a mutation nor an action");
    }
}

static void slot_granted(void *context) {
    begin_job(context);
}

static void fire(void *context) {
    struct convex_job *job = context;
    job->timer = 0;
    assert(is_pending(row_of(job)));
    int64_t left = time_left(job);
    if (left > 0) { /* the clock was set back */
        wait(job, left);
        return;
    }
    job->slot = (struct convex_slot){.granted = slot_granted, .context = job};
    if (convex_slot_take(&job->deployment->job_slots, &job->slot)) {
        begin_job(job);
    }
}

static void add_job(struct convex_deployment *deployment, const char *id) {
    struct convex_job *job = memory_allocate(sizeof *job);
    job->deployment = deployment;
    strcpy(job->id, id);
    map_set(&deployment->jobs, id, job);
    wait(job, time_left(job));
}

static void look_at(struct convex_deployment *deployment, const struct convex_value *row) {
    const char *id = convex_object_text(row, "_id");
    struct convex_job *job = map_get(&deployment->jobs, id);
    if (job == NULL && is_pending(row)) {
        add_job(deployment, id);
    } else if (job != NULL && !job->running && !is_pending(row)) {
        forget(job);
    }
}

void convex_scheduler_look(struct convex_deployment *deployment, size_t from) {
    const struct convex_store *store = &deployment->store;
    const struct convex_store_table *table = jobs_table(deployment);
    for (size_t i = from; i < store->log_count; i++) {
        const struct convex_revision *revision = store->log[i];
        if (revision->document->table == table && revision->value != NULL) {
            look_at(deployment, revision->value);
        }
    }
}

/* --- life --- */

/* Ids of the jobs in this state, each with its terminating 0. */
static void gather(const struct convex_deployment *deployment, const char *state, struct buffer *ids) {
    const struct convex_ordered_node *node =
        convex_ordered_first(&jobs_table(deployment)->indexes[0].entries);
    for (; node != NULL; node = convex_ordered_next(node)) {
        const struct convex_document *document = node->item;
        const struct convex_value *row = document->newest->value;
        if (node->until == CONVEX_LIVE && strcmp(state_of(row), state) == 0) {
            const char *id = convex_object_text(row, "_id");
            buffer_append(ids, id, strlen(id) + 1);
        }
    }
}

void convex_scheduler_start(struct convex_deployment *deployment) {
    deployment->job_slots = (struct convex_slots){.host = deployment->host, .limit = CONVEX_JOBS_RUNNING_MAX};
    struct buffer waiting = {0}, begun = {0};
    gather(deployment, "pending", &waiting);
    gather(deployment, "inProgress", &begun);
    for (size_t at = 0; at < waiting.length; at += strlen(waiting.data + at) + 1) {
        add_job(deployment, waiting.data + at);
    }
    for (size_t at = 0; at < begun.length; at += strlen(begun.data + at) + 1) {
        set_state(deployment, begun.data + at, "failed", "the deployment restarted while the action ran");
    }
    buffer_free(&waiting);
    buffer_free(&begun);
}

static void free_job(void *value) {
    struct convex_job *job = value;
    host_timer_cancel(job->deployment->host, job->timer);
    host_timer_cancel(job->deployment->host, job->slot.timer); /* all go at once */
    free(job);
}

void convex_scheduler_stop(struct convex_deployment *deployment) {
    map_free(&deployment->jobs, free_job);
}
