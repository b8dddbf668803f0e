/* What the service refuses, with which status and code. */
#include "mock-powersync/unit.h"

#include "mock-powersync/fixture.h"

static const char *const yaml = "config: {edition: 3}\n"
                                "streams:\n"
                                "  own:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT *, uuid AS id FROM lists WHERE owner = auth.user_id()\n";

struct refusal {
    const char *method, *target, *type, *body;
    bool authorised;
    int status;
    const char *code;
};

#define JSON "application/json"

static const struct refusal refusals[] = {
    {"GET", "/", NULL, NULL, true, 404, "PSYNC_S2002"},
    {"GET", "/sync/stream", NULL, NULL, true, 404, "PSYNC_S2002"},
    {"POST", "/sync/streams", JSON, "{}", true, 404, "PSYNC_S2002"},
    {"POST", "/sync/stream", JSON, "{}", false, 401, "PSYNC_S2106"},
    {"POST", "/sync/stream", JSON, "{\"buckets\":7}", false, 400, "PSYNC_S2001"}, /* validated first */
    {"POST", "/sync/stream", JSON, "{\"buckets\":[{\"name\":\"a\"}]}", true, 400, "PSYNC_S2001"},
    {"POST", "/sync/stream", JSON, "{\"buckets\":[{\"name\":\"a\",\"after\":5}]}", true, 400, "PSYNC_S2001"},
    {"POST", "/sync/stream", JSON, "{\"buckets\":[{\"name\":\"a\",\"after\":\"x\"}]}", true, 500,
     "PSYNC_S2001"},
    {"POST", "/sync/stream", JSON, "{\"raw_data\":1}", true, 400, "PSYNC_S2001"},
    {"POST", "/sync/stream", JSON, "{\"client_id\":1}", true, 400, "PSYNC_S2001"},
    {"POST", "/sync/stream", JSON, "{\"app_metadata\":{\"a\":1}}", true, 400, "PSYNC_S2001"},
    {"POST", "/sync/stream", JSON, "{\"parameters\":[]}", true, 400, "PSYNC_S2001"},
    {"POST", "/sync/stream", JSON, "{\"streams\":{}}", true, 400, "PSYNC_S2001"},
    {"POST", "/sync/stream", JSON,
     "{\"streams\":{\"subscriptions\":[{\"stream\":\"own\",\"parameters\":null}]}}", true, 400,
     "PSYNC_S2001"},
    {"POST", "/sync/stream", JSON, "{", true, 400, "FST_ERR_CTP_INVALID_JSON_BODY"},
    {"POST", "/sync/stream", JSON, "", true, 400, "FST_ERR_CTP_EMPTY_JSON_BODY"},
    {"POST", "/sync/stream", "application/xml", "<a/>", true, 415, "FST_ERR_CTP_INVALID_MEDIA_TYPE"},
    {"POST", "/sync/stream", NULL, "{}", true, 415, "FST_ERR_CTP_INVALID_MEDIA_TYPE"},
    {"POST", "/sync/stream", "application/jsonp", "{}", true, 415, "FST_ERR_CTP_INVALID_MEDIA_TYPE"},
    {"POST", "/sync/stream", "application/yaml", "a: b", true, 415, "FST_ERR_CTP_INVALID_MEDIA_TYPE"},
    {"POST", "/sync/stream", "application/json;charset=utf-8", "{", false, 400,
     "FST_ERR_CTP_INVALID_JSON_BODY"},
    {"POST", "/sync/stream", JSON, "{\"a\":1,\"a\":2}", true, 400, "FST_ERR_CTP_INVALID_JSON_BODY"},
    {"POST", "/sync/stream", JSON, "\xff", true, 400, "FST_ERR_CTP_INVALID_JSON_BODY"},
    {"POST", "/sync/stream?raw_data=true", JSON, "{}", false, 400, "PSYNC_S2001"}, /* a text is no boolean */
    {"POST", "/sync/stream?client_id=a&client_id=b", JSON, "{}", false, 400, "PSYNC_S2001"},
    {"POST", "/sync/stream?client_id=a&client_id=b", JSON, "{\"client_id\":\"c\"}", false, 401,
     "PSYNC_S2106"},
    {"POST", "/sync/stream?%ff=%fe&&=&a", JSON, "{}", false, 401, "PSYNC_S2106"},
    {"POST", "/sync/stream", "text/plain", "hello", false, 401,
     "PSYNC_S2106"}, /* a body of no object: none */
    {"POST", "/sync/stream", JSON, "[]", false, 401, "PSYNC_S2106"},
    {"POST", "/sync/stream", JSON, "7", false, 401, "PSYNC_S2106"},
    {"POST", "/sync/stream", JSON, "null", false, 401, "PSYNC_S2106"},
    {"PUT", "/sync/stream", JSON, "{}", true, 404, "PSYNC_S2002"},
    {"POST", "/write-checkpoint2.json", JSON, "{}", true, 404, "PSYNC_S2002"},
    {"GET", "/write-checkpoint2.json?client_id=a&client_id=b", NULL, NULL, false, 400, "PSYNC_S2001"},
    {"GET", "/write-checkpoint.json?client_id=a&client_id=b", NULL, NULL, false, 400, "PSYNC_S2001"},
    {"GET", "/write-checkpoint.json", NULL, NULL, false, 401, "PSYNC_S2106"},
    {"POST", "/sync/checkpoint-request", JSON, "{}", false, 400, "PSYNC_S2001"},
    {"POST", "/sync/checkpoint-request", JSON, "{\"client_id\":7,\"checkpoint_request_id\":1}", true, 400,
     "PSYNC_S2001"},
    {"POST", "/sync/checkpoint-request", JSON, "{\"client_id\":\"c\",\"checkpoint_request_id\":-1}", true,
     400, "PSYNC_S2001"},
    {"POST", "/sync/checkpoint-request", JSON, "{\"client_id\":\"c\",\"checkpoint_request_id\":1.5}", true,
     400, "PSYNC_S2001"},
    {"POST", "/sync/checkpoint-request", JSON, "{\"client_id\":\"c\",\"checkpoint_request_id\":\"1 \"}", true,
     400, "PSYNC_S2001"},
    {"GET", "/metrics", NULL, NULL, true, 404, "PSYNC_S2002"}, /* on a port of their own */
    {"GET", "/sync/stats", NULL, NULL, true, 404, "PSYNC_S2002"},
    {"GET", "/write-checkpoint2.json", NULL, NULL, false, 401, "PSYNC_S2106"},
    {"POST", "/sync/checkpoint-request", JSON, "{\"client_id\":\"c\"}", true, 400, "PSYNC_S2001"},
    {"POST", "/sync/checkpoint-request", JSON, "{\"client_id\":\"c\",\"checkpoint_request_id\":\"0\"}", true,
     400, "PSYNC_S2001"},
    {"POST", "/sync/checkpoint-request", JSON,
     "{\"client_id\":\"c\",\"checkpoint_request_id\":\"9223372036854775808\"}", true, 400, "PSYNC_S2001"},
    {"POST", "/sync/checkpoint-request", JSON,
     "{\"client_id\":\"c\",\"checkpoint_request_id\":9007199254740992}", true, 400, "PSYNC_S2001"},
};

static void assert_refused(struct fixture *fixture, struct client *client, int status, const char *code,
                           const char *what) {
    run_for(fixture, 100 * TIME_MILLISECOND);
    json_t *body = json_parse(buffer_text(&client->body), client->body.length, NULL);
    const json_t *error = json_object_get(body, "error");
    const char *found = json_text(error, "code");
    if (client->status != status || !found || strcmp(found, code) != 0)
        fail_msg("%s: wanted %d %s, got %d %s", what, status, code, client->status,
                 buffer_text(&client->body));
    assert_int_equal(json_integer_or(error, "status", 0), status);
    assert_non_null(json_text(error, "name"));
    assert_non_null(json_text(error, "description"));
    assert_true(client->ended);
    json_decref(body);
    client_close(client);
}

static void refused_requests(void **state) {
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *refusal = &refusals[i];
        char *header = authorization_of(good_claims(fixture, "alice"), TEST_SECRET);
        struct client *client =
            client_send(fixture, "alice-1", refusal->method, refusal->target,
                        refusal->authorised ? header : NULL, refusal->type, refusal->body);
        free(header);
        assert_refused(fixture, client, refusal->status, refusal->code, refusal->target);
    }
}

static void too_large(void **state) {
    struct fixture *fixture = *state;
    struct buffer body = {0};
    buffer_append_text(&body, "{\"parameters\":{\"a\":\"");
    while (body.length < 1024 * 1024)
        buffer_append_text(&body, "0123456789abcdef0123456789abcdef");
    buffer_append_text(&body, "\"}}");
    struct client *client = client_send(fixture, "alice-1", "POST", "/sync/stream", NULL, JSON, body.data);
    assert_refused(fixture, client, 413, "FST_ERR_CTP_BODY_TOO_LARGE", "large body");
    client = client_send(fixture, "alice-1", "POST", "/sync/stream", NULL, "application/xml", body.data);
    assert_refused(fixture, client, 415, "FST_ERR_CTP_INVALID_MEDIA_TYPE", "large body of another type");
    buffer_free(&body);
}

/* Changes to the claims of a good token; seconds are relative to now. */
struct token_case {
    const char *name;
    const char *secret;
    const char *remove;
    int64_t issued, expires;
    const char *audience; /* JSON */
    const char *more;     /* JSON object of further claims */
    const char *code;     /* NULL: accepted */
};

static const struct token_case tokens[] = {
    {"good", TEST_SECRET, NULL, 0, 300, "\"powersync\"", "{}", NULL},
    {"audience list", TEST_SECRET, NULL, 0, 300, "[\"x\",\"powersync\"]", "{}", NULL},
    {"wrong secret", "another", NULL, 0, 300, "\"powersync\"", "{}", "PSYNC_S2101"},
    {"no sub", TEST_SECRET, "sub", 0, 300, "\"powersync\"", "{}", "PSYNC_S2101"},
    {"no iat", TEST_SECRET, "iat", 0, 300, "\"powersync\"", "{}", "PSYNC_S2101"},
    {"no exp", TEST_SECRET, "exp", 0, 300, "\"powersync\"", "{}", "PSYNC_S2101"},
    {"no aud", TEST_SECRET, "aud", 0, 300, "\"powersync\"", "{}", "PSYNC_S2105"},
    {"wrong aud", TEST_SECRET, NULL, 0, 300, "\"authenticated\"", "{}", "PSYNC_S2105"},
    {"expired", TEST_SECRET, NULL, -400, -61, "\"powersync\"", "{}", "PSYNC_S2103"},
    {"expired and wrong aud", TEST_SECRET, NULL, -400, -61, "\"x\"", "{}", "PSYNC_S2103"},
    {"expired in tolerance", TEST_SECRET, NULL, -400, -30, "\"powersync\"", "{}", NULL},
    {"longest life", TEST_SECRET, NULL, 0, 86400, "\"powersync\"", "{}", NULL},
    {"too long a life", TEST_SECRET, NULL, 0, 86401, "\"powersync\"", "{}", "PSYNC_S2104"},
    {"too long, wrong aud", TEST_SECRET, NULL, 0, 86401, "\"x\"", "{}", "PSYNC_S2105"},
    {"issued in the future", TEST_SECRET, NULL, 1000, 2000, "\"powersync\"", "{}", NULL},
    {"issued in another age", TEST_SECRET, NULL, 8000000000, 8000000001, "\"powersync\"", "{}",
     "PSYNC_S2101"},
    {"not yet", TEST_SECRET, NULL, 0, 300, "\"powersync\"", "{\"nbf\":1767229200}", "PSYNC_S2101"},
    {"parameters", TEST_SECRET, NULL, 0, 300, "\"powersync\"", "{\"parameters\":{\"a\":1}}", NULL},
    {"bad parameters", TEST_SECRET, NULL, 0, 300, "\"powersync\"", "{\"parameters\":1}", "PSYNC_S2101"},
    {"sub of another kind", TEST_SECRET, NULL, 0, 300, "\"powersync\"", "{\"sub\":7}", NULL},
};

static void tokens_by_rule(void **state) {
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        const struct token_case *token = &tokens[i];
        int64_t now = wall_seconds(fixture);
        json_t *claims =
            json_pack("{s:s,s:I,s:I,s:o}", "sub", "alice", "iat", (json_int_t)(now + token->issued), "exp",
                      (json_int_t)(now + token->expires), "aud",
                      json_parse(token->audience, strlen(token->audience), NULL));
        json_object_update_new(claims, json_parse(token->more, strlen(token->more), NULL));
        if (token->remove)
            json_object_del(claims, token->remove);
        char *header = authorization_of(claims, token->secret);
        struct client *client = client_send(fixture, "alice-1", "POST", "/sync/stream", header, JSON, "{}");
        free(header);
        if (token->code) {
            assert_refused(fixture, client, 401, token->code, token->name);
            continue;
        }
        run_for(fixture, 100 * TIME_MILLISECOND);
        if (client->status != 200)
            fail_msg("%s: refused: %s", token->name, buffer_text(&client->body));
        client_close(client);
    }
}

static void headers_by_rule(void **state) {
    struct fixture *fixture = *state;
    json_t *claims = good_claims(fixture, "alice");
    char *other = jwt_sign_hs256("another-key", claims, TEST_SECRET, strlen(TEST_SECRET));
    char *none = jwt_sign_hs256(NULL, claims, TEST_SECRET, strlen(TEST_SECRET));
    char *good = jwt_sign_hs256("syncline", claims, TEST_SECRET, strlen(TEST_SECRET));
    const struct {
        char *header;
        const char *code;
    } cases[] = {
        {memory_format("Bearer %s", other), "PSYNC_S2101"}, {memory_format("Bearer %s", none), "PSYNC_S2101"},
        {memory_format("token %s", good), "PSYNC_S2106"},   {memory_format("Token  %s", good), "PSYNC_S2106"},
        {memory_format("Basic %s", good), "PSYNC_S2106"},   {memory_format("Token "), "PSYNC_S2106"},
        {memory_format("Token abc"), "PSYNC_S2101"},        {memory_format("Token a.b.c"), "PSYNC_S2101"},
        {memory_format("Token %sx", good), "PSYNC_S2101"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client *client =
            client_send(fixture, "alice-1", "GET", "/write-checkpoint2.json", cases[i].header, NULL, NULL);
        assert_refused(fixture, client, 401, cases[i].code, cases[i].header);
        free(cases[i].header);
    }
    json_decref(claims);
    free(other);
    free(none);
    free(good);
}

static void before_the_first_checkpoint(void **state) {
    struct fixture *fixture = *state;
    powersync_service_destroy(fixture->service);
    fixture_start(fixture, yaml);
    struct client *client = client_open(fixture, "alice-1", "alice", "{}");
    assert_refused(fixture, client, 500, "PSYNC_S2302", "no active config");
}

static void probes(void **state) {
    struct fixture *fixture = *state;
    static const char *const names[] = {"/probes/startup", "/probes/liveness", "/probes/readiness"};
    run_for(fixture, 30 * TIME_SECOND); /* nobody asked anything meanwhile */
    for (size_t i = 0; i < 3; i++) {
        struct client *client = client_send(fixture, "alice-1", "GET", names[i], NULL, NULL, NULL);
        run_for(fixture, 100 * TIME_MILLISECOND);
        assert_int_equal(client->status, 200);
        json_t *body = json_parse(buffer_text(&client->body), client->body.length, NULL);
        assert_true(json_is_true(json_object_get(body, "started")));
        assert_true(json_is_true(json_object_get(body, "ready")));
        const char *touched = json_text(body, "touched_at");
        assert_int_equal(strlen(touched), strlen("2026-01-01T00:00:30.501Z"));
        assert_memory_equal(touched, "2026-01-01T00:00:30.", 20);
        json_decref(body);
        client_close(client);
    }
}

static void browsers_ask_first(void **state) {
    struct fixture *fixture = *state;
    static const struct http_header headers[] = {{"origin", "https://app.test"},
                                                 {"access-control-request-method", "POST"}};
    for (size_t n_headers = 0; n_headers <= 2; n_headers++) {
        struct client *client =
            client_ask(fixture, "alice-1", "OPTIONS", "/sync/stream", headers, n_headers, NULL);
        run_for(fixture, 100 * TIME_MILLISECOND);
        assert_int_equal(client->status, n_headers == 2 ? 204 : 400);
        assert_true(client->ended);
        client_close(client);
    }
}

/* 200 streams, not one more; the 201st is told by status alone. Whoever goes makes room. */
static void open_streams(void **state) {
    struct fixture *fixture = *state;
    struct client *clients[201];
    for (size_t i = 0; i < 200; i++)
        clients[i] = client_open(fixture, "alice-1", "alice", "{}");
    run_for(fixture, 200 * TIME_MILLISECOND);
    clients[200] = client_open(fixture, "alice-1", "alice", "{}");
    run_for(fixture, 200 * TIME_MILLISECOND);
    assert_int_equal(clients[200]->status, 429);
    assert_int_equal(clients[200]->body.length, 0);
    client_close(clients[200]);
    client_close(clients[7]);
    run_for(fixture, 200 * TIME_MILLISECOND);
    clients[7] = client_open(fixture, "alice-1", "alice", "{}");
    struct client *probe = client_send(fixture, "alice-1", "GET", "/probes/liveness", NULL, NULL, NULL);
    run_for(fixture, 200 * TIME_MILLISECOND);
    assert_int_equal(probe->status, 200); /* another group */
    client_close(probe);
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(clients[i]->status, 200);
        client_close(clients[i]);
    }
}

static void shutting_down(void **state) {
    struct fixture *fixture = *state;
    struct client *open = client_open(fixture, "alice-1", "alice", "{}");
    run_for(fixture, 200 * TIME_MILLISECOND);
    powersync_service_shut_down(fixture->service);
    run_for(fixture, 200 * TIME_MILLISECOND);
    assert_true(open->failed);
    client_close(open);
    struct client *late = client_open(fixture, "alice-1", "alice", "{}");
    assert_refused(fixture, late, 503, "PSYNC_S2003", "late");
    struct client *probe = client_send(fixture, "alice-1", "GET", "/probes/liveness", NULL, NULL, NULL);
    run_for(fixture, 200 * TIME_MILLISECOND);
    assert_int_equal(probe->status, 200);
    client_close(probe);
}

/* A field of former times: what the client accepts counts. */
static void binary_data_is_ignored(void **state) {
    struct fixture *fixture = *state;
    struct client *client = client_open(fixture, "alice-1", "alice", "{\"binary_data\":true}");
    run_for(fixture, 100 * TIME_MILLISECOND);
    assert_string_equal(client->content_type, "application/x-ndjson");
    client_close(client);
}

static int set_up(void **state) {
    struct fixture *fixture = fixture_create();
    fixture_start(fixture, yaml);
    run_for(fixture, 500 * TIME_MILLISECOND);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    fixture_destroy(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(refused_requests),
                                       TEST(too_large),
                                       TEST(tokens_by_rule),
                                       TEST(headers_by_rule),
                                       TEST(before_the_first_checkpoint),
                                       TEST(probes),
                                       TEST(browsers_ask_first),
                                       TEST(open_streams),
                                       TEST(shutting_down),
                                       TEST(binary_data_is_ignored)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
