/* What a disk promises, alone and under SQLite: what was synced is there after a power loss, what a process
 * wrote is there after its end, and whatever fails, a database is one of its committed states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "disk/disk.h"
#include "disk/vfs.h"

struct fixture {
    struct world *world;
    struct host_operations operations;
    struct world_host host;
    struct disk_vfs *vfs;
    struct disk *disk;
};

static void open_fixture(struct fixture *fixture, uint64_t seed) {
    *fixture = (struct fixture){.world = world_create(&(struct world_settings){.seed = seed})};
    world_host_operations(&fixture->operations);
    fixture->host = (struct world_host){.host = {.operations = &fixture->operations, .name = "alice-1"},
                                        .world = fixture->world};
    fixture->vfs = disk_vfs_open(fixture->world);
    fixture->disk = disk_create(&fixture->host.host);
    disk_vfs_mount(fixture->vfs, "alice-1", fixture->disk);
}

static void close_fixture(struct fixture *fixture) {
    disk_vfs_close(fixture->vfs);
    disk_destroy(fixture->disk);
    world_destroy(fixture->world);
}

static struct disk_file *make_file(struct fixture *fixture, const char *name) {
    struct disk_file *file = NULL;
    assert_int_equal(disk_open_file(fixture->disk, name, true, &file), DISK_DONE);
    return file;
}

static void write_text(struct disk_file *file, int64_t offset, const char *text) {
    assert_int_equal(disk_file_write(file, offset, text, strlen(text)), DISK_DONE);
}

static void check_text(struct disk_file *file, const char *expected) {
    char bytes[64] = {0};
    size_t got;
    assert_int_equal(disk_file_read(file, 0, bytes, sizeof bytes - 1, &got), DISK_DONE);
    assert_int_equal(got, strlen(expected));
    assert_string_equal(bytes, expected);
}

static void test_a_process_loses_nothing(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, 1);
    struct disk_file *file = make_file(&fixture, "a");
    uint64_t life = disk_life(fixture.disk);
    write_text(file, 0, "written");
    disk_end_process(fixture.disk);
    assert_int_not_equal(disk_life(fixture.disk), life);
    assert_int_equal(disk_open_file(fixture.disk, "a", false, &file), DISK_DONE);
    check_text(file, "written");
    close_fixture(&fixture);
}

static void count_end(void *context) {
    ++*(int *)context;
}

/* The nth write is not done, nor is anything behind it; what was written before stays. */
static void test_a_process_ends_at_a_write(void **state) {
    (void)state;
    struct fixture fixture;
    int ends = 0;
    open_fixture(&fixture, 1);
    struct disk_file *file = make_file(&fixture, "a");
    disk_end_process_at(fixture.disk, 2, count_end, &ends);
    assert_int_equal(disk_file_write(file, 0, "first", 5), DISK_DONE);
    assert_int_equal(ends, 0);
    assert_int_equal(disk_file_write(file, 0, "other", 5), DISK_FAILED);
    assert_int_equal(ends, 1);
    assert_int_equal(disk_file_write(file, 0, "other", 5), DISK_FAILED);
    assert_int_equal(disk_file_sync(file), DISK_FAILED);
    assert_int_equal(ends, 1);
    disk_spare(fixture.disk, true); /* the simulator may look */
    check_text(file, "first");
    disk_spare(fixture.disk, false);
    assert_true(disk_has_power(fixture.disk));
    disk_end_process(fixture.disk);
    assert_int_equal(disk_losses(fixture.disk), 0);
    assert_int_equal(disk_open_file(fixture.disk, "a", false, &file), DISK_DONE);
    check_text(file, "first");
    assert_int_equal(disk_file_write(file, 0, "again", 5), DISK_DONE);
    close_fixture(&fixture);
}

static void test_synced_bytes_survive(void **state) {
    (void)state;
    bool lost = false, kept = false, torn = false;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct fixture fixture;
        open_fixture(&fixture, seed);
        struct disk_file *file = make_file(&fixture, "a");
        write_text(file, 0, "synced");
        assert_false(disk_is_promised(fixture.disk, "a"));
        assert_int_equal(disk_file_sync(file), DISK_DONE);
        assert_true(disk_is_promised(fixture.disk, "a"));
        write_text(file, 6, " not");
        char two_sectors[2 * DISK_SECTOR];
        memset(two_sectors, 'x', sizeof two_sectors);
        assert_int_equal(disk_file_write(file, 2L * DISK_SECTOR, two_sectors, sizeof two_sectors), DISK_DONE);
        disk_lose_power(fixture.disk);
        assert_int_equal(disk_open_file(fixture.disk, "a", false, &file), DISK_DONE);
        char bytes[4 * DISK_SECTOR] = {0};
        size_t got;
        assert_int_equal(disk_file_read(file, 0, bytes, sizeof bytes, &got), DISK_DONE);
        assert_memory_equal(bytes, "synced", 6);
        lost |= got == 6;
        kept |= got == sizeof bytes && memcmp(bytes, "synced not", 10) == 0 && bytes[sizeof bytes - 1] == 'x';
        torn |= got == sizeof bytes && bytes[2 * DISK_SECTOR] != bytes[3 * DISK_SECTOR];
        close_fixture(&fixture);
    }
    assert_true(lost);
    assert_true(kept);
    assert_true(torn);
}

static void test_names_need_a_sync(void **state) {
    (void)state;
    bool gone = false, there = false, undeleted = false;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct fixture fixture;
        open_fixture(&fixture, seed);
        struct disk_file *old = make_file(&fixture, "old");
        assert_int_equal(disk_file_sync(old), DISK_DONE);
        struct disk_file *dead = make_file(&fixture, "dead");
        assert_int_equal(disk_file_sync(dead), DISK_DONE);
        assert_int_equal(disk_delete_file(fixture.disk, "dead", true), DISK_DONE);
        assert_int_equal(disk_delete_file(fixture.disk, "dead", true), DISK_NO_FILE);
        assert_int_equal(disk_delete_file(fixture.disk, "old", false), DISK_DONE);
        make_file(&fixture, "new");
        disk_lose_power(fixture.disk);
        gone |= !disk_has_file(fixture.disk, "new");
        there |= disk_has_file(fixture.disk, "new");
        undeleted |= disk_has_file(fixture.disk, "old");
        assert_false(disk_has_file(fixture.disk, "dead"));
        close_fixture(&fixture);
    }
    assert_true(gone);
    assert_true(there);
    assert_true(undeleted);
}

static void test_faults_strike_and_end(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, 1);
    struct disk_file *file = make_file(&fixture, "a");
    char byte;
    size_t got;
    write_text(file, 0, "abc");
    disk_set_full(fixture.disk, true);
    assert_int_equal(disk_file_write(file, 3, "d", 1), DISK_FULL);
    assert_int_equal(disk_file_write(file, 0, "A", 1), DISK_DONE); /* needs no room */
    disk_set_full(fixture.disk, false);
    disk_set_read_only(fixture.disk, true);
    assert_int_equal(disk_file_write(file, 0, "X", 1), DISK_FAILED);
    assert_int_equal(disk_file_read(file, 0, &byte, 1, &got), DISK_DONE);
    disk_set_read_only(fixture.disk, false);
    disk_fail_at(fixture.disk, DISK_READ, 2);
    assert_int_equal(disk_file_read(file, 0, &byte, 1, &got), DISK_DONE);
    assert_int_equal(disk_file_read(file, 0, &byte, 1, &got), DISK_FAILED);
    disk_fail_at(fixture.disk, DISK_SYNC, 1);
    assert_int_equal(disk_file_sync(file), DISK_FAILED);
    assert_false(disk_is_promised(fixture.disk, "a"));
    assert_int_equal(disk_file_sync(file), DISK_DONE);
    assert_int_equal(disk_faults(fixture.disk), 4);
    check_text(file, "Abc");
    close_fixture(&fixture);
}

static void count_call(void *context) {
    ++*(int *)context;
}

static void test_power_goes_in_the_middle(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, 1);
    struct disk_file *file = make_file(&fixture, "a");
    int calls = 0;
    disk_lose_power_at(fixture.disk, 2, count_call, &calls);
    write_text(file, 0, "a");
    assert_true(disk_has_power(fixture.disk));
    assert_int_equal(disk_file_sync(file), DISK_FAILED);
    assert_false(disk_has_power(fixture.disk));
    assert_int_equal(disk_file_write(file, 0, "b", 1), DISK_FAILED);
    assert_int_equal(calls, 1);
    disk_lose_power(fixture.disk);
    assert_true(disk_has_power(fixture.disk));
    close_fixture(&fixture);
}

/* --- under SQLite --- */

static sqlite3 *open_database(void) {
    sqlite3 *database = NULL;
    int code = sqlite3_open("alice-1/app.db", &database);
    if (code == SQLITE_OK)
        return database;
    sqlite3_close(database);
    return NULL;
}

static int run(sqlite3 *database, const char *sql) {
    return sqlite3_exec(database, sql, NULL, NULL, NULL);
}

static int64_t number(sqlite3 *database, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static const char pragmas[] =
    "PRAGMA page_size = 1024; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
    "PRAGMA wal_autocheckpoint = 20;";

/* Ten transactions that leave the same number of rows in both tables. Tells the last that was committed, and
 * the last that a sync covers. */
struct work {
    int64_t committed, promised;
};

static struct work do_work(struct fixture *fixture, const char *synchronous) {
    struct work work = {0};
    sqlite3 *database = open_database();
    char sql[512];
    if (!database)
        return work;
    snprintf(sql, sizeof sql, "%s PRAGMA synchronous = %s", pragmas, synchronous);
    bool ready =
        run(database, sql) == SQLITE_OK &&
        run(database, "CREATE TABLE IF NOT EXISTS a (x, text); CREATE TABLE IF NOT EXISTS b (x, text)") ==
            SQLITE_OK;
    for (int64_t i = 1; ready && i <= 10; i++) {
        snprintf(sql, sizeof sql,
                 "BEGIN IMMEDIATE; INSERT INTO a VALUES (%lld, hex(zeroblob(700)));"
                 "INSERT INTO b VALUES (%lld, hex(zeroblob(300))); COMMIT",
                 (long long)i, (long long)i);
        if (run(database, sql) == SQLITE_OK)
            work.committed++;
        else
            run(database, "ROLLBACK");
        if (disk_has_power(fixture->disk) && disk_is_promised(fixture->disk, "app.db-wal"))
            work.promised = work.committed;
    }
    disk_end_process(fixture->disk); /* so that closing does not checkpoint */
    sqlite3_close(database);
    return work;
}

/* The rows that are there, of a database that is in order. */
static int64_t check_database(void) {
    sqlite3 *database = open_database();
    assert_non_null(database);
    assert_int_equal(run(database, pragmas), SQLITE_OK);
    assert_int_equal(number(database, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    if (number(database, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'") < 2) {
        assert_int_equal(sqlite3_close(database), SQLITE_OK);
        return 0;
    }
    int64_t rows = number(database, "SELECT count(*) FROM a");
    assert_int_equal(number(database, "SELECT count(*) FROM b"), rows);
    assert_int_equal(number(database, "SELECT coalesce(max(x), 0) FROM a"), rows); /* no holes: a prefix */
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    return rows;
}

static void test_sqlite_survives_power_loss_anywhere(void **state) {
    (void)state;
    bool over = false, some_lost = false;
    for (uint64_t nth = 1; !over; nth++)
        for (uint64_t seed = 1; seed <= 12; seed++) {
            struct fixture fixture;
            open_fixture(&fixture, seed);
            disk_lose_power_at(fixture.disk, nth, NULL, NULL);
            struct work work = do_work(&fixture, "NORMAL");
            over = disk_has_power(fixture.disk);
            disk_lose_power(fixture.disk);
            int64_t rows = check_database();
            assert_in_range(rows, work.promised, work.committed + 1);
            some_lost |= rows < work.committed;
            close_fixture(&fixture);
        }
    assert_true(some_lost);
}

static void test_full_synchronous_loses_nothing(void **state) {
    (void)state;
    bool over = false;
    for (uint64_t nth = 1; !over; nth++)
        for (uint64_t seed = 1; seed <= 4; seed++) {
            struct fixture fixture;
            open_fixture(&fixture, seed);
            disk_lose_power_at(fixture.disk, nth, NULL, NULL);
            struct work work = do_work(&fixture, "FULL");
            over = disk_has_power(fixture.disk);
            disk_lose_power(fixture.disk);
            assert_in_range(check_database(), work.committed, work.committed + 1);
            close_fixture(&fixture);
        }
}

static void fail_everywhere(enum disk_operation operation) {
    uint64_t nth = 0, faults;
    do {
        struct fixture fixture;
        open_fixture(&fixture, 1);
        disk_fail_at(fixture.disk, operation, ++nth);
        do_work(&fixture, "FULL");
        faults = disk_faults(fixture.disk);
        disk_fail_at(fixture.disk, operation, 0);
        sqlite3 *database = open_database();
        assert_non_null(database);
        assert_int_equal(run(database, pragmas), SQLITE_OK);
        assert_int_equal(number(database, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
        if (number(database, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'") == 2)
            assert_int_equal(number(database, "SELECT count(*) FROM a"),
                             number(database, "SELECT count(*) FROM b"));
        assert_int_equal(sqlite3_close(database), SQLITE_OK);
        close_fixture(&fixture);
    } while (faults > 0);
    assert_true(nth > 3);
}

static void test_every_operation_may_fail(void **state) {
    (void)state;
    fail_everywhere(DISK_WRITE);
    fail_everywhere(DISK_SYNC);
    fail_everywhere(DISK_READ);
}

/* The control: a disk that lies about syncs breaks what the others promise. */
static void test_lying_syncs_are_seen(void **state) {
    (void)state;
    int broken = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct fixture fixture;
        open_fixture(&fixture, seed);
        disk_skip_syncs(fixture.disk, true);
        struct work work = do_work(&fixture, "FULL");
        disk_lose_power(fixture.disk);
        sqlite3 *database = open_database();
        broken += !database || number(database, "SELECT count(*) FROM a") < work.promised;
        sqlite3_close(database);
        close_fixture(&fixture);
    }
    assert_true(broken > 20);
}

/* What survives when power goes at several moments, as one number. */
static int64_t rows_of_seed(uint64_t seed) {
    int64_t rows = 0;
    for (uint64_t nth = 60; nth < 90; nth++) {
        struct fixture fixture;
        open_fixture(&fixture, seed);
        disk_lose_power_at(fixture.disk, nth, NULL, NULL);
        do_work(&fixture, "NORMAL");
        disk_lose_power(fixture.disk);
        rows = 3 * rows % 1000003 + check_database();
        close_fixture(&fixture);
    }
    return rows;
}

static void test_a_seed_decides_what_survives(void **state) {
    (void)state;
    assert_int_equal(rows_of_seed(1), rows_of_seed(1));
    assert_int_equal(rows_of_seed(2), rows_of_seed(2));
    assert_int_not_equal(rows_of_seed(1), rows_of_seed(2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_process_loses_nothing),
        cmocka_unit_test(test_a_process_ends_at_a_write),
        cmocka_unit_test(test_synced_bytes_survive),
        cmocka_unit_test(test_names_need_a_sync),
        cmocka_unit_test(test_faults_strike_and_end),
        cmocka_unit_test(test_power_goes_in_the_middle),
        cmocka_unit_test(test_sqlite_survives_power_loss_anywhere),
        cmocka_unit_test(test_full_synchronous_loses_nothing),
        cmocka_unit_test(test_every_operation_may_fail),
        cmocka_unit_test(test_lying_syncs_are_seen),
        cmocka_unit_test(test_a_seed_decides_what_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
