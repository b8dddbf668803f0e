#include "mock-convex/sync/sync_session_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* --- sending --- */

static void fire_ping(void *context);

void sync_session_send(struct sync_session *session, const struct buffer *text) {
    struct host *host = session->deployment->host;
    assert(!session->over);
    host_websocket_send(host, session->socket, WEBSOCKET_TEXT, buffer_text(text), text->length);
    host_timer_cancel(host, session->ping);
    session->ping = host_timer_set(host, SYNC_PING_TIME, fire_ping, session);
}

static void fire_ping(void *context) {
    struct sync_session *session = context;
    struct buffer text = {0};
    session->ping = 0;
    buffer_append_text(&text, "{\"type\":\"Ping\"}");
    sync_session_send(session, &text);
    buffer_free(&text);
}

/* --- the end --- */

static void free_session(struct sync_session *session) {
    struct host *host = session->deployment->host;
    sync_session_leave_actions(session);
    sync_hub_forget(session->hub, session);
    host_timer_cancel(host, session->update);
    host_timer_cancel(host, session->ping);
    host_timer_cancel(host, session->expiry);
    while (session->queries != NULL) {
        struct sync_subscription *next = session->queries->next;
        sync_subscription_free(session->queries);
        session->queries = next;
    }
    for (size_t i = 0; i < session->n_queue; i++) {
        convex_call_free(&session->queue[i].call);
    }
    for (size_t i = 0; i < session->n_held; i++) {
        free(session->held[i].text);
    }
    auth_waiter_cancel(&session->waiter);
    *session->link = session->next;
    if (session->next != NULL) {
        session->next->link = session->link;
    }
    convex_free(session->user);
    free(session->held);
    free(session->queue);
    buffer_free(&session->removed);
    free(session);
}

/* The session is freed when the event is over. Returns false, so that checks can end with it. */
bool sync_session_end(struct sync_session *session, int code, const char *reason) {
    assert(!session->over);
    session->over = true;
    host_websocket_close(session->deployment->host, session->socket, code, reason);
    return false;
}

bool sync_session_end_internal(struct sync_session *session) {
    return sync_session_end(session, 1011, "InternalServerError");
}

bool sync_session_end_fatal(struct sync_session *session, const char *message) {
    struct buffer text = {0};
    sync_print_error(&text, "FatalError", message);
    sync_session_send(session, &text);
    buffer_free(&text);
    return sync_session_end(session, 0, "");
}

bool sync_session_end_auth(struct sync_session *session, const char *message, bool attempted) {
    struct buffer text = {0};
    sync_print_auth_error(&text, message, session->pending.identity, attempted);
    sync_session_send(session, &text);
    buffer_free(&text);
    return sync_session_end(session, 0, "");
}

void sync_session_settle(struct sync_session *session) {
    if (session->over) {
        free_session(session);
    }
}

void sync_session_close(struct sync_session *session, int code, const char *reason) {
    sync_session_end(session, code, reason);
    free_session(session);
}

/* --- events --- */

static bool take_message(struct sync_session *session, const struct sync_message *message) {
    switch (message->kind) {
    case SYNC_CONNECT:
        return sync_session_take_connect(session, message);
    case SYNC_AUTHENTICATE:
        return sync_session_take_authenticate(session, message);
    case SYNC_MODIFY_QUERY_SET:
        return sync_session_take_modify(session, message);
    case SYNC_MUTATION:
        return sync_session_take_mutation(session, message);
    case SYNC_ACTION:
        return sync_session_take_action(session, message);
    case SYNC_EVENT: /* telemetry */
        return true;
    }
    assert(false);
    return true;
}

/* False: it must wait; nothing has happened yet. */
static bool take_text(struct sync_session *session, const char *text, size_t length, bool may_wait) {
    struct sync_message message;
    struct error error = {0};
    if (sync_message_parse(&message, text, length, &error) != STATUS_OK) {
        sync_session_end_fatal(session, error.message);
        return true;
    }
    bool waits = may_wait && sync_session_must_wait(session, &message);
    if (!waits) {
        take_message(session, &message);
    }
    sync_message_free(&message);
    return !waits;
}

static void hold(struct sync_session *session, const char *text, size_t length) {
    if (session->n_held == SYNC_HELD_MAX || session->held_bytes + length > SYNC_HELD_BYTES_MAX) {
        sync_session_end(session, 1013, "WorkerOverloaded");
        return;
    }
    MEMORY_RESERVE(session->held, session->held_capacity, session->n_held + 1);
    session->held[session->n_held++] =
        (struct held){.text = memory_copy_bytes(text, length), .length = length};
    session->held_bytes += length;
}

/* The keys came, or will not: on with what was held, up to the next one that must wait. */
static void resume(void *context) {
    struct sync_session *session = context;
    for (bool may_wait = false; !session->over && session->n_held > 0; may_wait = true) {
        struct held first = session->held[0];
        if (!take_text(session, first.text, first.length, may_wait)) {
            break;
        }
        memmove(session->held, session->held + 1, --session->n_held * sizeof first);
        session->held_bytes -= first.length;
        free(first.text);
    }
    sync_session_settle(session);
}

static void on_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                       size_t length) {
    struct sync_session *session = context;
    assert(socket == session->socket);
    (void)socket;
    if (kind != WEBSOCKET_TEXT) {
        sync_session_end_internal(session);
    } else if (session->n_held > 0 || !take_text(session, bytes, length, true)) {
        hold(session, bytes, length);
    }
    sync_session_settle(session);
}

static void on_closed(void *context, uint64_t socket, int code, const char *reason) {
    (void)socket;
    (void)code;
    (void)reason;
    free_session(context);
}

bool sync_session_open(struct sync_hub *hub, struct sync_session **list, uint64_t exchange, bool chunks) {
    static const struct websocket_server_events events = {.message = on_message, .closed = on_closed};
    struct convex_deployment *deployment = sync_hub_deployment(hub);
    struct sync_session *session = memory_allocate(sizeof *session);
    if (!host_websocket_accept(deployment->host, exchange, &events, session)) {
        free(session);
        return false;
    }
    *session = (struct sync_session){.hub = hub,
                                     .deployment = deployment,
                                     .socket = exchange,
                                     .chunks = chunks,
                                     .waiter = {.ready = resume},
                                     .number = *list != NULL ? (*list)->number + 1 : 1,
                                     .next = *list,
                                     .link = list};
    session->waiter.context = session;
    if (session->next != NULL) {
        session->next->link = &session->next;
    }
    *list = session;
    session->ping = host_timer_set(deployment->host, SYNC_PING_TIME, fire_ping, session);
    return true;
}
