#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/yaml.h"

static const char *environment(const char *name) {
    return strcmp(name, "PORT") == 0 ? "8080" : strcmp(name, "FLAG") == 0 ? "true" : NULL;
}

static void check_json(const char *text, const char *expected) {
    struct yaml_document document;
    struct error error = {0};
    if (yaml_parse(&document, text, strlen(text), "t.yaml", environment, &error) != STATUS_OK)
        fail_msg("%s: %s", text, error.message);
    struct buffer out = {0};
    json_append(&out, document.root);
    assert_string_equal(buffer_text(&out), expected);
    buffer_free(&out);
    yaml_release(&document);
}

static void check_error(const char *text, int line, int column, const char *part) {
    struct yaml_document document;
    struct error error = {0};
    assert_int_equal(yaml_parse(&document, text, strlen(text), "t.yaml", NULL, &error), STATUS_INVALID);
    if (!strstr(error.message, part))
        fail_msg("`%s` is not in: %s", part, error.message);
    assert_string_equal(error.file, "t.yaml");
    assert_int_equal(error.line, line);
    assert_int_equal(error.column, column);
    assert_null(document.root);
}

/* The table of YAML 1.2.2, section 10.3.2. */
static void test_core_schema(void **state) {
    (void)state;
    check_json("[null, Null, NULL, ~, ]", "[null,null,null,null]");
    check_json("a:", "{\"a\":null}");
    check_json("[true, True, TRUE, false, False, FALSE]", "[true,true,true,false,false,false]");
    check_json("[yes, no, on, tRUE, nULL]", "[\"yes\",\"no\",\"on\",\"tRUE\",\"nULL\"]");
    check_json("[0, 0o7, 0x3A, -19, +12, 007]", "[0,7,58,-19,12,7]");
    check_json("[0., -0.0, .5, +12e03, -2E+05, 1.5]", "[0.0,-0.0,0.5,12000.0,-200000.0,1.5]");
    check_json("[1_000, 0o8, 0x, 1e, ., +, -, 12:30, 1.2.3, 0b1, e5]",
               "[\"1_000\",\"0o8\",\"0x\",\"1e\",\".\",\"+\",\"-\",\"12:30\",\"1.2.3\",\"0b1\",\"e5\"]");
    check_json("['1', \"true\", \"\", !!str 12, ! null, !!float 1, !!int 5]",
               "[\"1\",\"true\",\"\",\"12\",\"null\",1.0,5]");
    check_json("a: |\n  x\n  y\nb: >\n  x\n  y\n1: z\n", "{\"a\":\"x\\ny\\n\",\"b\":\"x y\\n\",\"1\":\"z\"}");
    check_json("", "null");
    check_json("# nothing\n", "null");
    check_json("--- 5\n...\n", "5");
    check_json("{a: {b: [1, {c: 2}]}}", "{\"a\":{\"b\":[1,{\"c\":2}]}}");
}

static void test_anchors(void **state) {
    (void)state;
    check_json("a: &x [1, 2]\nb: *x\nc: &x 5\nd: *x\n", "{\"a\":[1,2],\"b\":[1,2],\"c\":5,\"d\":5}");
    check_error("a: *x\n", 1, 4, "*x");
    check_error("a: &x [1, *x]\n", 1, 11, "*x");
}

static void test_env(void **state) {
    (void)state;
    check_json("[!env PORT, !env PORT::number, !env FLAG::boolean, !env PORT::string]",
               "[\"8080\",8080,true,\"8080\"]");
    check_error("a: !env PORT\n", 1, 4, "!env is not allowed");
    struct yaml_document document;
    struct error error = {0};
    assert_int_equal(yaml_parse(&document, "a: !env NO", 10, "t", environment, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "NO is not set"));
    assert_int_equal(yaml_parse(&document, "!env PORT::boolean", 18, "t", environment, &error),
                     STATUS_INVALID);
    assert_int_equal(yaml_parse(&document, "!env PORT::date", 15, "t", environment, &error), STATUS_INVALID);
}

static void test_places(void **state) {
    (void)state;
    const char *text = "name: x\nusers:\n  - id: 5\n    ok: true\n  - null\n";
    struct yaml_document document;
    assert_int_equal(yaml_parse(&document, text, strlen(text), "t.yaml", NULL, NULL), STATUS_OK);
    int line = 0, column = 0;
    const json_t *users = json_object_get(document.root, "users");
    const json_t *user = json_array_get(users, 0);
    yaml_place(&document, user, &line, &column);
    assert_true(line == 3 && column == 5);
    yaml_place(&document, json_object_get(user, "id"), &line, &column);
    assert_true(line == 3 && column == 9);
    yaml_key_place(&document, user, "ok", &line, &column);
    assert_true(line == 4 && column == 5);
    yaml_item_place(&document, users, 1, &line, &column);
    assert_true(line == 5 && column == 5);
    yaml_key_place(&document, user, "absent", &line, &column); /* the object's */
    assert_true(line == 3 && column == 5);
    yaml_place(&document, json_true(), &line, &column);
    assert_true(line == 0 && column == 0);
    struct error error = {0};
    assert_int_equal(yaml_error(&document, user, &error, "no %d", 1), STATUS_INVALID);
    assert_true(error.line == 3 && error.column == 5);
    assert_string_equal(error.message, "no 1");
    yaml_error_key(&document, user, "ok", &error, "wrong");
    assert_true(error.line == 4 && error.column == 5);
    yaml_error_item(&document, users, 1, &error, "wrong");
    assert_true(error.line == 5 && error.column == 5);
    assert_string_equal(error.file, "t.yaml");
    yaml_release(&document);
}

static void test_errors_have_places(void **state) {
    (void)state;
    check_error("a: 1\nb: 2\na: 3\n", 3, 1, "`a` is already there, in line 1 column 1");
    check_error("a:\n  b: 1\n  'b': 2\n", 3, 3, "line 2 column 3");
    check_error("{a: 1, ? [x] : 2}", 1, 10, "a key must be a plain text");
    check_error("a: 1\n---\nb: 2\n", 2, 1, "only one document");
    check_error("a: [1, 2\nb: 3\n", 2, 2, "invalid YAML");
    check_error("a: 99999999999999999999\n", 1, 4, "64 bits");
    check_error("a: .inf\n", 1, 4, "not supported");
    check_error("a: 1e999\n", 1, 4, "double");
    check_error("a: !thing 5\n", 1, 4, "!thing");
    check_error("a: !!int x\n", 1, 4, "not of the type");
    check_error("a: !thing [5]\n", 1, 4, "!thing");
    check_error("\"a\\0b\": 1\n", 1, 1, "0 byte");
    check_error("a: \xff\n", 1, 4, "invalid YAML");
    check_error("\ta: 1\n", 1, 1, "invalid YAML");
}

static void test_limits(void **state) {
    (void)state;
    char nested[200] = {0};
    memset(nested, '[', 64);
    memset(nested + 64, ']', 64);
    struct yaml_document document;
    struct error error = {0};
    assert_int_equal(yaml_parse(&document, nested, 128, "t", NULL, NULL), STATUS_OK);
    yaml_release(&document);
    memset(nested, '[', 65);
    memset(nested + 65, ']', 65);
    assert_int_equal(yaml_parse(&document, nested, 130, "t", NULL, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "64"));
    /* Each line doubles what the one before stands for. */
    struct buffer bomb = {0};
    buffer_append_text(&bomb, "a0: &a0 x\n");
    for (int i = 1; i < 40; i++)
        buffer_printf(&bomb, "a%d: &a%d [*a%d, *a%d]\n", i, i, i - 1, i - 1);
    assert_int_equal(yaml_parse(&document, bomb.data, bomb.length, "t", NULL, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "1000000"));
    /* Depth through aliases. */
    buffer_clear(&bomb);
    buffer_append_text(&bomb, "a0: &a0 [x]\n");
    for (int i = 1; i < 70; i++)
        buffer_printf(&bomb, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    assert_int_equal(yaml_parse(&document, bomb.data, bomb.length, "t", NULL, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "64"));
    buffer_free(&bomb);
    char *large = calloc(1, 16 * 1024 * 1024 + 1);
    assert_int_equal(yaml_parse(&document, large, 16 * 1024 * 1024 + 1, "t", NULL, &error), STATUS_LIMIT);
    free(large);
}

static void test_files(void **state) {
    (void)state;
    struct yaml_document document;
    struct error error = {0};
    assert_int_equal(yaml_parse_file(&document, TEST_VECTORS "/real-service-1.25.0/sync-config.yaml", &error),
                     STATUS_OK);
    assert_true(json_is_object(document.root));
    yaml_release(&document);
    assert_int_equal(yaml_parse_file(&document, "/nowhere/x.yaml", &error), STATUS_NOT_FOUND);
    assert_string_equal(error.file, "/nowhere/x.yaml");
    assert_int_equal(yaml_parse_file(&document, "/", &error), STATUS_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_core_schema),
        cmocka_unit_test(test_anchors),
        cmocka_unit_test(test_env),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_errors_have_places),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
