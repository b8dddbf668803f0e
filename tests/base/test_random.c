#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/random.h"

static void test_streams_do_not_touch_each_other(void **state) {
    (void)state;
    struct random_stream a = random_stream_make(7, "a"), again = random_stream_make(7, "a");
    struct random_stream b = random_stream_make(7, "b"), other_seed = random_stream_make(8, "a");
    int equal_b = 0, equal_seed = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t value = random_next(&a);
        equal_b += value == random_next(&b);
        equal_seed += value == random_next(&other_seed);
        assert_true(value == random_next(&again));
        assert_true(value == random_at(7, "a", i));
    }
    assert_int_equal(equal_b, 0);
    assert_int_equal(equal_seed, 0);
}

/* Every bit of the output is set about half the time, and flips half the time when the counter goes up by
 * one. */
static void test_bits_are_even(void **state) {
    (void)state;
    enum { draws = 40000 };
    int set[64] = {0}, flipped[64] = {0};
    struct random_stream stream = random_stream_make(0, "");
    uint64_t before = random_next(&stream);
    for (int i = 0; i < draws; i++) {
        uint64_t value = random_next(&stream);
        for (int bit = 0; bit < 64; bit++) {
            set[bit] += (int)(value >> bit & 1);
            flipped[bit] += (int)((value ^ before) >> bit & 1);
        }
        before = value;
    }
    for (int bit = 0; bit < 64; bit++) { /* 5 standard deviations: 500 */
        assert_in_range(set[bit], draws / 2 - 500, draws / 2 + 500);
        assert_in_range(flipped[bit], draws / 2 - 500, draws / 2 + 500);
    }
}

static void test_ranges(void **state) {
    (void)state;
    struct random_stream stream = random_stream_make(3, "ranges");
    int counts[6] = {0};
    for (int i = 0; i < 60000; i++)
        counts[random_below(&stream, 6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(counts[i], 9500, 10500);
    int ends = 0;
    for (int i = 0; i < 1000; i++) {
        int64_t value = random_between(&stream, -2, 2);
        assert_true(value >= -2 && value <= 2);
        ends |= value == -2 ? 1 : value == 2 ? 2 : 0;
        assert_int_equal(random_below(&stream, 1), 0);
        assert_int_equal(random_between(&stream, 5, 5), 5);
        (void)random_between(&stream, INT64_MIN, INT64_MAX);
    }
    assert_int_equal(ends, 3);
    int hits = 0;
    for (int i = 0; i < 30000; i++)
        hits += random_chance(&stream, 1, 3);
    assert_in_range(hits, 9600, 10400);
    assert_false(random_chance(&stream, 0, 10));
    assert_true(random_chance(&stream, 10, 10));
}

/* A bound just above 2^63: nearly half of all values would be unfair, and all results must stay possible. */
static void test_below_is_fair_for_large_bounds(void **state) {
    (void)state;
    struct random_stream stream = random_stream_make(4, "large");
    uint64_t bound = (UINT64_C(1) << 63) + (UINT64_C(1) << 61);
    int quarters[5] = {0}; /* of 2^61 each */
    for (int i = 0; i < 50000; i++) {
        uint64_t value = random_below(&stream, bound);
        assert_true(value < bound);
        quarters[value >> 61]++;
    }
    for (int i = 0; i < 5; i++)
        assert_in_range(quarters[i], 9500, 10500);
    /* Without drawing again, four values would lead to three results here, the first of them twice as likely.
     */
    int remainders[3] = {0};
    for (int i = 0; i < 30000; i++)
        remainders[random_below(&stream, 3 * (UINT64_C(1) << 62)) % 3]++;
    for (int i = 0; i < 3; i++)
        assert_in_range(remainders[i], 9600, 10400);
}

/* Shares of the exponential distribution: P(x > t) = e^-t. */
static void test_exponential(void **state) {
    (void)state;
    enum { draws = 200000 };
    const int64_t mean = 1000000000;
    struct random_stream stream = random_stream_make(5, "exponential");
    double sum = 0;
    int above[8] = {0};
    for (int i = 0; i < draws; i++) {
        int64_t value = random_exponential(&stream, mean);
        assert_true(value >= 0 && value <= 16 * mean);
        sum += (double)value;
        for (int t = 0; t < 8; t++)
            above[t] += value > t * mean;
    }
    assert_in_range((uint64_t)(sum / draws), 990000000, 1010000000); /* 4.5 standard deviations */
    /* draws * e^-t for t = 1, 2, 4, 7, from a table of e^-t, +- 5 standard deviations */
    assert_in_range(above[0], draws - 5, draws);
    assert_in_range(above[1], 73576 - 1080, 73576 + 1080);
    assert_in_range(above[2], 27067 - 765, 27067 + 765);
    assert_in_range(above[4], 3663 - 300, 3663 + 300);
    assert_in_range(above[7], 182 - 68, 182 + 68);
    assert_int_equal(random_exponential(&stream, 0), 0);
    assert_true(random_exponential(&stream, INT64_MAX) >= 0);
}

/* Each value against the C library's logarithm. */
static void test_exponential_values(void **state) {
    (void)state;
    struct random_stream stream = random_stream_make(5, "values");
    for (uint64_t i = 0; i < 100000; i++) {
        double u = (double)random_at(5, "values", i) / 0x1p64;
        double expected = -log(u) * 1e12;
        assert_true(fabs((double)random_exponential(&stream, 1000000000000) - expected) <=
                    1e7); /* 1e-5 of the mean */
    }
}

static void test_bytes_and_uuids(void **state) {
    (void)state;
    struct random_stream a = random_stream_make(6, "bytes"), b = a;
    unsigned char long_run[20], short_run[11];
    random_bytes(&a, long_run, sizeof long_run);
    random_bytes(&b, short_run, sizeof short_run);
    assert_memory_equal(long_run, short_run, sizeof short_run);
    uint64_t first = random_at(6, "bytes", 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(long_run[i], first >> (8 * i) & 255);
    for (int i = 0; i < 100; i++) {
        char uuid[37], other[37];
        random_uuid(&a, uuid);
        random_uuid(&a, other);
        assert_int_equal(strlen(uuid), 36);
        assert_int_equal(strspn(uuid, "0123456789abcdef-"), 36);
        assert_true(uuid[8] == '-' && uuid[13] == '-' && uuid[18] == '-' && uuid[23] == '-');
        assert_int_equal(uuid[14], '4');
        assert_non_null(strchr("89ab", uuid[19]));
        assert_string_not_equal(uuid, other);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_do_not_touch_each_other),
        cmocka_unit_test(test_bits_are_even),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_below_is_fair_for_large_bounds),
        cmocka_unit_test(test_exponential),
        cmocka_unit_test(test_exponential_values),
        cmocka_unit_test(test_bytes_and_uuids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
