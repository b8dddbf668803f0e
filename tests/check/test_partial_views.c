/* Views up to a priority: whole by themselves, at one commit, never behind what was shown; rows that are gone
 * may stay until the whole checkpoint. */
#include "check/history_fixture.h"

#include "check/view_model.h"

static const char config[] =
    "config: {edition: 3}\n"
    "streams:\n"
    "  lists: {auto_subscribe: true, priority: 1, query: 'SELECT *, uuid AS id FROM lists'}\n"
    "  todos: {auto_subscribe: true, query: 'SELECT *, uuid AS id FROM todos'}\n";

static const struct client_column name_column[] = {{"name", "text"}};
static const struct client_table tables[] = {{"lists", name_column, 1}, {"todos", name_column, 1}};
static const struct client_schema schema = {tables, 2};

static struct fixture open_fixture(void) {
    struct fixture fixture = {.history = history_create(), .timestamp = TIME_WALL_START};
    const struct check_settings settings = {.schema = &schema,
                                            .sync_config = config,
                                            .clients = fixture_clients,
                                            .users = fixture_users,
                                            .n_clients = 3};
    struct error error;
    if (checker_create(fixture.history, NULL, &settings, &fixture.checker, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return fixture;
}

/* A document of the next commit; `name` NULL: deleted. */
static void document(struct fixture *fixture, const char *table, const char *uuid, const char *name) {
    const char *json =
        name == NULL ? NULL
                     : arena_format(&fixture->arena, "{\"_id\":\"d-%s\",\"uuid\":\"%s\",\"name\":\"%s\"}",
                                    uuid, uuid, name);
    fixture_row(fixture, NULL, table, arena_format(&fixture->arena, "d-%s", uuid), json);
}

/* A row of the next view. */
static void row(struct fixture *fixture, const char *table, const char *uuid, const char *name) {
    fixture_row(fixture, NULL, table, uuid,
                name == NULL ? NULL : arena_format(&fixture->arena, "[\"%s\"]", name));
}

static void partial(struct fixture *fixture) {
    fixture_add(fixture, "alice-1", (struct note){.kind = NOTE_VIEW, .text = "partial", .transaction = 1});
}

static void whole(struct fixture *fixture) {
    fixture_add(fixture, "alice-1", (struct note){.kind = NOTE_VIEW, .text = "checkpoint"});
}

/* Two lists and a todo, and alice-1 shows them. */
static void begin(struct fixture *fixture) {
    document(fixture, "lists", "l1", "one");
    document(fixture, "lists", "l2", "two");
    document(fixture, "todos", "t1", "first");
    fixture_commit(fixture);
    row(fixture, "lists", "l1", "one");
    row(fixture, "lists", "l2", "two");
    partial(fixture);
    row(fixture, "todos", "t1", "first");
    whole(fixture);
}

static void expect(struct fixture *fixture, const char *property) {
    const struct violation *const *violations;
    const size_t count = checker_violations(fixture->checker, &violations);
    if (count > 0 && property == NULL)
        fail_msg("%s: %s", violations[0]->property, violations[0]->explanation);
    assert_int_equal(count, property != NULL);
    if (property != NULL)
        assert_string_equal(violations[0]->property, property);
    fixture_close(fixture);
}

static void test_ahead_of_the_rest(void **state) {
    (void)state;
    struct fixture fixture = open_fixture();
    begin(&fixture);
    document(&fixture, "lists", "l1", "uno");
    document(&fixture, "todos", "t1", "primo");
    fixture_commit(&fixture);
    row(&fixture, "lists", "l1", "uno");
    partial(&fixture); /* the todo follows */
    row(&fixture, "todos", "t1", "primo");
    whole(&fixture);
    expect(&fixture, NULL);
}

static void test_gone_later(void **state) {
    (void)state;
    struct fixture fixture = open_fixture();
    begin(&fixture);
    document(&fixture, "lists", "l1", NULL);
    document(&fixture, "lists", "l2", "due");
    fixture_commit(&fixture);
    row(&fixture, "lists", "l2", "due");
    partial(&fixture);
    row(&fixture, "lists", "l1", NULL);
    whole(&fixture);
    expect(&fixture, NULL);
}

static void test_part_of_a_commit(void **state) {
    (void)state;
    struct fixture fixture = open_fixture();
    begin(&fixture);
    document(&fixture, "lists", "l1", "uno");
    document(&fixture, "lists", "l2", "due");
    fixture_commit(&fixture);
    row(&fixture, "lists", "l1", "uno");
    partial(&fixture);
    expect(&fixture, "prefix-consistency");
}

static void test_row_from_nowhere(void **state) {
    (void)state;
    struct fixture fixture = open_fixture();
    begin(&fixture);
    row(&fixture, "lists", "l9", "who?");
    partial(&fixture);
    expect(&fixture, "prefix-consistency");
}

static void test_gone_row_changes(void **state) {
    (void)state;
    struct fixture fixture = open_fixture();
    begin(&fixture);
    document(&fixture, "lists", "l1", "uno");
    fixture_commit(&fixture);
    row(&fixture, "lists", "l1", "uno");
    whole(&fixture);
    document(&fixture, "lists", "l1", NULL);
    fixture_commit(&fixture);
    document(&fixture, "lists", "l2", "due");
    fixture_commit(&fixture);
    row(&fixture, "lists", "l1", "one"); /* it may stay, but not become what it was */
    row(&fixture, "lists", "l2", "due");
    partial(&fixture);
    expect(&fixture, "prefix-consistency");
}

static void test_going_back(void **state) {
    (void)state;
    struct fixture fixture = open_fixture();
    begin(&fixture);
    document(&fixture, "lists", "l1", "uno");
    fixture_commit(&fixture);
    row(&fixture, "lists", "l1", "uno");
    partial(&fixture);
    row(&fixture, "lists", "l1", "one");
    partial(&fixture);
    expect(&fixture, "monotonic-reads");
}

static void test_whole_behind_partial(void **state) {
    (void)state;
    struct fixture fixture = open_fixture();
    begin(&fixture);
    document(&fixture, "lists", "l1", "uno");
    fixture_commit(&fixture);
    row(&fixture, "lists", "l1", "uno");
    partial(&fixture);
    row(&fixture, "lists", "l1", "one");
    whole(&fixture);
    expect(&fixture, "monotonic-reads");
}

static void test_priorities_are_by_table(void **state) {
    (void)state;
    static const char mixed[] =
        "streams:\n"
        "  a: {auto_subscribe: true, priority: 1, query: 'SELECT *, uuid AS id FROM lists'}\n"
        "  b: {auto_subscribe: true, query: 'SELECT *, uuid AS id FROM lists'}\n";
    struct oracle *oracle;
    struct error error = {0};
    assert_int_equal(oracle_create(mixed, &schema, fixture_users, NULL, 1, &oracle, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "by table"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ahead_of_the_rest),    cmocka_unit_test(test_gone_later),
        cmocka_unit_test(test_part_of_a_commit),     cmocka_unit_test(test_row_from_nowhere),
        cmocka_unit_test(test_gone_row_changes),     cmocka_unit_test(test_going_back),
        cmocka_unit_test(test_whole_behind_partial), cmocka_unit_test(test_priorities_are_by_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
