#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/error.h"

static void test_places(void **state) {
    (void)state;
    struct error error = {0};
    char out[128];
    assert_int_equal(error_set(&error, STATUS_LIMIT, "more than %d", 5), STATUS_LIMIT);
    assert_int_equal(error.status, STATUS_LIMIT);
    error_format(&error, out, sizeof out);
    assert_string_equal(out, "more than 5");
    error_set_at(&error, STATUS_INVALID, "a.yaml", 3, 7, "no %s", "name");
    error_format(&error, out, sizeof out);
    assert_string_equal(out, "a.yaml:3:7: no name");
    error_prefix(&error, "while reading %s", "x");
    error_format(&error, out, sizeof out);
    assert_string_equal(out, "a.yaml:3:7: while reading x: no name");
    error_set(&error, STATUS_INVALID, "again: %s", error.message); /* its own message as argument */
    assert_string_equal(error.message, "again: while reading x: no name");
    assert_int_equal(error.line, 0);
}

static void test_nobody_cares_and_too_long(void **state) {
    (void)state;
    assert_int_equal(error_set(NULL, STATUS_IO, "x"), STATUS_IO);
    error_prefix(NULL, "x");
    struct error error = {0};
    char words[3000];
    memset(words, 'w', sizeof words - 1);
    words[sizeof words - 1] = 0;
    error_set(&error, STATUS_INVALID, "%s", words);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
    error_prefix(&error, "ab");
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
    assert_memory_equal(error.message, "ab: ww", 6);
    char small[4];
    error_format(&error, small, sizeof small);
    assert_string_equal(small, "ab:");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_nobody_cares_and_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
