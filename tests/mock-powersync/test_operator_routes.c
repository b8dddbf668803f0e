/* Operators' routes: who may, what they tell, deploying a sync config. */
#include "mock-powersync/unit.h"

#include "mock-powersync/fixture.h"

static const char *const yaml = "config: {edition: 3}\n"
                                "streams:\n"
                                "  own:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT *, uuid AS id FROM lists WHERE owner = auth.user_id()\n";
static const char *const other_yaml = "config: {edition: 3}\n"
                                      "streams:\n"
                                      "  all:\n"
                                      "    auto_subscribe: true\n"
                                      "    query: SELECT *, uuid AS id FROM lists\n"
                                      "  gone:\n"
                                      "    query: SELECT *, uuid AS id FROM nothing\n";

#define JSON "application/json"
#define YAML "application/yaml"
#define ADMIN "/api/admin/v1/"
#define RULES "/api/sync-rules/v1/"
#define SOON (100 * TIME_MILLISECOND)

static const char *const operator_tokens[] = {"first", "second"};

static void start(struct fixture *fixture, struct powersync_options options) {
    powersync_service_destroy(fixture->service);
    options.api_tokens = operator_tokens;
    options.n_api_tokens = 2;
    fixture->service = fixture_start_on(fixture->service_host, options);
    run_for(fixture, 500 * TIME_MILLISECOND);
}

static int set_up(void **state) {
    struct fixture *fixture = fixture_create();
    start(fixture, (struct powersync_options){.sync_config = yaml});
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    fixture_destroy(*state);
    return 0;
}

/* What an operator is answered; the caller frees it. */
static json_t *ask(struct fixture *fixture, const char *method, const char *target, const char *type,
                   const char *body, int status) {
    struct client *client = client_send(fixture, "operator", method, target, "Bearer second", type, body);
    run_for(fixture, SOON);
    if (client->status != status)
        fail_msg("%s: %d %s", target, client->status, buffer_text(&client->body));
    assert_true(client->ended);
    /* pretty answers are several lines */
    json_t *answer = json_loads(buffer_text(&client->body), 0, NULL);
    client_close(client);
    return answer;
}

static json_t *post(struct fixture *fixture, const char *target, const char *body) {
    return ask(fixture, "POST", target, JSON, body, 200);
}

static void assert_refused(struct fixture *fixture, const char *method, const char *target, const char *type,
                           const char *body, int status, const char *code) {
    json_t *answer = ask(fixture, method, target, type, body, status);
    const char *found = json_text(json_object_get(answer, "error"), "code");
    if (!found || strcmp(found, code) != 0)
        fail_msg("%s: wanted %s", target, code);
    json_decref(answer);
}

static const char *text_at(const json_t *json, const char *path) {
    char part[40];
    while (*path) {
        size_t length = strcspn(path, ".");
        snprintf(part, sizeof part, "%.*s", (int)length, path);
        json = json_is_array(json) ? json_array_get(json, (size_t)atoi(part)) : json_object_get(json, part);
        path += path[length] ? length + 1 : length;
    }
    return json_is_string(json)  ? json_string_value(json)
           : json_is_true(json)  ? "true"
           : json_is_false(json) ? "false"
           : json_is_null(json)  ? "null"
           : json                ? "some"
                                 : "none";
}

static void assert_at(const json_t *json, const char *path, const char *expected) {
    if (strcmp(text_at(json, path), expected) != 0) {
        struct buffer text = {0};
        json_append(&text, json);
        fail_msg("%s is %s, not %s: %s", path, text_at(json, path), expected, buffer_text(&text));
    }
}

/* --- who may --- */

static void only_operators(void **state) {
    struct fixture *fixture = *state;
    char *user = authorization_of(good_claims(fixture, "alice"), TEST_SECRET);
    const char *const headers[] = {
        NULL,     user,           "Bearer", "Bearer third", "Bearer seconds", "Bearer sec", "bearer second",
        "second", "Token first x"};
    static const struct {
        const char *method, *target, *type, *body;
    } routes[] = {{"POST", ADMIN "diagnostics", JSON, "{}"},
                  {"POST", ADMIN "schema", JSON, "{}"},
                  {"POST", ADMIN "execute-sql", JSON, "{\"sql\":{\"query\":\"\",\"args\":[]}}"},
                  {"POST", ADMIN "validate", JSON, "{\"sync_rules\":\"\"}"},
                  {"POST", ADMIN "reprocess", JSON, "{}"},
                  {"POST", RULES "deploy", YAML, "a: b"},
                  {"POST", RULES "validate", YAML, "a: b"},
                  {"POST", RULES "reprocess", JSON, "{}"},
                  {"GET", RULES "current", NULL, NULL}};
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        for (size_t j = 0; j < sizeof headers / sizeof *headers; j++) {
            struct client *client = client_send(fixture, "operator", routes[i].method, routes[i].target,
                                                headers[j], routes[i].type, routes[i].body);
            run_for(fixture, SOON);
            json_t *answer = json_loads(buffer_text(&client->body), 0, NULL);
            assert_int_equal(client->status, 401);
            assert_at(answer, "error.code", "PSYNC_S2101");
            assert_at(answer, "error.description", "Authorization failed");
            json_decref(answer);
            client_close(client);
        }
    free(user);
    powersync_service_destroy(fixture->service); /* without tokens nobody may */
    fixture_start(fixture, yaml);
    assert_refused(fixture, "POST", ADMIN "schema", JSON, "{}", 401, "PSYNC_S2101");
}

/* Bodies are looked at before the caller is, as everywhere. */
static void wrong_bodies(void **state) {
    struct fixture *fixture = *state;
    static const struct {
        const char *target, *type, *body;
        int status;
        const char *code;
    } cases[] = {{ADMIN "diagnostics", JSON, "{\"sync_rules_content\":1}", 400, "PSYNC_S2001"},
                 {ADMIN "diagnostics", JSON, "{", 400, "FST_ERR_CTP_INVALID_JSON_BODY"},
                 {ADMIN "diagnostics", JSON, "", 400, "FST_ERR_CTP_EMPTY_JSON_BODY"},
                 {ADMIN "diagnostics", YAML, "a: b", 415, "FST_ERR_CTP_INVALID_MEDIA_TYPE"},
                 {ADMIN "execute-sql", JSON, "{}", 400, "PSYNC_S2001"},
                 {ADMIN "execute-sql", JSON, "{\"sql\":{\"query\":\"\",\"args\":[{}]}}", 400, "PSYNC_S2001"},
                 {ADMIN "execute-sql", JSON, "{\"sql\":{\"query\":1,\"args\":[]}}", 400, "PSYNC_S2001"},
                 {ADMIN "validate", JSON, "{}", 400, "PSYNC_S2001"},
                 {ADMIN "validate", JSON, "{\"sync_rules\":null}", 400, "PSYNC_S2001"},
                 {RULES "deploy", JSON, "{}", 400, "PSYNC_S2001"},
                 {RULES "deploy", JSON, "[]", 400, "PSYNC_S2001"},
                 {RULES "deploy", "application/yamlx", "a", 415, "FST_ERR_CTP_INVALID_MEDIA_TYPE"},
                 {RULES "deploy?content=a&content=b", NULL, NULL, 400, "PSYNC_S2001"},
                 {RULES "validate", JSON, "{\"content\":7}", 400, "PSYNC_S2001"},
                 {ADMIN "nothing", JSON, "{}", 404, "PSYNC_S2002"},
                 {RULES "current", JSON, "{}", 404, "PSYNC_S2002"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_refused(fixture, "POST", cases[i].target, cases[i].type, cases[i].body, cases[i].status,
                       cases[i].code);
        struct client *client =
            client_send(fixture, "nobody", "POST", cases[i].target, NULL, cases[i].type, cases[i].body);
        run_for(fixture, SOON);
        assert_int_equal(client->status, cases[i].status);
        client_close(client);
    }
}

/* --- what they tell --- */

static void diagnostics(void **state) {
    struct fixture *fixture = *state;
    json_t *answer = post(fixture, ADMIN "diagnostics", "{}");
    assert_at(answer, "data.connections.0.id", "default");
    assert_at(answer, "data.connections.0.connected", "true");
    assert_at(answer, "data.connections.0.postgres_uri", "convex");
    assert_at(answer, "data.connections.0.errors.0", "none");
    assert_at(answer, "data.active_sync_rules.connections.0.slot_name", "powersync_1");
    assert_at(answer, "data.active_sync_rules.connections.0.initial_replication_done", "true");
    assert_at(answer, "data.active_sync_rules.connections.0.last_lsn", "1767225600000000000");
    assert_at(answer, "data.active_sync_rules.connections.0.tables.0.schema", "convex");
    assert_at(answer, "data.active_sync_rules.connections.0.tables.0.name", "lists");
    assert_at(answer, "data.active_sync_rules.connections.0.tables.0.replication_id.0", "_id");
    assert_at(answer, "data.active_sync_rules.content", "none");
    assert_at(answer, "data.active_sync_rules.errors.0", "none");
    assert_at(answer, "data.deploying_sync_rules", "none");
    json_decref(answer);
    answer = post(fixture, ADMIN "diagnostics", "{\"sync_rules_content\":true}");
    assert_at(answer, "data.active_sync_rules.content", yaml);
    json_decref(answer);
    run_for(fixture, 5 * TIME_SECOND);
    fixture->fake->silent = true; /* replication stands still for 3 minutes, then for 17 */
    run_for(fixture, 180 * TIME_SECOND);
    answer = post(fixture, ADMIN "diagnostics", "{}");
    assert_at(answer, "data.active_sync_rules.errors.0.level", "fatal"); /* its requests time out */
    assert_at(answer, "data.active_sync_rules.errors.1.level", "warning");
    json_decref(answer);
    run_for(fixture, 840 * TIME_SECOND);
    answer = post(fixture, ADMIN "diagnostics", "{}");
    assert_at(answer, "data.active_sync_rules.errors.1.level", "fatal");
    json_decref(answer);
}

static void unreachable_source(void **state) {
    struct fixture *fixture = *state;
    host_http_listen(fixture->fake->host, NULL, NULL);
    json_t *answer = post(fixture, ADMIN "diagnostics", "{}");
    assert_at(answer, "data.connections.0.connected", "false");
    assert_at(answer, "data.connections.0.errors.0.level", "fatal");
    assert_at(answer, "data.active_sync_rules.connections.0.tables.0.errors.0.message", "connection failed");
    json_decref(answer);
    assert_refused(fixture, "POST", ADMIN "schema", JSON, "{}", 500, "PSYNC_S2001");
    assert_refused(fixture, "POST", ADMIN "validate", JSON, "{\"sync_rules\":\"a\"}", 500, "PSYNC_S2001");
}

static void schema(void **state) {
    struct fixture *fixture = *state;
    json_t *answer = post(fixture, ADMIN "schema", "{}");
    assert_at(answer, "data.defaultConnectionTag", "default");
    assert_at(answer, "data.defaultSchema", "convex");
    assert_at(answer, "data.connections.0.tag", "default");
    assert_at(answer, "data.connections.0.schemas.0.name", "convex");
    assert_at(answer, "data.connections.0.schemas.0.tables.0.name", "lists");
    assert_at(answer, "data.connections.0.schemas.0.tables.1.name", "todos");
    json_decref(answer);
}

static void no_sql(void **state) {
    json_t *answer =
        post(*state, ADMIN "execute-sql", "{\"sql\":{\"query\":\"SELECT 1\",\"args\":[1,\"a\",true]}}");
    assert_at(answer, "data.success", "false");
    assert_at(answer, "data.error", "SQL querying is not enabled");
    assert_at(answer, "data.results.columns", "some");
    assert_at(answer, "data.results.rows", "some");
    json_decref(answer);
}

static char *as_json(const char *name, const char *text) {
    json_t *object = json_pack("{s:s}", name, text);
    char *body = json_dumps(object, 0);
    json_decref(object);
    return body;
}

static void validate(void **state) {
    struct fixture *fixture = *state;
    char *body = as_json("sync_rules", other_yaml);
    json_t *answer = post(fixture, ADMIN "validate", body);
    assert_at(answer, "data.connections.0.tables.0.name", "lists");
    assert_at(answer, "data.connections.0.initial_replication_done", "false");
    assert_at(answer, "data.errors.0.level", "warning");
    assert_at(answer, "data.errors.0.message", "Table convex.nothing not found");
    json_decref(answer);
    free(body);
    answer = post(fixture, ADMIN "validate", "{\"sync_rules\":\"streams: [\"}");
    assert_at(answer, "data.errors.0.level", "fatal");
    json_decref(answer);
    answer = ask(fixture, "POST", RULES "validate", YAML, yaml, 200);
    assert_at(answer, "valid", "true"); /* not wrapped in data, as in the real service */
    assert_at(answer, "source_tables.0.name", "lists");
    json_decref(answer);
    answer = ask(fixture, "POST", RULES "validate", YAML, "streams: {a: {query: SELECT}}", 200);
    assert_at(answer, "valid", "false");
    assert_at(answer, "errors.0", text_at(answer, "errors.0"));
    assert_string_not_equal(text_at(answer, "errors.0"), "none");
    json_decref(answer);
}

/* --- deploying --- */

static void deploy(void **state) {
    struct fixture *fixture = *state;
    json_t *answer = ask(fixture, "GET", RULES "current", NULL, NULL, 200);
    assert_at(answer, "data.current.slot_name", "powersync_1");
    assert_at(answer, "data.current.content", yaml);
    assert_at(answer, "data.next", "null");
    json_decref(answer);
    answer = ask(fixture, "POST", RULES "deploy", YAML, yaml, 200); /* nothing new */
    assert_at(answer, "data.slot_name", "powersync_1");
    json_decref(answer);
    answer = ask(fixture, "POST", RULES "deploy", "application/yaml; charset=utf-8", other_yaml, 200);
    assert_at(answer, "data.slot_name", "powersync_2");
    json_decref(answer);
    assert_refused(fixture, "POST", ADMIN "reprocess", JSON, "{}", 409, "PSYNC_S4106");
    answer = ask(fixture, "GET", RULES "current", NULL, NULL, 200);
    assert_at(answer, "data.current.content", yaml);
    assert_at(answer, "data.next.content", other_yaml);
    json_decref(answer);
    answer = post(fixture, ADMIN "diagnostics", "{}");
    assert_at(answer, "data.deploying_sync_rules.connections.0.slot_name", "powersync_2");
    assert_at(answer, "data.deploying_sync_rules.connections.0.initial_replication_done", "false");
    json_decref(answer);
    run_for(fixture, 10 * TIME_SECOND);
    answer = ask(fixture, "GET", RULES "current", NULL, NULL, 200);
    assert_at(answer, "data.current.slot_name", "powersync_2");
    assert_at(answer, "data.next", "null");
    json_decref(answer);
}

/* S16: open streams end, without an error; the next connection gets other bucket names. */
static void deploy_under_streams(void **state) {
    struct fixture *fixture = *state;
    fake_put(fixture->fake, FAKE_START + 1000, "lists", "j1", ",\"uuid\":\"u1\",\"owner\":\"alice\"");
    run_for(fixture, 2 * TIME_SECOND);
    struct client *client = client_open(fixture, "alice-1", "alice", "{}");
    run_for(fixture, SOON);
    assert_kinds(client, "checkpoint data checkpoint_complete");
    struct error error = {0};
    assert_int_equal(powersync_service_deploy(fixture->service, other_yaml, NULL, &error), STATUS_OK);
    run_for(fixture, 20 * TIME_SECOND);
    assert_true(client->ended && !client->failed);
    client_close(client);
    client = client_open(fixture, "alice-1", "alice",
                         "{\"buckets\":[{\"name\":\"1#own|0[\\\"alice\\\"]\",\"after\":\"1\"}]}");
    run_for(fixture, SOON);
    const json_t *buckets = json_object_get(line_of(client, 0, "checkpoint"), "buckets");
    assert_string_equal(json_text(at(buckets, 0), "bucket"), "2#all|0[]");
    assert_kinds(client, "checkpoint data checkpoint_complete"); /* all again */
    client_close(client);
}

static void deploy_nonsense(void **state) {
    struct fixture *fixture = *state;
    assert_refused(fixture, "POST", RULES "deploy", YAML, "streams: {a: {query: SELECT}}", 422,
                   "PSYNC_R0001");
    assert_refused(fixture, "POST", RULES "deploy", YAML, "", 422, "PSYNC_R0001");
    assert_refused(fixture, "POST", RULES "deploy", YAML, "\xff\xfe\x01", 422, "PSYNC_R0001");
    struct error error = {0};
    assert_int_equal(powersync_service_deploy(fixture->service, "a: [", "x.yaml", &error), STATUS_INVALID);
    assert_string_equal(error.file, "x.yaml");
    start(fixture, (struct powersync_options){.sync_config = yaml, .sync_config_is_managed = true});
    assert_refused(fixture, "POST", RULES "deploy", YAML, other_yaml, 422, "PSYNC_S4105");
}

static void reprocess(void **state) {
    struct fixture *fixture = *state;
    json_t *answer = post(fixture, ADMIN "reprocess", "{}");
    assert_at(answer, "data.connections.0.slot_name", "powersync_2");
    assert_at(answer, "data.connections.0.tag", "default");
    json_decref(answer);
    run_for(fixture, 10 * TIME_SECOND);
    answer = post(fixture, RULES "reprocess", "{}");
    assert_at(answer, "data.slot_name", "powersync_3");
    json_decref(answer);
}

/* Without a config the service runs all the same, until one is deployed. */
static void nothing_deployed(void **state) {
    struct fixture *fixture = *state;
    start(fixture, (struct powersync_options){0});
    assert_refused(fixture, "POST", ADMIN "reprocess", JSON, "{}", 422, "PSYNC_S4104");
    assert_refused(fixture, "POST", RULES "reprocess", JSON, "{}", 422, "PSYNC_S4104");
    assert_refused(fixture, "GET", RULES "current", NULL, NULL, 422, "PSYNC_S4104");
    json_t *answer = post(fixture, ADMIN "diagnostics", "{}");
    assert_at(answer, "data.active_sync_rules", "none");
    json_decref(answer);
    struct client *client = client_open(fixture, "alice-1", "alice", "{}");
    run_for(fixture, SOON);
    assert_int_equal(client->status, 500);
    client_close(client);
    answer = ask(fixture, "POST", RULES "deploy", YAML, yaml, 200);
    assert_at(answer, "data.slot_name", "powersync_1");
    json_decref(answer);
    run_for(fixture, 10 * TIME_SECOND);
    client = client_open(fixture, "alice-1", "alice", "{}");
    run_for(fixture, SOON);
    assert_int_equal(client->status, 200);
    client_close(client);
}

/* --- numbers --- */

static void assert_metric(const struct fixture *fixture, const char *line) {
    struct buffer text = {0};
    powersync_service_metrics(fixture->service, &text);
    if (!strstr(buffer_text(&text), line))
        fail_msg("no %s in %s", line, buffer_text(&text));
    buffer_free(&text);
}

static void metrics(void **state) {
    struct fixture *fixture = *state;
    fake_put(fixture->fake, FAKE_START + 1000, "lists", "j1", ",\"uuid\":\"u1\",\"owner\":\"alice\"");
    run_for(fixture, 2 * TIME_SECOND);
    struct client *client = client_open(fixture, "alice-1", "alice", "{}");
    run_for(fixture, SOON);
    assert_metric(fixture, "\npowersync_rows_replicated_total 1\n");
    assert_metric(fixture, "\npowersync_transactions_replicated_total 1\n");
    assert_metric(fixture, "\npowersync_replication_lag_seconds 0.000\n");
    assert_metric(fixture, "\npowersync_operations_synced_total 1\n");
    assert_metric(fixture, "\npowersync_concurrent_connections 1\n");
    assert_metric(fixture, "# TYPE powersync_data_synced_bytes_total counter\n");
    assert_metric(fixture, "\npowersync_operation_storage_size_bytes ");
    struct buffer text = {0};
    powersync_service_metrics(fixture->service, &text);
    assert_null(strstr(text.data, "data_replicated_bytes")); /* never counted by the Convex module */
    assert_null(strstr(text.data, "chunks_replicated"));
    buffer_free(&text);
    client_close(client);
    run_for(fixture, SOON);
    assert_metric(fixture, "\npowersync_concurrent_connections 0\n");
}

static void compaction(void **state) {
    struct fixture *fixture = *state;
    for (int i = 1; i <= 20; i++)
        fake_put(fixture->fake, FAKE_START + 1000 * i, "lists", "j1", ",\"uuid\":\"u1\",\"owner\":\"alice\"");
    run_for(fixture, 2 * TIME_SECOND);
    assert_int_equal(powersync_service_compact(fixture->service, NULL), STATUS_OK);
    struct client *client = client_open(fixture, "alice-1", "alice", "{}");
    run_for(fixture, SOON);
    const json_t *operations = json_object_get(line_of(client, 1, "data"), "data");
    assert_int_equal(json_array_size(operations), 2);
    assert_string_equal(json_text(at(operations, 0), "op"), "CLEAR");
    assert_string_equal(json_text(at(operations, 1), "op"), "PUT");
    client_close(client);
}

/* Ids that clients supplied are forgotten after the retention time, those that were given out are not. */
static void retention(void **state) {
    struct fixture *fixture = *state;
    char *header = authorization_of(good_claims(fixture, "alice"), TEST_SECRET);
    for (int round = 0; round < 2; round++) {
        struct client *supplied =
            client_send(fixture, "alice-1", "POST", "/sync/checkpoint-request", header, JSON,
                        round == 0 ? "{\"client_id\":\"c1\",\"checkpoint_request_id\":9}"
                                   : "{\"client_id\":\"c1\",\"checkpoint_request_id\":1}");
        struct client *generated = client_send(fixture, "alice-1", "GET",
                                               "/write-checkpoint2.json?client_id=c2", header, NULL, NULL);
        run_for(fixture, 3 * TIME_SECOND);
        assert_non_null(strstr(buffer_text(&supplied->body), round == 0 ? "\"9\"" : "\"1\""));
        assert_non_null(strstr(buffer_text(&generated->body), round == 0 ? "\"1\"" : "\"2\""));
        client_close(supplied);
        client_close(generated);
        run_for(fixture, 59 * 60 * TIME_SECOND);
        assert_int_equal(powersync_service_compact(fixture->service, NULL), STATUS_OK);
        supplied = client_send(fixture, "alice-1", "POST", "/sync/checkpoint-request", header, JSON,
                               "{\"client_id\":\"c3\",\"checkpoint_request_id\":1}");
        run_for(fixture, 120 * TIME_SECOND); /* its marker is replicated, too */
        client_close(supplied);
        assert_int_equal(powersync_service_compact(fixture->service, NULL), STATUS_OK);
        free(header);
        header = authorization_of(good_claims(fixture, "alice"), TEST_SECRET);
    }
    free(header);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(only_operators),
                                       TEST(wrong_bodies),
                                       TEST(diagnostics),
                                       TEST(unreachable_source),
                                       TEST(schema),
                                       TEST(no_sql),
                                       TEST(validate),
                                       TEST(deploy),
                                       TEST(deploy_under_streams),
                                       TEST(deploy_nonsense),
                                       TEST(reprocess),
                                       TEST(nothing_deployed),
                                       TEST(metrics),
                                       TEST(compaction),
                                       TEST(retention)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
