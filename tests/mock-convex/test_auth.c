/* Who is asking: tokens of auth providers, their keys over the network, admins who act as users. Expected
 * statuses and codes are those of the backend. */
#include "auth_world.h"

#define OIDC "\"iss\":\"https://issuer.test\",\"sub\":\"alice\""
#define CUSTOM "\"iss\":\"https://custom.test\",\"sub\":\"alice\""
#define DATA "\"iss\":\"https://data.test\",\"sub\":\"alice\""
#define LONG "\"exp\":4102444800"
#define USER(issuer)                                                                                         \
    "{\"issuer\":\"" issuer "\",\"subject\":\"alice\",\"tokenIdentifier\":\"" issuer "|alice\"}"
#define RSA FIXTURE_PRIVATE_KEY
#define OTHER_RSA                                                                                            \
    "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"rsa\",\"alg\":\"HS256\"}" /* a secret, under a published  \
                                                                                id */

static const struct {
    const char *what, *key, *claims;
    int status;
    const char *expected;
} tokens[] = {
    {"OIDC, RS256", RSA, "{" OIDC ",\"aud\":\"app\"," LONG "}", 200, USER("https://issuer.test")},
    {"OIDC, EdDSA", FIXTURE_ED_KEY, "{" OIDC ",\"aud\":\"app\"," LONG "}", 200, USER("https://issuer.test")},
    {"OIDC, an algorithm of custom providers only", FIXTURE_EC_KEY, "{" OIDC ",\"aud\":\"app\"," LONG "}",
     401, "Unauthenticated"},
    {"OIDC, a shared secret", OTHER_RSA, "{" OIDC ",\"aud\":\"app\"," LONG "}", 401, "Unauthenticated"},
    {"OIDC, a list of one audience", RSA, "{" OIDC ",\"aud\":[\"app\"]," LONG "}", 200,
     USER("https://issuer.test")},
    {"OIDC, more audiences", RSA, "{" OIDC ",\"aud\":[\"app\",\"x\"]," LONG "}", 401, "Unauthenticated"},
    {"OIDC, the issuer with a slash", RSA,
     "{\"iss\":\"https://issuer.test/\",\"sub\":\"alice\",\"aud\":\"app\"," LONG "}", 200,
     "{\"issuer\":\"https://issuer.test/\",\"subject\":\"alice\",\"tokenIdentifier\":\"https://issuer.test/"
     "|alice\"}"},
    {"another issuer", RSA, "{\"iss\":\"https://x.test\",\"sub\":\"alice\",\"aud\":\"app\"," LONG "}", 401,
     "NoAuthProvider"},
    {"no issuer", RSA, "{\"sub\":\"alice\",\"aud\":\"app\"," LONG "}", 401, "NoAuthProvider"},
    {"another audience", RSA, "{" OIDC ",\"aud\":\"x\"," LONG "}", 401, "NoAuthProvider"},
    {"no audience", RSA, "{" OIDC "," LONG "}", 401, "NoAuthProvider"},
    {"no subject", RSA, "{\"iss\":\"https://issuer.test\",\"aud\":\"app\"," LONG "}", 401, "Unauthenticated"},
    {"no end", RSA, "{" OIDC ",\"aud\":\"app\"}", 401, "Unauthenticated"},
    {"an end that is none", RSA, "{" OIDC ",\"aud\":\"app\",\"exp\":\"4102444800\"}", 401, "Unauthenticated"},
    {"an end beyond all times", RSA, "{" OIDC ",\"aud\":\"app\",\"exp\":1e300}", 401, "Unauthenticated"},
    {"over for long", RSA, "{" OIDC ",\"aud\":\"app\",\"exp\":1767225000}", 401, "Unauthenticated"},
    {"not yet", RSA, "{" OIDC ",\"aud\":\"app\",\"nbf\":1767229200," LONG "}", 401, "Unauthenticated"},
    {"custom, ES256", FIXTURE_EC_KEY, "{" CUSTOM "," LONG "}", 200, USER("https://custom.test")},
    {"custom, more audiences", FIXTURE_EC_KEY, "{" CUSTOM ",\"aud\":[\"x\",\"y\"]," LONG "}", 200,
     USER("https://custom.test")},
    {"custom, another algorithm", RSA, "{" CUSTOM "," LONG "}", 401, "Unauthenticated"},
    {"keys in the configuration", RSA, "{" DATA ",\"aud\":[\"x\",\"app\"]," LONG "}", 200,
     USER("https://data.test")},
    {"keys in the configuration, another audience", RSA, "{" DATA ",\"aud\":\"x\"," LONG "}", 401,
     "NoAuthProvider"},
    {"other claims are copied", RSA,
     "{" OIDC ",\"aud\":\"app\"," LONG
     ",\"iat\":1,\"email\":\"a@b.c\",\"level\":3,\"roles\":[\"admin\"],\"$bad\":1}",
     200,
     "{\"email\":\"a@b.c\",\"issuer\":\"https://issuer.test\",\"level\":3.0,\"roles\":[\"admin\"],"
     "\"subject\":\"alice\",\"tokenIdentifier\":\"https://issuer.test|alice\"}"},
};

static void test_tokens(void **state) {
    (void)state;
    struct auth_world world;
    auth_world_make(&world);
    for (int round = 0; round < 2; round++) { /* the second time from what is remembered */
        for (size_t i = 0; i < LENGTH_OF(tokens); i++) {
            char *header = bearer(tokens[i].key, tokens[i].claims);
            expect_who(&world, tokens[i].what, header, tokens[i].status, tokens[i].expected);
            free(header);
        }
    }
    assert_int_equal(world.issuer.configurations, 1);
    assert_int_equal(world.issuer.sets, 2); /* for discovery and for the custom provider */
    auth_world_free(&world);
}

/* The claims of one token under the signature of another, every part of a signature, and another key's
 * signature under a published id. */
static void test_forged(void **state) {
    (void)state;
    struct auth_world world;
    auth_world_make(&world);
    char *alice = bearer(RSA, "{" OIDC ",\"aud\":\"app\"," LONG "}");
    char *mallory =
        bearer(RSA, "{\"iss\":\"https://issuer.test\",\"sub\":\"mallory\",\"aud\":\"app\"," LONG "}");
    char *mixed = memory_format("%.*s%s", (int)(strrchr(alice, '.') - alice), alice, strrchr(mallory, '.'));
    expect_who(&world, "another token's signature", mixed, 401, "Unauthenticated");
    expect_who(&world, "her own", alice, 200, USER("https://issuer.test"));
    expect_who(&world, "and still not", mixed, 401,
               "Unauthenticated"); /* nothing of hers was remembered for it */
    for (size_t i = 1; i < 340; i += 37) {
        char *end = alice + strlen(alice) - i - 1, before = *end;
        *end = before == 'A' ? 'B' : 'A';
        expect_who(&world, "another signature", alice, 401, "Unauthenticated");
        *end = before;
    }
    *(strrchr(alice, '.') + 1) = 0;
    expect_who(&world, "no signature", alice, 401, "Unauthenticated");
    json_t *jwk = json_parse(FIXTURE_ED_KEY, strlen(FIXTURE_ED_KEY), NULL);
    json_object_set_new(jwk, "d", json_string("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"));
    char *key = json_dumps(jwk, 0), *other = bearer(key, "{" OIDC ",\"aud\":\"app\"," LONG "}");
    expect_who(&world, "another key under the same id", other, 401, "Unauthenticated");
    json_decref(jwk);
    free(key);
    free(other);
    free(mixed);
    free(mallory);
    free(alice);
    auth_world_free(&world);
}

static void test_headers(void **state) {
    (void)state;
    struct auth_world world;
    auth_world_make(&world);
    struct buffer acting = {0};
    static const char user[] = "{\"issuer\":\"i\",\"subject\":\"bob\",\"name\":\"Bob\"}";
    buffer_append_text(&acting, AUTHORIZED ":");
    base64_append(&acting, user, strlen(user));
    expect_who(&world, "nobody", NULL, 200, "null");
    expect_who(&world, "no token", "Bearer x", 401, "InvalidAuthHeader");
    expect_who(&world, "three parts that are nothing", "bearer a.b.c", 401, "InvalidAuthHeader");
    expect_who(&world, "the deploy key", AUTHORIZED, 200, "null");
    expect_who(&world, "any type before the name", "convex anything:syncline-1|0123456789abcdef", 200,
               "null");
    expect_who(&world, "another key", "Convex prod:syncline-1|x", 401, "BadAdminKey");
    expect_who(&world, "another name", "Convex prod:x|0123456789abcdef", 401, "BadAdminKey");
    expect_who(&world, "another scheme", "Basic abcdef", 400, "InvalidAdminKey");
    expect_who(&world, "too short", "Convex", 400, "InvalidHeaderFailure");
    expect_who(&world, "not ASCII", "Bearer \xc3\xa9", 400, "HeaderParseFailure");
    expect_who(&world, "acting as nothing", AUTHORIZED ":!!", 400, "HeaderParseFailure");
    expect_who(&world, "acting as no object", AUTHORIZED ":W10=", 400, "HeaderParseFailure");
    expect_who(&world, "acting as a user", buffer_text(&acting), 200,
               "{\"issuer\":\"i\",\"name\":\"Bob\",\"subject\":\"bob\",\"tokenIdentifier\":\"i|bob\"}");
    buffer_free(&acting);
    auth_world_free(&world);
}

/* The message names what is configured, so that whoever reads it sees the typing error. */
static void test_no_provider_names_all(void **state) {
    (void)state;
    struct auth_world world;
    struct answer answer;
    auth_world_make(&world);
    char *header = bearer(RSA, "{\"iss\":\"https://x.test\",\"sub\":\"a\",\"aud\":\"app\"," LONG "}");
    ask_who(&world, &answer, header);
    wait_for(world.fixture, &answer);
    for (size_t i = 0; i < LENGTH_OF(auth_providers); i++) {
        assert_non_null(
            strstr(buffer_text(&answer.body), i == 0 ? "https://issuer.test" : auth_providers[i].issuer));
    }
    buffer_free(&answer.body);
    free(header);
    auth_world_free(&world);
}

/* A deployment without providers refuses every token, whatever it says. */
static void test_without_providers(void **state) {
    (void)state;
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    options.n_providers = 0;
    fixture_deploy(fixture, &options);
    const struct expectation rows[] = {
        {"a good token", "POST", "/api/query", TOKEN, "application/json",
         "{\"path\":\"pets:count\",\"args\":{}}", 401, "NoAuthProvider"},
        {"at the export", "GET", "/api/json_schemas", TOKEN, NULL, NULL, 401, "NoAuthProvider"},
        {"a token without claims", "GET", "/api/json_schemas", "Bearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA", NULL,
         NULL, 401, "NoAuthProvider"},
        {"no token", "GET", "/api/json_schemas", "Bearer x", NULL, NULL, 401, "InvalidAuthHeader"}};
    check_expectations(fixture, rows, LENGTH_OF(rows));
    fixture_free(fixture);
}

/* 5 s before and after, to the millisecond that a request takes. */
static void test_leeway(void **state) {
    (void)state;
    static const struct {
        const char *claim;
        int64_t offset; /* seconds from now */
        int status;
    } rows[] = {{"exp", 60, 200}, {"exp", -4, 200}, {"exp", -6, 401}, {"nbf", 4, 200}, {"nbf", 6, 401}};
    struct auth_world world;
    auth_world_make(&world);
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        long long now = (long long)(host_wall_clock(world.fixture->client) / TIME_SECOND);
        char *claims = memory_format("{" DATA ",\"aud\":\"app\",%s\"%s\":%lld}",
                                     strcmp(rows[i].claim, "nbf") == 0 ? LONG "," : "", rows[i].claim,
                                     now + rows[i].offset);
        char *header = bearer(RSA, claims);
        expect_who(&world, claims, header, rows[i].status,
                   rows[i].status == 200 ? USER("https://data.test") : "Unauthenticated");
        free(header);
        free(claims);
    }
    auth_world_free(&world);
}

/* A token that was verified once is looked at again when its time is over. */
static void test_remembered_tokens_expire(void **state) {
    (void)state;
    struct auth_world world;
    auth_world_make(&world);
    char *header = bearer(RSA, "{" DATA ",\"aud\":\"app\",\"exp\":1767225630}"); /* 30 s */
    expect_who(&world, "fresh", header, 200, USER("https://data.test"));
    fixture_run(world.fixture, 34 * TIME_SECOND);
    expect_who(&world, "in the leeway", header, 200, USER("https://data.test"));
    fixture_run(world.fixture, 2 * TIME_SECOND);
    expect_who(&world, "over", header, 401, "Unauthenticated");
    free(header);
    auth_world_free(&world);
}

/* The form of Convex Auth: the site issues for "convex", and the subject is "user|session". */
static void test_convex_auth_form(void **state) {
    (void)state;
    struct auth_world world;
    auth_world_make(&world);
    world.issuer.configuration = NULL;
    struct issuer site = world.issuer;
    static const struct http_server_events events = {issuer_request, issuer_closed};
    site.host = net_node(world.fixture->net, "site.test");
    site.configuration =
        "{\"issuer\":\"https://site.test\",\"jwks_uri\":\"https://site.test/keys.json?v=1\"}";
    host_http_listen(site.host, &events, &site);
    char *header =
        bearer(RSA, "{\"iss\":\"https://site.test\",\"sub\":\"u1|s2\",\"aud\":\"convex\"," LONG "}");
    expect_who(&world, "Convex Auth", header, 200,
               "{\"issuer\":\"https://site.test\",\"subject\":\"u1|s2\","
               "\"tokenIdentifier\":\"https://site.test|u1|s2\"}");
    host_http_listen(site.host, NULL, NULL);
    free(header);
    auth_world_free(&world);
}

/* A second key that may look and run queries: what PowerSync needs for replication, but not for write
 * checkpoints. */
static void test_read_only_key(void **state) {
    (void)state;
#define READER "Convex dev:syncline-1|only-looking"
#define TYPE "application/json"
    static const struct expectation rows[] = {
        {"export", "GET", "/api/json_schemas", READER, NULL, NULL, 200, ""},
        {"deltas", "GET", "/api/document_deltas?cursor=1", READER, NULL, NULL, 200, ""},
        {"snapshot", "GET", "/api/list_snapshot", READER, NULL, NULL, 200, ""},
        {"a query", "POST", "/api/query", READER, TYPE, "{\"path\":\"pets:count\",\"args\":{}}", 200, ""},
        {"a query of any kind", "POST", "/api/function", READER, TYPE,
         "{\"path\":\"pets:count\",\"args\":{}}", 200, ""},
        {"a mutation", "POST", "/api/mutation", READER, TYPE, "{\"path\":\"pets:add\",\"args\":{}}", 403,
         "OperationNotPermitted"},
        {"a write checkpoint", "POST", "/api/mutation", READER, TYPE,
         "{\"path\":\"powersync_checkpoints:createCheckpoint\",\"args\":{}}", 403, "OperationNotPermitted"},
        {"a mutation by its address", "POST", "/api/run/pets/add", READER, TYPE, "{\"args\":{}}", 403,
         "OperationNotPermitted"},
        {"dropping tables", "POST", "/api/delete_tables", READER, TYPE,
         "{\"tableNames\":[\"pets\"],\"componentId\":null}", 403, "OperationNotPermitted"},
        {"clearing tables", "PUT", "/api/streaming_import/clear_tables", READER, TYPE,
         "{\"tableNames\":[\"pets\"]}", 403, "OperationNotPermitted"},
        {"the other key still does all", "POST", "/api/mutation", AUTHORIZED, TYPE,
         "{\"path\":\"pets:add\",\"args\":{}}", 200, ""},
        {"neither key", "POST", "/api/mutation", READER "x", TYPE, "{\"path\":\"pets:add\",\"args\":{}}", 401,
         "BadAdminKey"},
    };
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    struct answer answer;
    static const struct convex_key keys[] = {{"prod:syncline-1|only-looking", CONVEX_KEY_READ_ONLY}};
    options.keys = keys;
    options.n_keys = LENGTH_OF(keys);
    fixture_deploy(fixture, &options);
    check_expectations(fixture, rows, LENGTH_OF(rows));
    assert_int_equal(fixture->commits, 1);
    send_request(fixture, &answer, "GET", "/api/check_admin_key", READER, NULL, NULL, 0);
    wait_for(fixture, &answer);
    assert_string_equal(buffer_text(&answer.body),
                        "{\"success\":true,\"allowedOps\":[\"ViewData\"],\"isReadOnly\":true}");
    buffer_free(&answer.body);
    fixture_free(fixture);
}

/* The identity reaches every kind of function, through every way to call it. */
static void test_every_context(void **state) {
    (void)state;
    static const struct {
        const char *target, *body;
    } rows[] = {
        {"/api/query", "{\"path\":\"who:query\",\"args\":{}}"},
        {"/api/mutation", "{\"path\":\"who:mutation\",\"args\":{}}"},
        {"/api/action", "{\"path\":\"who:action\",\"args\":{}}"},
        {"/api/run/who/query", "{\"args\":{}}"},
        {"/api/run/who/mutation", "{\"args\":{}}"},
        {"/api/query_batch", "{\"queries\":[{\"path\":\"who:query\",\"args\":{}}]}"},
    };
    struct auth_world world;
    auth_world_make(&world);
    char *header = bearer(RSA, "{" OIDC ",\"aud\":\"app\"," LONG "}");
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct answer answer;
        send_request(world.fixture, &answer, "POST", rows[i].target, header, "application/json", rows[i].body,
                     strlen(rows[i].body));
        wait_for(world.fixture, &answer);
        if (answer.status != 200 ||
            strstr(buffer_text(&answer.body), "\"value\":" USER("https://issuer.test")) == NULL) {
            fail_msg("%s: %d %s", rows[i].target, answer.status, buffer_text(&answer.body));
        }
        buffer_free(&answer.body);
    }
    free(header);
    auth_world_free(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_no_provider_names_all),
        cmocka_unit_test(test_without_providers),
        cmocka_unit_test(test_leeway),
        cmocka_unit_test(test_remembered_tokens_expire),
        cmocka_unit_test(test_convex_auth_form),
        cmocka_unit_test(test_every_context),
        cmocka_unit_test(test_read_only_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
