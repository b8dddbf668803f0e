/* What each fault does to a WebSocket. The client opens one and says A, X and A again, 100 ms apart. */
#include "fault/fault_world.h"

static void check_talk(const char *what, const char *expected) {
    static const char *const said[] = {"{\"type\":\"A\"}", "{\"type\":\"Xx\"}", "{\"type\":\"A\"}"};
    struct fault_world w;
    char rules[300];
    snprintf(rules, sizeof rules, "- {at: \"GET /api/*sync\", %s}", what);
    open_world(&w, rules, 1);
    connect_socket(&w);
    run_for(&w, 100);
    bool open = strstr(buffer_text(&w.log), "client open") && !strstr(buffer_text(&w.log), "client closed");
    for (size_t i = 0; i < 3; i++) {
        if (open)
            send_message(&w, said[i]);
        run_for(&w, 100);
    }
    check_log(&w, expected);
    close_world(&w);
}

#define OPEN "10 server GET /api/1/sync\n20 client open\n"
#define A_B(up, down) #up " server got {\"type\":\"A\"}\n" #down " client got {\"type\":\"B\"}\n"
#define X(up) #up " server got {\"type\":\"Xx\"}\n"

static void test_untouched(void **state) {
    (void)state;
    check_talk("message: Y, do: swallow", OPEN A_B(110, 120) X(210) A_B(310, 320));
    check_talk("message: 'Y*', do: reset", OPEN A_B(110, 120) X(210) A_B(310, 320));
}

static void test_swallowed(void **state) {
    (void)state;
    check_talk("message: A, do: swallow", OPEN X(210));
    check_talk("message: B, nth: 2, do: swallow",
               OPEN A_B(110, 120) X(210) "310 server got {\"type\":\"A\"}\n");
    check_talk("message: '*', nth: 2, do: swallow", /* A, B */
               OPEN "110 server got {\"type\":\"A\"}\n" X(210) A_B(310, 320));
}

/* In place of the message, or behind it. What follows from the client is for nobody. */
static void test_closed(void **state) {
    (void)state;
    check_talk("message: Xx, do: {close: {code: 1013, reason: CommitterFullError}}",
               OPEN A_B(110, 120) "210 server closed 1013 CommitterFullError\n"
                                  "220 client closed 1013 CommitterFullError\n");
    check_talk("message: Xx, do: {close: {code: 0, deliver: true}}",
               OPEN A_B(110, 120) X(210) "210 server closed 1005\n220 client closed 1005\n");
    check_talk("message: B, do: close",
               OPEN "110 server got {\"type\":\"A\"}\n110 server closed 1011\n120 client closed 1011\n");
    check_talk(
        "do: {close: {code: 4040, reason: no}}",
        "10 server GET /api/1/sync\n10 server closed 4040 no\n20 client open\n20 client closed 4040 no\n");
    check_talk("message: Xx, do: reset",
               OPEN A_B(110, 120) "210 server closed 1006\n220 client closed 1006\n");
    check_talk("do: {answer: {status: 503}}", "20 client 503\n");
}

static void test_told(void **state) {
    (void)state;
    check_talk("message: Xx, do: {fatal-error: 'a \"b\"'}",
               OPEN A_B(110, 120) "210 server closed 1005\n"
                                  "220 client got {\"type\":\"FatalError\",\"error\":\"a \\\"b\\\"\"}\n"
                                  "220 client closed 1005\n");
    check_talk(
        "message: Xx, do: {auth-error: {text: old, update-attempted: true}}",
        OPEN A_B(110, 120) "210 server closed 1005\n"
                           "220 client got {\"type\":\"AuthError\",\"error\":\"old\",\"baseVersion\":null,"
                           "\"authUpdateAttempted\":true}\n"
                           "220 client closed 1005\n");
}

static void test_delayed(void **state) {
    (void)state;
    /* what follows in the same direction waits too, the other direction does not */
    check_talk("message: Xx, do: {delay: 150ms}",
               OPEN A_B(110, 120) "360 server got {\"type\":\"Xx\"}\n360 server got {\"type\":\"A\"}\n"
                                  "370 client got {\"type\":\"B\"}\n");
    check_talk("message: B, nth: 1, do: {delay: 150ms}", OPEN
               "110 server got {\"type\":\"A\"}\n" X(210) "270 client got {\"type\":\"B\"}\n" A_B(310, 320));
    check_talk("message: Xx, do: duplicate", OPEN A_B(110, 120) X(210) X(210) A_B(310, 320));
}

static void test_silent(void **state) {
    struct fault_world w;
    (void)state;
    check_talk("message: Xx, do: silence", OPEN A_B(110, 120));
    check_talk("do: silence", OPEN);
    open_world(&w, "- {at: \"GET /api/*\", message: A, do: silence}", 1);
    connect_socket(&w);
    run_for(&w, 100);
    send_message(&w, "{\"type\":\"A\"}");
    run_for(&w, 100);
    fault_host_stop(w.door); /* a half-open connection would never heal */
    run_for(&w, 100);
    check_log(&w, OPEN "200 server closed 1006\n210 client closed 1006\n");
    close_world(&w);
    open_world(&w, "- {at: \"GET /api/*\", message: A, do: silence}", 1);
    connect_socket(&w);
    run_for(&w, 100);
    send_message(&w, "{\"type\":\"A\"}");
    run_for(&w, 100);
    host_websocket_close(w.client, w.socket, 1001, "");
    run_for(&w, 100);
    check_log(&w, OPEN "210 server closed 1001\n");
    close_world(&w);
}

/* The server counts what the door holds back as not sent yet. */
static void test_unsent(void **state) {
    struct fault_world w;
    (void)state;
    open_world(&w, "- {at: \"GET /api/*\", message: B, do: {delay: 1s}}", 1);
    connect_socket(&w);
    run_for(&w, 100);
    send_message(&w, "{\"type\":\"A\"}");
    run_for(&w, 100);
    assert_int_equal(host_websocket_unsent(w.door, w.socket), 1);
    run_for(&w, 1100);
    assert_int_equal(host_websocket_unsent(w.door, w.socket), 0);
    close_world(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_untouched), cmocka_unit_test(test_swallowed),
                                       cmocka_unit_test(test_closed),    cmocka_unit_test(test_told),
                                       cmocka_unit_test(test_delayed),   cmocka_unit_test(test_silent),
                                       cmocka_unit_test(test_unsent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
