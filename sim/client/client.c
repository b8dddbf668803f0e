#include "client/client.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/random.h"
#include "client/client_parts.h"
#include "client/core_random.h"
#include "client/sdk_requests.h"
#include "client/sdk_stream.h"
#include "client/sdk_upload.h"

#define WATCH_THROTTLE (30 * TIME_MILLISECOND)

enum { THROTTLE_LOWEST = 50, THROTTLE_USUAL = 1000 }; /* ms, of the knob */
enum { UPLOAD_BATCH_USUAL = 100 };                    /* getCrudBatch() of the SDKs */

static void run_watch(void *context) {
    struct client *client = context;

    client->watch_timer = 0;
    if (client->changed == NULL)
        return;
    host_note(client->host, &(struct note){.kind = NOTE_WATCHED});
    client->changed(client->changed_context);
}

static void touch_watch(struct client *client) {
    if (client->changed != NULL && client->watch_timer == 0)
        client->watch_timer = host_timer_set(client->host, WATCH_THROTTLE, run_watch, client);
}

void client_hear(struct client *client, bool queue) {
    touch_watch(client);
    if (queue)
        sdk_upload_trigger(client->uploads);
}

void client_watch(struct client *client, void (*changed)(void *context), void *context) {
    client->changed = changed;
    client->changed_context = context;
    if (changed != NULL)
        host_note(client->host, &(struct note){.kind = NOTE_WATCHED});
}

/* Mutant watch-one-table: of the tables that the query joins only the first one is watched. */
static bool is_watched(const struct client *client, const struct engine_result *result) {
    const char *first = client_schema(client)->tables[0].name;

    for (size_t i = 0; i < result->n_rows; i++)
        if (!host_mutant(client->host, "watch-one-table") || strcmp(result->rows[i].table, first) == 0)
            return true;
    return false;
}

static void tell_rows(struct client *client, const char *text, const struct engine_result *result) {
    struct note note = {.kind = NOTE_VIEW,
                        .timestamp = result->op,
                        .rows = result->rows,
                        .n_rows = result->n_rows,
                        .text = result->partial ? "partial" : text,
                        .transaction = result->partial ? result->priority : 0};

    host_note(client->host, &note);
    if (is_watched(client, result))
        touch_watch(client);
}

/* Mutant phantom-row: the canary that every suite must find. */
static void plant_phantom(struct client *client) {
    struct engine_result result;
    char id[37];
    struct error error;
    enum status status;

    client->phantom_planted = true;
    core_random_uuid(client->host, "mutant.phantom-row", id);
    status = client->engine->operations->plant_row(client->engine, id, &result, &error);
    if (status == STATUS_OK)
        tell_rows(client, "checkpoint", &result);
    else
        client_tell(client, "no phantom: %s", error.message);
}

void client_tell_view(struct client *client, const char *text, const struct engine_result *result) {
    /* An applied checkpoint counts even when it changed nothing: the checker follows its op id. */
    if (result->applied || result->n_rows > 0)
        tell_rows(client, text, result);
    if (result->n_rows > 0)
        tabs_announce(client, false);
    client_take_status(client, result);
    if (result->applied && !client->phantom_planted && host_mutant(client->host, "phantom-row"))
        plant_phantom(client);
}

void client_tell(struct client *client, const char *format, ...) {
    char text[512];
    struct note note = {.kind = NOTE_TEXT, .text = text};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    host_note(client->host, &note);
}

static int64_t throttle_of(struct host *host, const struct client_settings *settings) {
    int64_t usual =
        settings->upload_throttle > 0 ? settings->upload_throttle / TIME_MILLISECOND : THROTTLE_USUAL;

    return host_knob(host, "client.upload-throttle-ms", usual, THROTTLE_LOWEST, THROTTLE_USUAL) *
           TIME_MILLISECOND;
}

static enum status open_engine(struct client_pool *pool, struct host *host,
                               const struct client_settings *settings, struct engine **engine,
                               struct error *error) {
    const struct client *first = settings->tabs == NULL ? NULL : tabs_first(settings->tabs);

    if (first == NULL)
        return engine_create(pool, host, engine, error);
    return engine_core_join(first->engine, host, engine, error);
}

const char *client_checkpoints_name(enum client_checkpoints checkpoints) {
    static const char *const names[] = {"legacy", "requests", "custom", "custom-as-meant"};

    return (size_t)checkpoints < sizeof names / sizeof *names ? names[checkpoints] : NULL;
}

enum status client_create(struct client_pool *pool, struct host *host, const struct client_settings *settings,
                          struct client **client, struct error *error) {
    const bool requests = settings->write_checkpoints == CLIENT_CHECKPOINTS_REQUESTS;
    struct client *created;
    struct engine *engine;
    enum status status = open_engine(pool, host, settings, &engine, error);

    if (status != STATUS_OK)
        return status;
    if (requests && engine->operations->use_requests == NULL) {
        status = error_set(error, STATUS_MISSING, "the engine `%s` knows no checkpoint requests",
                           engine->operations->name);
        engine_destroy(engine);
        return status;
    }
    if (requests)
        engine->operations->use_requests(engine);
    created = memory_allocate(sizeof *created);
    created->host = host;
    created->engine = engine;
    status = open_streams_begin(created, settings, error);
    if (status != STATUS_OK) {
        open_streams_free(&created->streams);
        engine_destroy(engine);
        free(created);
        return status;
    }
    created->user = memory_copy_text(settings->user);
    created->service = memory_copy_text(settings->service);
    created->backend = memory_copy_text(settings->backend);
    created->issuer = memory_copy_text(settings->issuer);
    created->upload = settings->upload;
    created->own_keys = settings->own_keys;
    created->upload_batch = settings->upload_batch > 0 ? settings->upload_batch : UPLOAD_BATCH_USUAL;
    created->write_checkpoints = settings->write_checkpoints;
    created->upload_throttle = throttle_of(host, settings);
    created->retry_delay = settings->retry_delay > 0 ? settings->retry_delay : 5 * TIME_SECOND;
    created->config = memory_copy_text(settings->config);
    created->idle_timeout = settings->idle_timeout;
    created->credentials = (struct credentials){
        .host = host, .issuer = created->issuer, .config = created->config, .user = created->user};
    created->account.owner = memory_copy_text(settings->user);
    created->stream = sdk_stream_create(created);
    created->uploads = sdk_upload_create(created);
    created->requests = requests ? sdk_requests_create(created) : NULL;
    created->tabs = settings->tabs;
    if (created->tabs != NULL)
        tabs_add(created->tabs, created);
    *client = created;
    return STATUS_OK;
}

static void start_loops(struct client *client) {
    sdk_upload_start(client->uploads);
    sdk_stream_start(client->stream);
}

static void stop_loops(struct client *client) {
    sdk_upload_stop(client->uploads);
    sdk_stream_stop(client->stream);
}

void client_destroy(struct client *client) {
    if (client == NULL)
        return;
    host_timer_cancel(client->host, client->watch_timer);
    if (sdk_stream_started(client->stream)) /* what the loops tell last is about both of them */
        stop_loops(client);
    sdk_upload_destroy(client->uploads);
    sdk_stream_destroy(client->stream);
    if (client->tabs != NULL)
        tabs_remove(client->tabs, client);
    if (client->requests != NULL)
        sdk_requests_destroy(client->requests);
    account_free(client);
    credentials_forget_all(&client->credentials);
    engine_destroy(client->engine);
    open_streams_free(&client->streams);
    free(client->download_error);
    free(client->upload_error);
    free(client->user);
    free(client->service);
    free(client->backend);
    free(client->issuer);
    free(client->config);
    free(client);
}

void client_connect(struct client *client) {
    if (client->wants_connection || client->locked)
        return;
    client->wants_connection = true;
    if (!client->crashed && !client->account.entering && !sdk_stream_started(client->stream))
        start_loops(client);
}

void client_connect_again(struct client *client) {
    if (!client->wants_connection || client->crashed || client->account.entering) {
        client_connect(client);
        return;
    }
    /* Mutant second-stream: the old one goes on beside the new one. */
    if (host_mutant(client->host, "second-stream"))
        sdk_stream_double(client->stream);
    stop_loops(client);
    start_loops(client);
}

void client_disconnect(struct client *client) {
    if (!client->wants_connection)
        return;
    client->wants_connection = false;
    if (client->crashed || client->account.entering)
        return;
    /* Mutant late-disconnect: while the client connects it is not heard. */
    if (host_mutant(client->host, "late-disconnect") && sdk_stream_connecting(client->stream))
        client_tell_connection(client, "disconnected: by the app");
    else
        stop_loops(client);
}

/* The operations with a key as metadata, where the table takes one. */
static struct client_operation *add_key(struct client *client, const struct client_operation *operations,
                                        size_t count) {
    struct client_operation *keyed = memory_allocate_array(count, sizeof *keyed);
    char key[37];

    core_random_uuid(client->host, "app.upload-key", key);
    for (size_t i = 0; i < count; i++) {
        const struct client_table *table = engine_find_table(client_schema(client), operations[i].table);
        json_t *values = operations[i].values != NULL ? json_copy((json_t *)(uintptr_t)operations[i].values)
                                                      : json_object();

        if (table != NULL && table->include_metadata)
            json_object_set_new(values, CLIENT_METADATA, json_string(key));
        keyed[i] = operations[i];
        keyed[i].values = values;
    }
    return keyed;
}

static void free_keyed(struct client_operation *keyed, size_t count) {
    for (size_t i = 0; i < count; i++)
        json_decref((json_t *)(uintptr_t)keyed[i].values);
    free(keyed);
}

static enum status write_rows(struct client *client, const struct client_operation *operations, size_t count,
                              struct engine_result *result, struct error *error) {
    const struct engine_operations *engine = client->engine->operations;
    struct client_operation *keyed;
    enum status status;

    if (!client->own_keys)
        return engine->write(client->engine, operations, count, result, error);
    keyed = add_key(client, operations, count);
    status = engine->write(client->engine, keyed, count, result, error);
    free_keyed(keyed, count);
    return status;
}

/* The rows of a local transaction in local-only tables, or in the others. */
static void tell_write(struct client *client, const struct engine_result *result, bool local,
                       const char *step) {
    const struct client_schema *schema = client_schema(client);
    struct note_row *rows = memory_allocate_array(result->n_written, sizeof *rows);
    size_t count = 0;

    for (size_t i = 0; i < result->n_written; i++)
        if (engine_find_table(schema, result->written[i].table)->local_only == local)
            rows[count++] = result->written[i];
    if (count > 0)
        host_note(client->host, &(struct note){.kind = NOTE_LOCAL_WRITE,
                                               .transaction = local ? 0 : result->transaction,
                                               .rows = rows,
                                               .n_rows = count,
                                               .text = step});
    free(rows);
}

enum status client_write(struct client *client, const struct client_operation *operations, size_t count,
                         const char *step, struct error *error) {
    struct engine_result result;
    enum status status;

    if (client->crashed)
        return error_set(error, STATUS_CONFLICT, "%s is not running", client->host->name);
    status = write_rows(client, operations, count, &result, error);
    if (status != STATUS_OK || result.n_written == 0)
        return status; /* nothing was changed: there is no transaction to speak of */
    tell_write(client, &result, true, step);
    tell_write(client, &result, false, step);
    /* Mutant server-first: the app shows what comes from the service, not what it wrote itself. */
    if (result.n_rows > 0 && !host_mutant(client->host, "server-first"))
        tell_rows(client, "write", &result);
    /* Mutant deaf-to-writes: nobody tells the upload loop. */
    if (host_mutant(client->host, "deaf-to-writes"))
        return STATUS_OK;
    if (result.transaction > 0)
        sdk_upload_trigger(client->uploads);
    tabs_announce(client, result.transaction > 0);
    return STATUS_OK;
}

/* Mutant clear-local: the app leaves the option at its default, which clears local-only tables too. */
enum status client_clear(struct client *client, struct client_clearing clearing, struct error *error) {
    const unsigned flags =
        (clearing.local || host_mutant(client->host, "clear-local") ? ENGINE_CLEAR_LOCAL : 0U) |
        (clearing.soft ? ENGINE_CLEAR_SOFT : 0U);
    struct engine_result result;
    enum status status;

    if (client->engine->operations->clear == NULL)
        return error_set(error, STATUS_MISSING, "the engine `%s` cannot clear its data",
                         client->engine->operations->name);
    status = client->engine->operations->clear(client->engine, flags, &result, error);
    if (status != STATUS_OK)
        return status;
    host_note(client->host, &(struct note){.kind = NOTE_VIEW,
                                           .rows = result.rows,
                                           .n_rows = result.n_rows,
                                           .text = "clear",
                                           .timestamp = !clearing.local,
                                           .transaction = clearing.soft});
    touch_watch(client);
    client_take_status(client, &result);
    open_streams_renew(client);
    /* Mutant connect-hangs-after-clear: clearing keeps the lock that connecting waits for. */
    client->locked = host_mutant(client->host, "connect-hangs-after-clear");
    return STATUS_OK;
}

/* Mutant drop-untyped: the app clears up behind the core, and takes the rows of unknown tables for litter. */
static void drop_untyped(struct client *client) {
    if (host_mutant(client->host, "drop-untyped"))
        sqlite3_exec(client_database(client), "DELETE FROM ps_untyped", NULL, NULL, NULL);
}

enum status client_update_schema(struct client *client, const struct client_schema *schema,
                                 struct error *error) {
    struct engine_result result;
    enum status status;

    if (client->crashed || client->wants_connection)
        return error_set(error, STATUS_CONFLICT, "%s %s", client->host->name,
                         client->crashed ? "is not running" : "is connected");
    if (client->tabs != NULL)
        return error_set(error, STATUS_CONFLICT, "%s has other tabs, which know the old schema",
                         client->host->name);
    status = client->engine->operations->update_schema(client->engine, schema, &result, error);
    if (status != STATUS_OK)
        return status;
    host_note(client->host, &(struct note){.kind = NOTE_VIEW,
                                           .rows = result.rows,
                                           .n_rows = result.n_rows,
                                           .text = "schema",
                                           .transaction = schema->version});
    drop_untyped(client);
    touch_watch(client);
    return STATUS_OK;
}

const struct client_schema *client_schema(const struct client *client) {
    return client->engine->operations->schema(client->engine);
}

enum status client_disconnect_and_clear(struct client *client, struct client_clearing clearing,
                                        struct error *error) {
    if (client->crashed)
        return error_set(error, STATUS_CONFLICT, "%s is not running", client->host->name);
    client_disconnect(client);
    return client_clear(client, clearing, error);
}

/* Whom the next tokens are for. */
static void set_user(struct client *client, const char *user) {
    assert(client->crashed || !client->wants_connection);
    free(client->user);
    client->user = memory_copy_text(user);
    client->credentials.user = client->user;
    if (!host_mutant(client->host, "stale-credentials"))
        credentials_invalidate(&client->credentials);
}

static void tell_user(struct client *client) {
    host_note(client->host, &(struct note){.kind = NOTE_IDENTITY, .text = client->user});
}

void client_sign_out(struct client *client) {
    set_user(client, NULL);
    tell_user(client);
}

void client_sign_in(struct client *client, const char *user) {
    assert(user != NULL);
    set_user(client, user);
    tell_user(client);
}

void client_enter(struct client *client, const char *user) {
    assert(user != NULL);
    set_user(client, user);
    account_enter(client);
}

bool client_entering(const struct client *client) {
    return client->account.entering;
}

void client_open(struct client *client) {
    tell_user(client);
    if (client->wants_connection)
        start_loops(client);
}

const char *client_service(const struct client *client) {
    return client->credentials.endpoint != NULL ? client->credentials.endpoint : client->service;
}

void client_expire_session(struct client *client, bool expired) {
    client->credentials.expired = expired;
}

sqlite3 *client_database(struct client *client) {
    return client->engine->operations->database(client->engine);
}

const char *client_name(const struct client *client) {
    return client->host->name;
}

const char *client_user(const struct client *client) {
    return client->user;
}

const char *client_id(const struct client *client) {
    return client->engine->operations->client_id(client->engine);
}

uint64_t client_app_random(struct client *client, const char *choice) {
    char name[128];
    int length = snprintf(name, sizeof name, "app.%s", choice);

    assert(length > 0 && (size_t)length < sizeof name);
    /* Mutant same-random-numbers: a generator that begins with the same number on every device. */
    if (host_mutant(client->host, "same-random-numbers"))
        return random_at(1, name, client->app_draws++);
    return host_random(client->host, name);
}

/* With other tabs left the app runs on. */
static void tell_end(struct client *client) {
    struct note note = {.kind = NOTE_CRASH};

    if (client->tabs != NULL && tabs_close(client) > 0)
        note = (struct note){.kind = NOTE_CONNECTION, .text = "disconnected: the tab is closed"};
    host_note(client->host, &note);
}

void client_crash(struct client *client) {
    assert(!client->crashed);
    client->crashed = true;
    sdk_upload_forget(client->uploads);
    sdk_stream_forget(client->stream);
    if (client->requests != NULL)
        sdk_requests_forget(client->requests);
    account_forget(client);
    credentials_forget_all(&client->credentials);
    client_set_error(&client->download_error, NULL);
    client_set_error(&client->upload_error, NULL);
    client->first_sync = NULL;
    client->watch_timer = 0;
    open_streams_crash(client);
    if (client->engine->operations->end != NULL)
        client->engine->operations->end(client->engine);
    tell_end(client);
}

/* Mutants of what a process leaves behind: queue-in-memory, no queue; half-write, the target of a write that
 * was not queued any more. */
static void damage_queue(struct client *client) {
    const bool half = host_mutant(client->host, "half-write");
    struct engine_gate gate;
    struct error error;

    if (!half && !host_mutant(client->host, "queue-in-memory"))
        return;
    engine_gate(client->engine, &gate);
    client->engine->operations->complete(client->engine, half ? 0 : gate.sequence, ENGINE_TARGET_UNKNOWN,
                                         &error); /* on a disk that fails, nothing is damaged */
}

enum status client_restart(struct client *client, struct error *error) {
    struct engine_result result;
    enum status status;

    assert(client->crashed);
    status = client->engine->operations->restart(client->engine, &result, error);
    if (status != STATUS_OK)
        return status;
    client->crashed = false;
    if (client->tabs != NULL)
        tabs_open(client);
    if (result.joined) {
        client_tell(client, "a tab opens beside others");
    } else {
        damage_queue(client);
        host_note(client->host, &(struct note){.kind = NOTE_RESTART,
                                               .text = result.aftermath,
                                               .transaction = result.survived,
                                               .timestamp = result.promised});
        tell_rows(client, "restart", &result);
    }
    client_take_status(client, &result);
    open_streams_renew(client);
    if (client->wants_connection && !client->account.entering)
        start_loops(client);
    account_resume(client);
    return STATUS_OK;
}

bool client_settled(const struct client *client) {
    struct engine_gate gate;

    engine_gate(client->engine, &gate);
    return !client->account.entering && gate.queue_empty &&
           (gate.target == 0 || (gate.target != ENGINE_TARGET_UNKNOWN && gate.applied >= gate.target));
}

const char *client_engine_difference(const struct client *client) {
    return engine_both_difference(client->engine);
}

struct queue_rows {
    struct note_row *rows;
    json_t **entries; /* what the rows borrow from */
    size_t count;
    size_t rows_capacity;
    size_t entries_capacity;
    int64_t transactions;
    int64_t last_transaction;
};

static void add_queue_row(void *context, int64_t transaction, const json_t *data) {
    struct queue_rows *queue = context;
    struct buffer values = {0};
    const json_t *columns = json_object_get(data, "data");

    if (json_is_object(columns))
        json_append(&values, columns);
    MEMORY_RESERVE(queue->rows, queue->rows_capacity, queue->count + 1);
    MEMORY_RESERVE(queue->entries, queue->entries_capacity, queue->count + 1);
    queue->entries[queue->count] = json_incref((json_t *)(uintptr_t)data);
    queue->rows[queue->count++] =
        (struct note_row){.operation = json_text(data, "op"),
                          .table = json_text(data, "type"),
                          .id = json_text(data, "id"),
                          .values = json_is_object(columns) ? buffer_take(&values) : NULL};
    if (transaction == 0 || transaction != queue->last_transaction)
        queue->transactions++;
    queue->last_transaction = transaction;
}

void client_note_queue(struct client *client) {
    struct queue_rows queue = {0};

    client->engine->operations->queue_each(client->engine, add_queue_row, &queue);
    host_note(client->host,
              &(struct note){.kind = NOTE_QUEUE,
                             .text = queue.count == 0 && !client_settled(client) ? "waiting" : NULL,
                             .transaction = queue.transactions,
                             .rows = queue.rows,
                             .n_rows = queue.count});
    for (size_t i = 0; i < queue.count; i++) {
        free((char *)(uintptr_t)queue.rows[i].values);
        json_decref(queue.entries[i]);
    }
    free(queue.rows);
    free(queue.entries);
}
