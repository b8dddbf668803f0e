/* Reading JSON in its text: values and their slices, what is refused, and agreement with the parser on texts
 * that are nearly right. */
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
        " {\"a\" : -12 ,\"b\":[1,{\"c\":\"]\"}], \"\\u0063\":\"x\\\"y\",\"d\":1.5e-3,\n"
        "\"e\":true,\"f\":false,\"g\":null,\"h\":\"plain\"} tail";
    static const struct {
        const char *key, *value;
        enum json_slice_kind kind;
        bool plain;
    } rows[] = {{"\"a\"", "-12", JSON_SLICE_INTEGER, false},
                {"\"b\"", "[1,{\"c\":\"]\"}]", JSON_SLICE_ARRAY, false},
                {"\"\\u0063\"", "\"x\\\"y\"", JSON_SLICE_STRING, false},
                {"\"d\"", "1.5e-3", JSON_SLICE_REAL, false},
                {"\"e\"", "true", JSON_SLICE_TRUE, false},
                {"\"f\"", "false", JSON_SLICE_FALSE, false},
                {"\"g\"", "null", JSON_SLICE_NULL, false},
                {"\"h\"", "\"plain\"", JSON_SLICE_STRING, true}};
    struct json_walk walk = json_walk_begin(text, strlen(text));
    struct json_slice key, value;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(json_walk_next(&walk, &key, &value));
        assert_int_equal(key.length, strlen(rows[i].key));
        assert_memory_equal(key.text, rows[i].key, key.length);
        assert_int_equal(value.length, strlen(rows[i].value));
        assert_memory_equal(value.text, rows[i].value, value.length);
        assert_int_equal(value.kind, rows[i].kind);
        assert_int_equal(value.plain, rows[i].plain);
    }
    assert_true(json_slice_is(&value, "plain"));
    assert_false(json_slice_is(&value, "plai"));
    assert_false(json_slice_is(&key, "plain"));
    assert_false(json_walk_next(&walk, &key, &value));
    assert_true(walk.over && !walk.bad);
    assert_false(json_walk_is_whole(&walk)); /* something follows */
}

static void numbers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool integer, real;
        int64_t value;
    } rows[] = {{"[0]", true, true, 0},
                {"[-0]", true, true, 0},
                {"[9223372036854775807]", true, true, INT64_MAX},
                {"[9223372036854775808]", false, true, 0},
                {"[-9223372036854775808]", true, true, INT64_MIN},
                {"[-9223372036854775809]", false, true, 0},
                {"[18446744073709551616]", false, true, 0},
                {"[1.0]", false, true, 0},
                {"[1e999]", false, false, 0},
                {"[\"1\"]", false, false, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json_walk walk = json_walk_begin(rows[i].text, strlen(rows[i].text));
        struct json_slice value;
        int64_t integer = 0;
        double real;
        assert_true(json_walk_next(&walk, NULL, &value));
        assert_int_equal(json_slice_integer(&value, &integer), rows[i].integer);
        assert_int_equal(integer, rows[i].value);
        assert_int_equal(json_slice_real(&value, &real), rows[i].real);
    }
}

static bool scans(const char *text, size_t length) {
    struct json_walk walk = json_walk_begin(text, length);
    struct json_slice key, value;
    while (json_walk_next(&walk, &key, &value))
        ;
    assert_true(walk.bad || walk.over);
    return json_walk_is_whole(&walk);
}

static void what_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"",         " ",     "7",          "x",         "{",     "[",
                                        "[1",       "[1,",   "[1,]",       "[,]",       "[1 2]", "{\"a\"}",
                                        "{\"a\":}", "{1:2}", "{\"a\":1,}", "{\"a\":1]", "[1}",   "[01]",
                                        "[-]",      "[1.]",  "[.5]",       "[+1]",      "[1e]",  "[tru]",
                                        "[nul]",    "[\"]",  "[\"\\",      "[\"\n\"]",  "[]]",   "[\"a\\\"]"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (scans(texts[i], strlen(texts[i])))
            fail_msg("%s", texts[i]);
    char deep[600];
    memset(deep, '[', 300);
    memset(deep + 300, ']', 300);
    assert_false(scans(deep, 600));
    assert_true(scans(deep + 100, 400));
}

/* Texts with a few wrong bytes: the scan takes all that the parser takes. (Not the other way round: it does
 * not look into strings.) And it never reads beyond the end: the sanitizers watch. */
static void agrees_with_the_parser(void **state) {
    (void)state;
    static const char model[] =
        "{\"a\":[1,2.5,-3e2,{\"b\":null,\"c\":[true,false,[]]}],\"d\":\"e\\n\\u00e9\",\"f\":{}}";
    static const char bytes[] = "{}[]\",:01-.e\\tnu a";
    struct random_stream stream = random_stream_make(7, "json_scan");
    size_t taken = 0;
    for (int i = 0; i < 30000; i++) {
        size_t length = sizeof model - 1;
        if (random_chance(&stream, 1, 4))
            length -= random_below(&stream, 30);
        char *text = memory_copy_bytes(model, length);
        text = memory_resize(text, length, 1); /* no terminating 0 to lean on */
        for (uint64_t j = random_below(&stream, 3); j > 0; j--)
            text[random_below(&stream, length)] = bytes[random_below(&stream, sizeof bytes - 1)];
        json_t *json = json_parse(text, length, NULL);
        taken += json != NULL;
        if (json && !scans(text, length))
            fail_msg("%.*s", (int)length, text);
        if (!json)
            scans(text, length);
        json_decref(json);
        free(text);
    }
    assert_in_range(taken, 3000, 27000);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(members), cmocka_unit_test(numbers),
                                       cmocka_unit_test(what_is_refused),
                                       cmocka_unit_test(agrees_with_the_parser)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
