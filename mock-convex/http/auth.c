#include "mock-convex/http/auth.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "mock-convex/http/identity.h"

#define VERIFIED_MOST 1000 /* tokens that are remembered as verified */

struct provider {
    char *issuer;      /* without the slash at its end */
    char *application; /* NULL: any */
    bool custom;
    enum jwt_algorithm algorithm; /* custom */
    struct auth_keys *keys;
};

/* A token whose signature and claims were found good. Its times are looked at again each time. */
struct verified {
    const struct provider *provider;
    uint64_t generation; /* of the provider's keys */
    struct convex_value *user;
    int64_t begins, expires; /* seconds */
};

struct convex_auth {
    struct host *host;
    char *deploy_key;
    struct convex_key *keys; /* with copies of their texts */
    size_t n_keys;
    struct provider *providers;
    size_t n_providers;
    struct map verified;         /* token text -> struct verified */
    struct convex_value *acting; /* described in the last header */
};

/* --- life --- */

/* "issuer.example/" -> "https://issuer.example" */
static char *canonical_issuer(const char *text) {
    char *issuer = memory_format("%s%s", strstr(text, "://") != NULL ? "" : "https://", text);
    size_t length = strlen(issuer);
    while (length > 0 && issuer[length - 1] == '/') {
        issuer[--length] = 0;
    }
    return issuer;
}

static void add_provider(struct convex_auth *auth, const struct convex_auth_provider *given) {
    struct provider *provider = &auth->providers[auth->n_providers++];
    assert(given->issuer != NULL && (given->application != NULL || given->jwks != NULL));
    provider->issuer = canonical_issuer(given->issuer);
    provider->application = memory_copy_text(given->application);
    provider->custom = given->jwks != NULL;
    provider->algorithm = jwt_algorithm_parse(given->algorithm);
    assert(!provider->custom || provider->algorithm == JWT_RS256 || provider->algorithm == JWT_ES256);
    provider->keys = auth_keys_make(auth->host, provider->custom ? NULL : provider->issuer, given->jwks);
}

struct convex_auth *convex_auth_make(struct host *host, const struct convex_deployment_options *options) {
    struct convex_auth *auth = memory_allocate(sizeof *auth);
    auth->host = host;
    auth->deploy_key = memory_copy_text(options->deploy_key);
    auth->n_keys = options->n_keys;
    auth->keys = memory_allocate_array(options->n_keys, sizeof *auth->keys);
    for (size_t i = 0; i < options->n_keys; i++) {
        auth->keys[i] = (struct convex_key){memory_copy_text(options->keys[i].key), options->keys[i].kind};
    }
    auth->providers = memory_allocate_array(options->n_providers, sizeof *auth->providers);
    for (size_t i = 0; i < options->n_providers; i++) {
        add_provider(auth, &options->providers[i]);
    }
    return auth;
}

static void free_verified(void *value) {
    struct verified *verified = value;
    convex_free(verified->user);
    free(verified);
}

void convex_auth_free(struct convex_auth *auth) {
    for (size_t i = 0; i < auth->n_providers; i++) {
        auth_keys_free(auth->providers[i].keys);
        free(auth->providers[i].issuer);
        free(auth->providers[i].application);
    }
    map_free(&auth->verified, free_verified);
    convex_free(auth->acting);
    free(auth->providers);
    free(auth->deploy_key);
    for (size_t i = 0; i < auth->n_keys; i++) {
        free((char *)(uintptr_t)auth->keys[i].key);
    }
    free(auth->keys);
    free(auth);
}

/* --- deploy keys --- */

/* "prod:name|secret" -> "name|secret". The word before the name only says what kind of key it is; any word
 * will do. */
static const char *without_type(const char *key) {
    const char *bar = strchr(key, '|');
    const char *start = key;
    for (const char *at = key; bar != NULL && at < bar && *at != ' '; at++) {
        if (*at == ':') {
            start = at + 1;
        }
    }
    return start;
}

/* The part after "key:" is base64 of a JSON object that describes the user. */
static bool take_description(struct convex_auth *auth, const char *text) {
    struct buffer bytes = {0};
    json_t *json = NULL;
    if (base64_decode(&bytes, text, strlen(text), NULL) == STATUS_OK) {
        json = json_parse(buffer_text(&bytes), bytes.length, NULL);
    }
    bool good = json_is_object(json);
    if (good) {
        convex_free(auth->acting);
        auth->acting = convex_identity_of_description(json);
    }
    json_decref(json);
    buffer_free(&bytes);
    return good;
}

/* What stands behind the key in what was given: "" or ":description"; NULL: it is another key. */
static const char *behind_key(const char *given, const char *key) {
    const char *expected = key != NULL ? without_type(key) : NULL;
    size_t length = expected != NULL ? strlen(expected) : 0;
    bool same = expected != NULL && strncmp(given, expected, length) == 0 &&
                (given[length] == 0 || given[length] == ':');
    return same ? given + length : NULL;
}

static bool identify_key(struct convex_auth *auth, const char *key, struct convex_caller *caller,
                         struct convex_reply *reply) {
    const char *rest = behind_key(without_type(key), auth->deploy_key);
    for (size_t i = 0; rest == NULL && i < auth->n_keys; i++) {
        rest = behind_key(without_type(key), auth->keys[i].key);
        caller->read_only = rest != NULL && auth->keys[i].kind == CONVEX_KEY_READ_ONLY;
        caller->no_view = rest != NULL && auth->keys[i].kind == CONVEX_KEY_NO_VIEW;
    }
    if (rest == NULL) {
        return convex_reply_error(reply, 401, "BadAdminKey",
                                  "The deploy key is not valid for this deployment.");
    }
    caller->identity = CONVEX_ADMIN;
    if (*rest == 0) {
        return true;
    }
    if (!take_description(auth, rest + 1)) {
        return convex_reply_error(reply, 400, "HeaderParseFailure",
                                  "The Authorization header does not describe a user to act as.");
    }
    caller->identity = CONVEX_ACTING;
    caller->user = auth->acting;
    return true;
}

bool convex_auth_may_write(const struct convex_caller *caller, struct convex_reply *reply) {
    return !caller->read_only || convex_reply_error(reply, 403, "OperationNotPermitted",
                                                    "This deploy key may look and run queries, no more.");
}

bool convex_auth_is_admin(const struct convex_caller *caller, struct convex_reply *reply) {
    return caller->identity == CONVEX_ADMIN || caller->identity == CONVEX_ACTING ||
           convex_reply_error(reply, 403, "BadDeployKey",
                              "This endpoint needs the deploy key of the deployment.");
}

bool convex_auth_may_view(const struct convex_caller *caller, struct convex_reply *reply) {
    return convex_auth_is_admin(caller, reply) &&
           (!caller->no_view ||
            convex_reply_error(reply, 403, "OperationNotPermitted",
                               "The role of this deploy key is without deployment:data:view."));
}

/* --- tokens --- */

static bool audience_holds(const json_t *audience, const char *application) {
    for (size_t i = 0; i < json_array_size(audience); i++) {
        const char *item = json_string_value(json_array_get(audience, i));
        if (item != NULL && strcmp(item, application) == 0) {
            return true;
        }
    }
    const char *text = json_string_value(audience);
    return text != NULL && strcmp(text, application) == 0;
}

/* By issuer and audience; NULL: none. */
static const struct provider *choose_provider(const struct convex_auth *auth, const json_t *claims) {
    const char *issuer = json_text(claims, "iss");
    size_t length = issuer != NULL ? strlen(issuer) : 0;
    while (length > 0 && issuer[length - 1] == '/') {
        length--;
    }
    for (size_t i = 0; issuer != NULL && i < auth->n_providers; i++) {
        const struct provider *provider = &auth->providers[i];
        if (strlen(provider->issuer) == length && strncmp(provider->issuer, issuer, length) == 0 &&
            (provider->application == NULL ||
             audience_holds(json_object_get(claims, "aud"), provider->application))) {
            return provider;
        }
    }
    return NULL;
}

static bool refuse_provider(const struct convex_auth *auth, struct convex_reply *reply) {
    struct buffer list = {0};
    for (size_t i = 0; i < auth->n_providers; i++) {
        const char *application = auth->providers[i].application;
        buffer_printf(&list, "%s%s (%s)", i > 0 ? ", " : "", auth->providers[i].issuer,
                      application != NULL ? application : "any audience");
    }
    convex_reply_error(reply, 401, "NoAuthProvider",
                       "No auth provider of this deployment has issued the token. Configured: %s.",
                       list.length > 0 ? buffer_text(&list) : "none");
    buffer_free(&list);
    return false;
}

/* Seconds of a numeric date, cut; false: the claim is there and is none. */
static bool read_seconds(const json_t *claims, const char *name, int64_t *seconds) {
    const json_t *value = json_object_get(claims, name);
    double number = json_number_value(value);
    if (value == NULL) {
        return true;
    }
    if (!json_is_number(value) || !(number > -9e9 && number < 9e9)) {
        return false;
    }
    *seconds = (int64_t)number;
    return true;
}

/* What is wrong with the token apart from its times; NULL: nothing. */
static const char *find_fault(const struct provider *provider, const struct jwt *jwt, const char *token,
                              struct verified *verified) {
    enum jwt_algorithm algorithm = jwt_algorithm_parse(json_text(jwt->header, "alg"));
    bool allowed = provider->custom ? algorithm == provider->algorithm
                                    : algorithm == JWT_RS256 || algorithm == JWT_EDDSA;
    if (!allowed) {
        return "it is signed with an algorithm that its provider may not use";
    }
    if (provider->custom && json_text(jwt->header, "kid") == NULL) {
        return "it does not name its key";
    }
    if (!auth_keys_verify(provider->keys, jwt, token, algorithm)) {
        return "its signature is not that of one of the provider's keys";
    }
    if (json_text(jwt->claims, "sub") == NULL) {
        return "it has no subject";
    }
    verified->begins = INT64_MIN;
    verified->expires = INT64_MIN;
    if (!read_seconds(jwt->claims, "exp", &verified->expires) || verified->expires == INT64_MIN ||
        !read_seconds(jwt->claims, "nbf", &verified->begins)) {
        return "its times are missing or are none";
    }
    if (!provider->custom && json_array_size(json_object_get(jwt->claims, "aud")) > 1) {
        return "it is meant for others, too";
    }
    return NULL;
}

/* Bounded by forgetting everything: it costs a verification each. */
static const struct verified *remember(struct convex_auth *auth, const char *token,
                                       const struct verified *verified) {
    struct verified *kept = memory_allocate(sizeof *kept);
    if (auth->verified.count >= VERIFIED_MOST) {
        map_free(&auth->verified, free_verified);
    }
    struct verified *old = map_get(&auth->verified, token);
    if (old != NULL) {
        free_verified(old);
    }
    *kept = *verified;
    map_set(&auth->verified, token, kept);
    return kept;
}

/* NULL: unknown, or verified by keys that count no more. */
static const struct verified *recall(const struct convex_auth *auth, const char *token) {
    const struct verified *verified = map_get(&auth->verified, token);
    const struct auth_keys *keys = verified != NULL ? verified->provider->keys : NULL;
    return keys != NULL && auth_keys_failure(keys) == 0 && auth_keys_generation(keys) == verified->generation
               ? verified
               : NULL;
}

/* NULL: the reply says why. */
static const struct verified *verify(struct convex_auth *auth, const char *token,
                                     struct convex_reply *reply) {
    struct jwt jwt = {0};
    struct verified verified = {0};
    const struct verified *kept = NULL;
    if (jwt_parse(&jwt, token, NULL) != STATUS_OK) {
        convex_reply_error(reply, 401, "InvalidAuthHeader", "The bearer token is not a JSON Web Token.");
        return NULL;
    }
    verified.provider = choose_provider(auth, jwt.claims);
    if (verified.provider == NULL) {
        refuse_provider(auth, reply);
    } else if (auth_keys_failure(verified.provider->keys) != 0) {
        convex_reply_error(reply, auth_keys_failure(verified.provider->keys), "AuthProviderDiscoveryFailed",
                           "The keys of the auth provider %s could not be had.", verified.provider->issuer);
    } else {
        const char *fault = find_fault(verified.provider, &jwt, token, &verified);
        if (fault != NULL) {
            convex_reply_error(reply, 401, "Unauthenticated", "The token is not valid: %s.", fault);
        } else {
            verified.generation = auth_keys_generation(verified.provider->keys);
            verified.user = convex_identity_of_claims(jwt.claims);
            kept = remember(auth, token, &verified);
        }
    }
    jwt_free(&jwt);
    return kept;
}

static bool identify_token(struct convex_auth *auth, const char *token, struct convex_caller *caller,
                           struct convex_reply *reply) {
    const struct verified *verified = recall(auth, token);
    int64_t now = host_wall_clock(auth->host);
    if (verified == NULL) {
        verified = verify(auth, token, reply);
    }
    if (verified == NULL) {
        return false;
    }
    caller->identity = CONVEX_USER;
    caller->user = verified->user;
    caller->expires = verified->expires * TIME_SECOND + CONVEX_AUTH_LEEWAY;
    if (now >= caller->expires) {
        return convex_reply_error(reply, 401, "Unauthenticated", "The token has expired.");
    }
    return verified->begins == INT64_MIN || now >= verified->begins * TIME_SECOND - CONVEX_AUTH_LEEWAY ||
           convex_reply_error(reply, 401, "Unauthenticated", "The token is not valid yet.");
}

static bool is_bearer(const char *header) {
    return strncasecmp(header, "bearer ", 7) == 0;
}

bool convex_auth_wait(struct convex_auth *auth, const char *header, struct auth_waiter *waiter) {
    struct jwt jwt = {0};
    if (header == NULL || !is_bearer(header) || auth->n_providers == 0) {
        return false;
    }
    const struct verified *verified = recall(auth, header + 7);
    if (verified != NULL && !auth_keys_wanting(verified->provider->keys, NULL)) {
        return false;
    }
    if (jwt_parse(&jwt, header + 7, NULL) != STATUS_OK) {
        return false;
    }
    const struct provider *provider = choose_provider(auth, jwt.claims);
    bool wanting = provider != NULL && auth_keys_wanting(provider->keys, json_text(jwt.header, "kid"));
    if (wanting) {
        auth_keys_wait(provider->keys, waiter);
    }
    jwt_free(&jwt);
    return wanting;
}

/* --- headers --- */

static bool is_ascii(const char *text) {
    for (; *text != 0; text++) {
        if ((unsigned char)*text >= 0x80) {
            return false;
        }
    }
    return true;
}

bool convex_auth_identify_header(struct convex_auth *auth, const char *header, struct convex_caller *caller,
                                 struct convex_reply *reply) {
    *caller = (struct convex_caller){.identity = CONVEX_NOBODY, .expires = INT64_MAX};
    if (!is_ascii(header)) {
        return convex_reply_error(reply, 400, "HeaderParseFailure",
                                  "The Authorization header is not ASCII text.");
    }
    if (strlen(header) < 7) {
        return convex_reply_error(reply, 400, "InvalidHeaderFailure",
                                  "The Authorization header is too short.");
    }
    if (strncasecmp(header, "convex ", 7) == 0) {
        return identify_key(auth, header + 7, caller, reply);
    }
    if (is_bearer(header)) {
        return identify_token(auth, header + 7, caller, reply);
    }
    return convex_reply_error(reply, 400, "InvalidAdminKey",
                              "The Authorization header has an unknown scheme.");
}

bool convex_auth_identify(struct convex_auth *auth, const struct convex_request *request,
                          struct convex_caller *caller, struct convex_reply *reply) {
    const char *header = convex_request_header(request, "authorization");
    if (header != NULL) {
        return convex_auth_identify_header(auth, header, caller, reply);
    }
    const char *key = convex_query_get(&request->query, "adminKey");
    *caller = (struct convex_caller){.identity = CONVEX_NOBODY, .expires = INT64_MAX};
    return key == NULL || identify_key(auth, key, caller, reply);
}
