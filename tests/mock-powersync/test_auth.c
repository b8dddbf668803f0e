/* Who is accepted: keys, algorithms and claims in the real service's order, and keys fetched from JWKS URIs.
 */
#include "mock-powersync/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/tokens.h"
#include "mock-powersync/http/auth.h"
#include "net/net.h"

#define SECRET_KEY "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}" /* "secret" */
#define OTHER_SECRET "{\"kty\":\"oct\",\"k\":\"b3RoZXI\"}"

static const char *const audiences[] = {"powersync", "second"};

/* A world with a service's host and a server of keys. */
struct setting {
    struct world *world;
    struct net *net;
    struct host *host, *keys;
    struct auth *auth;
    struct auth_call *waiting;
    /* what the server of keys does */
    const char *set;
    int status;
    int64_t delay; /* ns; below 0: never answers */
    size_t fetches;
    uint64_t exchange;
    char target[100];
    /* what a check found */
    size_t answers;
    char code[20], details[512], user[100];
};

static void answer_keys(void *context) {
    struct setting *setting = context;
    static const struct http_header headers[] = {{"content-type", "application/json"}};
    host_http_respond(setting->keys, setting->exchange, &(struct http_response){setting->status, headers, 1});
    host_http_write(setting->keys, setting->exchange, setting->set, strlen(setting->set));
    host_http_end(setting->keys, setting->exchange);
}

static void on_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct setting *setting = context;
    setting->fetches++;
    setting->exchange = exchange;
    assert_string_equal(request->method, "GET");
    snprintf(setting->target, sizeof setting->target, "%s", request->target);
    if (setting->delay == 0)
        answer_keys(setting);
    else if (setting->delay > 0)
        host_timer_set(setting->keys, setting->delay, answer_keys, setting);
}

static void on_closed(void *context, uint64_t exchange) {
    (void)context;
    (void)exchange;
}

static struct setting *setting_create(void) {
    static const struct http_server_events events = {on_request, on_closed};
    struct setting *setting = memory_allocate(sizeof *setting);
    struct world_settings world = {.seed = 1, .max_events = 100000};
    struct net_settings net = {.latency = TIME_MILLISECOND, .give_up = 120 * TIME_SECOND};
    setting->world = world_create(&world);
    setting->net = net_create(setting->world, &net);
    setting->host = net_node(setting->net, "powersync");
    setting->keys = net_node(setting->net, "keys");
    setting->status = 200;
    host_http_listen(setting->keys, &events, setting);
    return setting;
}

static void setting_destroy(struct setting *setting) {
    auth_call_cancel(setting->waiting);
    auth_destroy(setting->auth);
    net_destroy(setting->net);
    world_destroy(setting->world);
    free(setting);
}

static int set_up(void **state) {
    *state = setting_create();
    return 0;
}

static int tear_down(void **state) {
    setting_destroy(*state);
    return 0;
}

static void run_for(struct setting *setting, int64_t time) {
    assert_int_equal(world_run(setting->world, world_now(setting->world) + time, NULL), STATUS_OK);
}

static void with(struct setting *setting, struct powersync_auth_options options) {
    struct error error = {0};
    auth_destroy(setting->auth);
    setting->auth = NULL;
    options.audiences = audiences;
    options.n_audiences = 2;
    if (auth_create(setting->host, &options, &setting->auth, &error))
        fail_msg("%s", error.message);
}

/* The key set of the configuration. */
static void with_keys(struct setting *setting, const char *keys) {
    char *jwks = memory_format("{\"keys\":[%s]}", keys);
    with(setting, (struct powersync_auth_options){.jwks = jwks});
    free(jwks);
}

static void with_uri(struct setting *setting) {
    static const char *const uris[] = {"http://keys/sets?of=app"};
    with(setting, (struct powersync_auth_options){.jwks_uris = uris, .n_jwks_uris = 1});
}

static void on_done(void *context, const struct auth_user *user, const struct http_error *error) {
    struct setting *setting = context;
    setting->answers++;
    assert_true((user != NULL) != (error != NULL));
    if (error)
        assert_int_equal(error->status, 401);
    snprintf(setting->code, sizeof setting->code, "%s", error ? error->code : "");
    snprintf(setting->details, sizeof setting->details, "%s", error ? error->details : "");
    snprintf(setting->user, sizeof setting->user, "%s", user ? user->id_text : "");
}

static int64_t now(struct setting *setting) {
    return (TIME_WALL_START + world_now(setting->world)) / TIME_SECOND;
}

static json_t *claims_of(struct setting *setting) {
    return json_pack("{s:s,s:I,s:I,s:s}", "sub", "alice", "iat", (json_int_t)now(setting), "exp",
                     (json_int_t)(now(setting) + 300), "aud", "powersync");
}

static void check(struct setting *setting, const char *header) {
    setting->answers = 0;
    auth_check(setting->auth, header, &setting->waiting, on_done, setting);
}

/* A token signed with this private key under this kid (NULL: none). Takes the claims. */
static void check_signed(struct setting *setting, const char *jwk, const char *kid, const char *algorithm,
                         json_t *claims) {
    struct jwt_key *key;
    json_t *private = json_parse(jwk, strlen(jwk), NULL);
    json_object_del(private, "kid");
    if (kid)
        json_object_set_new(private, "kid", json_string(kid));
    if (algorithm)
        json_object_set_new(private, "alg", json_string(algorithm));
    assert_int_equal(jwt_key_from_jwk(private, &key, NULL), STATUS_OK);
    char *token = jwt_sign(key, claims), *header = memory_format("Bearer %s", token);
    check(setting, header);
    free(header);
    free(token);
    jwt_key_free(key);
    json_decref(private);
    json_decref(claims);
}

/* "" is acceptance. */
static void assert_found(struct setting *setting, const char *code) {
    assert_int_equal(setting->answers, 1);
    assert_null(setting->waiting);
    assert_string_equal(setting->code, code);
    if (!*code)
        assert_string_equal(setting->user, "alice");
}

static char *public_of(const char *jwk, const char *kid, const char *algorithm) {
    json_t *private = json_parse(jwk, strlen(jwk), NULL), *public = jwt_jwk_public(private);
    json_object_del(public, "kid");
    json_object_del(public, "alg");
    if (kid)
        json_object_set_new(public, "kid", json_string(kid));
    if (algorithm)
        json_object_set_new(public, "alg", json_string(algorithm));
    struct buffer text = {0};
    json_append(&text, public);
    json_decref(private);
    json_decref(public);
    return buffer_take(&text);
}

/* --- algorithms and keys --- */

static void every_algorithm(void **state) {
    struct setting *setting = *state;
    static const struct {
        const char *jwk, *algorithm;
    } cases[] = {{SECRET_KEY, "HS256"},          {SECRET_KEY, "HS384"},
                 {SECRET_KEY, "HS512"},          {FIXTURE_PRIVATE_KEY, "RS256"},
                 {FIXTURE_PRIVATE_KEY, "RS384"}, {FIXTURE_PRIVATE_KEY, "RS512"},
                 {FIXTURE_EC_KEY, "ES256"},      {FIXTURE_ED_KEY, "EdDSA"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t j = 0; j < 4; j++) { /* with and without kid, with and without alg */
            const char *kid = j & 1 ? "k" : NULL, *algorithm = j & 2 ? cases[i].algorithm : NULL;
            bool secret = cases[i].jwk[8] == 'o';
            char *own = secret ? memory_format("{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"%s%s%s%s}",
                                               kid ? ",\"kid\":\"k\"" : "", algorithm ? ",\"alg\":\"" : "",
                                               algorithm ? algorithm : "", algorithm ? "\"" : "")
                               : public_of(cases[i].jwk, kid, algorithm);
            with_keys(setting, own);
            check_signed(setting, cases[i].jwk, kid, cases[i].algorithm, claims_of(setting));
            assert_found(setting, "");
            free(own);
        }
}

/* The key's own alg counts; without one the kind of key. */
static void wrong_algorithms(void **state) {
    struct setting *setting = *state;
    static const struct {
        const char *key, *signs_with, *kid, *algorithm;
    } cases[] = {
        {"{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"alg\":\"HS256\"}", SECRET_KEY, NULL, "HS512"},
        {"{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"k\",\"alg\":\"HS256\"}", SECRET_KEY, "k", "HS384"},
        {"{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"k\"}", FIXTURE_EC_KEY, "k", "ES256"}};
    for (size_t i = 0; i < 3; i++) {
        with_keys(setting, cases[i].key);
        check_signed(setting, cases[i].signs_with, cases[i].kid, cases[i].algorithm, claims_of(setting));
        assert_found(setting, "PSYNC_S2101");
    }
    static const char *const headers[] = {"{\"alg\":\"none\"}", "{\"alg\":\"PS256\"}", "{\"alg\":\"HS1\"}",
                                          "{\"typ\":\"JWT\"}", "{\"alg\":7}"};
    with_keys(setting, SECRET_KEY);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct buffer token = {0};
        buffer_append_text(&token, "Token ");
        base64url_append(&token, headers[i], strlen(headers[i]));
        buffer_append_text(&token, ".e30.");
        check(setting, token.data);
        assert_found(setting, "PSYNC_S2101");
        buffer_free(&token);
    }
}

/* A kid that is known decides: nothing else is tried. One that is not leaves the wildcard keys. */
static void keys_by_id(void **state) {
    struct setting *setting = *state;
    with_keys(setting, "{\"kty\":\"oct\",\"k\":\"b3RoZXI\",\"kid\":\"a\"}," SECRET_KEY);
    check_signed(setting, SECRET_KEY, "a", NULL, claims_of(setting));
    assert_found(setting, "PSYNC_S2101");
    check_signed(setting, OTHER_SECRET, "a", NULL, claims_of(setting));
    assert_found(setting, "");
    check_signed(setting, SECRET_KEY, "b", NULL, claims_of(setting));
    assert_found(setting, "");
    check_signed(setting, SECRET_KEY, NULL, NULL, claims_of(setting));
    assert_found(setting, "");
    check_signed(setting, OTHER_SECRET, NULL, NULL, claims_of(setting)); /* no wildcard key */
    assert_found(setting, "PSYNC_S2101");
    with_keys(setting, OTHER_SECRET "," SECRET_KEY); /* the first wildcard key that fits */
    check_signed(setting, SECRET_KEY, NULL, NULL, claims_of(setting));
    assert_found(setting, "");
}

static void wrong_configurations(void **state) {
    struct setting *setting = *state;
    static const char *const sets[] = {"{", "{}", "{\"keys\":7}", "{\"keys\":[7]}",
                                       "{\"keys\":[{\"kty\":\"oct\"}]}"};
    static const char *const uris[] = {"ftp://keys/", "keys", "http://", "https:///set"};
    struct error error;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        struct powersync_auth_options options = {.jwks = sets[i]};
        error.message[0] = '\0';
        assert_int_equal(auth_create(setting->host, &options, &setting->auth, &error), STATUS_INVALID);
        assert_true(strlen(error.message) > 0);
    }
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        struct powersync_auth_options options = {.jwks_uris = &uris[i], .n_jwks_uris = 1};
        assert_int_equal(auth_create(setting->host, &options, &setting->auth, &error), STATUS_INVALID);
    }
}

/* --- claims --- */

static void supabase(void **state) {
    struct setting *setting = *state;
    static const struct {
        const char *audience;
        int64_t lifetime;
        const char *code;
    } cases[] = {{"authenticated", 7 * 86400 + 1200, ""},
                 {"authenticated", 7 * 86400 + 1201, "PSYNC_S2104"},
                 {"powersync", 300, "PSYNC_S2105"}};
    with(setting, (struct powersync_auth_options){.supabase = true, .supabase_jwt_secret = "secret"});
    for (size_t i = 0; i < 3; i++) {
        json_t *claims = claims_of(setting);
        json_object_set_new(claims, "aud", json_string(cases[i].audience));
        json_object_set_new(claims, "exp", json_integer(now(setting) + cases[i].lifetime));
        check_signed(setting, SECRET_KEY, "whatever", "HS256", claims);
        assert_found(setting, cases[i].code);
    }
    with(setting, (struct powersync_auth_options){.supabase_jwt_secret = "secret"}); /* not switched on */
    check_signed(setting, SECRET_KEY, NULL, "HS256", claims_of(setting));
    assert_found(setting, "PSYNC_S2101");
}

/* Each breaks one more rule than the one before, counted from the last: the first broken one is told. */
static void order_of_the_rules(void **state) {
    struct setting *setting = *state;
    with_keys(setting, SECRET_KEY);
    json_t *claims = claims_of(setting);
    static const struct {
        const char *claim;
        const char *value; /* JSON; NULL: absent. Numbers are relative to now */
        const char *code;
    } steps[] = {{"parameters", "[]", "PSYNC_S2101"}, {"exp", "86401", "PSYNC_S2104"},
                 {"aud", "\"x\"", "PSYNC_S2105"},     {"exp", "-60", "PSYNC_S2103"},
                 {"nbf", "61", "PSYNC_S2101"},        {"sub", NULL, "PSYNC_S2101"}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        json_t *value = steps[i].value ? json_loads(steps[i].value, JSON_DECODE_ANY, NULL) : NULL;
        if (json_is_integer(value))
            json_integer_set(value, json_integer_value(value) + now(setting));
        if (value)
            json_object_set_new(claims, steps[i].claim, value);
        else
            json_object_del(claims, steps[i].claim);
        check_signed(setting, SECRET_KEY, NULL, NULL, json_deep_copy(claims));
        assert_found(setting, steps[i].code);
    }
    json_decref(claims);
}

/* sub as auth.user_id() and as part of write checkpoint keys: its SQLite text. */
static void subjects(void **state) {
    struct setting *setting = *state;
    static const struct {
        const char *subject, *text;
    } cases[] = {{"\"alice\"", "alice"}, {"7", "7"},       {"1.5", "1.5"}, {"true", "1"},
                 {"false", "0"},         {"null", "null"}, {"\"\"", ""}};
    with_keys(setting, SECRET_KEY);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *claims = claims_of(setting);
        json_object_set_new(claims, "sub", json_loads(cases[i].subject, JSON_DECODE_ANY, NULL));
        check_signed(setting, SECRET_KEY, NULL, NULL, claims);
        assert_string_equal(setting->code, "");
        assert_string_equal(setting->user, cases[i].text);
    }
}

/* --- fetched keys --- */

static void serve_keys(struct setting *setting, const char *key) {
    setting->set = memory_format("{\"keys\":[%s]}", key);
}

static void stop_serving(struct setting *setting) {
    free((char *)(uintptr_t)setting->set);
    setting->set = NULL;
}

static void check_rsa(struct setting *setting) {
    check_signed(setting, FIXTURE_PRIVATE_KEY, "rsa", "RS256", claims_of(setting));
}

static void fetched_once(void **state) {
    struct setting *setting = *state;
    char *key = public_of(FIXTURE_PRIVATE_KEY, "rsa", NULL);
    serve_keys(setting, key);
    with_uri(setting);
    check_rsa(setting);
    assert_int_equal(setting->answers, 0);
    assert_non_null(setting->waiting);
    run_for(setting, 100 * TIME_MILLISECOND);
    assert_found(setting, "");
    assert_string_equal(setting->target, "/sets?of=app");
    check_rsa(setting); /* at once */
    assert_found(setting, "");
    run_for(setting, 299 * TIME_SECOND);
    check_rsa(setting);
    assert_found(setting, "");
    assert_int_equal(setting->fetches, 1);
    run_for(setting, 2 * TIME_SECOND); /* older than 5 minutes: used at once, refreshed meanwhile */
    check_rsa(setting);
    assert_found(setting, "");
    run_for(setting, TIME_SECOND);
    assert_int_equal(setting->fetches, 2);
    stop_serving(setting);
    free(key);
}

/* Keys that cannot be refreshed serve for an hour. */
static void kept_for_an_hour(void **state) {
    struct setting *setting = *state;
    char *key = public_of(FIXTURE_PRIVATE_KEY, "rsa", NULL);
    serve_keys(setting, key);
    with_uri(setting);
    check_rsa(setting);
    run_for(setting, TIME_SECOND);
    assert_found(setting, "");
    setting->status = 503;
    for (int minutes = 0; minutes < 55; minutes += 5) {
        run_for(setting, 300 * TIME_SECOND);
        check_rsa(setting);
        assert_found(setting, "");
    }
    run_for(setting, 300 * TIME_SECOND + TIME_SECOND);
    check_rsa(setting);
    run_for(setting, 4 * TIME_SECOND);
    assert_found(setting, "PSYNC_S2204");
    setting->status = 200;
    run_for(setting, 60 * TIME_SECOND);
    check_rsa(setting);
    run_for(setting, TIME_SECOND);
    assert_found(setting, "");
    stop_serving(setting);
    free(key);
}

/* Who needs keys waits for 3 s; the fetch goes on and the next one has them. After 30 s it is given up. */
static void slow_keys(void **state) {
    struct setting *setting = *state;
    char *key = public_of(FIXTURE_PRIVATE_KEY, "rsa", NULL);
    serve_keys(setting, key);
    setting->delay = 10 * TIME_SECOND;
    with_uri(setting);
    check_rsa(setting);
    run_for(setting, 2900 * TIME_MILLISECOND);
    assert_int_equal(setting->answers, 0);
    run_for(setting, 200 * TIME_MILLISECOND);
    assert_found(setting, "PSYNC_S2204");
    run_for(setting, 8 * TIME_SECOND);
    check_rsa(setting);
    assert_found(setting, "");
    assert_int_equal(setting->fetches, 1);

    setting->delay = -1;
    with_uri(setting);
    check_rsa(setting);
    run_for(setting, 29 * TIME_SECOND);
    setting->delay = 0;
    check_rsa(setting); /* the one fetch is still under way */
    run_for(setting, 500 * TIME_MILLISECOND);
    assert_int_equal(setting->fetches, 2);
    run_for(setting, TIME_SECOND); /* now it is over, and with it the wait */
    assert_found(setting, "PSYNC_S2204");
    assert_non_null(strstr(setting->details, "30 s"));
    check_rsa(setting);
    run_for(setting, TIME_SECOND);
    assert_found(setting, "");
    stop_serving(setting);
    free(key);
}

/* A key that nobody knows is looked for, in the background: the next request has it. */
static void rotation(void **state) {
    struct setting *setting = *state;
    char *rsa = public_of(FIXTURE_PRIVATE_KEY, "rsa", NULL), *ed = public_of(FIXTURE_ED_KEY, "ed", NULL);
    serve_keys(setting, rsa);
    with_uri(setting);
    check_rsa(setting);
    run_for(setting, 10 * TIME_SECOND);
    stop_serving(setting);
    serve_keys(setting, ed);
    check_signed(setting, FIXTURE_ED_KEY, "ed", NULL, claims_of(setting));
    assert_found(setting, "PSYNC_S2101");
    run_for(setting, TIME_SECOND);
    assert_int_equal(setting->fetches, 2);
    check_signed(setting, FIXTURE_ED_KEY, "ed", NULL, claims_of(setting));
    assert_found(setting, "");
    check_rsa(setting); /* gone */
    assert_found(setting, "PSYNC_S2101");
    stop_serving(setting);
    free(rsa);
    free(ed);
}

/* Unknown keys cannot make it fetch for ever: about 10 at first, with growing pauses, then one a minute. */
static void limited_refreshes(void **state) {
    struct setting *setting = *state;
    char *rsa = public_of(FIXTURE_PRIVATE_KEY, "rsa", NULL);
    serve_keys(setting, rsa);
    with_uri(setting);
    for (int i = 0; i < 6000; i++) { /* ten minutes */
        check_signed(setting, FIXTURE_ED_KEY, "unknown", NULL, claims_of(setting));
        run_for(setting, 100 * TIME_MILLISECOND);
    }
    assert_in_range(setting->fetches, 15, 20); /* 10 and one for each of the ten minutes, at most */
    stop_serving(setting);
    free(rsa);
}

static void useless_answers(void **state) {
    struct setting *setting = *state;
    static const struct {
        int status;
        const char *set;
    } cases[] = {{404, "{\"keys\":[]}"},  {500, ""},  {200, "<html>"}, {200, ""}, {200, "{\"keys\":{}}"},
                 {200, "{\"keys\":[1]}"}, {200, "[]"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setting->status = cases[i].status;
        setting->set = cases[i].set;
        with_uri(setting);
        check_rsa(setting);
        run_for(setting, TIME_SECOND);
        assert_found(setting, "PSYNC_S2204");
    }
    setting->status = 200;
    setting->set = "{\"keys\":[]}"; /* a good set without our key */
    with_uri(setting);
    check_rsa(setting);
    run_for(setting, TIME_SECOND);
    assert_found(setting, "PSYNC_S2101");
    setting->set = NULL;
}

/* Secrets are never taken from the network, nor keys for something else; others beside them are. */
static void useless_keys(void **state) {
    struct setting *setting = *state;
    char *rsa = public_of(FIXTURE_PRIVATE_KEY, "rsa", NULL);
    rsa[strlen(rsa) - 1] = '\0'; /* its last brace */
    static const struct {
        const char *more, *code;
    } cases[] = {{",\"use\":\"sig\"}", ""},
                 {",\"use\":\"enc\"}", "PSYNC_S2101"},
                 {",\"key_ops\":[\"verify\"]}", ""},
                 {",\"key_ops\":[\"sign\"]}", "PSYNC_S2101"},
                 {",\"key_ops\":[]}", "PSYNC_S2101"},
                 {"},{\"kty\":\"EC\",\"crv\":\"secp256k1\"},{\"kty\":\"none\"}", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *keys = memory_format("{\"keys\":[" SECRET_KEY ",%s%s]}", rsa, cases[i].more);
        setting->set = keys;
        with_uri(setting);
        check_signed(setting, SECRET_KEY, NULL, NULL, claims_of(setting));
        run_for(setting, TIME_SECOND);
        assert_found(setting, "PSYNC_S2101");
        check_rsa(setting);
        assert_found(setting, cases[i].code);
        free(keys);
    }
    free(rsa);
    setting->set = NULL;
}

static void local_addresses(void **state) {
    struct setting *setting = *state;
    static const char *const uris[] = {"http://127.0.0.1:9/keys", "https://[::1]/keys",
                                       "http://localhost:80/"};
    for (size_t i = 0; i < 3; i++) {
        with(setting,
             (struct powersync_auth_options){.jwks_uris = &uris[i], .n_jwks_uris = 1, .block_local = true});
        check_rsa(setting);
        assert_found(setting, "PSYNC_S2203");
    }
    assert_int_equal(setting->fetches, 0);
}

/* Keys of the configuration go first; where they do not suffice the failure to fetch others is told. */
static void configured_and_fetched(void **state) {
    struct setting *setting = *state;
    static const char *const uris[] = {"http://nobody/keys"};
    with(setting, (struct powersync_auth_options){
                      .jwks = "{\"keys\":[" SECRET_KEY "]}", .jwks_uris = uris, .n_jwks_uris = 1});
    check_signed(setting, SECRET_KEY, NULL, NULL, claims_of(setting));
    run_for(setting, 4 * TIME_SECOND);
    assert_found(setting, "");
    check_rsa(setting);
    run_for(setting, 4 * TIME_SECOND);
    assert_found(setting, "PSYNC_S2204");
}

static void given_up(void **state) {
    struct setting *setting = *state;
    setting->delay = -1;
    with_uri(setting);
    check_rsa(setting);
    assert_non_null(setting->waiting);
    auth_call_cancel(setting->waiting);
    assert_null(setting->waiting);
    run_for(setting, 60 * TIME_SECOND);
    assert_int_equal(setting->answers, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_algorithm),  TEST(wrong_algorithms),   TEST(keys_by_id),      TEST(wrong_configurations),
        TEST(supabase),         TEST(order_of_the_rules), TEST(subjects),        TEST(fetched_once),
        TEST(kept_for_an_hour), TEST(slow_keys),          TEST(rotation),        TEST(limited_refreshes),
        TEST(useless_answers),  TEST(useless_keys),       TEST(local_addresses), TEST(configured_and_fetched),
        TEST(given_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
