/* The engine `both`: core and model side by side. The core answers; the model is given the same and its
 * answer is compared. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "client/engine.h"

struct engine_both {
    struct engine engine; /* first */
    struct engine *core, *model;
    char *difference; /* the first one */
};

static const struct engine_operations both_operations;

static struct engine_both *both_of(struct engine *engine) {
    return (struct engine_both *)engine; /* its first member */
}

const char *engine_both_difference(const struct engine *engine) {
    return engine->operations == &both_operations ? ((const struct engine_both *)engine)->difference : NULL;
}

sqlite3 *engine_both_model_database(struct engine *engine) {
    struct engine_both *both = both_of(engine);

    return both->model->operations->database(both->model);
}

__attribute__((format(printf, 3, 4))) static void differ(struct engine_both *both, const char *call,
                                                         const char *format, ...) {
    struct buffer text = {0};
    char *words = NULL;
    va_list arguments;

    if (both->difference != NULL)
        return;
    va_start(arguments, format);
    if (vasprintf(&words, format, arguments) < 0)
        abort();
    va_end(arguments);
    buffer_printf(&text, "the engines differ after %s: ", call);
    buffer_append_text(&text, words);
    free(words);
    both->difference = buffer_take(&text);
}

static void compare_number(struct engine_both *both, const char *call, const char *what, int64_t core,
                           int64_t model) {
    if (core != model)
        differ(both, call, "%s: core %lld, model %lld", what, (long long)core, (long long)model);
}

static void compare_text(struct engine_both *both, const char *call, const char *what, const char *core,
                         const char *model) {
    if ((core == NULL) != (model == NULL) || (core != NULL && strcmp(core, model) != 0))
        differ(both, call, "%s:\n  core  %s\n  model %s", what, core ? core : "none", model ? model : "none");
}

static void compare_rows(struct engine_both *both, const char *call, const struct engine_result *core,
                         const struct engine_result *model) {
    compare_number(both, call, "changed rows", (int64_t)core->n_rows, (int64_t)model->n_rows);
    for (size_t i = 0; i < core->n_rows && both->difference == NULL; i++) {
        compare_text(both, call, "table of a row", core->rows[i].table, model->rows[i].table);
        compare_text(both, call, "id of a row", core->rows[i].id, model->rows[i].id);
        compare_text(both, call, "a row", core->rows[i].values, model->rows[i].values);
    }
    compare_number(both, call, "written rows", (int64_t)core->n_written, (int64_t)model->n_written);
    for (size_t i = 0; i < core->n_written && both->difference == NULL; i++)
        compare_text(both, call, "a written row", core->written[i].id, model->written[i].id);
}

static void compare_gates(struct engine_both *both, const char *call) {
    struct engine_gate core, model;

    engine_gate(both->core, &core);
    engine_gate(both->model, &model);
    compare_number(both, call, "queue is empty", core.queue_empty, model.queue_empty);
    compare_number(both, call, "target", core.target, model.target);
    compare_number(both, call, "applied write checkpoint", core.applied, model.applied);
    compare_number(both, call, "entries ever queued", core.sequence, model.sequence);
}

static void compare_results(struct engine_both *both, const char *call, enum status core_status,
                            enum status model_status, const struct engine_result *core,
                            const struct engine_result *model, const struct error *core_error,
                            const struct error *model_error) {
    if ((core_status == STATUS_OK) != (model_status == STATUS_OK))
        differ(both, call, "core says \"%s\", model \"%s\"", core_status ? core_error->message : "ok",
               model_status ? model_error->message : "ok");
    compare_gates(both, call);
    if (core_status != STATUS_OK)
        return;
    compare_number(both, call, "fetch credentials", core->fetch_credentials, model->fetch_credentials);
    compare_number(both, call, "did expire", core->did_expire, model->did_expire);
    compare_text(both, call, "request", core->request, model->request);
    compare_number(both, call, "checkpoint request", core->checkpoint_request, model->checkpoint_request);
    compare_number(both, call, "close", core->close, model->close);
    compare_number(both, call, "hide disconnect", core->hide_disconnect, model->hide_disconnect);
    compare_number(both, call, "applied", core->applied, model->applied);
    if (core->partial) /* its wrapper looks for the priority in the text, and knows the usual form only */
        compare_number(both, call, "priority", core->priority, model->partial ? model->priority : -1);
    compare_number(both, call, "blocked", core->blocked, model->blocked);
    compare_number(both, call, "op id", core->op, model->op);
    compare_number(both, call, "transaction", core->transaction, model->transaction);
    compare_rows(both, call, core, model);
    compare_number(both, call, "status changed", core->status_changed, model->status_changed);
    if (core->status_changed)
        compare_text(both, call, "status", both->core->operations->status(both->core),
                     both->model->operations->status(both->model));
}

/* One call to each, and the comparison: `call` is an expression with `one` for the engine. */
#define BOTH(both, name, result, error, call)                                                                \
    do {                                                                                                     \
        struct engine_result other_ = {0};                                                                   \
        struct engine_result *answer;                                                                        \
        struct error own_[2] = {{0}, {0}};                                                                   \
        struct error *why;                                                                                   \
        struct engine *one;                                                                                  \
        enum status status_[2];                                                                              \
        one = (both)->core, answer = (result), why = &own_[0];                                               \
        status_[0] = (call);                                                                                 \
        one = (both)->model, answer = &other_, why = &own_[1];                                               \
        status_[1] = (call);                                                                                 \
        compare_results((both), (name), status_[0], status_[1], (result), &other_, &own_[0], &own_[1]);      \
        if (status_[0] != STATUS_OK && (error) != NULL)                                                      \
            *(error) = own_[0];                                                                              \
        return status_[0];                                                                                   \
    } while (0)

static void both_destroy(struct engine *engine) {
    struct engine_both *both = both_of(engine);

    engine_destroy(both->core);
    engine_destroy(both->model);
    free(both->difference);
    free(both);
}

static const char *both_client_id(struct engine *engine) {
    return both_of(engine)->core->operations->client_id(both_of(engine)->core);
}

static sqlite3 *both_database(struct engine *engine) {
    return both_of(engine)->core->operations->database(both_of(engine)->core);
}

static enum status both_ask(struct engine *engine, const char *parameters,
                            const struct client_subscription *subscriptions, size_t n_subscriptions,
                            struct error *error) {
    struct engine_both *both = both_of(engine);
    struct engine_result result = {0};

    (void)result;
    BOTH(both, "ask", &result, error,
         (answer->n_rows = 0, one->operations->ask(one, parameters, subscriptions, n_subscriptions, why)));
}

static enum status both_subscribe(struct engine *engine, const struct client_subscription *subscription,
                                  struct error *error) {
    struct engine_both *both = both_of(engine);
    struct engine_result result = {0};

    (void)result;
    BOTH(both, "subscribe", &result, error,
         (answer->n_rows = 0, one->operations->subscribe(one, subscription, why)));
}

static enum status both_unsubscribe(struct engine *engine, const struct client_subscription *subscription,
                                    struct error *error) {
    struct engine_both *both = both_of(engine);
    struct engine_result result = {0};

    (void)result;
    BOTH(both, "unsubscribe", &result, error,
         (answer->n_rows = 0, one->operations->unsubscribe(one, subscription, why)));
}

static void both_offline_status(struct engine *engine, struct engine_result *result) {
    struct engine_both *both = both_of(engine);
    struct engine_result other;

    both->core->operations->offline_status(both->core, result);
    both->model->operations->offline_status(both->model, &other);
    compare_results(both, "a look at the status", STATUS_OK, STATUS_OK, result, &other, NULL, NULL);
}

static void both_use_requests(struct engine *engine) {
    struct engine_both *both = both_of(engine);

    both->core->operations->use_requests(both->core);
    both->model->operations->use_requests(both->model);
}

static enum status both_request_id(struct engine *engine, enum engine_request request, int64_t *id,
                                   struct error *error) {
    struct engine_both *both = both_of(engine);
    int64_t other = *id;
    enum status status = both->core->operations->request_id(both->core, request, id, error);
    enum status other_status = both->model->operations->request_id(both->model, request, &other, NULL);

    compare_number(both, "a checkpoint request", "refused", status != STATUS_OK, other_status != STATUS_OK);
    if (status == STATUS_OK)
        compare_number(both, "a checkpoint request", "id", *id, other);
    return status;
}

static enum status both_clear(struct engine *engine, unsigned flags, struct engine_result *result,
                              struct error *error) {
    struct engine_both *both = both_of(engine);

    BOTH(both, "clear", result, error, one->operations->clear(one, flags, answer, why));
}

static enum status both_start(struct engine *engine, struct engine_result *result, struct error *error) {
    struct engine_both *both = both_of(engine);

    BOTH(both, "start", result, error, engine_start(one, answer, why));
}

static enum status both_line(struct engine *engine, const void *bytes, size_t length, bool binary,
                             struct engine_result *result, struct error *error) {
    struct engine_both *both = both_of(engine);
    char name[400];

    if (binary)
        snprintf(name, sizeof name, "a binary line of %zu bytes", length);
    else
        snprintf(name, sizeof name, "the line %.*s", (int)length, (const char *)bytes);
    BOTH(both, name, result, error, engine_line(one, bytes, length, binary, answer, why));
}

static enum status both_event(struct engine *engine, enum engine_event event, struct engine_result *result,
                              struct error *error) {
    static const char *const names[] = {[ENGINE_ESTABLISHED] = "established",
                                        [ENGINE_END] = "the end of the stream",
                                        [ENGINE_COMPLETED_UPLOAD] = "a completed upload",
                                        [ENGINE_REFRESHED_TOKEN] = "a refreshed token",
                                        [ENGINE_CHANGED_STREAMS] = "other streams",
                                        [ENGINE_STOP] = "stop"};
    struct engine_both *both = both_of(engine);

    BOTH(both, names[event], result, error, engine_send(one, event, answer, why));
}

static enum status both_write(struct engine *engine, const struct client_operation *operations, size_t count,
                              struct engine_result *result, struct error *error) {
    struct engine_both *both = both_of(engine);

    BOTH(both, "a local write", result, error, one->operations->write(one, operations, count, answer, why));
}

static int64_t both_queue_head(struct engine *engine) {
    struct engine_both *both = both_of(engine);
    int64_t head = both->core->operations->queue_head(both->core);

    compare_number(both, "a look at the queue", "head of the queue", head,
                   both->model->operations->queue_head(both->model));
    return head;
}

static void compare_entries(struct engine_both *both, const json_t *core, const json_t *model) {
    struct buffer one = {0}, other = {0};

    if (json_equal(core, model))
        return;
    json_append(&one, core);
    json_append(&other, model);
    compare_text(both, "a look at the queue", "queued entries", buffer_text(&one), buffer_text(&other));
    buffer_free(&one);
    buffer_free(&other);
}

static enum status both_next_transaction(struct engine *engine, int64_t after,
                                         struct engine_transaction *transaction, struct error *error) {
    struct engine_both *both = both_of(engine);
    struct engine_transaction other;
    enum status status = both->core->operations->next_transaction(both->core, after, transaction, error);
    enum status other_status = both->model->operations->next_transaction(both->model, after, &other, NULL);

    compare_number(both, "a look at the queue", "status", status, other_status);
    if (status == STATUS_OK && other_status == STATUS_OK) {
        compare_number(both, "a look at the queue", "transaction", transaction->transaction,
                       other.transaction);
        compare_number(both, "a look at the queue", "last entry", transaction->last, other.last);
        compare_entries(both, transaction->entries, other.entries);
    }
    if (other_status == STATUS_OK)
        engine_transaction_free(&other);
    return status;
}

static void both_queue_each(struct engine *engine,
                            void (*entry)(void *context, int64_t transaction, const json_t *data),
                            void *context) {
    both_of(engine)->core->operations->queue_each(both_of(engine)->core, entry, context);
}

static enum status both_complete(struct engine *engine, int64_t last, int64_t target, struct error *error) {
    struct engine_both *both = both_of(engine);
    struct engine_result result = {0};

    BOTH(both, "complete", &result, error,
         (answer->n_rows = 0, one->operations->complete(one, last, target, why)));
}

static void both_gate(struct engine *engine, struct engine_gate *gate) {
    engine_gate(both_of(engine)->core, gate);
}

static const char *both_status(struct engine *engine) {
    return both_of(engine)->core->operations->status(both_of(engine)->core);
}

static enum status both_set_target(struct engine *engine, int64_t sequence, int64_t target, bool *set,
                                   struct error *error) {
    struct engine_both *both = both_of(engine);
    bool other_set;
    enum status status = both->core->operations->set_target(both->core, sequence, target, set, error);

    both->model->operations->set_target(both->model, sequence, target, &other_set, NULL);
    compare_number(both, "a new target", "set", *set, other_set);
    compare_gates(both, "a new target");
    return status;
}

static enum status both_restart(struct engine *engine, struct engine_result *result, struct error *error) {
    struct engine_both *both = both_of(engine);

    BOTH(both, "a restart", result, error, one->operations->restart(one, answer, why));
}

static enum status both_update_schema(struct engine *engine, const struct client_schema *schema,
                                      struct engine_result *result, struct error *error) {
    struct engine_both *both = both_of(engine);

    BOTH(both, "another schema", result, error, one->operations->update_schema(one, schema, answer, why));
}

static const struct client_schema *both_schema(const struct engine *engine) {
    const struct engine *core = ((const struct engine_both *)engine)->core;

    return core->operations->schema(core);
}

static enum status both_plant_row(struct engine *engine, const char *id, struct engine_result *result,
                                  struct error *error) {
    struct engine_both *both = both_of(engine);

    BOTH(both, "a planted row", result, error, one->operations->plant_row(one, id, answer, why));
}

static const struct engine_operations both_operations = {
    .name = "both",
    .destroy = both_destroy,
    .client_id = both_client_id,
    .database = both_database,
    .ask = both_ask,
    .subscribe = both_subscribe,
    .unsubscribe = both_unsubscribe,
    .offline_status = both_offline_status,
    .start = both_start,
    .line = both_line,
    .event = both_event,
    .write = both_write,
    .queue_head = both_queue_head,
    .next_transaction = both_next_transaction,
    .queue_each = both_queue_each,
    .complete = both_complete,
    .gate = both_gate,
    .status = both_status,
    .set_target = both_set_target,
    .use_requests = both_use_requests,
    .request_id = both_request_id,
    .clear = both_clear,
    .restart = both_restart,
    .update_schema = both_update_schema,
    .schema = both_schema,
    .plant_row = both_plant_row,
};

enum status engine_both_create(struct client_pool *pool, struct host *host, struct engine **engine,
                               struct error *error) {
    struct engine *core = NULL;
    struct engine_both *both;
    enum status status = engine_core_create(pool, host, &core, error);

    if (status != STATUS_OK)
        return status;
    both = memory_allocate(sizeof *both);
    both->engine.operations = &both_operations;
    both->core = core;
    engine_model_create(pool, host, core->operations->client_id(core), &both->model);
    *engine = &both->engine;
    return STATUS_OK;
}
