/* Binary lines as text: a recorded stream of the real service, cut anywhere, and documents that are broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "check/bson_line.h"
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
        struct bson_line_splitter splitter = {0};
        wire_grammar_binary(seen.grammar);
        for (size_t at = 0; at < length; at += piece)
            bson_line_split(&splitter, bytes + at, length - at < piece ? length - at : piece, on_line, &seen);
        assert_true(splitter.rest.length == 0);
        assert_true(wire_grammar_complete(seen.grammar));
        assert_non_null(strstr(buffer_text(&seen.text), "{\"checkpoint\":{\"last_op_id\":\"15\""));
        wire_grammar_destroy(seen.grammar);
        wire_scratch_destroy(scratch);
        bson_line_splitter_free(&splitter);
        buffer_free(&seen.text);
    }
}

#define DOCUMENT(...) (const unsigned char[]){__VA_ARGS__}, sizeof((const unsigned char[]){__VA_ARGS__})

static void expect(const char *text, const unsigned char *bytes, size_t length) {
    struct buffer out = {0};
    assert_int_equal(bson_line_append(&out, bytes, length), text != NULL);
    if (text)
        assert_string_equal(buffer_text(&out), text);
    buffer_free(&out);
}

static void test_values(void **state) {
    (void)state;
    expect("{}", DOCUMENT(5, 0, 0, 0, 0));
    expect("{\"a\":true,\"b\":null}", DOCUMENT(12, 0, 0, 0, 8, 'a', 0, 1, 10, 'b', 0, 0));
    expect("{\"a\":-2}", DOCUMENT(12, 0, 0, 0, 16, 'a', 0, 0xfe, 0xff, 0xff, 0xff, 0));
    expect("{\"a\":3000000000}", DOCUMENT(16, 0, 0, 0, 1, 'a', 0, 0, 0, 0, 0xc0, 0x0b, 0x5a, 0xe6, 0x41, 0));
    expect("{\"a\":[\"x\"]}",
           DOCUMENT(22, 0, 0, 0, 4, 'a', 0, 14, 0, 0, 0, 2, '0', 0, 2, 0, 0, 0, 'x', 0, 0, 0));
}

static void test_broken(void **state) {
    (void)state;
    expect(NULL, DOCUMENT(6, 0, 0, 0, 0));                              /* longer than it is */
    expect(NULL, DOCUMENT(5, 0, 0, 0, 1));                              /* no end */
    expect(NULL, DOCUMENT(9, 0, 0, 0, 8, 'a', 0, 1, 1));                /* the same */
    expect(NULL, DOCUMENT(8, 0, 0, 0, 8, 'a', 'b', 0));                 /* a name without end */
    expect(NULL, DOCUMENT(9, 0, 0, 0, 9, 'a', 0, 1, 0));                /* a type that lines do not have */
    expect(NULL, DOCUMENT(13, 0, 0, 0, 2, 'a', 0, 9, 0, 0, 0, 'x', 0)); /* text beyond the end */
    expect(NULL, DOCUMENT(12, 0, 0, 0, 3, 'a', 0, 90, 0, 0, 0, 0));     /* document beyond the end */
    expect(NULL, DOCUMENT(16, 0, 0, 0, 1, 'a', 0, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f, 0)); /* not a number */
}

static void test_splitter_gives_up(void **state) {
    (void)state;
    struct seen seen = {0};
    struct bson_line_splitter splitter = {0};
    bson_line_split(&splitter, "\5\0\0\0\0\4\0\0\0", 9, on_line, &seen); /* a document cannot be that short */
    bson_line_split(&splitter, "\5\0\0\0\0", 5, on_line, &seen);
    assert_int_equal(seen.lines, 2);
    assert_string_equal(buffer_text(&seen.text), "{}\nbson\n");
    bson_line_splitter_free(&splitter);
    buffer_free(&seen.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_stream),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_splitter_gives_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
