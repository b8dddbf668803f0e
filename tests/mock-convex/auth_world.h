/* A deployment with auth providers that live on the network: one by OIDC discovery, one with a key set of its
 * own, and the fixture's, whose keys need no network. The provider's servers answer what a test tells them.
 */
#ifndef TESTS_MOCK_CONVEX_AUTH_WORLD_H
#define TESTS_MOCK_CONVEX_AUTH_WORLD_H

#include "fixture.h"

struct issuer {
    struct host *host;
    int configurations, sets; /* requests seen */
    int status;               /* of every answer */
    const char *configuration, *set, *type;
    bool silent; /* never answers */
};

struct auth_world {
    struct fixture *fixture;
    struct issuer issuer;
    char *set;
};

#define READ_ONLY_KEY "prod:syncline-1|only-looking"
#define CONFIGURATION                                                                                        \
    "{\"issuer\":\"https://issuer.test/\",\"jwks_uri\":\"https://issuer.test/keys.json?v=1\"}"

static inline void issuer_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct issuer *issuer = context;
    const char *body = NULL;
    if (strcmp(request->target, "/.well-known/openid-configuration") == 0) {
        issuer->configurations++;
        body = issuer->configuration;
    } else if (strcmp(request->target, "/keys.json?v=1") == 0) {
        issuer->sets++;
        body = issuer->set;
    }
    assert_string_equal(request->method, "GET");
    if (issuer->silent) {
        return;
    }
    struct http_header header = {"Content-Type", issuer->type};
    struct http_response response = {
        .status = body != NULL ? issuer->status : 404, .headers = &header, .n_headers = 1};
    host_http_respond(issuer->host, exchange, &response);
    host_http_write(issuer->host, exchange, body != NULL ? body : "", body != NULL ? strlen(body) : 0);
    host_http_end(issuer->host, exchange);
}

static inline void issuer_closed(void *context, uint64_t exchange) {
    (void)context;
    (void)exchange;
}

static inline enum status who_am_i(struct convex_context *context, const struct convex_value *args,
                                   struct convex_value **result, struct error *error) {
    (void)args;
    (void)error;
    *result = convex_user(context) != NULL ? convex_copy(convex_user(context)) : convex_null();
    return STATUS_OK;
}

static inline enum status who_calls_who(struct convex_context *context, const struct convex_value *args,
                                        struct convex_value **result, struct error *error) {
    return convex_run_query(context, "who:query", args, result, error);
}

static const struct convex_function auth_functions[] = {
    {.path = "who:query", .kind = CONVEX_QUERY, .run = who_am_i},
    {.path = "who:mutation", .kind = CONVEX_MUTATION, .run = who_am_i},
    {.path = "who:action", .kind = CONVEX_ACTION, .run = who_calls_who},
    {.path = "pets:throw", .kind = CONVEX_MUTATION, .run = pets_throw}};

static const struct convex_auth_provider auth_providers[] = {
    {.issuer = "issuer.test/", .application = "app"}, /* by discovery */
    {.issuer = "https://site.test", .application = "convex"},
    {.issuer = "https://custom.test", .jwks = "http://issuer.test/keys.json?v=1", .algorithm = "ES256"},
    {.issuer = "https://data.test", .application = "app", .jwks = FIXTURE_JWKS, .algorithm = "RS256"}};

/* {"keys":[public parts]} of the given private keys. */
static inline char *make_set(const char *const *keys, size_t count) {
    json_t *set = json_pack("{s:[]}", "keys");
    for (size_t i = 0; i < count; i++) {
        json_t *jwk = json_parse(keys[i], strlen(keys[i]), NULL);
        json_array_append_new(json_object_get(set, "keys"), jwt_jwk_public(jwk));
        json_decref(jwk);
    }
    struct buffer text = {0};
    json_append(&text, set);
    json_decref(set);
    return buffer_take(&text);
}

static inline void auth_world_publish(struct auth_world *world, const char *const *keys, size_t count) {
    free(world->set);
    world->set = make_set(keys, count);
    world->issuer.set = world->set;
}

static inline void auth_world_make(struct auth_world *world) {
    static const struct http_server_events events = {issuer_request, issuer_closed};
    static const char *const all[] = {FIXTURE_PRIVATE_KEY, FIXTURE_EC_KEY, FIXTURE_ED_KEY};
    memset(world, 0, sizeof *world);
    world->fixture = fixture_world();
    world->issuer.host = net_node(world->fixture->net, "issuer.test");
    world->issuer.status = 200;
    world->issuer.configuration = CONFIGURATION;
    world->issuer.type = "application/json";
    auth_world_publish(world, all, LENGTH_OF(all));
    host_http_listen(world->issuer.host, &events, &world->issuer);
    struct convex_deployment_options options = fixture_options();
    static const struct convex_key keys[] = {{READ_ONLY_KEY, CONVEX_KEY_READ_ONLY}};
    options.keys = keys;
    options.n_keys = LENGTH_OF(keys);
    options.providers = auth_providers;
    options.n_providers = LENGTH_OF(auth_providers);
    options.functions = auth_functions;
    options.n_functions = LENGTH_OF(auth_functions);
    fixture_deploy(world->fixture, &options);
}

static inline void auth_world_free(struct auth_world *world) {
    host_http_listen(world->issuer.host, NULL, NULL);
    fixture_free(world->fixture);
    free(world->set);
}

/* The Authorization header of a token: claims as JSON text, times relative to now in place of "+N" (exp) are
 * the caller's. */
static inline char *bearer(const char *key, const char *claims) {
    json_t *json = json_parse(claims, strlen(claims), NULL);
    assert_non_null(json);
    char *token = token_sign(key, json), *header = memory_format("Bearer %s", token);
    json_decref(json);
    free(token);
    return header;
}

static inline void ask_who(struct auth_world *world, struct answer *answer, const char *authorization) {
    static const char body[] = "{\"path\":\"who:query\",\"args\":{},\"format\":\"json\"}";
    send_request(world->fixture, answer, "POST", "/api/query", authorization, "application/json", body,
                 strlen(body));
}

/* Asks who this header is; the answer must be `status`, and hold `code` (an error's) or `user` (as JSON;
 * "null": nobody). */
static inline void expect_who(struct auth_world *world, const char *what, const char *authorization,
                              int status, const char *expected) {
    struct answer answer;
    ask_who(world, &answer, authorization);
    wait_for(world->fixture, &answer);
    char *text = status == 200 ? memory_format("{\"status\":\"success\",\"value\":%s}", expected)
                               : memory_format("{\"code\":\"%s\",", expected);
    const char *body = buffer_text(&answer.body);
    if (answer.status != status || strncmp(body, text, strlen(text)) != 0) {
        fail_msg("%s: %d %s, expected %d %s", what, answer.status, body, status, text);
    }
    free(text);
    buffer_free(&answer.body);
}

#endif
