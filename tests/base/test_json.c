#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static json_t *parse(const char *text) {
    return json_parse(text, strlen(text), NULL);
}

static void check_same(const char *text, const char *expected) {
    json_t *value = parse(text);
    assert_non_null(value);
    struct buffer out = {0};
    json_append(&out, value);
    assert_string_equal(buffer_text(&out), expected);
    buffer_free(&out);
    json_decref(value);
}

static void test_writing(void **state) {
    (void)state;
    check_same("{\"b\": 1, \"a\": [true, false, null, -5, 1.0, 1e2, 0.1]}",
               "{\"b\":1,\"a\":[true,false,null,-5,1.0,100.0,0.1]}");
    check_same("\"\\u00e9\\/\\u0001\\n\"", "\"\xc3\xa9/\\u0001\\n\"");
    check_same("{}", "{}");
    check_same(" [ ] ", "[]");
    check_same("9223372036854775807", "9223372036854775807");
    check_same("-0.0", "-0.0");
    json_t *with_zero = parse("\"a\\u0000b\"");
    assert_int_equal(json_string_length(with_zero), 3);
    struct buffer out = {0};
    json_append(&out, with_zero);
    assert_string_equal(buffer_text(&out), "\"a\\u0000b\"");
    buffer_free(&out);
    json_decref(with_zero);
}

static void test_sorted(void **state) {
    (void)state;
    json_t *value = parse("{\"b\":{\"z\":1,\"y\":[{\"d\":1,\"c\":2}]},\"a\":0,\"\xc3\xa9\":1,\"B\":2}");
    struct buffer out = {0};
    json_append_sorted(&out, value);
    assert_string_equal(buffer_text(&out),
                        "{\"B\":2,\"a\":0,\"b\":{\"y\":[{\"c\":2,\"d\":1}],\"z\":1},\"\xc3\xa9\":1}");
    buffer_free(&out);
    json_decref(value);
}

static void test_refuses(void **state) {
    (void)state;
    static const char *const wrong[] = {"",     "{",   "{\"a\":1,\"a\":2}",   "01",       "[1,]",
                                        "nul",  "1 2", "9223372036854775808", "\"\xff\"", "{\"a\\u0000\":1}",
                                        "1e999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error error = {0};
        assert_null(json_parse(wrong[i], strlen(wrong[i]), &error));
        assert_int_equal(error.status, STATUS_INVALID);
    }
}

static void test_depth(void **state) {
    (void)state;
    char text[2 * 257 + 1] = {0};
    memset(text, '[', 256);
    memset(text + 256, ']', 256);
    json_t *value = json_parse(text, 512, NULL);
    assert_non_null(value);
    json_decref(value);
    memset(text, '[', 257);
    memset(text + 257, ']', 257);
    struct error error = {0};
    assert_null(json_parse(text, 514, &error));
    assert_non_null(strstr(error.message, "256"));
    /* brackets in strings do not count */
    char quoted[1024] = "\"";
    memset(quoted + 1, '[', 400);
    memcpy(quoted + 401, "\\\"[\"", 5);
    value = json_parse(quoted, strlen(quoted), NULL);
    assert_non_null(value);
    json_decref(value);
}

static void test_access(void **state) {
    (void)state;
    json_t *object = parse("{\"t\":\"x\",\"i\":5,\"r\":5.5,\"b\":true,\"n\":null}");
    assert_string_equal(json_text(object, "t"), "x");
    assert_null(json_text(object, "i"));
    assert_null(json_text(object, "absent"));
    assert_null(json_text(NULL, "t"));
    assert_int_equal(json_integer_or(object, "i", 1), 5);
    assert_int_equal(json_integer_or(object, "r", 1), 1);
    assert_int_equal(json_integer_or(NULL, "i", 1), 1);
    assert_true(json_bool_or(object, "b", false));
    assert_true(json_bool_or(object, "n", true));
    json_decref(object);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writing), cmocka_unit_test(test_sorted), cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_depth),   cmocka_unit_test(test_access),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
