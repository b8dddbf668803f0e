/* What the users of the teams app do. Every action is one local transaction that decides by the action's own
 * random numbers and by what this device shows. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/batch.h"
#include "app/teams.h"
#include "base/memory.h"

static json_t *row_of(struct batch *batch, const char *column, const char *value) {
    json_t *values = json_object();
    json_object_set_new(values, column, json_string(value));
    json_object_set_new(values, "created_at", json_string(batch->created_at));
    return values;
}

static void add_member(struct batch *batch, const char *team, const char *user) {
    char id[37];
    random_uuid(&batch->ids, id);
    json_t *values = row_of(batch, "user_id", user);
    json_object_set_new(values, "team", json_string(team));
    batch_add(batch, CLIENT_PUT, "members", id, values);
}

static void add_document(struct batch *batch, const char *team) {
    char id[37], title[64];
    random_uuid(&batch->ids, id);
    snprintf(title, sizeof title, "plan %llu", (unsigned long long)random_below(&batch->chance, 1000000));
    json_t *values = row_of(batch, "title", title);
    json_object_set_new(values, "team", json_string(team));
    json_object_set_new(values, "archived", json_integer(0));
    json_object_set_new(values, "rank", json_real((double)random_below(&batch->chance, 4000) / 4.0));
    batch_add(batch, CLIENT_PUT, "documents", id, values);
}

static void add_team(struct batch *batch) {
    char id[37], name[64];
    random_uuid(&batch->ids, id);
    snprintf(name, sizeof name, "team %llu", (unsigned long long)random_below(&batch->chance, 1000000));
    batch_add(batch, CLIENT_PUT, "teams", id, row_of(batch, "name", name));
    add_member(batch, id, client_user(batch->client));
    for (int64_t i = 2; i < batch->rows; i++)
        add_document(batch, id);
}

static void add_documents(struct batch *batch) {
    char team[BATCH_ID_SIZE];
    if (!batch_pick(batch, "teams", "1", team)) {
        add_team(batch);
        return;
    }
    for (int64_t i = 0; i < batch->rows; i++)
        add_document(batch, team);
}

/* Up to batch->rows neighbours in the order of ids. */
static void for_some_documents(struct batch *batch, const char *condition,
                               void (*change)(struct batch *, const char *id, const char *argument),
                               const char *argument) {
    char *sql = memory_format("SELECT count(*) FROM documents WHERE %s", condition);
    const int64_t count = batch_query_integer(batch, sql);
    free(sql);
    if (count == 0)
        return;
    sql = memory_format("SELECT id FROM documents WHERE %s ORDER BY id LIMIT %lld OFFSET %lld", condition,
                        (long long)batch->rows, (long long)random_below(&batch->chance, (uint64_t)count));
    sqlite3_stmt *statement = batch_query(batch, sql);
    free(sql);
    while (batch->count < BATCH_ROWS_MOST && sqlite3_step(statement) == SQLITE_ROW)
        change(batch, (const char *)sqlite3_column_text(statement, 0), argument);
    sqlite3_finalize(statement);
}

static void edit_document(struct batch *batch, const char *id, const char *unused) {
    char title[64];
    (void)unused;
    snprintf(title, sizeof title, "changed %llu", (unsigned long long)random_below(&batch->chance, 1000000));
    json_t *values = json_object();
    json_object_set_new(values, "title", json_string(title));
    json_object_set_new(values, "archived", json_integer(random_chance(&batch->chance, 1, 4)));
    batch_add(batch, CLIENT_PATCH, "documents", id, values);
}

static void move_document(struct batch *batch, const char *id, const char *team) {
    json_t *values = json_object();
    json_object_set_new(values, "team", json_string(team));
    batch_add(batch, CLIENT_PATCH, "documents", id, values);
}

static void delete_document(struct batch *batch, const char *id, const char *unused) {
    (void)unused;
    batch_add(batch, CLIENT_DELETE, "documents", id, NULL);
}

static void invite(struct batch *batch) {
    char team[BATCH_ID_SIZE];
    if (!batch_pick(batch, "teams", "1", team))
        return;
    const char *user = batch->users[random_below(&batch->chance, batch->n_users)];
    char *sql = sqlite3_mprintf("SELECT count(*) FROM members WHERE team = %Q AND user_id = %Q", team, user);
    if (batch_query_integer(batch, sql) == 0) /* as far as this device knows */
        add_member(batch, team, user);
    sqlite3_free(sql);
}

/* Somebody leaves, or is sent away: perhaps oneself. A team without members is nobody's. */
static void expel(struct batch *batch) {
    char member[BATCH_ID_SIZE];
    if (batch_pick(batch, "members", "1", member))
        batch_add(batch, CLIENT_DELETE, "members", member, NULL);
}

static void move(struct batch *batch) {
    char from[BATCH_ID_SIZE], to[BATCH_ID_SIZE];
    if (!batch_pick(batch, "teams", "1", from) || !batch_pick(batch, "teams", "1", to) || !strcmp(from, to))
        return;
    char *condition = sqlite3_mprintf("team = %Q", from);
    for_some_documents(batch, condition, move_document, to);
    sqlite3_free(condition);
}

static void edit(struct batch *batch) {
    for_some_documents(batch, "1", edit_document, NULL);
}

static void delete (struct batch *batch) {
    for_some_documents(batch, "1", delete_document, NULL);
}

const struct app_action_kind teams_actions[] = {
    {"add-team", 2, add_team}, {"add-documents", 6, add_documents},
    {"edit", 6, edit},         {"invite", 4, invite},
    {"expel", 3, expel},       {"move", 3, move},
    {"delete", 2, delete},     {.name = NULL}};
