#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void test_arena(void **state) {
    (void)state;
    struct arena arena = {0};
    char *texts[2000];
    for (int i = 0; i < 2000; i++)
        texts[i] = arena_format(&arena, "text %d", i);
    char *large = arena_allocate(&arena, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(large[i], 0);
    memset(large, 1, 100000);
    for (int i = 0; i < 2000; i++) {
        char expected[32];
        (void)snprintf(expected, sizeof expected, "text %d", i);
        assert_string_equal(texts[i], expected);
        assert_int_equal((uintptr_t)texts[i] % sizeof(void *), 0);
    }
    assert_string_equal(arena_copy_bytes(&arena, "abc", 2), "ab");
    assert_null(arena_copy_text(&arena, NULL));
    arena_free(&arena);
    assert_null(arena.blocks);
}

static void test_copies(void **state) {
    (void)state;
    char *copy = memory_copy_bytes("a\0b", 3);
    assert_memory_equal(copy, "a\0b", 4);
    free(copy);
    assert_null(memory_copy_text(NULL));
    copy = memory_format("%d-%s", 7, "x");
    assert_string_equal(copy, "7-x");
    free(copy);
    int *items = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 100; i++) {
        MEMORY_RESERVE(items, capacity, (size_t)i + 1);
        items[i] = i;
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(items[i], i);
    free(items);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_arena), cmocka_unit_test(test_copies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
