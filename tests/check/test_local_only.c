/* Devices with two versions of an app, and tables of their own: the property local-only, and what views must
 * be after a change of the schema. Version 1 lacks the column `completed` and the table `tags`. */
#include "history_fixture.h"

static const char config[] = "config:\n"
                             "  edition: 3\n"
                             "streams:\n"
                             "  todos:\n"
                             "    auto_subscribe: true\n"
                             "    query: SELECT *, uuid AS id FROM todos\n"
                             "  tags:\n"
                             "    auto_subscribe: true\n"
                             "    query: SELECT *, uuid AS id FROM tags\n";

static const struct client_column new_columns[] = {{"description", "text"}, {"completed", "integer"}};
static const struct client_column tag_columns[] = {{"label", "text"}};
static const struct client_table new_tables[] = {
    {.name = "todos", .columns = new_columns, .n_columns = 2},
    {.name = "tags", .columns = tag_columns, .n_columns = 1},
    {.name = "prefs", .columns = tag_columns, .n_columns = 1, .local_only = true}};
static const struct client_table old_tables[] = {
    {.name = "todos", .columns = new_columns, .n_columns = 1},
    {.name = "prefs", .columns = tag_columns, .n_columns = 1, .local_only = true}};
static const struct client_schema new_schema = {new_tables, 3, 2};
static const struct client_schema old_schema = {old_tables, 2, 1};
static const struct client_schema *const versions[] = {&old_schema};
static const struct client_schema *const begins[] = {&old_schema, &new_schema, &new_schema};

static struct fixture open_versions(void) {
    struct fixture fixture = {.history = history_create(), .timestamp = TIME_WALL_START};
    const struct check_settings settings = {.schema = &new_schema,
                                            .versions = versions,
                                            .n_versions = 1,
                                            .begins = begins,
                                            .sync_config = config,
                                            .clients = fixture_clients,
                                            .users = fixture_users,
                                            .n_clients = 3};
    struct error error;
    if (checker_create(fixture.history, NULL, &settings, &fixture.checker, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return fixture;
}

/* A todo and a tag, in one commit. */
static void commit_rows(struct fixture *fixture) {
    fixture_row(fixture, NULL, "todos", "d1",
                "{\"_id\":\"d1\",\"uuid\":\"t1\",\"description\":\"milk\",\"completed\":true}");
    fixture_row(fixture, NULL, "tags", "d2", "{\"_id\":\"d2\",\"uuid\":\"g1\",\"label\":\"food\"}");
    fixture_commit(fixture);
}

static uint64_t view(struct fixture *fixture, const char *client, const char *cause, int64_t version,
                     int64_t timestamp) {
    return fixture_add(
        fixture, client,
        (struct note){.kind = NOTE_VIEW, .text = cause, .transaction = version, .timestamp = timestamp});
}

static void write_pref(struct fixture *fixture, const char *client, int64_t transaction, const char *value,
                       const char *text) {
    fixture_row(fixture, "PUT", "prefs", "theme", value);
    fixture_add(fixture, client, (struct note){.kind = NOTE_LOCAL_WRITE, .transaction = transaction});
    fixture_row(fixture, NULL, "prefs", "theme", text);
    view(fixture, client, "write", 0, 0);
}

static void assert_found(struct fixture *fixture, const char *property, const char *table, const char *row) {
    const struct violation *const *violations;
    assert_int_equal(checker_violations(fixture->checker, &violations), 1);
    assert_string_equal(violations[0]->property, property);
    assert_string_equal(violations[0]->client, "alice-1");
    assert_string_equal(violations[0]->table, table);
    assert_string_equal(violations[0]->row, row);
    fixture_close(fixture);
}

static void assert_nothing_found(struct fixture *fixture) {
    const struct violation *const *violations;
    if (checker_violations(fixture->checker, &violations) > 0)
        fail_msg("%s: %s", violations[0]->property, violations[0]->explanation);
    fixture_close(fixture);
}

/* alice-1, with version 1, shows the todo without its second column and has a preference. */
static struct fixture open_with_old_app(void) {
    struct fixture fixture = open_versions();
    commit_rows(&fixture);
    fixture_row(&fixture, NULL, "todos", "t1", "[\"milk\"]");
    view(&fixture, "alice-1", "checkpoint", 0, 17);
    write_pref(&fixture, "alice-1", 0, "{\"label\":\"dark\"}", "[\"dark\"]");
    return fixture;
}

static void test_update_shows_the_same_commit(void **state) {
    struct fixture fixture = open_with_old_app();
    (void)state;
    fixture_row(&fixture, NULL, "todos", "t1", "[\"milk\",1]");
    fixture_row(&fixture, NULL, "tags", "g1", "[\"food\"]");
    fixture_row(&fixture, NULL, "prefs", "theme", "[\"dark\"]");
    view(&fixture, "alice-1", "schema", 2, 0);
    fixture_row(&fixture, NULL, "todos", "t1", "[\"milk\"]");
    fixture_row(&fixture, NULL, "prefs", "theme", "[\"dark\"]");
    view(&fixture, "alice-1", "schema", 1, 0);
    assert_nothing_found(&fixture);
}

static void test_update_loses_a_table(void **state) {
    struct fixture fixture = open_with_old_app();
    (void)state;
    fixture_row(&fixture, NULL, "todos", "t1", "[\"milk\",1]");
    fixture_row(&fixture, NULL, "prefs", "theme", "[\"dark\"]");
    view(&fixture, "alice-1", "schema", 2, 0);
    const struct violation *const *violations;
    assert_int_equal(checker_violations(fixture.checker, &violations), 1);
    assert_string_equal(violations[0]->table, "tags");
    fixture_close(&fixture);
}

static void test_update_loses_a_column(void **state) {
    struct fixture fixture = open_with_old_app();
    (void)state;
    fixture_row(&fixture, NULL, "todos", "t1", "[\"milk\",null]");
    fixture_row(&fixture, NULL, "tags", "g1", "[\"food\"]");
    fixture_row(&fixture, NULL, "prefs", "theme", "[\"dark\"]");
    view(&fixture, "alice-1", "schema", 2, 0);
    const struct violation *const *violations;
    assert_int_equal(checker_violations(fixture.checker, &violations), 1);
    assert_string_equal(violations[0]->row, "t1");
    fixture_close(&fixture);
}

/* With own writes above the checkpoint nobody knows what the new columns should say. */
static void test_update_over_own_writes(void **state) {
    struct fixture fixture = open_with_old_app();
    (void)state;
    fixture_row(&fixture, "PATCH", "todos", "t1", "{\"description\":\"oat\"}");
    fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_LOCAL_WRITE, .transaction = 1});
    fixture_row(&fixture, NULL, "todos", "t1", "[\"oat\"]");
    view(&fixture, "alice-1", "write", 0, 0);
    fixture_add(&fixture, "alice-1",
                (struct note){.kind = NOTE_UPLOAD_REJECTED, .transaction = 1, .text = "no"});
    fixture_row(&fixture, NULL, "todos", "t1", "[\"oat\",null]");
    fixture_row(&fixture, NULL, "tags", "g1", "[\"food\"]");
    fixture_row(&fixture, NULL, "prefs", "theme", "[\"dark\"]");
    view(&fixture, "alice-1", "schema", 2, 0);
    assert_nothing_found(&fixture);
}

static void test_update_takes_a_preference(void **state) {
    struct fixture fixture = open_with_old_app();
    (void)state;
    fixture_row(&fixture, NULL, "todos", "t1", "[\"milk\",1]");
    fixture_row(&fixture, NULL, "tags", "g1", "[\"food\"]");
    view(&fixture, "alice-1", "schema", 2, 0);
    assert_found(&fixture, "local-only", "prefs", "theme");
}

static void test_queued(void **state) {
    struct fixture fixture = open_with_old_app();
    (void)state;
    write_pref(&fixture, "alice-1", 1, "{\"label\":\"light\"}", "[\"light\"]");
    assert_found(&fixture, "local-only", "prefs", "theme");
}

static void test_changed_by_sync(void **state) {
    struct fixture fixture = open_with_old_app();
    (void)state;
    fixture_row(&fixture, NULL, "prefs", "theme", NULL);
    view(&fixture, "alice-1", "checkpoint", 0, 18);
    assert_found(&fixture, "local-only", "prefs", "theme");
}

static void test_cleared_though_kept(void **state) {
    struct fixture fixture = open_with_old_app();
    (void)state;
    view(&fixture, "alice-1", "clear", 0, 1);
    assert_found(&fixture, "local-only", "prefs", "theme");
}

static void test_kept_though_cleared(void **state) {
    struct fixture fixture = open_with_old_app();
    (void)state;
    fixture_row(&fixture, NULL, "prefs", "theme", "[\"dark\"]");
    view(&fixture, "alice-1", "clear", 0, 0);
    assert_found(&fixture, "local-only", "prefs", "theme");
}

static void test_cleared_as_asked(void **state) {
    struct fixture fixture = open_with_old_app();
    (void)state;
    fixture_row(&fixture, NULL, "prefs", "theme", "[\"dark\"]");
    view(&fixture, "alice-1", "clear", 0, 1);
    view(&fixture, "alice-1", "clear", 0, 0);
    assert_nothing_found(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_update_shows_the_same_commit),
                                       cmocka_unit_test(test_update_loses_a_table),
                                       cmocka_unit_test(test_update_loses_a_column),
                                       cmocka_unit_test(test_update_over_own_writes),
                                       cmocka_unit_test(test_update_takes_a_preference),
                                       cmocka_unit_test(test_queued),
                                       cmocka_unit_test(test_changed_by_sync),
                                       cmocka_unit_test(test_cleared_though_kept),
                                       cmocka_unit_test(test_kept_though_cleared),
                                       cmocka_unit_test(test_cleared_as_asked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
