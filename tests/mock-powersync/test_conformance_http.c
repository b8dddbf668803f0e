/* Conformance scenarios of the sync stream over HTTP, by their numbers: forms, limits, readers that do not
 * read, tokens.
 */
#include "mock-powersync/unit.h"

#include "mock-powersync/fixture.h"
#include "mock-powersync/stream/accept.h"

static const char *const yaml =
    "config: {edition: 3}\n"
    "streams:\n"
    "  todos:\n"
    "    auto_subscribe: true\n"
    "    query: SELECT *, _id AS id FROM todos\n"
    "  team:\n"
    "    auto_subscribe: true\n"
    "    query: SELECT _id AS id FROM todos WHERE owner IN auth.parameter('teams')\n";

static int set_up(void **state) {
    struct fixture *fixture = fixture_create();
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    fixture_destroy(*state);
    return 0;
}

static void put(struct fixture *fixture, int number, const char *text) {
    char *id = memory_format("t%d", number);
    char *fields = memory_format(",\"text\":\"%s\"", text);
    fake_put(fixture->fake, fixture->fake->latest + 1, "todos", id, fields);
    free(id);
    free(fields);
}

static void start(struct fixture *fixture) {
    fixture_start(fixture, yaml);
    run_for(fixture, TIME_SECOND);
}

static void accept_header(void **state) {
    (void)state;
    static const struct {
        const char *accept;
        bool bson;
    } cases[] = {{NULL, false},
                 {"", false},
                 {"*/*", false},
                 {"application/*", false},
                 {ACCEPT_BSON, true},
                 {"APPLICATION/VND.POWERSYNC.BSON-STREAM", true},
                 {ACCEPT_BSON ";q=0.9," ACCEPT_NDJSON ";q=0.8", true}, /* as the SDKs ask */
                 {ACCEPT_NDJSON ";q=0.9, " ACCEPT_BSON ";q=0.8", false},
                 {ACCEPT_BSON ", " ACCEPT_NDJSON, true},
                 {ACCEPT_NDJSON ", " ACCEPT_BSON, false},
                 {ACCEPT_BSON ";q=0", false},
                 {ACCEPT_BSON ";q=0, */*", false},
                 {"*/*;q=0.5, " ACCEPT_BSON, true},
                 {"*/*, " ACCEPT_BSON, true}, /* named more exactly */
                 {"*/*, " ACCEPT_BSON ";q=0.999", false},
                 {"application/json", false},
                 {ACCEPT_BSON ";version=1", false},
                 {",;,=;q=,,", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (accept_prefers_bson(cases[i].accept) != cases[i].bson)
            fail_msg("Accept: %s", cases[i].accept);
    static const struct {
        const char *encoding;
        bool gzip;
    } encodings[] = {{NULL, false},
                     {"", false},
                     {"gzip", true},
                     {"GZip", true},
                     {"br", false},
                     {"gzip;q=0", false},
                     {"*", true},
                     {"*;q=0", false},
                     {"gzip;q=0, *", false},
                     {"deflate, gzip;q=0.001", true},
                     {"identity", false}};
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++)
        if (accept_allows_gzip(encodings[i].encoding) != encodings[i].gzip)
            fail_msg("Accept-Encoding: %s", encodings[i].encoding);
}

/* Plain and compressed, text and binary: the same lines, each readable as soon as it is written. */
static void s21_forms(void **state) {
    struct fixture *fixture = *state;
    for (int i = 0; i < 200; i++)
        put(fixture, i, "the same again and again");
    start(fixture);
    static const char body[] = "{\"raw_data\":true}";
    struct client *clients[] = {
        client_open_as(fixture, "alice-1", "alice", body, NULL, NULL),
        client_open_as(fixture, "alice-2", "alice", body, ACCEPT_BSON, "br"),
        client_open_as(fixture, "alice-3", "alice", body, ACCEPT_NDJSON, "gzip, deflate"),
        client_open_as(fixture, "alice-4", "alice", body, ACCEPT_BSON, "gzip")};
    run_for(fixture, 100 * TIME_MILLISECOND);
    put(fixture, 1000, "news");
    run_for(fixture, 2 * TIME_SECOND);
    assert_kinds(clients[0], "checkpoint data checkpoint_complete checkpoint_diff data checkpoint_complete");
    for (size_t i = 1; i < 4; i++)
        assert_true(json_equal(clients[i]->lines, clients[0]->lines));
    assert_string_equal(clients[1]->content_type, ACCEPT_BSON);
    assert_string_equal(clients[1]->encoding, "");
    assert_string_equal(clients[2]->content_type, ACCEPT_NDJSON);
    assert_string_equal(clients[2]->encoding, "gzip");
    assert_true(clients[2]->wire_bytes * 4 < clients[0]->wire_bytes);
    assert_string_equal(clients[3]->encoding, "gzip");
    assert_string_equal(clients[3]->content_type, ACCEPT_BSON);
    for (size_t i = 0; i < 4; i++)
        client_close(clients[i]);
}

/* A token that ends: the last line and the end of the compressed file come through. */
static void s15_gzip_to_the_end(void **state) {
    struct fixture *fixture = *state;
    start(fixture);
    json_t *claims = good_claims(fixture, "alice");
    json_object_set_new(claims, "exp", json_integer(wall_seconds(fixture) + 2));
    char *token = authorization_of(claims, TEST_SECRET);
    const struct http_header headers[] = {
        {"authorization", token}, {"content-type", "application/json"}, {"accept-encoding", "gzip"}};
    struct client *client = client_ask(fixture, "alice-1", "POST", "/sync/stream", headers, 3, "{}");
    free(token);
    run_for(fixture, 5 * TIME_SECOND);
    assert_true(client->ended);
    assert_kinds(client, "checkpoint checkpoint_complete token_expires_in");
    assert_int_equal(inflate(&client->inflate, Z_SYNC_FLUSH), Z_STREAM_END);
    assert_int_equal(client->inflate.total_out, client->whole.length);
    client_close(client);
}

/* 1001 buckets: an answer as to any failed request, in the encoding that the stream would have had. */
static void s19_at_connect(void **state) {
    struct fixture *fixture = *state;
    start(fixture);
    json_t *claims = good_claims(fixture, "alice"), *teams = json_array();
    for (int i = 0; i < 1000; i++)
        json_array_append_new(teams, json_sprintf("team %d", i));
    json_object_set_new(claims, "teams", teams);
    char *token = authorization_of(claims, TEST_SECRET);
    const struct http_header headers[] = {{"authorization", token},
                                          {"content-type", "application/json"},
                                          {"accept", ACCEPT_BSON},
                                          {"accept-encoding", "gzip"}};
    struct client *client = client_ask(fixture, "alice-1", "POST", "/sync/stream", headers, 4, "{}");
    free(token);
    run_for(fixture, TIME_SECOND);
    assert_int_equal(client->status, 500);
    assert_true(client->ended);
    assert_non_null(strstr(client->content_type, "application/json"));
    assert_string_equal(client->encoding, "gzip");
    json_t *body = json_parse(client->body.data, client->body.length, NULL);
    const json_t *error = json_object_get(body, "error");
    assert_string_equal(json_text(error, "code"), "PSYNC_S2305");
    assert_non_null(strstr(json_text(error, "description"), "Too many buckets: 1001 (limit of 1000)"));
    json_decref(body);
    client_close(client);
}

static void s20_connections(void **state) {
    struct fixture *fixture = *state;
    struct client *clients[200];
    start(fixture);
    for (int i = 0; i < 200; i++) {
        char node[20];
        snprintf(node, sizeof node, "n%d", i);
        clients[i] = client_open(fixture, node, "alice", "{}");
    }
    run_for(fixture, TIME_SECOND);
    struct client *late = client_open(fixture, "late", "alice", "{}");
    run_for(fixture, TIME_SECOND);
    assert_int_equal(late->status, 429);
    assert_true(late->ended);
    assert_int_equal(late->whole.length, 0);
    client_close(late);
    client_close(clients[7]);
    run_for(fixture, TIME_SECOND);
    late = client_open(fixture, "late", "alice", "{}");
    run_for(fixture, TIME_SECOND);
    assert_int_equal(late->status, 200);
    client_close(late);
    for (int i = 0; i < 200; i++)
        if (i != 7)
            client_close(clients[i]);
}

/* The network holds everything back: the stream stops after some hundred KiB and goes on when it moves again.
 */
static void slow_reader(void **state) {
    struct fixture *fixture = *state;
    char *text = memory_allocate(20001);
    memset(text, 'x', 20000);
    for (int i = 0; i < 400; i++)
        put(fixture, i, text);
    free(text);
    start(fixture);
    net_cut(fixture->net, "powersync", "alice-1");
    struct client *client = client_open(fixture, "alice-1", "alice", "{\"raw_data\":true}");
    run_for(fixture, 10 * TIME_SECOND);
    size_t unsent = host_http_unsent(fixture->service_host, client->exchange);
    assert_in_range(unsent, 256 * 1024, 1300 * 1024); /* the limit was met with one line of 1 MiB */
    struct client *other = client_open(fixture, "bob-1", "bob", "{\"raw_data\":true}");
    run_for(fixture, 5 * TIME_SECOND);
    assert_string_equal(line_kind(line(other, line_count(other) - 1)), "checkpoint_complete");
    net_heal(fixture->net, "powersync", "alice-1");
    run_for(fixture, 5 * TIME_SECOND);
    assert_true(json_equal(client->lines, other->lines));
    assert_int_equal(host_http_unsent(fixture->service_host, client->exchange), 0);
    client_close(client);
    client_close(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(accept_header), TEST(s21_forms),
                                       TEST(s15_gzip_to_the_end),       TEST(s19_at_connect),
                                       TEST(s20_connections),           TEST(slow_reader)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
