/* What watch queries must hear of, and that rows have ids, each its own. */
#include "history_fixture.h"

static struct fixture open(const char *property) {
    return fixture_open_for(&property, 1);
}

static void tell(struct fixture *fixture, enum note_kind kind) {
    fixture_add(fixture, "alice-1", (struct note){.kind = kind});
}

static void show(struct fixture *fixture, const char *client) {
    fixture_shown(fixture, "a", "milk");
    fixture_view(fixture, client, "checkpoint");
}

static void end(struct fixture *fixture, int64_t later, size_t violations) {
    fixture->time += later;
    fixture_queue(fixture, "bob-1", 0);
    checker_finish(fixture->checker);
    expect_violations(fixture, violations);
    fixture_close(fixture);
}

static void test_heard(void **state) {
    (void)state;
    struct fixture fixture = open("watch-hears");
    tell(&fixture, NOTE_WATCHED);
    show(&fixture, "alice-1");
    show(&fixture, "alice-2"); /* does not watch */
    tell(&fixture, NOTE_WATCHED);
    show(&fixture, "alice-1");
    tell(&fixture, NOTE_CRASH);                      /* the app begins anew */
    fixture_view(&fixture, "alice-1", "checkpoint"); /* of no row */
    end(&fixture, TIME_SECOND, 0);
}

static void test_last_change(void **state) {
    (void)state;
    struct fixture fixture = open("watch-hears");
    tell(&fixture, NOTE_WATCHED);
    show(&fixture, "alice-1");
    end(&fixture, 29 * TIME_MILLISECOND, 0); /* 30 ms later, with the record itself: there is still time */
    fixture = open("watch-hears");
    tell(&fixture, NOTE_WATCHED);
    show(&fixture, "alice-1");
    end(&fixture, 30 * TIME_MILLISECOND, 1);
}

static void test_ids(void **state) {
    (void)state;
    struct fixture fixture = open("row-ids");
    fixture_write(&fixture, "alice-1", 1, "a", "milk");
    expect_violations(&fixture, 0);
    const uint64_t write = fixture_write(&fixture, "alice-1", 2, "", "bread");
    const struct violation *const *violations;
    expect_violations(&fixture, 1);
    checker_violations(fixture.checker, &violations);
    assert_string_equal(violations[0]->seen, "an empty text");
    assert_int_equal(violations[0]->first_record, write);
    fixture_close(&fixture);
}

/* Two devices draw one id; a name that is no UUID may be given twice. */
static void test_drawn_twice(void **state) {
    static const char id[] = "0f8fad5b-d9cb-469f-a165-70867728950e";
    (void)state;
    struct fixture fixture = open("unique-ids");
    fixture_write(&fixture, "alice-1", 1, id, "milk");
    fixture_write(&fixture, "alice-1", 2, id, "bread"); /* its own row */
    fixture_write(&fixture, "alice-2", 1, id, NULL);    /* deletes it */
    fixture_write(&fixture, "alice-1", 3, "old-1", "salt");
    fixture_write(&fixture, "alice-2", 2, "old-1", "salt");
    expect_violations(&fixture, 0);
    fixture_write(&fixture, "bob-1", 1, id, "soap");
    expect_violations(&fixture, 1);
    fixture_close(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_heard), cmocka_unit_test(test_last_change),
                                       cmocka_unit_test(test_ids), cmocka_unit_test(test_drawn_twice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
