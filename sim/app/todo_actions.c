/* What the users of the to-do app do. Every action is one local transaction of 1..TODO_ROWS_MOST rows. It
 * reads the views through the app's connection (always ORDER BY id: nothing may depend on how SQLite happens
 * to walk a table), decides by the action's own random numbers only, and writes through client_write. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/batch.h"
#include "app/todo.h"
#include "base/memory.h"
#include "base/random.h"

enum { TEXT_MOST = 64 };
static_assert((int)TODO_ROWS_MOST <= (int)BATCH_ROWS_MOST, "a transaction of the app fits into a batch");

struct list_row {
    char id[64];
    char owner[TEXT_MOST];
    char shared_with[TEXT_MOST]; /* "" when not shared */
    int64_t todos;               /* how many of its todos this client sees */
};

static json_t *text_or_null(const char *text) {
    return *text ? json_string(text) : json_null();
}

/* A list by its place in the order of ids; false when there are none. `condition` is SQL. */
static bool pick_list(struct batch *batch, const char *condition, struct list_row *list) {
    char *count_sql = memory_format("SELECT count(*) FROM lists WHERE %s", condition);
    int64_t lists = batch_query_integer(batch, count_sql);
    free(count_sql);
    if (lists == 0)
        return false;
    char *sql = memory_format("SELECT id, owner_id, shared_with, "
                              "(SELECT count(*) FROM todos WHERE list_uuid = lists.id) "
                              "FROM lists WHERE %s ORDER BY id LIMIT 1 OFFSET %lld",
                              condition, (long long)random_below(&batch->chance, (uint64_t)lists));
    sqlite3_stmt *statement = batch_query(batch, sql);
    free(sql);
    bool found = sqlite3_step(statement) == SQLITE_ROW;
    if (found) {
        batch_copy_text(list->id, sizeof list->id, sqlite3_column_text(statement, 0));
        batch_copy_text(list->owner, sizeof list->owner, sqlite3_column_text(statement, 1));
        batch_copy_text(list->shared_with, sizeof list->shared_with, sqlite3_column_text(statement, 2));
        list->todos = sqlite3_column_int64(statement, 3);
    }
    sqlite3_finalize(statement);
    return found;
}

static void add_todo(struct batch *batch, const struct list_row *list) {
    char id[37];
    random_uuid(&batch->ids, id);
    static const char *const verbs[] = {"buy", "call", "mend", "read", "send", "water"};
    static const char *const things[] = {"bread",   "the plants", "Ma\xc5\x82gosia", "the \"blue\" book",
                                         "tickets", "a bicycle"};
    char description[96];
    /* One draw a statement: C leaves open in which order arguments are evaluated. */
    const char *verb = verbs[random_below(&batch->chance, 6)];
    const char *thing = things[random_below(&batch->chance, 6)];
    snprintf(description, sizeof description, "%s %s", verb, thing);
    json_t *values = json_object();
    json_object_set_new(values, "list_uuid", json_string(list->id));
    json_object_set_new(values, "description", json_string(description));
    json_object_set_new(values, "completed", json_integer(0));
    json_object_set_new(values, "rank", json_real((double)random_below(&batch->chance, 4000) / 4.0));
    /* A todo belongs to whoever owns its list, whoever adds it: both people keep seeing the whole list. */
    json_object_set_new(values, "owner_id", json_string(list->owner));
    json_object_set_new(values, "shared_with", text_or_null(list->shared_with));
    json_object_set_new(values, "created_at", json_string(batch->created_at));
    batch_add(batch, CLIENT_PUT, "todos", id, values);
}

static void add_list(struct batch *batch) {
    struct list_row list = {0};
    random_uuid(&batch->ids, list.id);
    snprintf(list.owner, sizeof list.owner, "%s", client_user(batch->client));
    char name[64];
    snprintf(name, sizeof name, "list %llu", (unsigned long long)random_below(&batch->chance, 1000000));
    json_t *values = json_object();
    json_object_set_new(values, "name", json_string(name));
    json_object_set_new(values, "owner_id", json_string(list.owner));
    json_object_set_new(values, "shared_with", json_null());
    json_object_set_new(values, "created_at", json_string(batch->created_at));
    batch_add(batch, CLIENT_PUT, "lists", list.id, values);
    for (int64_t i = 1; i < batch->rows; i++)
        add_todo(batch, &list);
}

static void add_todos(struct batch *batch) {
    struct list_row list;
    int64_t room = 0;
    if (pick_list(batch, "1", &list))
        room = TODO_ROWS_MOST - 1 - list.todos;
    if (room <= 0) {
        add_list(batch);
        return;
    }
    for (int64_t i = 0; i < batch->rows && i < room; i++)
        add_todo(batch, &list);
}

/* Up to `rows` neighbours in the order of ids, from a random place; calls `change` for each. */
static void for_some_todos(struct batch *batch, int64_t rows,
                           void (*change)(struct batch *, const char *id, int64_t completed)) {
    int64_t todos = batch_query_integer(batch, "SELECT count(*) FROM todos");
    if (todos == 0)
        return;
    char sql[160];
    snprintf(sql, sizeof sql, "SELECT id, completed FROM todos ORDER BY id LIMIT %lld OFFSET %lld",
             (long long)rows, (long long)random_below(&batch->chance, (uint64_t)todos));
    sqlite3_stmt *statement = batch_query(batch, sql);
    while (batch->count < TODO_ROWS_MOST && sqlite3_step(statement) == SQLITE_ROW)
        change(batch, (const char *)sqlite3_column_text(statement, 0), sqlite3_column_int64(statement, 1));
    sqlite3_finalize(statement);
}

static void edit_todo(struct batch *batch, const char *id, int64_t completed) {
    (void)completed;
    char description[64];
    snprintf(description, sizeof description, "changed %llu",
             (unsigned long long)random_below(&batch->chance, 1000000));
    json_t *values = json_object();
    json_object_set_new(values, "description", json_string(description));
    if (random_chance(&batch->chance, 1, 3))
        json_object_set_new(values, "rank", json_real((double)random_below(&batch->chance, 4000) / 4.0));
    batch_add(batch, CLIENT_PATCH, "todos", id, values);
}

static void complete_todo(struct batch *batch, const char *id, int64_t completed) {
    json_t *values = json_object();
    json_object_set_new(values, "completed", json_integer(!completed));
    batch_add(batch, CLIENT_PATCH, "todos", id, values);
}

static void delete_todo(struct batch *batch, const char *id, int64_t completed) {
    (void)completed;
    batch_add(batch, CLIENT_DELETE, "todos", id, NULL);
}

static void for_all_todos_of(struct batch *batch, const char *list,
                             void (*change)(struct batch *, const char *id, const char *argument),
                             const char *argument) {
    sqlite3_stmt *statement = batch_query(batch, "SELECT id FROM todos WHERE list_uuid = ?1 ORDER BY id");
    sqlite3_bind_text(statement, 1, list, -1, SQLITE_TRANSIENT);
    while (batch->count < TODO_ROWS_MOST && sqlite3_step(statement) == SQLITE_ROW)
        change(batch, (const char *)sqlite3_column_text(statement, 0), argument);
    sqlite3_finalize(statement);
}

static json_t *sharing(const char *with) {
    json_t *values = json_object();
    json_object_set_new(values, "shared_with", text_or_null(with));
    return values;
}

static void share_todo(struct batch *batch, const char *id, const char *with) {
    batch_add(batch, CLIENT_PATCH, "todos", id, sharing(with));
}

static void drop_todo(struct batch *batch, const char *id, const char *argument) {
    (void)argument;
    batch_add(batch, CLIENT_DELETE, "todos", id, NULL);
}

/* Somebody else, or nobody: sharing is taken back as well. */
static const char *pick_other_user(struct batch *batch, const char *now) {
    const char *me = client_user(batch->client), *const *users = batch->users;
    const size_t n_users = batch->n_users;
    if (n_users < 2 || (*now && random_chance(&batch->chance, 1, 3)))
        return "";
    size_t i = (size_t)random_below(&batch->chance, n_users);
    for (size_t tried = 0; tried < n_users; tried++, i = (i + 1) % n_users)
        if (strcmp(users[i], me) != 0 && strcmp(users[i], now) != 0)
            return users[i];
    return "";
}

/* The list and all its todos change hands in one transaction: seeing only a part of them is what
 * atomic-visibility forbids. Only the owner shares. */
static void share_list(struct batch *batch) {
    struct list_row list;
    char *mine = sqlite3_mprintf("owner_id = %Q", client_user(batch->client));
    bool found = pick_list(batch, mine, &list);
    sqlite3_free(mine);
    if (!found || list.todos >= TODO_ROWS_MOST)
        return;
    const char *with = pick_other_user(batch, list.shared_with);
    batch_add(batch, CLIENT_PATCH, "lists", list.id, sharing(with));
    for_all_todos_of(batch, list.id, share_todo, with);
}

static void delete_some(struct batch *batch) {
    struct list_row list;
    bool whole_list = random_chance(&batch->chance, 1, 4);
    if (whole_list && pick_list(batch, "1", &list) && list.todos < TODO_ROWS_MOST) {
        batch_add(batch, CLIENT_DELETE, "lists", list.id, NULL);
        for_all_todos_of(batch, list.id, drop_todo, NULL);
        return;
    }
    for_some_todos(batch, batch->rows, delete_todo);
}

/* PUT, PATCH and DELETE in one transaction, on distinct rows: neighbours in the order of ids take turns. */
static void mix_todo(struct batch *batch, const char *id, int64_t completed) {
    switch (batch->count % 3) {
    case 0:
        edit_todo(batch, id, completed);
        break;
    case 1:
        complete_todo(batch, id, completed);
        break;
    default:
        delete_todo(batch, id, completed);
        break;
    }
}

static void mix(struct batch *batch) {
    struct list_row list;
    int64_t added = (batch->rows + 2) / 3;
    for_some_todos(batch, batch->rows - added, mix_todo);
    if (pick_list(batch, "1", &list))
        for (int64_t i = 0; i < added && list.todos + i < TODO_ROWS_MOST - 1; i++)
            add_todo(batch, &list);
}

static void edit_some(struct batch *batch) {
    for_some_todos(batch, batch->rows, edit_todo);
}

static void complete_some(struct batch *batch) {
    for_some_todos(batch, batch->rows, complete_todo);
}

const struct app_action_kind todo_actions[] = {{"add-list", 2, add_list},
                                               {"add-todos", 6, add_todos},
                                               {"edit", 6, edit_some},
                                               {"complete", 6, complete_some},
                                               {"share-list", 2, share_list},
                                               {"delete", 3, delete_some},
                                               {"mixed", 4, mix},
                                               {.name = NULL}};
