/* The socket: opened, watched for silence, put together from chunks, opened again after a pause. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/reactive_parts.h"

static const char target[] = "/api/1.48.0/sync";
static const int64_t silence_limit = TIME_MINUTE;
static const size_t chunks_limit = (size_t)128 << 20; /* bytes of one transition */

static void set_reason(struct reactive_client *client, const char *reason) {
    free(client->close_reason);
    client->close_reason = memory_copy_text(reason);
}

static void note_connection(struct reactive_client *client, const char *state, const char *reason) {
    char *text = reason != NULL ? memory_format("%s: %s", state, *reason != 0 ? reason : "-")
                                : memory_copy_text(state);
    const struct note note = {.kind = NOTE_CONNECTION, .text = text};
    host_note(client->host, &note);
    free(text);
}

static void drop_chunks(struct reactive_client *client) {
    buffer_clear(&client->chunks);
    client->chunk_parts = 0;
    client->chunk_next = 0;
}

/* --- silence --- */

static void on_silence(void *context) {
    struct reactive_client *client = context;
    client->silence = 0;
    reactive_socket_reopen(client, "InactiveServer");
}

static void watch_silence(struct reactive_client *client) {
    host_timer_cancel(client->host, client->silence);
    client->silence = host_timer_set(client->host, silence_limit, on_silence, client);
}

/* --- coming back --- */

static void on_reconnect(void *context) {
    struct reactive_client *client = context;
    client->reconnect = 0;
    reactive_socket_open(client);
}

static void schedule(struct reactive_client *client, bool own, const char *reason) {
    int64_t delay = reactive_backoff(own, reason, client->retries++);
    host_timer_cancel(client->host, client->reconnect);
    client->state = REACTIVE_DISCONNECTED;
    client->socket = 0;
    note_connection(client, "disconnected", client->close_reason);
    delay = host_jitter(client->host, "reactive.back-off", delay, 50);
    client->reconnect = host_timer_set(client->host, delay, on_reconnect, client);
}

void reactive_socket_reopen(struct reactive_client *client, const char *reason) {
    if (client->state != REACTIVE_CONNECTING && client->state != REACTIVE_READY) {
        return;
    }
    set_reason(client, reason);
    drop_chunks(client);
    host_websocket_close(client->host, client->socket, 0, "");
    schedule(client, true, reason);
}

static void on_closed(void *context, uint64_t socket, int code, const char *reason) {
    struct reactive_client *client = context;
    assert(socket == client->socket);
    (void)socket;
    drop_chunks(client);
    if (client->close_reason == NULL) {
        char *text = *reason != 0 ? memory_copy_text(reason) : memory_format("closed with code %d", code);
        set_reason(client, text);
        free(text);
    }
    schedule(client, false, reason);
}

static void on_refused(void *context, uint64_t socket, const struct http_response *response) {
    (void)response;
    on_closed(context, socket, WEBSOCKET_ABNORMAL, "");
}

/* --- messages --- */

static bool same_transition(const struct reactive_client *client, uint32_t parts, const char *id) {
    return client->chunk_parts == 0 || (client->chunk_parts == parts && strcmp(client->chunk_id, id) == 0);
}

/* Null when more chunks must come or when `*good` is false; else the caller's. */
static json_t *add_chunk(struct reactive_client *client, const json_t *message, bool *good) {
    uint32_t number, parts;
    const char *text = json_text(message, "chunk"), *id = json_text(message, "transitionId");
    *good = text != NULL && id != NULL && strlen(id) < sizeof client->chunk_id &&
            reactive_read_count(message, "partNumber", &number) &&
            reactive_read_count(message, "totalParts", &parts) && number < parts &&
            same_transition(client, parts, id) && number == client->chunk_next &&
            client->chunks.length + strlen(text) <= chunks_limit;
    if (!*good) {
        return NULL;
    }
    client->chunk_parts = parts;
    client->chunk_next++;
    strcpy(client->chunk_id, id);
    buffer_append_text(&client->chunks, text);
    if (client->chunk_next < parts) {
        return NULL;
    }
    json_t *whole = json_parse(buffer_text(&client->chunks), client->chunks.length, NULL);
    const char *type = whole != NULL ? json_text(whole, "type") : NULL;
    *good = type != NULL && strcmp(type, "Transition") == 0;
    drop_chunks(client);
    return whole;
}

/* The back-off begins anew once all is synced, not when the socket opens, and a ping tells nothing of that.
 */
static bool hear(struct reactive_client *client, const json_t *message) {
    if (!reactive_hear(client, message)) {
        return false;
    }
    client->retries = reactive_is_synced(client) ? 0 : client->retries;
    return true;
}

/* False: the message breaks the protocol. Chunks and pings do not get further than this. */
static bool take_message(struct reactive_client *client, const json_t *message) {
    const char *type = json_is_object(message) ? json_text(message, "type") : NULL;
    if (type == NULL) {
        return false;
    }
    if (strcmp(type, "Ping") == 0) {
        return true;
    }
    if (strcmp(type, "TransitionChunk") != 0) {
        drop_chunks(client);
        return hear(client, message);
    }
    bool good;
    json_t *whole = add_chunk(client, message, &good);
    if (good && whole != NULL) {
        good = hear(client, whole);
    }
    json_decref(whole);
    return good;
}

static void on_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                       size_t length) {
    struct reactive_client *client = context;
    (void)socket;
    watch_silence(client);
    json_t *message = kind == WEBSOCKET_TEXT ? json_parse(bytes, length, NULL) : NULL;
    bool good = message != NULL && take_message(client, message);
    json_decref(message);
    if (!good) {
        reactive_tell(client, "a message of the server breaks the protocol: %.200s",
                      kind == WEBSOCKET_TEXT ? (const char *)bytes : "(binary)");
        reactive_socket_reopen(client, "InvalidMessage");
    }
}

static void on_opened(void *context, uint64_t socket) {
    struct reactive_client *client = context;
    assert(client->state == REACTIVE_CONNECTING && socket == client->socket);
    (void)socket;
    client->state = REACTIVE_READY;
    watch_silence(client);
    note_connection(client, "connected", NULL);
    client->silent = client->paused;
    if (!client->paused) {
        reactive_introduce(client);
    }
    client->connections++;
    free(client->close_reason);
    client->close_reason = NULL;
}

/* --- from outside --- */

void reactive_socket_open(struct reactive_client *client) {
    static const struct websocket_client_events events = {
        .opened = on_opened, .refused = on_refused, .message = on_message, .closed = on_closed};
    const struct http_request request = {.authority = client->deployment, .method = "GET", .target = target};
    bool stopped = client->state == REACTIVE_STOPPED;
    assert((client->state == REACTIVE_DISCONNECTED || stopped) && client->socket == 0);
    host_timer_cancel(client->host, client->reconnect);
    client->reconnect = 0;
    client->paused = false;
    client->state = REACTIVE_CONNECTING;
    if (client->close_reason == NULL && !stopped) {
        set_reason(client, client->connections == 0 ? "InitialConnect" : "OnCloseInvoked");
    }
    note_connection(client, "connecting", NULL);
    client->socket = host_websocket_connect(client->host, &request, &events, client);
    watch_silence(client);
}

bool reactive_socket_send(struct reactive_client *client, const struct buffer *text) {
    if (client->state != REACTIVE_READY || client->paused) {
        return false;
    }
    host_websocket_send(client->host, client->socket, WEBSOCKET_TEXT, buffer_text(text), text->length);
    return true;
}

void reactive_socket_stop(struct reactive_client *client, enum reactive_socket state) {
    host_timer_cancel(client->host, client->silence);
    host_timer_cancel(client->host, client->reconnect);
    host_websocket_close(client->host, client->socket, 0, "");
    if (state == REACTIVE_STOPPED) {
        note_connection(client, "disconnected", "a token is fetched");
    }
    reactive_socket_forget(client);
    client->state = state;
}

void reactive_socket_forget(struct reactive_client *client) {
    client->silence = 0;
    client->reconnect = 0;
    client->socket = 0;
    client->paused = false;
    client->state = REACTIVE_DISCONNECTED;
    drop_chunks(client);
}
