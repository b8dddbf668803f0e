/* The keys of auth providers over the network: when they are asked for, what is made of bad answers, and the
 * requests that wait meanwhile. */
#include "auth_world.h"

#define CLAIMS "{\"iss\":\"https://issuer.test\",\"sub\":\"alice\",\"aud\":\"app\",\"exp\":4102444800}"
#define CUSTOM_CLAIMS "{\"iss\":\"https://custom.test\",\"sub\":\"alice\",\"exp\":4102444800}"
#define ALICE                                                                                                \
    "{\"issuer\":\"https://issuer.test\",\"subject\":\"alice\",\"tokenIdentifier\":\"https://"               \
    "issuer.test|alice\"}"
#define FAILED "AuthProviderDiscoveryFailed"

/* What a provider can answer instead of its keys; afterwards it answers well, and the next request finds out.
 */
static void test_trouble(void **state) {
    (void)state;
    static const struct {
        const char *what;
        int status;
        const char *configuration, *set;
        int expected;
    } rows[] = {
        {"not found", 404, CONFIGURATION, NULL, 404},
        {"not there", 200, NULL, NULL, 404},
        {"overloaded", 503, CONFIGURATION, NULL, 503},
        {"internal", 500, CONFIGURATION, NULL, 500},
        {"moved", 301, CONFIGURATION, NULL, 400},
        {"no JSON", 200, "<html>", NULL, 400},
        {"no keys named", 200, "{\"issuer\":\"https://issuer.test\"}", NULL, 400},
        {"keys at no address", 200, "{\"issuer\":\"https://issuer.test\",\"jwks_uri\":\"keys\"}", NULL, 400},
        {"another issuer", 200,
         "{\"issuer\":\"https://x.test\",\"jwks_uri\":\"https://issuer.test/keys.json?v=1\"}", NULL, 400},
        {"no key set", 200, CONFIGURATION, "{}", 400},
        {"a key set that is no JSON", 200, CONFIGURATION, "keys", 400},
    };
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct auth_world world;
        auth_world_make(&world);
        char *header = bearer(FIXTURE_PRIVATE_KEY, CLAIMS);
        world.issuer.status = rows[i].status;
        world.issuer.configuration = rows[i].configuration;
        world.issuer.set = rows[i].set;
        expect_who(&world, rows[i].what, header, rows[i].expected, FAILED);
        world.issuer.status = 200;
        world.issuer.configuration = CONFIGURATION;
        world.issuer.set = world.set;
        expect_who(&world, "after the trouble", header, 200, ALICE);
        free(header);
        auth_world_free(&world);
    }
}

static void test_nobody_there(void **state) {
    (void)state;
    struct auth_world world;
    auth_world_make(&world);
    host_http_listen(world.issuer.host, NULL, NULL);
    char *header = bearer(FIXTURE_PRIVATE_KEY, CLAIMS);
    expect_who(&world, "nobody listens", header, 400, FAILED);
    free(header);
    auth_world_free(&world);
}

/* No answer at all: 10 s, then the request is answered. */
static void test_silence(void **state) {
    (void)state;
    struct auth_world world;
    struct answer answer;
    auth_world_make(&world);
    world.issuer.silent = true;
    char *header = bearer(FIXTURE_PRIVATE_KEY, CLAIMS);
    ask_who(&world, &answer, header);
    fixture_run(world.fixture, 9900 * TIME_MILLISECOND);
    assert_int_equal(answer.at, 0);
    fixture_run(world.fixture, 200 * TIME_MILLISECOND);
    assert_int_equal(answer.status, 400);
    buffer_free(&answer.body);
    free(header);
    auth_world_free(&world);
}

/* A custom provider's answer must say that it is a key set. */
static void test_content_types(void **state) {
    (void)state;
    static const struct {
        const char *type;
        int status;
    } rows[] = {{"application/json; charset=utf-8", 200},
                {"application/jwk-set+json", 200},
                {"text/plain", 400},
                {"application/json5", 400}};
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct auth_world world;
        auth_world_make(&world);
        world.issuer.type = rows[i].type;
        char *header = bearer(FIXTURE_EC_KEY, CUSTOM_CLAIMS);
        expect_who(&world, rows[i].type, header, rows[i].status,
                   rows[i].status == 200 ? "{\"issuer\":\"https://custom.test\",\"subject\":\"alice\","
                                           "\"tokenIdentifier\":\"https://custom.test|alice\"}"
                                         : FAILED);
        free(header);
        auth_world_free(&world);
    }
}

/* Its keys need names and algorithms; OIDC's do not. */
static void test_keys_without_names(void **state) {
    (void)state;
    static const struct {
        const char *missing;
        int custom, oidc;
    } rows[] = {{"kid", 401, 401}, {"alg", 401, 200}};
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct auth_world world;
        auth_world_make(&world);
        json_t *set = json_parse(world.set, strlen(world.set), NULL);
        for (size_t j = 0; j < 3; j++) {
            json_object_del(json_array_get(json_object_get(set, "keys"), j), rows[i].missing);
        }
        struct buffer text = {0};
        json_append(&text, set);
        world.issuer.set = buffer_text(&text);
        char *custom = bearer(FIXTURE_EC_KEY, CUSTOM_CLAIMS), *oidc = bearer(FIXTURE_PRIVATE_KEY, CLAIMS);
        expect_who(&world, rows[i].missing, custom, rows[i].custom, "Unauthenticated");
        expect_who(&world, rows[i].missing, oidc, rows[i].oidc,
                   rows[i].oidc == 200 ? ALICE : "Unauthenticated");
        free(custom);
        free(oidc);
        buffer_free(&text);
        json_decref(set);
        auth_world_free(&world);
    }
}

/* A token without "kid" is held against all keys of an OIDC provider, and against none of a custom one. */
static void test_tokens_without_kid(void **state) {
    (void)state;
    struct auth_world world;
    auth_world_make(&world);
    json_t *rsa = json_parse(FIXTURE_PRIVATE_KEY, strlen(FIXTURE_PRIVATE_KEY), NULL);
    json_t *ec = json_parse(FIXTURE_EC_KEY, strlen(FIXTURE_EC_KEY), NULL);
    json_object_del(rsa, "kid");
    json_object_del(ec, "kid");
    char *rsa_text = json_dumps(rsa, 0), *ec_text = json_dumps(ec, 0);
    char *oidc = bearer(rsa_text, CLAIMS), *custom = bearer(ec_text, CUSTOM_CLAIMS);
    expect_who(&world, "OIDC", oidc, 200, ALICE);
    expect_who(&world, "custom", custom, 401, "Unauthenticated");
    free(oidc);
    free(custom);
    free(rsa_text);
    free(ec_text);
    json_decref(rsa);
    json_decref(ec);
    auth_world_free(&world);
}

/* Requests that come while the keys are on their way share one fetch; one whose caller goes away is dropped.
 */
static void test_waiting_together(void **state) {
    (void)state;
    struct auth_world world;
    struct answer answers[20];
    uint64_t exchanges[20];
    auth_world_make(&world);
    net_set_latency(world.fixture->net, "convex", "issuer.test", 500 * TIME_MILLISECOND, 0);
    char *header = bearer(FIXTURE_PRIVATE_KEY, CLAIMS);
    for (size_t i = 0; i < 20; i++) {
        static const char body[] = "{\"path\":\"who:query\",\"args\":{},\"format\":\"json\"}";
        exchanges[i] = send_request(world.fixture, &answers[i], "POST", "/api/query", header,
                                    "application/json", body, strlen(body));
    }
    fixture_run(world.fixture, 100 * TIME_MILLISECOND);
    host_http_abort(world.fixture->client, exchanges[7]);
    fixture_run(world.fixture, 5 * TIME_SECOND);
    assert_int_equal(world.issuer.configurations, 1);
    assert_int_equal(world.issuer.sets, 1);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(answers[i].status, i == 7 ? 0 : 200);
        assert_true(i == 7 || strstr(buffer_text(&answers[i].body), ALICE) != NULL);
        buffer_free(&answers[i].body);
    }
    free(header);
    auth_world_free(&world);
}

/* Who needs no keys does not wait. */
static void test_others_go_on(void **state) {
    (void)state;
    struct auth_world world;
    struct answer waiting;
    auth_world_make(&world);
    world.issuer.silent = true;
    char *header = bearer(FIXTURE_PRIVATE_KEY, CLAIMS);
    ask_who(&world, &waiting, header);
    fixture_run(world.fixture, TIME_SECOND);
    int64_t now = world_now(world.fixture->world);
    expect_who(&world, "nobody", NULL, 200, "null");
    expect_who(&world, "the key", AUTHORIZED, 200, "null");
    assert_true(world_now(world.fixture->world) - now < TIME_SECOND);
    assert_int_equal(waiting.at, 0);
    free(header);
    auth_world_free(&world); /* and a request that waits at the end is no leak */
    buffer_free(&waiting.body);
}

/* 1000 requests may wait. */
static void test_bound(void **state) {
    (void)state;
    struct auth_world world;
    struct answer *answers = memory_allocate_array(1001, sizeof *answers);
    size_t refused = 0, failed = 0;
    auth_world_make(&world);
    world.issuer.silent = true;
    char *header = bearer(FIXTURE_PRIVATE_KEY, CLAIMS);
    for (size_t i = 0; i < 1001; i++) {
        ask_who(&world, &answers[i], header);
    }
    fixture_run(world.fixture, TIME_SECOND);
    for (size_t i = 0; i < 1001; i++) {
        refused += answers[i].status == 503;
    }
    assert_int_equal(refused, 1);
    fixture_run(world.fixture, 10 * TIME_SECOND);
    for (size_t i = 0; i < 1001; i++) {
        failed += answers[i].status == 400;
        buffer_free(&answers[i].body);
    }
    assert_int_equal(failed, 1000);
    free(answers);
    free(header);
    auth_world_free(&world);
}

/* Kept for 5 minutes: a key that is gone counts until then, and no longer. */
static void test_lifetime(void **state) {
    (void)state;
    static const char *const other[] = {FIXTURE_ED_KEY};
    struct auth_world world;
    auth_world_make(&world);
    char *header = bearer(FIXTURE_PRIVATE_KEY, CLAIMS);
    expect_who(&world, "at first", header, 200, ALICE);
    auth_world_publish(&world, other, 1);
    fixture_run(world.fixture, 299 * TIME_SECOND);
    expect_who(&world, "kept", header, 200, ALICE);
    assert_int_equal(world.issuer.sets, 1);
    fixture_run(world.fixture, 2 * TIME_SECOND);
    expect_who(&world, "asked again", header, 401, "Unauthenticated");
    assert_int_equal(world.issuer.sets, 2);
    free(header);
    auth_world_free(&world);
}

/* Keys that cannot be renewed count no more; the next request asks again, without any pause. */
static void test_failed_renewal(void **state) {
    (void)state;
    struct auth_world world;
    auth_world_make(&world);
    char *header = bearer(FIXTURE_PRIVATE_KEY, CLAIMS);
    expect_who(&world, "at first", header, 200, ALICE);
    fixture_run(world.fixture, 301 * TIME_SECOND);
    world.issuer.status = 503;
    expect_who(&world, "cannot be renewed", header, 503, FAILED);
    world.issuer.status = 200;
    expect_who(&world, "a moment later", header, 200, ALICE);
    free(header);
    auth_world_free(&world);
}

/* A key id that nobody has seen asks for the keys, but not more often than every 10 s. */
static void test_rotation(void **state) {
    (void)state;
    static const char *const old[] = {FIXTURE_ED_KEY}, *const both[] = {FIXTURE_ED_KEY, FIXTURE_PRIVATE_KEY};
    struct auth_world world;
    auth_world_make(&world);
    auth_world_publish(&world, old, 1);
    char *before = bearer(FIXTURE_ED_KEY, CLAIMS), *after = bearer(FIXTURE_PRIVATE_KEY, CLAIMS);
    expect_who(&world, "the old key", before, 200, ALICE);
    expect_who(&world, "not published, asked a moment ago", after, 401, "Unauthenticated");
    assert_int_equal(world.issuer.sets, 1);
    auth_world_publish(&world, both, 2);
    expect_who(&world, "still too early", after, 401, "Unauthenticated");
    fixture_run(world.fixture, 10 * TIME_SECOND);
    expect_who(&world, "the new key", after, 200, ALICE);
    expect_who(&world, "and the old one", before, 200, ALICE);
    assert_int_equal(world.issuer.sets, 2);
    free(before);
    free(after);
    auth_world_free(&world);
}

/* 1 MiB and no more. */
static void test_large_set(void **state) {
    (void)state;
    struct auth_world world;
    auth_world_make(&world);
    struct buffer text = {0};
    buffer_append(&text, world.set, strlen(world.set));
    while (text.length <= (1 << 20)) {
        buffer_append_text(&text, "                                                                ");
    }
    world.issuer.set = buffer_text(&text);
    char *header = bearer(FIXTURE_PRIVATE_KEY, CLAIMS);
    expect_who(&world, "too large", header, 400, FAILED);
    free(header);
    buffer_free(&text);
    auth_world_free(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trouble),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_content_types),
        cmocka_unit_test(test_keys_without_names),
        cmocka_unit_test(test_tokens_without_kid),
        cmocka_unit_test(test_waiting_together),
        cmocka_unit_test(test_others_go_on),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_lifetime),
        cmocka_unit_test(test_failed_renewal),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_large_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
