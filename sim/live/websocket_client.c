#include "live/websocket_client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "live/websocket_handshake.h"

enum { open_timeout_ms = 30000, reason_most = WEBSOCKET_REASON_LIMIT };

enum client_phase {
    CLIENT_NEW,        /* waits for the loop */
    CLIENT_CONNECTING, /* TCP */
    CLIENT_SHAKING,    /* waits for the answer to the handshake */
    CLIENT_OPEN,
    CLIENT_DRAINING
};

/* The head of the answer as it is read. */
struct answer {
    http_parser parser;
    struct buffer text; /* names and values, each terminated by 0 */
    size_t places[2 * live_header_fields_most];
    size_t n_places; /* even: all fields have both */
    size_t bytes;
    bool complete;
};

struct websocket_client {
    struct stream stream;
    struct live_node *node;
    uint64_t id; /* 0: over for the actor; from CLIENT_OPEN on `websocket` knows better */
    struct websocket_client_events events;
    void *context;
    enum client_phase phase;
    bool dropped; /* the actor has given it up */
    bool broken;  /* the connection is gone */
    char *authority;
    char accept[WEBSOCKET_ACCEPT_SIZE];
    struct answer *answer; /* while shaking hands */
    struct websocket *websocket;
    uv_connect_t connect;
    uint64_t started; /* loop ms */
    bool due;
    struct websocket_client *next_due;
    struct websocket_client *next;
    struct websocket_client *previous;
};

static struct live *live_behind(const struct websocket_client *client) {
    return client->node->live;
}

static uint64_t loop_now(const struct websocket_client *client) {
    return uv_now(&live_behind(client)->loop);
}

static void mark_due(struct websocket_client *client) {
    struct live *live = live_behind(client);
    if (client->due || client->stream.closing)
        return;
    client->due = true;
    client->next_due = NULL;
    *live->last_opened_due = client;
    live->last_opened_due = &client->next_due;
}

static struct websocket_client *take_due(struct live *live) {
    struct websocket_client *client = live->first_opened_due;
    live->first_opened_due = client->next_due;
    if (!live->first_opened_due)
        live->last_opened_due = &live->first_opened_due;
    client->due = false;
    return client;
}

/* --- the end --- */

static uint64_t leave(struct websocket_client *client) {
    uint64_t id = client->id;
    slot_table_remove(&live_behind(client)->opened, id);
    client->id = 0;
    return id;
}

static void free_answer(struct websocket_client *client) {
    if (client->answer)
        buffer_free(&client->answer->text);
    free(client->answer);
    client->answer = NULL;
}

static void on_released(void *owner) {
    struct websocket_client *client = owner;
    websocket_free(client->websocket);
    free_answer(client);
    free(client->authority);
    free(client);
}

/* The last call for a client; never while it is on the list of those due. */
static void finish(struct websocket_client *client, bool reset) {
    struct live *live = live_behind(client);
    assert(!client->due);
    if (client->stream.closing)
        return;
    if (client->previous)
        client->previous->next = client->next;
    else
        live->first_opened = client->next;
    if (client->next)
        client->next->previous = client->previous;
    stream_close(&client->stream, reset);
}

/* Never opened, or broken. `reason` is for people: no peer said it. */
static void fail(struct websocket_client *client, const char *reason) {
    const struct websocket_client_events events = client->events;
    void *context = client->context;
    uint64_t id = leave(client);
    finish(client, false);
    if (client->websocket)
        websocket_lose(client->websocket, true);
    else if (id != 0 && events.closed)
        events.closed(context, id, WEBSOCKET_ABNORMAL, reason);
}

/* --- the answer to the handshake --- */

static bool count_bytes(struct answer *answer, size_t length) {
    answer->bytes += length;
    return answer->bytes <= live_header_bytes_most;
}

/* A piece of a name (0) or of a value (1). */
static int add_piece(struct answer *answer, size_t which, const char *at, size_t length) {
    if (!count_bytes(answer, length))
        return -1;
    if (answer->n_places % 2 == which) { /* a new one begins */
        if (answer->n_places == sizeof answer->places / sizeof answer->places[0])
            return -1;
        if (answer->n_places > 0)
            buffer_append_char(&answer->text, '\0');
        answer->places[answer->n_places++] = answer->text.length;
    }
    buffer_append(&answer->text, at, length);
    return 0;
}

static int on_name(http_parser *parser, const char *at, size_t length) {
    return add_piece(parser->data, 0, at, length);
}

static int on_value(http_parser *parser, const char *at, size_t length) {
    return add_piece(parser->data, 1, at, length);
}

static int on_status(http_parser *parser, const char *at, size_t length) {
    (void)at;
    return count_bytes(parser->data, length) ? 0 : -1;
}

/* What follows is no HTTP, or of no interest. */
static int on_head_complete(http_parser *parser) {
    struct answer *answer = parser->data;
    answer->complete = true;
    http_parser_pause(parser, 1);
    return 0;
}

static const char *field_named(const struct answer *answer, const char *name) {
    const char *text = buffer_text(&answer->text);
    for (size_t i = 0; i + 1 < answer->n_places; i += 2)
        if (strcasecmp(text + answer->places[i], name) == 0)
            return text + answer->places[i + 1];
    return NULL;
}

static bool is_accepted(const struct websocket_client *client) {
    const struct answer *answer = client->answer;
    const char *accept = field_named(answer, "sec-websocket-accept");
    return answer->parser.status_code == 101 && accept && strcmp(accept, client->accept) == 0 &&
           websocket_list_has(field_named(answer, "upgrade"), "websocket") &&
           websocket_list_has(field_named(answer, "connection"), "upgrade") &&
           !field_named(answer, "sec-websocket-extensions") && !field_named(answer, "sec-websocket-protocol");
}

static void show_refusal(struct websocket_client *client) {
    const struct answer *answer = client->answer;
    struct http_header headers[live_header_fields_most];
    const char *text = buffer_text(&answer->text);
    uint64_t id = leave(client);
    for (size_t i = 0; i < answer->n_places / 2; i++)
        headers[i] = (struct http_header){.name = text + answer->places[2 * i],
                                          .value = text + answer->places[2 * i + 1]};
    const struct http_response response = {
        .status = (int)answer->parser.status_code, .headers = headers, .n_headers = answer->n_places / 2};
    finish(client, false); /* which keeps the text until the loop gets to it */
    if (client->events.refused)
        client->events.refused(client->context, id, &response);
}

static void open_socket(struct websocket_client *client) {
    const struct websocket_events events = {.message = client->events.message,
                                            .closed = client->events.closed};
    client->phase = CLIENT_OPEN;
    client->websocket = websocket_create(&client->stream, true, &live_behind(client)->opened, client->id,
                                         &events, client->context);
    free_answer(client);
    if (client->events.opened)
        client->events.opened(client->context, client->id);
}

static void read_answer(struct websocket_client *client) {
    static const http_parser_settings callbacks = {.on_status = on_status,
                                                   .on_header_field = on_name,
                                                   .on_header_value = on_value,
                                                   .on_headers_complete = on_head_complete};
    struct answer *answer = client->answer;
    struct buffer *held = &client->stream.held;
    size_t taken = http_parser_execute(&answer->parser, &callbacks, buffer_text(held), held->length);
    enum http_errno code = HTTP_PARSER_ERRNO(&answer->parser);
    if (code != HPE_OK && code != HPE_PAUSED) {
        fail(client, "the answer to the handshake cannot be read");
    } else if (!answer->complete) {
        buffer_consume(held, taken);
        if (client->broken)
            fail(client, "");
        else
            stream_adjust_reading(&client->stream);
    } else {
        /* Paused at the last byte of the head, which is not counted. */
        buffer_consume(held, taken + (code == HPE_PAUSED && held->data[taken] == '\n'));
        if (is_accepted(client))
            open_socket(client);
        else if (answer->parser.status_code == 101)
            fail(client, "the answer to the handshake is wrong");
        else
            show_refusal(client);
    }
}

/* --- connecting --- */

static void on_connected(uv_connect_t *connect, int status) {
    struct websocket_client *client = connect->data;
    if (client->stream.closing)
        return;
    client->broken = status < 0;
    client->phase = CLIENT_SHAKING;
    mark_due(client);
    if (status == 0) {
        uv_tcp_nodelay(&client->stream.tcp, 1);
        stream_adjust_reading(&client->stream);
    }
}

static void start(struct websocket_client *client) {
    const char *address = live_address_of(live_behind(client), client->authority);
    struct sockaddr_storage place = {0};
    struct error error = {0};
    char reason[reason_most + 1];
    client->phase = CLIENT_CONNECTING;
    client->connect.data = client;
    if (strncmp(address, "wss:", 4) == 0) {
        fail(client, "WebSockets over TLS are not supported");
        return;
    }
    if (live_parse_address(address, &place, &error) != STATUS_OK) {
        snprintf(reason, sizeof reason, "%.*s", reason_most, error.message);
        fail(client, reason);
        return;
    }
    int failed =
        uv_tcp_connect(&client->connect, &client->stream.tcp, (struct sockaddr *)&place, on_connected);
    if (failed)
        fail(client, uv_strerror(failed));
}

static void on_wake(void *owner) {
    mark_due(owner);
}

static void on_lost(void *owner, bool ended) {
    struct websocket_client *client = owner;
    (void)ended;
    client->broken = true;
    if (client->websocket)
        client->websocket->lost = true;
    mark_due(client);
}

static bool is_line_text(const char *text) {
    return text[strcspn(text, "\r\n")] == '\0';
}

static void put_handshake(struct websocket_client *client, const struct http_request *request) {
    char key[WEBSOCKET_KEY_SIZE];
    struct buffer *out = &client->stream.out;
    websocket_key_make(key);
    websocket_accept_of(key, client->accept);
    assert(is_line_text(request->target) && is_line_text(request->authority));
    buffer_printf(out,
                  "GET %s HTTP/1.1\r\nhost: %s\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
                  "sec-websocket-version: 13\r\nsec-websocket-key: %s\r\n",
                  request->target, live_address_of(live_behind(client), request->authority), key);
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct http_header *header = &request->headers[i];
        if (is_line_text(header->name) && is_line_text(header->value))
            buffer_printf(out, "%s: %s\r\n", header->name, header->value);
    }
    buffer_append_text(out, "\r\n");
}

uint64_t websocket_client_create(struct host *host, const struct http_request *request,
                                 const struct websocket_client_events *events, void *context) {
    static const struct stream_events callbacks = {.wake = on_wake, .lost = on_lost, .released = on_released};
    struct live *live = live_of(host);
    struct websocket_client *client = memory_allocate(sizeof *client);
    client->node = (struct live_node *)host;
    client->events = *events;
    client->context = context;
    client->authority = memory_copy_text(request->authority);
    client->answer = memory_allocate(sizeof *client->answer);
    http_parser_init(&client->answer->parser, HTTP_RESPONSE);
    client->answer->parser.data = client->answer;
    stream_open(&client->stream, live, &callbacks, client);
    put_handshake(client, request);
    client->id = slot_table_add(&live->opened, client);
    assert(client->id != 0);
    client->next = live->first_opened;
    if (client->next)
        client->next->previous = client;
    live->first_opened = client;
    client->started = loop_now(client);
    mark_due(client);
    return client->id;
}

/* --- the loop's side --- */

static void settle_open(struct websocket_client *client) {
    enum websocket_state state = websocket_settle(client->websocket);
    if (state == WEBSOCKET_BROKEN) {
        bool reset = client->websocket->reset;
        if (client->due)
            return; /* comes again */
        finish(client, reset);
        websocket_lose(client->websocket, true);
    } else if (state == WEBSOCKET_SAID_ALL) {
        client->phase = CLIENT_DRAINING;
        client->started = loop_now(client);
        if (client->broken || !stream_drain(&client->stream))
            client->broken = true;
        mark_due(client);
    } else {
        stream_adjust_reading(&client->stream);
    }
}

static void settle_shaking(struct websocket_client *client) {
    if (client->stream.held.length > 0) {
        read_answer(client);
        return;
    }
    if (client->broken || !stream_send(&client->stream))
        fail(client, "");
}

static void settle(struct websocket_client *client) {
    if (client->dropped)
        finish(client, true);
    else if (client->phase == CLIENT_NEW)
        start(client);
    else if (client->phase == CLIENT_SHAKING)
        settle_shaking(client);
    else if (client->phase == CLIENT_OPEN)
        settle_open(client);
    else if (client->phase == CLIENT_DRAINING && client->broken)
        finish(client, false);
}

bool live_websocket_client_settle(struct live *live) {
    bool any = live->first_opened_due != NULL;
    while (live->first_opened_due)
        settle(take_due(live));
    return any;
}

static void check(struct websocket_client *client) {
    uint64_t age = loop_now(client) - client->started;
    if (client->phase == CLIENT_OPEN) {
        websocket_check_idle(client->websocket);
        return;
    }
    if (client->phase == CLIENT_DRAINING) {
        client->broken = client->broken || age > stream_drain_ms;
    } else if (age > open_timeout_ms) {
        client->broken = true;
        client->phase = CLIENT_SHAKING;
    }
    if (client->broken)
        mark_due(client);
}

void live_websocket_client_sweep(struct live *live) {
    struct websocket_client *next;
    for (struct websocket_client *client = live->first_opened; client; client = next) {
        next = client->next;
        check(client);
    }
}

void live_websocket_client_open(struct live *live) {
    live->last_opened_due = &live->first_opened_due;
}

void live_websocket_client_abandon(struct live *live) {
    while (live->first_opened_due)
        take_due(live);
    while (live->first_opened)
        finish(live->first_opened, false);
}

/* --- for the operations --- */

struct websocket_client *websocket_client_find(struct host *host, uint64_t id) {
    struct websocket_client *client = slot_table_get(&live_of(host)->opened, id);
    return client && &client->node->host == host ? client : NULL;
}

struct websocket *websocket_client_socket(struct websocket_client *client) {
    return client->websocket;
}

void websocket_client_drop(struct websocket_client *client) {
    leave(client);
    client->dropped = true;
    mark_due(client);
}

void live_websocket_client_abort(struct host *host, uint64_t exchange) {
    struct websocket_client *client = websocket_client_find(host, exchange);
    if (!client)
        return;
    if (client->websocket)
        websocket_reset(client->websocket);
    else
        websocket_client_drop(client);
}
