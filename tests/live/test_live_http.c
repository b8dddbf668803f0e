/* The live host against itself and against raw sockets, on loopback. */
#include "cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "live/live.h"

enum { parts = 5, big_length = 20 << 20, body_limit = (16 << 20) + (64 << 10) };

struct fixture {
    struct live *live;
    struct host *server, *client;
    unsigned requests, closed;
    size_t unsent;      /* of the big answer, when all of it was written */
    struct buffer seen; /* methods and targets, a line each */
};

/* --- what the test's server answers --- */

struct stream {
    struct fixture *fixture;
    uint64_t exchange;
    int written;
};

static void write_part(void *context) {
    struct stream *stream = context;
    struct host *host = stream->fixture->server;
    char part[16];
    if (stream->written == parts) {
        host_http_end(host, stream->exchange);
        free(stream);
        return;
    }
    snprintf(part, sizeof part, "part %d\n", stream->written++);
    host_http_write(host, stream->exchange, part, strlen(part));
    host_timer_set(host, 5 * TIME_MILLISECOND, write_part, stream);
}

static void respond(struct fixture *fixture, uint64_t exchange, int status, const char *value) {
    const struct http_header header = {"x-method", value};
    const struct http_response response = {.status = status, .headers = &header, .n_headers = 1};
    host_http_respond(fixture->server, exchange, &response);
}

static void answer_stream(struct fixture *fixture, uint64_t exchange) {
    struct stream *stream = memory_allocate(sizeof *stream);
    *stream = (struct stream){.fixture = fixture, .exchange = exchange};
    write_part(stream);
}

static void answer_big(struct fixture *fixture, uint64_t exchange) {
    char *big = memory_allocate(big_length);
    memset(big, 'b', big_length);
    host_http_write(fixture->server, exchange, big, big_length);
    fixture->unsent = host_http_unsent(fixture->server, exchange);
    free(big);
}

static void on_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct fixture *fixture = context;
    const char *target = request->target;
    fixture->requests++;
    buffer_printf(&fixture->seen, "%s %s\n", request->method, target);
    if (strcmp(target, "/hang") == 0)
        return;
    respond(fixture, exchange, strcmp(target, "/missing") == 0 ? 404 : 200, request->method);
    if (strcmp(target, "/stream") == 0) {
        answer_stream(fixture, exchange);
        return;
    }
    if (strcmp(target, "/reset") == 0) {
        host_http_reset(fixture->server, exchange);
        return;
    }
    if (strcmp(target, "/big") == 0)
        answer_big(fixture, exchange);
    else
        host_http_write(fixture->server, exchange, request->body, request->body_length);
    host_http_end(fixture->server, exchange);
}

static void on_closed(void *context, uint64_t exchange) {
    struct fixture *fixture = context;
    assert_int_not_equal(exchange, 0);
    fixture->closed++;
}

static struct fixture *open_fixture(const struct live_settings *settings) {
    static const struct http_server_events events = {.request = on_request, .closed = on_closed};
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    struct error error = {0};
    fixture->live = live_create(settings);
    fixture->server = live_node(fixture->live, "server");
    fixture->client = live_node(fixture->live, "client");
    host_http_listen(fixture->server, &events, fixture);
    if (live_serve(fixture->live, fixture->server, "127.0.0.1:0", &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return fixture;
}

static void close_fixture(struct fixture *fixture) {
    live_destroy(fixture->live);
    buffer_free(&fixture->seen);
    free(fixture);
}

static void stop(void *live) {
    live_stop(live);
}

static void run_for(struct fixture *fixture, int64_t nanoseconds) {
    host_timer_set(fixture->client, nanoseconds, stop, fixture->live);
    live_run(fixture->live);
}

/* --- the client --- */

struct reply {
    struct fixture *fixture;
    uint64_t exchange;
    int status;
    char method[16];
    struct buffer body;
    unsigned chunks, waiting; /* `waiting`: more requests to send, one after the other */
    bool abort_at_body, ended, failed;
    enum http_failure failure;
    unsigned *open; /* stop when it reaches 0; NULL: stop at the end of this one */
};

static void send_request(struct reply *reply, const char *method, const char *target, const void *body,
                         size_t length);

static void finished(struct reply *reply) {
    if (reply->waiting > 0) {
        reply->waiting--;
        send_request(reply, "GET", "/again", NULL, 0);
    } else if (!reply->open || --*reply->open == 0) {
        live_stop(reply->fixture->live);
    }
}

static void on_head(void *context, uint64_t exchange, const struct http_response *response) {
    struct reply *reply = context;
    assert_int_equal(exchange, reply->exchange);
    reply->status = response->status;
    for (size_t i = 0; i < response->n_headers; i++)
        if (strcasecmp(response->headers[i].name, "x-method") == 0)
            snprintf(reply->method, sizeof reply->method, "%s", response->headers[i].value);
}

static void on_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    struct reply *reply = context;
    reply->chunks++;
    buffer_append(&reply->body, bytes, length);
    if (reply->abort_at_body)
        host_http_abort(reply->fixture->client, exchange);
}

static void on_end(void *context, uint64_t exchange) {
    struct reply *reply = context;
    (void)exchange;
    reply->ended = true;
    finished(reply);
}

static void on_failed(void *context, uint64_t exchange, enum http_failure failure) {
    struct reply *reply = context;
    (void)exchange;
    reply->failed = true;
    reply->failure = failure;
    finished(reply);
}

static void send_to(struct reply *reply, const char *authority, const char *method, const char *target,
                    const void *body, size_t length) {
    static const struct http_client_events events = {on_head, on_body, on_end, on_failed};
    const struct http_request request = {
        .authority = authority, .method = method, .target = target, .body = body, .body_length = length};
    reply->exchange = host_http_send(reply->fixture->client, &request, &events, reply);
    assert_int_not_equal(reply->exchange, 0);
}

static void send_request(struct reply *reply, const char *method, const char *target, const void *body,
                         size_t length) {
    send_to(reply, "server", method, target, body, length);
}

/* --- tests --- */

static void requests_and_responses(void **state) {
    static const struct {
        const char *method, *target, *body;
        int status;
    } cases[] = {
        {"GET", "/hello?a=%20b", "", 200}, {"POST", "/echo", "some text", 200}, {"POST", "/empty", "", 200},
        {"PUT", "/echo", "x", 200},        {"DELETE", "/echo", "", 200},        {"GET", "/missing", "", 404},
        {"HEAD", "/hello", "", 200},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = open_fixture(&(struct live_settings){0});
        struct reply reply = {.fixture = fixture};
        send_request(&reply, cases[i].method, cases[i].target, cases[i].body, strlen(cases[i].body));
        run_for(fixture, 5 * TIME_SECOND);
        assert_true(reply.ended);
        assert_int_equal(reply.status, cases[i].status);
        assert_string_equal(reply.method, cases[i].method);
        assert_string_equal(buffer_text(&reply.body), cases[i].body);
        char *line = memory_format("%s %s\n", cases[i].method, cases[i].target);
        assert_string_equal(buffer_text(&fixture->seen), line);
        free(line);
        buffer_free(&reply.body);
        close_fixture(fixture);
    }
}

static void streamed_body_arrives_in_parts(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    struct reply reply = {.fixture = fixture};
    send_request(&reply, "GET", "/stream", NULL, 0);
    run_for(fixture, 5 * TIME_SECOND);
    assert_true(reply.ended);
    assert_string_equal(buffer_text(&reply.body), "part 0\npart 1\npart 2\npart 3\npart 4\n");
    assert_int_equal(reply.chunks, parts); /* each was sent when it was written */
    buffer_free(&reply.body);
    close_fixture(fixture);
}

static void body_limit_is_exact(void **state) {
    (void)state;
    char *body = memory_allocate(body_limit + 1);
    memset(body, 'x', body_limit + 1);
    for (size_t over = 0; over <= 1; over++) {
        struct fixture *fixture = open_fixture(&(struct live_settings){0});
        struct reply reply = {.fixture = fixture};
        send_request(&reply, "POST", "/echo", body, (size_t)body_limit + over);
        run_for(fixture, 10 * TIME_SECOND);
        assert_int_equal(reply.status, over ? 413 : 200);
        assert_int_equal(fixture->requests, over ? 0 : 1);
        assert_int_equal(reply.body.length, over ? 0 : body_limit);
        buffer_free(&reply.body);
        close_fixture(fixture);
    }
    free(body);
}

static void big_response_arrives_whole(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    struct reply reply = {.fixture = fixture};
    send_request(&reply, "GET", "/big", NULL, 0);
    run_for(fixture, 10 * TIME_SECOND);
    assert_true(reply.ended);
    assert_int_equal(reply.body.length, big_length);
    buffer_free(&reply.body);
    close_fixture(fixture);
}

static void reset_is_seen_as_reset(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    struct reply reply = {.fixture = fixture};
    send_request(&reply, "GET", "/reset", NULL, 0);
    run_for(fixture, 5 * TIME_SECOND);
    assert_true(reply.failed);
    assert_int_equal(reply.failure, HTTP_FAILURE_RESET);
    assert_int_equal(fixture->closed, 0); /* the server did it itself */
    close_fixture(fixture);
}

static void nobody_there_is_refused(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    struct reply reply = {.fixture = fixture};
    send_to(&reply, "127.0.0.1:1", "GET", "/", NULL, 0);
    run_for(fixture, 5 * TIME_SECOND);
    assert_true(reply.failed);
    assert_int_equal(reply.failure, HTTP_FAILURE_REFUSED);
    close_fixture(fixture);
}

static void abort_now(void *context) {
    struct reply *reply = context;
    host_http_abort(reply->fixture->client, reply->exchange);
    host_http_abort(reply->fixture->client, reply->exchange);
}

static void abort_tells_the_server_and_nobody_else(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    struct reply unanswered = {.fixture = fixture}, unsent = {.fixture = fixture},
                 streaming = {.fixture = fixture, .abort_at_body = true};
    send_request(&unsent, "GET", "/hang", NULL, 0);
    abort_now(&unsent);
    send_request(&unanswered, "GET", "/hang", NULL, 0);
    send_request(&streaming, "GET", "/stream", NULL, 0);
    host_timer_set(fixture->client, 50 * TIME_MILLISECOND, abort_now, &unanswered);
    run_for(fixture, 150 * TIME_MILLISECOND);
    assert_int_equal(fixture->requests, 2);
    assert_int_equal(fixture->closed, 2);
    assert_false(unanswered.ended || unanswered.failed || streaming.ended || streaming.failed);
    assert_string_equal(buffer_text(&streaming.body), "part 0\n");
    buffer_free(&streaming.body);
    close_fixture(fixture);
}

static void thousand_requests_use_one_connection(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    struct reply reply = {.fixture = fixture, .waiting = 999};
    send_request(&reply, "GET", "/first", NULL, 0);
    run_for(fixture, 20 * TIME_SECOND);
    assert_int_equal(fixture->requests, 1000);
    assert_false(reply.failed);
    assert_int_equal(live_connections_ever(fixture->live), 1);
    close_fixture(fixture);
}

static void two_hundred_at_once(void **state) {
    enum { many = 200 };
    unsigned open = many;
    struct reply replies[many];
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    for (unsigned i = 0; i < many; i++) {
        char body[16];
        snprintf(body, sizeof body, "body %u", i);
        replies[i] = (struct reply){.fixture = fixture, .open = &open};
        send_request(&replies[i], "POST", i % 2 ? "/echo" : "/stream", body, strlen(body));
    }
    run_for(fixture, 20 * TIME_SECOND);
    for (unsigned i = 0; i < many; i++) {
        char body[16];
        snprintf(body, sizeof body, "body %u", i);
        assert_true(replies[i].ended);
        assert_string_equal(buffer_text(&replies[i].body),
                            i % 2 ? body : "part 0\npart 1\npart 2\npart 3\npart 4\n");
        buffer_free(&replies[i].body);
    }
    assert_int_equal(fixture->requests, many);
    close_fixture(fixture);
}

/* --- raw sockets: everything sent before the loop runs, the answer read afterwards --- */

static int open_raw(struct fixture *fixture, const void *bytes, size_t length) {
    const char *colon = strrchr(live_address(fixture->live, fixture->server), ':');
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int raw = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(raw >= 0);
    assert_int_equal(connect(raw, (struct sockaddr *)&address, sizeof address), 0);
    while (length > 0) {
        ssize_t sent = send(raw, bytes, length, MSG_NOSIGNAL);
        assert_true(sent > 0);
        bytes = (const char *)bytes + sent;
        length -= (size_t)sent;
    }
    return raw;
}

/* All that came; "RESET" when the connection was broken. */
static char *read_raw(int raw) {
    struct buffer text = {0};
    char bytes[4096];
    ssize_t length;
    while ((length = recv(raw, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        buffer_append(&text, bytes, (size_t)length);
    if (length < 0 && errno == ECONNRESET)
        buffer_append_text(&text, "RESET");
    close(raw);
    return buffer_take(&text);
}

static const struct {
    const char *sent, *answer; /* the answer's start; "" : nothing */
} raw_cases[] = {
    {"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n"},
    {"\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n"},
    {"GET /a HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n"},
    {"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
     "HTTP/1.1 200 OK\r\nx-method: POST\r\ncontent-length: 5\r\n\r\nabcde"},
    {"POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"},
    {"POST /echo HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n", "HTTP/1.1 413 "},
    {"nonsense\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
    {"GET  HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
    {"GET / HTTP/9.9\r\n\r\n", "HTTP/1.1 505 "},
    {"GET / FTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
    {"GET / HTTP/1.1\r\nno colon\r\n\r\n", "HTTP/1.1 400 "},
    {"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 400 "},
    {"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 400 "},
    {"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 400 "},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 400 "},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", "HTTP/1.1 400 "},
    {"\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03", "HTTP/1.1 400 "}, /* somebody tries TLS */
    {"GET / HT", ""},
    {"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc", ""},
    {"GET /x HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "HTTP/1.1 200 OK\r\n"},
};

static void malformed_requests_are_answered(void **state) {
    enum { n = sizeof raw_cases / sizeof raw_cases[0] };
    int raw[n];
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    for (size_t i = 0; i < n; i++)
        raw[i] = open_raw(fixture, raw_cases[i].sent, strlen(raw_cases[i].sent));
    run_for(fixture, 200 * TIME_MILLISECOND);
    for (size_t i = 0; i < n; i++) {
        char *answer = read_raw(raw[i]);
        size_t length = *raw_cases[i].answer ? strlen(raw_cases[i].answer) : strlen(answer);
        if (strncmp(answer, raw_cases[i].answer, length) != 0)
            fail_msg("%s was answered %s", raw_cases[i].sent, answer);
        free(answer);
    }
    close_fixture(fixture);
}

static void pipelined_requests_are_answered_in_order(void **state) {
    static const char sent[] = "POST /stream HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"
                               "GET /missing HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\nConnection: close\r\n\r\n"
                               "GET /after-close HTTP/1.1\r\n\r\n";
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    int raw = open_raw(fixture, sent, strlen(sent));
    run_for(fixture, 200 * TIME_MILLISECOND);
    char *answer = read_raw(raw);
    assert_string_equal(buffer_text(&fixture->seen), "POST /stream\nGET /missing\nGET /c\n");
    assert_string_equal(
        answer,
        "HTTP/1.1 200 OK\r\nx-method: POST\r\ntransfer-encoding: chunked\r\n\r\n"
        "7\r\npart 0\n\r\n7\r\npart 1\n\r\n7\r\npart 2\n\r\n7\r\npart 3\n\r\n7\r\npart 4\n\r\n0\r\n\r\n"
        "HTTP/1.1 404 Not Found\r\nx-method: GET\r\ncontent-length: 0\r\n\r\n"
        "HTTP/1.1 200 OK\r\nx-method: GET\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    free(answer);
    close_fixture(fixture);
}

static void header_has_limits(void **state) {
    struct buffer long_line = {0}, many = {0}, just = {0};
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    buffer_append_text(&long_line, "GET /");
    for (int i = 0; i < 70000; i++)
        buffer_append_char(&long_line, 'a');
    buffer_append_text(&many, "GET / HTTP/1.1\r\n");
    buffer_append_text(&just, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 129; i++)
        buffer_printf(&many, "h%d: v\r\n", i);
    for (int i = 0; i < 128; i++)
        buffer_printf(&just, "h%d: v\r\n", i);
    buffer_append_text(&just, "\r\n");
    int raw[] = {open_raw(fixture, long_line.data, long_line.length),
                 open_raw(fixture, many.data, many.length), open_raw(fixture, just.data, just.length)};
    run_for(fixture, 200 * TIME_MILLISECOND);
    static const char *const expected[] = {"HTTP/1.1 431 ", "HTTP/1.1 431 ", "HTTP/1.1 200 "};
    for (size_t i = 0; i < 3; i++) {
        char *answer = read_raw(raw[i]);
        assert_int_equal(strncmp(answer, expected[i], strlen(expected[i])), 0);
        free(answer);
    }
    buffer_free(&long_line);
    buffer_free(&many);
    buffer_free(&just);
    close_fixture(fixture);
}

static void connections_are_bounded(void **state) {
    enum { n = 5 };
    static const char request[] = "GET /hang HTTP/1.1\r\n\r\n";
    int raw[n];
    (void)state;
    struct fixture *fixture =
        open_fixture(&(struct live_settings){.connections_most = 2, .grace = 50 * TIME_MILLISECOND});
    for (size_t i = 0; i < n; i++)
        raw[i] = open_raw(fixture, request, strlen(request));
    run_for(fixture, 100 * TIME_MILLISECOND);
    assert_int_equal(fixture->requests, 2);
    assert_int_equal(live_connections_ever(fixture->live), n);
    for (size_t i = 0; i < n; i++)
        close(raw[i]);
    close_fixture(fixture);
}

/* A loopback socket holds some of 20 MiB at once, and not all. */
static void unsent_is_what_the_kernel_does_not_take(void **state) {
    static const char request[] = "GET /big HTTP/1.1\r\n\r\n";
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    int raw = open_raw(fixture, request, strlen(request));
    run_for(fixture, 300 * TIME_MILLISECOND);
    assert_in_range(fixture->unsent, 1 << 20, big_length - 1);
    close(raw);
    close_fixture(fixture);
}

static void expect_no_connection(void *context) {
    const struct fixture *fixture = context;
    assert_int_equal(live_connections(fixture->live), 0);
}

static void idle_peers_and_slow_readers_are_dropped(void **state) {
    static const char partial[] = "GET / HT", big[] = "GET /big HTTP/1.1\r\n\r\n";
    (void)state;
    struct fixture *fixture =
        open_fixture(&(struct live_settings){.idle_timeout = 600 * TIME_MILLISECOND, .unsent_most = 1 << 20});
    int idle = open_raw(fixture, partial, strlen(partial)), slow = open_raw(fixture, big, strlen(big));
    /* Within two sweeps, and before the limit of a whole request. */
    host_timer_set(fixture->client, 2300 * TIME_MILLISECOND, expect_no_connection, fixture);
    run_for(fixture, 2400 * TIME_MILLISECOND);
    assert_int_equal(live_connections_ever(fixture->live), 2);
    char *answer = read_raw(slow);
    assert_string_equal(answer, "RESET");
    free(answer);
    close(idle);
    close_fixture(fixture);
}

static void addresses_are_checked(void **state) {
    static const char *const wrong[] = {
        "",        "127.0.0.1", ":80", "localhost:80", "127.0.0.1:65536", "127.0.0.1:x", "127.0.0.1:-1",
        "[::1:80", "1.2.3:80"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct live *live = live_create(&(struct live_settings){0});
        struct error error = {0};
        assert_int_equal(live_serve(live, live_node(live, "n"), wrong[i], &error), STATUS_INVALID);
        assert_string_not_equal(error.message, "");
        live_destroy(live);
    }
    assert_true(live_address_is_loopback("127.0.0.1:0"));
    assert_true(live_address_is_loopback("[::1]:3210"));
    assert_false(live_address_is_loopback("0.0.0.0:3210"));
    assert_false(live_address_is_loopback("[::]:3210"));
}

static void taken_port_is_an_error(void **state) {
    (void)state;
    struct fixture *fixture = open_fixture(&(struct live_settings){0});
    struct error error = {0};
    struct host *other = live_node(fixture->live, "other");
    assert_int_equal(live_serve(fixture->live, other, live_address(fixture->live, fixture->server), &error),
                     STATUS_IO);
    close_fixture(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(requests_and_responses),
                                       cmocka_unit_test(streamed_body_arrives_in_parts),
                                       cmocka_unit_test(body_limit_is_exact),
                                       cmocka_unit_test(big_response_arrives_whole),
                                       cmocka_unit_test(reset_is_seen_as_reset),
                                       cmocka_unit_test(nobody_there_is_refused),
                                       cmocka_unit_test(abort_tells_the_server_and_nobody_else),
                                       cmocka_unit_test(thousand_requests_use_one_connection),
                                       cmocka_unit_test(two_hundred_at_once),
                                       cmocka_unit_test(malformed_requests_are_answered),
                                       cmocka_unit_test(pipelined_requests_are_answered_in_order),
                                       cmocka_unit_test(header_has_limits),
                                       cmocka_unit_test(connections_are_bounded),
                                       cmocka_unit_test(idle_peers_and_slow_readers_are_dropped),
                                       cmocka_unit_test(unsent_is_what_the_kernel_does_not_take),
                                       cmocka_unit_test(addresses_are_checked),
                                       cmocka_unit_test(taken_port_is_an_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
