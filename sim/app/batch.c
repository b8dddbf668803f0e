#include "app/batch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void batch_copy_text(char *out, size_t size, const unsigned char *text) {
    snprintf(out, size, "%s", text ? (const char *)text : "");
}

sqlite3_stmt *batch_query(struct batch *batch, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(client_database(batch->client), sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        fprintf(stderr, "app: %s\n", sqlite3_errmsg(client_database(batch->client)));
    assert(code == SQLITE_OK); /* the views are those of our own schema */
    return statement;
}

int64_t batch_query_integer(struct batch *batch, const char *sql) {
    sqlite3_stmt *statement = batch_query(batch, sql);
    int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return value;
}

bool batch_pick(struct batch *batch, const char *table, const char *condition, char id[BATCH_ID_SIZE]) {
    char *sql = memory_format("SELECT count(*) FROM %s WHERE %s", table, condition);
    const int64_t count = batch_query_integer(batch, sql);
    free(sql);
    if (count == 0)
        return false;
    sql = memory_format("SELECT id FROM %s WHERE %s ORDER BY id LIMIT 1 OFFSET %lld", table, condition,
                        (long long)random_below(&batch->chance, (uint64_t)count));
    sqlite3_stmt *statement = batch_query(batch, sql);
    free(sql);
    const bool found = sqlite3_step(statement) == SQLITE_ROW;
    if (found)
        batch_copy_text(id, BATCH_ID_SIZE, sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return found;
}

/* `name` is the app's, for the names of its random numbers. */
static void begin(struct batch *batch, struct client *client, const struct app_action *action,
                  const char *name) {
    char *action_name = memory_format("%s.action", name), *id_name = memory_format("%s.row-id", name);
    memset(batch, 0, sizeof *batch);
    batch->client = client;
    batch->rows = action->rows;
    batch->step = action->step;
    batch->chance = random_stream_make(action->choice, action_name);
    batch->ids = random_stream_make(client_app_random(client, id_name), id_name);
    free(action_name);
    free(id_name);
    sqlite3_stmt *now = batch_query(batch, "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')");
    if (sqlite3_step(now) == SQLITE_ROW)
        batch_copy_text(batch->created_at, sizeof batch->created_at, sqlite3_column_text(now, 0));
    sqlite3_finalize(now);
}

void batch_add(struct batch *batch, enum client_operation_kind kind, const char *table, const char *id,
               json_t *values) {
    assert(batch->count < BATCH_ROWS_MOST);
    assert(kind == CLIENT_DELETE || values != NULL);
    size_t i = batch->count++;
    snprintf(batch->row_ids[i], sizeof batch->row_ids[i], "%s", id ? id : "");
    batch->operations[i] = (struct client_operation){
        .kind = kind, .table = table, .id = id ? batch->row_ids[i] : NULL, .values = values};
}

bool batch_has(const struct batch *batch, const char *id) {
    for (size_t i = 0; i < batch->count; i++)
        if (!strcmp(batch->row_ids[i], id))
            return true;
    return false;
}

static enum status commit(struct batch *batch, struct error *error) {
    enum status status = STATUS_OK;
    if (batch->count > 0)
        status = client_write(batch->client, batch->operations, batch->count, batch->step, error);
    for (size_t i = 0; i < batch->count; i++)
        json_decref((json_t *)(uintptr_t)batch->operations[i].values);
    return status == STATUS_INVALID && batch->may_be_refused ? STATUS_OK : status;
}

enum status app_act(const struct app *app, struct client *client, const struct app_action *action,
                    const char *const *users, size_t n_users, struct error *error) {
    const struct app_action_kind *kind = app_action_find(app, action->kind);
    struct batch batch;
    assert(action->rows >= 1 && action->rows <= BATCH_ROWS_MOST && n_users > 0);
    if (!kind)
        return error_set(error, STATUS_INVALID, "the app %s knows no action `%s`", app->name, action->kind);
    begin(&batch, client, action, app->name);
    batch.users = users;
    batch.n_users = n_users;
    kind->perform(&batch);
    return commit(&batch, error);
}
