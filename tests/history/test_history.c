/* Records keep their own copies, subscribers see them in order, and a world's notes and wire events arrive.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "history/history.h"
#include "kernel/time.h"

static void test_records_own_their_memory(void **state) {
    (void)state;
    struct history *history = history_create();
    char node[] = "alice-1";
    char table[] = "todos";
    char values[] = "{\"a\":1}";
    char text[] = "w1";
    struct note_row row = {"PUT", table, "id-1", values};
    const struct note note = {
        .kind = NOTE_LOCAL_WRITE, .transaction = 5, .rows = &row, .n_rows = 1, .text = text};
    const struct history_record *added = history_add(history, 7, node, &note);
    memset(node, 'x', sizeof node - 1);
    memset(table, 'x', sizeof table - 1);
    memset(values, 'x', sizeof values - 1);
    memset(text, 'x', sizeof text - 1);
    row = (struct note_row){0};
    assert_ptr_equal(history_get(history, 0), added);
    assert_int_equal(history_length(history), 1);
    assert_int_equal(added->number, 1);
    assert_int_equal(added->time, 7);
    assert_string_equal(added->node, "alice-1");
    assert_string_equal(added->note.text, "w1");
    assert_int_equal(added->note.transaction, 5);
    assert_int_equal(added->note.n_rows, 1);
    assert_string_equal(added->note.rows[0].operation, "PUT");
    assert_string_equal(added->note.rows[0].table, "todos");
    assert_string_equal(added->note.rows[0].id, "id-1");
    assert_string_equal(added->note.rows[0].values, "{\"a\":1}");
    history_destroy(history);
}

/* What many devices see at once is kept once, and never taken for something else. */
static void test_equal_lists_are_one(void **state) {
    struct history *history = history_create();
    struct note_row rows[10];
    const struct note_row *first, *second, *third;
    (void)state;
    for (size_t i = 0; i < 10; i++)
        rows[i] = (struct note_row){.table = "lists", .id = "a", .values = "{}"};
    const struct note note = {.kind = NOTE_VIEW, .rows = rows, .n_rows = 10};
    first = history_add(history, 1, "alice-1", &note)->note.rows;
    second = history_add(history, 2, "alice-2", &note)->note.rows;
    rows[9].values = NULL;
    third = history_add(history, 3, "alice-3", &note)->note.rows;
    assert_ptr_equal(first, second);
    assert_string_equal(first[9].values, "{}");
    assert_null(third[9].values);
    assert_string_equal(third[8].values, "{}");
    history_destroy(history);
}

struct log {
    struct buffer text;
    char name;
};

static void append_record(void *context, const struct history_record *record) {
    struct log *log = context;
    buffer_printf(&log->text, "%c%d ", log->name, (int)record->number);
}

static void test_subscribers(void **state) {
    (void)state;
    struct history *history = history_create();
    struct log log = {.name = 'a'};
    const struct note note = {.kind = NOTE_RESTART};
    history_add(history, 0, "x", &note);
    history_subscribe(history, append_record, &log);
    history_add(history, 0, "x", &note);
    history_add(history, 1, "x", &note);
    assert_string_equal(buffer_text(&log.text), "a2 a3 ");
    buffer_free(&log.text);
    history_destroy(history);
}

static void test_pointers_stay_valid(void **state) {
    (void)state;
    struct history *history = history_create();
    const struct note note = {.kind = NOTE_TEXT, .text = "first"};
    const struct history_record *first = history_add(history, 0, "x", &note);
    for (int i = 0; i < 5000; i++)
        history_add(history, i, "x", &(struct note){.kind = NOTE_TEXT, .text = "later"});
    assert_ptr_equal(history_get(history, 0), first);
    assert_string_equal(first->note.text, "first");
    assert_int_equal(history_get(history, 5000)->number, 5001);
    history_destroy(history);
}

static void test_attached_to_a_world(void **state) {
    (void)state;
    struct world *world = world_create(&(struct world_settings){.seed = 1, .max_events = 1000});
    struct history *history = history_create();
    struct buffer narration = {0};
    history_attach(history, world, &narration);
    world_emit_note(world, "alice-1", &(struct note){.kind = NOTE_CRASH});
    world_emit_note(world, "alice-1", &(struct note){.kind = NOTE_RESTART});
    const struct hash128 before = history_trace_hash(history);
    assert_int_equal(history_trace_length(history), 2);
    world_emit_wire(world,
                    &(struct wire_event){.kind = WIRE_END, .exchange = 1, .client = "a", .server = "b"});
    assert_int_equal(history_length(history), 2); /* the wire is in the trace only */
    assert_int_equal(history_trace_length(history), 3);
    assert_false(hash128_equal(before, history_trace_hash(history)));
    assert_string_equal(buffer_text(&narration),
                        "[    0.000 s] alice-1 crashes\n[    0.000 s] alice-1 restarts\n");
    world_destroy(world);
    history_destroy(history);
    buffer_free(&narration);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_lists_are_one), cmocka_unit_test(test_records_own_their_memory),
        cmocka_unit_test(test_subscribers),         cmocka_unit_test(test_pointers_stay_valid),
        cmocka_unit_test(test_attached_to_a_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
