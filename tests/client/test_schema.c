/* Options of tables, and other schemas with data there. Each test runs on core and model side by side; what
 * entries look like is in the fact sheet on clients, sections 5, 6 and 11. */
#include "fake_parties.h"

static const struct client_column columns[] = {{"name", "text"}, {"size", "integer"}};
static const struct client_column more_columns[] = {{"name", "text"}, {"size", "integer"}, {"note", "text"}};
static const char *const name_alone[] = {"name"};

#define TABLE(name_, ...)                                                                                    \
    { .name = name_, .columns = columns, .n_columns = 2, __VA_ARGS__ }

static const struct client_table new_tables[] = {
    TABLE("things", .include_metadata = true, .include_old = true),
    TABLE("tracked", .include_old = true, .old_only_when_changed = true, .old_columns = name_alone,
          .n_old_columns = 1),
    TABLE("quiet", .ignore_empty_update = true),
    TABLE("prefs", .local_only = true),
    TABLE("events", .insert_only = true),
    {.name = "moved", .columns = more_columns, .n_columns = 3}};
static const struct client_schema new_schema = {new_tables, 6, 2};
static const struct client_table old_tables[] = {TABLE("prefs", .local_only = true),
                                                 TABLE("moved", .local_only = true)};
static const struct client_schema old_schema = {old_tables, 2, 1};
static const struct client_table first_tables[] = {TABLE("moved", )};
static const struct client_schema first_schema = {first_tables, 1, 0};

struct rig {
    struct bench_world bench;
    struct engine *engine;
    struct engine_result result;
};

static struct rig open_rig(uint64_t seed, const struct client_schema *schema) {
    struct rig rig = {.bench = bench_open_for(CLIENT_ENGINE_BOTH, seed)};

    assert_int_equal(engine_create(rig.bench.pool, net_node(rig.bench.net, "alice-1"), &rig.engine, NULL),
                     STATUS_OK);
    assert_int_equal(rig.engine->operations->update_schema(rig.engine, schema, &rig.result, NULL), STATUS_OK);
    return rig;
}

static void close_rig(struct rig *rig) {
    if (engine_both_difference(rig->engine) != NULL)
        fail_msg("%s", engine_both_difference(rig->engine));
    engine_destroy(rig->engine);
    bench_close(&rig->bench);
}

static void change_schema(struct rig *rig, const struct client_schema *schema) {
    assert_int_equal(rig->engine->operations->update_schema(rig->engine, schema, &rig->result, NULL),
                     STATUS_OK);
}

static enum status write_row(struct rig *rig, enum client_operation_kind kind, const char *table,
                             const char *id, const char *values) {
    json_t *json = values == NULL ? NULL : json_parse(values, strlen(values), NULL);
    const struct client_operation operation = {kind, table, id, json};
    enum status status = rig->engine->operations->write(rig->engine, &operation, 1, &rig->result, NULL);

    json_decref(json);
    return status;
}

static void write_well(struct rig *rig, enum client_operation_kind kind, const char *table, const char *id,
                       const char *values) {
    assert_int_equal(write_row(rig, kind, table, id, values), STATUS_OK);
}

static void append_entry(void *context, int64_t transaction, const json_t *data) {
    (void)transaction;
    json_append_sorted(context, data);
    buffer_append_char(context, '\n');
}

/* The queue as sorted JSON, one entry a line. The engines are compared as uploads read it. */
static void assert_queue(struct rig *rig, const char *expected) {
    const struct engine_operations *operations = rig->engine->operations;
    struct engine_transaction transaction;
    struct buffer text = {0};

    for (int64_t after = 0;
         operations->next_transaction(rig->engine, after, &transaction, NULL) == STATUS_OK;) {
        after = transaction.last;
        engine_transaction_free(&transaction);
    }

    rig->engine->operations->queue_each(rig->engine, append_entry, &text);
    assert_string_equal(buffer_text(&text), expected);
    buffer_free(&text);
}

/* What a SELECT gives, as text; "-": no row. */
static void assert_shown(struct rig *rig, const char *sql, const char *expected) {
    sqlite3_stmt *statement = NULL;
    const char *seen = "-";

    assert_int_equal(
        sqlite3_prepare_v2(rig->engine->operations->database(rig->engine), sql, -1, &statement, NULL),
        SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW)
        seen = (const char *)sqlite3_column_text(statement, 0);
    assert_string_equal(seen == NULL ? "null" : seen, expected);
    sqlite3_finalize(statement);
}

static int64_t target(struct rig *rig) {
    struct engine_gate gate;

    engine_gate(rig->engine, &gate);
    return gate.target;
}

static void line(struct rig *rig, const char *text) {
    assert_int_equal(engine_line(rig->engine, text, strlen(text), false, &rig->result, NULL), STATUS_OK);
}

static void begin_stream(struct rig *rig) {
    assert_int_equal(engine_start(rig->engine, &rig->result, NULL), STATUS_OK);
}

/* One row of `table`, in a checkpoint of its own. */
static void sync_row(struct rig *rig, const char *table, const char *id, const char *data) {
    char *put = memory_format("{\"data\":{\"bucket\":\"b\",\"data\":[{\"op_id\":\"1\",\"op\":\"PUT\","
                              "\"object_type\":\"%s\",\"object_id\":\"%s\",\"data\":%s,\"checksum\":7}]}}",
                              table, id, data);

    begin_stream(rig);
    line(rig, "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"b\",\"checksum\":7}]}}");
    line(rig, put);
    line(rig, "{\"checkpoint_complete\":{\"last_op_id\":\"1\"}}");
    assert_true(rig->result.applied);
    assert_int_equal(engine_send(rig->engine, ENGINE_STOP, &rig->result, NULL), STATUS_OK);
    free(put);
}

static void test_local_only(void **state) {
    struct rig rig = open_rig(1, &new_schema);

    (void)state;
    write_well(&rig, CLIENT_PUT, "prefs", "theme", "{\"name\":\"dark\"}");
    assert_int_equal(rig.result.transaction, 0);
    assert_int_equal(rig.result.n_written, 1);
    write_well(&rig, CLIENT_PATCH, "prefs", "nothing", "{\"name\":\"dark\"}"); /* meets no row */
    assert_int_equal(rig.result.n_written, 0);
    assert_queue(&rig, "");
    assert_int_equal(target(&rig), 0);
    assert_shown(&rig, "SELECT name FROM prefs", "dark");
    sync_row(&rig, "prefs", "theme", "\"{\\\"name\\\":\\\"light\\\"}\"");
    assert_shown(&rig, "SELECT name FROM prefs", "dark");
    close_rig(&rig);
}

/* Nothing is stored and no target set, but checkpoints wait while the entry is queued. */
static void test_insert_only(void **state) {
    struct rig rig = open_rig(2, &new_schema);

    (void)state;
    write_well(&rig, CLIENT_PUT, "events", "e1", "{\"name\":\"start\",\"size\":3}");
    assert_int_equal(rig.result.n_rows, 0);
    assert_shown(&rig, "SELECT count(*) FROM events", "0");
    assert_queue(&rig, "{\"data\":{\"name\":\"start\",\"size\":3},\"id\":\"e1\",\"op\":\"PUT\",\"type\":"
                       "\"events\"}\n");
    assert_int_equal(target(&rig), 0);
    assert_int_equal(write_row(&rig, CLIENT_PATCH, "events", "e1", "{\"size\":4}"), STATUS_INVALID);
    assert_int_equal(write_row(&rig, CLIENT_DELETE, "events", "e1", NULL), STATUS_INVALID);
    begin_stream(&rig);
    line(&rig, "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[]}}");
    line(&rig, "{\"checkpoint_complete\":{\"last_op_id\":\"1\"}}");
    assert_true(rig.result.blocked && !rig.result.applied);
    assert_int_equal(rig.engine->operations->complete(rig.engine, 1, 0, NULL), STATUS_OK);
    line(&rig, "{\"checkpoint_complete\":{\"last_op_id\":\"1\"}}");
    assert_true(rig.result.applied);
    close_rig(&rig);
}

static void test_metadata_and_old(void **state) {
    struct rig rig = open_rig(3, &new_schema);

    (void)state;
    write_well(&rig, CLIENT_PUT, "things", "a", "{\"name\":\"x\",\"_metadata\":\"new\"}");
    write_well(&rig, CLIENT_PATCH, "things", "a", "{\"size\":2}");
    write_well(&rig, CLIENT_DELETE, "things", "a", "{\"_metadata\":\"why\"}");
    write_well(&rig, CLIENT_PUT, "tracked", "b", "{\"name\":\"x\",\"size\":1}");
    write_well(&rig, CLIENT_PATCH, "tracked", "b", "{\"size\":2}");
    write_well(&rig, CLIENT_PATCH, "tracked", "b", "{\"name\":\"y\"}");
    write_well(&rig, CLIENT_DELETE, "tracked", "b", NULL);
    assert_queue(
        &rig,
        "{\"data\":{\"name\":\"x\"},\"id\":\"a\",\"metadata\":\"new\",\"op\":\"PUT\",\"type\":\"things\"}\n"
        "{\"data\":{\"size\":2},\"id\":\"a\",\"old\":{\"name\":\"x\",\"size\":null},\"op\":\"PATCH\","
        "\"type\":\"things\"}\n"
        "{\"id\":\"a\",\"metadata\":\"why\",\"old\":{\"name\":\"x\",\"size\":2},\"op\":\"DELETE\","
        "\"type\":\"things\"}\n"
        "{\"data\":{\"name\":\"x\",\"size\":1},\"id\":\"b\",\"op\":\"PUT\",\"type\":\"tracked\"}\n"
        "{\"data\":{\"size\":2},\"id\":\"b\",\"old\":{},\"op\":\"PATCH\",\"type\":\"tracked\"}\n"
        "{\"data\":{\"name\":\"y\"},\"id\":\"b\",\"old\":{\"name\":\"x\"},\"op\":\"PATCH\",\"type\":"
        "\"tracked\"}\n"
        "{\"id\":\"b\",\"old\":{\"name\":\"y\"},\"op\":\"DELETE\",\"type\":\"tracked\"}\n");
    close_rig(&rig);
}

static void test_empty_update(void **state) {
    struct rig rig = open_rig(4, &new_schema);

    (void)state;
    write_well(&rig, CLIENT_PUT, "quiet", "a", "{\"name\":\"x\"}");
    write_well(&rig, CLIENT_PATCH, "quiet", "a", "{\"name\":\"x\"}");
    assert_int_equal(rig.result.transaction, 0);
    assert_int_equal(rig.result.n_written, 0);
    assert_queue(&rig, "{\"data\":{\"name\":\"x\"},\"id\":\"a\",\"op\":\"PUT\",\"type\":\"quiet\"}\n");
    close_rig(&rig);
}

/* I8: rows of a table that the app does not know, or has for itself, are kept. */
static void test_tables_that_come_and_go(void **state) {
    struct rig rig = open_rig(5, &old_schema);

    (void)state;
    write_well(&rig, CLIENT_PUT, "moved", "m", "{\"name\":\"mine\"}");
    sync_row(&rig, "moved", "m", "\"{\\\"name\\\":\\\"ours\\\",\\\"note\\\":\\\"n\\\"}\"");
    assert_shown(&rig, "SELECT name FROM moved", "mine");
    change_schema(&rig, &first_schema);
    assert_shown(&rig, "SELECT name FROM moved", "ours");
    change_schema(&rig, &new_schema); /* a column more, of what is there already */
    assert_shown(&rig, "SELECT note FROM moved", "n");
    assert_queue(&rig, "");
    change_schema(&rig, &old_schema);
    assert_shown(&rig, "SELECT count(*) FROM moved", "0"); /* the device's own are gone */
    change_schema(&rig, &new_schema);
    assert_shown(&rig, "SELECT name FROM moved", "ours");
    close_rig(&rig);
}

static void clear(struct rig *rig, unsigned flags) {
    assert_int_equal(rig->engine->operations->clear(rig->engine, flags, &rig->result, NULL), STATUS_OK);
}

static void test_clear(void **state) {
    struct rig rig = open_rig(6, &new_schema);

    (void)state;
    write_well(&rig, CLIENT_PUT, "prefs", "theme", "{\"name\":\"dark\"}");
    write_well(&rig, CLIENT_PUT, "quiet", "a", "{\"name\":\"x\"}");
    clear(&rig, 0);
    assert_shown(&rig, "SELECT name FROM prefs", "dark");
    assert_shown(&rig, "SELECT name FROM quiet", "-");
    assert_queue(&rig, "");
    clear(&rig, ENGINE_CLEAR_LOCAL);
    assert_shown(&rig, "SELECT name FROM prefs", "-");
    close_rig(&rig);
}

/* As the SDK: not while connected, and no metadata on what nobody sends. */
static void test_refused(void **state) {
    static const struct client_table bad_table = TABLE("prefs", .local_only = true, .include_metadata = true);
    static const struct client_schema bad = {&bad_table, 1};
    struct fake_parties *fake = fake_open_with_client(7);
    struct error error = {0};

    (void)state;
    client_connect(fake->client);
    assert_int_equal(client_update_schema(fake->client, &new_schema, &error), STATUS_CONFLICT);
    assert_string_equal(error.message, "alice-1 is connected");
    client_disconnect(fake->client);
    assert_int_equal(client_update_schema(fake->client, &bad, &error), STATUS_INVALID);
    assert_true(client_schema(fake->client) == &wire_schema);
    assert_int_equal(client_update_schema(fake->client, &new_schema, &error), STATUS_OK);
    assert_true(client_schema(fake->client) == &new_schema);
    assert_notes(fake, "view tx=2 schema\n", 1);
    fake_close(fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_local_only),
                                       cmocka_unit_test(test_insert_only),
                                       cmocka_unit_test(test_metadata_and_old),
                                       cmocka_unit_test(test_empty_update),
                                       cmocka_unit_test(test_tables_that_come_and_go),
                                       cmocka_unit_test(test_clear),
                                       cmocka_unit_test(test_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
