/* Hand-written days of an app that opens streams and leaves them. */
#include "history_fixture.h"

static struct fixture fixture;

static int set_up(void **state) {
    (void)state;
    static const char *const only[] = {"subscriptions"};
    fixture = fixture_open_for(only, 1);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_close(&fixture);
    return 0;
}

/* About the stream `news` with these parameters. */
static uint64_t tell(const char *what, const char *parameters, int64_t ttl_seconds) {
    fixture_row(&fixture, NULL, "news", parameters, NULL);
    return fixture_add(&fixture, "alice-1",
                       (struct note){.kind = NOTE_STREAMS, .text = what, .timestamp = ttl_seconds});
}

/* A request for `news` with these parameters; NULL: for none. */
static uint64_t ask(const char *first, const char *second) {
    if (first != NULL)
        fixture_row(&fixture, NULL, "news", first, NULL);
    if (second != NULL)
        fixture_row(&fixture, NULL, "news", second, NULL);
    return fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_STREAMS, .text = "asked"});
}

static void finish_later(int64_t by) {
    fixture.time += by;
    fixture_queue(&fixture, "alice-1", 0);
    checker_finish(fixture.checker);
}

static void expect_one(const char *expected, const char *seen, uint64_t first, uint64_t second) {
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"subscriptions", "alice-1", "", expected, seen, first, second});
}

static void as_promised(void **state) {
    (void)state;
    tell("opened", "{\"of\":1}", 10);
    ask("{\"of\":1}", NULL);
    tell("synced", "{\"of\":1}", 0);
    tell("opened", "{\"of\":2}", 10);
    ask("{\"of\":1}", "{\"of\":2}");
    tell("synced", "{\"of\":2}", 0);
    tell("left", "{\"of\":1}", 0);
    finish_later(9 * TIME_SECOND); /* still kept: its time is not over */
    expect_violations(&fixture, 0);
}

static void gone_in_time(void **state) {
    (void)state;
    tell("opened", "{\"of\":1}", 10);
    ask("{\"of\":1}", NULL);
    tell("synced", "{\"of\":1}", 0);
    tell("left", "{\"of\":1}", 0);
    fixture.time += 11 * TIME_SECOND;
    ask(NULL, NULL);
    finish_later(TIME_MINUTE);
    expect_violations(&fixture, 0);
}

static void left_out(void **state) {
    (void)state;
    const uint64_t opened = tell("opened", "{\"of\":1}", 10);
    const uint64_t asked = ask("{\"of\":2}", NULL);
    expect_one("a request for every stream that is open", "a request without this one", opened, asked);
}

/* No request at all since it was opened: seen at the end. */
static void never_asked(void **state) {
    (void)state;
    const uint64_t opened = tell("opened", "{\"of\":1}", 10);
    finish_later(TIME_MINUTE);
    expect_one("a request for every stream that is open", "a request without this one", opened, 0);
}

static void never_synced(void **state) {
    (void)state;
    const uint64_t opened = tell("opened", "{\"of\":1}", 10);
    ask("{\"of\":1}", NULL);
    finish_later(TIME_MINUTE);
    expect_one("the app hears of the first sync", "it still waits", opened, 0);
}

static void outlived(void **state) {
    (void)state;
    tell("opened", "{\"of\":1}", 10);
    ask("{\"of\":1}", NULL);
    tell("synced", "{\"of\":1}", 0);
    const uint64_t left = tell("left", "{\"of\":1}", 0);
    finish_later(11 * TIME_SECOND);
    expect_one("no request once its time is over", "it is asked for", left, 0);
}

/* Unsubscribing for everybody ends its time at once. */
static void dropped(void **state) {
    (void)state;
    tell("opened", "{\"of\":1}", 10);
    ask("{\"of\":1}", NULL);
    tell("synced", "{\"of\":1}", 0);
    const uint64_t left = tell("dropped", "{\"of\":1}", 0);
    finish_later(TIME_SECOND);
    expect_one("no request once its time is over", "it is asked for", left, 0);
}

/* A crash leaves all that was open; clearing forgets what was left. */
static void forgotten(void **state) {
    (void)state;
    tell("opened", "{\"of\":1}", 10);
    ask("{\"of\":1}", NULL);
    fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_CRASH});
    fixture_view(&fixture, "alice-1", "clear");
    finish_later(TIME_MINUTE);
    expect_violations(&fixture, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(as_promised),  TEST(gone_in_time), TEST(left_out), TEST(never_asked),
        TEST(never_synced), TEST(outlived),     TEST(dropped),  TEST(forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
