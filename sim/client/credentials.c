#include "client/credentials.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/jwt.h"
#include "base/memory.h"
#include "base/percent.h"

/* {"token":"..."} of a 200, or NULL. The caller frees it. */
static char *read_token(const struct http_answer *answer) {
    json_t *body;
    char *token = NULL;

    if (answer->status != 200)
        return NULL;
    body = json_parse(answer->body, answer->length, NULL);
    if (body != NULL && json_is_object(body))
        token = memory_copy_text(json_text(body, "token"));
    json_decref(body);
    if (token != NULL && *token == 0) {
        free(token);
        token = NULL;
    }
    return token;
}

/* Whose token it is; the caller frees it. */
static char *subject_of(const char *token) {
    struct jwt jwt;
    char *subject;

    if (jwt_parse(&jwt, token, NULL) != STATUS_OK)
        return NULL;
    subject = memory_copy_text(json_text(jwt.claims, "sub"));
    jwt_free(&jwt);
    return subject;
}

/* Configuration and token are fetched apart: both must be of one user. Mutant stale-config: nobody looks. */
static bool fits(const struct credentials_wait *wait, const char *token) {
    char *subject;
    bool same;

    if (wait->credentials->config == NULL || host_mutant(wait->credentials->host, "stale-config"))
        return true;
    subject = subject_of(token);
    same = subject != NULL && strcmp(subject, wait->user) == 0;
    free(subject);
    return same;
}

static void forget_answer(struct credentials_wait *wait) {
    free(wait->endpoint);
    free(wait->user);
    wait->endpoint = NULL;
    wait->user = NULL;
}

static void replace(char **slot, const char *text) {
    char *copy = memory_copy_text(text);

    free(*slot);
    *slot = copy;
}

static void keep(struct credentials *credentials, const struct credentials_wait *wait, const char *token) {
    replace(&credentials->token, token);
    if (wait->endpoint == NULL)
        return;
    replace(&credentials->endpoint, wait->endpoint);
    replace(&credentials->config_user, wait->user);
}

static void finish(struct credentials_wait *wait, const char *token) {
    if (wait->keep && token != NULL)
        keep(wait->credentials, wait, token);
    forget_answer(wait);
    wait->done(wait->context, token);
}

static void on_token(void *context, const struct http_answer *answer) {
    struct credentials_wait *wait = context;
    char *token = read_token(answer);

    /* Mutant odd-answer-signs-out: an answer that is no token counts as a session that is over. */
    if (token == NULL && answer->status == 200 &&
        host_mutant(wait->credentials->host, "odd-answer-signs-out"))
        wait->credentials->expired = true;
    finish(wait, token != NULL && fits(wait, token) ? token : NULL);
    free(token);
}

static void ask(struct credentials_wait *wait, const char *authority, const char *path,
                void (*answered)(void *context, const struct http_answer *answer)) {
    struct buffer target = {0};
    struct http_request request = {.authority = authority, .method = "GET"};

    buffer_printf(&target, "%s?user=", path);
    percent_encode(&target, wait->credentials->user);
    request.target = buffer_text(&target);
    http_call_start(&wait->call, wait->credentials->host, &request, answered, wait);
    buffer_free(&target);
}

/* {"powersyncUrl":"http://...","userId":"..."} of a 200. */
static bool read_config(struct credentials_wait *wait, const struct http_answer *answer) {
    static const char scheme[] = "http://";
    json_t *body = answer->status == 200 ? json_parse(answer->body, answer->length, NULL) : NULL;
    const char *url = json_text(body, "powersyncUrl"), *user = json_text(body, "userId");
    const bool good = url != NULL && user != NULL && strncmp(url, scheme, sizeof scheme - 1) == 0;

    if (good) {
        wait->endpoint = memory_copy_text(url + sizeof scheme - 1);
        wait->user = memory_copy_text(user);
    }
    json_decref(body);
    return good;
}

static void on_config(void *context, const struct http_answer *answer) {
    struct credentials_wait *wait = context;

    if (read_config(wait, answer))
        ask(wait, wait->credentials->issuer, "/token", on_token);
    else
        finish(wait, NULL);
}

/* Mutant stale-config: the app keeps its first configuration for as long as its process lives. */
static void fetch(struct credentials *credentials, struct credentials_wait *wait) {
    wait->credentials = credentials;
    forget_answer(wait);
    if (credentials->config == NULL ||
        (credentials->endpoint != NULL && host_mutant(credentials->host, "stale-config")))
        ask(wait, credentials->issuer, "/token", on_token);
    else
        ask(wait, credentials->config, "/api/powersync/config", on_config);
}

/* The app's fetchCredentials answers null. */
static bool has_none(const struct credentials *credentials) {
    return credentials->user == NULL || credentials->expired;
}

void credentials_get(struct credentials *credentials, struct credentials_wait *wait,
                     void (*done)(void *context, const char *token), void *context) {
    assert(!credentials_waiting(wait));
    if (credentials->token != NULL) {
        /* A copy: the caller may invalidate what is kept while it uses it. */
        char *token = memory_copy_text(credentials->token);

        done(context, token);
        free(token);
        return;
    }
    if (has_none(credentials)) {
        done(context, NULL);
        return;
    }
    wait->keep = true;
    wait->done = done;
    wait->context = context;
    fetch(credentials, wait);
}

void credentials_prefetch(struct credentials *credentials, struct credentials_wait *wait,
                          void (*done)(void *context, const char *token), void *context) {
    assert(!credentials_waiting(wait));
    if (has_none(credentials))
        return;
    wait->keep = false;
    wait->done = done;
    wait->context = context;
    fetch(credentials, wait);
}

void credentials_cancel(struct credentials_wait *wait) {
    http_call_cancel(&wait->call);
    forget_answer(wait);
}

void credentials_forget(struct credentials_wait *wait) {
    http_call_forget(&wait->call);
    forget_answer(wait);
}

bool credentials_waiting(const struct credentials_wait *wait) {
    return wait->call.exchange != 0;
}

/* Mutant keep-refused-token: it is sent again and again. */
void credentials_refused(struct credentials *credentials) {
    if (!host_mutant(credentials->host, "keep-refused-token"))
        credentials_invalidate(credentials);
}

void credentials_invalidate(struct credentials *credentials) {
    free(credentials->token);
    credentials->token = NULL;
}

const char *credentials_user(const struct credentials *credentials) {
    return credentials->config_user != NULL ? credentials->config_user : credentials->user;
}

void credentials_forget_all(struct credentials *credentials) {
    credentials_invalidate(credentials);
    free(credentials->endpoint);
    free(credentials->config_user);
    credentials->endpoint = NULL;
    credentials->config_user = NULL;
}
