/* WebSockets over the virtual network. */
#include "net_log.h"

#include <stdlib.h>

static void log_opened(void *context, uint64_t socket) {
    log_time(context);
    buffer_printf(&((struct net_log *)context)->text, "client #%d opened\n", (int)socket);
}

static void log_refused(void *context, uint64_t socket, const struct http_response *response) {
    log_time(context);
    buffer_printf(&((struct net_log *)context)->text, "client #%d refused %d\n", (int)socket,
                  response->status);
}

static void log_message(struct net_log *log, const char *end, uint64_t socket, enum websocket_kind kind,
                        const void *bytes, size_t length) {
    log->received += length;
    log_time(log);
    buffer_printf(&log->text, "%s #%d %s %.*s\n", end, (int)socket,
                  kind == WEBSOCKET_TEXT ? "text" : "binary", (int)(length < 20 ? length : 20),
                  (const char *)bytes);
}

static void log_client_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                               size_t length) {
    log_message(context, "client", socket, kind, bytes, length);
}

static void log_server_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                               size_t length) {
    log_message(context, "server", socket, kind, bytes, length);
}

static void log_client_closed(void *context, uint64_t socket, int code, const char *reason) {
    log_time(context);
    buffer_printf(&((struct net_log *)context)->text, "client #%d closed %d '%s'\n", (int)socket, code,
                  reason);
}

static void log_server_closed(void *context, uint64_t socket, int code, const char *reason) {
    log_time(context);
    buffer_printf(&((struct net_log *)context)->text, "server #%d closed %d '%s'\n", (int)socket, code,
                  reason);
}

static const struct websocket_client_events at_client = {
    .opened = log_opened, .refused = log_refused, .message = log_client_message, .closed = log_client_closed};
static const struct websocket_server_events at_server = {.message = log_server_message,
                                                         .closed = log_server_closed};

static void accept_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct net_log *log = context;
    log_time(log);
    buffer_printf(&log->text, "server #%d %s %s\n", (int)exchange, request->method, request->target);
    log->served = exchange;
    if (!log->silent)
        buffer_printf(&log->text,
                      host_websocket_accept(log->server, exchange, &at_server, log) ? "" : "no\n");
}

static const struct http_server_events accepting = {.request = accept_request, .closed = log_closed};

static uint64_t connect_to(struct net_log *log, const char *authority) {
    const struct http_request request = {.authority = authority, .method = "GET", .target = "/sync"};
    return host_websocket_connect(log->client, &request, &at_client, log);
}

static void say(struct host *host, uint64_t socket, const char *text) {
    host_websocket_send(host, socket, WEBSOCKET_TEXT, text, strlen(text));
}

/* An open socket, an empty log, at 20 ms. */
static uint64_t log_open_socket(struct net_log *log, uint64_t seed, int64_t jitter) {
    log_open(log, seed, jitter);
    host_http_listen(log->server, &accepting, log);
    uint64_t socket = connect_to(log, "convex");
    run_for(log, jitter == 0 ? 20 * MS : 10 * TIME_SECOND);
    buffer_clear(&log->text);
    return socket;
}

static void test_a_conversation(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    host_http_listen(log.server, &accepting, &log);
    uint64_t socket = connect_to(&log, "convex");
    run_for(&log, 20 * MS);
    say(log.client, socket, "hello");
    run_for(&log, MS);
    say(log.server, socket, "welcome");
    run_for(&log, MS);
    host_websocket_send(log.client, socket, WEBSOCKET_BINARY, "b", 1);
    say(log.client, socket, "");
    run_for(&log, 10 * MS);
    say(log.server, socket, "bye");
    host_websocket_close(log.server, socket, 1013, "OverloadedError");
    say(log.server, socket, "never sent");
    run_for(&log, TIME_SECOND);
    check_log(&log,
              "10 server #1 GET /sync\n20 client #1 opened\n"
              "30 server #1 text hello\n31 client #1 text welcome\n32 server #1 binary b\n"
              "32 server #1 text \n42 client #1 text bye\n42 client #1 closed 1013 'OverloadedError'\n");
    assert_string_equal(buffer_text(&log.wire),
                        "request #1 alice-1>convex GET /sync 0 \n"
                        "request-seen #1 alice-1>convex GET /sync 0 \n"
                        "accept #1 alice-1>convex GET /sync 0 \n"
                        "accept-seen #1 alice-1>convex GET /sync 0 \n"
                        "up #1 alice-1>convex GET /sync 1 hello\n"
                        "down #1 alice-1>convex GET /sync 1 welcome\n"
                        "up #1 alice-1>convex GET /sync 2 b\n"
                        "up #1 alice-1>convex GET /sync 1 \n"
                        "up-seen #1 alice-1>convex GET /sync 1 hello\n"
                        "down-seen #1 alice-1>convex GET /sync 1 welcome\n"
                        "up-seen #1 alice-1>convex GET /sync 2 b\n"
                        "up-seen #1 alice-1>convex GET /sync 1 \n"
                        "down #1 alice-1>convex GET /sync 1 bye\n"
                        "down-close #1 alice-1>convex GET /sync 1013 OverloadedError\n"
                        "down-seen #1 alice-1>convex GET /sync 1 bye\n"
                        "down-close-seen #1 alice-1>convex GET /sync 1013 "
                        "OverloadedError\n");
    say(log.client, socket, "over");
    host_websocket_close(log.client, socket, 1000, "");
    assert_int_equal(host_websocket_unsent(log.client, socket), 0);
    run_for(&log, TIME_SECOND);
    check_log(&log, "");
    log_close(&log);
}

static void check_handshake(void *context, uint64_t exchange, const struct http_request *request) {
    static const struct http_header expected[] = {{"Convex-Client", "npm-1.48.0"},
                                                  {"Connection", "Upgrade"},
                                                  {"Upgrade", "websocket"},
                                                  {"Sec-WebSocket-Version", "13"}};
    struct net_log *log = context;
    assert_int_equal(request->n_headers, 5);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(request->headers[i].name, expected[i].name);
        assert_string_equal(request->headers[i].value, expected[i].value);
    }
    assert_string_equal(request->headers[4].name, "Sec-WebSocket-Key");
    assert_int_equal(strlen(request->headers[4].value), 24); /* 16 bytes in base64 */
    assert_int_equal(request->body_length, 0);
    log->served = exchange;
    host_http_respond(log->server, exchange, &(struct http_response){.status = 400});
    host_http_write(log->server, exchange, "{}", 2);
    host_http_end(log->server, exchange);
    assert_false(host_websocket_accept(log->server, exchange, &at_server, log)); /* it is over */
}

static void test_refused_by_an_answer(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    host_http_listen(log.server, &(struct http_server_events){.request = check_handshake}, &log);
    struct http_header header = {"Convex-Client", "npm-1.48.0"};
    struct http_request request = {"convex", "GET", "/sync", &header, 1, NULL, 0};
    host_websocket_connect(log.client, &request, &at_client, &log);
    run_for(&log, TIME_SECOND);
    assert_int_equal(log.served, 1);
    check_log(&log, "20 client #1 refused 400\n");
    assert_non_null(strstr(buffer_text(&log.wire), "head-seen #1"));
    assert_non_null(strstr(buffer_text(&log.wire), "end-seen #1"));
    log_close(&log);
}

/* A server that is reset behind the head of its refusal adds nothing to it. */
static void test_refused_is_final(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    host_http_listen(log.server, &accepting, &log);
    log.silent = true;
    uint64_t socket = connect_to(&log, "convex");
    run_for(&log, 15 * MS);
    host_http_respond(log.server, socket, &(struct http_response){.status = 503});
    host_http_reset(log.server, socket);
    run_for(&log, TIME_SECOND);
    check_log(&log, "10 server #1 GET /sync\n25 client #1 refused 503\n");
    log_close(&log);
}

/* Nobody there, and a request that is no handshake. */
static void test_no_socket(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    connect_to(&log, "nowhere");
    run_for(&log, 100 * MS);
    check_log(&log, "20 client #1 closed 1006 ''\n");
    host_http_listen(log.server, &accepting, &log);
    uint64_t plain = send_to(&log, "convex", NULL);
    run_for(&log, 100 * MS);
    check_log(&log, "110 server #2 POST /x\nno\n");
    assert_false(host_websocket_accept(log.server, 0, &at_server, &log));
    assert_false(host_websocket_accept(log.server, 99, &at_server, &log));
    host_websocket_close(log.client, plain, 1000, ""); /* not a socket: ignored */
    say(log.client, plain, "x");
    host_http_respond(log.server, plain, &(struct http_response){.status = 426}); /* still possible */
    host_http_end(log.server, plain);
    run_for(&log, 100 * MS);
    check_log(&log, "210 client #2 head 426\n210 client #2 end\n");
    log_close(&log);
}

/* Who closes, with which code, and what the other end sees. Code -1: dropped without a closing frame. */
static const struct close_row {
    bool client;
    int code;
    const char *reason;
    const char *expected;
} close_rows[] = {
    {true, 1000, "", "30 server #1 closed 1000 ''\n"},
    {true, 4040, "gone", "30 server #1 closed 4040 'gone'\n"},
    {true, 0, NULL, "30 server #1 closed 1005 ''\n"},
    {true, -1, NULL, "30 server #1 closed 1006 ''\n"},
    {false, 1011, "InternalServerError", "30 client #1 closed 1011 'InternalServerError'\n"},
    {false, 0, "", "30 client #1 closed 1005 ''\n"},
    {false, -1, NULL, "30 client #1 closed 1006 ''\n"},
};

static void test_closing(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof close_rows / sizeof close_rows[0]; i++) {
        const struct close_row *row = &close_rows[i];
        struct net_log log;
        uint64_t socket = log_open_socket(&log, 1, 0);
        if (row->code >= 0)
            host_websocket_close(row->client ? log.client : log.server, socket, row->code, row->reason);
        else if (row->client)
            host_http_abort(log.client, socket);
        else
            host_http_reset(log.server, socket);
        run_for(&log, TIME_SECOND);
        check_log(&log, row->expected);
        log_close(&log);
    }
}

/* Both close, and what each still had on its way to the other is not shown. */
static void test_closing_from_both_ends(void **state) {
    (void)state;
    struct net_log log;
    uint64_t socket = log_open_socket(&log, 1, 0);
    say(log.server, socket, "late");
    say(log.client, socket, "late");
    host_websocket_close(log.server, socket, 1001, "");
    run_for(&log, 5 * MS);
    host_websocket_close(log.client, socket, 1000, "");
    run_for(&log, TIME_SECOND);
    check_log(&log, "");
    log_close(&log);
}

/* Given up before it was open: before the server saw it, and while the acceptance travels. */
static void test_closing_before_it_is_open(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    host_http_listen(log.server, &accepting, &log);
    host_websocket_close(log.client, connect_to(&log, "convex"), 1000, "");
    run_for(&log, 100 * MS);
    check_log(&log, "10 server #1 GET /sync\n10 server #1 closed 1006 ''\n");
    uint64_t socket = connect_to(&log, "convex");
    run_for(&log, 15 * MS);
    host_websocket_close(log.client, socket, 1000, "");
    run_for(&log, 100 * MS);
    check_log(&log, "110 server #2 GET /sync\n125 server #2 closed 1006 ''\n");
    log_close(&log);
}

/* With much jitter, messages still come in the order in which they were sent, each way, none before the
 * latency. */
static void test_order(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct net_log log;
        uint64_t socket = log_open_socket(&log, seed, 50 * MS);
        net_set_faults(log.net, &(struct net_faults){.split_chunks = true}); /* not for messages */
        long long start = world_now(log.world) / MS;
        for (int i = 0; i < 50; i++) {
            char text[2] = {(char)('0' + i), 0};
            say(log.server, socket, text);
            say(log.client, socket, text);
        }
        run_for(&log, 10 * TIME_SECOND);
        int next[2] = {0, 0};
        for (char *line = log.text.data; line && *line; line = strchr(line, '\n') + 1) {
            char *rest;
            assert_true(strtoll(line, &rest, 10) >= start + 10);
            int end = strncmp(rest, " client #1 text ", 16) == 0;
            assert_int_equal(rest[16], '0' + next[end]++);
        }
        assert_int_equal(next[0], 50);
        assert_int_equal(next[1], 50);
        log_close(&log);
    }
}

static void test_cut_and_healed(void **state) {
    (void)state;
    struct net_log log;
    uint64_t socket = log_open_socket(&log, 1, 0);
    say(log.server, socket, "one"); /* on its way */
    net_cut(log.net, "convex", "alice-1");
    say(log.server, socket, "two");
    say(log.server, socket, "three");
    run_for(&log, MS);
    say(log.client, socket, "up"); /* the other direction is open */
    assert_int_equal(host_websocket_unsent(log.server, socket), 2);
    assert_int_equal(host_websocket_unsent(log.client, socket), 0);
    run_for(&log, 979 * MS);
    check_log(&log, "30 client #1 text one\n31 server #1 text up\n");
    net_heal(log.net, "convex", "alice-1");
    assert_int_equal(host_websocket_unsent(log.server, socket), 0);
    say(log.server, socket, "four");
    run_for(&log, TIME_SECOND);
    check_log(&log, "1010 client #1 text two\n1010 client #1 text three\n1010 client #1 text four\n");
    run_for(&log, 60 * TIME_SECOND); /* an idle socket stays */
    check_log(&log, "");
    log_close(&log);
}

static void test_give_up(void **state) {
    (void)state;
    struct net_log log;
    uint64_t socket = log_open_socket(&log, 1, 0);
    net_cut(log.net, NULL, NULL);
    run_for(&log, 10 * TIME_SECOND);
    check_log(&log, ""); /* silence alone breaks nothing */
    say(log.server, socket, "held");
    run_for(&log, 10 * TIME_SECOND);
    check_log(&log, "15020 client #1 closed 1006 ''\n15020 server #1 closed 1006 ''\n");
    assert_int_equal(counter_of(&log, "net.give-up"), 1);
    connect_to(&log, "convex"); /* and one that cannot even be asked for */
    run_for(&log, 10 * TIME_SECOND);
    check_log(&log, "25020 client #2 closed 1006 ''\n");
    log_close(&log);
}

static void test_server_crash(void **state) {
    (void)state;
    struct net_log log;
    uint64_t socket = log_open_socket(&log, 1, 0);
    say(log.server, socket, "last words");
    say(log.client, socket, "to nobody");
    net_crash_node(log.net, "convex");
    say(log.server, socket, "of the process before");
    run_for(&log, TIME_SECOND);
    check_log(&log, "30 client #1 text last words\n30 client #1 closed 1006 ''\n");
    connect_to(&log, "convex");
    run_for(&log, TIME_SECOND);
    check_log(&log, "1040 client #2 closed 1006 ''\n");
    log_close(&log);
}

static void test_client_crash(void **state) {
    (void)state;
    struct net_log log;
    uint64_t socket = log_open_socket(&log, 1, 0);
    say(log.client, socket, "last words");
    say(log.server, socket, "to nobody");
    net_crash_node(log.net, "alice-1");
    run_for(&log, TIME_SECOND);
    check_log(&log, "30 server #1 text last words\n30 server #1 closed 1006 ''\n");
    log_close(&log);
}

/* Certain faults, one at a time: what both ends see of a socket that meets it. */
static void test_faults(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    host_http_listen(log.server, &accepting, &log);
    net_set_faults(log.net, &(struct net_faults){.refuse = 1000000});
    connect_to(&log, "convex");
    run_for(&log, 100 * MS);
    check_log(&log, "20 client #1 closed 1006 ''\n");
    net_set_faults(log.net, &(struct net_faults){.lose_response = 1000000});
    connect_to(&log, "convex");
    run_for(&log, 100 * MS);
    check_log(&log, "110 server #2 GET /sync\n120 client #2 closed 1006 ''\n130 server #2 closed 1006 ''\n");
    assert_int_equal(counter_of(&log, "net.lose-response"), 1);
    log_close(&log);
}

/* Every reset ends both ends that were open, each once. */
static void test_reset(void **state) {
    (void)state;
    unsigned both = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct net_log log;
        log_open(&log, seed, 0);
        host_http_listen(log.server, &accepting, &log);
        net_set_faults(log.net, &(struct net_faults){.reset = 1000000});
        connect_to(&log, "convex");
        run_for(&log, 100 * TIME_SECOND); /* a reset planned for a message that is never sent does not come */
        const char *text = buffer_text(&log.text);
        const char *client = strstr(text, "client #1 closed 1006"),
                   *server = strstr(text, "server #1 closed");
        assert_int_equal(client != NULL, counter_of(&log, "net.reset") == 1);
        assert_true(!client || !strstr(client + 1, "client #1 closed"));
        assert_true(!server || !strstr(server + 1, "server #1 closed"));
        if (client && strstr(text, "GET"))
            assert_non_null(server);
        both += client && server;
        log_close(&log);
    }
    assert_true(both > 10);
}

/* A stalled message holds back those behind it, and counts as unsent. */
static void test_stall(void **state) {
    (void)state;
    unsigned waited = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct net_log log;
        log_open(&log, seed, 0);
        host_http_listen(log.server, &accepting, &log);
        net_set_faults(log.net, &(struct net_faults){.stall = 1000000, .stall_time = TIME_SECOND});
        uint64_t socket = connect_to(&log, "convex");
        run_for(&log, 100 * TIME_SECOND);
        for (int i = 0; i < 4; i++)
            say(log.server, socket, (char[]){(char)('a' + i), 0});
        waited += host_websocket_unsent(log.server, socket) > 1;
        buffer_clear(&log.text);
        net_heal_all(log.net); /* stalled messages go as well */
        assert_int_equal(host_websocket_unsent(log.server, socket), 0);
        run_for(&log, 10 * MS);
        assert_int_equal(log.received, 4);
        log_close(&log);
    }
    assert_true(waited > 3);
}

static void test_message_above_the_limit(void **state) {
    (void)state;
    const size_t limit = ((size_t)16 << 20) + ((size_t)64 << 10);
    char *bytes = calloc(1, limit + 1);
    struct net_log log;
    uint64_t socket = log_open_socket(&log, 1, 0);
    host_websocket_send(log.client, socket, WEBSOCKET_TEXT, bytes, limit);
    run_for(&log, 100 * MS);
    assert_int_equal(log.received, limit);
    buffer_clear(&log.text);
    host_websocket_send(log.client, socket, WEBSOCKET_TEXT, bytes, limit + 1);
    run_for(&log, TIME_SECOND);
    check_log(&log, "130 server #1 closed 1009 ''\n140 client #1 closed 1009 ''\n");
    free(bytes);
    log_close(&log);
}

/* What is sent is copied, and calls from inside a callback are fine. */
static void echo_and_close(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                           size_t length) {
    struct net_log *log = context;
    host_websocket_send(log->server, socket, kind, bytes, length);
    host_websocket_close(log->server, socket, 1000, "done");
}

static void accept_echo(void *context, uint64_t exchange, const struct http_request *request) {
    (void)request;
    struct net_log *log = context;
    assert_true(host_websocket_accept(log->server, exchange,
                                      &(struct websocket_server_events){.message = echo_and_close}, log));
}

static void test_calls_from_callbacks(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    host_http_listen(log.server, &(struct http_server_events){.request = accept_echo}, &log);
    uint64_t socket = connect_to(&log, "convex");
    run_for(&log, 20 * MS);
    char text[] = "first", second[] = "second";
    say(log.client, socket, text);
    say(log.client, socket, second);
    memset(text, 'z', 5);
    run_for(&log, TIME_SECOND);
    check_log(&log, "20 client #1 opened\n40 client #1 text first\n40 client #1 closed 1000 'done'\n");
    log_close(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_conversation),
        cmocka_unit_test(test_refused_by_an_answer),
        cmocka_unit_test(test_refused_is_final),
        cmocka_unit_test(test_no_socket),
        cmocka_unit_test(test_closing),
        cmocka_unit_test(test_closing_from_both_ends),
        cmocka_unit_test(test_closing_before_it_is_open),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_cut_and_healed),
        cmocka_unit_test(test_give_up),
        cmocka_unit_test(test_server_crash),
        cmocka_unit_test(test_client_crash),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_stall),
        cmocka_unit_test(test_message_above_the_limit),
        cmocka_unit_test(test_calls_from_callbacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
