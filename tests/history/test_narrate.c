/* The narration word for word: bug reports and golden traces quote it, so a change of wording is a change of
 * format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "history/history.h"
#include "kernel/time.h"

static void expect_line(int64_t time, const char *node, const struct note *note, const char *expected) {
    const struct history_record record = {.number = 1, .time = time, .node = node, .note = *note};
    struct buffer line = {0};
    history_narrate(&line, &record);
    assert_string_equal(buffer_text(&line), expected);
    buffer_free(&line);
}

static void test_times(void **state) {
    (void)state;
    const struct note note = {.kind = NOTE_CRASH};
    expect_line(0, "alice-1", &note, "[    0.000 s] alice-1 crashes");
    expect_line(TIME_MILLISECOND - 1, "alice-1", &note, "[    0.000 s] alice-1 crashes");
    expect_line(1034 * TIME_MILLISECOND, "alice-1", &note, "[    1.034 s] alice-1 crashes");
    expect_line(123456 * TIME_SECOND + 7 * TIME_MILLISECOND, "alice-1", &note,
                "[123456.007 s] alice-1 crashes");
}

static void test_commits(void **state) {
    (void)state;
    const struct note_row rows[] = {
        {.table = "todos", .id = "d1", .values = "{}"},
        {.table = "lists", .id = "d2", .values = "{}"},
        {.table = "todos", .id = "d3", .values = NULL},
    };
    struct note note = {
        .kind = NOTE_COMMIT, .timestamp = 1767225601034000001, .text = "sync:applyTransaction"};
    expect_line(0, "convex", &note,
                "[    0.000 s] convex commits 1767225601034000001 (sync:applyTransaction): no rows");
    note.rows = rows;
    note.n_rows = 2;
    expect_line(
        0, "convex", &note,
        "[    0.000 s] convex commits 1767225601034000001 (sync:applyTransaction): todos 1 row, lists 1 row");
    note.n_rows = 3;
    note.text = NULL;
    expect_line(0, "convex", &note,
                "[    0.000 s] convex commits 1767225601034000001: todos 2 rows (1 deleted), lists 1 row");
}

static void test_local_writes(void **state) {
    (void)state;
    const struct note_row rows[] = {
        {"PUT", "todos", "3f0c5a1e-0000-4000-8000-000000000001", "{\"description\":\"milk\"}"},
        {"PATCH", "todos", "short-id", "{\"completed\":1}"},
        {"DELETE", "lists", "l1", NULL},
        {"DELETE", "lists", "l2", NULL},
        {"DELETE", "lists", "l3", NULL},
    };
    struct note note = {.kind = NOTE_LOCAL_WRITE, .transaction = 1, .rows = rows, .n_rows = 1};
    expect_line(
        0, "alice-1", &note,
        "[    0.000 s] alice-1 writes transaction 1: PUT todos/3f0c5a1e.. {\"description\":\"milk\"}");
    note.n_rows = 3;
    note.text = "w7";
    expect_line(0, "alice-1", &note,
                "[    0.000 s] alice-1 writes transaction 1 (step w7): PUT todos/3f0c5a1e.. "
                "{\"description\":\"milk\"}; PATCH todos/short-id {\"completed\":1}; DELETE lists/l1");
    note.n_rows = 5;
    note.rows = rows;
    expect_line(
        0, "alice-1", &note,
        "[    0.000 s] alice-1 writes transaction 1 (step w7): PUT todos/3f0c5a1e.. "
        "{\"description\":\"milk\"}; PATCH todos/short-id {\"completed\":1}; DELETE lists/l1; and 2 more");
}

/* Values are cut between characters: "é" has two bytes, and the 100th byte would be the first of one. */
static void test_long_values(void **state) {
    (void)state;
    char values[256];
    size_t at = 0;
    for (; at < 99; at++)
        values[at] = 'x';
    memcpy(values + at, "\xc3\xa9\xc3\xa9", 5);
    const struct note_row row = {"PUT", "t", "a", values};
    const struct note note = {.kind = NOTE_LOCAL_WRITE, .transaction = 2, .rows = &row, .n_rows = 1};
    char expected[256] = "[    0.000 s] a writes transaction 2: PUT t/a ";
    memset(expected + strlen(expected), 'x', 99);
    strcat(expected, "...");
    expect_line(0, "a", &note, expected);
    const struct note_row lines = {"PUT", "t", "a\nb", "{\"x\":1}"};
    const struct note broken = {.kind = NOTE_LOCAL_WRITE, .transaction = 2, .rows = &lines, .n_rows = 1};
    expect_line(0, "a", &broken, "[    0.000 s] a writes transaction 2: PUT t/a b {\"x\":1}");
}

static void test_views(void **state) {
    (void)state;
    const struct note_row rows[] = {
        {.table = "todos", .id = "a", .values = "[1]"},
        {.table = "todos", .id = "b", .values = "[2]"},
        {.table = "todos", .id = "c", .values = NULL},
    };
    struct note note = {.kind = NOTE_VIEW, .timestamp = 17, .text = "checkpoint"};
    expect_line(0, "bob-1", &note, "[    0.000 s] bob-1 applies checkpoint 17: no row changed");
    note.rows = rows;
    note.n_rows = 2;
    expect_line(0, "bob-1", &note, "[    0.000 s] bob-1 applies checkpoint 17: 2 rows changed");
    note.n_rows = 3;
    expect_line(0, "bob-1", &note, "[    0.000 s] bob-1 applies checkpoint 17: 2 rows changed, 1 row gone");
    note.rows = rows + 2;
    note.n_rows = 1;
    expect_line(0, "bob-1", &note, "[    0.000 s] bob-1 applies checkpoint 17: 1 row gone");
    note.text = "write";
    note.rows = rows;
    expect_line(0, "bob-1", &note, "[    0.000 s] bob-1 shows its write: 1 row changed");
    note.text = "restart";
    expect_line(0, "bob-1", &note, "[    0.000 s] bob-1 shows 1 row after the restart");
    note.n_rows = 0;
    expect_line(0, "bob-1", &note, "[    0.000 s] bob-1 shows 0 rows after the restart");
}

static void test_uploads(void **state) {
    (void)state;
    struct note note = {.kind = NOTE_UPLOAD_STARTED, .transaction = 4, .text = "client id"};
    expect_line(0, "a-1", &note, "[    0.000 s] a-1 uploads transaction 4");
    note = (struct note){.kind = NOTE_UPLOAD_ACKNOWLEDGED, .transaction = 4};
    expect_line(0, "a-1", &note, "[    0.000 s] a-1 completes transaction 4, accepted by the backend");
    note = (struct note){.kind = NOTE_UPLOAD_REJECTED, .transaction = 4, .text = "not yours"};
    expect_line(0, "a-1", &note,
                "[    0.000 s] a-1 completes transaction 4, refused by the backend: not yours");
    note = (struct note){.kind = NOTE_UPLOAD_FAILED, .transaction = 4, .text = "reset"};
    expect_line(0, "a-1", &note, "[    0.000 s] a-1 keeps transaction 4 for another attempt: reset");
    note.text = NULL;
    expect_line(0, "a-1", &note, "[    0.000 s] a-1 keeps transaction 4 for another attempt");
    note = (struct note){.kind = NOTE_WRITE_CHECKPOINT, .timestamp = 3};
    expect_line(0, "a-1", &note, "[    0.000 s] a-1 receives write checkpoint 3");
}

static void test_the_rest(void **state) {
    (void)state;
    const struct note_row row = {"PUT", "t", "a", "{}"};
    struct note note = {.kind = NOTE_CONNECTION, .text = "disconnected: token expired"};
    expect_line(0, "a-1", &note, "[    0.000 s] a-1 is disconnected: token expired");
    note = (struct note){.kind = NOTE_RESTART};
    expect_line(0, "a-1", &note, "[    0.000 s] a-1 restarts");
    note = (struct note){.kind = NOTE_QUEUE};
    expect_line(0, "a-1", &note, "[    0.000 s] a-1 has nothing left to upload");
    note = (struct note){.kind = NOTE_QUEUE, .text = "waiting"};
    expect_line(0, "a-1", &note, "[    0.000 s] a-1 waits for the write checkpoint of its last upload");
    note = (struct note){.kind = NOTE_QUEUE, .transaction = 2, .rows = &row, .n_rows = 1};
    expect_line(0, "a-1", &note, "[    0.000 s] a-1 still has 2 transactions to upload (1 row)");
    note = (struct note){.kind = NOTE_TEXT, .text = "the network heals"};
    expect_line(0, "world", &note, "[    0.000 s] world: the network heals");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),        cmocka_unit_test(test_commits),
        cmocka_unit_test(test_local_writes), cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_views),        cmocka_unit_test(test_uploads),
        cmocka_unit_test(test_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
