/* Hand-written days of a device, with tabs and without: taking turns is let pass, doing it at once is
 * reported. */
#include "history_fixture.h"

#include "check/properties.h"

static struct fixture fixture;
static void *watcher;

/* The checker's own instance judges the records; the one that sees the wire is told by hand what ends. */
static int set_up(void **state) {
    (void)state;
    static const char *const only[] = {"single"};
    fixture = fixture_open_for(only, 1);
    watcher = property_single.create(fixture.checker);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    property_single.destroy(watcher);
    fixture_close(&fixture);
    return 0;
}

static void wire(enum wire_kind kind, int process, uint64_t exchange, const char *server,
                 const char *target) {
    property_single.wire(watcher, 0,
                         &(struct wire_event){.kind = kind,
                                              .client = "alice-1",
                                              .process = process,
                                              .exchange = exchange,
                                              .server = server,
                                              .target = target});
}

static void stream(enum wire_kind kind, int process, uint64_t exchange) {
    wire(kind, process, exchange, "powersync", "POST /sync/stream");
}

static void upload(enum wire_kind kind, int process, uint64_t exchange) {
    wire(kind, process, exchange, "convex", "POST /api/mutation");
}

static uint64_t tell(enum note_kind kind, int process, int64_t transaction, const char *text) {
    const uint64_t record = fixture_add(
        &fixture, "alice-1",
        (struct note){.kind = kind, .process = process, .transaction = transaction, .text = text});
    if (kind == NOTE_CONNECTION || kind == NOTE_CRASH)
        property_single.record(watcher, history_get(fixture.history, history_length(fixture.history) - 1));
    return record;
}

static void close_tab(int process) {
    tell(NOTE_CONNECTION, process, 0, "disconnected: the tab is closed");
}

static void expect_one(const char *expected, const char *seen, uint64_t first) {
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){"single", "alice-1", "", expected, seen, first, 0});
}

static void tabs_take_turns(void **state) {
    (void)state;
    stream(WIRE_REQUEST, 1, 10);
    stream(WIRE_BODY_SEEN, 1, 10);
    upload(WIRE_REQUEST, 2, 11);
    stream(WIRE_ABORTED, 1, 10);
    stream(WIRE_REQUEST, 2, 12);
    stream(WIRE_FAILED, 2, 12);
    upload(WIRE_END_SEEN, 2, 11);
    upload(WIRE_REQUEST, 1, 13);
    stream(WIRE_REQUEST, 1, 14);
    close_tab(1);
    stream(WIRE_REQUEST, 2, 15);
    upload(WIRE_REQUEST, 2, 16);
    wire(WIRE_REQUEST, 2, 17, "backend", "GET /api/powersync/config"); /* is no upload */
    expect_violations(&fixture, 0);
}

static void transactions_take_turns(void **state) {
    (void)state;
    tell(NOTE_UPLOAD_STARTED, 1, 1, NULL);
    tell(NOTE_UPLOAD_STARTED, 1, 2, NULL); /* a batch */
    tell(NOTE_UPLOAD_ACKNOWLEDGED, 1, 1, NULL);
    tell(NOTE_UPLOAD_FAILED, 1, 2, "");
    tell(NOTE_UPLOAD_STARTED, 2, 2, NULL);
    close_tab(2);
    tell(NOTE_UPLOAD_STARTED, 1, 2, NULL);
    tell(NOTE_CRASH, 1, 0, NULL);
    tell(NOTE_UPLOAD_STARTED, 3, 2, NULL);
    tell(NOTE_UPLOAD_REJECTED, 3, 2, "");
    tell(NOTE_UPLOAD_STARTED, 1, 3, NULL);
    expect_violations(&fixture, 0);
}

static void a_crash_ends_all(void **state) {
    (void)state;
    stream(WIRE_REQUEST, 0, 10);
    upload(WIRE_REQUEST, 0, 11);
    tell(NOTE_CRASH, 0, 0, NULL);
    stream(WIRE_REQUEST, 0, 12);
    upload(WIRE_REQUEST, 0, 13);
    expect_violations(&fixture, 0);
}

static void two_streams(void **state) {
    (void)state;
    stream(WIRE_REQUEST, 1, 10);
    stream(WIRE_REQUEST, 2, 11);
    expect_one("one stream at a time", "process 2 begins one while process 1 has one", 0);
}

/* One process, but it forgot the stream that it had. */
static void one_process_two_streams(void **state) {
    (void)state;
    stream(WIRE_REQUEST, 0, 10);
    stream(WIRE_REQUEST, 0, 11);
    expect_one("one stream at a time", "another one", 0);
}

static void two_requests(void **state) {
    (void)state;
    upload(WIRE_REQUEST, 0, 10);
    upload(WIRE_REQUEST, 0, 11);
    expect_one("one upload at a time", "another one", 0);
}

static void two_processes_upload(void **state) {
    (void)state;
    tell(NOTE_UPLOAD_STARTED, 1, 7, NULL);
    const uint64_t second = tell(NOTE_UPLOAD_STARTED, 3, 7, NULL);
    expect_one("one process uploads", "process 3 begins transaction 7 while process 1 uploads", second);
}

/* Another tab that closes takes no stream and no upload away. */
static void who_closes_ends_only_his_own(void **state) {
    (void)state;
    stream(WIRE_REQUEST, 1, 10);
    close_tab(2);
    stream(WIRE_REQUEST, 3, 11);
    expect_violations(&fixture, 1);
}

static void after_disconnecting(void **state) {
    (void)state;
    const uint64_t off = tell(NOTE_CONNECTION, 0, 0, "disconnected: by the app");
    stream(WIRE_REQUEST, 0, 10);
    expect_one("no stream once the app has disconnected", "one begins", off);
    stream(WIRE_HEAD_SEEN, 0, 10);
    expect_violations(&fixture, 2);
}

/* A failure is no wish of the app; one tab's wish is not another's; connecting ends it. */
static void who_may_stream(void **state) {
    (void)state;
    tell(NOTE_CONNECTION, 1, 0, "disconnected: by the app");
    tell(NOTE_CONNECTION, 2, 0, "disconnected: the connection was reset");
    stream(WIRE_REQUEST, 2, 10);
    stream(WIRE_HEAD_SEEN, 2, 10);
    stream(WIRE_END_SEEN, 2, 10);
    tell(NOTE_CONNECTION, 1, 0, "connecting");
    stream(WIRE_REQUEST, 1, 11);
    stream(WIRE_HEAD_SEEN, 1, 11);
    expect_violations(&fixture, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(tabs_take_turns),      TEST(transactions_take_turns),      TEST(a_crash_ends_all),
        TEST(two_streams),          TEST(one_process_two_streams),      TEST(two_requests),
        TEST(two_processes_upload), TEST(who_closes_ends_only_his_own), TEST(after_disconnecting),
        TEST(who_may_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
