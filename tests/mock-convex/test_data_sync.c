/* Data Sync: a reader that applies truncations and values page by page holds what the deployment holds
 * whenever the status says so; and the errors of its endpoints. */
#include "fixture.h"

#define JSON "application/json"
#define SYNC "/api/v1/data/sync"

/* What a consumer keeps: id -> name of the pet. */
struct reader {
    struct fixture *fixture;
    const char *selection; /* ,"selection":.. or "" */
    struct map pets;
    struct buffer cursor; /* a JSON value */
    char status[16];
    int64_t snapshot_ts;
    size_t values, deleted, truncates, truncates_of_pets; /* of the newest page */
    char sync_id[64];
};

static json_t *post(struct fixture *fixture, const char *target, const char *body) {
    struct answer answer;
    send_request(fixture, &answer, "POST", target, AUTHORIZED, JSON, body, strlen(body));
    wait_for(fixture, &answer);
    if (answer.status != 200) {
        fail_msg("%s: %d %s", body, answer.status, buffer_text(&answer.body));
    }
    json_t *json = json_parse(buffer_text(&answer.body), answer.body.length, NULL);
    buffer_free(&answer.body);
    return json;
}

static void reader_open(struct reader *reader, struct fixture *fixture) {
    memset(reader, 0, sizeof *reader);
    reader->fixture = fixture;
    reader->selection = "";
    buffer_append_text(&reader->cursor, "null");
}

static void reader_close(struct reader *reader) {
    map_free(&reader->pets, free);
    buffer_free(&reader->cursor);
}

static void apply(struct reader *reader, const json_t *page) {
    size_t i;
    const json_t *entry;
    json_array_foreach(json_object_get(page, "truncates"), i, entry) {
        assert_string_equal(json_text(entry, "component"), "");
        if (strcmp(json_text(entry, "table"), "pets") == 0) {
            map_clear(&reader->pets, free);
            reader->truncates_of_pets++;
        }
        reader->truncates++;
    }
    json_array_foreach(json_object_get(page, "values"), i, entry) {
        const json_t *value = json_object_get(entry, "value");
        assert_int_equal(json_object_size(entry), 5);
        bool deleted = json_is_true(json_object_get(entry, "deleted"));
        assert_true(json_is_integer(json_object_get(entry, "ts")));
        reader->deleted += deleted;
        reader->values++;
        if (strcmp(json_text(entry, "table"), "pets") == 0) {
            const char *name = json_text(value, "name");
            free(deleted ? map_remove(&reader->pets, json_text(value, "_id"))
                         : map_set(&reader->pets, json_text(value, "_id"),
                                   memory_copy_text(name != NULL ? name : "")));
        }
    }
}

/* Ask for one page and apply it. */
static void reader_step(struct reader *reader) {
    struct buffer body = {0};
    buffer_printf(&body, "{\"cursor\":%s%s}", buffer_text(&reader->cursor), reader->selection);
    json_t *page = post(reader->fixture, SYNC, buffer_text(&body));
    const json_t *status = json_object_get(page, "status"), *pagination = json_object_get(page, "pagination");
    reader->values = reader->deleted = reader->truncates = reader->truncates_of_pets = 0;
    snprintf(reader->status, sizeof reader->status, "%s", json_text(status, "type"));
    reader->snapshot_ts = json_integer_or(status, "snapshotTs", -1);
    assert_int_equal(reader->snapshot_ts < 0, strcmp(reader->status, "snapshotting") == 0);
    apply(reader, page);
    assert_true(json_is_true(json_object_get(pagination, "hasMore"))); /* for ever */
    buffer_clear(&reader->cursor);
    json_append(&reader->cursor, json_object_get(pagination, "nextCursor"));
    snprintf(reader->sync_id, sizeof reader->sync_id, "%s", json_text(page, "syncId"));
    json_decref(page);
    buffer_free(&body);
}

/* The reader's pets are the deployment's. */
static void expect_same(struct reader *reader) {
    size_t rows = 0;
    struct buffer cursor = {0};
    for (bool more = true; more;) {
        struct buffer target = {0};
        buffer_printf(&target, "/api/list_snapshot?table_name=pets%s", buffer_text(&cursor));
        json_t *json = get_json(reader->fixture, buffer_text(&target));
        size_t i;
        const json_t *row;
        json_array_foreach(json_object_get(json, "values"), i, row) {
            const char *name = map_get(&reader->pets, json_text(row, "_id"));
            assert_non_null(name);
            assert_string_equal(name, json_text(row, "name"));
            rows++;
        }
        const char *text = json_text(json, "cursor");
        more = text != NULL;
        buffer_clear(&cursor);
        buffer_append_text(&cursor, "&cursor=");
        for (; text != NULL && *text != 0; text++) {
            buffer_printf(&cursor, "%%%02X", (unsigned)(unsigned char)*text);
        }
        json_decref(json);
        buffer_free(&target);
    }
    buffer_free(&cursor);
    assert_int_equal(rows, reader->pets.count);
}

static void test_changes(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct reader reader;
    mutate(fixture, "pets:add", "{\"count\":3}");
    reader_open(&reader, fixture);
    reader_step(&reader);
    assert_string_equal(reader.status, "upToDate");
    assert_int_equal(reader.snapshot_ts, convex_deployment_latest(fixture->deployment));
    assert_int_equal(reader.truncates, 3); /* pets, empty, powersync_checkpoints */
    assert_int_equal(reader.values, 3);
    expect_same(&reader);
    reader_step(&reader); /* nothing new */
    assert_int_equal(reader.values + reader.truncates, 0);
    mutate(fixture, "pets:rename", "{\"uuid\":\"pet 0\",\"name\":\"new\"}");
    mutate(fixture, "pets:remove", "{\"uuid\":\"pet 1\"}");
    mutate(fixture, "pets:add", "{\"uuid\":\"a\"}");
    reader_step(&reader);
    assert_int_equal(reader.values, 3);
    assert_int_equal(reader.deleted, 1);
    assert_int_equal(reader.truncates, 0);
    assert_string_equal(reader.status, "upToDate");
    expect_same(&reader);
    reader_close(&reader);
    fixture_free(fixture);
}

/* Replaced tables begin again with a truncation; the deployment and its reader stay equal. */
static void test_replaced_table(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct reader reader;
    struct convex_value *pet = pet_make("x", "imported");
    const struct convex_value *documents[] = {pet};
    struct convex_store_table *import;
    mutate(fixture, "pets:add", "{\"count\":3}");
    reader_open(&reader, fixture);
    reader_step(&reader);
    assert_int_equal(convex_deployment_import(fixture->deployment, "pets", documents, 1, &import, NULL),
                     STATUS_OK);
    reader_step(&reader); /* the hidden row passes */
    assert_int_equal(reader.values + reader.truncates, 0);
    assert_int_equal(convex_deployment_activate(fixture->deployment, import, NULL), STATUS_OK);
    mutate(fixture, "pets:rename", "{\"uuid\":\"x\",\"name\":\"renamed\"}");
    reader_step(&reader);
    assert_int_equal(reader.truncates_of_pets, 1);
    assert_int_equal(reader.truncates, 1);
    assert_string_equal(reader.status, "stale"); /* the table as it was at the cursor */
    reader_step(&reader);
    assert_string_equal(reader.status, "upToDate");
    expect_same(&reader);
    convex_free(pet);
    reader_close(&reader);
    fixture_free(fixture);
}

static void test_selection(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct reader reader;
    mutate(fixture, "pets:add", "{\"count\":3}");
    reader_open(&reader, fixture);
    reader.selection = ",\"selection\":{\"_other\":\"incl\",\"\":{\"_other\":\"incl\",\"pets\":\"excl\"}}";
    reader_step(&reader);
    assert_int_equal(reader.truncates, 2);
    assert_int_equal(reader.values, 0);
    for (int i = 0; i < 2; i++) { /* newly selected, also the second time */
        reader.selection = "";
        reader_step(&reader);
        assert_int_equal(reader.truncates, 1);
        assert_int_equal(reader.truncates_of_pets, 1);
        assert_int_equal(reader.values, 3);
        expect_same(&reader);
        reader.selection =
            ",\"selection\":{\"_other\":\"incl\",\"\":{\"_other\":\"incl\",\"pets\":\"excl\"}}";
        reader_step(&reader);
        assert_int_equal(reader.values + reader.truncates, 0);
    }
    reader_close(&reader);
    fixture_free(fixture);
}

/* 16,384 entries a page of a table; a transaction is never split. */
static void test_limits(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct reader reader;
    reader_open(&reader, fixture);
    mutate(fixture, "pets:add", "{\"count\":15000}");
    mutate(fixture, "pets:add", "{\"count\":2000}");
    reader_step(&reader);
    assert_string_equal(reader.status, "snapshotting");
    assert_int_equal(reader.values, 16384);
    mutate(fixture, "pets:rename", "{\"uuid\":\"a\",\"name\":\"new\"}");
    mutate(fixture, "pets:add", "{\"count\":10000}");
    mutate(fixture, "pets:add", "{\"count\":10000}");
    int64_t second = convex_deployment_latest(fixture->deployment);
    mutate(fixture, "pets:add", "{\"count\":1}");
    reader_step(&reader);
    assert_string_equal(reader.status, "stale");
    assert_int_equal(reader.values, 17000 - 16384);
    assert_int_equal(reader.truncates_of_pets, 0); /* on the first page only */
    reader_step(&reader);
    assert_string_equal(reader.status, "stale");
    assert_int_equal(reader.values, 20000);
    assert_int_equal(reader.snapshot_ts, second);
    reader_step(&reader);
    assert_string_equal(reader.status, "upToDate");
    assert_int_equal(reader.values, 1);
    assert_int_equal(reader.pets.count, 37001);
    expect_same(&reader);
    reader_close(&reader);
    fixture_free(fixture);
}

/* A reader of document_deltas goes on here: no table is sent again. */
static void test_cursor_from_deltas(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct reader reader;
    char body[128];
    mutate(fixture, "pets:add", "{\"count\":3}");
    snprintf(body, sizeof body, "{\"cursor\":%lld}",
             (long long)convex_deployment_latest(fixture->deployment));
    mutate(fixture, "pets:add", "{\"count\":2}");
    json_t *json = post(fixture, "/api/data_sync_cursor_from_deltas", body);
    reader_open(&reader, fixture);
    buffer_clear(&reader.cursor);
    json_append(&reader.cursor, json_object_get(json, "cursor"));
    reader_step(&reader);
    assert_int_equal(reader.truncates, 0);
    assert_int_equal(reader.values, 2);
    assert_string_equal(reader.status, "upToDate");
    json_decref(json);
    reader_close(&reader);
    fixture_free(fixture);
}

/* Any changed digit of a cursor is found out. */
static void test_damaged_cursor(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct reader reader;
    reader_open(&reader, fixture);
    reader_step(&reader);
    for (size_t i = 1; i + 1 < reader.cursor.length; i++) {
        struct buffer body = {0};
        buffer_printf(&body, "{\"cursor\":%s}", buffer_text(&reader.cursor));
        char *digit = body.data + strlen("{\"cursor\":") + i;
        *digit = *digit == '0' ? '1' : '0';
        struct expectation row = {
            "damaged", "POST", SYNC, AUTHORIZED, JSON, buffer_text(&body), 400, "InvalidDataSyncCursor"};
        check_expectations(fixture, &row, 1);
        buffer_free(&body);
    }
    reader_close(&reader);
    fixture_free(fixture);
}

static const struct expectation requests[] = {
    {"a new sync", "POST", SYNC, AUTHORIZED, JSON, "{}", 200, ""},
    {"nulls", "POST", SYNC, AUTHORIZED, JSON, "{\"cursor\":null,\"selection\":null}", 200, ""},
    {"no key", "POST", SYNC, NULL, JSON, "{}", 403, "BadDeployKey"},
    {"another key", "POST", SYNC, "Convex x|y", JSON, "{}", 401, "BadAdminKey"},
    {"the scheme comes before the body", "POST", SYNC, "Basic x", JSON, "x", 400, "InvalidAdminKey"},
    {"the body comes before the key", "POST", SYNC, NULL, JSON, "x", 400, "BadJsonBody"},
    {"as text", "POST", SYNC, AUTHORIZED, "text/plain", "{}", 400, "BadJsonBody"},
    {"a number as cursor", "POST", SYNC, AUTHORIZED, JSON, "{\"cursor\":7}", 400, "BadJsonBody"},
    {"an empty cursor", "POST", SYNC, AUTHORIZED, JSON, "{\"cursor\":\"\"}", 400, "InvalidDataSyncCursor"},
    {"a cursor that is no hex", "POST", SYNC, AUTHORIZED, JSON, "{\"cursor\":\"xy\"}", 400,
     "InvalidDataSyncCursor"},
    {"a text as selection", "POST", SYNC, AUTHORIZED, JSON, "{\"selection\":\"x\"}", 400, "BadJsonBody"},
    {"a table that cannot be", "POST", SYNC, AUTHORIZED, JSON,
     "{\"selection\":{\"_other\":\"incl\",\"\":{\"_other\":\"incl\",\"1x\":\"excl\"}}}", 400,
     "InvalidDataSyncSelection"},
    {"a component that cannot be, and a bad cursor", "POST", SYNC, AUTHORIZED, JSON,
     "{\"cursor\":\"xy\",\"selection\":{\"_other\":\"incl\",\"a//b\":\"excl\"}}", 400,
     "InvalidDataSyncSelection"},
    {"acting as a user", "POST", SYNC, AUTHORIZED ":e30=", JSON, "{}", 403, "SystemIdentityRequired"},
    {"wrong method", "GET", SYNC, AUTHORIZED, NULL, NULL, 405, ""},
    {"from deltas", "POST", "/api/data_sync_cursor_from_deltas", AUTHORIZED, JSON, "{\"cursor\":0}", 200, ""},
    {"from deltas, no cursor", "POST", "/api/data_sync_cursor_from_deltas", AUTHORIZED, JSON, "{}", 400,
     "BadJsonBody"},
    {"from deltas, a text", "POST", "/api/data_sync_cursor_from_deltas", AUTHORIZED, JSON,
     "{\"cursor\":\"0\"}", 400, "BadJsonBody"},
    {"from deltas, negative", "POST", "/api/data_sync_cursor_from_deltas", AUTHORIZED, JSON,
     "{\"cursor\":-1}", 500, "InternalServerError"},
    {"from deltas, a bad selection", "POST", "/api/data_sync_cursor_from_deltas", AUTHORIZED, JSON,
     "{\"cursor\":0,\"selection\":{\"_other\":\"incl\",\"a//b\":\"excl\"}}", 400, "InvalidDataSyncSelection"},
    {"from deltas, no key", "POST", "/api/data_sync_cursor_from_deltas", NULL, JSON, "{\"cursor\":0}", 403,
     "BadDeployKey"}};

#define LIST "/api/v1/data/list_active_syncs"

static const struct expectation list_requests[] = {
    {"plain", "GET", LIST, AUTHORIZED, NULL, NULL, 200, ""},
    {"the least", "GET", LIST "?limit=1", AUTHORIZED, NULL, NULL, 200, ""},
    {"the most", "GET", LIST "?limit=100", AUTHORIZED, NULL, NULL, 200, ""},
    {"none", "GET", LIST "?limit=0", AUTHORIZED, NULL, NULL, 400, "LimitOutOfRange"},
    {"too many", "GET", LIST "?limit=101", AUTHORIZED, NULL, NULL, 400, "LimitOutOfRange"},
    {"negative", "GET", LIST "?limit=-1", AUTHORIZED, NULL, NULL, 400, "LimitOutOfRange"},
    {"no number", "GET", LIST "?limit=x", AUTHORIZED, NULL, NULL, 400, "BadQueryArgs"},
    {"no number, no key", "GET", LIST "?limit=x", NULL, NULL, NULL, 400, "BadQueryArgs"},
    {"the key comes before the range", "GET", LIST "?limit=0", NULL, NULL, NULL, 403, "BadDeployKey"}};

/* How many syncs a page of the list has; `cursor` gets the next one's, "" at the end. */
static size_t list_page(struct fixture *fixture, const char *arguments, char cursor[64]) {
    char target[160];
    snprintf(target, sizeof target, LIST "?%s", arguments);
    json_t *json = get_json(fixture, target);
    const char *next = json_text(json_object_get(json, "pagination"), "nextCursor");
    size_t count = json_array_size(json_object_get(json, "syncs"));
    snprintf(cursor, 64, "%s", next != NULL ? next : "");
    json_decref(json);
    return count;
}

static void test_active_syncs(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    char cursor[64], arguments[96];
    check_expectations(fixture, list_requests, LENGTH_OF(list_requests));
    assert_int_equal(list_page(fixture, "", cursor), 0);
    for (int i = 0; i < 51; i++) {
        json_decref(post(fixture, SYNC, "{}"));
    }
    assert_int_equal(list_page(fixture, "", cursor), 50);
    snprintf(arguments, sizeof arguments, "cursor=%s", cursor);
    assert_int_equal(list_page(fixture, arguments, cursor), 1);
    assert_string_equal(cursor, "");
    assert_int_equal(list_page(fixture, "limit=51", cursor), 51);
    assert_string_equal(cursor, "");
    struct reader reader;
    fixture_run(fixture, 2 * TIME_DAY);
    reader_open(&reader, fixture);
    reader_step(&reader);
    fixture_run(fixture, TIME_DAY - TIME_MINUTE);
    assert_int_equal(list_page(fixture, "limit=100", cursor), 52);
    fixture_run(fixture, 2 * TIME_MINUTE);
    assert_int_equal(list_page(fixture, "", cursor), 1); /* the others have been silent for 3 days */
    reader_close(&reader);
    fixture_free(fixture);
}

/* The syncId tells known connectors by their Convex-Client header. */
static void test_sync_ids(void **state) {
    (void)state;
    static const char *const clients[][2] = {
        {"npm-1.48.0", ""}, {"fivetran-0.1.0", "fivetran-"}, {"airbyte-0.1.0", "airbyte-"}};
    static const struct http_client_events events = {answer_head, answer_body, answer_end, answer_failed};
    struct fixture *fixture = fixture_make();
    for (size_t i = 0; i < LENGTH_OF(clients); i++) {
        struct http_header headers[] = {
            {"Authorization", AUTHORIZED}, {"Content-Type", JSON}, {"Convex-Client", clients[i][0]}};
        struct http_request request = {.authority = "convex",
                                       .method = "POST",
                                       .target = SYNC,
                                       .headers = headers,
                                       .n_headers = 3,
                                       .body = "{}",
                                       .body_length = 2};
        struct answer answer = {.fixture = fixture};
        host_http_send(fixture->client, &request, &events, &answer);
        wait_for(fixture, &answer);
        json_t *json = json_parse(buffer_text(&answer.body), answer.body.length, NULL);
        const char *id = json_text(json, "syncId");
        assert_int_equal(strlen(id), strlen(clients[i][1]) + 16);
        assert_memory_equal(id, clients[i][1], strlen(clients[i][1]));
        json_decref(json);
        buffer_free(&answer.body);
    }
    fixture_free(fixture);
}

static void test_requests(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    check_expectations(fixture, requests, LENGTH_OF(requests));
    fixture_free(fixture);
}

static void test_expired_cursor(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct reader reader;
    struct buffer body = {0};
    mutate(fixture, "pets:add", "{}");
    reader_open(&reader, fixture);
    reader_step(&reader);
    fixture_run(fixture, 15 * TIME_DAY);
    mutate(fixture, "pets:add", "{}");
    buffer_printf(&body, "{\"cursor\":%s}", buffer_text(&reader.cursor));
    struct expectation row = {
        "expired", "POST", SYNC, AUTHORIZED, JSON, buffer_text(&body), 400, "DataSyncCursorExpired"};
    check_expectations(fixture, &row, 1);
    buffer_free(&body);
    reader_close(&reader);
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),        cmocka_unit_test(test_replaced_table),
        cmocka_unit_test(test_selection),      cmocka_unit_test(test_limits),
        cmocka_unit_test(test_damaged_cursor), cmocka_unit_test(test_cursor_from_deltas),
        cmocka_unit_test(test_requests),       cmocka_unit_test(test_expired_cursor),
        cmocka_unit_test(test_active_syncs),   cmocka_unit_test(test_sync_ids)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
