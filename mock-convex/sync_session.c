#include "mock-convex/sync_session.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/jwt.h"
#include "base/memory.h"
#include "mock-convex/auth.h"
#include "mock-convex/run_now.h"
#include "mock-convex/sync_message.h"
#include "mock-convex/sync_subscription.h"
#include "mock-convex/utf8.h"

struct queued {
    uint32_t request;
    struct convex_call call;
};

struct sync_session {
    struct sync_hub *hub;
    struct convex_deployment *deployment;
    struct sync_session *next, **link;
    uint64_t socket;
    bool chunks; /* the client takes TransitionChunk */
    bool over;   /* closed; freed at the end of the event */
    bool admin;
    char id[40];                 /* of the client's session; "" before Connect */
    struct sync_version sent;    /* endVersion of the last Transition */
    struct sync_version pending; /* what the next one must reach; ts: at least this */
    struct sync_subscription *queries;
    struct buffer removed; /* QueryRemoved items for the next Transition */
    struct queued *queue;  /* mutations that wait */
    size_t n_queue, queue_capacity;
    bool mutating; /* one runs */
    bool busy;     /* run_next is at work */
    bool owes;     /* a success was answered: a Transition follows even if it says nothing new */
    uint64_t update, ping, expiry; /* timers; 0: none */
    uint64_t transitions;
};

struct sync_session *sync_session_next(const struct sync_session *session) {
    return session->next;
}

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

static void free_session(struct sync_session *session) {
    struct host *host = session->deployment->host;
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
    *session->link = session->next;
    if (session->next != NULL) {
        session->next->link = session->link;
    }
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
    sync_print_transition(&text, &session->sent, &end, modifications);
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
        sync_subscription_look(query, &session->deployment->store);
        if (query->stale) {
            sync_subscription_run(query, session->deployment, &modifications);
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

void sync_session_commit(struct sync_session *session) {
    bool stale = false;
    for (struct sync_subscription *query = session->queries; query != NULL; query = query->next) {
        sync_subscription_look(query, &session->deployment->store);
        stale = stale || query->stale;
    }
    if (stale && !session->over) {
        wake(session);
    }
}

/* --- Connect, Authenticate --- */

static bool take_connect(struct sync_session *session, const struct sync_message *message) {
    assert(strlen(message->session) < sizeof session->id);
    if (message->observed > (uint64_t)session->deployment->store.latest) {
        return close_internal(session);
    }
    strcpy(session->id, message->session);
    return true;
}

static void fire_expiry(void *context) {
    struct sync_session *session = context;
    session->expiry = 0;
    close_auth(session, "The token has expired.", false);
    settle(session);
}

/* False: closed. A token without `exp` lasts. */
static bool watch_expiry(struct sync_session *session, const char *token) {
    struct host *host = session->deployment->host;
    struct jwt jwt = {0};
    enum status status = jwt_parse(&jwt, token, NULL);
    assert(status == STATUS_OK);
    (void)status;
    int64_t expires = json_integer_or(jwt.claims, "exp", INT64_MAX);
    jwt_free(&jwt);
    if (expires > INT64_MAX / TIME_SECOND) {
        return true;
    }
    int64_t left = expires <= 0 ? 0 : expires * TIME_SECOND - host_wall_clock(host);
    if (left <= 0) {
        return close_auth(session, "The token has expired.", true);
    }
    session->expiry = host_timer_set(host, left, fire_expiry, session);
    return true;
}

/* The token as the header that an HTTP request would carry. */
static bool identify(struct sync_session *session, const struct sync_message *message,
                     enum convex_identity *identity) {
    char *value = memory_format("%s %s", *message->token_type == 'A' ? "Convex" : "Bearer", message->token);
    const struct http_header header = {"Authorization", value};
    const struct http_request http = {.method = "GET", .target = "/", .headers = &header, .n_headers = 1};
    struct convex_request request;
    struct convex_reply reply = {0};
    convex_request_open(&request, &http);
    bool known = convex_auth_identify(&request, session->deployment->deploy_key, identity, &reply);
    convex_request_close(&request);
    convex_reply_free(&reply);
    free(value);
    return known;
}

static bool take_authenticate(struct sync_session *session, const struct sync_message *message) {
    enum convex_identity identity = CONVEX_NOBODY;
    if (message->base_version != session->pending.identity) {
        return close_internal(session);
    }
    if (message->token != NULL && !identify(session, message, &identity)) {
        return close_auth(session, "The token is not valid.", true);
    }
    host_timer_cancel(session->deployment->host, session->expiry);
    session->expiry = 0;
    if (identity == CONVEX_USER && !watch_expiry(session, message->token)) {
        return false;
    }
    session->admin = identity == CONVEX_ADMIN || identity == CONVEX_ACTING;
    session->pending.identity++;
    for (struct sync_subscription *query = session->queries; query != NULL; query = query->next) {
        query->stale = true;
    }
    wake(session);
    return true;
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
    if (component != NULL && *component != 0 && !session->admin) {
        return close_fatal(session, "ComponentPathForbidden: only an admin may name a component");
    }
    if (!convex_call_read(session->deployment, path, json_is_array(args) ? args : NULL, call)) {
        return close_fatal(session, "BadConvexFunctionIdentifier: the function's path cannot be parsed");
    }
    if (component != NULL && *component != 0) {
        call->function = NULL; /* there are no components */
    }
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
    *at = sync_subscription_make(modification->query, call);
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
    buffer_append_text(&text, ",\"logLines\":[]}");
    send_text(session, &text);
    buffer_free(&text);
}

static void refuse(struct sync_session *session, const char *type, uint32_t request,
                   const struct convex_call *call, const char *message, const struct convex_value *data) {
    struct buffer text = {0};
    convex_call_failure(session->deployment, call, message, data, &text);
    respond(session, type,
            &(struct sync_answer){.request = request, .message = buffer_text(&text), .data = data});
    buffer_free(&text);
}

/* Mutations of a socket run one at a time, in the order in which they came. */
static void run_next(struct sync_session *session) {
    while (!session->over && !session->mutating && session->n_queue > 0) {
        struct queued next = session->queue[0];
        memmove(session->queue, session->queue + 1, --session->n_queue * sizeof next);
        char message[512];
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
    if (!decode_call(session, message->path, message->component, message->args, &call)) {
        return false;
    }
    MEMORY_RESERVE(session->queue, session->queue_capacity, session->n_queue + 1);
    session->queue[session->n_queue++] = (struct queued){.request = message->request, .call = call};
    run_queue(session);
    return !session->over;
}

/* Actions do not wait for each other and are not kept: who asks twice runs them twice. */
static void run_action(struct sync_session *session, uint32_t request, const struct convex_call *call) {
    struct convex_value *value = NULL, *thrown = NULL;
    struct error error = {0};
    if (convex_run_now(session->deployment, call->function, call->args, &value, &thrown, &error) ==
        STATUS_OK) {
        struct buffer text = {0};
        convex_append_json(&text, value, CONVEX_FORMAT_ENCODED);
        respond(session, "ActionResponse",
                &(struct sync_answer){.request = request, .result = buffer_text(&text)});
        buffer_free(&text);
    } else {
        refuse(session, "ActionResponse", request, call, error.message, thrown);
    }
    convex_free(value);
    convex_free(thrown);
}

static bool take_action(struct sync_session *session, const struct sync_message *message) {
    struct convex_call call;
    if (!decode_call(session, message->path, message->component, message->args, &call)) {
        return false;
    }
    char text[512];
    const char *refusal = convex_call_refusal(&call, CONVEX_ACTION, text);
    if (refusal != NULL) {
        refuse(session, "ActionResponse", message->request, &call, refusal, NULL);
    } else {
        run_action(session, message->request, &call);
    }
    convex_call_free(&call);
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

static void on_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                       size_t length) {
    struct sync_session *session = context;
    struct sync_message message;
    struct error error = {0};
    assert(socket == session->socket);
    (void)socket;
    if (kind != WEBSOCKET_TEXT) {
        close_internal(session);
    } else if (sync_message_parse(&message, bytes, length, &error) != STATUS_OK) {
        close_fatal(session, error.message);
    } else {
        take_message(session, &message);
        sync_message_free(&message);
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
                                     .next = *list,
                                     .link = list};
    if (session->next != NULL) {
        session->next->link = &session->next;
    }
    *list = session;
    session->ping = host_timer_set(deployment->host, SYNC_PING_TIME, fire_ping, session);
    return true;
}
