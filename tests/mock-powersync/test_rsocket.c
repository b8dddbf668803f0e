/* Sync streams over RSocket: the SETUP and who is let in, lines by credits, errors as texts, ends. */
#include "mock-powersync/unit.h"

#include "base/bson.h"
#include "mock-powersync/fixture.h"
#include "mock-powersync/http/rsocket_frame.h"

static const char *const yaml = "config: {edition: 3}\n"
                                "streams:\n"
                                "  lists:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT *, uuid AS id FROM lists WHERE owner = auth.user_id()\n";

static const char type_json[] = "application/json";
static const char type_bson[] = "application/bson";

/* A client's end: what came, a line of text each. */
struct peer {
    struct fixture *fixture;
    struct host *host;
    uint64_t socket;
    struct buffer story;
};

static void on_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                       size_t length) {
    struct peer *peer = context;
    struct rsocket_frame frame;
    const char *reason;
    (void)socket;
    assert_int_equal(kind, WEBSOCKET_BINARY);
    assert_true(rsocket_frame_read(&frame, bytes, length, &reason));
    if (frame.type == RSOCKET_ERROR) {
        const char *text = frame.data.bytes, *bracket = memchr(text, ']', frame.data.length);
        buffer_printf(&peer->story, "error %u %x %.*s\n", frame.stream, frame.number,
                      bracket ? (int)(bracket + 1 - text) : (int)frame.data.length, text);
    } else if (frame.type == RSOCKET_KEEPALIVE) {
        buffer_printf(&peer->story, "keepalive %.*s\n", (int)frame.data.length,
                      (const char *)frame.data.bytes);
    } else {
        assert_int_equal(frame.type, RSOCKET_PAYLOAD);
        json_t *line = NULL;
        if (frame.data.length > 0)
            assert_int_equal(bson_parse(frame.data.bytes, frame.data.length, &line, NULL), STATUS_OK);
        buffer_printf(&peer->story, "%u %s%s\n", frame.stream,
                      line ? json_object_iter_key(json_object_iter(line)) : "",
                      frame.flags & RSOCKET_COMPLETE ? "end" : "");
        json_decref(line);
    }
}

static void on_closed(void *context, uint64_t socket, int code, const char *reason) {
    (void)socket;
    (void)reason;
    buffer_printf(&((struct peer *)context)->story, "closed %d\n", code);
}

static void on_refused(void *context, uint64_t socket, const struct http_response *response) {
    (void)socket;
    buffer_printf(&((struct peer *)context)->story, "refused %d\n", response->status);
}

static struct peer *peer_open(struct fixture *fixture, const char *node, const char *target) {
    static const struct websocket_client_events events = {
        .message = on_message, .refused = on_refused, .closed = on_closed};
    struct peer *peer = memory_allocate(sizeof *peer);
    const struct http_request request = {.authority = "powersync", .method = "GET", .target = target};
    *peer = (struct peer){.fixture = fixture, .host = client_host(fixture, node)};
    peer->socket = host_websocket_connect(peer->host, &request, &events, peer);
    run_for(fixture, 10 * TIME_MILLISECOND);
    return peer;
}

static void peer_close(struct peer *peer) {
    host_http_abort(peer->host, peer->socket);
    run_for(peer->fixture, 10 * TIME_MILLISECOND); /* until the service has seen it */
    buffer_free(&peer->story);
    free(peer);
}

static void peer_send(struct peer *peer, const struct rsocket_frame *frame) {
    struct buffer bytes = {0};
    rsocket_frame_append(&bytes, frame);
    host_websocket_send(peer->host, peer->socket, WEBSOCKET_BINARY, bytes.data, bytes.length);
    buffer_free(&bytes);
    run_for(peer->fixture, 50 * TIME_MILLISECOND);
}

/* What came since the last call. */
static void assert_story(struct peer *peer, const char *expected) {
    assert_string_equal(buffer_text(&peer->story), expected);
    buffer_clear(&peer->story);
}

static struct rsocket_bytes bytes_of(const char *text) {
    return (struct rsocket_bytes){text, strlen(text)};
}

static struct rsocket_frame setup_frame(const char *type, const struct rsocket_bytes *metadata) {
    return (struct rsocket_frame){.type = RSOCKET_SETUP,
                                  .major = 1,
                                  .keepalive = 20000,
                                  .lifetime = 90000,
                                  .metadata_type = bytes_of(type),
                                  .data_type = bytes_of(type),
                                  .metadata = *metadata};
}

/* A SETUP in JSON with this token. */
static void send_setup(struct peer *peer, const char *token) {
    char *text = memory_format("{\"token\":\"%s\",\"user_agent\":\"a test\"}", token);
    const struct rsocket_bytes metadata = bytes_of(text);
    const struct rsocket_frame frame = setup_frame(type_json, &metadata);
    peer_send(peer, &frame);
    free(text);
}

static void send_good_setup(struct peer *peer, const char *user) {
    char *token = authorization_of(good_claims(peer->fixture, user), TEST_SECRET);
    send_setup(peer, token);
    free(token);
}

static void request(struct peer *peer, uint32_t stream, uint32_t credits, const char *path,
                    const char *body) {
    char *metadata = memory_format("{\"path\":\"%s\"}", path);
    const struct rsocket_frame frame = {.type = RSOCKET_REQUEST_STREAM,
                                        .stream = stream,
                                        .number = credits,
                                        .metadata = bytes_of(metadata),
                                        .data = bytes_of(body)};
    peer_send(peer, &frame);
    free(metadata);
}

static void give(struct peer *peer, uint32_t stream, uint32_t credits) {
    const struct rsocket_frame frame = {.type = RSOCKET_REQUEST_N, .stream = stream, .number = credits};
    peer_send(peer, &frame);
}

static void put(struct fixture *fixture, const char *id, const char *owner) {
    char *fields = memory_format(",\"uuid\":\"u-%s\",\"owner\":\"%s\"", id, owner);
    fake_put(fixture->fake, fixture->fake->latest + 1, "lists", id, fields);
    free(fields);
}

static int set_up(void **state) {
    struct fixture *fixture = fixture_create();
    *state = fixture;
    put(fixture, "a", "alice");
    fixture_start(fixture, yaml);
    run_for(fixture, TIME_SECOND);
    return 0;
}

static int tear_down(void **state) {
    fixture_destroy(*state);
    return 0;
}

/* The path of the WebSocket does not matter; each line takes a credit. */
static void lines_by_credits(void **state) {
    struct fixture *fixture = *state;
    struct peer *peer = peer_open(fixture, "alice-1", "/any/path");
    send_good_setup(peer, "alice");
    assert_story(peer, "");
    request(peer, 1, 1, "/sync/stream", "{\"buckets\":[],\"raw_data\":true}");
    assert_story(peer, "1 checkpoint\n");
    run_for(fixture, TIME_SECOND);
    assert_story(peer, "");
    give(peer, 1, 1);
    assert_story(peer, "1 data\n");
    give(peer, 1, 10);
    assert_story(peer, "1 checkpoint_complete\n");
    put(fixture, "b", "alice");
    run_for(fixture, 2 * TIME_SECOND);
    assert_story(peer, "1 checkpoint_diff\n1 data\n1 checkpoint_complete\n");
    run_for(fixture, 30 * TIME_SECOND); /* no keepalive lines */
    assert_story(peer, "");
    peer_close(peer);
}

/* Two streams of one connection, and one that is cancelled. */
static void several_streams(void **state) {
    struct fixture *fixture = *state;
    struct peer *peer = peer_open(fixture, "alice-1", "/sync/stream");
    send_good_setup(peer, "alice");
    request(peer, 1, 100, "/sync/stream", "{}");
    request(peer, 3, 1, "/sync/stream", "{}");
    assert_story(peer, "1 checkpoint\n1 data\n1 checkpoint_complete\n3 checkpoint\n");
    request(peer, 3, 1, "/sync/stream", "{}"); /* its id is taken */
    assert_story(peer, "error 3 202 this stream cannot be opened\n");
    const struct rsocket_frame cancel = {.type = RSOCKET_CANCEL, .stream = 1};
    peer_send(peer, &cancel);
    put(fixture, "b", "alice");
    give(peer, 3, 100);
    run_for(fixture, 2 * TIME_SECOND);
    assert_story(peer, "3 data\n3 checkpoint_complete\n3 checkpoint_diff\n3 data\n3 checkpoint_complete\n");
    peer_close(peer);
}

/* Of much data only the beginning comes back: nobody shall make the service keep what he sends. */
static void echo_of_much(struct peer *peer) {
    char *data = memory_format("%05000d", 0);
    const struct rsocket_frame ask = {
        .type = RSOCKET_KEEPALIVE, .flags = RSOCKET_RESPOND, .data = bytes_of(data)};
    char *expected = memory_format("keepalive %04096d\n", 0);
    peer_send(peer, &ask);
    assert_story(peer, expected);
    free(expected);
    free(data);
}

static void keepalives(void **state) {
    struct fixture *fixture = *state;
    struct peer *peer = peer_open(fixture, "alice-1", "/sync/stream");
    send_good_setup(peer, "alice");
    const struct rsocket_frame ask = {
        .type = RSOCKET_KEEPALIVE, .flags = RSOCKET_RESPOND, .data = bytes_of("abc")};
    const struct rsocket_frame tell = {.type = RSOCKET_KEEPALIVE};
    run_for(fixture, 80 * TIME_SECOND);
    peer_send(peer, &ask);
    assert_story(peer, "keepalive abc\n");
    echo_of_much(peer);
    peer_send(peer, &tell);
    run_for(fixture, 89 * TIME_SECOND); /* its lifetime is 90 s */
    assert_story(peer, "");
    run_for(fixture, 2 * TIME_SECOND);
    assert_story(peer, "error 0 101 no KEEPALIVE came in the connection's lifetime\nclosed 1005\n");
    peer_close(peer);
}

/* The warning 20 s before the token's end is sent, and the last line, then the stream is complete. */
static void token_expires(void **state) {
    struct fixture *fixture = *state;
    json_t *claims = good_claims(fixture, "alice");
    json_object_set_new(claims, "exp", json_integer(wall_seconds(fixture) + 25));
    char *token = authorization_of(claims, TEST_SECRET);
    struct peer *peer = peer_open(fixture, "alice-1", "/sync/stream");
    send_setup(peer, token);
    request(peer, 1, 100, "/sync/stream", "{}");
    request(peer, 3, 3, "/sync/stream", "{}"); /* its last two lines wait for credits */
    buffer_clear(&peer->story);
    run_for(fixture, 6 * TIME_SECOND);
    assert_story(peer, "1 token_expires_in\n");
    run_for(fixture, 20 * TIME_SECOND);
    assert_story(peer, "1 token_expires_in\n1 end\n");
    give(peer, 3, 1);
    assert_story(peer, "3 token_expires_in\n3 end\n");
    free(token);
    peer_close(peer);
}

struct refusal {
    const char *token, *story;
};

static void refused_tokens(void **state) {
    struct fixture *fixture = *state;
    json_t *expired = good_claims(fixture, "alice");
    json_object_set_new(expired, "exp", json_integer(wall_seconds(fixture) - 61));
    char *old = authorization_of(expired, TEST_SECRET);
    char *wrong = authorization_of(good_claims(fixture, "alice"), "another secret");
    const struct refusal refusals[] = {{"Token x", "error 0 3 [PSYNC_S2101]\nclosed 1005\n"},
                                       {wrong, "error 0 3 [PSYNC_S2101]\nclosed 1005\n"},
                                       {old, "error 0 3 [PSYNC_S2103]\nclosed 1005\n"},
                                       {"", "error 0 3 [PSYNC_S2106]\nclosed 1005\n"}};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct peer *peer = peer_open(fixture, "alice-1", "/sync/stream");
        send_setup(peer, refusals[i].token);
        assert_story(peer, refusals[i].story);
        peer_close(peer);
    }
    free(old);
    free(wrong);
}

static void refused_setups(void **state) {
    struct fixture *fixture = *state;
    const struct rsocket_bytes none = {0}, nothing = bytes_of("{}"), broken = bytes_of("{\"token\"");
    struct rsocket_frame frames[] = {setup_frame("text/plain", &nothing), setup_frame(type_json, &none),
                                     setup_frame(type_json, &nothing),    setup_frame(type_json, &broken),
                                     setup_frame(type_bson, &nothing),    setup_frame(type_json, &nothing),
                                     setup_frame(type_json, &nothing),    {.type = RSOCKET_KEEPALIVE}};
    static const char *const stories[] = {"3 [PSYNC_S2004]",
                                          "3 [PSYNC_S2101]",
                                          "3 [PSYNC_S2106]",
                                          "3 [PSYNC_S2106]",
                                          "3 [PSYNC_S2106]",
                                          "2 version 1 without resumption and leases is expected",
                                          "2 version 1 without resumption and leases is expected",
                                          "1 the first frame must be a SETUP"};
    frames[5].major = 2;
    frames[6].flags = RSOCKET_LEASE;
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct peer *peer = peer_open(fixture, "alice-1", "/sync/stream");
        peer_send(peer, &frames[i]);
        char *story = memory_format("error 0 %s\nclosed 1005\n", stories[i]);
        assert_story(peer, story);
        free(story);
        peer_close(peer);
    }
}

static void refused_requests(void **state) {
    struct fixture *fixture = *state;
    struct peer *peer = peer_open(fixture, "alice-1", "/sync/stream");
    send_good_setup(peer, "alice");
    request(peer, 1, 1, "/sync/other", "{}");
    assert_story(peer, "error 1 201 [PSYNC_S2002]\n");
    request(peer, 1, 1, "/sync/stream", "[1]");
    assert_story(peer, "error 1 201 [PSYNC_S2001]\n");
    request(peer, 1, 1, "/sync/stream", "{\"buckets\":1}");
    assert_story(peer, "error 1 201 [PSYNC_S2001]\n");
    request(peer, 1, 1, "/sync/stream", "{");
    assert_story(peer, "error 1 201 [PSYNC_S2001]\n");
    struct rsocket_frame frame = {
        .type = RSOCKET_REQUEST_STREAM, .stream = 1, .number = 1, .data = bytes_of("{}")};
    peer_send(peer, &frame);
    assert_story(peer, "error 1 201 [PSYNC_S2101]\n");
    frame.flags = RSOCKET_FOLLOWS;
    peer_send(peer, &frame);
    assert_story(peer, "error 1 202 fragments are not supported\n");
    request(peer, 1, 1, "/sync/stream", "{}"); /* the connection is as good as new */
    assert_story(peer, "1 checkpoint\n");
    host_websocket_send(peer->host, peer->socket, WEBSOCKET_TEXT, "hello", 5);
    run_for(fixture, 50 * TIME_MILLISECOND);
    assert_story(peer, "error 0 101 the frame is cut\nclosed 1005\n");
    peer_close(peer);
}

/* Older SDKs write their requests in BSON. */
static void requests_in_bson(void **state) {
    struct fixture *fixture = *state;
    struct peer *peer = peer_open(fixture, "alice-1", "/sync/stream");
    char *token = authorization_of(good_claims(fixture, "alice"), TEST_SECRET);
    struct buffer text = {0}, path = {0}, body = {0};
    struct bson_writer writer;
    bson_begin(&writer, &text);
    bson_text(&writer, "token", token, strlen(token));
    bson_end(&writer);
    bson_begin(&writer, &path);
    bson_text(&writer, "path", "/sync/stream", strlen("/sync/stream"));
    bson_end(&writer);
    bson_begin(&writer, &body);
    bson_boolean(&writer, "raw_data", true);
    bson_end(&writer);
    const struct rsocket_bytes metadata = {text.data, text.length};
    const struct rsocket_frame setup = setup_frame(type_bson, &metadata);
    peer_send(peer, &setup);
    const struct rsocket_frame ask = {.type = RSOCKET_REQUEST_STREAM,
                                      .stream = 1,
                                      .number = 100,
                                      .metadata = {path.data, path.length},
                                      .data = {body.data, body.length}};
    peer_send(peer, &ask);
    assert_story(peer, "1 checkpoint\n1 data\n1 checkpoint_complete\n");
    buffer_free(&text);
    buffer_free(&path);
    buffer_free(&body);
    free(token);
    peer_close(peer);
}

/* 200 connections are let in, whether or not they have streams; HTTP is counted by itself. */
static void too_many_connections(void **state) {
    struct fixture *fixture = *state;
    struct peer *peers[200];
    for (size_t i = 0; i < 200; i++) {
        peers[i] = peer_open(fixture, "alice-1", "/sync/stream");
        send_good_setup(peers[i], "alice");
        assert_story(peers[i], "");
    }
    struct peer *last = peer_open(fixture, "bob-1", "/sync/stream");
    send_good_setup(last, "bob");
    assert_story(last, "error 0 3 [PSYNC_S2304]\nclosed 1005\n");
    peer_close(last);
    struct client *client = client_open(fixture, "carol-1", "carol", "{}");
    run_for(fixture, 100 * TIME_MILLISECOND);
    assert_int_equal(client->status, 200);
    client_close(client);
    peer_close(peers[0]);
    last = peer_open(fixture, "bob-1", "/sync/stream");
    send_good_setup(last, "bob");
    assert_story(last, "");
    peer_close(last);
    for (size_t i = 1; i < 200; i++)
        peer_close(peers[i]);
}

/* A client that gives credits but does not read: the lines stay in the service, and come when it reads again.
 */
static void a_reader_that_stops(void **state) {
    struct fixture *fixture = *state;
    struct peer *peer = peer_open(fixture, "alice-1", "/sync/stream");
    send_good_setup(peer, "alice");
    request(peer, 1, 1000000, "/sync/stream", "{}");
    buffer_clear(&peer->story);
    net_cut(fixture->net, "powersync", "alice-1");
    for (int i = 0; i < 20; i++) { /* each is a checkpoint of its own: at least three lines */
        char *id = memory_format("p%d", i);
        put(fixture, id, "alice");
        free(id);
        run_for(fixture, TIME_SECOND);
    }
    assert_story(peer, "");
    net_heal(fixture->net, "powersync", "alice-1");
    run_for(fixture, 10 * TIME_SECOND);
    size_t lines = 0;
    for (const char *c = buffer_text(&peer->story); *c; c++)
        lines += *c == '\n';
    assert_in_range(lines, 4, 9); /* not the sixty that it would have been */
    assert_non_null(strstr(buffer_text(&peer->story), "checkpoint_complete"));
    peer_close(peer);
}

/* Whatever a peer sends, the next one is served. */
static void noise(void **state) {
    struct fixture *fixture = *state;
    uint64_t chance = 1;
    for (int round = 0; round < 300; round++) {
        struct peer *peer = peer_open(fixture, "eve-1", "/sync/stream");
        send_good_setup(peer, "alice");
        for (int i = 0; i < 10; i++) {
            const struct rsocket_frame frame = {.type = RSOCKET_REQUEST_STREAM,
                                                .stream = 1 + 2 * (unsigned)(i % 3),
                                                .number = 5,
                                                .metadata = bytes_of("{\"path\":\"/sync/stream\"}"),
                                                .data = bytes_of("{\"buckets\":[]}")};
            struct buffer bytes = {0};
            rsocket_frame_append(&bytes, &frame);
            for (int change = 0; change < 3; change++) {
                chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407;
                const size_t place = (size_t)(chance >> 33) % (change ? bytes.length : 6);
                bytes.data[place] = (char)(chance >> 17);
            }
            const size_t length = chance % 4 ? bytes.length : (size_t)(chance >> 40) % bytes.length;
            host_websocket_send(peer->host, peer->socket, WEBSOCKET_BINARY, bytes.data, length);
            buffer_free(&bytes);
        }
        run_for(fixture, 20 * TIME_MILLISECOND);
        peer_close(peer);
    }
    struct peer *next = peer_open(fixture, "alice-1", "/sync/stream");
    send_good_setup(next, "alice");
    request(next, 1, 100, "/sync/stream", "{}");
    assert_story(next, "1 checkpoint\n1 data\n1 checkpoint_complete\n");
    peer_close(next);
}

/* A process that ends with open connections leaves nothing behind, and the next one serves. */
/* What a peer still sends finds nobody. */
static void going_away(void **state) {
    struct fixture *fixture = *state;
    struct peer *peer = peer_open(fixture, "alice-1", "/sync/stream");
    send_good_setup(peer, "alice");
    run_for(fixture, TIME_SECOND);
    powersync_service_shut_down(fixture->service);
    give(peer, 1, 5);
    run_for(fixture, TIME_SECOND);
    assert_story(peer, "closed 1001\n");
    peer_close(peer);
    struct peer *late = peer_open(fixture, "alice-1", "/sync/stream");
    run_for(fixture, TIME_SECOND);
    assert_story(late, "refused 404\n"); /* as any other path that is not there */
    peer_close(late);
}

static void crash(void **state) {
    struct fixture *fixture = *state;
    struct peer *peer = peer_open(fixture, "alice-1", "/sync/stream");
    send_good_setup(peer, "alice");
    request(peer, 1, 2, "/sync/stream", "{}");
    net_crash_node(fixture->net, "powersync");
    powersync_service_crash(fixture->service);
    run_for(fixture, TIME_SECOND);
    assert_story(peer, "1 checkpoint\n1 data\nclosed 1006\n");
    powersync_service_restart(fixture->service);
    struct peer *next = peer_open(fixture, "alice-2", "/sync/stream");
    send_good_setup(next, "alice");
    request(next, 1, 3, "/sync/stream", "{}");
    assert_story(next, "1 checkpoint\n1 data\n1 checkpoint_complete\n");
    peer_close(next);
    peer_close(peer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_by_credits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_streams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keepalives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(token_expires, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_tokens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_setups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_requests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_in_bson, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many_connections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_stops, set_up, tear_down),
        cmocka_unit_test_setup_teardown(noise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(going_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(crash, set_up, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
