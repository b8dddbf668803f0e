#include "mock-powersync/http/auth.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/jwt.h"

#define CLOCK_TOLERANCE 60 /* seconds */
#define MAX_LIFETIME 86400 /* seconds */

/* "Token x" or "Bearer x": one space, case matters. */
static const char *token_of(const char *header) {
    if (!header)
        return NULL;
    const char *token = strncmp(header, "Token ", 6) == 0    ? header + 6
                        : strncmp(header, "Bearer ", 7) == 0 ? header + 7
                                                             : NULL;
    if (!token || !*token || strpbrk(token, " \t"))
        return NULL;
    return token;
}

static bool check_signature(const struct auth_settings *settings, const struct jwt *jwt, const char *token,
                            struct http_error *error) {
    const char *algorithm = json_text(jwt->header, "alg");
    const char *kid = json_text(jwt->header, "kid");
    if (!algorithm || strcmp(algorithm, "HS256") != 0)
        return http_error_authorization(error, "PSYNC_S2101", "Unexpected token algorithm");
    /* A key with an id verifies only tokens that name it. */
    const char *id = settings->key ? jwt_key_id(settings->key) : NULL;
    if (!settings->key || (id && (!kid || strcmp(kid, id) != 0)))
        return http_error_authorization(error, "PSYNC_S2101",
                                        "Could not find an appropriate key for the token");
    if (!jwt_verify(jwt, token, settings->key, JWT_HS256))
        return http_error_authorization(error, "PSYNC_S2101", "Signature verification failed");
    return true;
}

/* Claims are numbers of seconds; fractions are cut. The bound keeps them countable in ns. */
static bool read_seconds(const json_t *claims, const char *name, int64_t *seconds) {
    const json_t *value = json_object_get(claims, name);
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number > -9e9 && number < 9e9))
        return false;
    *seconds = (int64_t)number;
    return true;
}

static bool check_times(const json_t *claims, int64_t now, int64_t expires, struct http_error *error) {
    if (expires <= now - CLOCK_TOLERANCE)
        return http_error_authorization(error, "PSYNC_S2103", "Token has expired");
    int64_t not_before;
    if (json_object_get(claims, "nbf") &&
        (!read_seconds(claims, "nbf", &not_before) || not_before > now + CLOCK_TOLERANCE))
        return http_error_authorization(error, "PSYNC_S2101", "Token is not valid yet");
    return true;
}

static bool has_audience(const json_t *claim, const char *audience) {
    if (!audience)
        return false;
    if (json_is_string(claim))
        return strcmp(json_string_value(claim), audience) == 0;
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)(uintptr_t)claim, i, item) {
        if (json_is_string(item) && strcmp(json_string_value(item), audience) == 0)
            return true;
    }
    return false;
}

static bool check_claims(const struct auth_settings *settings, const json_t *claims, int64_t now,
                         struct auth_user *user, struct http_error *error) {
    int64_t issued;
    if (!json_object_get(claims, "sub") || !read_seconds(claims, "iat", &issued) ||
        !read_seconds(claims, "exp", &user->expires))
        return http_error_authorization(error, "PSYNC_S2101", "Token needs sub, iat and exp");
    if (!check_times(claims, now, user->expires, error))
        return false;
    if (!has_audience(json_object_get(claims, "aud"), settings->audience))
        return http_error_authorization(error, "PSYNC_S2105", "Token is for another audience");
    if (user->expires - issued > MAX_LIFETIME)
        return http_error_authorization(error, "PSYNC_S2104", "Token is valid for longer than 86400 seconds");
    const json_t *parameters = json_object_get(claims, "parameters");
    if (parameters && !json_is_object(parameters))
        return http_error_authorization(error, "PSYNC_S2101", "Claim parameters must be an object");
    const json_t *subject = json_object_get(claims, "sub");
    if (json_is_array(subject) || json_is_object(subject))
        return http_error_authorization(error, "PSYNC_S2101", "Claim sub must be a plain value");
    return true;
}

static void read_user(struct auth_user *user, json_t *claims) {
    struct arena none = {0};
    user->claims = json_incref(claims);
    user->id = sql_value_from_json(json_object_get(claims, "sub"), &none); /* plain values need no memory */
    assert(!none.blocks);
    struct buffer text = {0};
    if (user->id.kind == SQL_NULL)
        buffer_append_text(&text, "null");
    else
        sql_value_append_text(&text, &user->id);
    user->id_text = buffer_take(&text);
    assert(user->id_text);
}

bool auth_check(const struct auth_settings *settings, const char *header, int64_t now, struct auth_user *user,
                struct http_error *error) {
    assert(settings && user && error);
    *user = (struct auth_user){0};
    const char *token = token_of(header);
    if (!token)
        return http_error_authorization(error, "PSYNC_S2106", "Authentication required");
    struct jwt jwt;
    if (jwt_parse(&jwt, token, NULL))
        return http_error_authorization(error, "PSYNC_S2101", "Token is not a JSON Web Token");
    bool accepted =
        check_signature(settings, &jwt, token, error) && check_claims(settings, jwt.claims, now, user, error);
    if (accepted)
        read_user(user, jwt.claims);
    jwt_free(&jwt);
    return accepted;
}

void auth_user_free(struct auth_user *user) {
    json_decref(user->claims);
    free(user->id_text);
    *user = (struct auth_user){0};
}
