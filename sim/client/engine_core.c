#include "client/engine_core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "client/instruction.h"
#include "client/pool.h"

static const char blocked_message[] = "Could not apply checkpoint due to local data";

static sqlite3_stmt *prepare(struct engine_core *core, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int prepared = sqlite3_prepare_v3(core->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);

    assert(prepared == SQLITE_OK);
    return statement;
}

/* Where the core keeps the upload gate: before 0.5.1 in a bucket of its own. */
struct gate_sql {
    const char *target, *applied, *put;
};

static const struct gate_sql gate_in_keys = {
    "SELECT value FROM ps_kv WHERE key = 'target_checkpoint_request_id'",
    "SELECT value FROM ps_kv WHERE key = 'last_applied_checkpoint_request_id'",
    "SELECT powersync_control('target_checkpoint_request_id', ?1)"};
static const struct gate_sql gate_in_bucket = {"SELECT target_op FROM ps_buckets WHERE name = '$local'",
                                               "SELECT last_applied_op FROM ps_buckets WHERE name = '$local'",
                                               "UPDATE ps_buckets SET target_op = ?1 WHERE name = '$local'"};

static bool has_gate_bucket(struct engine_core *core) {
    sqlite3_stmt *statement =
        prepare(core, "SELECT 1 FROM pragma_table_info('ps_buckets') WHERE name = 'target_op'");
    bool found = sqlite3_step(statement) == SQLITE_ROW;

    sqlite3_finalize(statement);
    return found;
}

static void prepare_all(struct engine_core *core) {
    const struct gate_sql *gate = has_gate_bucket(core) ? &gate_in_bucket : &gate_in_keys;

    core->gate_target = prepare(core, gate->target);
    core->gate_applied = prepare(core, gate->applied);
    core->gate_put = prepare(core, gate->put);
    core->begin = prepare(core, "BEGIN IMMEDIATE");
    core->commit = prepare(core, "COMMIT");
    core->rollback = prepare(core, "ROLLBACK");
    core->control = prepare(core, "SELECT powersync_control(?1, ?2)");
    core->head = prepare(core, "SELECT id FROM ps_crud ORDER BY id LIMIT 1");
    core->sequence = prepare(core, "SELECT seq FROM main.sqlite_sequence WHERE name = 'ps_crud'");
}

static void finalize_all(struct engine_core *core) {
    sqlite3_stmt **const statements[] = {&core->begin,       &core->commit,       &core->rollback,
                                         &core->control,     &core->head,         &core->sequence,
                                         &core->gate_target, &core->gate_applied, &core->gate_put};

    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        sqlite3_finalize(*statements[i]);
        *statements[i] = NULL;
    }
}

void engine_core_enter(struct engine_core *core) {
    disk_vfs_set_node(pool_vfs(core->pool), core->host);
}

/* Run a statement that gives no rows. */
static bool run(sqlite3_stmt *statement) {
    int stepped = sqlite3_step(statement);

    sqlite3_reset(statement);
    return stepped == SQLITE_DONE;
}

/* A fault has struck since the transaction began, or the file could only be opened for reading. */
static bool disk_is_behind_it(const struct engine_core *core) {
    return core->disk != NULL &&
           (disk_faults(core->disk) > core->faults_before || !disk_has_power(core->disk) ||
            (sqlite3_errcode(core->database) & 255) == SQLITE_READONLY);
}

enum status engine_core_failed(struct engine_core *core, enum status otherwise, struct error *error) {
    return error_set(error, disk_is_behind_it(core) ? STATUS_IO : otherwise, "%s",
                     sqlite3_errmsg(core->database));
}

enum status engine_core_begin(struct engine_core *core, struct error *error) {
    bool begun;

    engine_core_enter(core);
    assert(sqlite3_get_autocommit(core->database));
    core->faults_before = core->disk != NULL ? disk_faults(core->disk) : 0;
    begun = run(core->begin);
    /* Nobody else can hold the lock: each call is a transaction as a whole. */
    assert(begun || (core->disk != NULL && (sqlite3_errcode(core->database) & 255) != SQLITE_BUSY));
    return begun ? STATUS_OK : engine_core_failed(core, STATUS_IO, error);
}

void engine_core_look(struct engine_core *core, bool begin) {
    engine_core_enter(core);
    if (core->disk != NULL)
        disk_spare(core->disk, begin);
}

void engine_core_collect(struct engine_core *core, struct engine_result *result) {
    if (core->disk != NULL && !disk_has_power(core->disk))
        return;
    engine_core_look(core, true);
    view_collect(core->view, &result->rows, &result->n_rows);
    engine_core_look(core, false);
}

void engine_core_rollback(struct engine_core *core) {
    /* Some errors (a full disk, RAISE(ROLLBACK)) end the transaction by themselves. */
    if (!sqlite3_get_autocommit(core->database))
        run(core->rollback);
    assert(sqlite3_get_autocommit(core->database));
}

/* In WAL mode a commit survives power loss from the next sync of the log on. */
static void follow_promise(struct engine_core *core) {
    if (core->disk != NULL && disk_is_promised(core->disk, POOL_LOG_FILE))
        core->shared->promised = core->shared->newest;
}

enum status engine_core_commit(struct engine_core *core, struct error *error) {
    enum status status;

    if (run(core->commit)) {
        follow_promise(core);
        return STATUS_OK;
    }
    status = engine_core_failed(core, STATUS_INTERNAL, error);
    error_prefix(error, "COMMIT");
    core->shared->uncertain = true;
    engine_core_rollback(core);
    return status;
}

int64_t engine_core_integer(struct engine_core *core, sqlite3_stmt *statement) {
    int64_t value = 0;

    engine_core_look(core, true);
    if (sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    engine_core_look(core, false);
    return value;
}

static void read_status(struct engine_core *core, struct span status, struct engine_result *result) {
    buffer_clear(&core->status);
    buffer_append(&core->status, status.at, status.length);
    result->status_changed = true;
}

/* The decimal text of a JSON string; 0: it is none. */
static int64_t span_number(struct span text) {
    int64_t number = 0;

    for (size_t i = 1; i < text.length && text.at[i] >= '0' && text.at[i] <= '9'; i++)
        number = number < INT64_MAX / 10 - 1 ? number * 10 + (text.at[i] - '0') : number;
    return number;
}

static void read_instruction(struct engine_core *core, const struct instruction *instruction,
                             struct engine_result *result) {
    if (instruction_is(instruction, "UpdateSyncStatus")) {
        read_status(core, span_member(instruction->value, "status"), result);
    } else if (instruction_is(instruction, "LogLine")) {
        result->blocked |= span_contains(instruction->value, blocked_message);
    } else if (instruction_is(instruction, "DidCompleteSync")) {
        result->applied = true;
    } else if (instruction_is(instruction, "EstablishSyncStream")) {
        struct span request = span_member(instruction->value, "request");

        buffer_clear(&core->request);
        buffer_append(&core->request, request.at, request.length);
        result->establish = true;
        result->checkpoint_request = span_number(
            span_member(span_member(instruction->value, "checkpoint_request"), "checkpoint_request_id"));
        result->request = buffer_text(&core->request);
        result->request_length = core->request.length;
    } else if (instruction_is(instruction, "FetchCredentials")) {
        result->fetch_credentials = true;
        result->did_expire = span_is(span_member(instruction->value, "did_expire"), "true");
    } else if (instruction_is(instruction, "CloseSyncStream")) {
        result->close = true;
        result->hide_disconnect = span_is(span_member(instruction->value, "hide_disconnect"), "true");
    }
}

static void read_answer(struct engine_core *core, sqlite3_stmt *statement, struct engine_result *result) {
    struct span rest = {(const char *)sqlite3_column_text(statement, 0),
                        (size_t)sqlite3_column_bytes(statement, 0)};
    struct instruction instruction;

    while (rest.at != NULL && instruction_next(&rest, &instruction))
        read_instruction(core, &instruction, result);
}

/* powersync_control(operation, payload) with the payload already bound, inside the open transaction. */
static enum status call_control(struct engine_core *core, const char *operation, struct engine_result *result,
                                struct error *error) {
    enum status status = STATUS_OK;

    sqlite3_bind_text(core->control, 1, operation, -1, SQLITE_STATIC);
    if (sqlite3_step(core->control) != SQLITE_ROW)
        status = engine_core_failed(core, STATUS_INVALID, error);
    else if (result != NULL)
        read_answer(core, core->control, result);
    sqlite3_reset(core->control);
    sqlite3_clear_bindings(core->control);
    return status;
}

/* The same as a transaction of its own, with the rows that changed. */
static enum status control(struct engine_core *core, const char *operation, struct engine_result *result,
                           struct error *error) {
    enum status status = engine_core_begin(core, error);

    if (status == STATUS_OK)
        status = call_control(core, operation, result, error);
    else
        sqlite3_clear_bindings(core->control);
    if (status == STATUS_OK)
        status = engine_core_commit(core, error);
    else
        engine_core_rollback(core);
    if (status != STATUS_OK)
        result->applied = result->partial = false;
    result->op = core->complete_op;
    engine_core_collect(core, result);
    return status;
}

static void append_subscription(struct buffer *out, const struct client_subscription *subscription) {
    buffer_append_text(out, "{\"name\":");
    buffer_append_json_text(out, subscription->stream);
    buffer_printf(out, ",\"params\":%s}", subscription->parameters ? subscription->parameters : "null");
}

/* What the JS SDK passes: default streams and those asked for, write checkpoints by
 * /write-checkpoint2.json. */
static void make_start_options(struct engine_core *core, const char *parameters,
                               const struct client_subscription *subscriptions, size_t n_subscriptions) {
    struct buffer *out = &core->start_options;

    buffer_clear(&core->open_streams);
    for (size_t i = 0; i < n_subscriptions; i++) {
        buffer_append_text(&core->open_streams, i > 0 ? "," : "[");
        append_subscription(&core->open_streams, &subscriptions[i]);
    }
    buffer_append_text(&core->open_streams, n_subscriptions > 0 ? "]" : "[]");
    buffer_clear(out);
    buffer_printf(out, "{\"parameters\":%s,\"app_metadata\":{},\"active_streams\":%s",
                  parameters ? parameters : "{}", buffer_text(&core->open_streams));
    buffer_printf(out, ",\"include_defaults\":true,\"checkpoint_mode\":\"%s\"}",
                  core->requests ? "requests" : "legacy");
}

static enum status change_subscriptions(struct engine *engine, struct buffer *payload, struct error *error) {
    struct engine_core *core = engine_core_of(engine);
    struct engine_result result = {0};
    enum status status;

    sqlite3_bind_text(core->control, 2, buffer_text(payload), -1, SQLITE_STATIC);
    status = control(core, "subscriptions", &result, error);
    buffer_free(payload);
    return status;
}

static enum status core_subscribe(struct engine *engine, const struct client_subscription *subscription,
                                  struct error *error) {
    struct buffer payload = {0};

    buffer_append_text(&payload, "{\"subscribe\":{\"stream\":");
    append_subscription(&payload, subscription);
    if (subscription->ttl > 0)
        buffer_printf(&payload, ",\"ttl\":%lld", (long long)subscription->ttl);
    if (subscription->overrides)
        buffer_printf(&payload, ",\"priority\":%d", subscription->priority);
    buffer_append_text(&payload, "}}");
    return change_subscriptions(engine, &payload, error);
}

static enum status core_unsubscribe(struct engine *engine, const struct client_subscription *subscription,
                                    struct error *error) {
    struct buffer payload = {0};

    buffer_append_text(&payload, "{\"unsubscribe\":");
    append_subscription(&payload, subscription);
    buffer_append_char(&payload, '}');
    return change_subscriptions(engine, &payload, error);
}

static enum status core_ask(struct engine *engine, const char *parameters,
                            const struct client_subscription *subscriptions, size_t n_subscriptions,
                            struct error *error) {
    (void)error;
    make_start_options(engine_core_of(engine), parameters, subscriptions, n_subscriptions);
    return STATUS_OK;
}

static void core_use_requests(struct engine *engine) {
    engine_core_of(engine)->requests = true;
}

static enum status core_request_id(struct engine *engine, enum engine_request request, int64_t *id,
                                   struct error *error) {
    static const char *const names[] = {[ENGINE_REQUEST_SEED] = "seed_checkpoint_request_id",
                                        [ENGINE_REQUEST_NEXT] = "next_checkpoint_request_id",
                                        [ENGINE_REQUEST_CURRENT] = "current_checkpoint_request_id"};
    struct engine_core *core = engine_core_of(engine);
    enum status status = engine_core_begin(core, error);

    if (status != STATUS_OK)
        return status;
    sqlite3_bind_text(core->control, 1, names[request], -1, SQLITE_STATIC);
    if (request == ENGINE_REQUEST_SEED)
        sqlite3_bind_int64(core->control, 2, *id);
    if (sqlite3_step(core->control) == SQLITE_ROW)
        *id = sqlite3_column_int64(core->control, 0);
    else
        status = engine_core_failed(core, STATUS_INVALID, error);
    sqlite3_reset(core->control);
    sqlite3_clear_bindings(core->control);
    if (status == STATUS_OK)
        return engine_core_commit(core, error);
    engine_core_rollback(core);
    return status;
}

static enum status core_start(struct engine *engine, struct engine_result *result, struct error *error) {
    struct engine_core *core = engine_core_of(engine);

    *result = (struct engine_result){0};
    sqlite3_bind_text(core->control, 2, buffer_text(&core->start_options), -1, SQLITE_STATIC);
    return control(core, "start", result, error);
}

/* The number in the decimal text of "last_op_id". Looking for the key with its quotes is exact: inside
 * a JSON string they would be escaped. In BSON the type (2, string) comes before the name and the length
 * after it. */
static bool find_last_op(const char *bytes, size_t length, bool binary, int64_t *op) {
    static const char text_key[] = "\"last_op_id\"";
    static const char binary_key[] = "\002last_op_id"; /* with its final 0 */
    const char *end = bytes + length;
    const char *at = binary ? memmem(bytes, length, binary_key, sizeof binary_key)
                            : memmem(bytes, length, text_key, sizeof text_key - 1);
    int64_t value = 0;
    bool negative;

    if (at == NULL)
        return false;
    at += binary ? sizeof binary_key + 4 : sizeof text_key - 1;
    while (!binary && at < end && (*at == ' ' || *at == ':' || *at == '"'))
        at++;
    negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    for (; at < end && *at >= '0' && *at <= '9' && value < INT64_MAX / 10 - 1; at++)
        value = value * 10 + (*at - '0');
    *op = negative ? -value : value;
    return true;
}

/* The priority of a partial completion; -1: none is found. */
static int64_t find_priority(const char *bytes, size_t length, bool binary) {
    static const char text_key[] = "\"priority\":";
    static const char binary_key[] = "\020priority"; /* int32, with its final 0 */
    const size_t key_length = binary ? sizeof binary_key : sizeof text_key - 1;
    const char *at = memmem(bytes, length, binary ? binary_key : text_key, key_length);

    if (at == NULL || at + key_length >= bytes + length)
        return -1;
    return binary ? at[key_length] : at[key_length] - '0';
}

static bool begins_with(const char *bytes, size_t length, const char *text) {
    return length >= strlen(text) && memcmp(bytes, text, strlen(text)) == 0;
}

/* Follow the op id of the tracked checkpoint, which the core does not tell: notes carry it. Only lines whose
 * first key begins with "checkpoint" or "partial_checkpoint" matter. */
static void follow_op(struct engine_core *core, const char *bytes, size_t length, bool binary,
                      struct engine_result *result) {
    const char *key = binary ? (length > 5 ? bytes + 4 : NULL) : memchr(bytes, '"', length);
    size_t left;
    int64_t op;

    if (key == NULL)
        return;
    key++; /* the quote, or the type of the first element */
    left = length - (size_t)(key - bytes);
    if (begins_with(key, left, "partial_checkpoint_complete")) {
        core->complete_op = core->tracked_op;
        result->priority = find_priority(bytes, length, binary);
        result->partial = result->priority >= 0;
    } else if (begins_with(key, left, "checkpoint_complete")) {
        core->complete_op = core->tracked_op;
    } else if (begins_with(key, left, "checkpoint")) {
        if (find_last_op(bytes, length, binary, &op))
            core->tracked_op = op;
    }
}

static enum status core_line(struct engine *engine, const void *bytes, size_t length, bool binary,
                             struct engine_result *result, struct error *error) {
    struct engine_core *core = engine_core_of(engine);
    const int64_t tracked_op = core->tracked_op, complete_op = core->complete_op;
    enum status status;

    *result = (struct engine_result){0};
    assert(length <= INT32_MAX);
    follow_op(core, bytes, length, binary, result);
    if (binary)
        sqlite3_bind_blob(core->control, 2, bytes, (int)length, SQLITE_STATIC);
    else
        sqlite3_bind_text(core->control, 2, bytes, (int)length, SQLITE_STATIC);
    status = control(core, binary ? "line_binary" : "line_text", result, error);
    if (status != STATUS_OK) { /* it was no line */
        core->tracked_op = tracked_op;
        core->complete_op = complete_op;
    }
    return status;
}

static enum status core_event(struct engine *engine, enum engine_event event, struct engine_result *result,
                              struct error *error) {
    static const struct {
        const char *operation;
        const char *payload;
    } calls[] = {
        [ENGINE_ESTABLISHED] = {"connection", "established"},
        [ENGINE_END] = {"connection", "end"},
        [ENGINE_COMPLETED_UPLOAD] = {"completed_upload", NULL},
        [ENGINE_REFRESHED_TOKEN] = {"refreshed_token", NULL},
        [ENGINE_CHANGED_STREAMS] = {"update_subscriptions", NULL},
        [ENGINE_STOP] = {"stop", NULL},
    };
    struct engine_core *core = engine_core_of(engine);

    assert((size_t)event < sizeof calls / sizeof *calls);
    *result = (struct engine_result){0};
    if (calls[event].payload != NULL)
        sqlite3_bind_text(core->control, 2, calls[event].payload, -1, SQLITE_STATIC);
    if (event == ENGINE_CHANGED_STREAMS)
        sqlite3_bind_text(core->control, 2, buffer_text(&core->open_streams), -1, SQLITE_STATIC);
    return control(core, calls[event].operation, result, error);
}

/* Inside the open transaction: the core clears the target at 0. */
enum status engine_core_put_target(struct engine_core *core, int64_t target, struct error *error) {
    enum status status = STATUS_OK;
    int stepped;

    sqlite3_bind_int64(core->gate_put, 1, target);
    stepped = sqlite3_step(core->gate_put);
    if (stepped != SQLITE_ROW && stepped != SQLITE_DONE)
        status = engine_core_failed(core, STATUS_INVALID, error);
    sqlite3_reset(core->gate_put);
    return status;
}

static void core_gate(struct engine *engine, struct engine_gate *gate) {
    struct engine_core *core = engine_core_of(engine);

    gate->queue_empty = engine_core_integer(core, core->head) == 0;
    gate->sequence = engine_core_integer(core, core->sequence);
    gate->target = engine_core_integer(core, core->gate_target);
    gate->applied = engine_core_integer(core, core->gate_applied);
}

static const char *core_status(struct engine *engine) {
    return buffer_text(&engine_core_of(engine)->status);
}

static const char *core_client_id(struct engine *engine) {
    return engine_core_of(engine)->client_id;
}

static sqlite3 *core_database(struct engine *engine) {
    return engine_core_of(engine)->database;
}

/* Cores before 0.4.11 keep statements of an iteration that was never stopped; their connection then lives on
 * without a user until the process ends. */
static void close_database(struct engine_core *core) {
    int closed;

    engine_core_enter(core);
    view_destroy(core->view);
    core->view = NULL;
    finalize_all(core);
    closed = sqlite3_close(core->database);
    if (closed == SQLITE_BUSY)
        closed = sqlite3_close_v2(core->database);
    assert(closed == SQLITE_OK);
    core->database = NULL;
    disk_vfs_set_node(pool_vfs(core->pool), NULL);
}

static void use_database(struct engine_core *core, sqlite3 *database) {
    core->database = database;
    prepare_all(core);
    core->view = view_create(database, core->schema, core->shared->shown, pool_answer(core->pool));
}

/* The status without an iteration, as SDKs read it when they start and after they cleared. */
static void read_offline_status(struct engine_core *core, struct engine_result *result) {
    sqlite3_stmt *statement = prepare(core, "SELECT powersync_offline_sync_status()");

    if (sqlite3_step(statement) == SQLITE_ROW)
        read_status(core,
                    (struct span){(const char *)sqlite3_column_text(statement, 0),
                                  (size_t)sqlite3_column_bytes(statement, 0)},
                    result);
    sqlite3_finalize(statement);
}

static void core_offline_status(struct engine *engine, struct engine_result *result) {
    struct engine_core *core = engine_core_of(engine);

    *result = (struct engine_result){.op = core->complete_op};
    engine_core_look(core, true);
    read_offline_status(core, result);
    engine_core_look(core, false);
}

static void read_client_id(struct engine_core *core) {
    sqlite3_stmt *statement = prepare(core, "SELECT powersync_client_id()");

    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_bytes(statement, 0) == 36)
        memcpy(core->client_id, sqlite3_column_text(statement, 0), 37);
    assert(core->client_id[0] != 0);
    sqlite3_finalize(statement);
}

static int64_t newest_on_disk(struct engine_core *core) {
    sqlite3_stmt *statement = prepare(core, "SELECT next_tx - 1 FROM ps_tx");
    int64_t newest = engine_core_integer(core, statement);

    sqlite3_finalize(statement);
    return newest;
}

/* Entries of insert-only tables keep it shut by being there, and set no target. */
static bool sets_target(const struct engine_core *core, const char *type) {
    const struct client_table *table = type == NULL ? NULL : engine_find_table(core->schema, type);

    return table == NULL || !table->insert_only;
}

/* What a crash must leave, whatever was lost: entries in the queue keep the gate shut. */
static bool is_consistent(struct engine_core *core) {
    sqlite3_stmt *types;
    struct engine_gate gate;
    bool open;

    core_gate(&core->engine, &gate);
    open = gate.target != ENGINE_TARGET_UNKNOWN;
    types = prepare(core, "SELECT DISTINCT json_extract(data, '$.type') FROM ps_crud");
    while (open && sqlite3_step(types) == SQLITE_ROW)
        open = !sets_target(core, (const char *)sqlite3_column_text(types, 0));
    sqlite3_finalize(types);
    return gate.target == ENGINE_TARGET_UNKNOWN || open;
}

static void tell_aftermath(struct engine_core *core, struct engine_result *result) {
    bool power = disk_losses(core->disk) > core->shared->losses;

    if (core->aftermath.length == 0 && !is_consistent(core))
        buffer_append_text(&core->aftermath, "damaged: the queue has entries and the gate is open");
    if (core->aftermath.length == 0 && (power || core->shared->uncertain))
        buffer_append_text(&core->aftermath, power ? "power loss" : "disk error");
    result->aftermath = core->aftermath.length > 0 ? buffer_text(&core->aftermath) : NULL;
    result->survived = newest_on_disk(core);
    result->promised = power ? core->shared->promised : core->shared->newest;
    core->shared->newest = result->survived;
    if (power || core->shared->promised > core->shared->newest)
        core->shared->promised = core->shared->newest;
    core->shared->losses = disk_losses(core->disk);
    core->shared->uncertain = false;
}

static enum status replace_schema(sqlite3 *database, const struct client_schema *schema) {
    sqlite3_stmt *statement = NULL;
    struct buffer json = {0};
    bool done;

    pool_append_schema(&json, schema);
    done = sqlite3_prepare_v2(database, "SELECT powersync_replace_schema(?1)", -1, &statement, NULL) ==
               SQLITE_OK &&
           sqlite3_bind_text(statement, 1, buffer_text(&json), -1, SQLITE_STATIC) == SQLITE_OK &&
           sqlite3_step(statement) == SQLITE_ROW;
    sqlite3_finalize(statement); /* repeats the step's error */
    buffer_free(&json);
    return done ? STATUS_OK : STATUS_INVALID;
}

/* The app's schema, on a database that may have another one: the pool's, or one of before the power went. */
static enum status reinstall(sqlite3 *database, const struct client_schema *schema, struct error *error) {
    bool done = sqlite3_exec(database, "BEGIN", NULL, NULL, NULL) == SQLITE_OK &&
                replace_schema(database, schema) == STATUS_OK &&
                sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    enum status status = STATUS_OK;

    if (!done) {
        status = error_set(error, STATUS_IO, "%s", sqlite3_errmsg(database));
        sqlite3_close(database);
    }
    return status;
}

/* A damaged database is given up: the app is installed anew. */
static enum status reopen(struct engine_core *core, sqlite3 **database, struct error *error) {
    struct error damage = {0};
    enum status status = pool_reopen(core->pool, core->host, core->database, database, &damage);

    buffer_clear(&core->aftermath);
    if (status == STATUS_INVALID && core->disk != NULL && core->shared->running == 0) {
        buffer_printf(&core->aftermath, "damaged: %s", damage.message);
        status = pool_clone(core->pool, core->host, database, &damage);
    }
    if (status == STATUS_OK && core->disk != NULL && core->updated)
        status = reinstall(*database, core->schema, &damage);
    return status == STATUS_OK ? STATUS_OK : error_set(error, status, "%s", damage.message);
}

static void core_end(struct engine *engine) {
    struct engine_core *core = engine_core_of(engine);

    if (core->ended)
        return;
    core->ended = true;
    core->shared->running--;
    disk_vfs_end_process(pool_vfs(core->pool), core->host);
}

/* What was there before is told by who finds nobody else. */
static void tell_restart(struct engine_core *core, struct engine_result *result) {
    result->joined = core->shared->running > 0;
    if (result->joined)
        return;
    if (core->disk != NULL)
        tell_aftermath(core, result);
    view_collect_all(core->view, &result->rows, &result->n_rows);
}

static enum status core_restart(struct engine *engine, struct engine_result *result, struct error *error) {
    struct engine_core *core = engine_core_of(engine);
    sqlite3 *copy = NULL;
    enum status status;

    *result = (struct engine_result){0};
    core_end(engine);
    status = reopen(core, &copy, error);
    if (status != STATUS_OK)
        return status;
    close_database(core);
    engine_core_look(core, true);
    use_database(core, copy);
    core->tracked_op = 0;
    core->complete_op = 0;
    if (core->disk != NULL)
        read_client_id(core);
    tell_restart(core, result);
    read_offline_status(core, result);
    engine_core_look(core, false);
    core->ended = false;
    core->shared->running++;
    return STATUS_OK;
}

static enum status core_clear(struct engine *engine, unsigned flags, struct engine_result *result,
                              struct error *error) {
    struct engine_core *core = engine_core_of(engine);
    enum status status = engine_core_begin(core, error);
    sqlite3_stmt *statement;

    *result = (struct engine_result){0};
    if (status != STATUS_OK)
        return status;
    statement = prepare(core, "SELECT powersync_clear(?1)");
    sqlite3_bind_int(statement, 1, (int)flags);
    if (sqlite3_step(statement) != SQLITE_ROW)
        status = engine_core_failed(core, STATUS_INVALID, error);
    sqlite3_finalize(statement);
    if (status == STATUS_OK)
        status = engine_core_commit(core, error);
    else
        engine_core_rollback(core);
    core->tracked_op = 0;
    core->complete_op = 0;
    engine_core_look(core, true);
    read_offline_status(core, result);
    view_collect_all(core->view, &result->rows, &result->n_rows);
    engine_core_look(core, false);
    return status;
}

/* The core 0.4.6 leaves a table that was local-only, or is from now on, without what its view reads. */
static bool can_read_views(sqlite3 *database, const struct client_schema *schema) {
    bool good = true;

    for (size_t t = 0; good && t < schema->n_tables; t++) {
        char *sql = sqlite3_mprintf("SELECT id FROM \"%w\"", schema->tables[t].name);
        sqlite3_stmt *statement = NULL;

        good = sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK;
        sqlite3_finalize(statement);
        sqlite3_free(sql);
    }
    return good;
}

/* The views go, and come again: a transaction as any other. */
static enum status core_update_schema(struct engine *engine, const struct client_schema *schema,
                                      struct engine_result *result, struct error *error) {
    struct engine_core *core = engine_core_of(engine);
    enum status status = pool_check_schema(schema, error);

    *result = (struct engine_result){0};
    if (status == STATUS_OK)
        status = engine_core_begin(core, error);
    if (status != STATUS_OK)
        return status;
    assert(core->shared->connections == 1); /* the others would go on with the old one */
    view_destroy(core->view);
    if (replace_schema(core->database, schema) != STATUS_OK || !can_read_views(core->database, schema)) {
        status = engine_core_failed(core, STATUS_INVALID, error);
        engine_core_rollback(core);
    } else {
        status = engine_core_commit(core, error);
    }
    if (status == STATUS_OK) {
        core->schema = schema;
        core->updated = true;
    }
    view_shown_destroy(core->shared->shown);
    core->shared->shown = view_shown_create(core->schema);
    core->view = view_create(core->database, core->schema, core->shared->shown, pool_answer(core->pool));
    engine_core_look(core, true);
    view_collect_all(core->view, &result->rows, &result->n_rows);
    engine_core_look(core, false);
    return status;
}

static const struct client_schema *core_schema(const struct engine *engine) {
    return ((const struct engine_core *)engine)->schema; /* its first member */
}

/* One value that no sync source has, in every text column of the first table. */
static enum status core_plant_row(struct engine *engine, const char *id, struct engine_result *result,
                                  struct error *error) {
    struct engine_core *core = engine_core_of(engine);
    const struct client_table *table = &core->schema->tables[0];
    enum status status;
    sqlite3_stmt *statement;
    struct buffer data = {0};
    char *sql =
        memory_format("INSERT OR REPLACE INTO \"ps_data__%s\" (id, data) VALUES (?1, ?2)", table->name);

    *result = (struct engine_result){.op = core->complete_op};
    for (size_t c = 0; c < table->n_columns; c++) {
        buffer_append_text(&data, c > 0 ? "," : "{");
        buffer_append_json_text(&data, table->columns[c].name);
        buffer_append_text(&data, strcmp(table->columns[c].type, "text") == 0 ? ":\"phantom\"" : ":0");
    }
    buffer_append_char(&data, '}');
    status = engine_core_begin(core, error);
    statement = prepare(core, sql);
    sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, buffer_text(&data), -1, SQLITE_STATIC);
    if (status == STATUS_OK && !run(statement))
        status = engine_core_failed(core, STATUS_INTERNAL, error);
    sqlite3_finalize(statement);
    if (status == STATUS_OK)
        status = engine_core_commit(core, error);
    else
        engine_core_rollback(core);
    engine_core_collect(core, result);
    buffer_free(&data);
    free(sql);
    return status;
}

static void core_destroy(struct engine *engine) {
    struct engine_core *core = engine_core_of(engine);

    if (core->database != NULL)
        close_database(core);
    buffer_free(&core->request);
    buffer_free(&core->status);
    buffer_free(&core->start_options);
    buffer_free(&core->open_streams);
    buffer_free(&core->aftermath);
    engine_core_free_written(core);
    if (!core->ended)
        core->shared->running--;
    if (--core->shared->connections == 0) {
        view_shown_destroy(core->shared->shown);
        free(core->shared);
    }
    free(core);
}

static const struct engine_operations core_operations = {
    .name = "core",
    .destroy = core_destroy,
    .client_id = core_client_id,
    .database = core_database,
    .ask = core_ask,
    .subscribe = core_subscribe,
    .unsubscribe = core_unsubscribe,
    .offline_status = core_offline_status,
    .use_requests = core_use_requests,
    .request_id = core_request_id,
    .start = core_start,
    .line = core_line,
    .event = core_event,
    .write = engine_core_write,
    .queue_head = engine_core_queue_head,
    .next_transaction = engine_core_next_transaction,
    .queue_each = engine_core_queue_each,
    .complete = engine_core_complete,
    .gate = core_gate,
    .status = core_status,
    .set_target = engine_core_set_target,
    .clear = core_clear,
    .end = core_end,
    .restart = core_restart,
    .update_schema = core_update_schema,
    .schema = core_schema,
    .plant_row = core_plant_row,
};

static struct engine_core *make_core(struct client_pool *pool, struct host *host,
                                     struct core_database *shared, sqlite3 *database) {
    const struct client_disk *disk = pool_disk(pool, host);
    struct engine_core *core = memory_allocate(sizeof *core);

    core->engine.operations = &core_operations;
    core->pool = pool;
    core->host = host;
    core->schema = pool_schema(pool);
    if (disk != NULL) {
        core->disk = disk->disk;
        core->statements_struck = disk->statements_struck;
    }
    core->shared = shared;
    shared->connections++;
    shared->running++;
    use_database(core, database);
    read_client_id(core);
    make_start_options(core, NULL, NULL, 0);
    return core;
}

enum status engine_core_create(struct client_pool *pool, struct host *host, struct engine **engine,
                               struct error *error) {
    struct core_database *shared;
    sqlite3 *database = NULL;
    enum status status = pool_clone(pool, host, &database, error);

    if (status != STATUS_OK)
        return status;
    shared = memory_allocate(sizeof *shared);
    shared->shown = view_shown_create(pool_schema(pool));
    *engine = &make_core(pool, host, shared, database)->engine;
    return STATUS_OK;
}

enum status engine_core_join(struct engine *first, struct host *host, struct engine **engine,
                             struct error *error) {
    struct engine_core *core = engine_core_of(first);
    sqlite3 *database = NULL;
    enum status status;

    assert(first->operations == &core_operations);
    status = pool_join(core->pool, host, &database, error);
    if (status == STATUS_OK)
        *engine = &make_core(core->pool, host, core->shared, database)->engine;
    return status;
}
