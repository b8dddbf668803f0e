#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/percent.h"

static void test_encode(void **state) {
    (void)state;
    struct buffer out = {0};
    percent_encode(&out, "aZ09-._~ /?\"{}\xc3\xa9%");
    assert_string_equal(buffer_text(&out), "aZ09-._~%20%2F%3F%22%7B%7D%C3%A9%25"); /* RFC 3986, section 2 */
    buffer_free(&out);
}

/* As the URL standard's application/x-www-form-urlencoded serializer. */
static void test_encode_form(void **state) {
    (void)state;
    struct buffer out = {0};
    percent_encode_form(&out, "aZ09*-._~ {\"id\":\"\xc3\xa9+%\"}");
    assert_string_equal(buffer_text(&out), "aZ09*-._%7E+%7B%22id%22%3A%22%C3%A9%2B%25%22%7D");
    buffer_free(&out);
}

static void test_decode(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *decoded;
        enum status status;
    } rows[] = {{"a%20b+c", "a b c", STATUS_OK},
                {"%C3%A9%c3%a9", "\xc3\xa9\xc3\xa9", STATUS_OK},
                {"100%", "100%", STATUS_INVALID},
                {"%4", "%4", STATUS_INVALID},
                {"%zz%41", "%zzA", STATUS_INVALID},
                {"%\x14\x11", "%\x14\x11", STATUS_INVALID},
                {"", "", STATUS_OK}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer out = {0};
        assert_int_equal(percent_decode(&out, rows[i].text, strlen(rows[i].text)), rows[i].status);
        assert_string_equal(buffer_text(&out), rows[i].decoded);
        buffer_free(&out);
    }
}

static void test_query_value(void **state) {
    (void)state;
    static const struct {
        const char *target;
        const char *value; /* NULL: absent */
    } rows[] = {{"/t?user=a", "a"},       {"/t?x=1&user=a%26b&user=c", "a&b"},
                {"/t?user=", ""},         {"/t", NULL},
                {"/t?superuser=a", NULL}, {"/t?users=a", NULL},
                {"/t?user", NULL},        {"/t?&&user=b", "b"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer out = {0};
        assert_int_equal(percent_query_value(&out, rows[i].target, "user"),
                         rows[i].value ? STATUS_OK : STATUS_NOT_FOUND);
        assert_string_equal(buffer_text(&out), rows[i].value ? rows[i].value : "");
        buffer_free(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_encode), cmocka_unit_test(test_encode_form),
                                       cmocka_unit_test(test_decode), cmocka_unit_test(test_query_value)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
