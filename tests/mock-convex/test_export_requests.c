/* The export endpoints: request -> status and code, one table an endpoint, to be read beside the tables of
 * docs/mock-convex.md. */
#include "fixture.h"

#define KEY AUTHORIZED
#define JSON "application/json"
#define SOON "9000000000000000000" /* the year 2255 */
#define MIN_ID "0400000000000000000000000000248"
#define TABLET "AAAAAAAAAAAAAAAAAAAAAA"
#define CURSOR(tablet, id) "%7B%22tablet%22%3A%22" tablet "%22%2C%22id%22%3A%22" id "%22%7D"

static const struct expectation authorizations[] = {
    {"no header", "GET", "/api/json_schemas", NULL, NULL, NULL, 403, "BadDeployKey"},
    {"a user", "GET", "/api/json_schemas", TOKEN, NULL, NULL, 403, "BadDeployKey"},
    {"a broken token", "GET", "/api/json_schemas", "Bearer nonsense", NULL, NULL, 401, "InvalidAuthHeader"},
    {"another secret", "GET", "/api/json_schemas", "Convex prod:syncline-1|0123456789abcdee", NULL, NULL, 401,
     "BadAdminKey"},
    {"another name", "GET", "/api/json_schemas", "Convex prod:syncline-2|0123456789abcdef", NULL, NULL, 401,
     "BadAdminKey"},
    {"no name", "GET", "/api/json_schemas", "Convex 0123456789abcdef", NULL, NULL, 401, "BadAdminKey"},
    {"junk", "GET", "/api/json_schemas", "Convex !", NULL, NULL, 401, "BadAdminKey"},
    {"an empty key", "GET", "/api/json_schemas", "Convex ", NULL, NULL, 401, "BadAdminKey"},
    {"two spaces", "GET", "/api/json_schemas", "Convex  " DEPLOY_KEY, NULL, NULL, 401, "BadAdminKey"},
    {"an unknown scheme", "GET", "/api/json_schemas", "Basic x", NULL, NULL, 400, "InvalidAdminKey"},
    {"6 characters", "GET", "/api/json_schemas", "Convex", NULL, NULL, 400, "InvalidHeaderFailure"},
    {"not ASCII", "GET", "/api/json_schemas", "Convex \xc3\xa9\xc3\xa9", NULL, NULL, 400,
     "HeaderParseFailure"},
    {"acting, not base64", "GET", "/api/json_schemas", KEY ":*", NULL, NULL, 400, "HeaderParseFailure"},
    {"acting, not JSON", "GET", "/api/json_schemas", KEY ":eA==", NULL, NULL, 400, "HeaderParseFailure"},
    {"acting as a user", "GET", "/api/json_schemas", KEY ":e30=", NULL, NULL, 403, "SystemIdentityRequired"},
    {"the key", "GET", "/api/json_schemas", KEY, NULL, NULL, 200, ""},
    {"scheme without case", "GET", "/api/json_schemas", "cONVEX " DEPLOY_KEY, NULL, NULL, 200, ""},
    {"the type of the key does not matter", "GET", "/api/json_schemas",
     "Convex dev:syncline-1|0123456789abcdef", NULL, NULL, 200, ""},
    {"without a type", "GET", "/api/json_schemas", "Convex syncline-1|0123456789abcdef", NULL, NULL, 200, ""},
    {"the key in the query", "GET", "/api/json_schemas?adminKey=prod:syncline-1%7C0123456789abcdef", NULL,
     NULL, NULL, 200, ""},
    {"the header wins", "GET", "/api/json_schemas?adminKey=prod:syncline-1%7C0123456789abcdef", "Basic x",
     NULL, NULL, 400, "InvalidAdminKey"}};

static const struct expectation snapshots[] = {
    {"plain", "GET", "/api/list_snapshot", KEY, NULL, NULL, 200, ""},
    {"as PowerSync asks", "GET", "/api/list_snapshot?format=json", KEY, NULL, NULL, 200, ""},
    {"unknown keys are ignored", "GET", "/api/list_snapshot?x=1&x=2", KEY, NULL, NULL, 200, ""},
    {"a stray &", "GET", "/api/list_snapshot?&&", KEY, NULL, NULL, 200, ""},
    {"snapshot no number", "GET", "/api/list_snapshot?snapshot=abc", KEY, NULL, NULL, 400, "BadQueryArgs"},
    {"snapshot empty", "GET", "/api/list_snapshot?snapshot=", KEY, NULL, NULL, 400, "BadQueryArgs"},
    {"snapshot with a fraction", "GET", "/api/list_snapshot?snapshot=1.0", KEY, NULL, NULL, 400,
     "BadQueryArgs"},
    {"snapshot above int64", "GET", "/api/list_snapshot?snapshot=9223372036854775808", KEY, NULL, NULL, 400,
     "BadQueryArgs"},
    {"snapshot with a space", "GET", "/api/list_snapshot?snapshot=+1", KEY, NULL, NULL, 400, "BadQueryArgs"},
    {"decoding comes before the key", "GET", "/api/list_snapshot?snapshot=abc", NULL, NULL, NULL, 400,
     "BadQueryArgs"},
    {"repeated", "GET", "/api/list_snapshot?format=json&format=json", KEY, NULL, NULL, 400, "BadQueryArgs"},
    {"both spellings", "GET", "/api/list_snapshot?table_name=pets&tableName=pets", KEY, NULL, NULL, 400,
     "BadQueryArgs"},
    {"negative", "GET", "/api/list_snapshot?snapshot=-1", KEY, NULL, NULL, 500, "InternalServerError"},
    {"negative, no key", "GET", "/api/list_snapshot?snapshot=-1", NULL, NULL, NULL, 403, "BadDeployKey"},
    {"the future", "GET", "/api/list_snapshot?snapshot=" SOON, KEY, NULL, NULL, 400, "SnapshotTooNew"},
    {"the past", "GET", "/api/list_snapshot?snapshot=0", KEY, NULL, NULL, 400, "SnapshotTooOld"},
    {"cursor empty", "GET", "/api/list_snapshot?cursor=", KEY, NULL, NULL, 400, "InvalidListSnapshotCursor"},
    {"cursor no JSON", "GET", "/api/list_snapshot?cursor=abc", KEY, NULL, NULL, 400,
     "InvalidListSnapshotCursor"},
    {"cursor a number", "GET", "/api/list_snapshot?cursor=1", KEY, NULL, NULL, 400,
     "InvalidListSnapshotCursor"},
    {"cursor without id", "GET", "/api/list_snapshot?cursor=%7B%22tablet%22%3A%22" TABLET "%22%7D", KEY, NULL,
     NULL, 400, "InvalidListSnapshotCursor"},
    {"cursor with a short tablet", "GET", "/api/list_snapshot?cursor=" CURSOR("AAAA", MIN_ID), KEY, NULL,
     NULL, 400, "InvalidListSnapshotCursor"},
    {"cursor with a bad tablet", "GET", "/api/list_snapshot?cursor=" CURSOR("AAAAAAAAAAAAAAAAAAAA**", MIN_ID),
     KEY, NULL, NULL, 400, "InvalidListSnapshotCursor"},
    {"cursor with a bad id", "GET", "/api/list_snapshot?cursor=" CURSOR(TABLET, "0400"), KEY, NULL, NULL, 400,
     "InvalidListSnapshotCursor"},
    {"cursor encoded twice", "GET", "/api/list_snapshot?cursor=%257B%2522tablet%2522%257D", KEY, NULL, NULL,
     400, "InvalidListSnapshotCursor"},
    {"bad cursor before a too new snapshot", "GET", "/api/list_snapshot?cursor=x&snapshot=" SOON, KEY, NULL,
     NULL, 400, "InvalidListSnapshotCursor"},
    {"cursor without snapshot", "GET", "/api/list_snapshot?cursor=" CURSOR(TABLET, MIN_ID), KEY, NULL, NULL,
     200, ""},
    {"acting as a user", "GET", "/api/list_snapshot?snapshot=" SOON, KEY ":e30=", NULL, NULL, 403,
     "SystemIdentityRequired"},
    {"acting, bad cursor", "GET", "/api/list_snapshot?cursor=x", KEY ":e30=", NULL, NULL, 400,
     "InvalidListSnapshotCursor"},
    {"one table", "GET", "/api/list_snapshot?table_name=pets", KEY, NULL, NULL, 200, ""},
    {"one table, the other spelling", "GET", "/api/list_snapshot?tableName=pets", KEY, NULL, NULL, 200, ""},
    {"a table that is not there", "GET", "/api/list_snapshot?table_name=nobody", KEY, NULL, NULL, 200, ""},
    {"a table that cannot be", "GET", "/api/list_snapshot?table_name=1x", KEY, NULL, NULL, 500,
     "InternalServerError"},
    {"an empty table name", "GET", "/api/list_snapshot?table_name=", KEY, NULL, NULL, 500,
     "InternalServerError"},
    {"a component that is not there", "GET", "/api/list_snapshot?component=a/b", KEY, NULL, NULL, 200, ""},
    {"a component that cannot be", "GET", "/api/list_snapshot?component=a//b", KEY, NULL, NULL, 500,
     "InternalServerError"},
    {"format", "GET", "/api/list_snapshot?format=xml", KEY, NULL, NULL, 400, "BadFormat"},
    {"format comes last", "GET", "/api/list_snapshot?format=xml&snapshot=" SOON, KEY, NULL, NULL, 400,
     "SnapshotTooNew"},
    {"selection in a GET falls through", "GET", "/api/list_snapshot?selection=nonsense", KEY, NULL, NULL, 200,
     ""},
    {"POST", "POST", "/api/list_snapshot", KEY, JSON, "{}", 200, ""},
    {"POST with nulls", "POST", "/api/list_snapshot", KEY, JSON,
     "{\"snapshot\":null,\"cursor\":null,\"format\":null,\"table_name\":null}", 200, ""},
    {"POST with a + type", "POST", "/api/list_snapshot", KEY, "application/x+json; charset=utf-8", "{}", 200,
     ""},
    {"POST authenticates first", "POST", "/api/list_snapshot", "Basic x", NULL, NULL, 400, "InvalidAdminKey"},
    {"POST without a type", "POST", "/api/list_snapshot", KEY, NULL, "{}", 400, "BadJsonBody"},
    {"POST as text", "POST", "/api/list_snapshot", KEY, "text/plain", "{}", 400, "BadJsonBody"},
    {"POST without a body", "POST", "/api/list_snapshot", KEY, JSON, NULL, 400, "BadJsonBody"},
    {"POST decodes before it asks for the key", "POST", "/api/list_snapshot", NULL, JSON, "[]", 400,
     "BadJsonBody"},
    {"POST without key", "POST", "/api/list_snapshot", NULL, JSON, "{}", 403, "BadDeployKey"},
    {"POST with a text snapshot", "POST", "/api/list_snapshot", KEY, JSON, "{\"snapshot\":\"1\"}", 400,
     "BadJsonBody"},
    {"POST with a float snapshot", "POST", "/api/list_snapshot", KEY, JSON, "{\"snapshot\":1.0}", 400,
     "BadJsonBody"},
    {"POST with an object cursor", "POST", "/api/list_snapshot", KEY, JSON, "{\"cursor\":{}}", 400,
     "BadJsonBody"},
    {"POST negative", "POST", "/api/list_snapshot", KEY, JSON, "{\"snapshot\":-5}", 500,
     "InternalServerError"},
    {"POST new", "POST", "/api/list_snapshot", KEY, JSON, "{\"snapshot\":" SOON "}", 400, "SnapshotTooNew"},
    {"POST with a wrong filter falls through", "POST", "/api/list_snapshot", KEY, JSON, "{\"table_name\":7}",
     200, ""},
    {"wrong method", "PUT", "/api/list_snapshot", KEY, NULL, NULL, 405, ""},
    {"wrong path", "GET", "/api/list_snapshots", KEY, NULL, NULL, 404, ""},
    {"a slash too many", "GET", "/api/list_snapshot/", KEY, NULL, NULL, 404, ""}};

static const struct expectation deltas[] = {
    {"from the beginning", "GET", "/api/document_deltas?cursor=0", KEY, NULL, NULL, 200, ""},
    {"from the future", "GET", "/api/document_deltas?cursor=" SOON, KEY, NULL, NULL, 200, ""},
    {"a plus sign", "GET", "/api/document_deltas?cursor=%2B5", KEY, NULL, NULL, 200, ""},
    {"without cursor", "GET", "/api/document_deltas", KEY, NULL, NULL, 400, "DocumentDeltasCursorRequired"},
    {"without cursor or key", "GET", "/api/document_deltas", NULL, NULL, NULL, 403, "BadDeployKey"},
    {"cursor empty", "GET", "/api/document_deltas?cursor=", KEY, NULL, NULL, 400, "BadQueryArgs"},
    {"cursor no number", "GET", "/api/document_deltas?cursor=abc", KEY, NULL, NULL, 400, "BadQueryArgs"},
    {"cursor no number, no key", "GET", "/api/document_deltas?cursor=abc", NULL, NULL, NULL, 400,
     "BadQueryArgs"},
    {"cursor in exponent form", "GET", "/api/document_deltas?cursor=1e18", KEY, NULL, NULL, 400,
     "BadQueryArgs"},
    {"cursor too large", "GET", "/api/document_deltas?cursor=9223372036854775808", KEY, NULL, NULL, 400,
     "BadQueryArgs"},
    {"the largest", "GET", "/api/document_deltas?cursor=9223372036854775807", KEY, NULL, NULL, 200, ""},
    {"cursor negative", "GET", "/api/document_deltas?cursor=-1", KEY, NULL, NULL, 500, "InternalServerError"},
    {"the smallest", "GET", "/api/document_deltas?cursor=-9223372036854775808", KEY, NULL, NULL, 500,
     "InternalServerError"},
    {"cursor twice", "GET", "/api/document_deltas?cursor=1&cursor=1", KEY, NULL, NULL, 400, "BadQueryArgs"},
    {"a sign alone", "GET", "/api/document_deltas?cursor=-", KEY, NULL, NULL, 400, "BadQueryArgs"},
    {"format", "GET", "/api/document_deltas?cursor=0&format=xml", KEY, NULL, NULL, 400, "BadFormat"},
    {"format and no cursor", "GET", "/api/document_deltas?format=xml", KEY, NULL, NULL, 400,
     "DocumentDeltasCursorRequired"},
    {"a table that is not there", "GET", "/api/document_deltas?cursor=0&table_name=nobody", KEY, NULL, NULL,
     200, ""},
    {"a table that cannot be", "GET", "/api/document_deltas?cursor=0&tableName=a-b", KEY, NULL, NULL, 500,
     "InternalServerError"},
    {"broken percent signs", "GET", "/api/document_deltas?cursor=%zz", KEY, NULL, NULL, 400, "BadQueryArgs"},
    {"no UTF-8", "GET", "/api/document_deltas?cursor=%ff", KEY, NULL, NULL, 400, "BadQueryArgs"},
    {"a zero byte", "GET", "/api/document_deltas?cursor=%00", KEY, NULL, NULL, 400, "BadQueryArgs"},
    {"acting as a user", "GET", "/api/document_deltas?cursor=0&format=xml", KEY ":e30=", NULL, NULL, 403,
     "SystemIdentityRequired"},
    {"POST", "POST", "/api/document_deltas", KEY, JSON, "{\"cursor\":0}", 200, ""},
    {"POST without cursor", "POST", "/api/document_deltas", KEY, JSON, "{}", 400,
     "DocumentDeltasCursorRequired"},
    {"POST with a null cursor", "POST", "/api/document_deltas", KEY, JSON, "{\"cursor\":null}", 400,
     "DocumentDeltasCursorRequired"},
    {"POST with a text cursor", "POST", "/api/document_deltas", KEY, JSON, "{\"cursor\":\"0\"}", 400,
     "BadJsonBody"},
    {"POST negative", "POST", "/api/document_deltas", KEY, JSON, "{\"cursor\":-1}", 500,
     "InternalServerError"},
    {"POST format", "POST", "/api/document_deltas", KEY, JSON, "{\"cursor\":0,\"format\":\"xml\"}", 400,
     "BadFormat"},
    {"POST ignores the query", "POST", "/api/document_deltas?cursor=0", KEY, JSON, "{}", 400,
     "DocumentDeltasCursorRequired"},
    {"wrong method", "DELETE", "/api/document_deltas?cursor=0", KEY, NULL, NULL, 405, ""}};

static const struct expectation schemas[] = {
    {"plain", "GET", "/api/json_schemas", KEY, NULL, NULL, 200, ""},
    {"both flags", "GET", "/api/json_schemas?deltaSchema=true&byComponent=false", KEY, NULL, NULL, 200, ""},
    {"flag 1", "GET", "/api/json_schemas?deltaSchema=1", KEY, NULL, NULL, 400, "BadQueryArgs"},
    {"flag in capitals", "GET", "/api/json_schemas?byComponent=True", KEY, NULL, NULL, 400, "BadQueryArgs"},
    {"flag empty, no key", "GET", "/api/json_schemas?byComponent=", NULL, NULL, NULL, 400, "BadQueryArgs"},
    {"a table filter is ignored", "GET", "/api/json_schemas?table_name=1x", KEY, NULL, NULL, 200, ""},
    {"format", "GET", "/api/json_schemas?format=xml", KEY, NULL, NULL, 400, "BadFormat"},
    {"POST", "POST", "/api/json_schemas", KEY, JSON, "{}", 405, ""},
    {"columns", "GET", "/api/get_table_column_names", KEY, NULL, NULL, 200, ""},
    {"columns, no key", "GET", "/api/get_table_column_names", NULL, NULL, NULL, 403, "BadDeployKey"},
    {"probe", "GET", "/api/test_streaming_export_connection", KEY, NULL, NULL, 200, ""},
    {"probe, no key", "GET", "/api/test_streaming_export_connection", NULL, NULL, NULL, 403, "BadDeployKey"},
    {"key check", "GET", "/api/check_admin_key", KEY, NULL, NULL, 200, ""},
    {"key check, another key", "GET", "/api/check_admin_key", "Convex x|y", NULL, NULL, 401, "BadAdminKey"},
    {"shapes", "GET", "/api/shapes2", KEY, NULL, NULL, 200, ""},
    {"shapes, no key", "GET", "/api/shapes2", NULL, NULL, NULL, 403, "BadDeployKey"},
    {"shapes of a component that cannot be", "GET", "/api/shapes2?component=1", KEY, NULL, NULL, 500,
     "InternalServerError"},
    {"replacing tables, no key", "POST", "/api/streaming_import/replace_tables", NULL, JSON,
     "{\"tableNames\":[]}", 403, "BadDeployKey"},
    {"replacing tables, no names", "PUT", "/api/streaming_import/replace_tables", KEY, JSON, "{}", 400,
     "BadJsonBody"},
    {"replacing no tables", "PUT", "/api/streaming_import/replace_tables", KEY, JSON, "{\"tableNames\":[]}",
     200, ""},
    {"root", "GET", "/", NULL, NULL, NULL, 200, ""},
    {"an old endpoint", "GET", "/api/get_tables_and_columns", KEY, NULL, NULL, 404, ""},
    {"nothing", "GET", "", KEY, NULL, NULL, 404, ""}};

static void check(const struct expectation *rows, size_t count) {
    struct fixture *fixture = fixture_make();
    mutate(fixture, "pets:add", "{\"count\":3}");
    check_expectations(fixture, rows, count);
    fixture_free(fixture);
}

static void test_authorization(void **state) {
    (void)state;
    check(authorizations, LENGTH_OF(authorizations));
}

static void test_list_snapshot(void **state) {
    (void)state;
    check(snapshots, LENGTH_OF(snapshots));
}

static void test_document_deltas(void **state) {
    (void)state;
    check(deltas, LENGTH_OF(deltas));
}

static void test_schema_endpoints(void **state) {
    (void)state;
    check(schemas, LENGTH_OF(schemas));
}

/* Router errors have no body at all; envelopes are JSON; other answers take the read time. */
static void test_bodies_and_times(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct answer answer;
    send_request(fixture, &answer, "GET", "/nowhere", NULL, NULL, NULL, 0);
    wait_for(fixture, &answer);
    assert_int_equal(answer.status, 404);
    assert_int_equal(answer.body.length, 0);
    send_request(fixture, &answer, "PATCH", "/api/mutation", NULL, NULL, NULL, 0);
    wait_for(fixture, &answer);
    assert_int_equal(answer.status, 405);
    assert_int_equal(answer.body.length, 0);
    int64_t start = world_now(fixture->world);
    send_request(fixture, &answer, "GET", "/api/test_streaming_export_connection", AUTHORIZED, NULL, NULL, 0);
    wait_for(fixture, &answer);
    assert_string_equal(buffer_text(&answer.body), "null");
    assert_string_equal(answer.content_type, "application/json");
    assert_int_equal(answer.at - start, 4 * TIME_MILLISECOND); /* 1 there, 2 reading, 1 back */
    buffer_free(&answer.body);
    fixture_free(fixture);
}

/* A snapshot of exactly 5 days is read; 1 ns older is not. A cursor older than 14 days fails once the log is
 * older. */
static void test_ages(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    char target[128];
    mutate(fixture, "pets:add", "{\"uuid\":\"a\"}");
    int64_t first = convex_deployment_latest(fixture->deployment);
    fixture_run(fixture, 15 * TIME_DAY);
    struct answer answer;
    send_request(fixture, &answer, "GET", "/api/document_deltas?cursor=0", AUTHORIZED, NULL, NULL, 0);
    wait_for(fixture, &answer);
    assert_int_equal(answer.status, 200); /* nothing has been dropped yet */
    buffer_free(&answer.body);
    mutate(fixture, "pets:add", "{\"uuid\":\"b\"}");
    int64_t latest = convex_deployment_latest(fixture->deployment);
    struct expectation rows[] = {
        {"5 days", "GET", NULL, AUTHORIZED, NULL, NULL, 200, ""},
        {"5 days and 1 ns", "GET", NULL, AUTHORIZED, NULL, NULL, 400, "SnapshotTooOld"},
        {"14 days", "GET", NULL, AUTHORIZED, NULL, NULL, 200, ""},
        {"more", "GET", NULL, AUTHORIZED, NULL, NULL, 400, "InvalidWindowToReadDocuments"},
        {"the first", "GET", NULL, AUTHORIZED, NULL, NULL, 400, "InvalidWindowToReadDocuments"}};
    static const char *const paths[] = {
        "/api/list_snapshot?snapshot=", "/api/list_snapshot?snapshot=", "/api/document_deltas?cursor=",
        "/api/document_deltas?cursor=", "/api/document_deltas?cursor="};
    const int64_t values[] = {latest - 5 * TIME_DAY, latest - 5 * TIME_DAY - 1, latest - 14 * TIME_DAY - 1,
                              latest - 14 * TIME_DAY - 2, first};
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        snprintf(target, sizeof target, "%s%lld", paths[i], (long long)values[i]);
        rows[i].target = target;
        check_expectations(fixture, &rows[i], 1);
    }
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_authorization),    cmocka_unit_test(test_list_snapshot),
        cmocka_unit_test(test_document_deltas),  cmocka_unit_test(test_schema_endpoints),
        cmocka_unit_test(test_bodies_and_times), cmocka_unit_test(test_ages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
