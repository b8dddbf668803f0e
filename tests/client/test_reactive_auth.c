/* How a plain Convex client signs in, against a scripted deployment and a scripted issuer: what it says when,
 * whom it says it is, and what it makes of refusals. Expected words and times are the package's. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/jwt.h"
#include "base/memory.h"
#include "client/reactive_client.h"
#include "net/net.h"

#define MS TIME_MILLISECOND

enum issuing { NEW_TOKENS, SAME_TOKEN, NO_TOKEN, SILENT };

struct bench {
    struct world *world;
    struct net *net;
    struct host *server, *issuer;
    struct reactive_client *client;
    struct buffer heard; /* by the deployment: types, with versions and names of tokens */
    struct buffer notes; /* transitions: who sees them; and texts */
    uint64_t socket;
    unsigned sockets;
    enum issuing issuing;
    int64_t lifetime; /* s, of tokens */
    int issued, fetches;
    int64_t fetched_at;
    int identity, query_set; /* end of the last transition that was said on this socket */
};

/* --- the issuer: tokens are known by their number --- */

static char *make_token(struct bench *bench) {
    json_t *claims = json_object();
    if (bench->issuing == NEW_TOKENS || (bench->issuing == SAME_TOKEN && bench->issued == 0))
        bench->issued++;
    json_object_set_new(claims, "iss", json_string("https://issuer"));
    json_object_set_new(claims, "sub", json_string("alice"));
    json_object_set_new(claims, "iat", json_integer(1700000000));
    json_object_set_new(claims, "exp", json_integer(1700000000 + bench->lifetime));
    json_object_set_new(claims, "number", json_integer(bench->issued));
    char *token = jwt_sign_hs256(NULL, claims, "secret", 6);
    json_decref(claims);
    return token;
}

static void hear_fetch(void *context, uint64_t exchange, const struct http_request *request) {
    struct bench *bench = context;
    bench->fetches++;
    bench->fetched_at = world_now(bench->world);
    assert_string_equal(request->target, "/token?user=alice&audience=convex");
    if (bench->issuing == SILENT)
        return;
    char *token = make_token(bench), *body = memory_format("{\"token\":\"%s\"}", token);
    host_http_respond(bench->issuer, exchange,
                      &(struct http_response){.status = bench->issuing == NO_TOKEN ? 500 : 200});
    host_http_write(bench->issuer, exchange, body, strlen(body));
    host_http_end(bench->issuer, exchange);
    free(token);
    free(body);
}

/* --- the deployment --- */

static void hear_authenticate(struct bench *bench, const json_t *message) {
    struct jwt jwt;
    const char *token = json_text(message, "value");
    buffer_printf(&bench->heard, " %d %s", (int)json_integer_or(message, "baseVersion", -1),
                  json_text(message, "tokenType"));
    if (!token)
        return;
    assert_int_equal(jwt_parse(&jwt, token, NULL), STATUS_OK);
    buffer_printf(&bench->heard, " #%d", (int)json_integer_or(jwt.claims, "number", -1));
    jwt_free(&jwt);
}

static void hear(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes, size_t length) {
    struct bench *bench = context;
    (void)socket;
    (void)kind;
    json_t *message = json_parse(bytes, length, NULL);
    const char *type = json_text(message, "type");
    buffer_printf(&bench->heard, "%s%s", bench->heard.length ? ", " : "", type);
    if (!strcmp(type, "Connect"))
        buffer_printf(&bench->heard, " %d %s", (int)json_integer_or(message, "connectionCount", -1),
                      json_text(message, "lastCloseReason") ? json_text(message, "lastCloseReason") : "null");
    if (!strcmp(type, "Authenticate"))
        hear_authenticate(bench, message);
    if (!strcmp(type, "ModifyQuerySet"))
        buffer_printf(&bench->heard, " %d", (int)json_integer_or(message, "newVersion", -1));
    json_decref(message);
}

static void hear_closed(void *context, uint64_t id, int code, const char *reason) {
    (void)context;
    (void)id;
    (void)code;
    (void)reason;
}

static void hear_exchange_closed(void *context, uint64_t exchange) {
    (void)context;
    (void)exchange;
}

static void hear_request(void *context, uint64_t exchange, const struct http_request *request) {
    static const struct websocket_server_events events = {.message = hear, .closed = hear_closed};
    struct bench *bench = context;
    (void)request;
    bench->sockets++;
    bench->socket = exchange;
    bench->identity = 0;
    bench->query_set = 0;
    assert_true(host_websocket_accept(bench->server, exchange, &events, bench));
}

static void keep_note(void *context, int64_t now, const char *node, const struct note *note) {
    struct bench *bench = context;
    (void)now;
    (void)node;
    if (note->kind == NOTE_TRANSITION)
        buffer_printf(&bench->notes, "%s\n", note->text ? note->text : "nobody");
    else if (note->kind == NOTE_TEXT)
        buffer_printf(&bench->notes, "%s\n", note->text);
}

/* --- the bench --- */

static void run_for(struct bench *bench, int64_t time) {
    assert_int_equal(world_run(bench->world, world_now(bench->world) + time, NULL), STATUS_OK);
}

/* The way to the issuer takes `issuer_latency`, that to the deployment 5 ms. */
static void open_bench(struct bench *bench, enum issuing issuing, int64_t issuer_latency) {
    static const struct http_server_events events = {hear_request, hear_exchange_closed};
    static const struct http_server_events issuer_events = {hear_fetch, hear_exchange_closed};
    *bench = (struct bench){.issuing = issuing, .lifetime = 60};
    bench->world = world_create(&(struct world_settings){.seed = 7});
    bench->net = net_create(bench->world, &(struct net_settings){.latency = 5 * MS, .give_up = TIME_HOUR});
    bench->server = net_node(bench->net, "convex");
    bench->issuer = net_node(bench->net, "issuer");
    struct host *device = net_node(bench->net, "web-1");
    net_set_latency(bench->net, "web-1", "issuer", issuer_latency, 0);
    net_set_latency(bench->net, "issuer", "web-1", issuer_latency, 0);
    host_http_listen(bench->server, &events, bench);
    host_http_listen(bench->issuer, &issuer_events, bench);
    world_observe(bench->world, &(struct world_observer){.note = keep_note, .context = bench});
    bench->client = reactive_client_create(device, &(struct reactive_settings){"convex"});
    reactive_client_set_auth(bench->client, "issuer", "alice");
    reactive_client_subscribe(bench->client, "notes:mine", "{}");
    reactive_client_connect(bench->client);
}

static void close_bench(struct bench *bench) {
    reactive_client_destroy(bench->client);
    net_destroy(bench->net);
    world_destroy(bench->world);
    buffer_free(&bench->heard);
    buffer_free(&bench->notes);
}

static void say(struct bench *bench, const char *text) {
    host_websocket_send(bench->server, bench->socket, WEBSOCKET_TEXT, text, strlen(text));
    run_for(bench, 50 * MS);
}

static void confirm(struct bench *bench, int identity) {
    char *text = memory_format("{\"type\":\"Transition\","
                               "\"startVersion\":{\"querySet\":%d,\"identity\":%d,\"ts\":\"AAAAAAAAAAA=\"},"
                               "\"endVersion\":{\"querySet\":1,\"identity\":%d,\"ts\":\"AAAAAAAAAAA=\"},"
                               "\"modifications\":[{\"type\":\"QueryUpdated\",\"queryId\":0,\"value\":[],"
                               "\"logLines\":[],\"journal\":null}]}",
                               bench->query_set, bench->identity, identity);
    bench->query_set = 1;
    bench->identity = identity;
    say(bench, text);
    free(text);
}

static void refuse(struct bench *bench, int base, bool attempted) {
    char *text = memory_format(
        "{\"type\":\"AuthError\",\"error\":\"no\",\"baseVersion\":%d,\"authUpdateAttempted\":%s}", base,
        attempted ? "true" : "false");
    host_websocket_send(bench->server, bench->socket, WEBSOCKET_TEXT, text, strlen(text));
    free(text);
    host_websocket_close(bench->server, bench->socket, 0, "");
    run_for(bench, 200 * MS);
}

static void expect(struct buffer *log, const char *text) {
    assert_string_equal(buffer_text(log), text);
    buffer_clear(log);
}

/* Signed in with token #2, which is confirmed and will be renewed. */
static void sign_in(struct bench *bench) {
    run_for(bench, 100 * MS);
    confirm(bench, 1);
    confirm(bench, 2);
    buffer_clear(&bench->heard);
    buffer_clear(&bench->notes);
    assert_true(reactive_client_settled(bench->client));
}

/* --- tests --- */

/* The first token is there before the socket is; when it is confirmed, a fresh one follows at once. */
static void test_first_words(void **state) {
    (void)state;
    struct bench bench;
    open_bench(&bench, NEW_TOKENS, 1 * MS);
    run_for(&bench, 100 * MS);
    expect(&bench.heard, "Connect 0 InitialConnect, Authenticate 0 User #1, ModifyQuerySet 1");
    assert_int_equal(bench.fetches, 1);
    assert_null(reactive_client_identity(bench.client));
    confirm(&bench, 1);
    expect(&bench.heard, "Authenticate 1 User #2");
    expect(&bench.notes, "https://issuer|alice\n");
    assert_string_equal(reactive_client_identity(bench.client), "https://issuer|alice");
    assert_false(reactive_client_settled(bench.client)); /* the second one is not confirmed */
    confirm(&bench, 2);
    assert_true(reactive_client_settled(bench.client));
    assert_int_equal(bench.fetches, 2);
    close_bench(&bench);
}

/* An open socket says nothing before the token is there; the count has gone on and the reason is told. */
static void test_pause(void **state) {
    (void)state;
    struct bench bench;
    open_bench(&bench, NEW_TOKENS, 300 * MS);
    reactive_client_call(bench.client, REACTIVE_MUTATION, "notes:add", "{}", NULL);
    run_for(&bench, 500 * MS);
    assert_int_equal(bench.sockets, 1);
    expect(&bench.heard, "");
    run_for(&bench, TIME_SECOND);
    expect(&bench.heard, "Connect 1 null, Authenticate 0 User #1, ModifyQuerySet 1, Mutation");
    close_bench(&bench);
}

/* The same text again is not presented again, and not renewed. */
static void test_same_token(void **state) {
    (void)state;
    struct bench bench;
    open_bench(&bench, SAME_TOKEN, 1 * MS);
    run_for(&bench, 100 * MS);
    buffer_clear(&bench.heard);
    confirm(&bench, 1);
    expect(&bench.heard, "");
    assert_true(reactive_client_settled(bench.client));
    say(&bench, "{\"type\":\"Ping\"}");
    run_for(&bench, 55 * TIME_SECOND);
    assert_int_equal(bench.fetches, 2);
    close_bench(&bench);
}

/* Ten seconds before the token's own time is over, whatever the wall clock says. */
static void test_renewal(void **state) {
    (void)state;
    struct bench bench;
    open_bench(&bench, NEW_TOKENS, 1 * MS);
    run_for(&bench, 100 * MS);
    confirm(&bench, 1);
    int64_t before = world_now(bench.world);
    confirm(&bench, 2);
    buffer_clear(&bench.heard);
    run_for(&bench, 50 * TIME_SECOND);
    assert_int_equal(bench.fetches, 3);
    assert_in_range(bench.fetched_at - before, 50 * TIME_SECOND, 50 * TIME_SECOND + 20 * MS);
    expect(&bench.heard, "Authenticate 2 User #3");
    close_bench(&bench);
}

/* A socket that opens again presents the newest token. */
static void test_reconnect(void **state) {
    (void)state;
    struct bench bench;
    open_bench(&bench, NEW_TOKENS, 1 * MS);
    sign_in(&bench);
    host_websocket_close(bench.server, bench.socket, 1011, "InternalServerError");
    run_for(&bench, 2 * TIME_SECOND);
    expect(&bench.heard, "Connect 1 InternalServerError, Authenticate 0 User #2, ModifyQuerySet 1");
    assert_false(reactive_client_settled(bench.client));
    confirm(&bench, 1);
    expect(&bench.notes, "https://issuer|alice\n");
    assert_true(reactive_client_settled(bench.client));
    close_bench(&bench);
}

/* A token that ran out: the socket stays closed until there is a fresh one, and then opens at once. */
static void test_expiry(void **state) {
    (void)state;
    struct bench bench;
    open_bench(&bench, NEW_TOKENS, 1 * MS);
    sign_in(&bench);
    refuse(&bench, 2, false);
    expect(&bench.heard, "Connect 1 null, Authenticate 0 User #3, ModifyQuerySet 1");
    confirm(&bench, 1);
    assert_true(reactive_client_settled(bench.client));
    close_bench(&bench);
}

/* An error of the past, and one that is not about the token that waits, change nothing. */
static void test_ignored_errors(void **state) {
    (void)state;
    struct bench bench;
    open_bench(&bench, NEW_TOKENS, 1 * MS);
    sign_in(&bench);
    say(&bench, "{\"type\":\"AuthError\",\"error\":\"old\",\"baseVersion\":0,\"authUpdateAttempted\":true}");
    assert_int_equal(bench.sockets, 1);
    assert_int_equal(bench.fetches, 2);
    run_for(&bench, 50 * TIME_SECOND); /* #3 is presented and not confirmed */
    say(&bench,
        "{\"type\":\"AuthError\",\"error\":\"time\",\"baseVersion\":2,\"authUpdateAttempted\":false}");
    assert_int_equal(bench.sockets, 1);
    assert_int_equal(bench.fetches, 3);
    close_bench(&bench);
}

/* The first token is no fresh one: then two fresh ones are tried again, and after the third the client is
 * nobody and stays so. */
static void test_refusals(void **state) {
    (void)state;
    struct bench bench;
    open_bench(&bench, NEW_TOKENS, 1 * MS);
    run_for(&bench, 100 * MS);
    for (int i = 1; i <= 4; i++) {
        char *wanted = memory_format("Connect %d %s, Authenticate 0 User #%d, ModifyQuerySet 1", i - 1,
                                     i == 1 ? "InitialConnect" : "null", i);
        expect(&bench.heard, wanted);
        free(wanted);
        refuse(&bench, 0, true);
    }
    run_for(&bench, 5 * TIME_SECOND);
    expect(&bench.heard, "Connect 4 closed with code 1005, ModifyQuerySet 1");
    assert_int_equal(bench.fetches, 4);
    assert_non_null(strstr(buffer_text(&bench.notes), "alice is signed out: tokens are refused"));
    buffer_clear(&bench.notes);
    confirm(&bench, 0);
    expect(&bench.notes, "nobody\n");
    assert_true(reactive_client_settled(bench.client));
    run_for(&bench, 30 * TIME_SECOND);
    assert_int_equal(bench.fetches, 4);
    close_bench(&bench);
}

/* The same refused token once more is no use. */
static void test_refused_and_no_other(void **state) {
    (void)state;
    struct bench bench;
    open_bench(&bench, SAME_TOKEN, 1 * MS);
    run_for(&bench, 100 * MS);
    buffer_clear(&bench.heard);
    refuse(&bench, 0, true);
    expect(&bench.heard, "Connect 1 null, ModifyQuerySet 1");
    assert_non_null(strstr(buffer_text(&bench.notes), "alice is signed out: tokens are refused"));
    close_bench(&bench);
}

/* Without a token at first the client asks once more, then goes on as nobody; the app signs in again later,
 * on the socket that is open. */
static void test_no_token(void **state) {
    (void)state;
    struct bench bench;
    open_bench(&bench, NO_TOKEN, 1 * MS);
    run_for(&bench, 100 * MS);
    assert_int_equal(bench.fetches, 2);
    expect(&bench.heard, "Connect 0 InitialConnect, ModifyQuerySet 1");
    assert_false(reactive_client_settled(bench.client));
    confirm(&bench, 0);
    expect(&bench.notes, "alice is signed out: there is no token\nnobody\n");
    bench.issuing = NEW_TOKENS;
    run_for(&bench, 5 * TIME_SECOND);
    expect(&bench.heard, "Authenticate 0 User #1");
    confirm(&bench, 1);
    confirm(&bench, 2);
    expect(&bench.notes, "https://issuer|alice\nhttps://issuer|alice\n");
    assert_true(reactive_client_settled(bench.client));
    close_bench(&bench);
}

/* When a token cannot be renewed, the server is told that this is nobody now. */
static void test_sign_out(void **state) {
    (void)state;
    struct bench bench;
    open_bench(&bench, NEW_TOKENS, 1 * MS);
    sign_in(&bench);
    bench.issuing = NO_TOKEN;
    run_for(&bench, 50 * TIME_SECOND);
    expect(&bench.heard, "Authenticate 2 None");
    confirm(&bench, 3);
    expect(&bench.notes, "alice is signed out: there is no token\nnobody\n");
    assert_null(reactive_client_identity(bench.client));
    close_bench(&bench);
}

/* What is called and subscribed to while an open socket is paused goes when it is not. */
static void test_resume(void **state) {
    (void)state;
    struct bench bench;
    open_bench(&bench, NO_TOKEN, 300 * MS);
    run_for(&bench, 1500 * MS); /* two fetches */
    expect(&bench.heard, "Connect 1 null, ModifyQuerySet 1");
    bench.issuing = NEW_TOKENS;
    for (int i = 0; bench.fetches < 3; i++) { /* the app signs in again */
        assert_in_range(i, 0, 600);
        run_for(&bench, 10 * MS);
    }
    reactive_client_call(bench.client, REACTIVE_MUTATION, "notes:add", "{}", NULL);
    reactive_client_unsubscribe(bench.client, reactive_client_subscribe(bench.client, "a", "{}"));
    uint32_t mine = reactive_client_subscribe(bench.client, "notes:mine", "{}");
    reactive_client_subscribe(bench.client, "b", "{}");
    reactive_client_unsubscribe(bench.client, mine);
    run_for(&bench, 20 * MS);
    expect(&bench.heard, "");
    run_for(&bench, TIME_SECOND);
    expect(&bench.heard, "Authenticate 0 User #1, ModifyQuerySet 2, Mutation");
    close_bench(&bench);
}

/* A process that starts again knows no token. A fetch that is on its way goes with it. */
static void test_crash(void **state) {
    (void)state;
    struct bench bench;
    open_bench(&bench, NEW_TOKENS, 1 * MS);
    sign_in(&bench);
    bench.issuing = SILENT;
    run_for(&bench, 50 * TIME_SECOND);
    assert_int_equal(bench.fetches, 3);
    net_crash_node(bench.net, "web-1");
    reactive_client_crash(bench.client);
    assert_null(reactive_client_identity(bench.client));
    bench.issuing = NEW_TOKENS;
    buffer_clear(&bench.heard);
    reactive_client_restart(bench.client);
    run_for(&bench, 100 * MS);
    expect(&bench.heard, "Connect 0 InitialConnect, Authenticate 0 User #3, ModifyQuerySet 1");
    close_bench(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_first_words),
                                       cmocka_unit_test(test_pause),
                                       cmocka_unit_test(test_same_token),
                                       cmocka_unit_test(test_renewal),
                                       cmocka_unit_test(test_reconnect),
                                       cmocka_unit_test(test_expiry),
                                       cmocka_unit_test(test_ignored_errors),
                                       cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_refused_and_no_other),
                                       cmocka_unit_test(test_no_token),
                                       cmocka_unit_test(test_sign_out),
                                       cmocka_unit_test(test_resume),
                                       cmocka_unit_test(test_crash)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
