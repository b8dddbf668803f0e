/* What each fault does to a request and its answer, as both ends see it. */
#include "fault/fault_world.h"

/* One request under the rules. */
static void check_one(const char *rules, const char *expected) {
    struct fault_world w;
    open_world(&w, rules, 1);
    ask(&w, "POST", "/api/mutation");
    run_for(&w, 100000);
    check_log(&w, expected);
    assert_false(w.same_twice);
    close_world(&w);
}

#define RULE(what) "- {at: \"POST /api/mutation\", do: " what "}"

static void test_untouched(void **state) {
    static const char usual[] =
        "10 server POST /api/mutation\n20 client 200\n20 client body hello world\n20 client end\n";
    (void)state;
    check_one("[]", usual);
    check_one("- {at: \"POST /api/query\", do: reset}", usual);
    check_one("- {at: \"GET /api/mutation\", do: reset}", usual);
}

static void test_answers(void **state) {
    (void)state;
    check_one(RULE("{answer: {status: 503, code: OptimisticConcurrencyControlFailure, message: 'a \"b\"'}}"),
              "20 client 503 application/json\n"
              "20 client body "
              "{\"code\":\"OptimisticConcurrencyControlFailure\",\"message\":\"a \\\"b\\\"\"}\n"
              "20 client end\n");
    check_one(RULE("{answer: {status: 502, body: <html>}}"),
              "20 client 502 text/html\n20 client body <html>\n20 client end\n");
    check_one(RULE("{answer: {status: 504}}"), "20 client 504\n20 client end\n");
    check_one(RULE("{answer: {status: 429, headers: {x-a: b}}}"), "20 client 429 b\n20 client end\n");
}

static void test_connections(void **state) {
    (void)state;
    check_one(RULE("reset"), "20 client reset\n");
    check_one(RULE("lose-response"), "10 server POST /api/mutation\n20 client reset\n");
}

static void test_times(void **state) {
    (void)state;
    check_one(RULE("{delay: 2s}"), "2010 server POST /api/mutation\n2020 client 200\n"
                                   "2020 client body hello world\n2020 client end\n");
    check_one(RULE("{delay-response: 2s}"), "10 server POST /api/mutation\n2020 client 200\n"
                                            "2020 client body hello world\n2020 client end\n");
}

/* The second rule is the server: it says what the first one makes longer. */
#define LATER "- {at: \"POST /api/mutation\", do: extend}\n"
#define SAYS(type, body)                                                                                     \
    "- {at: \"POST /api/mutation\", do: {answer: {status: 200, content-type: " type ", body: '" body "'}}}"
#define NEW "\"from_a_later_release\":{\"list\":[1]}"

static void test_later_release(void **state) {
    (void)state;
    check_one(LATER SAYS("application/json", "{\"a\":1}"),
              "20 client 200 application/json\n20 client body {" NEW ",\"a\":1}\n20 client end\n");
    check_one(LATER SAYS("application/json", "{}"),
              "20 client 200 application/json\n20 client body {" NEW "}\n20 client end\n");
    check_one(LATER SAYS("application/x-ndjson", "{\"checkpoint\":{\"last_op_id\":\"1\"}}"),
              "20 client 200 application/x-ndjson\n"
              "20 client body {\"checkpoint\":{" NEW ",\"last_op_id\":\"1\"}}\n20 client end\n");
    check_one(LATER SAYS("text/html", "{}"), "20 client 200 text/html\n20 client body {}\n20 client end\n");
}

static void test_bodies(void **state) {
    (void)state;
    check_one(RULE("{truncate: 5}"), "10 server POST /api/mutation\n20 client 200\n20 client body hello\n"
                                     "30 client reset\n");
    check_one(RULE("{truncate: 11}"), "10 server POST /api/mutation\n20 client 200\n"
                                      "20 client body hello world\n20 client end\n");
    check_one(RULE("{slow: {bytes: 4, every: 100ms}}"),
              "10 server POST /api/mutation\n20 client 200\n120 client body hell\n220 client body o wo\n"
              "320 client body rld\n320 client end\n");
}

static void test_requests_changed(void **state) {
    struct fault_world w;
    (void)state;
    check_one(RULE("duplicate"), "10 server POST /api/mutation\n10 server POST /api/mutation\n20 client 200\n"
                                 "20 client body hello world\n20 client end\n");
    open_world(&w, "- {at: \"GET /a\", do: {drop-parameter: tableName}}", 1);
    ask(&w, "GET", "/a?tableName=x&b=1&tableNames=y&table=z");
    run_for(&w, 15);
    ask(&w, "GET", "/a?tableName=x");
    run_for(&w, 15);
    check_log(&w, "10 server GET /a?b=1&tableNames=y&table=z\n20 client 200\n20 client body hello world\n"
                  "20 client end\n25 server GET /a\n");
    close_world(&w);
}

/* Two rules strike one request: the first stands outside. */
static void test_rules_compose(void **state) {
    (void)state;
    check_one("- {at: \"* /api/*\", do: {delay: 1s}}\n- {at: \"POST *\", do: {answer: {status: 500}}}\n",
              "1020 client 500\n1020 client end\n");
    check_one("- {at: \"* /api/*\", do: duplicate}\n- {at: \"POST *\", do: lose-response}\n",
              "10 server POST /api/mutation\n10 server POST /api/mutation\n20 client reset\n");
}

/* A server that would go on writing learns that nobody is there; a client that goes is told to the server. */
static void test_streams(void **state) {
    static const char *const rules[] = {RULE("lose-response"), RULE("{truncate: 3}")};
    static const char *const logs[] = {
        "10 server POST /api/mutation\n10 server left\n20 client reset\n",
        "10 server POST /api/mutation\n10 server left\n20 client 200\n20 client body hel\n30 client reset\n"};
    struct fault_world w;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        open_world(&w, rules[i], 1);
        w.streams = true;
        ask(&w, "POST", "/api/mutation");
        run_for(&w, 1000);
        check_log(&w, logs[i]);
        close_world(&w);
    }
    open_world(&w, RULE("{delay: 1s}"), 1);
    w.streams = true;
    uint64_t exchange = ask(&w, "POST", "/api/mutation");
    run_for(&w, 100);
    host_http_abort(w.client, exchange);
    run_for(&w, 2000);
    check_log(&w, "1010 server POST /api/mutation\n1010 server left\n"); /* in the order of sending */
    close_world(&w);
}

/* The server counts what the door holds back of an answer as not sent yet. */
static void test_unsent(void **state) {
    struct fault_world w;
    (void)state;
    open_world(&w, RULE("{delay-response: 1s}"), 1);
    w.streams = true;
    ask(&w, "POST", "/api/mutation");
    run_for(&w, 100);
    assert_int_equal(host_http_unsent(w.door, w.seen), strlen("hello world"));
    run_for(&w, 1100);
    assert_int_equal(host_http_unsent(w.door, w.seen), 0);
    close_world(&w);
}

/* Which of ten requests, 100 ms apart, are reset. */
static void check_struck(const char *when, uint64_t seed, const char *expected) {
    struct fault_world w;
    char rules[200];
    struct buffer seen = {0};
    snprintf(rules, sizeof rules, "- {at: \"POST /x\", %sdo: reset}", when);
    open_world(&w, rules, seed);
    for (int i = 0; i < 10; i++) {
        ask(&w, "POST", "/x");
        run_for(&w, 100);
        buffer_append_char(&seen, strstr(buffer_text(&w.log), "reset") ? 'R' : '.');
        buffer_clear(&w.log);
    }
    if (expected)
        assert_string_equal(buffer_text(&seen), expected);
    else
        assert_true(strchr(buffer_text(&seen), 'R') && strchr(buffer_text(&seen), '.'));
    buffer_free(&seen);
    close_world(&w);
}

static void test_triggers(void **state) {
    (void)state;
    check_struck("", 1, "RRRRRRRRRR");
    check_struck("every: 3, ", 1, "..R..R..R.");
    check_struck("nth: 2, ", 1, ".R........");
    check_struck("nth: [2, 5], ", 1, ".RRRR.....");
    check_struck("times: 2, ", 1, "RR........");
    check_struck("every: 2, times: 2, ", 1, ".R.R......");
    check_struck("during: [205ms, 405ms], ", 1, "..RR......"); /* they arrive at 210 and 310 ms */
    check_struck("during: [205ms, 405ms], nth: 2, ", 1, "...R......");
    check_struck("rate: 0%, ", 1, "..........");
    check_struck("rate: 100%, ", 1, "RRRRRRRRRR");
    check_struck("rate: 50%, ", 1, NULL);
}

static void test_stop_and_counts(void **state) {
    struct fault_world w;
    (void)state;
    open_world(&w, "- {at: \"POST /x\", every: 2, do: reset}\n- {at: \"* /slow\", do: {delay: 1h}}", 1);
    for (int i = 0; i < 4; i++)
        ask(&w, "POST", "/x");
    ask(&w, "GET", "/slow");
    run_for(&w, 100);
    check_count(&w, 0, 2, 4);
    check_count(&w, 1, 1, 1);
    buffer_clear(&w.log);
    fault_host_stop(w.door);
    run_for(&w, 100);
    check_log(&w, "100 server GET /slow\n110 client 200\n110 client body hello world\n110 client end\n");
    ask(&w, "POST", "/x");
    run_for(&w, 100);
    check_count(&w, 0, 2, 4); /* nothing is about anything any more */
    check_log(&w, "210 server POST /x\n220 client 200\n220 client body hello world\n220 client end\n");
    struct buffer report = {0};
    fault_settings_report(&w.file.convex, w.door, &report);
    assert_string_equal(buffer_text(&report),
                        "convex: reset at POST /x: 2 of 4\nconvex: delay at * /slow: 1 of 1\n");
    buffer_free(&report);
    close_world(&w);
}

/* What waits goes with the process. */
static void test_crash(void **state) {
    struct fault_world w;
    (void)state;
    open_world(&w, "- {at: \"* *\", do: {delay: 1s}}", 1);
    ask(&w, "POST", "/x");
    run_for(&w, 100);
    net_crash_node(w.net, "convex");
    fault_host_crash(w.door);
    run_for(&w, 5000);
    check_log(&w, "110 client reset\n");
    close_world(&w);
}

static void test_deployment_switches(void **state) {
    struct fault_world w;
    (void)state;
    open_world(&w,
               "deployment: {knobs: {a: 7, b: 1000}, clock: [{at: 1s, back: 1h}, {at: 2s, forward: 5s}], "
               "bumps-when-idle: true, conflicts: 5}\n",
               1);
    assert_true(w.file.bumps_when_idle);
    assert_int_equal(w.file.conflicts, 5);
    assert_int_equal(host_knob(w.door, "a", 1, 0, 10), 7);
    assert_int_equal(host_knob(w.door, "b", 1, 0, 10), 10);
    assert_int_equal(host_knob(w.door, "c", 3, 0, 10), 3);
    int64_t start = host_wall_clock(w.door);
    run_for(&w, 999);
    assert_int_equal(host_wall_clock(w.door) - start, 999 * TIME_MILLISECOND);
    run_for(&w, 1);
    assert_int_equal(host_wall_clock(w.door) - start, TIME_SECOND - TIME_HOUR);
    run_for(&w, 1000);
    assert_int_equal(host_wall_clock(w.door) - start, 7 * TIME_SECOND - TIME_HOUR);
    close_world(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_untouched),
                                       cmocka_unit_test(test_answers),
                                       cmocka_unit_test(test_connections),
                                       cmocka_unit_test(test_times),
                                       cmocka_unit_test(test_later_release),
                                       cmocka_unit_test(test_bodies),
                                       cmocka_unit_test(test_requests_changed),
                                       cmocka_unit_test(test_rules_compose),
                                       cmocka_unit_test(test_streams),
                                       cmocka_unit_test(test_unsent),
                                       cmocka_unit_test(test_triggers),
                                       cmocka_unit_test(test_stop_and_counts),
                                       cmocka_unit_test(test_crash),
                                       cmocka_unit_test(test_deployment_switches)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
