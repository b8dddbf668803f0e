/* Each release by its own number, and one that is not there. */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

#include "client/core_versions.h"

static void test_each_release_is_the_one_it_says(void **state) {
    (void)state;
    for (const struct core_version *version = core_versions(); version->engine; version++) {
        struct core_library *library = NULL;
        struct error error = {0};
        sqlite3 *database;
        sqlite3_stmt *statement;
        if (core_version_open(version, &library, &error) != STATUS_OK) {
            print_message("skipped: %s\n", error.message);
            continue;
        }
        assert_string_equal(version->engine + strlen("core@"), version->version);
        assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
        assert_int_equal(core_library_attach(library, database, &error), STATUS_OK);
        assert_int_equal(sqlite3_prepare_v2(database, "SELECT powersync_rs_version()", -1, &statement, NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        const char *told = (const char *)sqlite3_column_text(statement, 0);
        size_t length = strlen(version->version);
        assert_int_equal(strncmp(told, version->version, length), 0);
        assert_int_equal(told[length], '/');
        sqlite3_finalize(statement);
        sqlite3_close(database);
        core_library_close(library);
    }
}

static void test_a_release_that_is_not_there(void **state) {
    (void)state;
    const struct core_version none = {"core@9.9.9", "9.9.9", "powersync-core-9.9.9"};
    struct core_library *library = NULL;
    struct error error = {0};
    assert_int_equal(core_version_open(&none, &library, &error), STATUS_MISSING);
    assert_non_null(strstr(error.message, "npm package powersync-core-9.9.9"));
    assert_null(core_version_find("core@9.9.9"));
    assert_null(core_version_find("core"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_release_is_the_one_it_says),
                                       cmocka_unit_test(test_a_release_that_is_not_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
