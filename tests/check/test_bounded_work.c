/* Hand-written days of a device: what is moderate is let pass, and each way of asking too much is reported.
 */
#include "history_fixture.h"

#include "check/properties.h"

static struct fixture fixture;
static void *watcher;

static int set_up(void **state) {
    (void)state;
    static const char *const only[] = {"bounded-work"};
    fixture = fixture_open_for(only, 1);
    watcher = property_bounded_work.create(fixture.checker);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    property_bounded_work.destroy(watcher);
    fixture_close(&fixture);
    return 0;
}

static void wire(int64_t now, enum wire_kind kind, const char *client, const char *target, int status) {
    property_bounded_work.wire(
        watcher, now,
        &(struct wire_event){.kind = kind, .client = client, .target = target, .status = status});
}

static void tell(struct note note) {
    fixture_add(&fixture, "alice-1", note);
}

/* The checker's own instance has seen it; the one that sees the wire is told by hand. */
static void pass_on(void) {
    property_bounded_work.record(watcher, history_get(fixture.history, history_length(fixture.history) - 1));
}

static void connection(const char *text) {
    tell((struct note){.kind = NOTE_CONNECTION, .text = text});
}

static void failed_upload(int transaction) {
    tell((struct note){.kind = NOTE_UPLOAD_FAILED, .transaction = transaction});
}

static void streams(int64_t from, int count, int64_t pause) {
    for (int i = 0; i < count; i++)
        wire(from + i * pause, WIRE_REQUEST, "alice-1", "POST /sync/stream", 0);
}

static void steady_reconnects_are_fine(void **state) {
    (void)state;
    streams(0, 200, 5 * TIME_SECOND);
    streams(TIME_HOUR, 20, TIME_MILLISECOND); /* as many as may be */
    expect_violations(&fixture, 0);
}

/* alice-1 sets the todo's text to `description`, and then the backend makes "milk" of it again. */
static void correct(const char *description) {
    fixture_row(&fixture, "PATCH", "todos", "a",
                arena_format(&fixture.arena, "{\"description\":\"%s\"}", description));
    tell((struct note){.kind = NOTE_LOCAL_WRITE, .transaction = 1});
    fixture_shown(&fixture, "a", description);
    fixture_view(&fixture, "alice-1", "write");
    fixture_shown(&fixture, "a", "milk");
    fixture_view(&fixture, "alice-1", "checkpoint");
}

static void the_same_correction(void **state) {
    (void)state;
    fixture_shown(&fixture, "a", "milk");
    fixture_view(&fixture, "alice-1", "checkpoint");
    for (int i = 0; i < 7; i++)
        correct("oat milk");
    for (int i = 0; i < 9; i++)
        correct("milk"); /* no change at all */
    correct("soy milk");
    for (int i = 0; i < 7; i++)
        correct("oat milk");
    expect_violations(&fixture, 0);
    correct("oat milk");
    expect_violations(&fixture, 1);
}

static void stream_storm(void **state) {
    (void)state;
    streams(0, 21, TIME_MILLISECOND);
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){"bounded-work", "alice-1", "", "at most 20 in 10 s",
                                                       "21 streams in less", 0, 0});
}

static void others_are_not_judged(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++)
        wire(i, WIRE_REQUEST, "powersync", "POST /sync/stream", 0);
    expect_violations(&fixture, 0);
}

static void failed_uploads(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++)
        failed_upload(1);
    for (int i = 0; i < 20; i++)
        failed_upload(2); /* another transaction */
    expect_violations(&fixture, 0);
    failed_upload(2);
    expect_violations(&fixture, 1);
}

static void tokens(int count) {
    for (int i = 0; i < count; i++)
        wire(i * TIME_MINUTE, WIRE_HEAD_SEEN, "alice-1", "GET /token?user=alice", 200);
}

static void tokens_without_a_reason(void **state) {
    (void)state;
    tokens(5);
    expect_violations(&fixture, 0);
    tokens(1);
    expect_violations(&fixture, 1);
}

static void tokens_with_a_reason(void **state) {
    (void)state;
    tokens(5);
    wire(0, WIRE_HEAD_SEEN, "alice-1", "POST /sync/stream", 401);
    tokens(5);
    connection("disconnected: token expired");
    pass_on();
    tokens(5);
    connection("connected");
    pass_on();
    connection("connecting"); /* anew, without an end: the token was about to run out */
    pass_on();
    tokens(5);
    tell((struct note){.kind = NOTE_RESTART});
    pass_on();
    tokens(5);
    connection("disconnected: by the app");
    pass_on();
    tokens(5);
    expect_violations(&fixture, 0);
}

static void who_only_reads_needs_no_write_checkpoint(void **state) {
    (void)state;
    wire(0, WIRE_REQUEST, "alice-1", "GET /write-checkpoint2.json?client_id=a", 0);
    expect_violations(&fixture, 1);
}

static void who_writes_needs_write_checkpoints(void **state) {
    (void)state;
    fixture_write(&fixture, "alice-1", 1, "t", "milk");
    pass_on();
    wire(0, WIRE_REQUEST, "alice-1", "GET /write-checkpoint2.json?client_id=a", 0);
    wire(0, WIRE_REQUEST, "alice-1", "GET /write-checkpoint2.json?client_id=a", 0);
    expect_violations(&fixture, 0);
    wire(0, WIRE_REQUEST, "alice-2", "GET /write-checkpoint2.json?client_id=b", 0);
    expect_violations(&fixture, 1);
}

static void what_is_thrown_away(void **state) {
    (void)state;
    connection("disconnected: end of stream");
    expect_violations(&fixture, 0);
    connection("disconnected: closed by the core");
    expect_violations(&fixture, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(steady_reconnects_are_fine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_correction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stream_storm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(others_are_not_judged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failed_uploads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tokens_without_a_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tokens_with_a_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_only_reads_needs_no_write_checkpoint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_writes_needs_write_checkpoints, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_thrown_away, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
