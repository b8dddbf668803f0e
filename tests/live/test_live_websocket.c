/* WebSockets on real sockets: the host's client against its server, and raw peers that break the rules. */
#include "cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/memory.h"
#include "live/live.h"

enum { limit = (16 << 20) + (64 << 10) };

/* RFC 6455, 1.3: this key is answered with this accept. */
static const char handshake[] = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n"
                                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
static const char accepted[] =
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/* What happens at both ends, a line each. */
struct fixture {
    struct live *live;
    struct host *server, *client;
    struct buffer at_server, at_client;
    uint64_t served, opened;
    size_t messages, bytes, n_closed, n_opened;
    size_t unsent_seen;                   /* the most that websocket_unsent said */
    const char *on_open;                  /* the client's first message; NULL: none */
    void (*when_open)(void *fixture);     /* at the client, NULL: nothing */
    void (*when_accepted)(void *fixture); /* at the server */
    bool stop_at_close, stop_at_message;
};

/* --- the server: echoes, or does what the message says --- */

static void server_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                           size_t length) {
    struct fixture *fixture = context;
    fixture->messages++;
    if (fixture->stop_at_message)
        live_stop(fixture->live);
    fixture->bytes += length;
    if (length < 100)
        buffer_printf(&fixture->at_server, "%s %.*s\n", kind == WEBSOCKET_TEXT ? "text" : "binary",
                      (int)length, (const char *)bytes);
    if (length == 5 && memcmp(bytes, "close", 5) == 0)
        host_websocket_close(fixture->server, socket, 1013, "OptimisticConcurrencyControlFailure");
    else if (length == 5 && memcmp(bytes, "leave", 5) == 0)
        host_websocket_close(fixture->server, socket, 0, NULL);
    else if (length == 5 && memcmp(bytes, "reset", 5) == 0)
        host_http_reset(fixture->server, socket);
    else
        host_websocket_send(fixture->server, socket, kind, bytes, length);
}

static void server_closed(void *context, uint64_t socket, int code, const char *reason) {
    struct fixture *fixture = context;
    (void)socket;
    fixture->n_closed++;
    buffer_printf(&fixture->at_server, "closed %d '%s'\n", code, reason);
    if (fixture->stop_at_close && code != WEBSOCKET_TOO_BIG) /* which the client must still see */
        live_stop(fixture->live);
}

static const struct websocket_server_events at_server = {.message = server_message, .closed = server_closed};

static void on_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct fixture *fixture = context;
    const struct http_header header = {"x-why", "no"};
    fixture->served = exchange;
    if (strcmp(request->target, "/refuse") != 0 &&
        host_websocket_accept(fixture->server, exchange, &at_server, fixture)) {
        assert_false(host_websocket_accept(fixture->server, exchange, &at_server, fixture));
        if (fixture->when_accepted)
            host_timer_set(fixture->server, 0, fixture->when_accepted, fixture);
        return;
    }
    buffer_printf(&fixture->at_server, "request\n");
    host_http_respond(fixture->server, exchange,
                      &(struct http_response){.status = 403, .headers = &header, .n_headers = 1});
    host_http_write(fixture->server, exchange, "body", 4);
    host_http_end(fixture->server, exchange);
}

/* --- the client --- */

static void stop(void *live) {
    live_stop(live);
}

/* Says a last word and closes; what comes after that does not count. */
static void client_leaves(void *context) {
    struct fixture *fixture = context;
    host_websocket_send(fixture->client, fixture->opened, WEBSOCKET_BINARY, "last", 4);
    host_websocket_close(fixture->client, fixture->opened, 4001, "enough");
    host_websocket_close(fixture->client, fixture->opened, 4002, "twice");
    host_websocket_send(fixture->client, fixture->opened, WEBSOCKET_TEXT, "late", 4);
    assert_int_equal(host_websocket_unsent(fixture->client, fixture->opened), 0);
}

static void client_opened(void *context, uint64_t socket) {
    struct fixture *fixture = context;
    fixture->n_opened++;
    buffer_append_text(&fixture->at_client, "opened\n");
    if (fixture->when_open)
        host_timer_set(fixture->client, 0, fixture->when_open, fixture);
    if (fixture->on_open)
        host_websocket_send(fixture->client, socket, WEBSOCKET_TEXT, fixture->on_open,
                            strlen(fixture->on_open));
}

static void client_refused(void *context, uint64_t socket, const struct http_response *response) {
    struct fixture *fixture = context;
    const char *why = "";
    (void)socket;
    for (size_t i = 0; i < response->n_headers; i++)
        why = strcmp(response->headers[i].name, "x-why") == 0 ? response->headers[i].value : why;
    buffer_printf(&fixture->at_client, "refused %d %s\n", response->status, why);
    live_stop(fixture->live);
}

static void client_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                           size_t length) {
    struct fixture *fixture = context;
    (void)socket;
    if (length < 100)
        buffer_printf(&fixture->at_client, "%s %.*s\n", kind == WEBSOCKET_TEXT ? "text" : "binary",
                      (int)length, (const char *)bytes);
    else
        buffer_printf(&fixture->at_client, "%zu bytes\n", length);
    if (length >= 100)
        client_leaves(fixture);
}

static void client_closed(void *context, uint64_t socket, int code, const char *reason) {
    struct fixture *fixture = context;
    (void)socket;
    buffer_printf(&fixture->at_client, "closed %d '%s'\n", code, reason);
    if (fixture->stop_at_close)
        live_stop(fixture->live);
}

static const struct websocket_client_events at_client = {
    .opened = client_opened, .refused = client_refused, .message = client_message, .closed = client_closed};

static uint64_t open_at(struct fixture *fixture, const char *authority, const char *target) {
    const struct http_request request = {.authority = authority, .method = "GET", .target = target};
    fixture->opened = host_websocket_connect(fixture->client, &request, &at_client, fixture);
    return fixture->opened;
}

static struct fixture *open_fixture(const struct live_settings *settings) {
    static const struct http_server_events events = {.request = on_request};
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    struct live_settings quick = *settings;
    if (quick.grace == 0)
        quick.grace = 100 * TIME_MILLISECOND;
    fixture->live = live_create(&quick);
    fixture->server = live_node(fixture->live, "server");
    fixture->client = live_node(fixture->live, "client");
    fixture->stop_at_close = true;
    host_http_listen(fixture->server, &events, fixture);
    assert_int_equal(live_serve(fixture->live, fixture->server, "127.0.0.1:0", NULL), STATUS_OK);
    return fixture;
}

static void close_fixture(struct fixture *fixture) {
    live_destroy(fixture->live);
    buffer_free(&fixture->at_server);
    buffer_free(&fixture->at_client);
    free(fixture);
}

static void run_for(struct fixture *fixture, int64_t nanoseconds) {
    host_timer_set(fixture->client, nanoseconds, stop, fixture->live);
    live_run(fixture->live);
}

static void expect(struct fixture *fixture, const char *server, const char *client) {
    assert_string_equal(buffer_text(&fixture->at_server), server);
    assert_string_equal(buffer_text(&fixture->at_client), client);
}

/* --- both ends are ours --- */

static void codes_and_reasons_reach_the_other_end(void **state) {
    static const struct {
        const char *say, *server, *client;
    } cases[] = {
        {"close", "text close\n", "opened\nclosed 1013 'OptimisticConcurrencyControlFailure'\n"},
        {"leave", "text leave\n", "opened\nclosed 1005 ''\n"},
        {"reset", "text reset\n", "opened\nclosed 1006 ''\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = open_fixture(&(struct live_settings){0});
        fixture->on_open = cases[i].say;
        open_at(fixture, "server", "/");
        run_for(fixture, 5 * TIME_SECOND);
        expect(fixture, cases[i].server, cases[i].client);
        assert_int_equal(live_connections(fixture->live), 0);
        close_fixture(fixture);
    }
}

static void closing_comes_behind_what_was_sent(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    fixture->when_open = client_leaves;
    open_at(fixture, "server", "/");
    run_for(fixture, 10 * TIME_SECOND);
    expect(fixture, "binary last\nclosed 4001 'enough'\n", "opened\n");
    close_fixture(fixture);
}

static void client_aborts(void *context) {
    struct fixture *fixture = context;
    host_http_abort(fixture->client, fixture->opened);
    host_http_abort(fixture->client, fixture->opened);
}

static void abort_is_abnormal_for_the_server(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    fixture->when_open = client_aborts;
    open_at(fixture, "server", "/");
    run_for(fixture, 10 * TIME_SECOND);
    expect(fixture, "closed 1006 ''\n", "opened\n");
    close_fixture(fixture);
}

static void closing_before_it_is_open_gives_up(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    host_websocket_close(fixture->client, open_at(fixture, "server", "/"), 1000, "");
    host_http_abort(fixture->client, open_at(fixture, "server", "/"));
    run_for(fixture, 100 * TIME_MILLISECOND);
    expect(fixture, "", "");
    close_fixture(fixture);
}

static void refusal_is_plain_http(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    open_at(fixture, "server", "/refuse");
    run_for(fixture, 5 * TIME_SECOND);
    expect(fixture, "request\n", "refused 403 no\n");
    close_fixture(fixture);
}

static void who_cannot_be_reached_is_abnormal(void **state) {
    static const struct {
        const char *authority, *says;
    } cases[] = {{"127.0.0.1:1", "closed 1006 ''\n"},
                 {"wss://127.0.0.1:1", "closed 1006 'WebSockets over TLS are not supported'\n"},
                 {"example.org:80", "closed 1006 'example.org is no numeric address'\n"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = open_fixture(&(struct live_settings){0});
        open_at(fixture, cases[i].authority, "/");
        run_for(fixture, 5 * TIME_SECOND);
        expect(fixture, "", cases[i].says);
        close_fixture(fixture);
    }
}

static void stopping_tells_both_ends(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){.grace = 5 * TIME_SECOND});
    open_at(fixture, "server", "/");
    run_for(fixture, 100 * TIME_MILLISECOND);
    expect(fixture, "closed 1001 ''\n", "opened\nclosed 1001 ''\n");
    assert_true(host_now(fixture->client) < 2 * TIME_SECOND); /* the grace was not used up */
    close_fixture(fixture);
}

static void send_big(void *context) {
    struct fixture *fixture = context;
    size_t length = limit + (fixture->messages > 0);
    char *big = memory_allocate(length);
    memset(big, 'x', length);
    fixture->messages = 0;
    host_websocket_send(fixture->client, fixture->opened, WEBSOCKET_TEXT, big, length);
    free(big);
}

static void message_limit_is_exact(void **state) {
    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        struct fixture *fixture = open_fixture(&(struct live_settings){0});
        fixture->messages = over;
        fixture->when_open = send_big;
        open_at(fixture, "server", "/");
        run_for(fixture, 30 * TIME_SECOND);
        assert_int_equal(fixture->bytes, over ? 0 : limit + 4);
        expect(fixture, over ? "closed 1009 ''\n" : "binary last\nclosed 4001 'enough'\n",
               over ? "opened\nclosed 1009 ''\n" : "opened\n16842752 bytes\n");
        close_fixture(fixture);
    }
}

static void many_sockets_echo(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    fixture->on_open = "hello";
    for (size_t i = 0; i < 500; i++)
        open_at(fixture, "server", "/");
    run_for(fixture, 3 * TIME_SECOND);
    assert_int_equal(fixture->n_opened, 500);
    assert_int_equal(fixture->messages, 500);
    assert_int_equal(fixture->bytes, 500 * strlen("hello"));
    assert_int_equal(fixture->n_closed, 500); /* by the stop */
    close_fixture(fixture);
}

/* --- raw peers --- */

/* A socket that has sent the handshake and `bytes`. */
static int open_raw(struct fixture *fixture, const void *bytes, size_t length) {
    const char *colon = strrchr(live_address(fixture->live, fixture->server), ':');
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
    struct buffer all = {0};
    int raw = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(raw >= 0);
    assert_int_equal(connect(raw, (struct sockaddr *)&address, sizeof address), 0);
    buffer_append_text(&all, handshake);
    buffer_append_text(&all, "\r\n");
    if (length > 0)
        buffer_append(&all, bytes, length);
    assert_int_equal(send(raw, all.data, all.length, MSG_NOSIGNAL), all.length);
    buffer_free(&all);
    return raw;
}

/* All that came after the accepted handshake and the first ping, as hex. */
static char *read_raw(int raw) {
    struct buffer text = {0}, hex = {0};
    char bytes[65536];
    ssize_t length;
    while ((length = recv(raw, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        buffer_append(&text, bytes, (size_t)length);
    bool ended = length == 0;
    close(raw);
    assert_true(text.length >= strlen(accepted) + 2);
    assert_memory_equal(text.data, accepted, strlen(accepted));
    assert_memory_equal(text.data + strlen(accepted), "\x89\x00", 2); /* an empty ping at once: sheet 5.2 */
    hex_append(&hex, text.data + strlen(accepted) + 2, text.length - strlen(accepted) - 2);
    buffer_append_text(&hex, ended ? " end" : "");
    buffer_free(&text);
    return buffer_take(&hex);
}

/* Frames with the mask 0, so that what is masked can be read here. */
#define MASK "\0\0\0\0"

static const struct {
    const char *what, *sent;
    size_t length;
    const char *answer, *server; /* hex of what comes back; what the actor sees */
} raw_cases[] = {
    {"text", "\x81\x82" MASK "hi", 8, "81026869", "text hi\nclosed 1001 ''\n"},
    {"masked text", "\x81\x82\x01\x02\x03\x04\x69\x6b", 8, "81026869", "text hi\nclosed 1001 ''\n"},
    {"binary", "\x82\x82" MASK "\xff\xfe", 8, "8202fffe", "binary \xff\xfe\nclosed 1001 ''\n"},
    {"empty text", "\x81\x80" MASK, 6, "8100", "text \nclosed 1001 ''\n"},
    {"fragments", "\x01\x81" MASK "a\x00\x81" MASK "b\x80\x81" MASK "c", 21, "8103616263",
     "text abc\nclosed 1001 ''\n"},
    {"a ping between fragments", "\x01\x81" MASK "a\x89\x82" MASK "pi\x80\x81" MASK "c", 22,
     "810261638a027069", "text ac\nclosed 1001 ''\n"},
    {"a character in two fragments", "\x01\x81" MASK "\xc3\x80\x81" MASK "\xa9", 14, "8102c3a9",
     "text \xc3\xa9\nclosed 1001 ''\n"},
    {"only the newest ping is answered", "\x89\x81" MASK "1\x89\x81" MASK "2", 14, "8a0132",
     "closed 1001 ''\n"},
    {"an unasked pong", "\x8a\x81" MASK "1", 7, "", "closed 1001 ''\n"},
    {"close with code and reason",
     "\x88\x85" MASK "\x0f\xa1"
     "bye",
     11, "88050fa1627965 end", "closed 4001 'bye'\n"},
    {"close without code", "\x88\x80" MASK, 6, "8800 end", "closed 1005 ''\n"},
    {"a message after close", "\x88\x80" MASK "\x81\x82" MASK "hi", 14, "8800 end", "closed 1005 ''\n"},
    {"not masked", "\x81\x02hi", 4, "880203ea end", "closed 1002 ''\n"},
    {"reserved bit", "\xc1\x82" MASK "hi", 8, "880203ea end", "closed 1002 ''\n"},
    {"reserved opcode", "\x83\x82" MASK "hi", 8, "880203ea end", "closed 1002 ''\n"},
    {"reserved control opcode", "\x8b\x82" MASK "hi", 8, "880203ea end", "closed 1002 ''\n"},
    {"fragmented ping", "\x09\x81" MASK "1", 7, "880203ea end", "closed 1002 ''\n"},
    {"long ping", "\x89\xfe\x00\x7e" MASK, 8, "880203ea end", "closed 1002 ''\n"},
    {"length not in its shortest form", "\x81\xfe\x00\x02" MASK "hi", 10, "880203ea end", "closed 1002 ''\n"},
    {"continuation of nothing", "\x80\x81" MASK "1", 7, "880203ea end", "closed 1002 ''\n"},
    {"text inside a message", "\x01\x81" MASK "a\x81\x81" MASK "b", 14, "880203ea end", "closed 1002 ''\n"},
    {"close of one byte", "\x88\x81" MASK "\x03", 7, "880203ea end", "closed 1002 ''\n"},
    {"close with a code that nobody sends", "\x88\x82" MASK "\x03\xee", 8, "880203ea end",
     "closed 1002 ''\n"},
    {"text that is not UTF-8", "\x81\x82" MASK "\xc0\x80", 8, "880203ef end", "closed 1007 ''\n"},
    {"half of a surrogate pair", "\x81\x83" MASK "\xed\xa0\x80", 9, "880203ef end", "closed 1007 ''\n"},
    {"text that ends in a character", "\x81\x81" MASK "\xc3", 7, "880203ef end", "closed 1007 ''\n"},
    {"reason that is not UTF-8", "\x88\x83" MASK "\x03\xe8\xff", 9, "880203ef end", "closed 1007 ''\n"},
    {"a frame above the limit", "\x81\xff\0\0\0\0\x01\x01\0\x01" MASK "x", 15, "880203f1 end",
     "closed 1009 ''\n"},
};

static void rules_of_the_protocol(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof raw_cases / sizeof raw_cases[0]; i++) {
        struct fixture *fixture = open_fixture(&(struct live_settings){0});
        int raw = open_raw(fixture, raw_cases[i].sent, raw_cases[i].length);
        run_for(fixture, 150 * TIME_MILLISECOND);
        char *answer = read_raw(raw);
        char *goodbye = strstr(answer, "880203e9"); /* 1001, of the stop, when the socket was still open */
        if (goodbye)
            *goodbye = '\0';
        if (strcmp(answer, raw_cases[i].answer) != 0 ||
            strcmp(buffer_text(&fixture->at_server), raw_cases[i].server) != 0)
            fail_msg("%s: answered %s, seen as %s", raw_cases[i].what, answer,
                     buffer_text(&fixture->at_server));
        free(answer);
        close_fixture(fixture);
    }
}

/* One byte at a time, handshake included, is the same as all at once. */
static void bytes_may_come_one_by_one(void **state) {
    static const char frames[] = "\x01\x81" MASK "a\x89\x81" MASK "p\x80\x82" MASK "\xc3\xa9";
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    int raw = open_raw(fixture, NULL, 0);
    int on = 1;
    setsockopt(raw, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        for (size_t i = 0; i + 1 < sizeof frames; i++) {
            usleep(2000);
            send(raw, frames + i, 1, MSG_NOSIGNAL);
        }
        _exit(0);
    }
    fixture->stop_at_message = true;
    run_for(fixture, 20 * TIME_SECOND);
    assert_string_equal(buffer_text(&fixture->at_server), "text a\xc3\xa9\nclosed 1001 ''\n");
    close(raw);
    close_fixture(fixture);
}

static const char *const no_handshakes[] = {
    "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: c2hvcnQ=\r\n\r\n",
    "GET / HTTP/1.1\r\nConnection: close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
};

static void what_is_no_handshake_is_answered(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof no_handshakes / sizeof no_handshakes[0]; i++) {
        struct fixture *fixture = open_fixture(&(struct live_settings){0});
        const char *colon = strrchr(live_address(fixture->live, fixture->server), ':');
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
        char answer[4096] = "";
        int raw = socket(AF_INET, SOCK_STREAM, 0);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(connect(raw, (struct sockaddr *)&address, sizeof address), 0);
        assert_true(send(raw, no_handshakes[i], strlen(no_handshakes[i]), MSG_NOSIGNAL) > 0);
        run_for(fixture, 150 * TIME_MILLISECOND);
        assert_true(recv(raw, answer, sizeof answer - 1, MSG_DONTWAIT) > 0);
        assert_int_equal(strncmp(answer, "HTTP/1.1 403 ", 13), 0);
        assert_string_equal(buffer_text(&fixture->at_server), "request\n");
        close(raw);
        close_fixture(fixture);
    }
}

static void silent_peers_are_pinged_and_dropped(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){
        .websocket_ping = 50 * TIME_MILLISECOND, .websocket_timeout = 300 * TIME_MILLISECOND});
    fixture->stop_at_close = false;
    int raw = open_raw(fixture, NULL, 0);
    open_at(fixture, "server", "/"); /* this one answers, and lives */
    run_for(fixture, 1000 * TIME_MILLISECOND);
    char *answer = read_raw(raw);
    assert_int_equal(strncmp(answer, "890089008900", 12), 0);
    /* 1000 "ClientDisconnect": sheet 5.2 */
    assert_non_null(strstr(answer, "881203e8436c69656e74446973636f6e6e656374"));
    assert_string_equal(buffer_text(&fixture->at_server), "closed 1000 'ClientDisconnect'\nclosed 1001 ''\n");
    assert_string_equal(buffer_text(&fixture->at_client), "opened\nclosed 1001 ''\n");
    free(answer);
    close_fixture(fixture);
}

/* --- slow readers and peers that go --- */

enum { piece = 1 << 20 };

static void pour(void *context) {
    struct fixture *fixture = context;
    char *bytes = memory_allocate(piece);
    for (size_t i = 0; i < 40; i++)
        host_websocket_send(fixture->server, fixture->served, WEBSOCKET_BINARY, bytes, piece);
    free(bytes);
    fixture->unsent_seen = host_websocket_unsent(fixture->server, fixture->served);
}

static void unsent_counts_what_the_kernel_does_not_take(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    int raw = open_raw(fixture, NULL, 0);
    fixture->when_accepted = pour;
    run_for(fixture, 500 * TIME_MILLISECOND);
    /* 40 MB are more than a loopback socket holds, and the first of them are less. */
    assert_in_range(fixture->unsent_seen, 20, 40);
    close(raw);
    close_fixture(fixture);
}

static void small_messages_are_not_held_back(void *context) {
    struct fixture *fixture = context;
    for (size_t i = 0; i < 10; i++)
        host_websocket_send(fixture->server, fixture->served, WEBSOCKET_TEXT, "x", 1);
    fixture->unsent_seen = 1 + host_websocket_unsent(fixture->server, fixture->served);
}

static void unsent_is_zero_for_who_reads(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    open_at(fixture, "server", "/");
    fixture->when_accepted = small_messages_are_not_held_back;
    run_for(fixture, 500 * TIME_MILLISECOND);
    assert_int_equal(fixture->unsent_seen, 1);
    close_fixture(fixture);
}

static void slow_reader_is_dropped(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){.unsent_most = 8 << 20});
    int raw = open_raw(fixture, NULL, 0);
    fixture->when_accepted = pour;
    run_for(fixture, 500 * TIME_MILLISECOND);
    assert_string_equal(buffer_text(&fixture->at_server), "closed 1006 ''\n");
    close(raw);
    close_fixture(fixture);
}

static void break_and_write(void *context) {
    struct fixture *fixture = context;
    struct linger now = {.l_onoff = 1};
    int raw = (int)fixture->messages;
    setsockopt(raw, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(raw); /* RST */
    for (int i = 0; i < 3; i++) {
        host_websocket_send(fixture->server, fixture->served, WEBSOCKET_TEXT, "x", 1);
        host_websocket_unsent(fixture->server, fixture->served); /* tries to write */
    }
}

/* Writing to a peer that has gone is no reason to die (SIGPIPE). */
static void peer_that_broke_off_is_abnormal(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    fixture->messages = (size_t)open_raw(fixture, NULL, 0);
    fixture->when_accepted = break_and_write;
    run_for(fixture, 500 * TIME_MILLISECOND);
    assert_string_equal(buffer_text(&fixture->at_server), "closed 1006 ''\n");
    close_fixture(fixture);
}

static void end_without_goodbye_is_abnormal(void **state) {
    static const char text[] = "\x81\x82" MASK "hi";
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    int raw = open_raw(fixture, text, sizeof text - 1);
    shutdown(raw, SHUT_WR); /* half open: it still reads */
    run_for(fixture, 500 * TIME_MILLISECOND);
    assert_string_equal(buffer_text(&fixture->at_server), "text hi\nclosed 1006 ''\n");
    close(raw);
    close_fixture(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(codes_and_reasons_reach_the_other_end),
                                       cmocka_unit_test(closing_comes_behind_what_was_sent),
                                       cmocka_unit_test(abort_is_abnormal_for_the_server),
                                       cmocka_unit_test(closing_before_it_is_open_gives_up),
                                       cmocka_unit_test(refusal_is_plain_http),
                                       cmocka_unit_test(who_cannot_be_reached_is_abnormal),
                                       cmocka_unit_test(stopping_tells_both_ends),
                                       cmocka_unit_test(message_limit_is_exact),
                                       cmocka_unit_test(many_sockets_echo),
                                       cmocka_unit_test(rules_of_the_protocol),
                                       cmocka_unit_test(bytes_may_come_one_by_one),
                                       cmocka_unit_test(what_is_no_handshake_is_answered),
                                       cmocka_unit_test(silent_peers_are_pinged_and_dropped),
                                       cmocka_unit_test(unsent_counts_what_the_kernel_does_not_take),
                                       cmocka_unit_test(unsent_is_zero_for_who_reads),
                                       cmocka_unit_test(slow_reader_is_dropped),
                                       cmocka_unit_test(peer_that_broke_off_is_abnormal),
                                       cmocka_unit_test(end_without_goodbye_is_abnormal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
