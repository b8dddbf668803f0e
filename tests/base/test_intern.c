#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/intern.h"

static void test_equal_texts_are_one(void **state) {
    (void)state;
    struct intern intern = {0};
    char copy[] = "milk";
    const char *first = intern_text(&intern, "milk");
    assert_string_equal(first, "milk");
    assert_ptr_equal(intern_text(&intern, copy), first);
    assert_ptr_equal(intern_bytes(&intern, "milky", 4), first);
    assert_ptr_not_equal(intern_text(&intern, "mild"), first);
    assert_null(intern_text(&intern, NULL));
    assert_int_equal(intern.count, 2);
    intern_free(&intern);
    assert_int_equal(intern.count, 0);
}

static void test_bytes_with_zeros(void **state) {
    (void)state;
    struct intern intern = {0};
    const char *whole = intern_bytes(&intern, "a\0b", 3);
    assert_memory_equal(whole, "a\0b", 4);
    assert_ptr_not_equal(intern_bytes(&intern, "a\0c", 3), whole);
    assert_ptr_not_equal(intern_bytes(&intern, "a", 1), whole);
    assert_string_equal(intern_bytes(&intern, NULL, 0), "");
    intern_free(&intern);
}

/* Many texts move through several sizes of the table; all stay where they are and are found again. */
static void test_growth(void **state) {
    (void)state;
    enum { COUNT = 5000 };
    static const char *texts[COUNT];
    struct intern intern = {0};
    char text[32];
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "row %d", i);
        texts[i] = intern_text(&intern, text);
    }
    assert_int_equal(intern.count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "row %d", i);
        assert_string_equal(texts[i], text);
        assert_ptr_equal(intern_text(&intern, text), texts[i]);
    }
    assert_int_equal(intern.count, COUNT);
    assert_int_not_equal(intern_hash(texts[0]), intern_hash(texts[1]));
    intern_free(&intern);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_equal_texts_are_one),
                                       cmocka_unit_test(test_bytes_with_zeros),
                                       cmocka_unit_test(test_growth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
