/* Hand-written days of a device: own writes that show at once, and ones that wait for somebody. */
#include "history_fixture.h"

static struct fixture fixture;

static int set_up(void **state) {
    (void)state;
    static const char *const only[] = {"local-first"};
    fixture = fixture_open_for(only, 1);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static void later(int64_t by) {
    fixture.time += by;
    fixture_add(&fixture, "plan", (struct note){.kind = NOTE_TEXT, .text = "nothing happens"});
}

static void shows_at_once(void **state) {
    (void)state;
    fixture_write(&fixture, "alice-1", 1, "t", "milk");
    fixture_shown(&fixture, "t", "milk");
    fixture_view(&fixture, "alice-1", "write");
    later(TIME_MINUTE);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 0);
}

static void waits_for_the_service(void **state) {
    (void)state;
    const uint64_t write = fixture_write(&fixture, "alice-1", 1, "t", "milk");
    later(50 * TIME_MILLISECOND);
    expect_violations(&fixture, 0);
    later(100 * TIME_MILLISECOND);
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){"local-first", "alice-1", "t", "[\"milk\",0,1.5]",
                                                       "no row", write, 0});
    later(TIME_MINUTE); /* told once */
    expect_violations(&fixture, 1);
}

static void never_shows(void **state) {
    (void)state;
    fixture_write(&fixture, "bob-1", 1, "t", "milk");
    checker_finish(fixture.checker);
    expect_violations(&fixture, 1);
}

/* Deleting what is not there changes nothing that could show. */
static void nothing_to_show(void **state) {
    (void)state;
    fixture_write(&fixture, "alice-1", 1, "t", NULL);
    later(TIME_MINUTE);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 0);
}

/* A crash between writing and showing: the restart shows it. */
static void restart_shows_it(void **state) {
    (void)state;
    fixture_write(&fixture, "alice-1", 1, "t", "milk");
    fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_CRASH});
    fixture_shown(&fixture, "t", "milk");
    fixture_view(&fixture, "alice-1", "restart");
    later(TIME_MINUTE);
    expect_violations(&fixture, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shows_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_the_service, set_up, tear_down),
        cmocka_unit_test_setup_teardown(never_shows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_to_show, set_up, tear_down),
        cmocka_unit_test_setup_teardown(restart_shows_it, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
