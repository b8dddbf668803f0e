#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/line_splitter.h"

/* Feed a chunk and write every line as "<line>|" to `out`. */
static enum line_splitter_outcome feed(struct line_splitter *splitter, const char *bytes, size_t length,
                                       struct buffer *out) {
    const char *line;
    size_t line_length;
    enum line_splitter_outcome outcome;
    char *copy = memory_copy_bytes(bytes, length); /* so that reading past the chunk is seen */
    const char *rest = copy;

    while ((outcome = line_splitter_next(splitter, &rest, &length, &line, &line_length)) ==
           LINE_SPLITTER_LINE) {
        buffer_append(out, line, line_length);
        buffer_append_char(out, '|');
    }
    free(copy);
    return outcome;
}

static void finish(struct line_splitter *splitter, struct buffer *out) {
    const char *line;
    size_t length;

    if (line_splitter_finish(splitter, &line, &length) == LINE_SPLITTER_LINE) {
        buffer_append(out, line, length);
        buffer_append_char(out, '!');
    }
    line_splitter_reset(splitter, false);
}

static void test_every_cut(void **state) {
    static const char text[] = "{\"a\":1}\n\n  \r\n{\"b\":\"gr\xc3\xbcn\"}\r\n{\"c\":3}";
    static const char expected[] = "{\"a\":1}|{\"b\":\"gr\xc3\xbcn\"}\r|{\"c\":3}!";
    size_t length = sizeof text - 1;

    (void)state;
    for (size_t first = 0; first <= length; first++)
        for (size_t second = first; second <= length; second++) {
            struct line_splitter splitter = {0};
            struct buffer out = {0};

            assert_int_equal(feed(&splitter, text, first, &out), LINE_SPLITTER_MORE);
            assert_int_equal(feed(&splitter, text + first, second - first, &out), LINE_SPLITTER_MORE);
            assert_int_equal(feed(&splitter, text + second, length - second, &out), LINE_SPLITTER_MORE);
            finish(&splitter, &out);
            assert_string_equal(buffer_text(&out), expected);
            buffer_free(&out);
        }
}

static void test_every_cut_of_bson(void **state) {
    static const char text[] = "\x05\0\0\0\0"
                               "\x0c\0\0\0\x10n\0\x01\0\0\0\0"
                               "\x05\0\0\0\0";
    size_t length = sizeof text - 1;
    struct buffer expected = {0};

    (void)state;
    buffer_append(&expected, text, 5);
    buffer_append_char(&expected, '|');
    buffer_append(&expected, text + 5, 12);
    buffer_append_char(&expected, '|');
    buffer_append(&expected, text + 17, 5);
    buffer_append_char(&expected, '|');
    for (size_t first = 0; first <= length; first++) {
        struct line_splitter splitter = {.binary = true};
        struct buffer out = {0};

        assert_int_equal(feed(&splitter, text, first, &out), LINE_SPLITTER_MORE);
        assert_int_equal(feed(&splitter, text + first, length - first, &out), LINE_SPLITTER_MORE);
        assert_int_equal(out.length, expected.length);
        assert_memory_equal(out.data, expected.data, expected.length);
        line_splitter_reset(&splitter, false);
        buffer_free(&out);
    }
    buffer_free(&expected);
}

static void test_bson_length_out_of_bounds(void **state) {
    static const char *const bad[] = {"\x04\0\0\0", "\0\0\0\0", "\x01\0\0\x01", "\xff\xff\xff\xff"};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (size_t cut = 0; cut < 4; cut++) {
            struct line_splitter splitter = {.binary = true};
            struct buffer out = {0};

            feed(&splitter, bad[i], cut, &out);
            assert_int_equal(feed(&splitter, bad[i] + cut, 4 - cut, &out), LINE_SPLITTER_TOO_LONG);
            line_splitter_reset(&splitter, false);
            buffer_free(&out);
        }
}

/* A line of the limit passes, newline included; one byte more does not, complete or not. */
static void test_limit(void **state) {
    char *bytes = memory_allocate(LINE_SPLITTER_LIMIT + 2);

    (void)state;
    memset(bytes, 'x', LINE_SPLITTER_LIMIT + 1);
    for (size_t extra = 0; extra < 2; extra++) {
        struct line_splitter splitter = {0};
        struct buffer out = {0};
        size_t length = LINE_SPLITTER_LIMIT + extra;

        bytes[length - 1] = '\n';
        assert_int_equal(feed(&splitter, bytes, 1000, &out), LINE_SPLITTER_MORE);
        assert_int_equal(feed(&splitter, bytes + 1000, length - 1000, &out),
                         extra == 0 ? LINE_SPLITTER_MORE : LINE_SPLITTER_TOO_LONG);
        assert_int_equal(out.length, extra == 0 ? length : 0);
        bytes[length - 1] = 'x';
        line_splitter_reset(&splitter, false);
        assert_int_equal(feed(&splitter, bytes, length, &out),
                         extra == 0 ? LINE_SPLITTER_MORE : LINE_SPLITTER_TOO_LONG);
        line_splitter_reset(&splitter, false);
        buffer_free(&out);
    }
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_every_cut_of_bson),
        cmocka_unit_test(test_bson_length_out_of_bounds),
        cmocka_unit_test(test_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
