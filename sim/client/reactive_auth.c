#include "client/reactive_auth.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/jwt.h"
#include "base/memory.h"
#include "base/percent.h"
#include "client/reactive_parts.h"

enum { ATTEMPTS_MOST = 2 };
static const int64_t leeway = 10 * TIME_SECOND;
static const int64_t refresh_most = 20 * TIME_DAY;
static const int64_t sign_in_again = 5 * TIME_SECOND;

static void on_answer(void *context, const struct http_answer *answer);
static void try_restart(struct reactive_client *client);

/* --- tokens --- */

/* "issuer|subject" of a token, or NULL; the caller's. */
static char *identifier_of(const char *token) {
    struct jwt jwt;
    char *identifier = NULL;
    if (token == NULL || jwt_parse(&jwt, token, NULL) != STATUS_OK) {
        return NULL;
    }
    const char *issuer = json_text(jwt.claims, "iss"), *subject = json_text(jwt.claims, "sub");
    if (issuer != NULL && subject != NULL) {
        identifier = memory_format("%s|%s", issuer, subject);
    }
    jwt_free(&jwt);
    return identifier;
}

/* How long a token lives, in s; 0 when it does not say. Clocks may differ, so only the difference counts. */
static int64_t lifetime_of(const char *token) {
    struct jwt jwt;
    if (jwt_parse(&jwt, token, NULL) != STATUS_OK) {
        return 0;
    }
    int64_t begin = json_integer_or(jwt.claims, "iat", 0), end = json_integer_or(jwt.claims, "exp", 0);
    jwt_free(&jwt);
    return begin > 0 && end > begin && end - begin <= INT64_MAX / TIME_SECOND ? end - begin : 0;
}

static char *read_token(const struct http_answer *answer) {
    if (answer->status != 200) {
        return NULL;
    }
    json_t *body = json_parse(answer->body, answer->length, NULL);
    char *token = memory_copy_text(json_is_object(body) ? json_text(body, "token") : NULL);
    json_decref(body);
    if (token != NULL && *token == 0) {
        free(token);
        return NULL;
    }
    return token;
}

/* A new fetch makes the answer of an older one worthless. */
static void fetch(struct reactive_client *client, enum reactive_fetch purpose) {
    struct reactive_auth *auth = &client->auth;
    struct buffer target = {0};
    http_call_cancel(&auth->call);
    buffer_append_text(&target, "/token?user=");
    percent_encode(&target, auth->user);
    buffer_append_text(&target, "&audience=convex");
    const struct http_request request = {
        .authority = auth->issuer, .method = "GET", .target = buffer_text(&target)};
    auth->fetch = purpose;
    http_call_start(&auth->call, client->host, &request, on_answer, client);
    buffer_free(&target);
}

/* --- what the server is told --- */

static void forget_versions(struct reactive_auth *auth) {
    for (size_t i = 0; i < auth->n_versions; i++) {
        free(auth->versions[i]);
    }
    auth->n_versions = 0;
}

/* Tell the server who this is now, if it can be told anything; a new socket tells it anyway. */
static void authenticate(struct reactive_client *client) {
    struct reactive_auth *auth = &client->auth;
    struct buffer text = {0};
    buffer_printf(&text, "{\"type\":\"Authenticate\",\"baseVersion\":%u,\"tokenType\":\"%s\"",
                  (unsigned)auth->n_versions, auth->token != NULL ? "User" : "None");
    if (auth->token != NULL) {
        buffer_append_text(&text, ",\"value\":");
        buffer_append_json_text(&text, auth->token);
    }
    buffer_append_char(&text, '}');
    if (reactive_socket_send(client, &text)) {
        MEMORY_RESERVE(auth->versions, auth->capacity, auth->n_versions + 1);
        auth->versions[auth->n_versions++] = identifier_of(auth->token);
    }
    buffer_free(&text);
}

void reactive_auth_introduce(struct reactive_client *client) {
    forget_versions(&client->auth);
    client->auth.outstanding = client->auth.token != NULL;
    if (client->auth.token != NULL) {
        authenticate(client);
    }
}

void reactive_auth_resume(struct reactive_client *client) {
    if (client->auth.token != NULL) {
        authenticate(client);
    }
}

/* --- states --- */

static void set_state(struct reactive_client *client, enum reactive_auth_state state) {
    struct reactive_auth *auth = &client->auth;
    host_timer_cancel(client->host, auth->refresh);
    auth->refresh = 0;
    auth->state = state;
    if (state == REACTIVE_NO_AUTH || state == REACTIVE_REFETCH_LATER || state == REACTIVE_NOT_REFETCHING) {
        auth->attempts = 0;
    }
}

/* Takes the token over. */
static void take_token(struct reactive_auth *auth, char *token) {
    free(auth->token);
    auth->token = token;
    auth->outstanding = auth->outstanding && token != NULL;
}

static void on_again(void *context) {
    struct reactive_client *client = context;
    client->auth.again = 0;
    reactive_auth_begin(client);
}

/* From here on the client is nobody. */
static void fail(struct reactive_client *client, bool refused) {
    struct reactive_auth *auth = &client->auth;
    reactive_tell(client, "%s is signed out: %s", auth->user,
                  refused ? "tokens are refused" : "there is no token");
    http_call_cancel(&auth->call);
    set_state(client, REACTIVE_NO_AUTH);
    if (!refused) {
        host_timer_cancel(client->host, auth->again);
        auth->again = host_timer_set(client->host, sign_in_again, on_again, client);
    }
}

static void on_refresh(void *context) {
    struct reactive_client *client = context;
    client->auth.refresh = 0;
    fetch(client, REACTIVE_FETCH_FRESH);
}

/* Two seconds are too short to renew anything: such a token just runs out. */
static void schedule(struct reactive_client *client) {
    const int64_t lifetime = lifetime_of(client->auth.token);
    if (lifetime <= 2) {
        reactive_tell(client, "the token cannot be renewed: it lives %d s", (int)lifetime);
        return;
    }
    int64_t delay = lifetime * TIME_SECOND - leeway;
    delay = delay < 0 ? 0 : delay > refresh_most ? refresh_most : delay;
    set_state(client, REACTIVE_REFETCH_LATER);
    client->auth.refresh = host_timer_set(client->host, delay, on_refresh, client);
}

static void try_restart(struct reactive_client *client) {
    if (client->state == REACTIVE_STOPPED) {
        reactive_socket_open(client);
    }
}

/* --- answers of the issuer --- */

static bool is_new(const struct reactive_auth *auth, const char *token) {
    return auth->token == NULL || strcmp(auth->token, token) != 0;
}

static void take_first(struct reactive_client *client, char *token) {
    if (token == NULL) {
        set_state(client, REACTIVE_INITIAL_REFETCH);
        fetch(client, REACTIVE_FETCH_AGAIN);
        return;
    }
    set_state(client, REACTIVE_CACHED_TOKEN);
    take_token(&client->auth, token);
    authenticate(client);
    reactive_resume(client);
}

static void take_fresh(struct reactive_client *client, char *token) {
    struct reactive_auth *auth = &client->auth;
    if (token == NULL) {
        bool had = auth->token != NULL;
        take_token(auth, NULL);
        if (had) {
            authenticate(client);
        }
        fail(client, false);
    } else if (is_new(auth, token)) {
        set_state(client, REACTIVE_FRESH_TOKEN);
        take_token(auth, token);
        authenticate(client);
    } else {
        set_state(client, REACTIVE_NOT_REFETCHING);
        free(token);
    }
    try_restart(client);
}

/* The same token once more would be refused once more. */
static void take_reauth(struct reactive_client *client, char *token) {
    struct reactive_auth *auth = &client->auth;
    if (token != NULL && is_new(auth, token)) {
        take_token(auth, token);
        set_state(client, REACTIVE_FRESH_TOKEN);
    } else {
        take_token(auth, NULL);
        fail(client, token != NULL);
        free(token);
    }
    try_restart(client);
}

static void on_answer(void *context, const struct http_answer *answer) {
    struct reactive_client *client = context;
    char *token = read_token(answer);
    switch (client->auth.fetch) {
    case REACTIVE_FETCH_FIRST:
        take_first(client, token);
        break;
    case REACTIVE_FETCH_AGAIN:
        take_fresh(client, token);
        reactive_resume(client);
        break;
    case REACTIVE_FETCH_FRESH:
        take_fresh(client, token);
        break;
    case REACTIVE_FETCH_REAUTH:
        take_reauth(client, token);
        break;
    }
}

/* --- what the server says --- */

void reactive_auth_begin(struct reactive_client *client) {
    struct reactive_auth *auth = &client->auth;
    if (auth->user == NULL) {
        return;
    }
    auth->began = true;
    set_state(client, REACTIVE_NO_AUTH);
    reactive_pause(client);
    fetch(client, REACTIVE_FETCH_FIRST);
}

void reactive_auth_transition(struct reactive_client *client, uint32_t start, uint32_t end) {
    struct reactive_auth *auth = &client->auth;
    if (end < auth->n_versions || end <= start) {
        return;
    }
    auth->outstanding = false;
    if (auth->state == REACTIVE_CACHED_TOKEN) {
        fetch(client, REACTIVE_FETCH_FRESH);
    } else if (auth->state == REACTIVE_FRESH_TOKEN) {
        schedule(client);
        auth->attempts = 0;
    }
}

static void reauthenticate(struct reactive_client *client) {
    struct reactive_auth *auth = &client->auth;
    const bool fresh = auth->state == REACTIVE_FRESH_TOKEN;
    if (auth->state == REACTIVE_NO_AUTH || (fresh && auth->attempts >= ATTEMPTS_MOST)) {
        take_token(auth, NULL);
        if (auth->state != REACTIVE_NO_AUTH) {
            fail(client, true);
        }
        return;
    }
    auth->attempts += fresh;
    reactive_socket_stop(client, REACTIVE_STOPPED);
    fetch(client, REACTIVE_FETCH_REAUTH);
}

bool reactive_auth_error(struct reactive_client *client, const json_t *message) {
    struct reactive_auth *auth = &client->auth;
    const char *text = json_text(message, "error");
    const json_t *base = json_object_get(message, "baseVersion");
    uint32_t version = 0;
    if (base != NULL && !json_is_null(base) && !reactive_read_count(message, "baseVersion", &version)) {
        return false;
    }
    reactive_tell(client, "the server refuses a token: %.300s", text != NULL ? text : "");
    const bool waiting = auth->state == REACTIVE_CACHED_TOKEN || auth->state == REACTIVE_FRESH_TOKEN;
    if (auth->user == NULL || version + UINT64_C(1) < auth->n_versions ||
        (waiting && json_is_false(json_object_get(message, "authUpdateAttempted")))) {
        return true; /* about a token of the past, or nothing to try again with; the server closes */
    }
    reauthenticate(client);
    return true;
}

/* --- from outside --- */

const char *reactive_client_identity(const struct reactive_client *client) {
    const uint32_t version = client->version.identity;
    return version > 0 && version <= client->auth.n_versions ? client->auth.versions[version - 1] : NULL;
}

void reactive_client_set_auth(struct reactive_client *client, const char *issuer, const char *user) {
    assert(client->auth.user == NULL && client->connections == 0 && client->state == REACTIVE_DISCONNECTED);
    client->auth.issuer = memory_copy_text(issuer);
    client->auth.user = memory_copy_text(user);
}

bool reactive_auth_settled(const struct reactive_client *client) {
    const struct reactive_auth *auth = &client->auth;
    if (auth->user == NULL) {
        return true;
    }
    return auth->call.exchange == 0 && auth->again == 0 && client->version.identity == auth->n_versions &&
           auth->state != REACTIVE_CACHED_TOKEN && auth->state != REACTIVE_INITIAL_REFETCH &&
           (auth->state != REACTIVE_NO_AUTH || auth->began);
}

void reactive_auth_stop(struct reactive_client *client) {
    http_call_cancel(&client->auth.call);
    set_state(client, REACTIVE_NO_AUTH);
    host_timer_cancel(client->host, client->auth.again);
    client->auth.again = 0;
}

void reactive_auth_forget(struct reactive_client *client) {
    struct reactive_auth *auth = &client->auth;
    http_call_forget(&auth->call);
    forget_versions(auth);
    free(auth->token);
    auth->token = NULL;
    auth->began = false;
    auth->state = REACTIVE_NO_AUTH;
    auth->attempts = 0;
    auth->refresh = 0;
    auth->again = 0;
    auth->outstanding = false;
}

void reactive_auth_free(struct reactive_auth *auth) {
    forget_versions(auth);
    free(auth->versions);
    free(auth->token);
    free(auth->issuer);
    free(auth->user);
}
