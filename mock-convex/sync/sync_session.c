#include "mock-convex/sync/sync_session.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/memory.h"
#include "mock-convex/function/action.h"
#include "mock-convex/http/auth.h"
#include "mock-convex/sync/sync_message.h"
#include "mock-convex/sync/sync_subscription.h"
#include "mock-convex/value/utf8.h"

struct queued {
    uint32_t request;
    struct convex_call call;
};

/* An action that runs for the session. */
struct inflight {
    struct sync_session *session;
    struct inflight *next, **link;
    uint32_t request;
    struct convex_call call;
    struct convex_action *action;
};

struct held {
    char *text;
    size_t length;
};

struct sync_session {
    struct sync_hub *hub;
    struct convex_deployment *deployment;
    struct sync_session *next, **link;
    uint64_t number;
    uint64_t socket;
    bool chunks; /* the client takes TransitionChunk */
    bool over;   /* closed; freed at the end of the event */
    bool touched;
    enum convex_identity identity;
    bool read_only;            /* its key may run queries only */
    struct convex_value *user; /* who is signed in; NULL: nobody */
    struct auth_waiter waiter; /* for the keys of an Authenticate, which is then the first of `held` */
    struct held *held;         /* messages that wait for it */
    size_t n_held, held_capacity, held_bytes;
    char id[40];                 /* of the client's session; "" before Connect */
    struct sync_clock clock;     /* of the client */
    struct sync_version sent;    /* endVersion of the last Transition */
    struct sync_version pending; /* what the next one must reach; ts: at least this */
    struct sync_subscription *queries;
    struct buffer removed; /* QueryRemoved items for the next Transition */
    struct queued *queue;  /* mutations that wait */
    size_t n_queue, queue_capacity;
    bool mutating;            /* one runs */
    struct inflight *actions; /* that run */
    size_t n_actions;
    bool busy; /* run_next is at work */
    bool owes; /* a success was answered: a Transition follows even if it says nothing new */
    uint64_t update, ping, expiry; /* timers; 0: none */
    uint64_t transitions;
};

/* --- sending --- */

static void fire_ping(void *context);

static void send_text(struct sync_session *session, const struct buffer *text) {
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
    send_text(session, &text);
    buffer_free(&text);
}

/* --- the end --- */

static void leave_actions(struct sync_session *session);

static void free_session(struct sync_session *session) {
    struct host *host = session->deployment->host;
    leave_actions(session);
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
static bool close_with(struct sync_session *session, int code, const char *reason) {
    assert(!session->over);
    session->over = true;
    host_websocket_close(session->deployment->host, session->socket, code, reason);
    return false;
}

static bool close_internal(struct sync_session *session) {
    return close_with(session, 1011, "InternalServerError");
}

static bool close_fatal(struct sync_session *session, const char *message) {
    struct buffer text = {0};
    sync_print_error(&text, "FatalError", message);
    send_text(session, &text);
    buffer_free(&text);
    return close_with(session, 0, "");
}

static bool close_auth(struct sync_session *session, const char *message, bool attempted) {
    struct buffer text = {0};
    sync_print_auth_error(&text, message, session->pending.identity, attempted);
    send_text(session, &text);
    buffer_free(&text);
    return close_with(session, 0, "");
}

static void settle(struct sync_session *session) {
    if (session->over) {
        free_session(session);
    }
}

void sync_session_close(struct sync_session *session, int code, const char *reason) {
    close_with(session, code, reason);
    free_session(session);
}

/* --- transitions --- */

static void fire_update(void *context);

static void wake_in(struct sync_session *session, int64_t delay) {
    if (session->update == 0) {
        session->update = host_timer_set(session->deployment->host, delay, fire_update, session);
    }
}

static void wake(struct sync_session *session) {
    wake_in(session, session->deployment->read_time);
}

/* The end of a piece that begins at `from`: at most the limit, never inside a character. */
static size_t piece_end(const struct buffer *text, size_t from) {
    size_t end = text->length - from > SYNC_CHUNK_BYTES ? from + SYNC_CHUNK_BYTES : text->length;
    while (end < text->length && ((unsigned char)text->data[end] & 0xc0) == 0x80) {
        end--;
    }
    return end;
}

static void send_chunks(struct sync_session *session, const struct buffer *text) {
    size_t parts = 0, part = 0;
    struct buffer chunk = {0};
    for (size_t at = 0; at < text->length; at = piece_end(text, at)) {
        parts++;
    }
    for (size_t at = 0, end; at < text->length; at = end) {
        end = piece_end(text, at);
        buffer_clear(&chunk);
        sync_print_chunk(&chunk, text->data + at, end - at, part++, parts, session->transitions);
        send_text(session, &chunk);
    }
    buffer_free(&chunk);
}

static void send_transition(struct sync_session *session, const struct buffer *modifications) {
    struct buffer text = {0};
    struct sync_version end = session->pending;
    end.ts = (uint64_t)session->deployment->store.latest;
    assert(end.ts >= session->pending.ts && end.ts >= session->sent.ts);
    session->clock.now_ns = host_wall_clock(session->deployment->host);
    sync_print_transition(&text, &session->sent, &end, modifications, &session->clock);
    session->transitions++;
    if (session->chunks && text.length > SYNC_CHUNK_BYTES) {
        send_chunks(session, &text);
    } else {
        send_text(session, &text);
    }
    session->sent = end;
    buffer_free(&text);
}

/* Everything that is stale, at one snapshot. */
static void update(struct sync_session *session) {
    struct buffer modifications = {0};
    buffer_append(&modifications, session->removed.data, session->removed.length);
    buffer_clear(&session->removed);
    for (struct sync_subscription *query = session->queries; query != NULL; query = query->next) {
        if (query->stale) {
            sync_subscription_run(query, session->deployment, sync_hub_watches(session->hub), &modifications);
        }
    }
    bool versions = session->pending.query_set != session->sent.query_set ||
                    session->pending.identity != session->sent.identity;
    if (modifications.length > 0 || versions || session->pending.ts > session->sent.ts || session->owes) {
        session->owes = false;
        send_transition(session, &modifications);
    }
    buffer_free(&modifications);
}

static void fire_update(void *context) {
    struct sync_session *session = context;
    struct host *host = session->deployment->host;
    session->update = 0;
    if (host_websocket_unsent(host, session->socket) >= SYNC_UNSENT_MAX) {
        wake_in(session, SYNC_SLOW_TIME);
        return;
    }
    update(session);
}

bool sync_session_touch(struct sync_session *session) {
    bool first = !session->touched;
    session->touched = true;
    return first;
}

void sync_session_wake(struct sync_session *session) {
    session->touched = false;
    if (!session->over) {
        wake(session);
    }
}

uint64_t sync_session_number(const struct sync_session *session) {
    return session->number;
}

/* --- Connect, Authenticate --- */

static bool take_connect(struct sync_session *session, const struct sync_message *message) {
    assert(strlen(message->session) < sizeof session->id);
    if (message->observed > (uint64_t)session->deployment->store.latest) {
        return close_internal(session);
    }
    strcpy(session->id, message->session);
    session->clock.known = message->has_clock;
    session->clock.skew = message->client_ms - host_wall_clock(session->deployment->host) / TIME_MILLISECOND;
    return true;
}

static void fire_expiry(void *context) {
    struct sync_session *session = context;
    session->expiry = 0;
    close_auth(session, "TokenExpired: The token has expired.", false);
    settle(session);
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
        close_auth(session, text, true);
    } else if (reply->status == 400) {
        close_fatal(session, text);
    } else {
        close_with(session, reply->status < 429 ? 1000 : reply->status == 500 ? 1011 : 1013, code);
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

static bool take_authenticate(struct sync_session *session, const struct sync_message *message) {
    struct host *host = session->deployment->host;
    struct convex_caller caller = {.identity = CONVEX_NOBODY, .expires = INT64_MAX};
    if (message->base_version != session->pending.identity) {
        return close_internal(session);
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
    wake(session);
    return true;
}

/* Must this message wait for the keys of its token? */
static bool must_wait(struct sync_session *session, const struct sync_message *message) {
    if (message->kind != SYNC_AUTHENTICATE || message->token == NULL) {
        return false;
    }
    char *header = header_of(message);
    bool waits = convex_auth_wait(session->deployment->auth, header, &session->waiter);
    free(header);
    return waits;
}

/* --- the query set --- */

static struct sync_subscription **find_query(struct sync_session *session, uint32_t id) {
    struct sync_subscription **at = &session->queries;
    while (*at != NULL && (*at)->id != id) {
        at = &(*at)->next;
    }
    return at;
}

/* The call of a message; false: closed. */
static bool decode_call(struct sync_session *session, const char *path, const char *component,
                        const json_t *args, struct convex_call *call) {
    *call = (struct convex_call){0};
    bool admin = session->identity == CONVEX_ADMIN || session->identity == CONVEX_ACTING;
    if (component != NULL && *component != 0 && !admin) {
        return close_fatal(session, "ComponentPathForbidden: only an admin may name a component");
    }
    call->component = memory_copy_text(component);
    if (!convex_call_read(session->deployment, path, json_is_array(args) ? args : NULL, call)) {
        convex_call_free(call);
        return close_fatal(session, "BadConvexFunctionIdentifier: the function's path cannot be parsed");
    }
    call->identity = session->identity;
    call->user = session->user != NULL ? convex_copy(session->user) : NULL;
    return true;
}

static bool add_query(struct sync_session *session, const struct sync_modification *modification) {
    struct sync_subscription **at = find_query(session, modification->query);
    struct convex_call call;
    if (*at != NULL) {
        return close_internal(session);
    }
    if (!decode_call(session, modification->path, modification->component, modification->args, &call)) {
        return false;
    }
    *at = sync_subscription_make(session, modification->query, call);
    return true;
}

static bool remove_query(struct sync_session *session, uint32_t id) {
    struct sync_subscription **at = find_query(session, id), *query = *at;
    if (query == NULL) {
        return close_internal(session);
    }
    *at = query->next;
    sync_subscription_free(query);
    buffer_printf(&session->removed, "%s{\"type\":\"QueryRemoved\",\"queryId\":%" PRIu32 "}",
                  session->removed.length > 0 ? "," : "", id);
    return true;
}

static bool take_modify(struct sync_session *session, const struct sync_message *message) {
    struct sync_modification modification;
    struct error error = {0};
    if (message->base_version != session->pending.query_set ||
        message->new_version != session->pending.query_set + 1) {
        return close_fatal(session, "BaseVersionMismatch: the query set has another version");
    }
    for (size_t i = 0; i < json_array_size(message->modifications); i++) {
        const json_t *json = json_array_get(message->modifications, i);
        if (sync_modification_parse(&modification, json, &error) != STATUS_OK) {
            return close_fatal(session, error.message);
        }
        if (modification.add ? !add_query(session, &modification)
                             : !remove_query(session, modification.query)) {
            return false;
        }
    }
    session->pending.query_set++;
    wake(session);
    return true;
}

/* --- mutations and actions --- */

static void respond(struct sync_session *session, const char *type, const struct sync_answer *answer) {
    struct buffer text = {0};
    bool good = answer->result != NULL, mutation = strcmp(type, "MutationResponse") == 0;
    buffer_printf(&text, "{\"type\":\"%s\",\"requestId\":%" PRIu32 ",\"success\":%s,\"result\":", type,
                  answer->request, good ? "true" : "false");
    if (good) {
        buffer_append_text(&text, answer->result);
    } else {
        convex_utf8_append_json(&text, answer->message);
    }
    if (answer->data != NULL) {
        buffer_append_text(&text, ",\"errorData\":");
        convex_append_json(&text, answer->data, CONVEX_FORMAT_ENCODED);
    }
    if (mutation) {
        buffer_append_text(&text, good ? ",\"ts\":\"" : ",\"ts\":null");
        if (good) {
            sync_append_ts(&text, answer->ts);
            buffer_append_char(&text, '"');
        }
    }
    buffer_append_text(&text, ",\"logLines\":");
    convex_log_append_json(&text, answer->log);
    buffer_append_char(&text, '}');
    send_text(session, &text);
    buffer_free(&text);
}

static void refuse(struct sync_session *session, const char *type, uint32_t request,
                   const struct convex_call *call, const char *message, const struct convex_value *data) {
    struct buffer text = {0};
    convex_call_failure(session->deployment, call, message, data, &text);
    respond(session, type,
            &(struct sync_answer){
                .request = request, .message = buffer_text(&text), .data = data, .log = &call->log});
    buffer_free(&text);
}

/* Mutations of a socket run one at a time, in the order in which they came. */
static void run_next(struct sync_session *session) {
    while (!session->over && !session->mutating && session->n_queue > 0) {
        struct queued next = session->queue[0];
        memmove(session->queue, session->queue + 1, --session->n_queue * sizeof next);
        char message[512];
        convex_call_resolve(session->deployment, &next.call);
        const char *refusal = convex_call_refusal(&next.call, CONVEX_MUTATION, message);
        if (refusal != NULL) {
            refuse(session, "MutationResponse", next.request, &next.call, refusal, NULL);
            convex_call_free(&next.call);
        } else {
            session->mutating = true; /* until sync_session_answer, which may come from inside */
            sync_hub_mutate(session->hub, session, session->id, next.request, next.call);
        }
    }
}

static void run_queue(struct sync_session *session) {
    session->busy = true;
    run_next(session);
    session->busy = false;
}

static void take_answer(struct sync_session *session, const struct sync_answer *answer) {
    session->mutating = false;
    if (answer->lost) {
        close_internal(session);
        return;
    }
    if (answer->code != NULL) {
        close_with(session, 1013, answer->code);
        return;
    }
    respond(session, "MutationResponse", answer);
    if (answer->result != NULL) {
        session->pending.ts = answer->ts > session->pending.ts ? answer->ts : session->pending.ts;
        session->owes = true; /* the client looks for finished mutations when a Transition comes */
        wake(session);
    }
}

void sync_session_answer(struct sync_session *session, const struct sync_answer *answer) {
    take_answer(session, answer);
    if (!session->busy) { /* else it came from inside run_next, which goes on */
        run_queue(session);
        settle(session);
    }
}

void sync_session_robbed(struct sync_session *session) {
    assert(!session->busy);
    session->mutating = false;
    run_queue(session);
    settle(session);
}

static bool take_mutation(struct sync_session *session, const struct sync_message *message) {
    struct convex_call call;
    if (session->n_queue >= SYNC_QUEUE_MAX) {
        return close_with(session, 1013, "TooManyConcurrentMutations");
    }
    if (session->read_only) {
        return close_with(session, 1000, "OperationNotPermitted");
    }
    if (!decode_call(session, message->path, message->component, message->args, &call)) {
        return false;
    }
    call.request_id = sync_hub_request_id(session->id, message->request);
    MEMORY_RESERVE(session->queue, session->queue_capacity, session->n_queue + 1);
    session->queue[session->n_queue++] = (struct queued){.request = message->request, .call = call};
    run_queue(session);
    return !session->over;
}

/* Actions do not wait for each other and are not kept: who asks twice runs them twice. */
static void free_inflight(struct inflight *inflight) {
    *inflight->link = inflight->next;
    if (inflight->next != NULL) {
        inflight->next->link = inflight->link;
    }
    inflight->session->n_actions--;
    convex_call_free(&inflight->call);
    free(inflight);
}

static void action_done(void *context, const struct convex_action_outcome *outcome) {
    struct inflight *inflight = context;
    struct sync_session *session = inflight->session;
    if (outcome->code != NULL) {
        free_inflight(inflight);
        close_with(session, 1013, outcome->code);
        return;
    }
    convex_call_keep_log(session->deployment, &inflight->call, outcome->log);
    if (outcome->value != NULL) {
        struct buffer text = {0};
        convex_append_json(&text, outcome->value, CONVEX_FORMAT_ENCODED);
        respond(session, "ActionResponse",
                &(struct sync_answer){
                    .request = inflight->request, .result = buffer_text(&text), .log = &inflight->call.log});
        buffer_free(&text);
    } else {
        refuse(session, "ActionResponse", inflight->request, &inflight->call, outcome->message,
               outcome->thrown);
    }
    free_inflight(inflight);
}

/* Takes the call. */
static void run_action(struct sync_session *session, uint32_t request, const struct convex_call *call) {
    struct inflight *inflight = memory_allocate(sizeof *inflight);
    *inflight = (struct inflight){.session = session,
                                  .request = request,
                                  .call = *call,
                                  .next = session->actions,
                                  .link = &session->actions};
    if (inflight->next != NULL) {
        inflight->next->link = &inflight->next;
    }
    session->actions = inflight;
    session->n_actions++;
    const struct convex_action_caller caller = {.done = action_done, .context = inflight};
    inflight->action = convex_action_start(session->deployment, call->function, call->user, call->args,
                                           session->deployment->read_time, caller);
}

static void leave_actions(struct sync_session *session) {
    while (session->actions != NULL) {
        convex_action_leave(session->actions->action);
        free_inflight(session->actions); // NOLINT(clang-analyzer-unix.Malloc): it unlinks the first one
    }
}

static bool take_action(struct sync_session *session, const struct sync_message *message) {
    struct convex_call call;
    if (session->n_actions >= SYNC_ACTIONS_MAX) {
        return close_with(session, 1013, "TooManyInflightActionsForSingleClient");
    }
    if (session->read_only) {
        return close_with(session, 1000, "OperationNotPermitted");
    }
    if (!decode_call(session, message->path, message->component, message->args, &call)) {
        return false;
    }
    call.request_id = sync_hub_request_id(session->id, message->request);
    char text[512];
    const char *refusal = convex_call_refusal(&call, CONVEX_ACTION, text);
    if (refusal != NULL) {
        refuse(session, "ActionResponse", message->request, &call, refusal, NULL);
        convex_call_free(&call);
    } else {
        run_action(session, message->request, &call);
    }
    return true;
}

/* --- events --- */

static bool take_message(struct sync_session *session, const struct sync_message *message) {
    switch (message->kind) {
    case SYNC_CONNECT:
        return take_connect(session, message);
    case SYNC_AUTHENTICATE:
        return take_authenticate(session, message);
    case SYNC_MODIFY_QUERY_SET:
        return take_modify(session, message);
    case SYNC_MUTATION:
        return take_mutation(session, message);
    case SYNC_ACTION:
        return take_action(session, message);
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
        close_fatal(session, error.message);
        return true;
    }
    bool waits = may_wait && must_wait(session, &message);
    if (!waits) {
        take_message(session, &message);
    }
    sync_message_free(&message);
    return !waits;
}

static void hold(struct sync_session *session, const char *text, size_t length) {
    if (session->n_held == SYNC_HELD_MAX || session->held_bytes + length > SYNC_HELD_BYTES_MAX) {
        close_with(session, 1013, "WorkerOverloaded");
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
    settle(session);
}

static void on_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                       size_t length) {
    struct sync_session *session = context;
    assert(socket == session->socket);
    (void)socket;
    if (kind != WEBSOCKET_TEXT) {
        close_internal(session);
    } else if (session->n_held > 0 || !take_text(session, bytes, length, true)) {
        hold(session, bytes, length);
    }
    settle(session);
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
