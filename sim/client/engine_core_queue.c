#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "client/engine_core.h"
#include "client/pool.h"

static const char *const operation_names[] = {
    [CLIENT_PUT] = "PUT", [CLIENT_PATCH] = "PATCH", [CLIENT_DELETE] = "DELETE"};

static void append_put(struct buffer *sql, const struct client_operation *operation) {
    const char *column;
    json_t *value;
    size_t count = json_object_size(operation->values);

    buffer_printf(sql, "INSERT OR REPLACE INTO \"%s\" (id", operation->table);
    json_object_foreach((json_t *)(uintptr_t)operation->values, column, value)
        buffer_printf(sql, ", \"%s\"", column);
    buffer_append_text(sql, ") VALUES (?1");
    for (size_t i = 0; i < count; i++)
        buffer_append_text(sql, ", ?");
    buffer_append_char(sql, ')');
}

static void append_patch(struct buffer *sql, const struct client_operation *operation) {
    const char *column;
    json_t *value;
    int parameter = 2;

    buffer_printf(sql, "UPDATE \"%s\" SET ", operation->table);
    json_object_foreach((json_t *)(uintptr_t)operation->values, column, value) {
        buffer_printf(sql, "%s\"%s\" = ?%d", parameter > 2 ? ", " : "", column, parameter);
        parameter++;
    }
    buffer_append_text(sql, " WHERE id = ?1");
}

static void append_sql(struct buffer *sql, const struct client_operation *operation, const char *metadata) {
    if (operation->kind == CLIENT_PUT)
        append_put(sql, operation);
    else if (operation->kind == CLIENT_PATCH)
        append_patch(sql, operation);
    else if (metadata != NULL) /* how the core lets deletions have some */
        buffer_printf(sql, "UPDATE \"%s\" SET _deleted = TRUE, " CLIENT_METADATA " = ?2 WHERE id = ?1",
                      operation->table);
    else
        buffer_printf(sql, "DELETE FROM \"%s\" WHERE id = ?1", operation->table);
}

static void bind_value(sqlite3_stmt *statement, int parameter, const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_STRING:
        sqlite3_bind_text(statement, parameter, json_string_value(value), (int)json_string_length(value),
                          SQLITE_STATIC);
        break;
    case JSON_INTEGER:
        sqlite3_bind_int64(statement, parameter, json_integer_value(value));
        break;
    case JSON_REAL:
        sqlite3_bind_double(statement, parameter, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        sqlite3_bind_int(statement, parameter, json_is_true(value));
        break;
    default:
        sqlite3_bind_null(statement, parameter);
    }
}

static void bind_operation(sqlite3_stmt *statement, const struct client_operation *operation,
                           const char *metadata) {
    const char *column;
    json_t *value;
    int parameter = 2;

    sqlite3_bind_text(statement, 1, operation->id, -1, SQLITE_STATIC);
    if (operation->kind == CLIENT_DELETE) {
        if (metadata != NULL)
            sqlite3_bind_text(statement, 2, metadata, -1, SQLITE_STATIC);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)operation->values, column, value) {
        bind_value(statement, parameter, value);
        parameter++;
    }
}

/* A PATCH without values sets nothing and queues nothing. */
static bool is_empty(const struct client_operation *operation) {
    return operation->kind == CLIENT_PATCH && json_object_size(operation->values) == 0;
}

static enum status apply_operation(struct engine_core *core, const struct client_operation *operation,
                                   struct error *error) {
    struct buffer sql = {0};
    const char *metadata = engine_metadata(engine_find_table(core->schema, operation->table), operation);
    sqlite3_stmt *statement = NULL;
    enum status status = STATUS_OK;

    if (is_empty(operation))
        return STATUS_OK;
    append_sql(&sql, operation, metadata);
    if (sqlite3_prepare_v2(core->database, buffer_text(&sql), -1, &statement, NULL) == SQLITE_OK)
        bind_operation(statement, operation, metadata);
    if (statement == NULL || sqlite3_step(statement) != SQLITE_DONE)
        status = engine_core_failed(core, STATUS_INVALID, error);
    if (status != STATUS_OK)
        error_prefix(error, "%s %s", operation_names[operation->kind], operation->table);
    sqlite3_finalize(statement);
    buffer_free(&sql);
    return status;
}

void engine_core_free_written(struct engine_core *core) {
    for (size_t i = 0; i < core->n_written; i++)
        free((char *)(uintptr_t)core->written[i].values);
    free(core->written);
    core->written = NULL;
    core->n_written = 0;
    core->written_capacity = 0;
}

static void add_written(struct engine_core *core, const struct client_operation *operation) {
    MEMORY_RESERVE(core->written, core->written_capacity, core->n_written + 1);
    core->written[core->n_written++] = (struct note_row){
        .operation = operation_names[operation->kind],
        .table = operation->table,
        .id = operation->id,
        .values = engine_written_values(operation),
    };
}

/* Whether operations have an effect: queued entries, and with local-only tables, changes of rows. SQLite
 * counts no changes for INSTEAD OF triggers. */
static uint64_t effects(struct engine_core *core, const struct client_operation *operation) {
    const struct client_table *table = engine_find_table(core->schema, operation->table);

    if (table != NULL && table->local_only)
        return view_changes(core->view);
    return (uint64_t)engine_core_integer(core, core->sequence);
}

/* All operations, inside the open transaction. One that met no row (UPDATE or DELETE of a missing id) is not
 * told. */
static enum status apply_operations(struct engine_core *core, const struct client_operation *operations,
                                    size_t count, struct error *error) {
    enum status status = STATUS_OK;

    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        uint64_t before = effects(core, &operations[i]);

        status = engine_check_operation(core->schema, &operations[i], error);
        if (status == STATUS_OK)
            status = apply_operation(core, &operations[i], error);
        if (status == STATUS_OK && effects(core, &operations[i]) != before)
            add_written(core, &operations[i]);
    }
    return status;
}

static int64_t newest_transaction(struct engine_core *core) {
    sqlite3_stmt *statement = NULL;
    int64_t transaction;
    int prepared;

    engine_core_look(core, true);
    prepared = sqlite3_prepare_v2(core->database, "SELECT tx_id FROM ps_crud ORDER BY id DESC LIMIT 1", -1,
                                  &statement, NULL);
    assert(prepared == SQLITE_OK || core->disk != NULL);
    transaction = prepared == SQLITE_OK ? engine_core_integer(core, statement) : 0;
    engine_core_look(core, false);
    sqlite3_finalize(statement);
    return transaction;
}

static enum status end_transaction(struct engine_core *core, enum status status, struct error *error) {
    if (status == STATUS_OK)
        return engine_core_commit(core, error);
    engine_core_rollback(core);
    return status;
}

static enum status end_write(struct engine_core *core, const struct engine_result *result, enum status status,
                             struct error *error) {
    int64_t before = core->shared->newest;

    if (status == STATUS_OK && result->transaction > 0)
        core->shared->newest = result->transaction; /* what the commit may promise */
    status = end_transaction(core, status, error);
    if (status != STATUS_OK)
        core->shared->newest = before;
    return status;
}

/* When a statement fails because of the disk, SQLite rolls back at once, and the core finalizes the statement
 * that it is running (scenarios/bugs/core-finalizes-running-statement.yaml). So a write's faults come with
 * its commit, unless they are to come here. */
static enum status apply_spared(struct engine_core *core, const struct client_operation *operations,
                                size_t count, struct error *error) {
    enum status status;

    if (core->statements_struck)
        return apply_operations(core, operations, count, error);
    engine_core_look(core, true);
    status = apply_operations(core, operations, count, error);
    engine_core_look(core, false);
    return status;
}

enum status engine_core_write(struct engine *engine, const struct client_operation *operations, size_t count,
                              struct engine_result *result, struct error *error) {
    struct engine_core *core = engine_core_of(engine);
    int64_t sequence = 0;
    enum status status;

    *result = (struct engine_result){0};
    engine_core_free_written(core);
    status = engine_core_begin(core, error);
    if (status == STATUS_OK)
        sequence = engine_core_integer(core, core->sequence);
    if (status == STATUS_OK)
        status = apply_spared(core, operations, count, error);
    if (status == STATUS_OK && engine_core_integer(core, core->sequence) != sequence)
        result->transaction = newest_transaction(core);
    status = end_write(core, result, status, error);
    engine_core_collect(core, result);
    if (status != STATUS_OK)
        return status;
    result->written = core->written;
    result->n_written = core->n_written;
    return STATUS_OK;
}

int64_t engine_core_queue_head(struct engine *engine) {
    struct engine_core *core = engine_core_of(engine);

    return engine_core_integer(core, core->head);
}

/* SQLite writes what is no finite number as 9.0e+999, which old values may hold. JavaScript reads infinity
 * from it, and writes null. */
static char *without_infinity(const char *text) {
    static const char infinity[] = "9.0e+999";
    struct buffer out = {0};
    bool quoted = false;

    for (; *text != 0; text++) {
        bool negative = *text == '-';

        quoted ^= *text == '"';
        if (!quoted && strncmp(text + negative, infinity, sizeof infinity - 1) == 0) {
            buffer_append_text(&out, "null");
            text += negative + sizeof infinity - 2;
            continue;
        }
        buffer_append_char(&out, *text);
        if (quoted && *text == '\\')
            buffer_append_char(&out, *++text);
    }
    return buffer_take(&out);
}

/* The entry's JSON with a parser's checks: the core wrote it, so anything else is a bug. Old values may also
 * have half a surrogate pair, which SQLite makes bytes of that are no UTF-8: JavaScript reads U+FFFD. */
static json_t *read_entry(sqlite3_stmt *statement, int column) {
    const char *text = (const char *)sqlite3_column_text(statement, column);
    json_t *entry = json_parse(text, (size_t)sqlite3_column_bytes(statement, column), NULL);

    if (entry == NULL) {
        char *finite = without_infinity(text);
        json_t *readable = json_string_lossy(finite, strlen(finite));

        entry = json_parse(json_string_value(readable), json_string_length(readable), NULL);
        json_decref(readable);
        free(finite);
    }
    assert(json_is_object(entry));
    return entry;
}

/* The SDKs' rule: the first entry, and those that follow with consecutive ids and the same tx_id; an entry
 * without tx_id stands alone. */
enum status engine_core_next_transaction(struct engine *engine, int64_t after,
                                         struct engine_transaction *transaction, struct error *error) {
    struct engine_core *core = engine_core_of(engine);
    sqlite3_stmt *statement = NULL;
    int prepared;

    engine_core_look(core, true);
    prepared =
        sqlite3_prepare_v2(core->database, "SELECT id, tx_id, data FROM ps_crud WHERE id > ?1 ORDER BY id",
                           -1, &statement, NULL);
    assert(prepared == SQLITE_OK);
    sqlite3_bind_int64(statement, 1, after);
    *transaction = (struct engine_transaction){.entries = json_array()};
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(statement, 0);
        int64_t number = sqlite3_column_int64(statement, 1); /* NULL reads as 0, which is no number */
        bool first = json_array_size(transaction->entries) == 0;

        if (!first && (number == 0 || number != transaction->transaction || id != transaction->last + 1))
            break;
        json_array_append_new(transaction->entries, read_entry(statement, 2));
        transaction->transaction = number;
        transaction->last = id;
    }
    sqlite3_finalize(statement);
    engine_core_look(core, false);
    if (json_array_size(transaction->entries) > 0)
        return STATUS_OK;
    engine_transaction_free(transaction);
    return error_set(error, STATUS_NOT_FOUND, "the upload queue is empty");
}

void engine_core_queue_each(struct engine *engine,
                            void (*entry)(void *context, int64_t transaction, const json_t *data),
                            void *context) {
    struct engine_core *core = engine_core_of(engine);
    sqlite3_stmt *statement = NULL;
    int prepared;

    engine_core_look(core, true);
    prepared = sqlite3_prepare_v2(core->database, "SELECT tx_id, data FROM ps_crud ORDER BY id", -1,
                                  &statement, NULL);
    assert(prepared == SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        json_t *data = read_entry(statement, 1);

        entry(context, sqlite3_column_int64(statement, 0), data);
        json_decref(data);
    }
    sqlite3_finalize(statement);
    engine_core_look(core, false);
}

static enum status delete_entries(struct engine_core *core, int64_t last, struct error *error) {
    sqlite3_stmt *statement = NULL;
    enum status status = STATUS_OK;

    if (sqlite3_prepare_v2(core->database, "DELETE FROM ps_crud WHERE id <= ?1", -1, &statement, NULL) !=
            SQLITE_OK ||
        sqlite3_bind_int64(statement, 1, last) != SQLITE_OK || sqlite3_step(statement) != SQLITE_DONE)
        status = engine_core_failed(core, STATUS_INTERNAL, error);
    sqlite3_finalize(statement);
    return status;
}

enum status engine_core_complete(struct engine *engine, int64_t last, int64_t target, struct error *error) {
    struct engine_core *core = engine_core_of(engine);
    enum status status;

    status = engine_core_begin(core, error);
    if (status == STATUS_OK)
        status = delete_entries(core, last, error);
    if (status == STATUS_OK && target != ENGINE_TARGET_SAME)
        status = engine_core_put_target(core, target, error);
    return end_transaction(core, status, error);
}

enum status engine_core_set_target(struct engine *engine, int64_t sequence, int64_t target, bool *set,
                                   struct error *error) {
    struct engine_core *core = engine_core_of(engine);
    enum status status;

    assert(target > 0);
    status = engine_core_begin(core, error);
    *set = status == STATUS_OK && engine_core_integer(core, core->head) == 0 &&
           engine_core_integer(core, core->sequence) == sequence;
    if (*set)
        status = engine_core_put_target(core, target, error);
    return end_transaction(core, status, error);
}
