/* The core library and clones of the template. */
#include "bench_world.h"

#include "client/pool.h"

static char *query(sqlite3 *database, const char *sql) {
    sqlite3_stmt *statement;
    struct buffer out = {0};

    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (int c = 0; c < sqlite3_column_count(statement); c++) {
            const char *text = (const char *)sqlite3_column_text(statement, c);

            buffer_append_text(&out, text != NULL ? text : "NULL");
            buffer_append_char(&out, '\n');
        }
    sqlite3_finalize(statement);
    return buffer_take(&out);
}

static void test_missing_core(void **state) {
    struct core_library *library;
    struct error error = {0};
    char *path = memory_format("%s/CMakeLists.txt", SYNCLINE_SOURCE_DIR);

    (void)state;
    assert_int_equal(core_library_open("/nonexistent/libpowersync.so", &library, &error), STATUS_MISSING);
    assert_non_null(strstr(error.message, "/nonexistent/libpowersync.so"));
    assert_int_equal(core_library_open(path, &library, &error), STATUS_MISSING);
    free(path);
}

static void test_core_version(void **state) {
    struct bench_world bench = bench_open(1);
    sqlite3 *database = NULL;
    char *version;

    (void)state;
    assert_non_null(strstr(core_library_path(bench.library), "libpowersync"));
    assert_int_equal(pool_clone(bench.pool, net_node(bench.net, "alice-1"), &database, NULL), STATUS_OK);
    version = query(database, "SELECT powersync_rs_version()");
    if (getenv("SYNCLINE_CORE") == NULL)
        assert_int_equal(strncmp(version, "0.5.3/", 6), 0); /* in @powersync/node 1.1.0 */
    free(version);
    sqlite3_close(database);
    bench_close(&bench);
}

static void assert_uuid4(const char *text) {
    assert_int_equal(strlen(text), 37); /* and a newline */
    for (int i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23)
            assert_int_equal(text[i], '-');
        else
            assert_non_null(strchr("0123456789abcdef", text[i]));
    }
    assert_int_equal(text[14], '4');
    assert_non_null(strchr("89ab", text[19]));
}

static char *ids_of_run(uint64_t seed) {
    struct bench_world bench = bench_open(seed);
    struct buffer out = {0};

    for (int i = 0; i < 3; i++) {
        char name[16];
        sqlite3 *database = NULL;
        char *id, *uuid;

        snprintf(name, sizeof name, "alice-%d", i + 1);
        assert_int_equal(pool_clone(bench.pool, net_node(bench.net, name), &database, NULL), STATUS_OK);
        id = query(database, "SELECT powersync_client_id()");
        uuid = query(database, i == 1 ? "SELECT gen_random_uuid()" : "SELECT uuid()");
        assert_uuid4(id);
        assert_uuid4(uuid);
        buffer_append_text(&out, id);
        buffer_append_text(&out, uuid);
        free(id);
        free(uuid);
        sqlite3_close(database);
    }
    bench_close(&bench);
    return buffer_take(&out);
}

static void test_ids(void **state) {
    char *first = ids_of_run(1);
    char *again = ids_of_run(1);
    char *other = ids_of_run(2);

    (void)state;
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    for (int a = 0; a < 6; a++)
        for (int b = a + 1; b < 6; b++)
            assert_memory_not_equal(first + 37 * a, first + 37 * b, 36);
    free(first);
    free(again);
    free(other);
}

static void test_equal_schema(void **state) {
    static const char schema_sql[] = "SELECT sql FROM sqlite_schema ORDER BY name";
    static const char tables_sql[] = "SELECT name FROM sqlite_schema WHERE type = 'view' OR name LIKE "
                                     "'ps!_data!_!_%' ESCAPE '!' ORDER BY name";
    struct bench_world bench = bench_open(1);
    sqlite3 *first = NULL, *second = NULL;
    char *a, *b, *settings;

    (void)state;
    assert_int_equal(pool_clone(bench.pool, net_node(bench.net, "alice-1"), &first, NULL), STATUS_OK);
    assert_int_equal(pool_clone(bench.pool, net_node(bench.net, "bob-1"), &second, NULL), STATUS_OK);
    a = query(first, schema_sql);
    b = query(second, schema_sql);
    assert_string_equal(a, b);
    free(a);
    free(b);
    a = query(first, tables_sql);
    assert_string_equal(a, "lists\nps_data__lists\nps_data__todos\ntodos\n");
    free(a);
    settings = query(first, "SELECT page_size, recursive_triggers, temp_store FROM pragma_page_size, "
                            "pragma_recursive_triggers, pragma_temp_store");
    assert_string_equal(settings, "1024\n1\n2\n");
    free(settings);
    sqlite3_close(first);
    sqlite3_close(second);
    bench_close(&bench);
}

static void test_copy_is_independent(void **state) {
    struct bench_world bench = bench_open(1);
    struct host *host = net_node(bench.net, "alice-1");
    sqlite3 *first = NULL, *second = NULL;
    char *a, *b;

    (void)state;
    assert_int_equal(pool_clone(bench.pool, host, &first, NULL), STATUS_OK);
    assert_int_equal(sqlite3_exec(first, "INSERT INTO lists (id, name) VALUES ('l', 'x')", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(pool_reopen(bench.pool, host, first, &second, NULL), STATUS_OK);
    assert_int_equal(sqlite3_exec(first, "UPDATE lists SET name = 'y'", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(first);
    a = query(second, "SELECT name FROM lists");
    b = query(second, "SELECT count(*) FROM ps_crud");
    assert_string_equal(a, "x\n");
    assert_string_equal(b, "1\n");
    free(a);
    free(b);
    sqlite3_close(second);
    bench_close(&bench);
}

static void test_bad_schema(void **state) {
    static const struct client_column column = {"name", "text); DROP TABLE ps_kv; --"};
    static const struct client_table table = {"lists", &column, 1};
    static const struct client_schema schema = {&table, 1};
    struct bench_world bench = bench_open(1);
    struct client_pool *pool = NULL;
    struct error error = {0};
    enum status status = client_pool_create(bench.library, bench.vfs, &schema, &pool, &error);

    (void)state;
    assert_int_equal(status, STATUS_INVALID);
    assert_non_null(strstr(error.message, "the type is text, integer or real"));
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing_core),
        cmocka_unit_test(test_core_version),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_equal_schema),
        cmocka_unit_test(test_copy_is_independent),
        cmocka_unit_test(test_bad_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
