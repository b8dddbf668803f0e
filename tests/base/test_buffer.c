#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/random.h"
#include "double_vectors.h"

static void test_double_text_is_that_of_javascript(void **state) {
    (void)state;
    struct buffer out = {0};
    for (size_t i = 0; i < sizeof double_vectors / sizeof double_vectors[0]; i++) {
        double value;
        memcpy(&value, &double_vectors[i].bits, sizeof value);
        buffer_clear(&out);
        buffer_append_double(&out, value);
        assert_string_equal(buffer_text(&out), double_vectors[i].text);
        double back = strtod(buffer_text(&out), NULL);
        assert_memory_equal(&back, &value, sizeof back);
    }
    buffer_free(&out);
}

static void test_double_text_examples(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } examples[] = {{1e21, "1e+21"},
                    {1e16, "10000000000000000.0"},
                    {1e-7, "1e-7"},
                    {0.000001, "0.000001"},
                    {1795170324181.139, "1795170324181.139"},
                    {-0.0, "-0.0"}};
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        struct buffer out = {0};
        buffer_append_double(&out, examples[i].value);
        assert_string_equal(buffer_text(&out), examples[i].text);
        buffer_free(&out);
    }
}

/* Any number from 1 to 2^53, one with up to three decimal places, or one with up to ten binary ones. */
static double draw_fraction(struct random_stream *random) {
    uint64_t bits = random_next(random) >> 12 | (1023 + random_below(random, 53)) << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    switch (random_below(random, 3)) {
    case 0:
        return value;
    case 1:
        return (double)random_below(random, 1000000000) / 1000;
    default:
        return (double)random_below(random, 1000000000) / 1024;
    }
}

/* It reads back, and the nearest decimal with a digit less does not. */
static void test_double_text_is_the_shortest(void **state) {
    (void)state;
    struct random_stream random = random_stream_make(1, "fractions");
    struct buffer out = {0};
    for (int i = 0; i < 20000; i++) {
        double value = draw_fraction(&random);
        buffer_clear(&out);
        buffer_append_double(&out, value);
        assert_true(strtod(buffer_text(&out), NULL) == value);
        size_t digits = out.length - 1 - (buffer_text(&out)[0] == '0');
        if (value >= 1 && value != (double)(int64_t)value) {
            char shorter[40], same[40];
            (void)snprintf(shorter, sizeof shorter, "%.*e", (int)digits - 2, value);
            (void)snprintf(same, sizeof same, "%.*e", (int)digits - 1, value);
            assert_false(strtod(shorter, NULL) == value);
            assert_true(strtod(same, NULL) == value);
        }
    }
    buffer_free(&out);
}

static void test_integers(void **state) {
    (void)state;
    struct buffer out = {0};
    buffer_append_integer(&out, INT64_MIN);
    buffer_append_char(&out, ' ');
    buffer_append_integer(&out, INT64_MAX);
    buffer_append_char(&out, ' ');
    buffer_append_integer(&out, 0);
    assert_string_equal(buffer_text(&out), "-9223372036854775808 9223372036854775807 0");
    buffer_free(&out);
}

static void test_json_strings(void **state) {
    (void)state;
    struct buffer out = {0};
    buffer_append_json_string(&out, "a\"b\\c\b\f\n\r\t\x01\x1f\x7f/\xc3\xa9\0z", 18);
    assert_string_equal(buffer_text(&out),
                        "\"a\\\"b\\\\c\\b\\f\\n\\r\\t\\u0001\\u001f\x7f/\xc3\xa9\\u0000z\"");
    buffer_clear(&out);
    buffer_append_json_text(&out, "");
    assert_string_equal(buffer_text(&out), "\"\"");
    buffer_free(&out);
}

static void test_growing_and_consuming(void **state) {
    (void)state;
    struct buffer out = {0};
    assert_string_equal(buffer_text(&out), "");
    for (int i = 0; i < 1000; i++)
        buffer_printf(&out, "%03d,", i);
    assert_int_equal(out.length, 4000);
    buffer_consume(&out, 3996);
    assert_string_equal(buffer_text(&out), "999,");
    buffer_consume(&out, 4);
    assert_string_equal(buffer_text(&out), "");
    char *long_word = malloc(5001);
    memset(long_word, 'x', 5000);
    long_word[5000] = 0;
    buffer_printf(&out, "<%s>", long_word);
    assert_int_equal(out.length, 5002);
    assert_int_equal(out.data[5001], '>');
    free(long_word);
    char *taken = buffer_take(&out);
    assert_null(out.data);
    assert_int_equal(strlen(taken), 5002);
    free(taken);
    taken = buffer_take(&out);
    assert_string_equal(taken, "");
    free(taken);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_double_text_is_that_of_javascript),
        cmocka_unit_test(test_double_text_examples),
        cmocka_unit_test(test_double_text_is_the_shortest),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_json_strings),
        cmocka_unit_test(test_growing_and_consuming),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
