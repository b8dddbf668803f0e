/* What was told of rows, against an array that remembers everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "client/shown_rows.h"

enum { IDS = 60, STEPS = 20000 };

static void it_remembers_what_was_told(void **state) {
    struct shown_rows rows = {0};
    int told[IDS] = {0}; /* the text's number; 0: none */
    size_t count = 0;
    uint64_t random = 1;
    (void)state;
    for (int step = 0; step < STEPS; step++) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        const size_t row = (size_t)(random >> 40) % IDS;
        const int number = (int)(random >> 33) % 4;
        char id[16], text[16];
        const size_t id_length = (size_t)snprintf(id, sizeof id, "row-%zu", row);
        const size_t length = (size_t)snprintf(text, sizeof text, "%d", number);
        if (number == 0) {
            assert_int_equal(shown_rows_remove(&rows, id, id_length), told[row] != 0);
            count -= told[row] != 0;
        } else {
            assert_int_equal(shown_rows_put(&rows, id, id_length, text, length), told[row] != number);
            count += told[row] == 0;
        }
        told[row] = number;
        assert_int_equal(rows.count, count);
    }
    shown_rows_free(&rows);
    assert_false(shown_rows_remove(&rows, "x", 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_remembers_what_was_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
