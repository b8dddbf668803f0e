/* Hand-written days of an app that looks at its sync status: as it was, and as it was not. */
#include "history_fixture.h"

enum {
    ON = NOTE_STATUS_CONNECTED,
    BEGINS = NOTE_STATUS_CONNECTING,
    SYNCED = NOTE_STATUS_SYNCED,
};

static struct fixture fixture;

static int set_up(void **state) {
    (void)state;
    static const char *const only[] = {"status"};
    fixture = fixture_open_for(only, 1);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static uint64_t connection(const char *text, int64_t status) {
    return fixture_add(&fixture, "alice-1",
                       (struct note){.kind = NOTE_CONNECTION, .text = text, .transaction = status});
}

static void expect_one(const char *expected, const char *seen, uint64_t record) {
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){"status", "alice-1", "", expected, seen, 0, record});
}

/* From the first start over a hidden restart, a lost stream, a crash and a clear. */
static void true_all_day(void **state) {
    (void)state;
    connection("connecting", BEGINS);
    connection("connected", ON);
    fixture_view(&fixture, "alice-1", "checkpoint");
    connection("connecting", ON | SYNCED);
    connection("connected", ON | SYNCED);
    connection("disconnected: the connection was reset", SYNCED);
    connection("connecting", BEGINS | SYNCED);
    connection("connected", ON | SYNCED);
    fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_CRASH});
    connection("connecting", BEGINS | SYNCED);
    connection("disconnected: by the app", SYNCED);
    fixture_view(&fixture, "alice-1", "clear");
    connection("connecting", BEGINS);
    connection("connected", ON);
    expect_violations(&fixture, 0);
}

static void stays_connected(void **state) {
    (void)state;
    connection("connecting", BEGINS);
    connection("connected", ON);
    const uint64_t lost = connection("disconnected: the connection was reset", ON);
    expect_one("disconnected, has not synced", "connected, has not synced", lost);
}

static void synced_too_early(void **state) {
    (void)state;
    fixture_view(&fixture, "alice-2", "checkpoint"); /* another device's */
    const uint64_t record = connection("connecting", BEGINS | SYNCED);
    expect_one("connecting, has not synced", "connecting, has synced", record);
}

static void synced_and_not_told(void **state) {
    (void)state;
    fixture_view(&fixture, "alice-1", "checkpoint");
    const uint64_t record = connection("connecting", BEGINS);
    expect_one("connecting, has synced", "connecting, has not synced", record);
}

static void synced_after_a_clear(void **state) {
    (void)state;
    fixture_view(&fixture, "alice-1", "checkpoint");
    fixture_view(&fixture, "alice-1", "clear");
    const uint64_t record = connection("connecting", BEGINS | SYNCED);
    expect_one("connecting, has not synced", "connecting, has synced", record);
}

static void connected_after_a_crash(void **state) {
    (void)state;
    connection("connecting", BEGINS);
    connection("connected", ON);
    fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_CRASH});
    const uint64_t record = connection("connecting", ON);
    expect_one("connecting, has not synced", "connected, has not synced", record);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(true_all_day),        TEST(stays_connected),      TEST(synced_too_early),
        TEST(synced_and_not_told), TEST(synced_after_a_clear), TEST(connected_after_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
