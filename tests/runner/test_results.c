/* The results database: what is written is what a reader of the documented tables gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "runner/results.h"

static const char failed_result[] =
    "{\"passed\":false,\"as_expected\":false,\"violations\":["
    "{\"property\":\"monotonic-reads\",\"client\":\"alice-1\",\"table\":\"todos\",\"row\":\"3f0c\","
    "\"expected\":\"T >= 12\",\"seen\":\"it's "
    "11\",\"time_ns\":12034000000,\"first_record\":17,\"second_record\":40,"
    "\"explanation\":\"went back\"},"
    "{\"property\":\"convergence\",\"client\":\"bob-1\",\"table\":\"\",\"row\":\"\",\"expected\":\"equal\","
    "\"seen\":\"not\",\"time_ns\":1,\"first_record\":0,\"second_record\":0,\"explanation\":\"\"}],"
    "\"steps\":\"w17\\nw18\",\"trace_hash\":\"000102030405060708090a0b0c0d0e0f\",\"trace_length\":2048,"
    "\"virtual_ns\":60000000000,\"events\":5,\"commits\":6,\"local_writes\":7,\"applied\":8,\"judged\":9,"
    "\"exchanges\":10,\"convex_requests\":11,\"faults\":{\"net.reset\":3,\"net.stall\":0},"
    "\"fault_points\":{\"replicator.before-commit\":2},\"marks\":{\"convex.occ-retry\":4},"
    "\"knobs\":{\"convex.delta-page-rows\":128}}";

static char path[64];

static int make_path(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/syncline-results-%d.sqlite", (int)getpid());
    return 0;
}

static int remove_path(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

/* The first column of the first row of a query, as text. */
static void expect(sqlite3 *database, const char *query, const char *expected) {
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(database, query, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    if (text == NULL)
        assert_null(expected);
    else
        assert_string_equal(text, expected);
    sqlite3_finalize(statement);
}

static struct results *create(void) {
    struct results *results = NULL;
    struct results_run run = {.command = "syncline run 'x'",
                              .version = "0.1.0",
                              .engine = "core",
                              .core = "",
                              .workers = 2,
                              .seeds = {1, 200},
                              .shard = {2, 8},
                              .started = "2026-01-31T12:00:00Z"};
    struct error error = {0};
    assert_int_equal(results_create(path, &run, &results, &error), STATUS_OK);
    return results;
}

static void a_seed_comes_back(void **state) {
    struct results *results = create();
    json_t *json = json_parse(failed_result, sizeof failed_result - 1, NULL);
    struct results_seed seed = {.scenario = "smoke",
                                .file = "scenarios/smoke/x.yaml",
                                .seed = 17,
                                .outcome = OUTCOME_FAILED,
                                .wall_time = 123,
                                .failure_file = "failures/smoke-17.yaml",
                                .result = json};
    sqlite3 *database = NULL;
    (void)state;
    assert_non_null(json);
    assert_int_equal(results_add(results, &seed, NULL), STATUS_OK);
    assert_int_equal(results_close(results, "failed", 9000000000, NULL), STATUS_OK);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    expect(database,
           "SELECT command || '|' || shard || '/' || shards || '|' || verdict || '|' || wall_ns FROM runs",
           "syncline run 'x'|3/8|failed|9000000000");
    expect(database,
           "SELECT outcome || trace_hash || trace_length FROM seeds WHERE scenario='smoke' AND seed=17",
           "failed000102030405060708090a0b0c0d0e0f2048");
    expect(database,
           "SELECT events || commits || local_writes || applied || judged || exchanges || convex_requests "
           "FROM seeds",
           "567891011");
    expect(database, "SELECT virtual_ns || '|' || wall_ns || '|' || failure_file FROM seeds",
           "60000000000|123|failures/smoke-17.yaml");
    expect(database,
           "SELECT client || row_id || seen || time_ns || first_record || second_record || steps "
           "FROM violations WHERE number=1",
           "alice-13f0cit's 11120340000001740w17\nw18");
    expect(database, "SELECT property || steps FROM violations WHERE number=2", "convergence");
    expect(database, "SELECT count(*) FROM violations", "2");
    expect(database, "SELECT sum(fired) || '/' || count(*) FROM faults",
           "3/2"); /* one that never fired is there */
    expect(database, "SELECT fired FROM fault_points WHERE name='replicator.before-commit'", "2");
    expect(database, "SELECT reached FROM marks WHERE name='convex.occ-retry'", "4");
    expect(database, "SELECT value FROM knobs WHERE name='convex.delta-page-rows'", "128");
    sqlite3_close(database);
    json_decref(json);
}

/* More seeds than one transaction holds; and a file of an earlier run is replaced. */
static void many_seeds_come_back(void **state) {
    json_t *json = json_parse("{\"passed\":true}", 15, NULL);
    sqlite3 *database = NULL;
    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        struct results *results = create();
        for (uint64_t seed = 1; seed <= 600; seed++)
            assert_int_equal(results_add(results,
                                         &(struct results_seed){.scenario = "s",
                                                                .file = "f",
                                                                .seed = seed,
                                                                .outcome = OUTCOME_PASSED,
                                                                .result = json},
                                         NULL),
                             STATUS_OK);
        assert_int_equal(results_close(results, "passed", 1, NULL), STATUS_OK);
    }
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    expect(database, "SELECT count(*) || '/' || max(seed) FROM seeds", "600/600");
    expect(database, "SELECT failure_file FROM seeds WHERE seed=1", NULL);
    sqlite3_close(database);
    json_decref(json);
}

static void a_seed_counts_once(void **state) {
    struct results *results = create();
    json_t *json = json_parse("{\"passed\":true}", 15, NULL);
    struct results_seed seed = {.scenario = "s", .file = "f", .seed = 1, .result = json};
    struct error error = {0};
    (void)state;
    assert_int_equal(results_add(results, &seed, NULL), STATUS_OK);
    assert_int_equal(results_add(results, &seed, &error), STATUS_IO);
    assert_non_null(strstr(error.message, path));
    results_close(results, "passed", 1, NULL);
    json_decref(json);
}

static void a_bad_place_is_an_error(void **state) {
    struct results *results = NULL;
    struct results_run run = {.command = "", .version = "", .engine = "", .core = "", .started = ""};
    struct error error = {0};
    (void)state;
    assert_int_equal(results_create("/nonexistent/results.sqlite", &run, &results, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "/nonexistent/results.sqlite"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_comes_back),
        cmocka_unit_test(many_seeds_come_back),
        cmocka_unit_test(a_seed_counts_once),
        cmocka_unit_test(a_bad_place_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
