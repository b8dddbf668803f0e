/* Several processes on one node: they share its name and its links, and nothing else. */
#include "net_log.h"

static void tick(void *context) {
    struct net_log *log = context;
    log_time(log);
    buffer_append_text(&log->text, "tick\n");
}

static void ask(struct net_log *log, struct host *process) {
    const struct http_request request = {.authority = "convex", .method = "POST", .target = "/x"};
    (void)host_http_send(process, &request, &client_events, log);
}

static void test_ends_alone(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    struct host *second = net_process(log.net, "alice-1");
    assert_string_equal(second->name, "alice-1");
    log.silent = true;
    host_timer_set(log.client, 100 * MS, tick, &log);
    host_timer_set(second, 200 * MS, tick, &log);
    ask(&log, log.client);
    ask(&log, second);
    run_for(&log, 15 * MS);
    check_log(&log, "10 server #1 POST /x\n10 server #2 POST /x\n");
    net_crash_process(log.net, log.client);
    run_for(&log, 1000 * MS);
    check_log(&log, "25 server #1 closed\n200 tick\n");
    answer(&log, 2, "ok");
    run_for(&log, 100 * MS);
    check_log(&log, "1025 client #2 head 200\n1025 client #2 body ok\n1025 client #2 end\n");
    log_close(&log);
}

static void test_ends_with_the_node(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    struct host *second = net_process(log.net, "alice-1");
    host_timer_set(second, 100 * MS, tick, &log);
    ask(&log, second);
    net_crash_node(log.net, "alice-1");
    run_for(&log, 1000 * MS);
    check_log(&log, "10 server #1 POST /x\n"); /* it was on its way; the answer finds nobody */
    log_close(&log);
}

/* What comes for a frozen process waits for it; the other one is not held up. */
static void test_freezes_alone(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    struct host *second = net_process(log.net, "alice-1");
    net_freeze_process(second);
    host_timer_set(second, 100 * MS, tick, &log);
    ask(&log, log.client);
    ask(&log, second);
    run_for(&log, 1000 * MS);
    check_log(&log, "10 server #1 POST /x\n10 server #2 POST /x\n20 client #1 head 200\n"
                    "20 client #1 body ok\n20 client #1 end\n");
    net_thaw_process(log.net, second);
    run_for(&log, 100 * MS);
    check_log(&log, "1000 tick\n1010 client #2 head 200\n1010 client #2 body ok\n1010 client #2 end\n");
    log_close(&log);
}

/* The node's links are theirs too. */
static void test_is_cut_with_the_node(void **state) {
    (void)state;
    struct net_log log;
    log_open(&log, 1, 0);
    struct host *second = net_process(log.net, "alice-1");
    net_cut(log.net, "alice-1", NULL);
    ask(&log, second);
    run_for(&log, 1000 * MS);
    check_log(&log, "");
    net_heal(log.net, "alice-1", NULL);
    run_for(&log, 15 * MS);
    check_log(&log, "1010 server #1 POST /x\n");
    log_close(&log);
}

struct heard {
    int process;
    const char *node;
};

static void hear(void *context, int64_t now, const char *node, const struct note *note) {
    (void)now;
    *(struct heard *)context = (struct heard){note->process, node};
}

static void test_notes_say_which(void **state) {
    (void)state;
    struct net_log log;
    struct heard heard = {-1, NULL};
    log_open(&log, 1, 0);
    world_observe(log.world, &(struct world_observer){.note = hear, .context = &heard});
    host_note(log.client, &(struct note){.kind = NOTE_TEXT});
    assert_int_equal(heard.process, 0); /* there is but one */
    struct host *second = net_process(log.net, "alice-1"), *third = net_process(log.net, "alice-1");
    host_note(log.client, &(struct note){.kind = NOTE_TEXT});
    assert_int_equal(heard.process, 1);
    host_note(second, &(struct note){.kind = NOTE_TEXT});
    assert_int_equal(heard.process, 2);
    host_note(third, &(struct note){.kind = NOTE_TEXT});
    assert_int_equal(heard.process, 3);
    assert_string_equal(heard.node, "alice-1");
    log_close(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends_alone),      cmocka_unit_test(test_ends_with_the_node),
        cmocka_unit_test(test_freezes_alone),   cmocka_unit_test(test_is_cut_with_the_node),
        cmocka_unit_test(test_notes_say_which),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
