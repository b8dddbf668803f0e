/* Reading JSON in its text: values and their spans, what is refused and where, and agreement with the parser
 * on texts that are nearly right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_scan.h"
#include "base/memory.h"
#include "base/random.h"

static void members(void **state) {
    (void)state;
    static const char text[] =
        " {\"a\" : -12 ,\"b\":[1,{\"c\":\"]\"}],\"d\":\"x\\\"\\u00e9\\ud83d\\ude00\",\"e\":true} ";
    struct json_scan scan;
    struct json_span span;
    bool first = true, more, escaped;
    int64_t value;
    json_scan_start(&scan, text, sizeof text - 1);
    assert_true(json_scan_open(&scan, '{', "an object"));
    assert_true(json_scan_next(&scan, '}', &first, &more) && more);
    assert_true(json_scan_string(&scan, &span, &escaped, "a key") && !escaped);
    assert_true(span.length == 1 && span.bytes[0] == 'a');
    assert_true(json_scan_take(&scan, ':', "a colon"));
    assert_true(json_scan_number(&scan, &span, "a number"));
    assert_true(json_span_integer(span, &value));
    assert_int_equal(value, -12);
    assert_true(json_scan_next(&scan, '}', &first, &more) && more);
    assert_true(json_scan_skip(&scan) && json_scan_take(&scan, ':', "a colon"));
    const char *start = scan.at;
    assert_true(json_scan_skip(&scan));
    assert_int_equal(scan.at - start, strlen("[1,{\"c\":\"]\"}]"));
    assert_true(json_scan_next(&scan, '}', &first, &more) && more);
    assert_true(json_scan_skip(&scan) && json_scan_take(&scan, ':', "a colon"));
    assert_true(json_scan_string(&scan, &span, &escaped, "a string") && escaped);
    char out[40];
    *json_scan_unescape(out, span.bytes, span.length) = 0;
    assert_string_equal(out, "x\"\xc3\xa9\xf0\x9f\x98\x80");
    assert_true(json_scan_next(&scan, '}', &first, &more) && more);
    assert_true(json_scan_skip(&scan) && json_scan_take(&scan, ':', "a colon"));
    assert_true(json_scan_peek(&scan) == 't' && json_scan_literal(&scan, "true"));
    assert_true(json_scan_next(&scan, '}', &first, &more) && !more);
    assert_true(json_scan_finish(&scan));
    assert_null(scan.reason);
}

static void integers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool fits;
        int64_t value;
    } rows[] = {{"0", true, 0},
                {"-0", true, 0},
                {"9223372036854775807", true, INT64_MAX},
                {"9223372036854775808", false, 0},
                {"-9223372036854775808", true, INT64_MIN},
                {"-9223372036854775809", false, 0},
                {"18446744073709551616", false, 0},
                {"99999999999999999999999", false, 0},
                {"1.0", false, 0},
                {"1e3", false, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t value = 0;
        assert_int_equal(json_span_integer((struct json_span){rows[i].text, strlen(rows[i].text)}, &value),
                         rows[i].fits);
        assert_int_equal(value, rows[i].value);
    }
}

static bool scans(const char *text, size_t length, struct json_scan *scan) {
    json_scan_start(scan, text, length);
    return json_scan_skip(scan) && json_scan_finish(scan);
}

static void what_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int at; /* where it goes wrong */
    } rows[] = {{"", 0},           {" ", 1},
                {"x", 0},          {"{", 1},
                {"[1", 2},         {"[1,]", 3},
                {"[1 2]", 3},      {"{\"a\"}", 4},
                {"{\"a\":}", 5},   {"{1:2}", 1},
                {"{\"a\":1]", 6},  {"[01]", 3},
                {"[-]", 2},        {"[1.]", 3},
                {"[.5]", 1},       {"[+1]", 1},
                {"[1e]", 3},       {"[tru]", 1},
                {"[\"\n\"]", 2},   {"[]]", 2},
                {"[\"\\x\"]", 2},  {"[\"\\ud800\"]", 2},
                {"[\"\xff\"]", 2}, {"[\"\xc0\xaf\"]", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json_scan scan;
        if (scans(rows[i].text, strlen(rows[i].text), &scan))
            fail_msg("%s", rows[i].text);
        assert_non_null(scan.reason);
        if (scan.at - scan.start != rows[i].at)
            fail_msg("%s: wrong at %d", rows[i].text, (int)(scan.at - scan.start));
    }
    char deep[2 * JSON_SCAN_NESTING + 2];
    struct json_scan scan;
    memset(deep, '[', JSON_SCAN_NESTING + 1);
    memset(deep + JSON_SCAN_NESTING + 1, ']', JSON_SCAN_NESTING + 1);
    assert_false(scans(deep, sizeof deep, &scan));
    assert_true(scans(deep + 1, sizeof deep - 2, &scan));
}

/* Texts with a few wrong bytes: both take the same (none of them has a key twice or a number out of range),
 * and neither reads beyond the end: the sanitizers watch. */
static void agrees_with_the_parser(void **state) {
    (void)state;
    static const char model[] =
        "{\"a\":[1,2.5,-3e2,{\"b\":null,\"c\":[true,false,[]]}],\"d\":\"e\\n\\u00e9\",\"f\":{}}";
    static const char bytes[] = "{}[]\",:01-.\\tnu #";
    struct random_stream stream = random_stream_make(7, "json_scan");
    size_t taken = 0;
    for (int i = 0; i < 30000; i++) {
        size_t length = sizeof model - 1;
        if (random_chance(&stream, 1, 4))
            length -= random_below(&stream, 30);
        char *text = memory_allocate(length);
        memcpy(text, model, length);
        for (uint64_t j = random_below(&stream, 3); j > 0; j--) {
            size_t place = random_below(&stream, length);
            text[place] = bytes[random_below(&stream, sizeof bytes - 1)];
        }
        struct json_scan scan;
        json_t *json = json_parse(text, length, NULL);
        taken += json != NULL;
        if (scans(text, length, &scan) != (json != NULL))
            fail_msg("%.*s", (int)length, text);
        json_decref(json);
        free(text);
    }
    assert_in_range(taken, 3000, 27000);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(members), cmocka_unit_test(integers),
                                       cmocka_unit_test(what_is_refused),
                                       cmocka_unit_test(agrees_with_the_parser)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
