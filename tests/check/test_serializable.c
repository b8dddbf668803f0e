/* The property serializable on hand-written histories. Keys are two hex digits here; what is right and wrong
 * comes from the definitions (Adya's dependencies; commit timestamps as the serial order), not from the mock.
 */
#include "history_fixture.h"

static const char *const only_serializable[] = {"serializable"};

static struct fixture open(void) {
    return fixture_open_for(only_serializable, 1);
}

static void reads(struct fixture *fixture, int64_t snapshot) {
    fixture_add(fixture, "convex",
                (struct note){.kind = NOTE_READS, .timestamp = TIME_WALL_START + snapshot});
}

static void saw(struct fixture *fixture, const char *id, int64_t ts) {
    fixture_row(fixture, "READ", "todos", id,
                ts == 0 ? "0" : arena_format(&fixture->arena, "%lld", (long long)(TIME_WALL_START + ts)));
}

/* Has searched low <= key < high. */
static void searched(struct fixture *fixture, const char *low, const char *high) {
    fixture_row(fixture, "RANGE", "todos", "by_rank",
                high == NULL ? arena_format(&fixture->arena, "{\"low\":\"%s\",\"high\":null}", low)
                             : arena_format(&fixture->arena, "{\"low\":\"%s\",\"high\":\"%s\"}", low, high));
}

/* The new key of a document that is written; NULL: deleted. */
static void keyed(struct fixture *fixture, const char *id, const char *key) {
    fixture_row(fixture, "KEY", "todos", id,
                key == NULL ? NULL
                            : arena_format(&fixture->arena, "{\"by_id\":\"ff\",\"by_rank\":\"%s\"}", key));
}

static uint64_t commits(struct fixture *fixture, int64_t ts, const char *path, const char *id, bool deleted) {
    fixture_row(fixture, NULL, "todos", id, deleted ? NULL : "{\"_id\":\"x\"}");
    return fixture_add(fixture, "convex",
                       (struct note){.kind = NOTE_COMMIT, .timestamp = TIME_WALL_START + ts, .text = path});
}

/* A commit that read nothing. */
static uint64_t put(struct fixture *fixture, int64_t ts, const char *id, const char *key) {
    keyed(fixture, id, key);
    reads(fixture, ts - 1);
    return commits(fixture, ts, "todo:put", id, key == NULL);
}

static const struct violation *only_violation(struct fixture *fixture) {
    const struct violation *const *violations;
    checker_finish(fixture->checker);
    expect_violations(fixture, 1);
    checker_violations(fixture->checker, &violations);
    assert_string_equal(violations[0]->property, "serializable");
    return violations[0];
}

static void expect_none(struct fixture *fixture) {
    checker_finish(fixture->checker);
    expect_violations(fixture, 0);
    fixture_close(fixture);
}

static void test_reads_of_the_newest(void **state) {
    (void)state;
    struct fixture fixture = open();
    put(&fixture, 10, "a", "20");
    saw(&fixture, "a", 10);
    saw(&fixture, "never", 0);
    searched(&fixture, "10", "30");
    keyed(&fixture, "a", "21");
    reads(&fixture, 10);
    commits(&fixture, 20, "todo:edit", "a", false);
    saw(&fixture, "a", 20);
    searched(&fixture, "10", NULL);
    keyed(&fixture, "b", "22");
    reads(&fixture, 20);
    commits(&fixture, 30, "todo:add", "b", false);
    expect_none(&fixture);
}

/* Two read the same version and both write the next: each must come before the other. */
static void test_lost_update(void **state) {
    (void)state;
    struct fixture fixture = open();
    put(&fixture, 10, "a", "20");
    saw(&fixture, "a", 10);
    keyed(&fixture, "a", "20");
    reads(&fixture, 10);
    const uint64_t first = commits(&fixture, 20, "todo:one", "a", false);
    saw(&fixture, "a", 10);
    keyed(&fixture, "a", "20");
    reads(&fixture, 10);
    const uint64_t second = commits(&fixture, 30, "todo:two", "a", false);
    const struct violation *violation = only_violation(&fixture);
    assert_string_equal(violation->row, "a");
    assert_string_equal(violation->seen, "a cycle of 2 commits");
    assert_int_equal(violation->first_record, first);
    assert_int_equal(violation->second_record, second);
    assert_non_null(strstr(violation->explanation, "A before B: A read a without B's write"));
    assert_non_null(strstr(violation->explanation, "A: todo:two, committed at 1767225600000000030"));
    assert_non_null(strstr(violation->explanation, "B: todo:one, committed at 1767225600000000020"));
    fixture_close(&fixture);
}

/* Write skew: each reads what the other writes. */
static void test_write_skew(void **state) {
    (void)state;
    struct fixture fixture = open();
    put(&fixture, 10, "a", "20");
    put(&fixture, 11, "b", "21");
    saw(&fixture, "a", 10);
    keyed(&fixture, "b", "21");
    reads(&fixture, 11);
    commits(&fixture, 20, "todo:one", "b", false);
    saw(&fixture, "b", 11);
    keyed(&fixture, "a", "20");
    reads(&fixture, 11);
    commits(&fixture, 30, "todo:two", "a", false);
    const struct violation *violation = only_violation(&fixture);
    assert_string_equal(violation->seen, "a cycle of 2 commits");
    assert_non_null(strstr(violation->explanation, "B before A: B read a without A's write"));
    fixture_close(&fixture);
}

/* Two edges that lead back, and one ahead: no single one of them closes the cycle. */
static void test_cycle_of_three(void **state) {
    (void)state;
    struct fixture fixture = open();
    put(&fixture, 10, "a", "20");
    put(&fixture, 11, "b", "21");
    put(&fixture, 12, "c", "22");
    saw(&fixture, "c", 12); /* before the third, which writes c */
    keyed(&fixture, "a", "20");
    reads(&fixture, 12);
    commits(&fixture, 20, "todo:one", "a", false);
    saw(&fixture, "a", 10); /* before the first */
    keyed(&fixture, "b", "21");
    reads(&fixture, 12);
    commits(&fixture, 30, "todo:two", "b", false);
    saw(&fixture, "b", 11); /* before the second */
    keyed(&fixture, "c", "22");
    reads(&fixture, 12);
    commits(&fixture, 40, "todo:three", "c", false);
    assert_string_equal(only_violation(&fixture)->seen, "a cycle of 3 commits");
    fixture_close(&fixture);
}

/* It read what another overwrote meanwhile, and nobody read or wrote anything of its own: before the other it
 * would be right, at its timestamp it is not. */
static void test_order_of_timestamps(void **state) {
    (void)state;
    struct fixture fixture = open();
    put(&fixture, 10, "a", "20");
    put(&fixture, 20, "a", "20");
    saw(&fixture, "a", 10);
    keyed(&fixture, "b", "21");
    reads(&fixture, 10);
    commits(&fixture, 30, "todo:copy", "b", false);
    const struct violation *violation = only_violation(&fixture);
    assert_string_equal(violation->seen, "reads that were not true at the commit");
    assert_non_null(strstr(violation->explanation, "which came in between"));
    fixture_close(&fixture);
}

/* The overwriting was in the snapshot already. */
static void test_stale_read(void **state) {
    (void)state;
    struct fixture fixture = open();
    put(&fixture, 10, "a", "20");
    put(&fixture, 20, "a", "20");
    saw(&fixture, "a", 10);
    keyed(&fixture, "b", "21");
    reads(&fixture, 25);
    commits(&fixture, 30, "todo:copy", "b", false);
    assert_non_null(strstr(only_violation(&fixture)->explanation, "which was there in its snapshot"));
    fixture_close(&fixture);
}

static void test_read_of_the_future(void **state) {
    (void)state;
    struct fixture fixture = open();
    put(&fixture, 10, "a", "20");
    put(&fixture, 20, "a", "20");
    saw(&fixture, "a", 20);
    keyed(&fixture, "b", "21");
    reads(&fixture, 15);
    commits(&fixture, 30, "todo:copy", "b", false);
    const struct violation *violation = only_violation(&fixture);
    assert_string_equal(violation->seen, "the version of 1767225600000000020");
    assert_string_equal(violation->expected, "versions up to the snapshot at 1767225600000000015");
    fixture_close(&fixture);
}

/* Both search an empty range and put something there. */
static void test_phantom(void **state) {
    (void)state;
    struct fixture fixture = open();
    searched(&fixture, "20", "30");
    keyed(&fixture, "a", "20");
    reads(&fixture, 10);
    commits(&fixture, 20, "todo:one", "a", false);
    searched(&fixture, "20", "30");
    keyed(&fixture, "b", "2f");
    reads(&fixture, 10);
    commits(&fixture, 30, "todo:two", "b", false);
    const struct violation *violation = only_violation(&fixture);
    assert_string_equal(violation->seen, "a cycle of 2 commits");
    assert_string_equal(violation->row, "a");
    assert_non_null(strstr(violation->explanation, "A searched by_rank without B's write to a"));
    fixture_close(&fixture);
}

/* `low` is inside the range, `high` is not, and a longer key comes after its beginning. */
static void test_ends_of_ranges(void **state) {
    (void)state;
    struct fixture fixture = open();
    searched(&fixture, "20", "30");
    keyed(&fixture, "z", "90");
    reads(&fixture, 10);
    put(&fixture, 11, "a", "30");
    put(&fixture, 12, "b", "1fff");
    put(&fixture, 13, "c", "3000");
    searched(&fixture, "20", "30");
    keyed(&fixture, "z", "90");
    reads(&fixture, 10);
    commits(&fixture, 20, "todo:one", "z", false);
    expect_none(&fixture);
}

/* Leaving a range disturbs who read it: by the old key. */
static void test_leaving_a_range(void **state) {
    (void)state;
    struct fixture fixture = open();
    put(&fixture, 10, "a", "25");
    put(&fixture, 20, "a", "90");
    searched(&fixture, "20", "30");
    keyed(&fixture, "b", "90");
    reads(&fixture, 10);
    commits(&fixture, 30, "todo:one", "b", false);
    only_violation(&fixture);
    fixture_close(&fixture);
}

/* A document that stood in the range in the snapshot, and was not among what was read. */
static void test_unseen_in_the_range(void **state) {
    (void)state;
    struct fixture fixture = open();
    put(&fixture, 10, "a", "25");
    searched(&fixture, "20", "30");
    keyed(&fixture, "b", "90");
    reads(&fixture, 15);
    commits(&fixture, 30, "todo:one", "b", false);
    const struct violation *violation = only_violation(&fixture);
    assert_non_null(strstr(violation->explanation, "which was there in its snapshot"));
    assert_string_equal(violation->row, "a");
    fixture_close(&fixture);
}

/* Moved out, moved in, deleted; and a document of its own that it has written without reading. */
static void test_indexes_follow(void **state) {
    (void)state;
    struct fixture fixture = open();
    put(&fixture, 10, "a", "25");
    searched(&fixture, "20", "30"); /* builds the index */
    saw(&fixture, "a", 10);
    keyed(&fixture, "a", "90");
    reads(&fixture, 10);
    commits(&fixture, 20, "todo:move", "a", false);
    put(&fixture, 21, "b", "26");
    put(&fixture, 22, "b", NULL);
    searched(&fixture, "20", "30");
    keyed(&fixture, "c", "27");
    reads(&fixture, 22);
    commits(&fixture, 30, "todo:add", "c", false);
    searched(&fixture, "90", NULL);
    saw(&fixture, "a", 20);
    keyed(&fixture, "d", "91");
    reads(&fixture, 30);
    commits(&fixture, 40, "todo:add", "d", false);
    expect_none(&fixture);
}

static void end_table(struct fixture *fixture, const char *how) {
    fixture_row(fixture, NULL, "todos", "", NULL);
    fixture_add(fixture, "convex", (struct note){.kind = NOTE_TABLE, .timestamp = 50, .text = how});
}

/* Documents of a table that has ended are missed by nobody; those of its successor have versions that no
 * commit has told of, until they are written again. */
static void test_replaced_table(void **state) {
    (void)state;
    struct fixture fixture = open();
    put(&fixture, 10, "a", "25");
    end_table(&fixture, "replaces");
    searched(&fixture, "20", "30");
    saw(&fixture, "imported", 30);
    keyed(&fixture, "imported", "26");
    reads(&fixture, 50);
    commits(&fixture, 60, "todo:edit", "imported", false);
    saw(&fixture, "imported", 60);
    keyed(&fixture, "b", "99");
    reads(&fixture, 60);
    commits(&fixture, 70, "todo:add", "b", false);
    expect_none(&fixture);
}

/* Both read the imported version and write. */
static void test_lost_update_after_import(void **state) {
    (void)state;
    struct fixture fixture = open();
    end_table(&fixture, "replaces");
    for (int i = 0; i < 2; i++) {
        saw(&fixture, "imported", 30);
        keyed(&fixture, "imported", "26");
        reads(&fixture, 50);
        commits(&fixture, 60 + i, "todo:edit", "imported", false);
    }
    only_violation(&fixture);
    fixture_close(&fixture);
}

static void test_dropped_table(void **state) {
    (void)state;
    struct fixture fixture = open();
    put(&fixture, 10, "a", "25");
    end_table(&fixture, "drops");
    saw(&fixture, "a", 10); /* there is no such table to read */
    keyed(&fixture, "b", "26");
    reads(&fixture, 50);
    commits(&fixture, 60, "todo:edit", "b", false);
    only_violation(&fixture);
    fixture_close(&fixture);
}

/* 100,000 commits, each with a range and reads, overlapping by ten. */
static void test_many(void **state) {
    (void)state;
    struct fixture fixture = open();
    char id[16], key[16], high[16];
    for (int i = 0; i < 100000; i++) {
        snprintf(id, sizeof id, "d%d", i % 5000);
        snprintf(key, sizeof key, "%08x", i % 5000);
        snprintf(high, sizeof high, "%08x00", i % 5000);
        if (i >= 5000)
            saw(&fixture, id, 10 * (i - 5000) + 1000);
        else
            saw(&fixture, id, 0);
        searched(&fixture, key, high);
        keyed(&fixture, id, key);
        reads(&fixture, 10 * (i > 10 ? i - 10 : 0) + 1000 - (i > 10 ? 0 : 5));
        commits(&fixture, 10 * i + 1000, "todo:edit", id, false);
        if (i % 1000 == 0)
            arena_free(&fixture.arena);
    }
    expect_none(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reads_of_the_newest),
                                       cmocka_unit_test(test_lost_update),
                                       cmocka_unit_test(test_write_skew),
                                       cmocka_unit_test(test_cycle_of_three),
                                       cmocka_unit_test(test_order_of_timestamps),
                                       cmocka_unit_test(test_stale_read),
                                       cmocka_unit_test(test_read_of_the_future),
                                       cmocka_unit_test(test_phantom),
                                       cmocka_unit_test(test_ends_of_ranges),
                                       cmocka_unit_test(test_leaving_a_range),
                                       cmocka_unit_test(test_unseen_in_the_range),
                                       cmocka_unit_test(test_indexes_follow),
                                       cmocka_unit_test(test_many),
                                       cmocka_unit_test(test_replaced_table),
                                       cmocka_unit_test(test_lost_update_after_import),
                                       cmocka_unit_test(test_dropped_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
