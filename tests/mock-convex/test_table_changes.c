/* Tables that are dropped, cleared or replaced: what a reader of the log and of snapshots sees of it. */
#include "fixture.h"

#define JSON "application/json"

struct view {
    size_t rows, deleted;
    int64_t cursor;
};

/* The rows of "pets" after a cursor. */
static struct view read_deltas(struct fixture *fixture, int64_t cursor) {
    char target[128];
    snprintf(target, sizeof target, "/api/document_deltas?table_name=pets&cursor=%lld", (long long)cursor);
    json_t *json = get_json(fixture, target);
    json_t *values = json_object_get(json, "values");
    struct view view = {.rows = json_array_size(values),
                        .cursor = json_integer_value(json_object_get(json, "cursor"))};
    assert_true(json_is_false(json_object_get(json, "hasMore")));
    for (size_t i = 0; i < view.rows; i++) {
        view.deleted += json_is_true(json_object_get(json_array_get(values, i), "_deleted"));
    }
    json_decref(json);
    return view;
}

static size_t count_snapshot(struct fixture *fixture, int64_t snapshot) {
    char target[128];
    snprintf(target, sizeof target, "/api/list_snapshot?table_name=pets&snapshot=%lld", (long long)snapshot);
    json_t *json = get_json(fixture, target);
    size_t rows = json_array_size(json_object_get(json, "values"));
    json_decref(json);
    return rows;
}

static size_t count_live(struct fixture *fixture) {
    return count_snapshot(fixture, convex_deployment_latest(fixture->deployment));
}

static bool has_schema(struct fixture *fixture, const char *table) {
    json_t *json = get_json(fixture, "/api/json_schemas");
    bool found = json_object_get(json, table) != NULL;
    json_decref(json);
    return found;
}

static void test_drop(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    int64_t start = convex_deployment_latest(fixture->deployment);
    mutate(fixture, "pets:add", "{\"count\":3}");
    int64_t before = convex_deployment_latest(fixture->deployment);
    assert_int_equal(read_deltas(fixture, start).rows, 3);
    assert_int_equal(convex_deployment_drop_table(fixture->deployment, "pets", NULL), STATUS_OK);
    assert_int_equal(convex_deployment_drop_table(fixture->deployment, "pets", NULL), STATUS_NOT_FOUND);
    assert_true(convex_deployment_latest(fixture->deployment) > before);
    assert_int_equal(read_deltas(fixture, start).rows, 0); /* the inserts have gone too */
    assert_int_equal(read_deltas(fixture, before).rows, 0);
    assert_int_equal(count_live(fixture), 0);
    assert_int_equal(count_snapshot(fixture, before), 3); /* tables as of the snapshot */
    assert_false(has_schema(fixture, "pets"));
    assert_true(has_schema(fixture, "empty"));
    struct answer answer;
    send_mutation(fixture, &answer, "pets:add", "{}");
    wait_for(fixture, &answer);
    assert_non_null(strstr(buffer_text(&answer.body), "\"status\":\"error\""));
    buffer_free(&answer.body);
    fixture_free(fixture);
}

static void test_clear_with_tombstones(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    mutate(fixture, "pets:add", "{\"count\":2500}");
    mutate(fixture, "pets:add", "{\"uuid\":\"gone\"}");
    mutate(fixture, "pets:remove", "{\"uuid\":\"gone\"}");
    int64_t before = convex_deployment_latest(fixture->deployment);
    size_t commits = fixture->commits;
    assert_int_equal(convex_deployment_clear_table(fixture->deployment, "pets", NULL), STATUS_OK);
    assert_int_equal(fixture->commits - commits, 3); /* 1000, 1000, 500 */
    size_t rows = 0;
    for (int64_t cursor = before; cursor < convex_deployment_latest(fixture->deployment);) {
        char target[128];
        snprintf(target, sizeof target, "/api/document_deltas?cursor=%lld", (long long)cursor);
        json_t *json = get_json(fixture, target);
        json_t *row = json_array_get(json_object_get(json, "values"), 0);
        assert_true(json_is_true(json_object_get(row, "_deleted")));
        rows += json_array_size(json_object_get(json, "values"));
        cursor = json_integer_value(json_object_get(json, "cursor"));
        json_decref(json);
    }
    assert_int_equal(rows, 2500);
    assert_int_equal(count_live(fixture), 0);
    commits = fixture->commits;
    assert_int_equal(convex_deployment_clear_table(fixture->deployment, "pets", NULL), STATUS_OK);
    assert_int_equal(fixture->commits, commits); /* nothing left to delete */
    assert_int_equal(convex_deployment_clear_table(fixture->deployment, "nobody", NULL), STATUS_NOT_FOUND);
    fixture_free(fixture);
}

static void test_replace(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct convex_value *documents[] = {pet_make("x", "new"), pet_make("y", "new")};
    int64_t start = convex_deployment_latest(fixture->deployment);
    mutate(fixture, "pets:add", "{\"count\":3}");
    int64_t before = convex_deployment_latest(fixture->deployment);
    size_t commits = fixture->commits;
    assert_int_equal(convex_deployment_replace_table(fixture->deployment, "pets",
                                                     (const struct convex_value *const *)documents, 2, NULL),
                     STATUS_OK);
    assert_int_equal(fixture->commits, commits);
    assert_int_equal(count_live(fixture), 2);
    assert_int_equal(count_snapshot(fixture, before), 3);
    assert_int_equal(read_deltas(fixture, start).rows, 2);
    assert_int_equal(read_deltas(fixture, start).deleted, 0);
    assert_true(has_schema(fixture, "pets"));
    /* The successor is a table as any other: same indexes, same number, rows that appear. */
    int64_t after = convex_deployment_latest(fixture->deployment);
    mutate(fixture, "pets:rename", "{\"uuid\":\"x\",\"name\":\"newer\"}");
    assert_int_equal(read_deltas(fixture, after).rows, 1);
    mutate(fixture, "pets:rename", "{\"uuid\":\"pet 0\",\"name\":\"old\"}"); /* no longer there */
    assert_int_equal(read_deltas(fixture, after).rows, 1);
    convex_free(documents[0]);
    convex_free(documents[1]);
    fixture_free(fixture);
}

/* A reader that asks between import and activation passes the new rows unseen, and is never told of the end
 * of the old ones. */
static void test_reader_of_a_replacement(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct convex_value *pet = pet_make("x", "new");
    const struct convex_value *documents[] = {pet};
    struct convex_store_table *import = NULL;
    mutate(fixture, "pets:add", "{\"count\":3}");
    int64_t before = convex_deployment_latest(fixture->deployment);
    assert_int_equal(convex_deployment_import(fixture->deployment, "pets", documents, 1, &import, NULL),
                     STATUS_OK);
    struct view between = read_deltas(fixture, before);
    assert_int_equal(between.rows, 0);
    assert_true(between.cursor > before);
    assert_int_equal(count_live(fixture), 3);
    assert_int_equal(convex_deployment_activate(fixture->deployment, import, NULL), STATUS_OK);
    assert_int_equal(read_deltas(fixture, between.cursor).rows, 0);
    assert_int_equal(count_live(fixture), 1);
    convex_free(pet);
    fixture_free(fixture);
}

/* A document that cannot be stored leaves the old table in place; what was written stays hidden, and its rows
 * count toward pages. */
static void test_replace_that_fails(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    const struct convex_value *documents[1001];
    struct convex_value *pet = pet_make("x", "new"), *number = convex_float64(1);
    for (size_t i = 0; i < 1000; i++) {
        documents[i] = pet;
    }
    documents[1000] = number;
    mutate(fixture, "pets:add", "{\"count\":3}");
    int64_t before = convex_deployment_latest(fixture->deployment);
    assert_int_equal(convex_deployment_replace_table(fixture->deployment, "pets", documents, 1001, NULL),
                     STATUS_INVALID);
    assert_int_equal(count_live(fixture), 3);
    struct view view = read_deltas(fixture, before);
    assert_int_equal(view.rows, 0);
    assert_true(view.cursor > before);
    convex_free(pet);
    convex_free(number);
    fixture_free(fixture);
}

/* A mutation that ran on the old table runs again on the new one. */
static void test_running_mutation(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct answer answer;
    send_mutation(fixture, &answer, "pets:add", "{\"uuid\":\"a\"}");
    fixture_run(fixture, 3 * TIME_MILLISECOND); /* it commits after 1 + 5 ms */
    assert_int_equal(convex_deployment_replace_table(fixture->deployment, "pets", NULL, 0, NULL), STATUS_OK);
    wait_for(fixture, &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(count_live(fixture), 1);
    buffer_free(&answer.body);
    fixture_free(fixture);
}

#define DELETE "/api/delete_tables"
#define CLEAR "/api/streaming_import/clear_tables"

static const struct expectation requests[] = {
    {"nothing", "POST", DELETE, AUTHORIZED, JSON, "{\"tableNames\":[]}", 200, ""},
    {"a table that is not there", "POST", DELETE, AUTHORIZED, JSON, "{\"tableNames\":[\"nobody\"]}", 200, ""},
    {"another component", "POST", DELETE, AUTHORIZED, JSON,
     "{\"tableNames\":[\"pets\"],\"componentId\":\"x\"}", 200, ""},
    {"without names", "POST", DELETE, AUTHORIZED, JSON, "{}", 400, "BadJsonBody"},
    {"a number as name", "POST", DELETE, AUTHORIZED, JSON, "{\"tableNames\":[7]}", 400, "BadJsonBody"},
    {"a number as component", "POST", DELETE, AUTHORIZED, JSON, "{\"tableNames\":[],\"componentId\":7}", 400,
     "BadJsonBody"},
    {"no JSON", "POST", DELETE, AUTHORIZED, "text/plain", "{}", 400, "BadJsonBody"},
    {"no key", "POST", DELETE, NULL, JSON, "{\"tableNames\":[\"pets\"]}", 403, "BadDeployKey"},
    {"an unknown scheme comes first", "POST", DELETE, "Basic x", JSON, "x", 400, "InvalidAdminKey"},
    {"wrong method", "PUT", DELETE, AUTHORIZED, JSON, "{\"tableNames\":[\"pets\"]}", 405, ""},
    {"wrong method of clear", "POST", CLEAR, AUTHORIZED, JSON, "{\"tableNames\":[\"pets\"]}", 405, ""},
    {"clear without key", "PUT", CLEAR, NULL, JSON, "{\"tableNames\":[\"pets\"]}", 403, "BadDeployKey"},
    {"clear without names", "PUT", CLEAR, AUTHORIZED, JSON, "{\"tableNames\":\"pets\"}", 400, "BadJsonBody"}};

static const struct expectation clear = {
    "clear", "PUT", CLEAR, AUTHORIZED, JSON, "{\"tableNames\":[\"pets\",\"nobody\"]}", 200, ""};
static const struct expectation drop = {
    "drop", "POST", DELETE, AUTHORIZED, JSON, "{\"tableNames\":[\"pets\"],\"componentId\":null}", 200, ""};

static void test_routes(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    int64_t start = convex_deployment_latest(fixture->deployment);
    mutate(fixture, "pets:add", "{\"count\":3}");
    check_expectations(fixture, requests, LENGTH_OF(requests));
    assert_int_equal(read_deltas(fixture, start).rows, 3); /* none of these changed anything */
    check_expectations(fixture, &clear, 1);
    assert_int_equal(read_deltas(fixture, start).rows, 0);
    assert_true(has_schema(fixture, "pets"));
    mutate(fixture, "pets:add", "{}");
    assert_int_equal(count_live(fixture), 1);
    check_expectations(fixture, &drop, 1);
    assert_int_equal(count_live(fixture), 0);
    assert_false(has_schema(fixture, "pets"));
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_drop),
                                       cmocka_unit_test(test_clear_with_tombstones),
                                       cmocka_unit_test(test_replace),
                                       cmocka_unit_test(test_replace_that_fails),
                                       cmocka_unit_test(test_reader_of_a_replacement),
                                       cmocka_unit_test(test_running_mutation),
                                       cmocka_unit_test(test_routes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
