#include "mock-powersync/http/auth.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "mock-powersync/http/key_cache.h"
#include "mock-powersync/http/token_rules.h"

struct auth {
    struct host *host;
    struct token_audiences audiences;
    struct key_set fixed; /* of the configuration */
    struct key_cache **caches;
    size_t n_caches;
    const struct key_set **sets; /* all: first the fixed one */
};

struct auth_call {
    struct auth *auth;
    struct auth_call **waiting;
    struct jwt jwt;
    char *token;
    void (*done)(void *context, const struct auth_user *user, const struct http_error *error);
    void *context;
    struct key_wait *waits; /* one for each cache */
    size_t n_waits;         /* how many still wait */
    bool timed_out;
};

/* --- the decision --- */

/* No key fits: the reason is that keys could not be had, or else that there is none, which may change. */
static bool refuse_unknown(struct auth *auth, bool timed_out, struct http_error *error) {
    for (size_t i = 0; i < auth->n_caches; i++)
        if (key_cache_error(auth->caches[i])) {
            *error = *key_cache_error(auth->caches[i]);
            return false;
        }
    if (timed_out) {
        http_error_authorization(error, "PSYNC_S2204", "JWKS request failed");
        snprintf(error->details, sizeof error->details, "Key request timed out in 3s");
        return false;
    }
    for (size_t i = 0; i < auth->n_caches; i++)
        key_cache_refresh(auth->caches[i]);
    return http_error_authorization(error, "PSYNC_S2101",
                                    "Could not find an appropriate key in the keystore. The key is missing "
                                    "or no key matched the token KID");
}

static bool is_accepted(struct auth *auth, const struct jwt *jwt, const char *token, bool timed_out,
                        struct http_error *error) {
    const struct auth_key *key;
    int64_t now = host_wall_clock(auth->host) / TIME_SECOND;
    if (host_mutant(auth->host, "accept-any-token") && json_is_number(json_object_get(jwt->claims, "exp")))
        return true;
    if (!token_find_key(jwt, token, auth->sets, auth->n_caches + 1, &key, error))
        return error->status ? false : refuse_unknown(auth, timed_out, error);
    return token_check_claims(jwt->claims, key, &auth->audiences, now, error);
}

static void decide(struct auth *auth, const struct jwt *jwt, const char *token, bool timed_out,
                   void (*done)(void *, const struct auth_user *, const struct http_error *), void *context) {
    struct http_error error = {0};
    struct auth_user user = {0};
    if (is_accepted(auth, jwt, token, timed_out, &error)) {
        token_read_user(jwt->claims, &user);
        done(context, &user, NULL);
        auth_user_free(&user);
    } else {
        assert(error.status == 401);
        done(context, NULL, &error);
    }
}

/* --- waiting for keys --- */

void auth_call_cancel(struct auth_call *call) {
    if (!call)
        return;
    *call->waiting = NULL;
    for (size_t i = 0; i < call->auth->n_caches; i++)
        key_wait_cancel(&call->waits[i]);
    jwt_free(&call->jwt);
    free(call->token);
    free(call->waits);
    free(call);
}

static void keys_ready(void *context) {
    struct auth_call *call = context;
    assert(call->n_waits > 0);
    if (--call->n_waits > 0)
        return;
    for (size_t i = 0; i < call->auth->n_caches; i++)
        call->timed_out = call->timed_out || call->waits[i].timed_out;
    struct auth_call own = *call;
    call->token = NULL;
    call->jwt = (struct jwt){0};
    auth_call_cancel(call);
    decide(own.auth, &own.jwt, own.token, own.timed_out, own.done, own.context);
    jwt_free(&own.jwt);
    free(own.token);
}

/* Starts the refreshes that are due; true: nobody has to wait. */
static bool prepare(struct auth *auth, struct auth_call *call) {
    for (size_t i = 0; i < auth->n_caches; i++)
        call->n_waits += !key_cache_prepare(auth->caches[i], &call->waits[i], keys_ready, call);
    return call->n_waits == 0;
}

static void check_token(struct auth *auth, struct jwt *jwt, const char *token, struct auth_call **waiting,
                        void (*done)(void *, const struct auth_user *, const struct http_error *),
                        void *context) {
    if (auth->n_caches == 0) {
        decide(auth, jwt, token, false, done, context);
        return;
    }
    struct auth_call *call = memory_allocate(sizeof *call);
    *call = (struct auth_call){.auth = auth, .waiting = waiting, .done = done, .context = context};
    call->waits = memory_allocate_array(auth->n_caches, sizeof *call->waits);
    *waiting = call;
    if (prepare(auth, call)) {
        auth_call_cancel(call);
        decide(auth, jwt, token, false, done, context);
        return;
    }
    call->jwt = *jwt;
    call->token = memory_copy_text(token);
    *jwt = (struct jwt){0};
}

void auth_check(struct auth *auth, const char *authorization, struct auth_call **waiting,
                void (*done)(void *context, const struct auth_user *user, const struct http_error *error),
                void *context) {
    assert(auth && waiting && done);
    struct http_error error = {0};
    struct jwt jwt = {0};
    const char *token = token_of_header(authorization);
    *waiting = NULL;
    if (!token)
        http_error_authorization(&error, "PSYNC_S2106", "Authentication required");
    else if (jwt_parse(&jwt, token, NULL))
        http_error_authorization(&error, "PSYNC_S2101", "Token is not a well-formed JWT");
    else if (token_check_algorithm(&jwt, &error))
        check_token(auth, &jwt, token, waiting, done, context);
    jwt_free(&jwt);
    if (error.status)
        done(context, NULL, &error);
}

/* --- life --- */

static enum status read_fixed(struct auth *auth, const struct powersync_auth_options *options,
                              struct error *error) {
    if (options->supabase && options->supabase_jwt_secret)
        key_set_add_supabase(&auth->fixed, options->supabase_jwt_secret);
    if (!options->jwks)
        return STATUS_OK;
    json_t *jwks = json_parse(options->jwks, strlen(options->jwks), error);
    enum status status = jwks ? key_set_add(&auth->fixed, jwks, false, error) : STATUS_INVALID;
    json_decref(jwks);
    if (status)
        error_prefix(error, "client_auth.jwks");
    return status;
}

enum status auth_create(struct host *host, const struct powersync_auth_options *options, struct auth **auth,
                        struct error *error) {
    struct auth *made = memory_allocate(sizeof *made);
    made->host = host;
    made->audiences = (struct token_audiences){options->audiences, options->n_audiences};
    made->caches = memory_allocate_array(options->n_jwks_uris + 1, sizeof *made->caches);
    made->sets = memory_allocate_array(options->n_jwks_uris + 1, sizeof *made->sets);
    made->sets[0] = &made->fixed;
    enum status status = read_fixed(made, options, error);
    for (size_t i = 0; i < options->n_jwks_uris && !status; i++) {
        status = key_cache_create(host, options->jwks_uris[i], options->block_local, &made->caches[i], error);
        if (!status) {
            made->sets[i + 1] = key_cache_keys(made->caches[i]);
            made->n_caches++;
        }
    }
    if (status)
        auth_destroy(made);
    else
        *auth = made;
    return status;
}

void auth_destroy(struct auth *auth) {
    if (!auth)
        return;
    for (size_t i = 0; i < auth->n_caches; i++)
        key_cache_destroy(auth->caches[i]);
    key_set_clear(&auth->fixed);
    free(auth->caches);
    free(auth->sets);
    free(auth);
}
