/* What the app's users do, on a real client that never connects: all of it is local. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/memory.h"
#include "client/core_library.h"
#include "net/net.h"

static struct core_library *core;

static int open_core(void **state) {
    (void)state;
    struct error error = {0};
    if (core_library_open(NULL, &core, &error) != STATUS_OK)
        fprintf(stderr, "%s\n", error.message);
    return core ? 0 : -1;
}

static int close_core(void **state) {
    (void)state;
    core_library_close(core);
    return 0;
}

static const char *const users[] = {"alice", "bob", "carol"};

struct device {
    struct world *world;
    struct net *net;
    struct disk_vfs *vfs;
    struct client_pool *pool;
    struct client *client;
    size_t writes;
    size_t last_rows;
    struct buffer log; /* every row of every local write */
};

static void on_note(void *context, int64_t now, const char *node, const struct note *note) {
    struct device *device = context;
    (void)now;
    (void)node;
    if (note->kind != NOTE_LOCAL_WRITE)
        return;
    device->writes++;
    device->last_rows = note->n_rows;
    assert_in_range(note->n_rows, 1, 20);
    for (size_t i = 0; i < note->n_rows; i++) {
        const struct note_row *row = &note->rows[i];
        buffer_printf(&device->log, "%s %s %s %s\n", row->operation, row->table, row->id,
                      row->values ? row->values : "");
        for (size_t j = 0; j < i; j++) /* a transaction touches a row once */
            assert_string_not_equal(note->rows[j].id, row->id);
    }
}

static int set_up(void **state) {
    struct device *device = memory_allocate(sizeof *device);
    struct error error = {0};
    device->world = world_create(&(struct world_settings){.seed = 9, .max_events = 1000000});
    const struct world_observer observer = {.note = on_note, .context = device};
    world_observe(device->world, &observer);
    device->net = net_create(device->world, &(struct net_settings){.latency = TIME_MILLISECOND});
    device->vfs = disk_vfs_open(device->world);
    const struct client_settings settings = {.user = "alice",
                                             .service = "powersync",
                                             .backend = "convex",
                                             .issuer = "issuer",
                                             .upload = &upload_convex_mutation,
                                             .upload_throttle = TIME_SECOND,
                                             .retry_delay = 5 * TIME_SECOND};
    if (client_pool_create(core, device->vfs, app_find("todo")->schema, &device->pool, &error) != STATUS_OK ||
        client_create(device->pool, net_node(device->net, "alice-1"), &settings, &device->client, &error) !=
            STATUS_OK)
        fail_msg("%s", error.message);
    *state = device;
    return 0;
}

static int tear_down(void **state) {
    struct device *device = *state;
    client_destroy(device->client);
    client_pool_destroy(device->pool);
    net_destroy(device->net);
    disk_vfs_close(device->vfs);
    world_destroy(device->world);
    buffer_free(&device->log);
    free(device);
    return 0;
}

static void act(struct device *device, const char *kind, int64_t rows, uint64_t choice) {
    const struct app_action action = {.kind = kind, .rows = rows, .choice = choice, .step = "s"};
    struct error error = {0};
    if (app_act(app_find("todo"), device->client, &action, users, 3, &error) != STATUS_OK)
        fail_msg("%s: %s", kind, error.message);
}

static int64_t number(struct device *device, const char *sql) {
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(client_database(device->client), sql, -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static void test_nothing_to_act_on(void **state) {
    struct device *device = *state;
    static const char *const kinds[] = {"edit", "complete", "share-list", "delete", "mixed"};
    for (size_t i = 0; i < 5; i++)
        act(device, kinds[i], 3, i);
    assert_int_equal(device->writes, 0);
    act(device, "add-todos", 3, 1); /* without a list it makes one */
    assert_int_equal(device->writes, 1);
    assert_int_equal(number(device, "SELECT count(*) FROM lists"), 1);
    struct error error = {0};
    const struct app_action unknown = {.kind = "sing", .rows = 1};
    assert_int_equal(app_act(app_find("todo"), device->client, &unknown, users, 3, &error), STATUS_INVALID);
}

static void test_each_action(void **state) {
    struct device *device = *state;
    act(device, "add-list", 6, 1);
    assert_int_equal(device->last_rows, 6);
    assert_int_equal(
        number(device, "SELECT count(*) FROM lists WHERE owner_id = 'alice' AND shared_with IS NULL"), 1);
    assert_int_equal(number(device, "SELECT count(*) FROM todos WHERE completed = 0 AND owner_id = 'alice'"),
                     5);
    assert_int_equal(
        number(device, "SELECT count(*) FROM todos WHERE created_at LIKE '2026-01-01T00:00:00%Z'"), 5);
    act(device, "add-todos", 3, 2);
    assert_int_equal(number(device, "SELECT count(*) FROM todos"), 8);
    assert_int_equal(number(device, "SELECT count(DISTINCT list_uuid) FROM todos"), 1);
    act(device, "complete", 20, 0);
    assert_int_equal(number(device, "SELECT count(*) FROM todos WHERE completed = 1"), device->last_rows);
    act(device, "edit", 1, 4);
    assert_int_equal(device->last_rows, 1);
    assert_int_equal(number(device, "SELECT count(*) FROM todos WHERE description LIKE 'changed %'"), 1);
    act(device, "share-list", 1, 5);
    assert_int_equal(device->last_rows, 9); /* the list and all its to-dos */
    assert_int_equal(number(device, "SELECT count(DISTINCT shared_with) FROM (SELECT shared_with FROM todos "
                                    "UNION ALL SELECT shared_with FROM lists)"),
                     1);
    assert_int_equal(number(device, "SELECT count(*) FROM todos WHERE shared_with IN ('bob', 'carol')"), 8);
    act(device, "add-todos", 1, 6); /* what is added to a shared list is shared */
    assert_int_equal(number(device, "SELECT count(*) FROM todos WHERE shared_with IN ('bob', 'carol')"), 9);
}

/* A long random life: every transaction stays within 1..20 rows, lists within 19 to-dos, all kinds do
 * something. */
static void live(struct device *device, uint64_t first, size_t n_actions) {
    const struct app *app = app_find("todo");
    size_t n_kinds = 0;
    while (app->actions[n_kinds].name)
        n_kinds++;
    for (uint64_t i = 0; i < n_actions; i++)
        act(device, app->actions[(i * 7 + i / 5) % n_kinds].name, (int64_t)(1 + i % 20), first + i);
}

static void test_random_life(void **state) {
    struct device *device = *state;
    live(device, 1000, 400);
    assert_true(device->writes > 300);
    assert_true(
        number(device,
               "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM todos GROUP BY list_uuid)") <= 19);
    assert_true(number(device, "SELECT count(*) FROM todos") > 0);
    /* A to-do is always shared like its list. */
    assert_int_equal(
        number(device,
               "SELECT count(*) FROM todos JOIN lists ON todos.list_uuid = lists.id "
               "WHERE todos.shared_with IS NOT lists.shared_with OR todos.owner_id <> lists.owner_id"),
        0);
    static const char *const wanted[] = {"PUT lists",   "PUT todos",    "PATCH lists",
                                         "PATCH todos", "DELETE lists", "DELETE todos"};
    for (size_t i = 0; i < 6; i++)
        if (!strstr(buffer_text(&device->log), wanted[i]))
            fail_msg("no %s in 400 actions", wanted[i]);
}

static void test_same_choices_same_writes(void **state) {
    struct device *device = *state;
    live(device, 50, 60);
    void *second = NULL;
    char *first = memory_copy_text(buffer_text(&device->log));
    assert_int_equal(tear_down(state), 0); /* one world at a time */
    assert_int_equal(set_up(&second), 0);
    live(second, 50, 60);
    assert_string_equal(first, buffer_text(&((struct device *)second)->log));
    free(first);
    *state = second;
}

/* Row 222: a row without an id is refused, with all of its transaction, by core and model alike. */
static void test_without_id(void **state) {
    struct device *device = *state;
    const struct client_settings settings = {.user = "alice",
                                             .service = "powersync",
                                             .backend = "convex",
                                             .issuer = "issuer",
                                             .upload = &upload_convex_mutation};
    struct client_pool *pool;
    struct client *client;
    struct error error = {0};
    json_t *values = json_pack("{s:s}", "name", "home");
    const struct client_operation operations[] = {{CLIENT_PUT, "lists", "l1", values},
                                                  {CLIENT_PUT, "lists", NULL, values}};
    const struct client_operation change = {CLIENT_PATCH, "lists", NULL, values};
    assert_int_equal(client_pool_create_for(CLIENT_ENGINE_BOTH, core, device->vfs, app_find("todo")->schema,
                                            &pool, &error),
                     STATUS_OK);
    assert_int_equal(client_create(pool, net_node(device->net, "alice-2"), &settings, &client, &error),
                     STATUS_OK);
    assert_int_equal(client_write(client, operations, 2, NULL, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "id is required"));
    assert_int_equal(client_write(client, &change, 1, NULL, &error), STATUS_OK); /* meets no row */
    assert_int_equal(device->writes, 0);
    assert_int_equal(client_write(client, operations, 1, NULL, &error), STATUS_OK);
    assert_int_equal(device->writes, 1);
    assert_null(client_engine_difference(client));
    client_destroy(client);
    client_pool_destroy(pool);
    json_decref(values);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(test_nothing_to_act_on), TEST(test_each_action),
                                       TEST(test_random_life), TEST(test_same_choices_same_writes),
                                       TEST(test_without_id)};
    return cmocka_run_group_tests(tests, open_core, close_core);
}
