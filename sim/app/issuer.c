/* The app's token server: GET /token?user=U answers {"token": JWT} for anybody who asks. Who U is was proved
 * elsewhere. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
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
};

/* The value of `user` in a target "/token?user=..."; false when it is not there, is badly encoded or is no
 * name. */
static bool read_user(const char *target, struct buffer *user) {
    return percent_query_value(user, target, "user") == STATUS_OK && user->length > 0 &&
           user->length < USER_MOST && memchr(user->data, 0, user->length) == NULL;
}

static void answer(struct app_issuer *issuer, uint64_t exchange, int status, const char *body) {
    const struct http_header headers[] = {{"content-type", "application/json"}};
    const struct http_response response = {.status = status, .headers = headers, .n_headers = 1};
    host_http_respond(issuer->host, exchange, &response);
    host_http_write(issuer->host, exchange, body, strlen(body));
    host_http_end(issuer->host, exchange);
}

static char *make_token(struct app_issuer *issuer, const char *user) {
    int64_t now = host_wall_clock(issuer->host);
    json_t *claims = json_object();
    json_object_set_new(claims, "sub", json_string(user));
    json_object_set_new(claims, "aud", json_string(issuer->audience));
    json_object_set_new(claims, "iat", json_integer(now / TIME_SECOND));
    json_object_set_new(claims, "exp", json_integer((now + issuer->lifetime) / TIME_SECOND));
    char *token = jwt_sign_hs256(issuer->key_id, claims, issuer->secret, strlen(issuer->secret));
    json_decref(claims);
    return token;
}

static void on_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct app_issuer *issuer = context;
    struct buffer user = {0};
    if (strncmp(request->target, "/token", 6) != 0 || (request->target[6] && request->target[6] != '?')) {
        answer(issuer, exchange, 404, "{\"error\":\"not found\"}");
    } else if (strcmp(request->method, "GET") != 0) {
        answer(issuer, exchange, 405, "{\"error\":\"only GET\"}");
    } else if (!read_user(request->target, &user)) {
        answer(issuer, exchange, 400, "{\"error\":\"who? say /token?user=...\"}");
    } else {
        char *token = make_token(issuer, buffer_text(&user));
        char *body = memory_format("{\"token\":\"%s\"}", token); /* base64url and dots need no escaping */
        answer(issuer, exchange, 200, body);
        free(body);
        free(token);
    }
    buffer_free(&user);
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
    host_http_listen(host, &events, issuer);
    return issuer;
}

void app_issuer_destroy(struct app_issuer *issuer) {
    if (!issuer)
        return;
    host_http_listen(issuer->host, NULL, NULL);
    free(issuer->key_id);
    free(issuer->secret);
    free(issuer->audience);
    free(issuer);
}
