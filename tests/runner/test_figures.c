/* What people read: counts, rates, percentiles, tables, the live line, the polling table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "kernel/time.h"
#include "runner/bench_polling.h"
#include "runner/progress.h"
#include "runner/text_table.h"

static void expect_and_free(struct buffer *out, const char *expected) {
    assert_string_equal(buffer_text(out), expected);
    buffer_free(out);
}

static void counts_have_separators(void **state) {
    struct buffer out = {0};
    (void)state;
    progress_append_count(&out, 0);
    buffer_append_char(&out, ' ');
    progress_append_count(&out, 999);
    buffer_append_char(&out, ' ');
    progress_append_count(&out, 1000);
    buffer_append_char(&out, ' ');
    progress_append_count(&out, UINT64_MAX);
    expect_and_free(&out, "0 999 1,000 18,446,744,073,709,551,615");
}

static void rates_keep_three_digits(void **state) {
    struct buffer out = {0};
    (void)state;
    progress_append_rate(&out, 21, 50 * TIME_SECOND); /* 0.42 */
    buffer_append_char(&out, ' ');
    progress_append_rate(&out, 173, 10 * TIME_SECOND); /* 17.3 */
    buffer_append_char(&out, ' ');
    progress_append_rate(&out, 1240, TIME_SECOND);
    buffer_append_char(&out, ' ');
    progress_append_rate(&out, 0, 0);
    expect_and_free(&out, "0.42 17.3 1,240 0.00");
}

static void lengths_have_units(void **state) {
    struct buffer out = {0};
    (void)state;
    progress_append_length(&out, 59 * TIME_SECOND);
    buffer_append_text(&out, ", ");
    progress_append_length(&out, 125 * TIME_SECOND);
    buffer_append_text(&out, ", ");
    progress_append_length(&out, 3 * TIME_HOUR + 7 * TIME_MINUTE);
    expect_and_free(&out, "59 s, 2 min 05 s, 3 h 07 min");
}

/* Nearest rank: of 1..100 the median is 50 and the 95th percentile 95. */
static void percentiles_are_exact(void **state) {
    struct samples samples = {0};
    (void)state;
    assert_int_equal(samples_at(&samples, 500), 0);
    for (int64_t i = 100; i >= 1; i--)
        samples_add(&samples, i);
    samples_sort(&samples);
    assert_int_equal(samples_at(&samples, 500), 50);
    assert_int_equal(samples_at(&samples, 950), 95);
    assert_int_equal(samples_at(&samples, 951), 96);
    assert_int_equal(samples_at(&samples, 0), 1);
    assert_int_equal(samples_at(&samples, 1000), 100);
    samples_free(&samples);
    samples_add(&samples, 7);
    assert_int_equal(samples_at(&samples, 500), 7);
    samples_free(&samples);
}

static void columns_line_up(void **state) {
    struct text_table table;
    struct buffer out = {0};
    (void)state;
    text_table_init(&table, "lrl");
    text_table_add(&table, "näme");
    text_table_add(&table, "n");
    text_table_add(&table, "verdict");
    text_table_add(&table, "a");
    text_table_add_count(&table, 12345);
    text_table_add(&table, "ok");
    text_table_finish(&table, &out);
    expect_and_free(&out, "näme       n  verdict\na     12,345  ok\n");
}

static void plain_lines_come_rarely(void **state) {
    struct progress progress = {.terminal = false, .started = 0, .jobs = 200};
    struct progress_state now = {
        .done = 50, .failed = 1, .faults_fired = 1234, .virtual_time = 3000 * TIME_SECOND};
    struct buffer out = {0};
    (void)state;
    progress_show(&progress, 4 * TIME_SECOND, &now, &out);
    assert_int_equal(out.length, 0);
    progress_show(&progress, 10 * TIME_SECOND, &now, &out);
    progress_show(&progress, 11 * TIME_SECOND, &now, &out);
    expect_and_free(&out,
                    "50 of 200 seeds, 5.00 seeds/s, 300 simulated s/s, 1,234 faults, 1 failed, 30 s left\n");
}

static void the_live_line_stays_one(void **state) {
    struct progress progress = {
        .terminal = true, .started = 0, .jobs = UINT64_MAX, .until = 60 * TIME_SECOND};
    struct progress_state now = {.done = 10};
    struct buffer out = {0};
    (void)state;
    progress_show(&progress, 20 * TIME_SECOND, &now, &out);
    assert_null(strchr(buffer_text(&out), '\n'));
    assert_int_equal(buffer_text(&out)[0], '\r');
    assert_non_null(strstr(buffer_text(&out), "10 seeds, 0.50 seeds/s"));
    assert_non_null(strstr(buffer_text(&out), "40 s left"));
    buffer_free(&out);
}

static void intervals_are_read(void **state) {
    static const char *const wrong[] = {"", "0", "50,", ",50", "50,50", "a", "50;100", "3600001"};
    struct polling_table table;
    (void)state;
    assert_int_equal(polling_intervals_parse("50,1000", &table, NULL), STATUS_OK);
    assert_int_equal(table.n_rows, 2);
    assert_int_equal(table.rows[1].interval, TIME_SECOND);
    polling_table_free(&table);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(polling_intervals_parse(wrong[i], &table, NULL), STATUS_INVALID);
        polling_table_free(&table);
    }
}

static void the_polling_table_is_exact(void **state) {
    struct polling_table table;
    struct buffer out = {0};
    (void)state;
    assert_int_equal(polling_intervals_parse("1000", &table, NULL), STATUS_OK);
    for (int64_t i = 1; i <= 20; i++)
        samples_add(&table.rows[0].delays, i * 50 * TIME_MILLISECOND + 500 * TIME_MICROSECOND);
    samples_sort(&table.rows[0].delays);
    table.rows[0].requests = 61;
    table.rows[0].virtual_time = 60 * TIME_SECOND;
    polling_table_append_csv(&table, &out);
    expect_and_free(&out, "interval_ms,delay_median_ms,delay_p95_ms,delay_p5_ms,delay_min_ms,delay_max_ms,"
                          "requests_per_s,samples,"
                          "simulated_s\n1000,500.500,950.500,50.500,50.500,1000.500,1.016,20,60.000\n");
    polling_table_append_text(&table, &out);
    expect_and_free(&out, "interval ms  median ms  p95 ms  p5 ms  min ms  max ms  requests/s  samples\n"
                          "      1,000        501     951     51      51   1,001       1.016       20\n");
    polling_table_free(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_have_separators),
        cmocka_unit_test(rates_keep_three_digits),
        cmocka_unit_test(lengths_have_units),
        cmocka_unit_test(percentiles_are_exact),
        cmocka_unit_test(columns_line_up),
        cmocka_unit_test(plain_lines_come_rarely),
        cmocka_unit_test(the_live_line_stays_one),
        cmocka_unit_test(intervals_are_read),
        cmocka_unit_test(the_polling_table_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
