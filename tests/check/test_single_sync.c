/* Hand-written days of a device with tabs: taking turns is let pass, doing it at once is reported. */
#include "history_fixture.h"

#include "check/properties.h"

static struct fixture fixture;
static void *watcher;

static int set_up(void **state) {
    (void)state;
    static const char *const only[] = {"single-sync"};
    fixture = fixture_open_for(only, 1);
    watcher = property_single_sync.create(fixture.checker);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    property_single_sync.destroy(watcher);
    fixture_close(&fixture);
    return 0;
}

static void wire(enum wire_kind kind, int process, uint64_t exchange, const char *target) {
    property_single_sync.wire(
        watcher, 0,
        &(struct wire_event){
            .kind = kind, .client = "alice-1", .process = process, .exchange = exchange, .target = target});
}

static void stream(enum wire_kind kind, int process, uint64_t exchange) {
    wire(kind, process, exchange, "POST /sync/stream");
}

static void tell(enum note_kind kind, int process, int64_t transaction) {
    fixture_add(&fixture, "alice-1",
                (struct note){.kind = kind, .process = process, .transaction = transaction});
}

/* The checker's own instance has seen it; the one that sees the wire is told by hand. */
static void end_tab(int process) {
    fixture_add(&fixture, "alice-1",
                (struct note){
                    .kind = NOTE_CONNECTION, .process = process, .text = "disconnected: the tab is closed"});
    property_single_sync.record(watcher, history_get(fixture.history, history_length(fixture.history) - 1));
}

static void tabs_take_turns(void **state) {
    (void)state;
    stream(WIRE_REQUEST, 1, 10);
    stream(WIRE_BODY_SEEN, 1, 10);
    wire(WIRE_REQUEST, 2, 11, "POST /api/mutation");
    stream(WIRE_ABORTED, 1, 10);
    stream(WIRE_REQUEST, 2, 12);
    stream(WIRE_FAILED, 2, 12);
    stream(WIRE_REQUEST, 1, 13);
    stream(WIRE_END_SEEN, 1, 13);
    stream(WIRE_REQUEST, 1, 14);
    end_tab(1);
    stream(WIRE_REQUEST, 2, 15);
    tell(NOTE_UPLOAD_STARTED, 1, 1);
    tell(NOTE_UPLOAD_STARTED, 1, 2); /* a batch */
    tell(NOTE_UPLOAD_ACKNOWLEDGED, 1, 1);
    tell(NOTE_UPLOAD_FAILED, 1, 2);
    tell(NOTE_UPLOAD_STARTED, 2, 2);
    tell(NOTE_CRASH, 2, 0);
    tell(NOTE_UPLOAD_STARTED, 1, 2);
    expect_violations(&fixture, 0);
}

static void two_streams(void **state) {
    (void)state;
    stream(WIRE_REQUEST, 1, 10);
    stream(WIRE_REQUEST, 2, 11);
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"single-sync", "alice-1", "", "one process streams",
                                             "process 2 asks for a stream while process 1 has one", 0, 0});
}

/* One process, but it forgot the stream that it had. */
static void one_process_two_streams(void **state) {
    (void)state;
    stream(WIRE_REQUEST, 0, 10);
    stream(WIRE_REQUEST, 0, 11);
    expect_violations(&fixture, 1);
}

static void two_uploads(void **state) {
    (void)state;
    tell(NOTE_UPLOAD_STARTED, 1, 7);
    tell(NOTE_UPLOAD_STARTED, 3, 7);
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"single-sync", "alice-1", "", "one process uploads",
                                             "process 3 begins transaction 7 while process 1 uploads", 2, 0});
}

/* Another tab that closes takes no stream and no upload away. */
static void who_closes_ends_only_his_own(void **state) {
    (void)state;
    stream(WIRE_REQUEST, 1, 10);
    end_tab(2);
    stream(WIRE_REQUEST, 3, 11);
    expect_violations(&fixture, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tabs_take_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_streams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_process_two_streams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_uploads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_closes_ends_only_his_own, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
