/* The issuer's key pairs: a deployment that knows only its address accepts its tokens, through rotations, and
 * no others. */
#include "cmocka_all.h"
#include "issuer_answer.h"

#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "app/issuer_keys.h"
#include "base/json.h"
#include "base/jwt.h"
#include "base/memory.h"
#include "net/net.h"

struct scene {
    struct world *world;
    struct net *net;
    struct host *client;
    struct app_issuer *issuer;
    struct convex_deployment *deployment;
};

static enum status who_am_i(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error) {
    (void)args;
    (void)error;
    *result = convex_user(context)
                  ? convex_string(convex_object_text(convex_user(context), "tokenIdentifier"))
                  : convex_null();
    return STATUS_OK;
}

static void begin(struct scene *scene) {
    static const struct convex_function functions[] = {
        {.path = "who:ami", .kind = CONVEX_QUERY, .run = who_am_i}};
    static const struct convex_auth_provider provider = {.issuer = "https://issuer",
                                                         .application = APP_ISSUER_AUDIENCE};
    static const struct convex_deployment_options options = {.deploy_key = "prod:x|1",
                                                             .functions = functions,
                                                             .n_functions = 1,
                                                             .providers = &provider,
                                                             .n_providers = 1,
                                                             .read_time = 2 * TIME_MILLISECOND};
    scene->world = world_create(&(struct world_settings){.seed = 1, .max_events = 100000});
    scene->net = net_create(scene->world, &(struct net_settings){.latency = TIME_MILLISECOND});
    scene->client = net_node(scene->net, "alice-1");
    scene->issuer =
        app_issuer_create(net_node(scene->net, "issuer"), "key-1", "secret", "powersync", 300 * TIME_SECOND);
    scene->deployment = convex_deployment_create(net_node(scene->net, "convex"), &options);
}

static void end(struct scene *scene) {
    convex_deployment_destroy(scene->deployment);
    app_issuer_destroy(scene->issuer);
    net_destroy(scene->net);
    world_destroy(scene->world);
}

static void wait_for(struct scene *scene, int64_t duration) {
    struct error error = {0};
    assert_int_equal(world_run(scene->world, world_now(scene->world) + duration, &error), STATUS_OK);
}

static struct answer ask(struct scene *scene, const struct http_request *request) {
    static const struct http_client_events events = {on_head, on_body, on_end, NULL};
    struct answer answer = {0};
    host_http_send(scene->client, request, &events, &answer);
    wait_for(scene, 100 * TIME_MILLISECOND);
    assert_true(answer.ended);
    return answer;
}

static json_t *get(struct scene *scene, const char *target) {
    struct answer answer =
        ask(scene, &(struct http_request){.authority = "issuer", .method = "GET", .target = target});
    assert_int_equal(answer.status, 200);
    json_t *json = json_parse(buffer_text(&answer.body), answer.body.length, NULL);
    assert_non_null(json);
    buffer_free(&answer.body);
    return json;
}

static char *get_token(struct scene *scene) {
    json_t *json = get(scene, "/token?user=alice&audience=convex");
    char *token = memory_copy_text(json_text(json, "token"));
    assert_non_null(token);
    json_decref(json);
    return token;
}

/* Asks the deployment who the token's bearer is. */
static void expect(struct scene *scene, const char *token, int status, const char *holds) {
    static const char body[] = "{\"path\":\"who:ami\",\"args\":{}}";
    char *value = memory_format("Bearer %s", token);
    const struct http_header headers[] = {{"authorization", value}, {"content-type", "application/json"}};
    struct answer answer = ask(scene, &(struct http_request){.authority = "convex",
                                                             .method = "POST",
                                                             .target = "/api/query",
                                                             .headers = headers,
                                                             .n_headers = 2,
                                                             .body = body,
                                                             .body_length = strlen(body)});
    if (answer.status != status || !strstr(buffer_text(&answer.body), holds))
        fail_msg("%d %s, expected %d %s", answer.status, buffer_text(&answer.body), status, holds);
    buffer_free(&answer.body);
    free(value);
}

#define ALICE "\"https://issuer|alice\""

static void test_documents(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    json_t *configuration = get(&scene, "/.well-known/openid-configuration");
    assert_string_equal(json_text(configuration, "issuer"), "https://issuer");
    assert_string_equal(json_text(configuration, "jwks_uri"), "https://issuer/.well-known/jwks.json");
    json_decref(configuration);
    app_issuer_set_url(scene.issuer, "http://127.0.0.1:4000");
    configuration = get(&scene, "/.well-known/openid-configuration?x");
    assert_string_equal(json_text(configuration, "issuer"), "http://127.0.0.1:4000");
    assert_string_equal(json_text(configuration, "jwks_uri"), "http://127.0.0.1:4000/.well-known/jwks.json");
    json_decref(configuration);
    json_t *set = get(&scene, "/.well-known/jwks.json"), *keys = json_object_get(set, "keys");
    assert_int_equal(json_array_size(keys), 1);
    assert_string_equal(json_text(json_array_get(keys, 0), "kid"), "rsa-1");
    assert_string_equal(json_text(json_array_get(keys, 0), "alg"), "RS256");
    for (const char *const *member = (const char *[]){"d", "p", "q", "dp", "dq", "qi", NULL}; *member;
         member++)
        assert_null(json_object_get(json_array_get(keys, 0), *member));
    json_decref(set);
    end(&scene);
}

static void test_claims(void **state) {
    (void)state;
    struct scene scene;
    struct jwt jwt;
    begin(&scene);
    char *token = get_token(&scene);
    assert_int_equal(jwt_parse(&jwt, token, NULL), STATUS_OK);
    assert_string_equal(json_text(jwt.header, "alg"), "RS256");
    assert_string_equal(json_text(jwt.header, "kid"), "rsa-1");
    assert_string_equal(json_text(jwt.claims, "iss"), "https://issuer");
    assert_string_equal(json_text(jwt.claims, "sub"), "alice");
    assert_string_equal(json_text(jwt.claims, "aud"), "convex");
    assert_int_equal(json_integer_or(jwt.claims, "exp", 0), json_integer_or(jwt.claims, "iat", 0) + 300);
    jwt_free(&jwt);
    free(token);
    json_t *shared = get(&scene, "/token?user=alice&audience=powersync");
    assert_int_equal(jwt_parse(&jwt, json_text(shared, "token"), NULL), STATUS_OK);
    assert_true(jwt_verify_hs256(&jwt, json_text(shared, "token"), "secret", 6));
    jwt_free(&jwt);
    json_decref(shared);
    struct answer answer =
        ask(&scene, &(struct http_request){
                        .authority = "issuer", .method = "GET", .target = "/token?user=alice&audience="});
    assert_int_equal(answer.status, 400);
    buffer_free(&answer.body);
    end(&scene);
}

/* Every key in turn: the one before still counts while it is published, and no longer. */
static void test_rotation(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    char *before = get_token(&scene);
    expect(&scene, before, 200, ALICE);
    for (size_t i = 0; i < APP_ISSUER_KEYS; i++) {
        app_issuer_rotate(scene.issuer, 60 * TIME_SECOND);
        wait_for(&scene, 11 * TIME_SECOND); /* an unknown key id asks for keys every 10 s at most */
        char *after = get_token(&scene);
        assert_string_not_equal(before, after);
        expect(&scene, after, 200, ALICE);
        expect(&scene, before, 200, ALICE);
        wait_for(&scene, 60 * TIME_SECOND);
        json_t *set = get(&scene, "/.well-known/jwks.json");
        assert_int_equal(json_array_size(json_object_get(set, "keys")), 1);
        json_decref(set);
        free(before);
        before = after;
    }
    free(before);
    end(&scene);
}

/* Rotated without grace: once the deployment has looked, the old tokens are worth nothing. */
static void test_revocation(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    char *before = get_token(&scene);
    expect(&scene, before, 200, ALICE);
    app_issuer_rotate(scene.issuer, 0);
    expect(&scene, before, 200, ALICE); /* nobody has told the deployment */
    wait_for(&scene, 11 * TIME_SECOND);
    char *after = get_token(&scene);
    expect(&scene, after, 200, ALICE);
    expect(&scene, before, 401, "Unauthenticated");
    free(before);
    free(after);
    end(&scene);
}

static void test_what_is_published(void **state) {
    (void)state;
    static const enum app_issuer_keys bad[] = {APP_ISSUER_NO_KEYS, APP_ISSUER_WRONG_KEYS};
    for (size_t i = 0; i < 2; i++) {
        struct scene scene;
        begin(&scene);
        char *token = get_token(&scene);
        app_issuer_publish(scene.issuer, bad[i]);
        expect(&scene, token, 401, "Unauthenticated");
        app_issuer_publish(scene.issuer, APP_ISSUER_RIGHT_KEYS);
        wait_for(&scene, bad[i] == APP_ISSUER_NO_KEYS ? 11 * TIME_SECOND : 301 * TIME_SECOND);
        free(token);
        token = get_token(&scene);
        expect(&scene, token, 200, ALICE);
        free(token);
        end(&scene);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_documents), cmocka_unit_test(test_claims),
                                       cmocka_unit_test(test_rotation), cmocka_unit_test(test_revocation),
                                       cmocka_unit_test(test_what_is_published)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
