#include "client/credentials.h"

#include <assert.h>
#include <stdlib.h>

#include "base/json.h"
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

static void on_answer(void *context, const struct http_answer *answer) {
    struct credentials_wait *wait = context;
    struct credentials *credentials = wait->credentials;
    char *token = read_token(answer);

    /* Mutant odd-answer-signs-out: an answer that is no token counts as a session that is over. */
    if (token == NULL && answer->status == 200 && host_mutant(credentials->host, "odd-answer-signs-out"))
        credentials->expired = true;
    if (wait->keep && token != NULL) {
        free(credentials->token);
        credentials->token = memory_copy_text(token);
    }
    wait->done(wait->context, token);
    free(token);
}

static void fetch(struct credentials *credentials, struct credentials_wait *wait) {
    struct buffer target = {0};
    struct http_request request = {.authority = credentials->issuer, .method = "GET"};

    buffer_append_text(&target, "/token?user=");
    percent_encode(&target, credentials->user);
    if (credentials->audience != NULL) {
        buffer_append_text(&target, "&audience=");
        percent_encode(&target, credentials->audience);
    }
    request.target = buffer_text(&target);
    wait->credentials = credentials;
    http_call_start(&wait->call, credentials->host, &request, on_answer, wait);
    buffer_free(&target);
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
}

void credentials_forget(struct credentials_wait *wait) {
    http_call_forget(&wait->call);
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
