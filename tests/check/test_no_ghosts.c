/* Hand-written ends of tables: rows that nobody takes away, and rows that come back or go. */
#include "history_fixture.h"

static struct fixture fixture;

static int set_up(void **state) {
    (void)state;
    static const char *const only[] = {"no-ghosts"};
    fixture = fixture_open_for(only, 1);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static uint64_t commit_todo(const char *uuid) {
    fixture_document(&fixture, uuid, "alice", NULL, "milk");
    return fixture_commit(&fixture);
}

static uint64_t drop(const char *table) {
    fixture_row(&fixture, NULL, table, "", NULL);
    return fixture_add(&fixture, "convex", (struct note){.kind = NOTE_TABLE, .text = "drops"});
}

static void show(const char *uuid, const char *description) {
    fixture_shown(&fixture, uuid, description);
    fixture_view(&fixture, "alice-1", "checkpoint");
}

static void stays(void **state) {
    (void)state;
    const uint64_t commit = commit_todo("a");
    show("a", "milk");
    const uint64_t end = drop("todos");
    expect_violations(&fixture, 0); /* the service may still copy all anew */
    checker_finish(fixture.checker);
    expect_violations(&fixture, 1);
    const struct violation *const *violations;
    checker_violations(fixture.checker, &violations);
    assert_string_equal(violations[0]->client, "alice-1");
    assert_string_equal(violations[0]->row, "a");
    assert_string_equal(violations[0]->expected, "no row");
    assert_string_equal(violations[0]->seen, "[\"milk\",0,1.5]");
    assert_int_equal(violations[0]->first_record, commit);
    assert_int_equal(violations[0]->second_record, end);
}

static void goes(void **state) {
    (void)state;
    commit_todo("a");
    show("a", "milk");
    drop("todos");
    show("a", NULL);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 0);
}

/* Written after the end; or in another table. */
static void is_there(void **state) {
    (void)state;
    commit_todo("a");
    drop("todos");
    commit_todo("a");
    commit_todo("b");
    drop("lists");
    show("a", "milk");
    show("b", "milk");
    checker_finish(fixture.checker);
    expect_violations(&fixture, 0);
}

/* A row that is still in the device's queue only. */
static void never_committed(void **state) {
    (void)state;
    commit_todo("a");
    drop("todos");
    fixture_write(&fixture, "alice-1", 1, "b", "bread");
    fixture_shown(&fixture, "b", "bread");
    fixture_view(&fixture, "alice-1", "write");
    checker_finish(fixture.checker);
    expect_violations(&fixture, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(stays), TEST(goes), TEST(is_there), TEST(never_committed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
