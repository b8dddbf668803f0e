/* The trace hash: equal for equal records, different as soon as anything in a note or wire event differs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <xxhash.h>

#include "history/trace.h"

static struct hash128 hash_of_note(int64_t time, const char *node, const struct note *note) {
    struct trace *trace = trace_create();
    trace_note(trace, time, node, note);
    const struct hash128 hash = trace_hash(trace);
    trace_destroy(trace);
    return hash;
}

static struct hash128 hash_of_wire(int64_t time, const struct wire_event *event) {
    struct trace *trace = trace_create();
    trace_wire(trace, time, event);
    const struct hash128 hash = trace_hash(trace);
    trace_destroy(trace);
    return hash;
}

/* All hashes but the first must differ from it and from each other; the first two must be equal. */
static void expect_distinct(const struct hash128 *hashes, size_t count) {
    assert_true(hash128_equal(hashes[0], hashes[1]));
    for (size_t i = 1; i < count; i++) {
        for (size_t j = i + 1; j < count; j++)
            assert_false(hash128_equal(hashes[i], hashes[j]));
    }
}

static void test_notes(void **state) {
    (void)state;
    const struct note_row rows[] = {{"PUT", "todos", "a", "{\"x\":1}"}, {"DELETE", "todos", "b", NULL}};
    const struct note note = {
        .kind = NOTE_LOCAL_WRITE, .timestamp = 5, .transaction = 6, .rows = rows, .n_rows = 2, .text = "w1"};
    struct hash128 hashes[16];
    size_t count = 0;
    hashes[count++] = hash_of_note(1, "alice-1", &note);
    hashes[count++] = hash_of_note(1, "alice-1", &note);
    hashes[count++] = hash_of_note(2, "alice-1", &note);
    hashes[count++] = hash_of_note(1, "alice-2", &note);
    struct note other = note;
    other.kind = NOTE_VIEW;
    hashes[count++] = hash_of_note(1, "alice-1", &other);
    other = note;
    other.timestamp = 4; /* one bit */
    hashes[count++] = hash_of_note(1, "alice-1", &other);
    other = note;
    other.transaction = INT64_MIN + 6;
    hashes[count++] = hash_of_note(1, "alice-1", &other);
    other = note;
    other.text = "";
    hashes[count++] = hash_of_note(1, "alice-1", &other);
    other.text = NULL;
    hashes[count++] = hash_of_note(1, "alice-1", &other);
    other = note;
    other.n_rows = 1;
    hashes[count++] = hash_of_note(1, "alice-1", &other);
    struct note_row changed[] = {rows[0], rows[1]};
    other = note;
    other.rows = changed;
    changed[0].values = "{\"x\":3}"; /* one bit */
    hashes[count++] = hash_of_note(1, "alice-1", &other);
    changed[0] = rows[1];
    changed[1] = rows[0]; /* only the order */
    hashes[count++] = hash_of_note(1, "alice-1", &other);
    changed[0] = (struct note_row){"PUT", "todosa", "", "{\"x\":1}"}; /* the same letters, cut elsewhere */
    changed[1] = rows[1];
    hashes[count++] = hash_of_note(1, "alice-1", &other);
    expect_distinct(hashes, count);
}

static void test_wire_events(void **state) {
    (void)state;
    const struct http_header header = {"accept", "text/plain"};
    struct http_request request = {.headers = &header, .n_headers = 1};
    const struct wire_event event = {.kind = WIRE_WRITE,
                                     .exchange = 7,
                                     .client = "a",
                                     .server = "b",
                                     .target = "POST /x",
                                     .bytes = "\0\1",
                                     .length = 2,
                                     .status = 200};
    struct hash128 hashes[16];
    size_t count = 0;
    hashes[count++] = hash_of_wire(1, &event);
    hashes[count++] = hash_of_wire(1, &event);
    hashes[count++] = hash_of_wire(1 + (INT64_C(1) << 40), &event);
    struct wire_event other = event;
    other.kind = WIRE_BODY_SEEN;
    hashes[count++] = hash_of_wire(1, &other);
    other = event;
    other.exchange = 8;
    hashes[count++] = hash_of_wire(1, &other);
    other = event;
    other.client = "b";
    other.server = "a";
    hashes[count++] = hash_of_wire(1, &other);
    other = event;
    other.target = "POST /y";
    hashes[count++] = hash_of_wire(1, &other);
    other = event;
    other.bytes = "\0\0"; /* one bit, behind a zero */
    hashes[count++] = hash_of_wire(1, &other);
    other = event;
    other.length = 1;
    hashes[count++] = hash_of_wire(1, &other);
    other = event;
    other.status = 201;
    hashes[count++] = hash_of_wire(1, &other);
    other = event;
    other.request = &request;
    hashes[count++] = hash_of_wire(1, &other);
    expect_distinct(hashes, count);
}

/* A WebSocket's events: which way, text or binary, the code and the reason. */
static void test_socket_events(void **state) {
    (void)state;
    const struct wire_event event = {.kind = WIRE_SOCKET_UP,
                                     .exchange = 7,
                                     .client = "a",
                                     .server = "b",
                                     .target = "GET /api/sync",
                                     .bytes = "{}",
                                     .length = 2,
                                     .status = WEBSOCKET_TEXT};
    struct hash128 hashes[16];
    size_t count = 0;
    hashes[count++] = hash_of_wire(1, &event);
    hashes[count++] = hash_of_wire(1, &event);
    struct wire_event other = event;
    other.status = WEBSOCKET_BINARY;
    hashes[count++] = hash_of_wire(1, &other);
    for (enum wire_kind kind = WIRE_SOCKET_ACCEPT; kind <= WIRE_SOCKET_DOWN_CLOSE_SEEN; kind++) {
        other = event;
        other.kind = kind;
        if (kind != WIRE_SOCKET_UP)
            hashes[count++] = hash_of_wire(1, &other);
    }
    other = event;
    other.kind = WIRE_SOCKET_UP_CLOSE;
    other.status = 1000;
    hashes[count++] = hash_of_wire(1, &other);
    other.bytes = "{]";
    hashes[count++] = hash_of_wire(1, &other);
    expect_distinct(hashes, count);
}

static void test_order_matters(void **state) {
    (void)state;
    const struct note crash = {.kind = NOTE_CRASH};
    const struct note restart = {.kind = NOTE_RESTART};
    struct trace *one = trace_create();
    struct trace *two = trace_create();
    trace_note(one, 0, "a", &crash);
    trace_note(one, 0, "a", &restart);
    trace_note(two, 0, "a", &restart);
    trace_note(two, 0, "a", &crash);
    assert_false(hash128_equal(trace_hash(one), trace_hash(two)));
    trace_destroy(one);
    trace_destroy(two);
}

/* The layout, written out by hand and hashed in one go: what a run hashes must never change unnoticed. */
static void test_layout(void **state) {
    (void)state;
    static const unsigned char bytes[] = {
        1,    9,                                       /* family note, kind NOTE_CRASH */
        0x02, 0x01, 0,   0,   0,   0,   0,   0,        /* time 258, little end first */
        1,    0,    0,   0,   0,   0,   0,   0,   'a', /* node */
        0,    0,    0,   0,   0,   0,   0,   0,        /* timestamp */
        0,    0,    0,   0,   0,   0,   0,   0,        /* transaction */
        255,  255,  255, 255, 255, 255, 255, 255,      /* no text */
        0,    0,    0,   0,   0,   0,   0,   0,        /* rows */
    };
    assert_int_equal(NOTE_CRASH, 9);
    const XXH128_hash_t expected = XXH3_128bits(bytes, sizeof bytes);
    const struct hash128 hash = hash_of_note(258, "a", &(struct note){.kind = NOTE_CRASH});
    assert_true(hash.high == expected.high64 && hash.low == expected.low64);
}

/* Two runs that differ in one record have equal marks before it and different ones from then on. */
static void test_marks(void **state) {
    (void)state;
    struct trace *one = trace_create();
    struct trace *two = trace_create();
    const struct note note = {.kind = NOTE_CRASH};
    for (int64_t i = 0; i < 5 * TRACE_MARK_RECORDS - 1; i++) {
        trace_note(one, i, "a", &note);
        trace_note(two, i == 2 * TRACE_MARK_RECORDS + 17 ? i + 1 : i, "a", &note);
    }
    const uint64_t *marks_one;
    const uint64_t *marks_two;
    assert_int_equal(trace_length(one), 5 * TRACE_MARK_RECORDS - 1);
    assert_int_equal(trace_marks(one, &marks_one), 4);
    assert_int_equal(trace_marks(two, &marks_two), 4);
    for (size_t i = 0; i < 4; i++) {
        if (i < 2)
            assert_true(marks_one[i] == marks_two[i]);
        else
            assert_false(marks_one[i] == marks_two[i]);
    }
    trace_destroy(one);
    trace_destroy(two);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notes),         cmocka_unit_test(test_wire_events),
        cmocka_unit_test(test_socket_events), cmocka_unit_test(test_order_matters),
        cmocka_unit_test(test_layout),        cmocka_unit_test(test_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
