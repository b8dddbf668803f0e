/* The oracle against plain loops: random histories of documents, and for every user and commit the rows that
 * the streams promise, worked out here without SQL. Rows move between users, are deleted and come back, are
 * reached by two streams, and hang on rows of another table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "check/oracle.h"
#include "check/row_set.h"
#include "kernel/time.h"

enum { N_USERS = 4, N_LISTS = 6, N_TODOS = 12, N_COMMITS = 24, N_HISTORIES = 300 };

static const char *const users[N_USERS] = {"ann", "ben", "cid", "O'Hara"};

static const struct client_column list_columns[] = {{"name", "text"}};
static const struct client_column todo_columns[] = {
    {"description", "text"}, {"completed", "integer"}, {"rank", "real"}, {"shared_with", "text"}};
static const struct client_table tables[] = {{"lists", list_columns, 1}, {"todos", todo_columns, 4}};
static const struct client_schema schema = {tables, 2};

struct list {
    bool exists;
    int owner;
    int name;
};

struct todo {
    bool exists;
    int owner;
    int shared; /* -1: nobody; may be the owner */
    int list;
    int description;
    bool completed;
};

struct model {
    struct list lists[N_LISTS];
    struct todo todos[N_TODOS];
};

/* Which streams are under test. */
struct form {
    const char *config;
    bool (*sees_list)(const struct model *model, int user, int list);
    bool (*sees_todo)(const struct model *model, int user, int todo);
};

static bool owns_list(const struct model *model, int user, int list) {
    return model->lists[list].owner == user;
}

static bool owns_or_shares_todo(const struct model *model, int user, int todo) {
    return model->todos[todo].owner == user || model->todos[todo].shared == user;
}

static bool todo_in_own_list(const struct model *model, int user, int todo) {
    const struct list *list = &model->lists[model->todos[todo].list];
    return list->exists && list->owner == user;
}

static bool everybody_list(const struct model *model, int user, int list) {
    (void)model;
    (void)user;
    (void)list;
    return true;
}

static bool open_or_own_todo(const struct model *model, int user, int todo) {
    return !model->todos[todo].completed || model->todos[todo].owner == user;
}

static const struct form one_table_form = {
    "streams:\n"
    "  own_lists: {auto_subscribe: true, query: 'SELECT *, uuid AS id FROM lists WHERE owner_id = "
    "auth.user_id()'}\n"
    "  own: {auto_subscribe: true, query: 'SELECT *, uuid AS id FROM todos WHERE owner_id = "
    "auth.user_id()'}\n"
    "  shared:\n"
    "    auto_subscribe: true\n"
    "    query: SELECT *, uuid AS id FROM convex.todos WHERE shared_with = AUTH . user_id ( )\n"
    "  not_for_all: {query: 'SELECT *, uuid AS id FROM todos'}\n",
    owns_list, owns_or_shares_todo};

static const struct form subquery_form = {
    "streams:\n"
    "  lists: {auto_subscribe: true, query: 'SELECT *, uuid AS id FROM lists WHERE owner_id = "
    "auth.user_id();'}\n"
    "  todos:\n"
    "    auto_subscribe: true\n"
    "    query: >\n"
    "      SELECT *, uuid AS id FROM todos\n"
    "      WHERE list_uuid IN (SELECT uuid FROM lists WHERE owner_id = auth.user_id())\n",
    owns_list, todo_in_own_list};

static const struct form join_form = {
    "with:\n"
    "  my_lists: SELECT uuid FROM lists WHERE owner_id = auth.user_id()\n"
    "streams:\n"
    "  lists: {auto_subscribe: true, query: 'SELECT *, uuid AS id FROM lists'}\n"
    "  todos:\n"
    "    auto_subscribe: true\n"
    "    query: SELECT todos.*, todos.uuid AS id FROM todos JOIN my_lists AS l ON l.uuid = todos.list_uuid\n",
    everybody_list, todo_in_own_list};

static const struct form filter_form = {
    "streams:\n"
    "  lists: {auto_subscribe: true, query: 'SELECT name, _id AS other, uuid AS id FROM lists'}\n"
    "  todos:\n"
    "    auto_subscribe: true\n"
    "    queries:\n"
    "      - SELECT *, uuid AS id FROM todos WHERE completed = 0 -- open ones\n"
    "      - SELECT *, uuid AS id FROM todos WHERE completed AND owner_id = auth.user_id() AND note <> "
    "'auth.user_id()'\n"
    "      - SELECT *, uuid AS id FROM todos WHERE completed = 1 AND (owner_id = auth.user_id() OR "
    "never_seen = 1)\n",
    everybody_list, open_or_own_todo};

/* --- the history --- */

struct scribe {
    struct history *history;
    struct oracle *oracle;
    struct arena arena;
    struct model model;
    struct random_stream random;
    struct note_row rows[N_LISTS + N_TODOS];
    size_t n_rows;
};

static int below(struct scribe *scribe, uint64_t bound) {
    return (int)random_below(&scribe->random, bound);
}

static void write_list(struct scribe *scribe, int at) {
    const struct list *list = &scribe->model.lists[at];
    const char *json =
        arena_format(&scribe->arena,
                     "{\"_creationTime\":1.5,\"_id\":\"L%d\",\"name\":\"list %d\",\"owner_id\":\"%s\","
                     "\"uuid\":\"list-%d\"}",
                     at, list->name, users[list->owner], at);
    scribe->rows[scribe->n_rows++] = (struct note_row){.table = "lists",
                                                       .id = arena_format(&scribe->arena, "L%d", at),
                                                       .values = list->exists ? json : NULL};
}

static void write_todo(struct scribe *scribe, int at) {
    const struct todo *todo = &scribe->model.todos[at];
    const char *shared =
        todo->shared < 0 ? "null" : arena_format(&scribe->arena, "\"%s\"", users[todo->shared]);
    const char *json = arena_format(&scribe->arena,
                                    "{\"_id\":\"T%d\",\"completed\":%s,\"description\":\"todo "
                                    "%d\",\"list_uuid\":\"list-%d\",\"owner_id\":\"%s\","
                                    "\"rank\":%d.5,\"shared_with\":%s,\"uuid\":\"todo-%d\"}",
                                    at, todo->completed ? "true" : "false", todo->description, todo->list,
                                    users[todo->owner], todo->description, shared, at);
    scribe->rows[scribe->n_rows++] = (struct note_row){.table = "todos",
                                                       .id = arena_format(&scribe->arena, "T%d", at),
                                                       .values = todo->exists ? json : NULL};
}

static void change_list(struct scribe *scribe, int at) {
    struct list *list = &scribe->model.lists[at];
    if (list->exists && below(scribe, 4) == 0)
        list->exists = false;
    else
        *list = (struct list){true, below(scribe, N_USERS), below(scribe, 5)};
    write_list(scribe, at);
}

static void change_todo(struct scribe *scribe, int at) {
    struct todo *todo = &scribe->model.todos[at];
    if (todo->exists && below(scribe, 4) == 0)
        todo->exists = false;
    else
        *todo = (struct todo){true,
                              below(scribe, N_USERS),
                              below(scribe, N_USERS + 1) - 1,
                              below(scribe, N_LISTS),
                              below(scribe, 3),
                              below(scribe, 2) == 0};
    write_todo(scribe, at);
}

/* Some documents, each at most once: a commit tells final states. */
static void commit_something(struct scribe *scribe, int64_t number) {
    scribe->n_rows = 0;
    for (int i = 0; i < N_LISTS; i++) {
        if (below(scribe, 5) == 0)
            change_list(scribe, i);
    }
    for (int i = 0; i < N_TODOS; i++) {
        if (below(scribe, 4) == 0)
            change_todo(scribe, i);
    }
    const struct note note = {.kind = NOTE_COMMIT,
                              .timestamp = TIME_WALL_START + number,
                              .rows = scribe->rows,
                              .n_rows = scribe->n_rows};
    oracle_record(scribe->oracle, history_add(scribe->history, number, "convex", &note));
}

/* --- plain loops --- */

static void expect_row(const struct oracle_user *user, const char *table, const char *id, const char *text,
                       struct hash128 *set) {
    const struct oracle_row *row = oracle_user_row(user, table, id);
    struct buffer scratch = {0};
    *set = hash128_add(*set, row_set_hash(&scratch, table, id, text));
    buffer_free(&scratch);
    if (text == NULL) {
        assert_true(row == NULL || row->text == NULL);
        return;
    }
    assert_non_null(row);
    assert_non_null(row->text);
    assert_string_equal(row->text, text);
}

static struct hash128 expect_rows(const struct scribe *scribe, const struct form *form, int user_index) {
    const struct model *model = &scribe->model;
    const struct oracle_user *user = oracle_user(scribe->oracle, users[user_index]);
    struct hash128 set = {0, 0};
    char id[32];
    char text[128];
    for (int i = 0; i < N_LISTS; i++) {
        const bool sees = model->lists[i].exists && form->sees_list(model, user_index, i);
        snprintf(id, sizeof id, "list-%d", i);
        snprintf(text, sizeof text, "[\"list %d\"]", model->lists[i].name);
        expect_row(user, "lists", id, sees ? text : NULL, &set);
    }
    for (int i = 0; i < N_TODOS; i++) {
        const struct todo *todo = &model->todos[i];
        const bool sees = todo->exists && form->sees_todo(model, user_index, i);
        const char *quote = todo->shared < 0 ? "" : "\"";
        snprintf(id, sizeof id, "todo-%d", i);
        snprintf(text, sizeof text, "[\"todo %d\",%d,%d.5,%s%s%s]", todo->description, todo->completed,
                 todo->description, quote, todo->shared < 0 ? "null" : users[todo->shared], quote);
        expect_row(user, "todos", id, sees ? text : NULL, &set);
    }
    return set;
}

static void expect_history(const struct scribe *scribe, struct hash128 sets[N_COMMITS + 1][N_USERS]) {
    for (int i = 0; i < N_USERS; i++) {
        const struct oracle_user *user = oracle_user(scribe->oracle, users[i]);
        for (size_t at = 0; at <= N_COMMITS; at++) {
            size_t commit = SIZE_MAX;
            assert_true(hash128_equal(user->versions[oracle_user_version(user, at)].set, sets[at][i]));
            assert_true(oracle_user_find(scribe->oracle, user, sets[at][i], at, &commit));
            assert_int_equal(commit, at);
            /* the earliest and the latest by plain search */
            size_t earliest = at;
            size_t latest = at;
            for (size_t j = 0; j <= N_COMMITS; j++) {
                if (!hash128_equal(sets[j][i], sets[at][i]))
                    continue;
                earliest = j < earliest ? j : earliest;
                latest = j > latest ? j : latest;
            }
            assert_true(oracle_user_find(scribe->oracle, user, sets[at][i], 0, &commit));
            assert_int_equal(commit, earliest);
            assert_true(oracle_user_find_latest(scribe->oracle, user, sets[at][i], &commit));
            assert_int_equal(commit, latest);
            if (latest < N_COMMITS)
                assert_false(oracle_user_find(scribe->oracle, user, sets[at][i], latest + 1, &commit));
        }
    }
}

static void run_history(const struct form *form, uint64_t seed) {
    struct scribe scribe = {.history = history_create(), .random = random_stream_make(seed, "oracle")};
    struct hash128 sets[N_COMMITS + 1][N_USERS] = {0};
    struct error error;
    if (oracle_create(form->config, &schema, users, NULL, N_USERS, &scribe.oracle, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    for (int64_t commit = 1; commit <= N_COMMITS; commit++) {
        commit_something(&scribe, commit);
        assert_int_equal(oracle_newest(scribe.oracle), commit);
        for (int i = 0; i < N_USERS; i++) {
            sets[commit][i] = expect_rows(&scribe, form, i);
            assert_true(
                hash128_equal(sets[commit][i], oracle_user_set(oracle_user(scribe.oracle, users[i]))));
        }
    }
    expect_history(&scribe, sets);
    oracle_destroy(scribe.oracle);
    history_destroy(scribe.history);
    arena_free(&scribe.arena);
}

static void run_histories(const struct form *form, uint64_t count) {
    for (uint64_t seed = 1; seed <= count; seed++)
        run_history(form, seed);
}

static void test_one_table_streams(void **state) {
    (void)state;
    run_histories(&one_table_form, N_HISTORIES);
}

static void test_subquery(void **state) {
    (void)state;
    run_histories(&subquery_form, N_HISTORIES / 3);
}

static void test_common_table_expression(void **state) {
    (void)state;
    run_histories(&join_form, N_HISTORIES / 3);
}

static void test_filters(void **state) {
    (void)state;
    run_histories(&filter_form, N_HISTORIES / 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_table_streams),
        cmocka_unit_test(test_subquery),
        cmocka_unit_test(test_common_table_expression),
        cmocka_unit_test(test_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
