#include "client/reactive_client.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/reactive_parts.h"

void reactive_tell(struct reactive_client *client, const char *format, ...) {
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const struct note note = {.kind = NOTE_TEXT, .text = text};
    host_note(client->host, &note);
}

/* --- what a new socket hears first --- */

static void send_connect(struct reactive_client *client) {
    struct buffer text = {0};
    buffer_printf(&text, "{\"connectionCount\":%u,\"lastCloseReason\":", client->connections);
    if (client->close_reason != NULL) {
        buffer_append_json_text(&text, client->close_reason);
    } else {
        buffer_append_text(&text, "null");
    }
    buffer_printf(&text, ",\"clientTs\":%" PRId64 ",\"type\":\"Connect\",\"sessionId\":\"%s\"",
                  host_now(client->host) / TIME_MILLISECOND, client->session);
    if (client->observed != 0) {
        buffer_append_text(&text, ",\"maxObservedTimestamp\":\"");
        reactive_append_ts(&text, client->observed);
        buffer_append_char(&text, '"');
    }
    buffer_append_char(&text, '}');
    reactive_socket_send(client, &text);
    buffer_free(&text);
}

void reactive_introduce(struct reactive_client *client) {
    struct buffer text = {0};
    assert(client->state == REACTIVE_READY && !client->paused);
    send_connect(client);
    reactive_auth_introduce(client);
    reactive_queries_restart(client, &text);
    reactive_socket_send(client, &text);
    buffer_free(&text);
    for (size_t i = 0; i < client->n_requests; i++) {
        client->requests[i].older_than_restart = false;
    }
    reactive_requests_restart(client);
}

void reactive_pause(struct reactive_client *client) {
    client->paused = client->state == REACTIVE_CONNECTING || client->state == REACTIVE_READY;
}

void reactive_resume(struct reactive_client *client) {
    bool was_paused = client->paused;
    struct buffer text = {0};
    client->paused = false;
    if (client->state != REACTIVE_READY || !was_paused) {
        return;
    }
    if (client->silent) {
        client->silent = false;
        reactive_introduce(client);
        return;
    }
    reactive_auth_resume(client);
    reactive_queries_resume(client, &text);
    if (text.length > 0) {
        reactive_socket_send(client, &text);
    }
    buffer_free(&text);
    reactive_requests_resume(client);
}

bool reactive_is_synced(const struct reactive_client *client) {
    if (client->auth.outstanding) {
        return false;
    }
    for (size_t i = 0; i < client->n_requests; i++) {
        if (client->requests[i].older_than_restart) {
            return false;
        }
    }
    for (size_t i = 0; i < client->n_queries; i++) {
        if (client->queries[i].outstanding) {
            return false;
        }
    }
    return true;
}

/* --- messages --- */

static bool hear_transition(struct reactive_client *client, const json_t *message) {
    const uint32_t identity = client->version.identity;
    if (!reactive_queries_transition(client, message)) {
        return false;
    }
    reactive_auth_transition(client, identity, client->version.identity);
    reactive_queries_note(client);
    reactive_requests_complete(client);
    return true;
}

static bool hear_fatal(struct reactive_client *client, const json_t *message) {
    const char *text = json_text(message, "error");
    reactive_tell(client, "the server ends this client for good: %.300s", text != NULL ? text : "");
    reactive_auth_stop(client);
    reactive_socket_stop(client, REACTIVE_TERMINATED);
    return true;
}

bool reactive_hear(struct reactive_client *client, const json_t *message) {
    const char *type = json_text(message, "type");
    if (strcmp(type, "Transition") == 0) {
        return hear_transition(client, message);
    }
    if (strcmp(type, "MutationResponse") == 0 || strcmp(type, "ActionResponse") == 0) {
        return reactive_requests_response(client, message, *type == 'M');
    }
    if (strcmp(type, "AuthError") == 0) {
        return reactive_auth_error(client, message);
    }
    return strcmp(type, "FatalError") == 0 && hear_fatal(client, message);
}

/* --- life --- */

static void draw_session(struct reactive_client *client) {
    uint64_t high = host_random(client->host, "reactive.session");
    uint64_t low = host_random(client->host, "reactive.session");
    high = (high & ~UINT64_C(0xf000)) | 0x4000;             /* version 4 */
    low = (low & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62; /* variant of RFC 9562 */
    snprintf(client->session, sizeof client->session, "%08x-%04x-%04x-%04x-%04x%08x", (unsigned)(high >> 32),
             (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff), (unsigned)(low >> 48),
             (unsigned)(low >> 32 & 0xffff), (unsigned)(low & 0xffffffff));
}

struct reactive_client *reactive_client_create(struct host *host, const struct reactive_settings *settings) {
    struct reactive_client *client = memory_allocate(sizeof *client);
    assert(settings->deployment != NULL);
    client->host = host;
    client->deployment = memory_copy_text(settings->deployment);
    client->state = REACTIVE_DISCONNECTED;
    draw_session(client);
    return client;
}

void reactive_client_destroy(struct reactive_client *client) {
    if (client == NULL) {
        return;
    }
    if (!client->crashed) {
        reactive_auth_stop(client);
        reactive_socket_stop(client, REACTIVE_DISCONNECTED);
    }
    reactive_auth_free(&client->auth);
    reactive_requests_drop(client);
    free(client->unsaid);
    for (size_t i = 0; i < client->n_queries; i++) {
        reactive_query_free(&client->queries[i]);
    }
    free(client->queries);
    free(client->requests);
    free(client->close_reason);
    buffer_free(&client->chunks);
    free(client->deployment);
    free(client);
}

void reactive_client_connect(struct reactive_client *client) {
    client->wants_connection = true;
    if (!client->crashed && client->state == REACTIVE_DISCONNECTED && client->reconnect == 0) {
        reactive_socket_open(client);
        if (!client->auth.began) {
            reactive_auth_begin(client);
        }
    }
}

void reactive_client_disconnect(struct reactive_client *client) {
    client->wants_connection = false;
    if (!client->crashed && client->state != REACTIVE_TERMINATED) {
        reactive_socket_stop(client, REACTIVE_DISCONNECTED);
    }
}

void reactive_client_crash(struct reactive_client *client) {
    const struct note note = {.kind = NOTE_CRASH};
    assert(!client->crashed);
    host_note(client->host, &note);
    client->crashed = true;
    reactive_socket_forget(client);
    reactive_auth_forget(client);
    reactive_requests_drop(client);
}

/* The app starts: nothing is known but what it subscribes to. */
void reactive_client_restart(struct reactive_client *client) {
    const struct note note = {.kind = NOTE_RESTART};
    assert(client->crashed && client->n_requests == 0);
    host_note(client->host, &note);
    client->crashed = false;
    client->connections = 0;
    client->retries = 0;
    client->next_request = 0;
    client->next_query = 0;
    client->observed = 0;
    client->version = (struct reactive_version){0};
    free(client->close_reason);
    client->close_reason = NULL;
    for (size_t i = 0; i < client->n_queries; i++) {
        struct reactive_query *query = &client->queries[i];
        reactive_query_forget(query);
        json_decref(query->journal);
        query->journal = NULL;
        query->id = client->next_query++;
    }
    draw_session(client);
    if (client->wants_connection) {
        reactive_client_connect(client);
    }
}

/* --- questions --- */

uint64_t reactive_client_timestamp(const struct reactive_client *client) {
    return client->version.ts;
}

const char *reactive_client_session(const struct reactive_client *client) {
    return client->session;
}

bool reactive_client_dead(const struct reactive_client *client) {
    return client->state == REACTIVE_TERMINATED;
}

bool reactive_client_settled(const struct reactive_client *client) {
    if (client->state == REACTIVE_TERMINATED) {
        return true;
    }
    return client->state == REACTIVE_READY && client->n_requests == 0 && !client->paused &&
           reactive_queries_settled(client) && reactive_auth_settled(client);
}
