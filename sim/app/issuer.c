#include "app/issuer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "app/issuer_keys.h"
#include "base/json.h"
#include "base/jwt.h"
#include "base/memory.h"
#include "base/percent.h"

enum { USER_MOST = 128 };

struct app_issuer {
    struct host *host;
    char *key_id;
    char *secret;
    char *audience;
    int64_t lifetime; /* ns */
    char *url;
    struct jwt_key *keys[APP_ISSUER_KEYS]; /* read when they are first needed */
    int64_t gone_at[APP_ISSUER_KEYS];      /* virtual ns until which a key is published; 0: never was */
    size_t current;                        /* the key that signs; published for ever */
    enum app_issuer_keys published;
    bool mistaken;   /* about its audience */
    bool pairs;      /* tokens for PowerSync are signed with key pairs too */
    int64_t spoiled; /* tokens for devices, per million */
};

/* The value of a parameter in a target "/token?user=..."; false when it is not there, is badly encoded or is
 * no name. */
static bool read_name(const char *target, const char *parameter, struct buffer *name) {
    return percent_query_value(name, target, parameter) == STATUS_OK && name->length > 0 &&
           name->length < USER_MOST && memchr(name->data, 0, name->length) == NULL;
}

static void answer(struct app_issuer *issuer, uint64_t exchange, int status, const char *body) {
    const struct http_header headers[] = {{"content-type", "application/json"}};
    const struct http_response response = {.status = status, .headers = headers, .n_headers = 1};
    host_http_respond(issuer->host, exchange, &response);
    host_http_write(issuer->host, exchange, body, strlen(body));
    host_http_end(issuer->host, exchange);
}

/* --- keys --- */

static json_t *jwk_of(size_t index) {
    json_t *jwk = json_parse(app_issuer_keys[index], strlen(app_issuer_keys[index]), NULL);
    assert(jwk);
    return jwk;
}

static const struct jwt_key *key_of(struct app_issuer *issuer, size_t index) {
    if (!issuer->keys[index]) {
        json_t *jwk = jwk_of(index);
        enum status status = jwt_key_from_jwk(jwk, &issuer->keys[index], NULL);
        assert(status == STATUS_OK);
        (void)status;
        json_decref(jwk);
    }
    return issuer->keys[index];
}

/* Key `index` as it is published; a wrong one is the next of the same kind under its id. */
static json_t *published_key(const struct app_issuer *issuer, size_t index) {
    json_t *jwk = jwk_of(index), *public = jwt_jwk_public(jwk);
    if (issuer->published == APP_ISSUER_WRONG_KEYS) {
        json_t *other = jwk_of((index + 1) % APP_ISSUER_KEYS), *wrong = jwt_jwk_public(other);
        json_object_set(wrong, "kid", json_object_get(public, "kid"));
        json_decref(public);
        json_decref(other);
        public = wrong;
    }
    json_decref(jwk);
    return public;
}

static void answer_keys(struct app_issuer *issuer, uint64_t exchange) {
    json_t *list = json_array(), *set = json_object();
    int64_t now = host_now(issuer->host);
    struct buffer body = {0};
    for (size_t i = 0; i < APP_ISSUER_KEYS && issuer->published != APP_ISSUER_NO_KEYS; i++)
        if (i == issuer->current || issuer->gone_at[i] > now)
            json_array_append_new(list, published_key(issuer, i));
    json_object_set_new(set, "keys", list);
    json_append(&body, set);
    answer(issuer, exchange, 200, buffer_text(&body));
    buffer_free(&body);
    json_decref(set);
}

static void answer_configuration(struct app_issuer *issuer, uint64_t exchange) {
    struct buffer body = {0};
    buffer_append_text(&body, "{\"issuer\":");
    buffer_append_json_text(&body, issuer->url);
    char *jwks = memory_format("%s/.well-known/jwks.json", issuer->url);
    buffer_append_text(&body, ",\"jwks_uri\":");
    buffer_append_json_text(&body, jwks);
    buffer_append_text(
        &body, ",\"id_token_signing_alg_values_supported\":[\"RS256\",\"EdDSA\"],"
               "\"response_types_supported\":[\"id_token\"],\"subject_types_supported\":[\"public\"]}");
    answer(issuer, exchange, 200, buffer_text(&body));
    free(jwks);
    buffer_free(&body);
}

/* --- tokens --- */

/* What is wrong with a token. */
enum spoiled {
    SPOILED_NOT,
    SPOILED_OLD,
    SPOILED_EARLY,
    SPOILED_KEY,
    SPOILED_KEY_ID,
    SPOILED_SLOW,
    SPOILED_FAST
};

static enum spoiled draw_spoiled(struct app_issuer *issuer) {
    if (issuer->spoiled == 0)
        return SPOILED_NOT;
    const bool hit = (int64_t)(host_random(issuer->host, "issuer.spoils") % 1000000) < issuer->spoiled;
    const enum spoiled how =
        1 + (enum spoiled)(host_random(issuer->host, "issuer.spoils-how") % SPOILED_FAST);
    return hit ? how : SPOILED_NOT;
}

/* The clock by which the token is stamped. */
static int64_t stamp(const struct app_issuer *issuer, enum spoiled how) {
    static const int64_t skew = 55 * TIME_SECOND, far = 5 * TIME_MINUTE;
    const int64_t now = host_wall_clock(issuer->host);
    switch (how) {
    case SPOILED_OLD:
        return now - issuer->lifetime - far;
    case SPOILED_EARLY:
        return now + far;
    case SPOILED_SLOW:
        return now - skew;
    case SPOILED_FAST:
        return now + skew;
    default:
        return now;
    }
}

static char *sign(struct app_issuer *issuer, const json_t *claims, bool shared, enum spoiled how) {
    static const char other[] = "a secret of somebody else's";
    if (how == SPOILED_KEY)
        return jwt_sign_hs256(issuer->key_id, claims, other, strlen(other));
    if (how == SPOILED_KEY_ID)
        return jwt_sign_hs256("unknown", claims, issuer->secret, strlen(issuer->secret));
    return shared ? jwt_sign_hs256(issuer->key_id, claims, issuer->secret, strlen(issuer->secret))
                  : jwt_sign(key_of(issuer, issuer->current), claims);
}

static char *make_token(struct app_issuer *issuer, const char *user, const char *audience) {
    const bool ours = strcmp(audience, issuer->audience) == 0, shared = ours && !issuer->pairs;
    const enum spoiled how = shared ? draw_spoiled(issuer) : SPOILED_NOT;
    const int64_t now = stamp(issuer, how);
    json_t *claims = json_object();
    json_object_set_new(claims, "sub", json_string(user));
    json_object_set_new(claims, "aud",
                        issuer->mistaken && ours ? json_sprintf("%s/", audience) : json_string(audience));
    json_object_set_new(claims, "iat", json_integer(now / TIME_SECOND));
    json_object_set_new(claims, "exp", json_integer((now + issuer->lifetime) / TIME_SECOND));
    if (!shared)
        json_object_set_new(claims, "iss", json_string(issuer->url));
    if (how == SPOILED_EARLY || how == SPOILED_FAST)
        json_object_set_new(claims, "nbf", json_integer(now / TIME_SECOND));
    char *token = sign(issuer, claims, shared, how);
    json_decref(claims);
    return token;
}

static void answer_token(struct app_issuer *issuer, uint64_t exchange, const char *target) {
    struct buffer user = {0}, audience = {0};
    bool asks = percent_query_value(&audience, target, "audience") != STATUS_NOT_FOUND;
    buffer_clear(&audience);
    if (!read_name(target, "user", &user)) {
        answer(issuer, exchange, 400, "{\"error\":\"who? say /token?user=...\"}");
    } else if (asks && !read_name(target, "audience", &audience)) {
        answer(issuer, exchange, 400, "{\"error\":\"for whom? say &audience=...\"}");
    } else {
        char *token =
            make_token(issuer, buffer_text(&user), asks ? buffer_text(&audience) : issuer->audience);
        char *body = memory_format("{\"token\":\"%s\"}", token); /* base64url and dots need no escaping */
        answer(issuer, exchange, 200, body);
        free(body);
        free(token);
    }
    buffer_free(&user);
    buffer_free(&audience);
}

/* --- life --- */

static const struct {
    const char *path;
    void (*answer)(struct app_issuer *issuer, uint64_t exchange);
} documents[] = {{"/.well-known/openid-configuration", answer_configuration},
                 {"/.well-known/jwks.json", answer_keys}};

/* Signed with the secret, or with a key that is published now. */
static bool is_own(struct app_issuer *issuer, const struct jwt *jwt, const char *token) {
    const char *kid = json_text(jwt->header, "kid"), *algorithm = json_text(jwt->header, "alg");
    if (!issuer->pairs)
        return algorithm && !strcmp(algorithm, "HS256") &&
               jwt_verify_hs256(jwt, token, issuer->secret, strlen(issuer->secret));
    for (size_t i = 0; i < APP_ISSUER_KEYS; i++)
        if ((i == issuer->current || issuer->gone_at[i] > host_now(issuer->host)) && kid &&
            !strcmp(kid, jwt_key_id(key_of(issuer, i))))
            return jwt_verify(jwt, token, key_of(issuer, i), jwt_algorithm_parse(algorithm));
    return false;
}

char *app_issuer_verify(struct app_issuer *issuer, const char *token, int64_t now) {
    struct jwt jwt;
    char *user = NULL;
    if (jwt_parse(&jwt, token, NULL) != STATUS_OK)
        return NULL;
    const char *audience = json_text(jwt.claims, "aud");
    const json_t *expiry = json_object_get(jwt.claims, "exp");
    if (audience && !strcmp(audience, issuer->audience) && json_is_integer(expiry) &&
        json_integer_value(expiry) > now / TIME_SECOND && is_own(issuer, &jwt, token))
        user = memory_copy_text(json_text(jwt.claims, "sub"));
    jwt_free(&jwt);
    return user;
}

static void on_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct app_issuer *issuer = context;
    size_t length = strcspn(request->target, "?"), i = 0;
    while (i < 2 &&
           (strlen(documents[i].path) != length || strncmp(request->target, documents[i].path, length) != 0))
        i++;
    if (i == 2 && (length != 6 || strncmp(request->target, "/token", 6) != 0))
        answer(issuer, exchange, 404, "{\"error\":\"not found\"}");
    else if (strcmp(request->method, "GET") != 0)
        answer(issuer, exchange, 405, "{\"error\":\"only GET\"}");
    else if (i < 2)
        documents[i].answer(issuer, exchange);
    else
        answer_token(issuer, exchange, request->target);
}

static void on_closed(void *context, uint64_t exchange) {
    (void)context;
    (void)exchange; /* every answer is written at once: nothing is kept for an exchange */
}

struct app_issuer *app_issuer_create(struct host *host, const char *key_id, const char *secret,
                                     const char *audience, int64_t lifetime) {
    assert(lifetime > 0);
    static const struct http_server_events events = {on_request, on_closed};
    struct app_issuer *issuer = memory_allocate(sizeof *issuer);
    issuer->host = host;
    issuer->key_id = memory_copy_text(key_id);
    issuer->secret = memory_copy_text(secret);
    issuer->audience = memory_copy_text(audience);
    issuer->lifetime = lifetime;
    issuer->url = memory_format("https://%s", host->name);
    host_http_listen(host, &events, issuer);
    return issuer;
}

void app_issuer_destroy(struct app_issuer *issuer) {
    if (!issuer)
        return;
    host_http_listen(issuer->host, NULL, NULL);
    for (size_t i = 0; i < APP_ISSUER_KEYS; i++)
        jwt_key_free(issuer->keys[i]);
    free(issuer->url);
    free(issuer->key_id);
    free(issuer->secret);
    free(issuer->audience);
    free(issuer);
}

void app_issuer_set_url(struct app_issuer *issuer, const char *url) {
    free(issuer->url);
    issuer->url = memory_copy_text(url);
}

const char *app_issuer_url(const struct app_issuer *issuer) {
    return issuer->url;
}

void app_issuer_rotate(struct app_issuer *issuer, int64_t grace) {
    assert(grace >= 0);
    issuer->gone_at[issuer->current] = host_now(issuer->host) + grace;
    issuer->current = (issuer->current + 1) % APP_ISSUER_KEYS;
}

void app_issuer_publish(struct app_issuer *issuer, enum app_issuer_keys keys) {
    issuer->published = keys;
}

void app_issuer_mistake_audience(struct app_issuer *issuer, bool mistaken) {
    issuer->mistaken = mistaken;
}

void app_issuer_spoil(struct app_issuer *issuer, int64_t per_million) {
    assert(per_million >= 0 && per_million <= 1000000);
    issuer->spoiled = per_million;
}

char *app_issuer_listed_keys(size_t count) {
    assert(count <= APP_ISSUER_KEYS);
    json_t *list = json_array(), *set = json_object();
    struct buffer text = {0};
    for (size_t i = 0; i < count; i++) {
        json_t *jwk = jwk_of(i);
        json_array_append_new(list, jwt_jwk_public(jwk));
        json_decref(jwk);
    }
    json_object_set_new(set, "keys", list);
    json_append(&text, set);
    json_decref(set);
    return buffer_take(&text);
}

void app_issuer_use_pairs(struct app_issuer *issuer) {
    issuer->pairs = true;
}
