/* Nodes that sleep: nothing runs there, and nothing is forgotten. */
#include "net_log.h"

static void tick(void *context) {
    struct net_log *log = context;
    log_time(log);
    buffer_append_text(&log->text, "tick\n");
}

static void test_timers_wait(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    host_timer_set(log.client, 100 * MS, tick, &log);
    host_timer_set(log.client, 5000 * MS, tick, &log);
    uint64_t cancelled = host_timer_set(log.client, 200 * MS, tick, &log);
    net_sleep_node(log.net, "alice-1");
    run_for(&log, 1000 * MS);
    check_log(&log, "");
    host_timer_cancel(log.client, cancelled); /* one that is due can still be called off */
    net_wake_node(log.net, "alice-1");
    run_for(&log, 1000 * MS);
    check_log(&log, "1000 tick\n"); /* what was due is due at the waking */
    run_for(&log, 4000 * MS);
    check_log(&log, "5000 tick\n"); /* what was not comes when it should */
    log_close(&log);
}

/* A nap: what was on its way arrives afterwards, the connection lives on. */
static void test_nap(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    log.silent = true;
    uint64_t id = send_to(&log, "convex", NULL);
    run_for(&log, 15 * MS);
    check_log(&log, "10 server #1 POST /x\n");
    answer(&log, id, "ok"); /* would arrive at 25 */
    run_for(&log, 5 * MS);
    net_sleep_node(log.net, "alice-1");
    run_for(&log, 3000 * MS);
    check_log(&log, "");
    net_wake_node(log.net, "alice-1");
    run_for(&log, 100 * MS);
    check_log(&log, "3030 client #1 head 200\n3030 client #1 body ok\n3030 client #1 end\n");
    log_close(&log);
}

/* A night: after 5 s without an answer the server gives the connection up, and the client hears of it when it
 * wakes, once. */
static void test_night(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    log.silent = true;
    uint64_t id = send_to(&log, "convex", NULL);
    run_for(&log, 15 * MS);
    check_log(&log, "10 server #1 POST /x\n");
    net_sleep_node(log.net, "alice-1");
    answer(&log, id, "ok");
    send_to(&log, "convex", NULL); /* never leaves */
    run_for(&log, 30000 * MS);
    check_log(&log, "");
    assert_int_equal(counter_of(&log, "net.give-up"), 2);
    net_wake_node(log.net, "alice-1");
    run_for(&log, 30000 * MS);
    check_log(&log, "30025 client #1 timeout\n30025 client #2 timeout\n");
    log_close(&log);
}

static void test_open_stream_over_night(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    log.silent = true;
    uint64_t id = send_to(&log, "convex", NULL);
    run_for(&log, 15 * MS);
    host_http_respond(log.server, id, &(struct http_response){.status = 200});
    run_for(&log, 15 * MS);
    check_log(&log, "10 server #1 POST /x\n25 client #1 head 200\n");
    net_sleep_node(log.net, "alice-1");
    host_http_write(log.server, id, "line", 4);
    run_for(&log, 6000 * MS);
    check_log(&log, "5030 server #1 closed\n");
    net_wake_node(log.net, "alice-1");
    run_for(&log, 100 * MS);
    check_log(&log, "6040 client #1 timeout\n");
    log_close(&log);
}

/* A crash ends the sleeper's business; the process that comes next sleeps on. */
static void test_crash_asleep(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    host_timer_set(log.client, 100 * MS, tick, &log);
    send_to(&log, "convex", NULL);
    net_sleep_node(log.net, "alice-1");
    run_for(&log, 1000 * MS);
    net_crash_node(log.net, "alice-1");
    host_timer_set(log.client, 100 * MS, tick, &log);
    run_for(&log, 20000 * MS);
    net_wake_node(log.net, "alice-1");
    buffer_clear(&log.text);
    run_for(&log, 1000 * MS);
    check_log(&log, "21000 tick\n");
    log_close(&log);
}

static void test_counted(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    host_timer_set(log.client, 100 * MS, tick, &log);
    net_sleep_node(log.net, "alice-1");
    net_sleep_node(log.net, "alice-1");
    net_wake_node(log.net, "alice-1");
    run_for(&log, 1000 * MS);
    check_log(&log, "");
    net_wake_node(log.net, "alice-1");
    run_for(&log, 1 * MS);
    check_log(&log, "1000 tick\n");
    log_close(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_wait),  cmocka_unit_test(test_nap),
        cmocka_unit_test(test_night),        cmocka_unit_test(test_open_stream_over_night),
        cmocka_unit_test(test_crash_asleep), cmocka_unit_test(test_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
