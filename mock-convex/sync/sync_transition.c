/* The queries that a session is subscribed to, and the transitions that tell their results. */
#include <assert.h>
#include <inttypes.h>

#include "mock-convex/sync/sync_session_internal.h"

/* --- the query set --- */

static struct sync_subscription **find_query(struct sync_session *session, uint32_t id) {
    struct sync_subscription **at = &session->queries;
    while (*at != NULL && (*at)->id != id) {
        at = &(*at)->next;
    }
    return at;
}

static bool add_query(struct sync_session *session, const struct sync_modification *modification) {
    struct sync_subscription **at = find_query(session, modification->query);
    struct convex_call call;
    if (*at != NULL) {
        return sync_session_end_internal(session);
    }
    if (!sync_session_decode(session, modification->path, modification->component, modification->args,
                             &call)) {
        return false;
    }
    *at = sync_subscription_make(session, modification->query, call);
    return true;
}

static bool remove_query(struct sync_session *session, uint32_t id) {
    struct sync_subscription **at = find_query(session, id), *query = *at;
    if (query == NULL) {
        return sync_session_end_internal(session);
    }
    *at = query->next;
    sync_subscription_free(query);
    buffer_printf(&session->removed, "%s{\"type\":\"QueryRemoved\",\"queryId\":%" PRIu32 "}",
                  session->removed.length > 0 ? "," : "", id);
    return true;
}

bool sync_session_take_modify(struct sync_session *session, const struct sync_message *message) {
    struct sync_modification modification;
    struct error error = {0};
    if (message->base_version != session->pending.query_set ||
        message->new_version != session->pending.query_set + 1) {
        return sync_session_end_fatal(session, "BaseVersionMismatch: the query set has another version");
    }
    for (size_t i = 0; i < json_array_size(message->modifications); i++) {
        const json_t *json = json_array_get(message->modifications, i);
        if (sync_modification_parse(&modification, json, &error) != STATUS_OK) {
            return sync_session_end_fatal(session, error.message);
        }
        if (modification.add ? !add_query(session, &modification)
                             : !remove_query(session, modification.query)) {
            return false;
        }
    }
    session->pending.query_set++;
    sync_session_update_soon(session);
    return true;
}

/* --- transitions --- */

static void fire_update(void *context);

static void wake_in(struct sync_session *session, int64_t delay) {
    if (session->update == 0) {
        session->update = host_timer_set(session->deployment->host, delay, fire_update, session);
    }
}

void sync_session_update_soon(struct sync_session *session) {
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
        sync_session_send(session, &chunk);
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
        sync_session_send(session, &text);
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
        sync_session_update_soon(session);
    }
}

uint64_t sync_session_number(const struct sync_session *session) {
    return session->number;
}
