/* One form for times that devices write in many. */
#include "cmocka_all.h"

#include <stddef.h>

#include "app/iso_time.h"

static void assert_normal(const char *text, const char *expected) {
    char out[ISO_TIME_SIZE];
    assert_true(iso_time_normal(text, out));
    assert_string_equal(out, expected);
}

/* Row 225: a space or T, Z, +00:00 or nothing, ms or us. */
static void test_forms(void **state) {
    (void)state;
    static const char *const forms[] = {"2026-01-01T00:00:05.123Z",         "2026-01-01 00:00:05.123",
                                        "2026-01-01T00:00:05.123+00:00",    "2026-01-01T00:00:05.123456Z",
                                        "2026-01-01 01:00:05.123999+01:00", "2025-12-31T18:30:05.123-05:30"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        assert_normal(forms[i], "2026-01-01T00:00:05.123Z");
    assert_normal("2026-01-01T00:00:05Z", "2026-01-01T00:00:05.000Z");
    assert_normal("2026-01-01T00:00:05.5Z", "2026-01-01T00:00:05.500Z");
}

static void test_other_days(void **state) {
    (void)state;
    assert_normal("2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00.000Z");
    assert_normal("2023-03-01T00:30:00+01:00", "2023-02-28T23:30:00.000Z");
    assert_normal("2000-02-29T23:59:59-00:01", "2000-03-01T00:00:59.000Z");
    assert_normal("2026-01-01T00:00:00+00:01", "2025-12-31T23:59:00.000Z");
    assert_normal("2025-12-31T23:59:00-00:01", "2026-01-01T00:00:00.000Z");
}

static void test_no_times(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "now",
                                        "1767225600",
                                        "2026-01-01",
                                        "2026-1-1T00:00:00Z",
                                        "2026-02-29T00:00:00Z",
                                        "1900-02-29T00:00:00Z",
                                        "2026-13-01T00:00:00Z",
                                        "2026-00-01T00:00:00Z",
                                        "2026-01-00T00:00:00Z",
                                        "2026-01-01T24:00:00Z",
                                        "2026-01-01T00:60:00Z",
                                        "2026-01-01T00:00:60Z",
                                        "2026-01-01T00:00:00.Z",
                                        "2026-01-01T00:00:00+15:00",
                                        "2026-01-01T00:00:00+0100",
                                        "2026-01-01T00:00:00Zx",
                                        "2026-01-01T00:00"};
    char out[ISO_TIME_SIZE];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (iso_time_normal(texts[i], out))
            fail_msg("%s was taken", texts[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms), cmocka_unit_test(test_other_days),
                                       cmocka_unit_test(test_no_times)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
