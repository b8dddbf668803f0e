#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/random.h"

static void *number(uintptr_t value) {
    return (void *)value;
}

static void test_order_survives_growth_and_removal(void **state) {
    (void)state;
    struct map map = {0};
    char key[32];
    for (uintptr_t i = 1; i <= 1000; i++) {
        (void)snprintf(key, sizeof key, "key %d", (int)i);
        assert_null(map_set(&map, key, number(i)));
    }
    for (int i = 3; i <= 1000; i += 3) {
        (void)snprintf(key, sizeof key, "key %d", i);
        assert_ptr_equal(map_remove(&map, key), number((uintptr_t)i));
        assert_null(map_remove(&map, key));
    }
    assert_ptr_equal(map_set(&map, "key 7", number(7777)), number(7)); /* keeps its place */
    for (uintptr_t i = 1001; i <= 3000; i++) {                         /* forces rebuilding */
        (void)snprintf(key, sizeof key, "key %d", (int)i);
        map_set(&map, key, number(i));
    }
    map_set(&map, "key 3", number(3)); /* comes back at the end */
    size_t at = 0;
    uintptr_t expected = 0;
    size_t seen = 0;
    for (struct map_entry *entry; (entry = map_next(&map, &at));) {
        seen++;
        if (seen == map.count) {
            assert_string_equal(entry->key, "key 3");
            break;
        }
        expected++;
        if (expected <= 1000 && expected % 3 == 0)
            expected++;
        (void)snprintf(key, sizeof key, "key %d", (int)expected);
        assert_string_equal(entry->key, key);
        assert_ptr_equal(entry->value, number(expected == 7 ? 7777 : expected));
    }
    assert_int_equal(seen, 1000 - 333 + 2000 + 1);
    map_free(&map, NULL);
}

static void test_bytes_and_empty_keys(void **state) {
    (void)state;
    struct map map = {0};
    assert_null(map_get(&map, "x"));
    assert_false(map_has(&map, ""));
    map_set_bytes(&map, "a\0b", 3, number(1));
    map_set_bytes(&map, "a\0c", 3, number(2));
    map_set(&map, "", number(3));
    map_set(&map, "nothing", NULL);
    assert_ptr_equal(map_get_bytes(&map, "a\0b", 3), number(1));
    assert_ptr_equal(map_get_bytes(&map, "a\0c", 3), number(2));
    assert_null(map_get(&map, "a"));
    assert_ptr_equal(map_get(&map, ""), number(3));
    assert_true(map_has(&map, "nothing"));
    assert_null(map_get(&map, "nothing"));
    map_clear(&map, NULL);
    assert_false(map_has(&map, ""));
    map_set(&map, "z", number(1));
    assert_int_equal(map.count, 1);
    map_free(&map, NULL);
}

static void test_removing_while_iterating(void **state) {
    (void)state;
    struct map map = {0};
    char key[32];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(key, sizeof key, "%d", i);
        map_set(&map, key, malloc(1));
    }
    size_t at = 0;
    for (struct map_entry *entry; (entry = map_next(&map, &at));) {
        (void)snprintf(key, sizeof key, "%s", entry->key);
        if (atoi(key) % 2)
            free(map_remove(&map, key));
    }
    assert_int_equal(map.count, 50);
    map_free(&map, free);
}

/* Random sets and removals against a plain array. */
static void test_against_a_model(void **state) {
    (void)state;
    struct map map = {0};
    uintptr_t model[500] = {0};
    size_t live = 0;
    struct random_stream stream = random_stream_make(1, "map");
    for (int i = 0; i < 100000; i++) {
        size_t which = (size_t)random_below(&stream, 500);
        char key[16];
        (void)snprintf(key, sizeof key, "%zu", which);
        if (random_chance(&stream, 1, 2)) {
            live += model[which] == 0;
            uintptr_t value = (uintptr_t)random_below(&stream, 1000) + 1;
            assert_ptr_equal(map_set(&map, key, number(value)), number(model[which]));
            model[which] = value;
        } else {
            live -= model[which] != 0;
            assert_ptr_equal(map_remove(&map, key), number(model[which]));
            model[which] = 0;
        }
        assert_int_equal(map.count, live);
    }
    for (size_t i = 0; i < 500; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "%zu", i);
        assert_ptr_equal(map_get(&map, key), number(model[i]));
    }
    map_free(&map, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_survives_growth_and_removal),
        cmocka_unit_test(test_bytes_and_empty_keys),
        cmocka_unit_test(test_removing_while_iterating),
        cmocka_unit_test(test_against_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
