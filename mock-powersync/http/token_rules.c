#include "mock-powersync/http/token_rules.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define CLOCK_TOLERANCE 60 /* seconds */
#define MAX_LIFETIME 86400 /* seconds */
#define MAX_LIFETIME_SUPABASE (7 * 86400 + 1200)

static bool refuse(struct http_error *error, const char *description) {
    return http_error_authorization(error, "PSYNC_S2101", description);
}

const char *token_of_header(const char *header) {
    if (!header)
        return NULL;
    const char *token = strncmp(header, "Token ", 6) == 0    ? header + 6
                        : strncmp(header, "Bearer ", 7) == 0 ? header + 7
                                                             : NULL;
    if (!token || !*token || strpbrk(token, " \t\r\n\v\f"))
        return NULL;
    return token;
}

bool token_check_algorithm(const struct jwt *jwt, struct http_error *error) {
    if (jwt_algorithm_parse(json_text(jwt->header, "alg")) != JWT_UNKNOWN)
        return true;
    return refuse(error, "Unexpected token algorithm");
}

static bool check_named_key(const struct jwt *jwt, const char *token, const struct jwt_key *key,
                            enum jwt_algorithm algorithm, struct http_error *error) {
    if (!jwt_key_allows(key, algorithm)) {
        refuse(error, "Unexpected token algorithm");
        snprintf(error->details, sizeof error->details, "Key kid: %.200s, algorithm: %s", jwt_key_id(key),
                 jwt_algorithm_name(jwt_key_algorithm(key)));
        return false;
    }
    return jwt_verify(jwt, token, key, algorithm) || refuse(error, "Signature verification failed");
}

bool token_find_key(const struct jwt *jwt, const char *token, const struct key_set *const *sets,
                    size_t n_sets, const struct auth_key **key, struct http_error *error) {
    enum jwt_algorithm algorithm = jwt_algorithm_parse(json_text(jwt->header, "alg"));
    const char *kid = json_text(jwt->header, "kid");
    for (size_t i = 0; kid && *kid && i < n_sets; i++)
        for (size_t j = 0; j < sets[i]->count; j++) {
            *key = &sets[i]->keys[j];
            const char *id = jwt_key_id((*key)->key);
            if (id && strcmp(id, kid) == 0)
                return check_named_key(jwt, token, (*key)->key, algorithm, error);
        }
    for (size_t i = 0; i < n_sets; i++)
        for (size_t j = 0; j < sets[i]->count; j++) {
            *key = &sets[i]->keys[j];
            if (!jwt_key_id((*key)->key) && jwt_verify(jwt, token, (*key)->key, algorithm))
                return true;
        }
    return false;
}

/* --- claims --- */

/* Claims are numbers of seconds; fractions are cut. The bound keeps them countable in ns. */
static bool read_seconds(const json_t *claims, const char *name, int64_t *seconds) {
    const json_t *value = json_object_get(claims, name);
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number > -9e9 && number < 9e9))
        return false;
    *seconds = (int64_t)number;
    return true;
}

static bool check_present(const json_t *claims, struct http_error *error) {
    static const char *const names[] = {"sub", "iat", "exp"};
    for (size_t i = 0; i < 3; i++)
        if (!json_object_get(claims, names[i])) {
            refuse(error, "A claim that every token needs is missing");
            snprintf(error->details, sizeof error->details, "missing: %s", names[i]);
            return false;
        }
    return true;
}

/* A token that is not valid yet is told so even if it has expired, too. */
static bool check_times(const json_t *claims, int64_t now, int64_t *issued, int64_t *expires,
                        struct http_error *error) {
    int64_t not_before;
    if (!read_seconds(claims, "iat", issued))
        return refuse(error, "Claim iat must be a number");
    if (json_object_get(claims, "nbf")) {
        if (!read_seconds(claims, "nbf", &not_before))
            return refuse(error, "Claim nbf must be a number");
        if (not_before > now + CLOCK_TOLERANCE)
            return refuse(error, "Token is not valid yet");
    }
    if (!read_seconds(claims, "exp", expires))
        return refuse(error, "Claim exp must be a number");
    if (*expires > now - CLOCK_TOLERANCE)
        return true;
    http_error_authorization(error, "PSYNC_S2103", "JWT has expired");
    snprintf(error->details, sizeof error->details, "exp: %" PRId64, *expires);
    return false;
}

static bool is_allowed(const char *name, const struct token_audiences *audiences) {
    for (size_t i = 0; name && i < audiences->count; i++)
        if (strcmp(name, audiences->names[i]) == 0)
            return true;
    return false;
}

static bool check_audience(const json_t *claim, const struct token_audiences *audiences,
                           struct http_error *error) {
    if (!claim || json_is_null(claim))
        return http_error_authorization(error, "PSYNC_S2105", "The token has no claim \"aud\"");
    bool allowed = is_allowed(json_string_value(claim), audiences);
    for (size_t i = 0; i < json_array_size(claim) && !allowed; i++)
        allowed = is_allowed(json_string_value(json_array_get(claim, i)), audiences);
    return allowed || http_error_authorization(error, "PSYNC_S2105", "Unexpected \"aud\" claim value");
}

static bool check_lifetime(int64_t lifetime, const struct auth_key *key, struct http_error *error) {
    int64_t most = key->supabase ? MAX_LIFETIME_SUPABASE : MAX_LIFETIME;
    if (lifetime <= most)
        return true;
    http_error_authorization(error, "PSYNC_S2104", "The token is valid for too long");
    snprintf(error->details, sizeof error->details,
             "Token must expire in a maximum of %" PRId64 " seconds, got %" PRId64 "s", most, lifetime);
    return false;
}

bool token_check_claims(const json_t *claims, const struct auth_key *key,
                        const struct token_audiences *audiences, int64_t now, struct http_error *error) {
    static const char *const supabase[] = {"authenticated"};
    static const struct token_audiences supabase_audiences = {supabase, 1};
    int64_t issued = 0, expires = 0;
    if (!check_present(claims, error) || !check_times(claims, now, &issued, &expires, error) ||
        !check_audience(json_object_get(claims, "aud"), key->supabase ? &supabase_audiences : audiences,
                        error) ||
        !check_lifetime(expires - issued, key, error))
        return false;
    const json_t *parameters = json_object_get(claims, "parameters");
    if (parameters && !json_is_null(parameters) && !json_is_object(parameters))
        return refuse(error, "Payload parameters must be an object");
    const json_t *subject = json_object_get(claims, "sub");
    if (json_is_array(subject) || json_is_object(subject))
        return refuse(error, "Claim sub must be a plain value");
    return true;
}

void token_read_user(json_t *claims, struct auth_user *user) {
    struct arena none = {0};
    bool read = read_seconds(claims, "exp", &user->expires);
    assert(read);
    (void)read;
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

void auth_user_free(struct auth_user *user) {
    json_decref(user->claims);
    free(user->id_text);
    *user = (struct auth_user){0};
}
