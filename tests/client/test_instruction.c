#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "client/instruction.h"

static struct span span_of(const char *text) {
    return (struct span){text, strlen(text)};
}

static void test_walk(void **state) {
    struct span rest = span_of(
        " [ {\"LogLine\": {\"severity\":\"INFO\",\"line\":\"a } ] \\\" { b\"}},"
        "{\"CloseSyncStream\":{ \"x\" : [1,{\"hide_disconnect\":false}], \"hide_disconnect\" : true}} ,"
        "{\"Number\":12}]");
    struct instruction instruction;

    (void)state;
    assert_true(instruction_next(&rest, &instruction));
    assert_true(instruction_is(&instruction, "LogLine"));
    assert_false(instruction_is(&instruction, "LogLin"));
    assert_true(span_contains(instruction.value, "{ b"));
    assert_true(span_is(span_member(instruction.value, "severity"), "\"INFO\""));
    assert_null(span_member(instruction.value, "nothing").at);
    assert_true(instruction_next(&rest, &instruction));
    assert_true(instruction_is(&instruction, "CloseSyncStream"));
    assert_true(span_is(span_member(instruction.value, "hide_disconnect"), "true"));
    assert_true(instruction_next(&rest, &instruction));
    assert_true(span_is(instruction.value, "12"));
    assert_false(instruction_next(&rest, &instruction));
}

static void test_empty(void **state) {
    struct span rest = span_of("[]");
    struct instruction instruction;

    (void)state;
    assert_false(instruction_next(&rest, &instruction));
}

/* Every beginning of an answer ends quietly and never yields what is not there. */
static void test_cut_short(void **state) {
    static const char text[] = "[{\"LogLine\":{\"line\":\"a\\\"b\"}},{\"DidCompleteSync\":{}}]";

    (void)state;
    for (size_t length = 0; length <= sizeof text - 1; length++) {
        struct span rest = {text, length};
        struct instruction instruction;
        int count = 0;

        while (instruction_next(&rest, &instruction)) {
            assert_true(instruction.value.at + instruction.value.length <= text + length);
            span_member(instruction.value, "line");
            count++;
        }
        assert_true(count <= 2);
        assert_int_equal(count == 2, length >= sizeof text - 2);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_cut_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
