/* Who a session is: Connect and Authenticate. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/memory.h"
#include "mock-convex/sync/sync_session_internal.h"

bool sync_session_take_connect(struct sync_session *session, const struct sync_message *message) {
    assert(strlen(message->session) < sizeof session->id);
    if (message->observed > (uint64_t)session->deployment->store.latest) {
        return sync_session_end_internal(session);
    }
    strcpy(session->id, message->session);
    session->clock.known = message->has_clock;
    session->clock.skew = message->client_ms - host_wall_clock(session->deployment->host) / TIME_MILLISECOND;
    return true;
}

static void fire_expiry(void *context) {
    struct sync_session *session = context;
    session->expiry = 0;
    sync_session_end_auth(session, "TokenExpired: The token has expired.", false);
    sync_session_settle(session);
}

/* The token as the Authorization header that an HTTP request would carry; the caller frees it. */
static char *header_of(const struct sync_message *message) {
    bool admin = strcmp(message->token_type, "Admin") == 0;
    struct buffer header = {0}, user = {0};
    buffer_printf(&header, "%s %s", admin ? "Convex" : "Bearer", message->token);
    if (message->acting != NULL) {
        json_append(&user, message->acting);
        buffer_append_char(&header, ':');
        base64_append(&header, user.data, user.length);
    }
    buffer_free(&user);
    return buffer_take(&header);
}

/* A token that is not good is the client's to renew; other failures end the socket as they would end any
 * request. */
static bool refuse_identity(struct sync_session *session, const struct convex_reply *reply) {
    json_t *json = json_parse(buffer_text(&reply->body), reply->body.length, NULL);
    const char *code = json_text(json, "code");
    char *text = memory_format("%s: %s", code, json_text(json, "message"));
    if (reply->status == 401) {
        sync_session_end_auth(session, text, true);
    } else if (reply->status == 400) {
        sync_session_end_fatal(session, text);
    } else {
        sync_session_end(session, reply->status < 429 ? 1000 : reply->status == 500 ? 1011 : 1013, code);
    }
    free(text);
    json_decref(json);
    return false;
}

static bool identify(struct sync_session *session, const struct sync_message *message,
                     struct convex_caller *caller) {
    struct convex_reply reply = {0};
    char *header = header_of(message);
    bool known = convex_auth_identify_header(session->deployment->auth, header, caller, &reply);
    if (!known) {
        refuse_identity(session, &reply);
    }
    convex_reply_free(&reply);
    free(header);
    return known;
}

/* Everything that the session does from now on is done by this caller; its queries run again. */
static void become(struct sync_session *session, const struct convex_caller *caller) {
    convex_free(session->user);
    session->identity = caller->identity;
    session->read_only = caller->read_only;
    session->user = caller->user != NULL ? convex_copy(caller->user) : NULL;
    for (struct sync_subscription *query = session->queries; query != NULL; query = query->next) {
        sync_subscription_identify(query, session->identity, session->user);
    }
}

bool sync_session_take_authenticate(struct sync_session *session, const struct sync_message *message) {
    struct host *host = session->deployment->host;
    struct convex_caller caller = {.identity = CONVEX_NOBODY, .expires = INT64_MAX};
    if (message->base_version != session->pending.identity) {
        return sync_session_end_internal(session);
    }
    if (message->token != NULL && !identify(session, message, &caller)) {
        return false;
    }
    host_timer_cancel(host, session->expiry);
    session->expiry = 0;
    if (caller.expires != INT64_MAX) {
        session->expiry = host_timer_set(host, caller.expires - host_wall_clock(host), fire_expiry, session);
    }
    become(session, &caller);
    session->pending.identity++;
    sync_session_update_soon(session);
    return true;
}

/* Must this message wait for the keys of its token? */
bool sync_session_must_wait(struct sync_session *session, const struct sync_message *message) {
    if (message->kind != SYNC_AUTHENTICATE || message->token == NULL) {
        return false;
    }
    char *header = header_of(message);
    bool waits = convex_auth_wait(session->deployment->auth, header, &session->waiter);
    free(header);
    return waits;
}
