/* The token server over the virtual network. */
#include "cmocka_all.h"
#include "issuer_answer.h"

#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/json.h"
#include "base/jwt.h"
#include "base/memory.h"
#include "net/net.h"

static void on_failed(void *context, uint64_t exchange, enum http_failure failure) {
    (void)context;
    (void)exchange;
    fail_msg("the exchange failed: %d", (int)failure);
}

static struct answer ask(struct world *world, struct host *client, const char *method, const char *target) {
    static const struct http_client_events events = {on_head, on_body, on_end, on_failed};
    struct answer answer = {0};
    const struct http_request request = {.authority = "issuer", .method = method, .target = target};
    host_http_send(client, &request, &events, &answer);
    struct error error = {0};
    assert_int_equal(world_run(world, world_now(world) + TIME_SECOND, &error), STATUS_OK);
    assert_true(answer.ended);
    return answer;
}

static void check_token(const struct answer *answer, const char *user, int64_t now) {
    json_t *body = json_parse(buffer_text(&answer->body), answer->body.length, NULL);
    assert_non_null(body);
    const char *token = json_text(body, "token");
    assert_non_null(token);
    struct jwt jwt;
    assert_int_equal(jwt_parse(&jwt, token, NULL), STATUS_OK);
    assert_true(jwt_verify_hs256(&jwt, token, "secret", 6));
    assert_false(jwt_verify_hs256(&jwt, token, "Secret", 6));
    assert_string_equal(json_text(jwt.header, "kid"), "key-1");
    assert_string_equal(json_text(jwt.header, "alg"), "HS256");
    assert_string_equal(json_text(jwt.claims, "sub"), user);
    assert_string_equal(json_text(jwt.claims, "aud"), "powersync");
    int64_t issued = json_integer_or(jwt.claims, "iat", 0);
    assert_true(issued >= (TIME_WALL_START + now) / TIME_SECOND &&
                issued <= (TIME_WALL_START + now) / TIME_SECOND + 1);
    assert_int_equal(json_integer_or(jwt.claims, "exp", 0), issued + 300);
    jwt_free(&jwt);
    json_decref(body);
}

static void test_tokens(void **state) {
    (void)state;
    struct world *world = world_create(&(struct world_settings){.seed = 1, .max_events = 10000});
    struct net *net = net_create(world, &(struct net_settings){.latency = TIME_MILLISECOND});
    struct app_issuer *issuer =
        app_issuer_create(net_node(net, "issuer"), "key-1", "secret", "powersync", 300 * TIME_SECOND);
    struct host *client = net_node(net, "alice-1");
    static const struct {
        const char *method, *target;
        int status;
        const char *user;
    } cases[] = {
        {"GET", "/token?user=alice", 200, "alice"},
        {"GET", "/token?x=1&user=bob&y=2", 200, "bob"},
        {"GET", "/token?user=a%20b%C5%82", 200, "a b\xc5\x82"},
        {"GET", "/token", 400, NULL},
        {"GET", "/token?user=", 400, NULL},
        {"GET", "/token?user=%4", 400, NULL},
        {"GET", "/token?user=%zz", 400, NULL},
        {"GET", "/token?user=a%00b", 400, NULL},
        {"POST", "/token?user=alice", 405, NULL},
        {"GET", "/tokens?user=alice", 404, NULL},
        {"GET", "/", 404, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t now = world_now(world);
        struct answer answer = ask(world, client, cases[i].method, cases[i].target);
        if (answer.status != cases[i].status)
            fail_msg("%s answers %d", cases[i].target, answer.status);
        if (cases[i].user)
            check_token(&answer, cases[i].user, now);
        buffer_free(&answer.body);
    }
    char target[400] = "/token?user=";
    memset(target + strlen(target), 'a', 300); /* longer than any user name */
    struct answer answer = ask(world, client, "GET", target);
    assert_int_equal(answer.status, 400);
    buffer_free(&answer.body);
    app_issuer_destroy(issuer);
    net_destroy(net);
    world_destroy(world);
}

/* What is wrong with a token, judged as a service would, whose clock may be 60 s off. NULL: nothing. */
static const char *fault_of(const char *token, int64_t now) {
    struct jwt jwt;
    assert_int_equal(jwt_parse(&jwt, token, NULL), STATUS_OK);
    const char *fault = NULL;
    if (json_integer_or(jwt.claims, "exp", 0) < now - 60)
        fault = "old";
    else if (json_integer_or(jwt.claims, "nbf", 0) > now + 60)
        fault = "early";
    else if (strcmp(json_text(jwt.header, "kid"), "key-1") != 0)
        fault = "key id";
    else if (!jwt_verify_hs256(&jwt, token, "secret", 6))
        fault = "key";
    else if (json_integer_or(jwt.claims, "iat", 0) == now - 55)
        fault = "slow";
    else if (json_integer_or(jwt.claims, "iat", 0) == now + 55)
        fault = "fast";
    jwt_free(&jwt);
    return fault;
}

static void test_spoiled_tokens(void **state) {
    (void)state;
    struct world *world = world_create(&(struct world_settings){.seed = 1, .max_events = 10000});
    struct net *net = net_create(world, &(struct net_settings){.latency = 0});
    struct app_issuer *issuer =
        app_issuer_create(net_node(net, "issuer"), "key-1", "secret", "powersync", 300 * TIME_SECOND);
    struct host *client = net_node(net, "alice-1");
    static const char *const faults[] = {"old", "early", "key id", "key", "slow", "fast"};
    int seen[6] = {0};
    app_issuer_spoil(issuer, 1000000);
    for (int i = 0; i < 60; i++) {
        const int64_t now = (TIME_WALL_START + world_now(world)) / TIME_SECOND;
        struct answer answer = ask(world, client, "GET", "/token?user=alice");
        json_t *body = json_parse(buffer_text(&answer.body), answer.body.length, NULL);
        const char *fault = fault_of(json_text(body, "token"), now);
        assert_non_null(fault);
        for (size_t k = 0; k < 6; k++)
            seen[k] += strcmp(faults[k], fault) == 0;
        json_decref(body);
        buffer_free(&answer.body);
    }
    for (size_t k = 0; k < 6; k++)
        assert_true(seen[k] > 0);
    app_issuer_spoil(issuer, 0);
    struct answer answer = ask(world, client, "GET", "/token?user=alice");
    check_token(&answer, "alice", world_now(world) - TIME_SECOND);
    buffer_free(&answer.body);
    app_issuer_destroy(issuer);
    net_destroy(net);
    world_destroy(world);
}

static void test_listed_keys(void **state) {
    (void)state;
    char *text = app_issuer_listed_keys(2);
    json_t *keys = json_parse(text, strlen(text), NULL), *list = json_object_get(keys, "keys");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_text(json_array_get(list, 0), "kid"), "rsa-1");
    assert_string_equal(json_text(json_array_get(list, 1), "kid"), "ed-1");
    for (size_t i = 0; i < 2; i++)
        assert_null(json_object_get(json_array_get(list, i), "d")); /* nothing private */
    json_decref(keys);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tokens), cmocka_unit_test(test_spoiled_tokens),
                                       cmocka_unit_test(test_listed_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
