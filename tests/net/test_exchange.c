/* Exchanges without faults. */
#include "net_log.h"

#include <stdlib.h>

static void test_request_and_answer(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    assert_int_equal(send_to(&log, "convex", "hello"), 1);
    check_log(&log, ""); /* nothing from inside the call */
    run_for(&log, TIME_SECOND);
    check_log(&log, "10 server #1 POST /x\n"
                    "20 client #1 head 200\n"
                    "20 client #1 body ok\n"
                    "20 client #1 end\n");
    assert_string_equal(buffer_text(&log.wire), "request #1 alice-1>convex POST /x 0 hello\n"
                                                "request-seen #1 alice-1>convex POST /x 0 hello\n"
                                                "response #1 alice-1>convex POST /x 200 \n"
                                                "write #1 alice-1>convex POST /x 0 ok\n"
                                                "end #1 alice-1>convex POST /x 0 \n"
                                                "head-seen #1 alice-1>convex POST /x 200 \n"
                                                "body-seen #1 alice-1>convex POST /x 0 ok\n"
                                                "end-seen #1 alice-1>convex POST /x 0 \n");
    assert_int_equal(net_exchanges(log.net), 1);
    log_close(&log);
}

static void check_headers(void *context, uint64_t exchange, const struct http_request *request) {
    struct net_log *log = context;
    assert_int_equal(request->n_headers, 2);
    assert_string_equal(request->headers[0].name, "Authorization");
    assert_string_equal(request->headers[0].value, "Convex x");
    assert_string_equal(request->headers[1].value, "");
    assert_string_equal(request->authority, "convex");
    assert_int_equal(request->body_length, 3);
    assert_memory_equal(request->body, "a\0b", 3);
    struct http_header header = {"Content-Type", "text/plain"};
    host_http_respond(log->server, exchange, &(struct http_response){204, &header, 1});
    host_http_end(log->server, exchange);
    log->served++;
}

static void check_response(void *context, uint64_t exchange, const struct http_response *response) {
    struct net_log *log = context;
    (void)exchange;
    assert_int_equal(response->status, 204);
    assert_int_equal(response->n_headers, 1);
    assert_string_equal(response->headers[0].value, "text/plain");
    log->served++;
}

static void test_headers_and_bodies_are_copied(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    host_http_listen(log.server, &(struct http_server_events){.request = check_headers}, &log);
    char value[16] = "Convex x", body[4] = "a\0b";
    struct http_header headers[2] = {{"Authorization", value}, {"Empty", ""}};
    struct http_request request = {"convex", "GET", "/", headers, 2, body, 3};
    host_http_send(log.client, &request, &(struct http_client_events){.head = check_response}, &log);
    memset(value, 'z', sizeof value);
    memset(body, 'z', sizeof body);
    memset(headers, 0, sizeof headers);
    run_for(&log, TIME_SECOND);
    assert_int_equal(log.served, 2);
    log_close(&log);
}

/* With much jitter, chunks still come in the order in which they were written, and none comes before the
 * latency. */
static void test_order_within_an_exchange(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct net_log log;
        log_open(&log, seed, 50 * MS);
        log.silent = true;
        send_to(&log, "convex", NULL);
        run_for(&log, 10 * TIME_SECOND);
        int64_t start = world_now(log.world);
        buffer_clear(&log.text);
        host_http_respond(log.server, log.served, &(struct http_response){.status = 200});
        for (int i = 0; i < 50; i++)
            host_http_write(log.server, log.served, (char[]){(char)('0' + i)}, 1);
        host_http_end(log.server, log.served);
        run_for(&log, 10 * TIME_SECOND);
        long long before = start / MS + 10;
        char *rest = log.text.data;
        for (int i = -1; i <= 50; i++) {
            long long time = strtoll(rest, &rest, 10);
            assert_true(time >= before);
            before = time;
            const char *expected = i < 0 ? " client #1 head" : i < 50 ? " client #1 body " : " client #1 end";
            assert_memory_equal(rest, expected, strlen(expected));
            if (i >= 0 && i < 50)
                assert_int_equal(rest[strlen(expected)], '0' + i);
            rest = strchr(rest, '\n') + 1;
        }
        assert_int_equal(*rest, 0);
        assert_true(before > start / MS + 60); /* jitter took part: the last of 52 is late */
        log_close(&log);
    }
}

static void test_nobody_listens(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    send_to(&log, "nowhere", NULL);
    send_to(&log, "alice-1", NULL); /* a node, but not a server */
    host_http_listen(log.server, NULL, NULL);
    send_to(&log, "convex", NULL);
    run_for(&log, 15 * MS);
    check_log(&log, ""); /* one round trip, not one way */
    run_for(&log, TIME_SECOND);
    assert_non_null(strstr(buffer_text(&log.text), "20 client #1 refused\n"));
    assert_non_null(strstr(buffer_text(&log.text), "20 client #2 refused\n"));
    assert_non_null(strstr(buffer_text(&log.text), "20 client #3 refused\n"));
    assert_int_equal(counter_of(&log, "net.refuse"), 0); /* it was no fault */
    log_close(&log);
}

static void test_abort(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    log.silent = true;
    uint64_t id = send_to(&log, "convex", NULL);
    run_for(&log, 15 * MS);
    host_http_respond(log.server, id, &(struct http_response){.status = 200});
    host_http_write(log.server, id, "never seen", 10);
    host_http_abort(log.server, id); /* not the client's host */
    run_for(&log, MS);
    host_http_abort(log.client, id);
    host_http_abort(log.client, id);
    host_http_abort(log.client, 0);
    host_http_abort(log.client, 99);
    run_for(&log, 4 * MS);
    host_http_write(log.server, id, "into the void", 13); /* the server does not know yet */
    run_for(&log, TIME_SECOND);
    check_log(&log, "10 server #1 POST /x\n26 server #1 closed\n");
    host_http_write(log.server, id, "x", 1); /* finished: ignored */
    host_http_end(log.server, id);
    host_http_reset(log.server, id);
    run_for(&log, TIME_SECOND);
    check_log(&log, "");
    log_close(&log);
}

/* Given up before the server saw it: the request and the news travel one after the other. */
static void test_abort_at_once(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    log.silent = true;
    host_http_abort(log.client, send_to(&log, "convex", NULL));
    run_for(&log, TIME_SECOND);
    check_log(&log, "10 server #1 POST /x\n10 server #1 closed\n");
    log_close(&log);
}

static void test_server_resets(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    log.silent = true;
    uint64_t first = send_to(&log, "convex", NULL);
    uint64_t second = send_to(&log, "convex", NULL);
    run_for(&log, 15 * MS);
    buffer_clear(&log.text);
    host_http_reset(log.server, first); /* before any answer */
    run_for(&log, 5 * MS);
    host_http_respond(log.server, second, &(struct http_response){.status = 200});
    host_http_write(log.server, second, "half", 4);
    host_http_reset(log.server, second);
    run_for(&log, TIME_SECOND);
    check_log(&log,
              "25 client #1 reset\n30 client #2 head 200\n30 client #2 body half\n30 client #2 reset\n");
    log_close(&log);
}

static void test_body_above_the_limit(void **state) {
    (void)state;
    const size_t limit = 16 * 1024 * 1024 + 64 * 1024;
    char *body = calloc(1, limit + 1);
    struct net_log log;
    log_open(&log, 1, 0);
    struct http_request request = {.authority = "convex", .method = "PUT", .target = "/", .body = body};
    request.body_length = limit;
    host_http_send(log.client, &request, &client_events, &log);
    run_for(&log, TIME_SECOND);
    assert_memory_equal(buffer_text(&log.text), "10 server #1 PUT /\n20 client #1 head 200\n", 41);
    buffer_clear(&log.text);
    request.body_length = limit + 1;
    host_http_send(log.client, &request, &client_events, &log);
    run_for(&log, TIME_SECOND);
    check_log(&log, "1020 client #2 head 413\n1020 client #2 end\n");
    free(body);
    log_close(&log);
}

static void send_again(void *context, uint64_t exchange, const struct http_response *response) {
    (void)response;
    struct net_log *log = context;
    host_http_abort(log->client, exchange); /* from inside the exchange's own callback */
    send_to(log, "convex", NULL);
}

static void test_calls_from_callbacks(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    struct http_request request = {.authority = "convex", .method = "GET", .target = "/"};
    host_http_send(log.client, &request, &(struct http_client_events){.head = send_again}, &log);
    run_for(&log, TIME_SECOND);
    check_log(&log, "10 server #1 GET /\n30 server #2 POST /x\n40 client #2 head 200\n40 client #2 body ok\n"
                    "40 client #2 end\n");
    log_close(&log);
}

static void test_a_link_of_its_own(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    net_set_latency(log.net, "alice-1", "convex", 100 * MS, 0);
    net_set_latency(log.net, NULL, "alice-1", 3 * MS, 0);
    send_to(&log, "convex", NULL);
    run_for(&log, TIME_SECOND);
    assert_memory_equal(buffer_text(&log.text), "100 server #1 POST /x\n103 client #1 head", 40);
    buffer_clear(&log.text);
    net_set_latency(log.net, NULL, NULL, 1 * MS, 0); /* said last, about links that exist */
    send_to(&log, "convex", NULL);
    run_for(&log, TIME_SECOND);
    assert_memory_equal(buffer_text(&log.text), "1001 server #2 POST /x\n1002 client #2 head", 42);
    log_close(&log);
}

static void count_up(void *context) {
    ++*(int *)context;
}

static void test_timers(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    int fired = 0;
    host_timer_set(log.client, 0, count_up, &fired);
    uint64_t timer = host_timer_set(log.client, 5 * MS, count_up, &fired);
    host_timer_set(log.client, 10 * MS, count_up, &fired);
    assert_int_equal(fired, 0);
    uint64_t other = host_timer_set(log.client, 2 * MS, count_up, &fired);
    host_timer_cancel(log.server, other); /* not its timer */
    run_for(&log, 4 * MS);
    assert_int_equal(fired, 2);
    host_timer_cancel(log.client, timer);
    host_timer_cancel(log.client, timer);
    host_timer_cancel(log.client, 0);
    run_for(&log, TIME_SECOND);
    assert_int_equal(fired, 3);
    host_timer_set(log.client, TIME_SECOND, count_up, &fired); /* left behind: no leak */
    log_close(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_and_answer),
        cmocka_unit_test(test_headers_and_bodies_are_copied),
        cmocka_unit_test(test_order_within_an_exchange),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_abort),
        cmocka_unit_test(test_abort_at_once),
        cmocka_unit_test(test_server_resets),
        cmocka_unit_test(test_body_above_the_limit),
        cmocka_unit_test(test_calls_from_callbacks),
        cmocka_unit_test(test_a_link_of_its_own),
        cmocka_unit_test(test_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
