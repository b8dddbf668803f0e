/* A local write applied to a row's text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "check/local_row.h"

static const struct client_column columns[] = {{"t", "text"}, {"i", "integer"}, {"r", "real"}};
static const struct client_table tables[] = {{"things", columns, 3}};
static const struct client_schema schema = {tables, 1};

static void expect(const char *before, const char *operation, const char *values, const char *after) {
    const struct note_row row = {operation, "things", "x", values};
    struct buffer text = {0};
    const bool exists = local_row_apply(&text, &tables[0], before, &row);
    assert_int_equal(exists, after != NULL);
    if (after != NULL)
        assert_string_equal(buffer_text(&text), after);
    buffer_free(&text);
}

static void test_operations(void **state) {
    (void)state;
    expect(NULL, "PUT", "{\"t\":\"a\",\"i\":1,\"r\":2.5}", "[\"a\",1,2.5]");
    expect("[\"old\",7,7.0]", "PUT", "{\"i\":1}", "[null,1,null]");
    expect("[\"old\",7,7.0]", "PATCH", "{\"i\":1}", "[\"old\",1,7.0]");
    expect("[\"old\",7,7.0]", "PATCH", "{\"t\":null}", "[null,7,7.0]");
    expect("[\"old\",7,7.0]", "PATCH", "{}", "[\"old\",7,7.0]");
    expect("[\"old\",7,7.0]", "PATCH", "{\"unknown\":1}", "[\"old\",7,7.0]");
    expect(NULL, "PATCH", "{\"i\":1}", NULL);
    expect("[\"old\",7,7.0]", "DELETE", NULL, NULL);
    expect(NULL, "DELETE", NULL, NULL);
    expect("[\"old\",7,7.0]", NULL, NULL, NULL);
}

static void test_types(void **state) {
    (void)state;
    expect(NULL, "PUT", "{\"t\":\"q\\\"\\n\\u00e9\"}", "[\"q\\\"\\n\xc3\xa9\",null,null]");
    expect(NULL, "PUT", "{\"t\":5,\"i\":true,\"r\":5}", "[\"5\",1,5.0]");
    expect(NULL, "PUT", "{\"t\":1.5,\"i\":-1.5,\"r\":\"2.5\"}", "[\"1.5\",-1,2.5]");
    expect(NULL, "PUT", "{\"t\":2.0,\"i\":\"12\",\"r\":true}", "[\"2.0\",12,1.0]");
    expect(NULL, "PUT", "{\"t\":[1],\"i\":1e30,\"r\":1e30}", "[\"[1]\",9223372036854775807,1e+30]");
}

/* Seen with the real client core 0.5.3: 0.1 + 0.2 is stored and read back as 0.3. */
static void test_fifteen_digits(void **state) {
    (void)state;
    expect(NULL, "PUT", "{\"r\":0.30000000000000004}", "[null,null,0.3]");
    expect(NULL, "PUT", "{\"r\":0.1}", "[null,null,0.1]");
}

static void test_tables(void **state) {
    (void)state;
    assert_ptr_equal(local_row_table(&schema, "things"), &tables[0]);
    assert_null(local_row_table(&schema, "Things"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_fifteen_digits),
        cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
