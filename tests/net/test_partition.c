/* Cuts, healing, giving up, and crashed nodes. */
#include "net_log.h"

static void test_held_until_healed(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    net_cut(log.net, "alice-1", "convex");
    send_to(&log, "convex", NULL);
    run_for(&log, 1000 * MS);
    check_log(&log, "");
    net_heal(log.net, "alice-1", "convex");
    run_for(&log, 100 * MS);
    check_log(
        &log,
        "1010 server #1 POST /x\n1020 client #1 head 200\n1020 client #1 body ok\n1020 client #1 end\n");
    assert_int_equal(counter_of(&log, "net.held"), 1);
    run_for(&log, 60 * TIME_SECOND); /* the giving up was called off */
    check_log(&log, "");
    log_close(&log);
}

/* Only the way back is cut: the server hears and answers, the client waits; order is kept over the cut. */
static void test_one_way(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    log.silent = true;
    uint64_t id = send_to(&log, "convex", NULL);
    run_for(&log, 20 * MS);
    check_log(&log, "10 server #1 POST /x\n");
    host_http_respond(log.server, id, &(struct http_response){.status = 200});
    host_http_write(log.server, id, "before", 6);
    net_cut(log.net, "convex", "alice-1"); /* what has left arrives */
    host_http_write(log.server, id, "during", 6);
    run_for(&log, 1000 * MS);
    check_log(&log, "30 client #1 head 200\n30 client #1 body before\n");
    send_to(&log, "convex", NULL); /* the way there is open */
    run_for(&log, 100 * MS);
    check_log(&log, "1030 server #2 POST /x\n");
    net_heal(log.net, "convex", "alice-1");
    host_http_write(log.server, id, "after", 5);
    host_http_end(log.server, id);
    run_for(&log, 100 * MS);
    check_log(&log, "1130 client #1 body during\n1130 client #1 body after\n1130 client #1 end\n");
    log_close(&log);
}

/* Healed in the last moment: the message is on its way when the exchange would have been given up. */
static void test_healed_in_time(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    net_cut(log.net, "alice-1", "convex");
    send_to(&log, "convex", NULL);
    run_for(&log, 4995 * MS);
    net_heal(log.net, "alice-1", "convex");
    run_for(&log, 15 * MS);
    check_log(&log, "5005 server #1 POST /x\n");
    assert_int_equal(counter_of(&log, "net.give-up"), 0);
    log_close(&log);
}

/* The client leaves while its answer is held: nothing is held any more, so nothing is given up. */
static void test_abort_calls_off_giving_up(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    log.silent = true;
    uint64_t id = send_to(&log, "convex", NULL);
    run_for(&log, 20 * MS);
    net_cut(log.net, "convex", "alice-1");
    host_http_respond(log.server, id, &(struct http_response){.status = 200});
    run_for(&log, 4995 * MS);
    host_http_abort(log.client, id); /* the news arrives after the time of giving up */
    run_for(&log, TIME_SECOND);
    check_log(&log, "10 server #1 POST /x\n5025 server #1 closed\n");
    assert_int_equal(counter_of(&log, "net.give-up"), 0);
    log_close(&log);
}

static void test_cuts_are_counted_and_cover_all(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    net_cut(log.net, NULL, "convex"); /* before the link exists */
    send_to(&log, "convex", NULL);
    net_cut(log.net, "alice-1", "convex");
    net_cut(log.net, "alice-1", "convex");
    run_for(&log, 100 * MS);
    net_heal(log.net, NULL, "convex");
    net_heal(log.net, "alice-1", "convex");
    net_heal(log.net, "nobody", "convex"); /* never cut: ignored */
    run_for(&log, 100 * MS);
    check_log(&log, "");
    net_heal(log.net, "alice-1", "convex");
    run_for(&log, 100 * MS);
    assert_memory_equal(buffer_text(&log.text), "210 server #1", 13);
    net_heal(log.net, "alice-1", "convex");
    buffer_clear(&log.text);
    net_cut(log.net, NULL, NULL);
    send_to(&log, "convex", NULL);
    run_for(&log, 100 * MS);
    check_log(&log, "");
    net_heal_all(log.net);
    net_heal(log.net, NULL, NULL); /* healed already */
    run_for(&log, 15 * MS);
    check_log(&log, "410 server #2 POST /x\n");
    log_close(&log);
}

static void test_give_up(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    log.silent = true;
    send_to(&log, "convex", NULL); /* this one was there before the cut */
    run_for(&log, 1000 * MS);
    net_cut(log.net, NULL, NULL);
    send_to(&log, "convex", NULL); /* this one never gets through */
    run_for(&log, 1000 * MS);
    host_http_respond(log.server, 1, &(struct http_response){.status = 200});
    run_for(&log, 10 * TIME_SECOND);
    check_log(
        &log,
        "10 server #1 POST /x\n6000 client #2 timeout\n7000 client #1 timeout\n7000 server #1 closed\n");
    assert_int_equal(counter_of(&log, "net.give-up"), 2);
    net_heal_all(log.net);
    run_for(&log, TIME_SECOND);
    check_log(&log, "");
    log_close(&log);
}

/* The client gives up while cut off: the server learns it when its connection is given up. */
static void test_abort_while_cut_off(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    log.silent = true;
    uint64_t id = send_to(&log, "convex", NULL);
    run_for(&log, 1000 * MS);
    net_cut(log.net, "alice-1", "convex");
    host_http_abort(log.client, id);
    run_for(&log, 10 * TIME_SECOND);
    check_log(&log, "10 server #1 POST /x\n6000 server #1 closed\n");
    log_close(&log);
}

static void test_server_crash(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    log.silent = true;
    uint64_t id = send_to(&log, "convex", NULL);
    run_for(&log, 20 * MS);
    buffer_clear(&log.text);
    host_http_respond(log.server, id, &(struct http_response){.status = 200});
    net_crash_node(log.net, "convex");
    host_http_write(log.server, id, "x", 1); /* of the process before: ignored */
    send_to(&log, "convex", NULL);           /* nobody is there */
    run_for(&log, 100 * MS);
    check_log(&log, "30 client #1 head 200\n30 client #1 reset\n40 client #2 refused\n");
    host_http_listen(log.server, &server_events, &log); /* the next process on the same host */
    log.silent = false;
    send_to(&log, "convex", NULL);
    run_for(&log, 100 * MS);
    check_log(&log,
              "130 server #3 POST /x\n140 client #3 head 200\n140 client #3 body ok\n140 client #3 end\n");
    log_close(&log);
}

static void never(void *context) {
    (void)context;
    fail_msg("a timer outlived its process");
}

static void test_client_crash(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    log.silent = true;
    uint64_t streaming = send_to(&log, "convex", NULL);
    host_timer_set(log.client, 50 * MS, never, NULL);
    run_for(&log, 20 * MS);
    host_http_respond(log.server, streaming, &(struct http_response){.status = 200});
    buffer_clear(&log.text);
    send_to(&log, "convex", NULL); /* on its way when the process ends */
    net_crash_node(log.net, "alice-1");
    send_to(&log, "convex", NULL); /* the next process */
    run_for(&log, 100 * MS);
    assert_non_null(strstr(buffer_text(&log.text), "30 server #1 closed\n"));
    assert_non_null(strstr(buffer_text(&log.text), "30 server #2 POST /x\n"));
    assert_non_null(strstr(buffer_text(&log.text), "30 server #2 closed\n"));
    assert_non_null(strstr(buffer_text(&log.text), "30 server #3 POST /x\n"));
    assert_null(strstr(buffer_text(&log.text), "client")); /* not a word to the process that is gone */
    assert_null(strstr(buffer_text(&log.text), "#3 closed"));
    log_close(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_held_until_healed),
        cmocka_unit_test(test_one_way),
        cmocka_unit_test(test_healed_in_time),
        cmocka_unit_test(test_abort_calls_off_giving_up),
        cmocka_unit_test(test_cuts_are_counted_and_cover_all),
        cmocka_unit_test(test_give_up),
        cmocka_unit_test(test_abort_while_cut_off),
        cmocka_unit_test(test_server_crash),
        cmocka_unit_test(test_client_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
