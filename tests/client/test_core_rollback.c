/* scenarios/bugs/core-finalizes-running-statement.yaml, with SQLite and a core alone: no disk and no VFS of
 * ours, a database in memory that may not grow (`PRAGMA max_page_count`). The core calls SQLite through a
 * table of functions; here that is a copy in which sqlite3_step and sqlite3_finalize watch each other. A
 * statement that is finalized while it runs is kept until the app's statement has ended, so the test lives on
 * where an app dies. */
#define SQLITE_CORE /* sqlite3ext.h: this is the program that has SQLite, the table is only for the core */
#include <dlfcn.h>
#include <sqlite3ext.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

#include "base/memory.h"
#include "client/core_versions.h"

/* LeakSanitizer asks: this release never frees 96 bytes of a connection. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:powersync-core-0.4.6";
}

enum { STEPS_MOST = 16, ROWS_MOST = 200, ROOMS = 9 };

/* The table's functions take no context, so what they watch is the file's. */
static sqlite3_api_routines watching;
static struct {
    sqlite3_stmt *running[STEPS_MOST];
    size_t depth;
    sqlite3_stmt *late[STEPS_MOST]; /* finalized while they ran */
    size_t n_late;
    size_t found;
} watched;

static int watched_step(sqlite3_stmt *statement) {
    assert_true(watched.depth < STEPS_MOST);
    watched.running[watched.depth++] = statement;
    int result = sqlite3_step(statement);
    watched.depth--;
    return result;
}

/* When the core has let go of them for good. */
static void finalize_late(void) {
    while (watched.n_late > 0)
        sqlite3_finalize(watched.late[--watched.n_late]);
}

static int watched_finalize(sqlite3_stmt *statement) {
    for (size_t i = 0; i < watched.depth; i++)
        if (watched.running[i] == statement) {
            assert_true(watched.n_late < STEPS_MOST);
            watched.late[watched.n_late++] = statement;
            watched.found++;
            return SQLITE_OK;
        }
    return sqlite3_finalize(statement);
}

static int take_table(sqlite3 *database, char **message, const sqlite3_api_routines *table) {
    (void)database;
    (void)message;
    watching = *table;
    return SQLITE_OK;
}

static void make_table(void) {
    sqlite3 *scratch = NULL;
    sqlite3_auto_extension((void (*)(void))take_table);
    assert_int_equal(sqlite3_open(":memory:", &scratch), SQLITE_OK);
    sqlite3_cancel_auto_extension((void (*)(void))take_table);
    sqlite3_close(scratch);
    watching.step = watched_step;
    watching.finalize = watched_finalize;
}

static void run(sqlite3 *database, const char *sql) {
    char *message = NULL;
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

static int integer(sqlite3 *database, const char *sql) {
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int value = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static sqlite3 *open_app(void *core) {
    int (*entry)(sqlite3 *, char **, const sqlite3_api_routines *);
    sqlite3 *database = NULL;
    *(void **)&entry = dlsym(core, "sqlite3_powersync_init");
    assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
    assert_int_equal(entry(database, NULL, &watching), SQLITE_OK);
    run(database, "PRAGMA recursive_triggers = TRUE; BEGIN; SELECT powersync_init(); COMMIT;"
                  "BEGIN; SELECT powersync_replace_schema('{\"tables\":[{\"name\":\"lists\",\"columns\":"
                  "[{\"name\":\"name\",\"type\":\"text\"}]}]}'); COMMIT");
    return database;
}

/* Insert rows until there is no room: `pages` more than there are. */
static void fill(sqlite3 *database, int pages) {
    char *limit = memory_format("PRAGMA max_page_count = %d", integer(database, "PRAGMA page_count") + pages);
    int result = SQLITE_OK;
    run(database, limit);
    for (int i = 0; i < ROWS_MOST && result == SQLITE_OK; i++)
        result = sqlite3_exec(database, "INSERT INTO lists (id, name) VALUES (uuid(), hex(zeroblob(300)))",
                              NULL, NULL, NULL);
    assert_int_equal(result, SQLITE_FULL);
    assert_true(sqlite3_get_autocommit(database));
    free(limit);
}

static void watch_core(void *core) {
    size_t found = 0;
    for (int pages = 0; pages < ROOMS; pages++) {
        sqlite3 *database = open_app(core);
        memset(&watched, 0, sizeof watched);
        run(database, "INSERT INTO lists (id, name) VALUES ('a', 'b'); BEGIN;"
                      "INSERT INTO lists (id, name) VALUES ('c', 'd'); ROLLBACK");
        assert_int_equal(watched.found, 0); /* neither a write that succeeds nor the app's own ROLLBACK */
        fill(database, pages);
        found += watched.found;
        finalize_late();
        /* That being put right, nothing else is wrong. */
        run(database, "PRAGMA max_page_count = 100000; INSERT INTO lists (id, name) VALUES ('e', 'f')");
        assert_int_equal(
            integer(database, "SELECT (SELECT count(*) FROM ps_crud) = (SELECT count(*) FROM lists)"), 1);
        sqlite3_close(database);
    }
    assert_true(found > 0); /* the core is mended: then the scenario and docs/client.md must change */
}

static void test_a_running_statement_is_finalized(void **state) {
    (void)state;
    make_table();
    for (const struct core_version *version = core_versions(); version->engine; version++) {
        struct core_library *library = NULL;
        struct error error = {0};
        if (core_version_open(version, &library, &error) != STATUS_OK) {
            print_message("skipped: %s\n", error.message);
            continue;
        }
        /* Stays loaded, so that a leak report can name it. */
        void *core = dlopen(core_library_path(library), RTLD_NOW | RTLD_LOCAL);
        assert_non_null(core);
        watch_core(core);
        core_library_close(library);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_running_statement_is_finalized)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
