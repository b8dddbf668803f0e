#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "net/id_table.h"

/* Random adds and removals of few, clashing ids against a plain array. */
static void test_against_a_model(void **state) {
    (void)state;
    enum { ids = 700 };
    static int here[ids];
    static char values[ids];
    struct id_table table = {0};
    struct random_stream stream = random_stream_make(1, "table");
    size_t count = 0;
    for (int i = 0; i < 200000; i++) {
        size_t which = (size_t)random_below(&stream, ids);
        uint64_t id = (which + 1) << (which % 3 * 24); /* also ids that share their low bits */
        if (here[which] && random_chance(&stream, 1, 2)) {
            id_table_remove(&table, id);
            here[which] = 0;
            count--;
        } else if (!here[which] && random_chance(&stream, 1, i / 20000 % 2 ? 8 : 1)) {
            id_table_add(&table, id, &values[which]);
            here[which] = 1;
            count++;
        }
        size_t other = (size_t)random_below(&stream, ids);
        uint64_t other_id = (other + 1) << (other % 3 * 24);
        assert_ptr_equal(id_table_get(&table, other_id), here[other] ? &values[other] : NULL);
        assert_int_equal(table.count, count);
    }
    assert_null(id_table_get(&table, 0));
    id_table_remove(&table, 0);
    id_table_remove(&table, UINT64_MAX);
    id_table_free(&table);
    assert_null(id_table_get(&table, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_a_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
