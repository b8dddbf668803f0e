/* Binary lines as text: a recorded stream of the real service, cut anywhere, and documents that are broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "check/stream_lines.h"
#include "check/wire_grammar.h"

struct seen {
    struct wire_grammar *grammar;
    size_t lines;
    struct buffer text;
};

static void on_line(void *context, const char *bytes, size_t length) {
    struct seen *seen = context;
    seen->lines++;
    buffer_append(&seen->text, bytes, length);
    buffer_append_char(&seen->text, '\n');
    if (seen->grammar)
        wire_grammar_line(seen->grammar, bytes, length);
}

static void on_fault(void *context, const struct wire_fault *fault) {
    (void)context;
    fail_msg("line %d, %s: expected %s, seen %s", (int)fault->line, wire_rule_name(fault->rule),
             fault->expected, fault->seen);
}

/* The recording holds two lists of rows and their completion; whatever the pieces, the lines are the same and
 * obey the grammar, checksums of every row included. */
static void test_recorded_stream(void **state) {
    (void)state;
    static char bytes[100000];
    FILE *file = fopen(TEST_VECTORS "/real-service-1.25.0/01c-initial-sync.bson", "rb");
    assert_non_null(file);
    const size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(length > 1000 && length < sizeof bytes);
    for (size_t piece = 1; piece < length + 1000; piece = piece * 3 + 1) {
        struct wire_scratch *scratch = wire_scratch_create();
        struct seen seen = {.grammar = wire_grammar_create(
                                &(struct wire_grammar_settings){.scratch = scratch, .report = on_fault})};
        struct stream_lines lines = {.encoding = STREAM_BINARY};
        wire_grammar_binary(seen.grammar);
        for (size_t at = 0; at < length; at += piece)
            stream_lines_body(&lines, bytes + at, length - at < piece ? length - at : piece, on_line, &seen);
        assert_int_equal(stream_lines_left(&lines), 0);
        assert_true(wire_grammar_complete(seen.grammar));
        assert_non_null(strstr(buffer_text(&seen.text), "{\"checkpoint\":{\"last_op_id\":\"15\""));
        wire_grammar_destroy(seen.grammar);
        wire_scratch_destroy(scratch);
        stream_lines_free(&lines);
        buffer_free(&seen.text);
    }
}

static void test_splitter_gives_up(void **state) {
    (void)state;
    struct seen seen = {0};
    struct stream_lines lines = {.encoding = STREAM_BINARY};
    stream_lines_body(&lines, "\5\0\0\0\0\4\0\0\0", 9, on_line, &seen); /* a document cannot be that short */
    stream_lines_body(&lines, "\5\0\0\0\0", 5, on_line, &seen);
    assert_int_equal(seen.lines, 2);
    assert_string_equal(buffer_text(&seen.text), "{}\nno document\n");
    stream_lines_free(&lines);
    buffer_free(&seen.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_stream),
        cmocka_unit_test(test_splitter_gives_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
