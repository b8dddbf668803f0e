#include "mock-powersync/http/rsocket.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bson.h"
#include "base/json.h"
#include "mock-powersync/http/rsocket_private.h"
#include "mock-powersync/http/token_rules.h"

/* --- what goes out --- */

void rsocket_send(struct rsocket_connection *connection, const struct rsocket_frame *frame) {
    struct buffer bytes = {0};
    rsocket_frame_append(&bytes, frame);
    host_websocket_send(connection->server->options.host, connection->socket, WEBSOCKET_BINARY, bytes.data,
                        bytes.length);
    buffer_free(&bytes);
}

void rsocket_send_error(struct rsocket_connection *connection, uint32_t stream, uint32_t code,
                        const char *text) {
    const struct rsocket_frame frame = {
        .type = RSOCKET_ERROR, .stream = stream, .number = code, .data = {text, strlen(text)}};
    rsocket_send(connection, &frame);
}

char *rsocket_error_text(const struct http_error *error) {
    assert(error->code && error->description);
    return memory_format("[%s] %s%s%s", error->code, error->description, *error->details ? "\n  " : "",
                         error->details);
}

json_t *rsocket_decode(bool is_bson, const struct rsocket_bytes *bytes) {
    json_t *value = NULL;
    if (bytes->length == 0)
        return json_null();
    if (!is_bson)
        return json_parse(bytes->bytes, bytes->length, NULL);
    return bson_parse(bytes->bytes, bytes->length, &value, NULL) == STATUS_OK ? value : NULL;
}

/* --- the connection's life --- */

static void destroy(struct rsocket_connection *connection) {
    auth_call_cancel(connection->call);
    host_timer_cancel(connection->server->options.host, connection->timer);
    rsocket_streams_drop(connection);
    if (connection->phase == RSOCKET_OPEN)
        auth_user_free(&connection->user);
    buffer_free(&connection->held);
    free(connection);
}

static void drop(struct rsocket_connection *connection) {
    struct rsocket_server *server = connection->server;
    *(connection->previous ? &connection->previous->next : &server->first) = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    server->count--;
    destroy(connection);
}

/* Says why and closes. Nothing of the connection is left. */
static void refuse(struct rsocket_connection *connection, uint32_t code, const char *text) {
    rsocket_send_error(connection, 0, code, text);
    host_websocket_close(connection->server->options.host, connection->socket, 0, "");
    drop(connection);
}

static void refuse_setup(struct rsocket_connection *connection, const struct http_error *error) {
    char *text = rsocket_error_text(error);
    refuse(connection, RSOCKET_REJECTED_SETUP, text);
    free(text);
}

static void check_lifetime(void *context) {
    struct rsocket_connection *connection = context;
    struct host *host = connection->server->options.host;
    const int64_t left = connection->heard + connection->lifetime - host_now(host);
    connection->timer = 0;
    if (left > 0)
        connection->timer = host_timer_set(host, left, check_lifetime, connection);
    else
        refuse(connection, RSOCKET_CONNECTION_ERROR, "no KEEPALIVE came in the connection's lifetime");
}

/* --- the token --- */

static bool take_frame(struct rsocket_connection *connection, const struct rsocket_frame *frame);

static void take_held(struct rsocket_connection *connection) {
    struct buffer held = connection->held;
    connection->held = (struct buffer){0};
    bool lives = true;
    for (size_t at = 0; lives && at < held.length;) {
        struct rsocket_frame frame;
        const char *reason;
        size_t length;
        memcpy(&length, held.data + at, sizeof length);
        at += sizeof length;
        const bool is_frame = rsocket_frame_read(&frame, held.data + at, length, &reason);
        assert(is_frame); /* it was read before */
        lives = take_frame(connection, &frame);
        at += length;
    }
    buffer_free(&held);
}

static void token_checked(void *context, const struct auth_user *user, const struct http_error *error) {
    struct rsocket_connection *connection = context;
    if (!user) {
        refuse_setup(connection, error);
        return;
    }
    token_read_user(user->claims, &connection->user);
    connection->phase = RSOCKET_OPEN;
    take_held(connection);
}

/* --- SETUP --- */

static const char type_json[] = "application/json";
static const char type_bson[] = "application/bson";

static bool is_known_type(const struct rsocket_bytes *type) {
    return rsocket_bytes_are(type, type_json) || rsocket_bytes_are(type, type_bson);
}

/* The token of the SETUP's metadata, in `metadata`; NULL with `error` filled. */
static const char *setup_token(const struct rsocket_connection *connection, const struct rsocket_frame *frame,
                               json_t **metadata, struct http_error *error) {
    *metadata = NULL;
    if (connection->server->count > connection->server->options.connections_most) {
        http_error_set(error, 429, "ServiceError", "PSYNC_S2304", "There are too many connections");
        return NULL;
    }
    if (!is_known_type(&frame->metadata_type) || !is_known_type(&frame->data_type)) {
        http_error_set(error, 415, "ServiceError", "PSYNC_S2004",
                       "Payloads are application/json or application/bson");
        return NULL;
    }
    if (!frame->metadata.bytes) {
        http_error_authorization(error, "PSYNC_S2101", "The SETUP has no metadata");
        return NULL;
    }
    *metadata = rsocket_decode(rsocket_bytes_are(&frame->metadata_type, type_bson), &frame->metadata);
    const char *token = json_text(*metadata, "token");
    if (!token)
        http_error_authorization(error, "PSYNC_S2106", "The SETUP's metadata has no token");
    return token;
}

/* The connection may be gone afterwards. */
static void take_setup(struct rsocket_connection *connection, const struct rsocket_frame *frame) {
    struct rsocket_server *server = connection->server;
    struct http_error error = {0};
    json_t *metadata;
    if (frame->major != 1 || frame->flags & (RSOCKET_RESUME | RSOCKET_LEASE)) {
        refuse(connection, RSOCKET_UNSUPPORTED_SETUP, "version 1 without resumption and leases is expected");
        return;
    }
    const char *token = setup_token(connection, frame, &metadata, &error);
    if (!token) {
        json_decref(metadata);
        refuse_setup(connection, &error);
        return;
    }
    connection->data_is_bson = rsocket_bytes_are(&frame->data_type, type_bson);
    connection->phase = RSOCKET_CHECKING;
    connection->lifetime = (int64_t)frame->lifetime * TIME_MILLISECOND;
    connection->heard = host_now(server->options.host);
    connection->timer =
        host_timer_set(server->options.host, connection->lifetime, check_lifetime, connection);
    auth_check(server->options.auth, token, &connection->call, token_checked, connection);
    json_decref(metadata);
}

/* --- frames that come --- */

static void answer_keepalive(struct rsocket_connection *connection, const struct rsocket_frame *frame) {
    connection->heard = host_now(connection->server->options.host);
    if (!(frame->flags & RSOCKET_RESPOND))
        return;
    struct rsocket_frame answer = {.type = RSOCKET_KEEPALIVE, .data = frame->data};
    if (answer.data.length > rsocket_echo_most)
        answer.data.length = rsocket_echo_most;
    rsocket_send(connection, &answer);
}

/* Every frame may be answered: who sends without end and never reads would have us keep it all. */
static bool reads_answers(const struct rsocket_connection *connection) {
    const struct rsocket_server *server = connection->server;
    return host_websocket_unsent(server->options.host, connection->socket) <= rsocket_unread_most;
}

/* False: the connection is gone. */
static bool take_frame(struct rsocket_connection *connection, const struct rsocket_frame *frame) {
    switch (frame->type) {
    case RSOCKET_SETUP:
        refuse(connection, RSOCKET_INVALID_SETUP, "there was a SETUP before");
        return false;
    case RSOCKET_KEEPALIVE:
        answer_keepalive(connection, frame);
        break;
    case RSOCKET_REQUEST_STREAM:
        rsocket_stream_request(connection, frame);
        break;
    case RSOCKET_REQUEST_N:
        rsocket_stream_credit(connection, frame->stream, frame->number);
        break;
    case RSOCKET_CANCEL:
    case RSOCKET_ERROR:
        rsocket_stream_cancel(connection, frame->stream);
        break;
    case 0x04: /* REQUEST_RESPONSE */
    case 0x07: /* REQUEST_CHANNEL */
        rsocket_send_error(connection, frame->stream, RSOCKET_REJECTED, "only streams can be requested");
        break;
    default: /* fire and forget, metadata, leases: nobody waits for an answer */
        break;
    }
    return true;
}

static void hold(struct rsocket_connection *connection, const void *bytes, size_t length) {
    if (connection->held.length + length > rsocket_held_most) {
        refuse(connection, RSOCKET_CONNECTION_ERROR, "too much before the token was checked");
        return;
    }
    buffer_append(&connection->held, &length, sizeof length);
    buffer_append(&connection->held, bytes, length);
}

static void on_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                       size_t length) {
    struct rsocket_connection *connection = context;
    struct rsocket_frame frame;
    const char *reason;
    (void)kind;
    assert(socket == connection->socket);
    if (!rsocket_frame_read(&frame, bytes, length, &reason))
        refuse(connection, RSOCKET_CONNECTION_ERROR, reason);
    else if (!reads_answers(connection))
        refuse(connection, RSOCKET_CONNECTION_ERROR, "answers are not read");
    else if (connection->phase == RSOCKET_NEW && frame.type != RSOCKET_SETUP)
        refuse(connection, RSOCKET_INVALID_SETUP, "the first frame must be a SETUP");
    else if (connection->phase == RSOCKET_NEW)
        take_setup(connection, &frame);
    else if (connection->phase == RSOCKET_CHECKING)
        hold(connection, bytes, length);
    else
        take_frame(connection, &frame);
}

static void on_closed(void *context, uint64_t socket, int code, const char *reason) {
    (void)socket;
    (void)code;
    (void)reason;
    drop(context);
}

/* --- the server --- */

struct rsocket_server *rsocket_server_create(const struct rsocket_options *options) {
    struct rsocket_server *server = memory_allocate(sizeof *server);
    assert(options->host && options->open && options->connections_most > 0);
    server->options = *options;
    return server;
}

void rsocket_server_destroy(struct rsocket_server *server) {
    struct rsocket_connection *next;
    for (struct rsocket_connection *connection = server ? server->first : NULL; connection;
         connection = next) {
        next = connection->next;
        destroy(connection);
    }
    free(server);
}

void rsocket_server_go_away(struct rsocket_server *server) {
    server->goes_away = true;
    while (server->first) {
        host_websocket_close(server->options.host, server->first->socket, 1001, "the service ends");
        drop(server->first);
    }
}

bool rsocket_server_accept(struct rsocket_server *server, uint64_t exchange) {
    static const struct websocket_server_events events = {on_message, on_closed};
    if (server->goes_away)
        return false;
    struct rsocket_connection *connection = memory_allocate(sizeof *connection);
    if (!host_websocket_accept(server->options.host, exchange, &events, connection)) {
        free(connection);
        return false;
    }
    *connection = (struct rsocket_connection){.server = server, .socket = exchange, .next = server->first};
    if (server->first)
        server->first->previous = connection;
    server->first = connection;
    server->count++;
    return true;
}

size_t rsocket_server_connections(const struct rsocket_server *server) {
    return server->count;
}
