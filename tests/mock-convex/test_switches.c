/* The switches of a deployment: troubles that it makes itself. Expected answers are those of the fact sheet's
 * tables; the switches only say when. */
#include "fixture.h"

#define JSON "application/json"

static struct fixture *make(const struct convex_switches *switches) {
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    options.switches = *switches;
    fixture_deploy(fixture, &options);
    return fixture;
}

static void expect(struct fixture *fixture, const char *method, const char *target, const char *body,
                   int status, const char *code) {
    const struct expectation row = {target, method, target, AUTHORIZED, body != NULL ? JSON : NULL,
                                    body,   status, code};
    check_expectations(fixture, &row, 1);
}

static int64_t latest(const struct fixture *fixture) {
    return convex_deployment_latest(fixture->deployment);
}

static void test_retention(void **state) {
    const struct convex_switches switches = {.retention = 10 * TIME_SECOND,
                                             .snapshot_max_age = 2 * TIME_SECOND};
    struct fixture *fixture = make(&switches);
    char deltas[100], snapshot[100];
    (void)state;
    mutate(fixture, "pets:add", "{}");
    int64_t first = latest(fixture);
    snprintf(deltas, sizeof deltas, "/api/document_deltas?cursor=%lld", (long long)first);
    snprintf(snapshot, sizeof snapshot, "/api/list_snapshot?snapshot=%lld", (long long)first);
    fixture_run(fixture, 3 * TIME_SECOND);
    mutate(fixture, "pets:add", "{}");
    expect(fixture, "GET", deltas, NULL, 200, "");
    expect(fixture, "GET", snapshot, NULL, 400, "SnapshotTooOld");
    fixture_run(fixture, 8 * TIME_SECOND);
    mutate(fixture, "pets:add", "{}");
    expect(fixture, "GET", deltas, NULL, 400, "InvalidWindowToReadDocuments");
    fixture_free(fixture);
}

static void test_summaries(void **state) {
    const struct convex_switches switches = {.summaries_delay = 5 * TIME_SECOND};
    struct fixture *fixture = make(&switches);
    (void)state;
    expect(fixture, "GET", "/api/json_schemas", NULL, 503, "TableSummariesUnavailable");
    expect(fixture, "GET", "/api/get_table_column_names", NULL, 503, "TableSummariesUnavailable");
    expect(fixture, "GET", "/api/list_snapshot", NULL, 200, "");
    expect(fixture, "GET", "/api/document_deltas?cursor=1", NULL, 200, "");
    fixture_run(fixture, 5 * TIME_SECOND);
    expect(fixture, "GET", "/api/json_schemas", NULL, 200, "");
    fixture_free(fixture);
}

static void test_plan(void **state) {
    const struct convex_switches switches = {.no_streaming_export = true};
    static const struct expectation rows[] = {
        {"decoding comes first", "GET", "/api/document_deltas?cursor=x", AUTHORIZED, NULL, NULL, 400,
         "BadQueryArgs"},
        {"then the key's form", "GET", "/api/document_deltas?cursor=1", "Basic x", NULL, NULL, 400,
         "InvalidAdminKey"},
        {"the plan before permission", "GET", "/api/document_deltas?cursor=1", NULL, NULL, NULL, 403,
         "StreamingExportNotEnabled"},
        {"deltas", "GET", "/api/document_deltas?cursor=1", AUTHORIZED, NULL, NULL, 403,
         "StreamingExportNotEnabled"},
        {"snapshot", "POST", "/api/list_snapshot", AUTHORIZED, JSON, "{}", 403, "StreamingExportNotEnabled"},
        {"schemas", "GET", "/api/json_schemas", AUTHORIZED, NULL, NULL, 403, "StreamingExportNotEnabled"},
        {"Data Sync", "POST", "/api/v1/data/sync", AUTHORIZED, JSON, "{}", 403, "StreamingExportNotEnabled"},
        {"functions stay", "POST", "/api/mutation", NULL, JSON, "{\"path\":\"pets:add\",\"args\":{}}", 200,
         ""},
        {"so does the key check", "GET", "/api/check_admin_key", AUTHORIZED, NULL, NULL, 200, ""}};
    struct fixture *fixture = make(&switches);
    (void)state;
    check_expectations(fixture, rows, LENGTH_OF(rows));
    fixture_free(fixture);
}

static void test_no_view_key(void **state) {
#define BLIND "Convex dev:syncline-1|no-looking"
    static const struct convex_key keys[] = {{"prod:syncline-1|no-looking", CONVEX_KEY_NO_VIEW}};
    static const struct expectation rows[] = {
        {"deltas", "GET", "/api/document_deltas?cursor=1", BLIND, NULL, NULL, 403, "OperationNotPermitted"},
        {"permission before arguments", "GET", "/api/document_deltas", BLIND, NULL, NULL, 403,
         "OperationNotPermitted"},
        {"snapshot", "GET", "/api/list_snapshot", BLIND, NULL, NULL, 403, "OperationNotPermitted"},
        {"probe", "GET", "/api/test_streaming_export_connection", BLIND, NULL, NULL, 403,
         "OperationNotPermitted"},
        {"Data Sync", "POST", "/api/v1/data/sync", BLIND, JSON, "{}", 403, "OperationNotPermitted"},
        {"shapes", "GET", "/api/shapes2", BLIND, NULL, NULL, 403, "OperationNotPermitted"},
        {"mutations", "POST", "/api/mutation", BLIND, JSON, "{\"path\":\"pets:add\",\"args\":{}}", 200, ""},
        {"the other key", "GET", "/api/list_snapshot", AUTHORIZED, NULL, NULL, 200, ""}};
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    struct answer answer;
    (void)state;
    options.keys = keys;
    options.n_keys = LENGTH_OF(keys);
    fixture_deploy(fixture, &options);
    check_expectations(fixture, rows, LENGTH_OF(rows));
    send_request(fixture, &answer, "GET", "/api/list_snapshot", BLIND, NULL, NULL, 0);
    wait_for(fixture, &answer);
    assert_non_null(strstr(buffer_text(&answer.body), "deployment:data:view"));
    buffer_free(&answer.body);
    fixture_free(fixture);
}

static size_t rows_of(struct fixture *fixture, const char *target) {
    json_t *page = get_json(fixture, target);
    size_t count = json_array_size(json_object_get(page, "values"));
    json_decref(page);
    return count;
}

static void test_alias(void **state) {
    const struct convex_switches switches = {.ignores_table_name_alias = true};
    struct fixture *fixture = make(&switches);
    (void)state;
    mutate(fixture, "pets:add", "{\"count\":3}");
    assert_int_equal(rows_of(fixture, "/api/document_deltas?cursor=0&tableName=empty"), 3);
    assert_int_equal(rows_of(fixture, "/api/document_deltas?cursor=0&table_name=empty"), 0);
    assert_int_equal(rows_of(fixture, "/api/document_deltas?cursor=0&table_name=pets&tableName=empty"), 3);
    fixture_free(fixture);
}

/* A reader that stops at the first empty page would lose the second pet (sheet 8.1, 8). */
static void test_noise(void **state) {
    const struct convex_switches switches = {.system_noise = 300};
    struct fixture *fixture = make(&switches);
    int64_t cursor = latest(fixture);
    int empty = 0, rows = 0;
    bool more = true;
    (void)state;
    mutate(fixture, "pets:add", "{}");
    mutate(fixture, "pets:add", "{}");
    for (int pages = 0; more; pages++) {
        char target[100];
        assert_true(pages < 20);
        snprintf(target, sizeof target, "/api/document_deltas?cursor=%lld", (long long)cursor);
        json_t *page = get_json(fixture, target);
        size_t count = json_array_size(json_object_get(page, "values"));
        more = json_is_true(json_object_get(page, "hasMore"));
        empty += count == 0 && more;
        rows += (int)count;
        assert_true(json_integer_value(json_object_get(page, "cursor")) > cursor);
        cursor = json_integer_value(json_object_get(page, "cursor"));
        json_decref(page);
    }
    assert_int_equal(rows, 2);
    assert_true(empty >= 2);
    assert_int_equal(fixture->commits, 2);
    fixture_free(fixture);
}

/* The clock goes back: the next commit is the newest one's successor (sheet 4.1). */
static void test_clock_steps_back(void **state) {
    const struct convex_switches none = {0};
    struct fixture *fixture = make(&none);
    (void)state;
    mutate(fixture, "pets:add", "{}");
    int64_t before = latest(fixture);
    world_set_clock(fixture->world, "convex", -TIME_HOUR, 0);
    mutate(fixture, "pets:add", "{}");
    assert_int_equal(latest(fixture), before + 1);
    mutate(fixture, "pets:add", "{}");
    assert_int_equal(latest(fixture), before + 2);
    fixture_free(fixture);
}

/* A restored backup: the newest commits are gone, and the newest timestamp is lower than what readers know.
 */
static void test_restart_loses(void **state) {
    struct convex_storage *storage = convex_storage_create();
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    (void)state;
    options.storage = storage;
    options.switches.restart_loses = 10 * TIME_SECOND;
    fixture_deploy(fixture, &options);
    mutate(fixture, "pets:add", "{\"uuid\":\"old\"}");
    mutate(fixture, "pets:add", "{\"uuid\":\"dies\"}");
    int64_t kept = latest(fixture);
    fixture_run(fixture, 30 * TIME_SECOND);
    mutate(fixture, "pets:rename", "{\"uuid\":\"old\",\"name\":\"renamed\"}");
    mutate(fixture, "pets:remove", "{\"uuid\":\"dies\"}");
    mutate(fixture, "pets:add", "{\"uuid\":\"new\"}");
    int64_t known = latest(fixture);
    convex_deployment_destroy(fixture->deployment);
    fixture_deploy(fixture, &options);
    assert_int_equal(latest(fixture), known - 10 * TIME_SECOND);
    assert_true(latest(fixture) >= kept);
    json_t *page = get_json(fixture, "/api/list_snapshot?table_name=pets");
    const json_t *values = json_object_get(page, "values");
    assert_int_equal(json_array_size(values), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(json_text(json_array_get(values, i), "name"), "pet 0");
        assert_string_not_equal(json_text(json_array_get(values, i), "uuid"), "new");
    }
    json_decref(page);
    /* what reads by an index sees the same, and goes on */
    mutate(fixture, "pets:rename", "{\"uuid\":\"dies\",\"name\":\"lives\"}");
    mutate(fixture, "pets:add", "{\"uuid\":\"new\"}");
    assert_int_equal(rows_of(fixture, "/api/document_deltas?cursor=0"), 4);
    /* a cursor of before is one of the future: 200, lower */
    char target[100];
    snprintf(target, sizeof target, "/api/document_deltas?cursor=%lld", (long long)known + TIME_HOUR);
    page = get_json(fixture, target);
    assert_true(json_integer_value(json_object_get(page, "cursor")) < known + TIME_HOUR);
    json_decref(page);
    fixture_free(fixture);
    convex_storage_destroy(storage);
}

/* --- tables and shapes --- */

static void test_replace_tables(void **state) {
#define REPLACE "/api/streaming_import/replace_tables"
    const struct convex_switches none = {0};
    struct fixture *fixture = make(&none);
    (void)state;
    mutate(fixture, "pets:add", "{\"uuid\":\"a\"}");
    int64_t before = latest(fixture);
    expect(fixture, "GET", REPLACE, NULL, 405, "");
    expect(fixture, "PUT", REPLACE, "{\"tableNames\":[\"pets\"],\"documents\":[]}", 400, "BadJsonBody");
    expect(fixture, "PUT", REPLACE, "{\"tableNames\":[\"pets\"],\"documents\":{\"pets\":[{\"_id\":\"x\"}]}}",
           400, "InvalidDocumentError");
    assert_int_equal(rows_of(fixture, "/api/document_deltas?cursor=0"), 1); /* nothing was replaced */
    expect(
        fixture, "PUT", REPLACE,
        "{\"tableNames\":[\"pets\",\"none\"],\"documents\":{\"pets\":[{\"uuid\":\"b\"},{\"uuid\":\"c\"}]}}",
        200, "");
    /* the new rows lie behind a cursor of before, the end of the old one is never told */
    char target[100];
    snprintf(target, sizeof target, "/api/document_deltas?cursor=%lld", (long long)before);
    assert_int_equal(rows_of(fixture, target), 2);
    assert_int_equal(rows_of(fixture, "/api/list_snapshot?table_name=pets"), 2);
    expect(fixture, "POST", REPLACE, "{\"tableNames\":[\"pets\"]}", 200, "");
    assert_int_equal(rows_of(fixture, "/api/document_deltas?cursor=0"), 0);
    fixture_free(fixture);
}

static void test_shapes(void **state) {
    const struct convex_switches none = {0};
    struct fixture *fixture = make(&none);
    (void)state;
    mutate(fixture, "pets:add", "{}");
    json_t *json = get_json(fixture, "/api/shapes2");
    assert_string_equal(json_text(json_object_get(json, "empty"), "type"), "Never");
    const json_t *pets = json_object_get(json, "pets");
    assert_string_equal(json_text(pets, "type"), "Object");
    const json_t *name = json_array_get(json_object_get(pets, "fields"), 3);
    assert_string_equal(json_text(name, "fieldName"), "name");
    assert_string_equal(json_text(json_object_get(name, "shape"), "type"), "String");
    json_decref(json);
    json = get_json(fixture, "/api/shapes2?component=shop");
    assert_int_equal(json_object_size(json), 0);
    json_decref(json);
    expect(fixture, "GET", "/api/shapes2?component=a&component=b", NULL, 400, "BadQueryArgs");
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest all[] = {cmocka_unit_test(test_retention),
                                     cmocka_unit_test(test_summaries),
                                     cmocka_unit_test(test_plan),
                                     cmocka_unit_test(test_no_view_key),
                                     cmocka_unit_test(test_alias),
                                     cmocka_unit_test(test_noise),
                                     cmocka_unit_test(test_clock_steps_back),
                                     cmocka_unit_test(test_restart_loses),
                                     cmocka_unit_test(test_replace_tables),
                                     cmocka_unit_test(test_shapes)};
    return cmocka_run_group_tests(all, NULL, NULL);
}
