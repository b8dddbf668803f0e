#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/row_text.h"
#include "disk/vfs.h"

static struct host_operations operations;

/* The row texts of a query, one a line. */
static char *query(sqlite3 *database, const char *sql) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    struct buffer out = {0};
    while (sqlite3_step(statement) == SQLITE_ROW) {
        row_text_append(&out, statement, 0);
        buffer_append_char(&out, '\n');
    }
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    return buffer_take(&out);
}

static char *query_in_world(uint64_t seed, int64_t now, const char *node, int64_t offset, const char *sql) {
    struct world *world = world_create(&(struct world_settings){.seed = seed});
    world_run(world, now, NULL);
    world_host_operations(&operations);
    struct world_host host = {.host = {.operations = &operations, .name = node ? node : ""}, .world = world};
    if (node)
        world_set_clock(world, node, offset, 0);
    char unseeded[8];
    sqlite3_randomness(sizeof unseeded, unseeded); /* numbers that somebody drew before must not matter */
    struct disk_vfs *vfs = disk_vfs_open(world);
    disk_vfs_set_node(vfs, node ? &host.host : NULL);
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
    char *text = query(database, sql);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    disk_vfs_close(vfs);
    world_destroy(world);
    return text;
}

static void check_query(int64_t now, const char *node, int64_t offset, const char *sql,
                        const char *expected) {
    char *text = query_in_world(1, now, node, offset, sql);
    assert_string_equal(text, expected);
    free(text);
}

static void test_time_is_virtual(void **state) {
    (void)state;
    const char *sql = "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')";
    check_query(0, NULL, 0, sql, "[\"2026-01-01 00:00:00.000\"]\n");
    check_query(90 * TIME_SECOND + 5 * TIME_MILLISECOND, NULL, 0, sql, "[\"2026-01-01 00:01:30.005\"]\n");
    check_query(TIME_DAY, "a", -2 * TIME_SECOND, sql, "[\"2026-01-01 23:59:58.000\"]\n");
    check_query(0, NULL, 0, "SELECT unixepoch('subsec')", "[1767225600.0]\n");
    check_query(0, "a", -1, sql, "[\"2025-12-31 23:59:59.999\"]\n");
    check_query(0, "a", -TIME_WALL_START - 1, sql, "[\"1969-12-31 23:59:59.999\"]\n");
}

static void test_randomness_comes_from_the_seed(void **state) {
    (void)state;
    const char *sql = "SELECT random(), hex(randomblob(20)) UNION ALL SELECT random(), hex(randomblob(3))";
    char *first = query_in_world(5, 0, NULL, 0, sql);
    char *same = query_in_world(5, 0, NULL, 0, sql);
    char *other = query_in_world(6, 0, NULL, 0, sql);
    assert_string_equal(first, same);
    assert_string_not_equal(first, other);
    free(first);
    free(same);
    free(other);
}

static void test_files_are_refused(void **state) {
    (void)state;
    struct world *world = world_create(&(struct world_settings){.seed = 1});
    struct disk_vfs *vfs = disk_vfs_open(world);
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open("/tmp/syncline-must-not-exist.db", &database), SQLITE_CANTOPEN);
    sqlite3_close(database);
    assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
    char *error = NULL;
    assert_int_equal(
        sqlite3_exec(database, "ATTACH '/tmp/syncline-must-not-exist.db' AS a", NULL, NULL, &error),
        SQLITE_CANTOPEN);
    sqlite3_free(error);
    assert_int_equal(
        sqlite3_exec(database,
                     "CREATE TABLE t(x); INSERT INTO t WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL "
                     "SELECT n + 1 FROM c WHERE n < 20000) SELECT n FROM c; UPDATE t SET x = x + 1;"
                     "VACUUM",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(database);
    disk_vfs_close(vfs);
    world_destroy(world);
}

static void test_row_text(void **state) {
    (void)state;
    check_query(0, NULL, 0,
                "SELECT 1, -9223372036854775808, 1.0, 0.1, 1e21, 'a\"b' || char(10) || char(0) || 'c', NULL, "
                "x'fbff', x'', '', 9e999",
                "[1,-9223372036854775808,1.0,0.1,1e+21,\"a\\\"b\\n\\u0000c\",null,{\"blob\":\"+/"
                "8=\"},{\"blob\":\"\"},"
                "\"\",1e999]\n");
    struct world *world = world_create(&(struct world_settings){.seed = 1});
    struct disk_vfs *vfs = disk_vfs_open(world);
    sqlite3 *database = NULL;
    sqlite3_open(":memory:", &database);
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(database, "SELECT 'id', 2, 3", -1, &statement, NULL);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    struct buffer out = {0};
    row_text_append(&out, statement, 1);
    row_text_append(&out, statement, 3);
    assert_string_equal(buffer_text(&out), "[2,3][]");
    buffer_free(&out);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    disk_vfs_close(vfs);
    world_destroy(world);
}

/* --- several connections on one file --- */

struct device {
    struct world *world;
    struct world_host processes[2];
    struct disk *disk;
    struct disk_vfs *vfs;
    sqlite3 *connections[2];
};

static void run(sqlite3 *database, const char *sql, int expected) {
    const int code = sqlite3_exec(database, sql, NULL, NULL, NULL);
    if (code != expected)
        fail_msg("%s: %d %s", sql, code, sqlite3_errmsg(database));
}

static void connect_process(struct device *device, size_t which) {
    disk_vfs_set_node(device->vfs, &device->processes[which].host);
    assert_int_equal(sqlite3_open("a/app.db", &device->connections[which]), SQLITE_OK);
    run(device->connections[which], "PRAGMA journal_mode = WAL", SQLITE_OK);
}

static struct device open_device(void) {
    struct device device = {.world = world_create(&(struct world_settings){.seed = 7})};
    world_host_operations(&operations);
    for (size_t i = 0; i < 2; i++)
        device.processes[i] =
            (struct world_host){.host = {.operations = &operations, .name = "a"}, .world = device.world};
    return device;
}

static void start_device(struct device *device) {
    device->disk = disk_create(&device->processes[0].host);
    device->vfs = disk_vfs_open(device->world);
    disk_vfs_mount(device->vfs, "a", device->disk);
    connect_process(device, 0);
    run(device->connections[0], "CREATE TABLE t (x)", SQLITE_OK);
    connect_process(device, 1);
}

static void close_device(struct device *device) {
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(sqlite3_close(device->connections[i]), SQLITE_OK);
    disk_vfs_close(device->vfs);
    disk_destroy(device->disk);
    world_destroy(device->world);
}

static void check_rows(struct device *device, size_t which, const char *expected) {
    char *rows = query(device->connections[which], "SELECT x FROM t ORDER BY x");
    assert_string_equal(rows, expected);
    free(rows);
}

static void test_connections_see_each_others_commits(void **state) {
    (void)state;
    struct device device = open_device();
    start_device(&device);
    run(device.connections[0], "INSERT INTO t VALUES (1)", SQLITE_OK);
    check_rows(&device, 1, "[1]\n");
    run(device.connections[1], "INSERT INTO t VALUES (2)", SQLITE_OK);
    check_rows(&device, 0, "[1]\n[2]\n");
    run(device.connections[0], "PRAGMA wal_checkpoint(TRUNCATE)", SQLITE_OK);
    run(device.connections[1], "INSERT INTO t VALUES (3)", SQLITE_OK);
    check_rows(&device, 0, "[1]\n[2]\n[3]\n");
    close_device(&device);
}

/* One writes at a time, and who read before another wrote must begin anew before he writes. */
static void test_connections_wait_for_each_other(void **state) {
    (void)state;
    struct device device = open_device();
    start_device(&device);
    run(device.connections[0], "BEGIN IMMEDIATE; INSERT INTO t VALUES (1)", SQLITE_OK);
    run(device.connections[1], "BEGIN IMMEDIATE", SQLITE_BUSY);
    check_rows(&device, 1, "");
    run(device.connections[1], "BEGIN; SELECT * FROM t", SQLITE_OK);
    run(device.connections[0], "COMMIT", SQLITE_OK);
    check_rows(&device, 1, "");
    run(device.connections[1], "INSERT INTO t VALUES (2)", SQLITE_BUSY);
    run(device.connections[0], "PRAGMA wal_checkpoint(PASSIVE)", SQLITE_OK);
    check_rows(&device, 1, "");
    run(device.connections[1], "ROLLBACK; BEGIN IMMEDIATE; INSERT INTO t VALUES (2); COMMIT", SQLITE_OK);
    check_rows(&device, 0, "[1]\n[2]\n");
    close_device(&device);
}

/* A process that ends in the middle of a write takes its locks with it, and its write. */
static void test_a_process_ends_beside_another(void **state) {
    (void)state;
    struct device device = open_device();
    start_device(&device);
    run(device.connections[0], "INSERT INTO t VALUES (1); BEGIN IMMEDIATE; INSERT INTO t VALUES (2)",
        SQLITE_OK);
    disk_vfs_end_process(device.vfs, &device.processes[0].host);
    run(device.connections[1], "INSERT INTO t VALUES (3)", SQLITE_OK);
    run(device.connections[0], "COMMIT", SQLITE_IOERR);
    assert_int_equal(sqlite3_close(device.connections[0]), SQLITE_OK);
    check_rows(&device, 1, "[1]\n[3]\n");
    connect_process(&device, 0);
    check_rows(&device, 0, "[1]\n[3]\n");
    close_device(&device);
}

/* The last one has gone without a word: the index is gone, and the log is read anew. */
static void test_the_last_process_ends(void **state) {
    (void)state;
    struct device device = open_device();
    start_device(&device);
    run(device.connections[1], "INSERT INTO t VALUES (1)", SQLITE_OK);
    disk_vfs_end_process(device.vfs, &device.processes[0].host);
    disk_vfs_end_process(device.vfs, &device.processes[1].host);
    assert_true(disk_has_file(device.disk, "app.db-wal"));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(sqlite3_close(device.connections[i]), SQLITE_OK);
    connect_process(&device, 1);
    connect_process(&device, 0);
    check_rows(&device, 0, "[1]\n");
    close_device(&device);
    device = open_device();
    start_device(&device);
    run(device.connections[0], "INSERT INTO t VALUES (4)", SQLITE_OK);
    disk_end_process(device.disk);
    run(device.connections[1], "SELECT x FROM t", SQLITE_IOERR);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(sqlite3_close(device.connections[i]), SQLITE_OK);
    connect_process(&device, 0);
    connect_process(&device, 1);
    check_rows(&device, 1, "[4]\n");
    close_device(&device);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_is_virtual),
        cmocka_unit_test(test_randomness_comes_from_the_seed),
        cmocka_unit_test(test_files_are_refused),
        cmocka_unit_test(test_row_text),
        cmocka_unit_test(test_connections_see_each_others_commits),
        cmocka_unit_test(test_connections_wait_for_each_other),
        cmocka_unit_test(test_a_process_ends_beside_another),
        cmocka_unit_test(test_the_last_process_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
