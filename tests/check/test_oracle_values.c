/* Values: how a Convex document becomes the text of a client's row. Expected texts follow the type mapping of
 * the service (Convex JSON to SQLite value to synced JSON) and the client core's CAST to the column's type.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "check/oracle.h"
#include "kernel/time.h"

static const struct client_column columns[] = {{"t", "text"}, {"i", "integer"}, {"r", "real"}};
static const struct client_table tables[] = {{"things", columns, 3}};
static const struct client_schema schema = {tables, 1};
static const char *const users[] = {"ann"};

static const char all_things[] =
    "streams:\n  s: {auto_subscribe: true, query: 'SELECT *, _id AS id FROM things'}\n";

struct bench {
    struct history *history;
    struct oracle *oracle;
};

static struct bench bench_open(const char *config) {
    struct bench bench = {.history = history_create()};
    struct error error;
    if (oracle_create(config, &schema, users, NULL, 1, &bench.oracle, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return bench;
}

static void bench_close(struct bench *bench) {
    oracle_destroy(bench->oracle);
    history_destroy(bench->history);
}

static void put(struct bench *bench, const char *table, const char *id, const char *json) {
    const struct note_row row = {.table = table, .id = id, .values = json};
    const struct note note = {
        .kind = NOTE_COMMIT, .timestamp = TIME_WALL_START + 1, .rows = &row, .n_rows = json == NULL ? 0 : 1};
    oracle_record(bench->oracle, history_add(bench->history, 0, "convex", &note));
}

static void expect_text(const struct bench *bench, const char *id, const char *text) {
    const struct oracle_row *row = oracle_user_row(oracle_user(bench->oracle, "ann"), "things", id);
    assert_non_null(row);
    assert_non_null(row->text);
    assert_string_equal(row->text, text);
}

static void expect_mapping(const char *json, const char *text) {
    struct bench bench = bench_open(all_things);
    char document[512];
    snprintf(document, sizeof document, "{\"_id\":\"x\",\"i\":%s,\"r\":%s,\"t\":%s}", json, json, json);
    put(&bench, "things", "x", document);
    expect_text(&bench, "x", text);
    bench_close(&bench);
}

static void test_values(void **state) {
    (void)state;
    expect_mapping("\"milk\"", "[\"milk\",0,0.0]");
    expect_mapping("\"a\\\"b\\n\\u0001\\u00e9\"", "[\"a\\\"b\\n\\u0001\xc3\xa9\",0,0.0]");
    expect_mapping("\"42\"", "[\"42\",42,42.0]"); /* an Int64 is a text */
    expect_mapping("1.0", "[\"1.0\",1,1.0]");     /* a Float64 stays real */
    expect_mapping("-2.75", "[\"-2.75\",-2,-2.75]");
    expect_mapping("-0.0", "[\"0.0\",0,0.0]"); /* the sign is lost on the way */
    expect_mapping("7", "[\"7\",7,7.0]");      /* an integer token is an integer */
    expect_mapping("9007199254740993", "[\"9007199254740993\",9007199254740993,9007199254740992.0]");
    expect_mapping("true", "[\"1\",1,1.0]");
    expect_mapping("false", "[\"0\",0,0.0]");
    expect_mapping("null", "[null,null,null]");
    expect_mapping("\"NaN\"", "[\"NaN\",0,0.0]");
    expect_mapping("[1.0,true,null,\"x\"]", "[\"[1.0,true,null,\\\"x\\\"]\",0,0.0]");
    expect_mapping("{\"b\": {\"c\": [ -0.0 ]}, \"a\": 1}",
                   "[\"{\\\"b\\\":{\\\"c\\\":[0.0]},\\\"a\\\":1}\",0,0.0]");
}

/* Absent fields are NULL, also those that no document has had yet; documents change their shape at any time.
 */
static void test_shapes(void **state) {
    (void)state;
    struct bench bench = bench_open(all_things);
    put(&bench, "things", "x", "{\"_id\":\"x\"}");
    expect_text(&bench, "x", "[null,null,null]");
    put(&bench, "things", "y", "{\"_id\":\"y\",\"i\":3.0,\"extra\":true}");
    put(&bench, "things", "z",
        "{\"_id\":\"z\",\"t\":\"late\",\"select\":1.0,\"a \\\"b\":1.0,\"T\":\"upper\"}");
    expect_text(&bench, "x", "[null,null,null]");
    expect_text(&bench, "y", "[null,3,null]");
    expect_text(&bench, "z", "[\"late\",null,null]");
    put(&bench, "things", "y", "{\"_id\":\"y\",\"t\":\"now a text\"}");
    expect_text(&bench, "y", "[\"now a text\",null,null]");
    put(&bench, "things", "y", "not json");
    expect_text(&bench, "y", "[null,null,null]");
    bench_close(&bench);
}

/* Later columns win, so a field `id` of the document does not become the row's id. */
static void test_id_column(void **state) {
    (void)state;
    struct bench bench = bench_open(all_things);
    put(&bench, "things", "x", "{\"_id\":\"x\",\"id\":\"not this\",\"t\":\"a\"}");
    expect_text(&bench, "x", "[\"a\",null,null]");
    assert_null(oracle_user_row(oracle_user(bench.oracle, "ann"), "things", "not this"));
    bench_close(&bench);
    bench =
        bench_open("streams:\n  s: {auto_subscribe: true, query: 'SELECT *, number AS id FROM things'}\n");
    put(&bench, "things", "x", "{\"_id\":\"x\",\"number\":5,\"t\":\"a\"}");
    expect_text(&bench, "5", "[\"a\",null,null]");
    put(&bench, "things", "x", "{\"_id\":\"x\",\"t\":\"b\"}");
    expect_text(&bench, "", "[\"b\",null,null]");
    bench_close(&bench);
}

/* Expressions and aliases; the alias of the table is the clients' table. */
static void test_expressions(void **state) {
    (void)state;
    struct bench bench = bench_open("streams:\n  s:\n    auto_subscribe: true\n    query: >\n"
                                    "      SELECT name || '!' AS t, CAST(n AS INTEGER) AS i, auth.user_id() "
                                    "AS r, _id AS id FROM \"Source\" AS \"things\"\n");
    put(&bench, "Source", "x", "{\"_id\":\"x\",\"name\":\"hello\",\"n\":\"41\"}");
    expect_text(&bench, "x", "[\"hello!\",41,0.0]");
    put(&bench, "things", "y", "{\"_id\":\"y\"}");
    assert_null(oracle_user_row(oracle_user(bench.oracle, "ann"), "things", "y"));
    bench_close(&bench);
}

/* Two documents with one client id: the one written last shows, and when it goes the other one does. */
static void test_two_documents_for_one_row(void **state) {
    (void)state;
    struct bench bench =
        bench_open("streams:\n  s: {auto_subscribe: true, query: 'SELECT *, u AS id FROM things'}\n");
    put(&bench, "things", "x", "{\"_id\":\"x\",\"u\":\"one\",\"t\":\"x\"}");
    put(&bench, "things", "y", "{\"_id\":\"y\",\"u\":\"one\",\"t\":\"y\"}");
    expect_text(&bench, "one", "[\"y\",null,null]");
    put(&bench, "things", "x", "{\"_id\":\"x\",\"u\":\"one\",\"t\":\"x again\"}");
    expect_text(&bench, "one", "[\"x again\",null,null]");
    put(&bench, "things", "x", "{\"_id\":\"x\",\"u\":\"other\",\"t\":\"moved\"}");
    expect_text(&bench, "one", "[\"y\",null,null]");
    expect_text(&bench, "other", "[\"moved\",null,null]");
    bench_close(&bench);
}

/* --- configs that are refused --- */

static void expect_refused(const char *config, const char *word) {
    struct oracle *oracle;
    struct error error = {0};
    assert_int_equal(oracle_create(config, &schema, users, NULL, 1, &oracle, &error), STATUS_INVALID);
    if (strstr(error.message, word) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, word);
}

static void test_refused(void **state) {
    (void)state;
    expect_refused("- 1", "streams");
    expect_refused("streams: {s: {auto_subscribe: true}}", "query");
    expect_refused("streams: {s: 7}", "query");
    expect_refused("streams: {s: {auto_subscribe: true, query: 7}}", "text");
    expect_refused("streams: {s: {auto_subscribe: true, query: 'SELECT 1'}}", "no table");
    expect_refused("streams: {s: {auto_subscribe: true, query: 'SELEKT * FROM things'}}", "stream s");
    expect_refused("streams: {s: {auto_subscribe: true, query: 'SELECT * FROM \"a%\", things'}}", "wildcard");
    expect_refused("streams: {s: {auto_subscribe: true, query: 'SELECT * FROM things WHERE i + 1 != 2'}}",
                   "brackets");
    expect_refused("streams: {s: {auto_subscribe: true, query: 'SELECT * FROM things WHERE i NOT BETWEEN 1 "
                   "AND 2'}}",
                   "NOT BETWEEN");
    expect_refused("streams: {s: {auto_subscribe: true, query: 'SELECT * FROM things WHERE nosuch(t) = 1'}}",
                   "nosuch");
    expect_refused("streams: {s: {auto_subscribe: true, query: \"SELECT * FROM things WHERE t = "
                   "connection.jwt()\"}}",
                   "request");
    expect_refused(
        "with: [1]\nstreams: {s: {auto_subscribe: true, query: 'SELECT *, _id AS id FROM things'}}",
        "`with`");
}

/* --- SQLite's random numbers and clock are the clients', not ours --- */

static sqlite3_vfs spy;
static sqlite3_vfs *real_vfs;
static int asked;

static int spy_randomness(sqlite3_vfs *vfs, int length, char *out) {
    (void)vfs;
    asked++;
    return real_vfs->xRandomness(real_vfs, length, out);
}

static int spy_time(sqlite3_vfs *vfs, sqlite3_int64 *out) {
    (void)vfs;
    asked++;
    return real_vfs->xCurrentTimeInt64(real_vfs, out);
}

static void test_no_randomness_and_no_time(void **state) {
    (void)state;
    real_vfs = sqlite3_vfs_find(NULL);
    spy = *real_vfs;
    spy.zName = "unix"; /* the name that the oracle asks for */
    spy.pNext = NULL;
    spy.xRandomness = spy_randomness;
    spy.xCurrentTimeInt64 = spy_time;
    sqlite3_vfs *unix_vfs = sqlite3_vfs_find("unix");
    sqlite3_vfs_unregister(unix_vfs);
    assert_int_equal(sqlite3_vfs_register(&spy, 1), SQLITE_OK);
    sqlite3_randomness(0, NULL); /* the next draw asks the VFS for a seed */
    struct bench bench = bench_open(all_things);
    for (int i = 0; i < 50; i++) {
        char id[16];
        char json[64];
        snprintf(id, sizeof id, "x%d", i % 10);
        snprintf(json, sizeof json, "{\"_id\":\"%s\",\"t\":\"a\",\"field%d\":1.0}", id, i);
        put(&bench, "things", id, i % 7 == 0 ? NULL : json);
    }
    assert_int_equal(asked, 0);
    bench_close(&bench);
    unsigned char byte;
    sqlite3_randomness(1, &byte); /* the spy does notice */
    assert_int_equal(asked, 1);
    sqlite3_vfs_unregister(&spy);
    sqlite3_vfs_register(unix_vfs, 1);
}

int main(void) {
    sqlite3_initialize();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_id_column),
        cmocka_unit_test(test_expressions),
        cmocka_unit_test(test_two_documents_for_one_row),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_randomness_and_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
