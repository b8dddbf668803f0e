/* The JUnit report: escaping, sums, well-formedness as libxml2's xmllint sees it, where that is installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/time.h"
#include "runner/junit.h"
#include "runner/report_folder.h"

static void escapes(const char *text, bool attribute, const char *expected) {
    struct buffer out = {0};
    junit_escape(&out, text, attribute);
    assert_string_equal(buffer_text(&out), expected);
    buffer_free(&out);
}

static void markup_is_escaped(void **state) {
    (void)state;
    escapes("a < b && c > \"d\"", false, "a &lt; b &amp;&amp; c &gt; \"d\"");
    escapes("a < \"d\"", true, "a &lt; &quot;d&quot;");
    escapes("]]>", false, "]]&gt;");
    escapes("one\ntwo\tthree\r", true, "one&#10;two&#9;three&#13;");
    escapes("one\ntwo\r", false, "one\ntwo&#13;");
    escapes("Zürich €𝄞", false, "Zürich €𝄞");
    escapes(NULL, false, "");
}

/* XML 1.0, production 2: no control characters but tab, line feed, carriage return; no surrogates, no FFFE,
 * FFFF. */
static void forbidden_bytes_are_replaced(void **state) {
    (void)state;
    escapes("a\x01z", false, "a\xef\xbf\xbdz");
    escapes("a\x1b[0mz", false, "a\xef\xbf\xbd[0mz");
    escapes("\xff", false, "\xef\xbf\xbd");
    escapes("\xc3", false, "\xef\xbf\xbd");                                 /* cut short */
    escapes("\xc0\x80", false, "\xef\xbf\xbd\xef\xbf\xbd");                 /* overlong */
    escapes("\xed\xa0\x80", false, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
    escapes("\xef\xbf\xbe", false, "\xef\xbf\xbd");
    escapes("\xf4\x90\x80\x80", false,
            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* above U+10FFFF */
}

static struct junit *make_report(size_t passing) {
    struct junit *junit = junit_create();
    size_t suite = junit_add_suite(junit, "a \"quoted\" & <odd> name", "scenarios/a.yaml");
    assert_int_equal(suite, 0);
    for (size_t i = 0; i < passing; i++)
        junit_add_seed(junit, suite, i + 1, 1500 * TIME_MILLISECOND, NULL);
    junit_add_seed(junit, suite, 5000, TIME_SECOND,
                   &(struct junit_failure){.type = "monotonic-reads",
                                           .message = "seen <nothing>\nand more",
                                           .text = "expected & seen ]]> \x01\xff"});
    junit_add_case(junit, junit_add_suite(junit, "second", "b.yaml"), "expected violation", NULL);
    return junit;
}

static void sums_add_up(void **state) {
    struct junit *junit = make_report(2);
    struct buffer out = {0};
    (void)state;
    junit_write(junit, &out);
    assert_non_null(strstr(buffer_text(&out),
                           "<testsuites name=\"syncline\" tests=\"4\" failures=\"1\" errors=\"0\" "
                           "skipped=\"0\" time=\"4.000\">"));
    assert_non_null(strstr(buffer_text(&out), " tests=\"3\" failures=\"1\" "));
    assert_non_null(strstr(buffer_text(&out),
                           "<testcase classname=\"a &quot;quoted&quot; &amp; &lt;odd&gt; name\" "
                           "name=\"seed 1\" file=\"scenarios/a.yaml\" time=\"1.500\"/>"));
    assert_non_null(strstr(buffer_text(&out), "<failure type=\"monotonic-reads\" "
                                              "message=\"seen &lt;nothing&gt;&#10;and more\">"));
    buffer_free(&out);
    junit_destroy(junit);
}

/* Above the limit passing seeds share one testcase; failures are always listed. */
static void many_seeds_are_summed(void **state) {
    struct junit *junit = make_report(JUNIT_CASES_MAX + 500);
    struct buffer out = {0};
    (void)state;
    junit_write(junit, &out);
    assert_non_null(strstr(buffer_text(&out), "name=\"seed 1000\""));
    assert_null(strstr(buffer_text(&out), "name=\"seed 1001\""));
    assert_non_null(strstr(buffer_text(&out), "name=\"500 more seeds that passed\""));
    assert_non_null(strstr(buffer_text(&out), "name=\"seed 5000\""));
    assert_non_null(strstr(buffer_text(&out), " tests=\"1002\" failures=\"1\" "));
    buffer_free(&out);
    junit_destroy(junit);
}

static void a_parser_reads_it(void **state) {
    struct junit *junit = make_report(3);
    char path[] = "/tmp/syncline-junit-XXXXXX";
    char command[256];
    int file = mkstemp(path);
    (void)state;
    assert_true(file >= 0);
    close(file);
    if (system("command -v xmllint >/dev/null 2>&1") != 0) {
        junit_destroy(junit);
        unlink(path);
        skip();
    }
    assert_int_equal(junit_save(junit, path, NULL), STATUS_OK);
    snprintf(command, sizeof command, "xmllint --noout %s", path);
    assert_int_equal(system(command), 0);
    /* The message comes back as it was written. */
    snprintf(command, sizeof command,
             "test \"$(xmllint --xpath 'string(//failure/@message)' %s)\" = \"$(printf 'seen <nothing>\\nand "
             "more')\"",
             path);
    assert_int_equal(system(command), 0);
    unlink(path);
    junit_destroy(junit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_is_escaped), cmocka_unit_test(forbidden_bytes_are_replaced),
        cmocka_unit_test(sums_add_up),       cmocka_unit_test(many_seeds_are_summed),
        cmocka_unit_test(a_parser_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
