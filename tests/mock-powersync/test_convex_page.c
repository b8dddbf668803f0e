/* Every row of the table of types: what Convex's export says, what is synced. And what json_schemas says of
 * tables. */
#include "mock-powersync/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/replication/convex_page.h"
#include "mock-powersync/replication/convex_schema.h"

static void types(void **state) {
    (void)state;
    static const struct {
        const char *exported, *synced;
        enum sql_kind kind;
    } rows[] = {
        {"\"text\"", "\"text\"", SQL_TEXT},
        {"\"42\"", "\"42\"", SQL_TEXT}, /* Int64 */
        {"1.0", "1.0", SQL_REAL},
        {"1.5", "1.5", SQL_REAL},
        {"1e16", "10000000000000000.0", SQL_REAL},
        {"1e21", "1e+21", SQL_REAL},
        {"1700000000000.25", "1700000000000.25", SQL_REAL},
        {"\"NaN\"", "\"NaN\"", SQL_TEXT},
        {"\"Infinity\"", "\"Infinity\"", SQL_TEXT},
        {"\"-Infinity\"", "\"-Infinity\"", SQL_TEXT},
        {"-0.0", "0.0", SQL_REAL},
        {"1", "1", SQL_INTEGER},
        {"true", "1", SQL_INTEGER},
        {"false", "0", SQL_INTEGER},
        {"\"AQI=\"", "\"AQI=\"", SQL_TEXT}, /* bytes */
        {"null", "null", SQL_NULL},
        {"[]", "\"[]\"", SQL_TEXT},
        {"[true,1.0,\"7\",null,{\"a\":false}]", "\"[true,1.0,\\\"7\\\",null,{\\\"a\\\":false}]\"", SQL_TEXT},
        {"{ \"b\" : 2.0 , \"a\" : \"x\" }", "\"{\\\"b\\\":2.0,\\\"a\\\":\\\"x\\\"}\"", SQL_TEXT}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = memory_format("{\"v\":%s}", rows[i].exported);
        char *expected = memory_format("{\"v\":%s}", rows[i].synced);
        struct arena arena = {0};
        struct convex_document document;
        assert_true(convex_document_read(text, strlen(text), &arena, &document));
        struct row row = document.row;
        struct buffer out = {0};
        row_append_json(&out, &row);
        assert_string_equal(buffer_text(&out), expected);
        assert_int_equal(row_get(&row, "v")->kind, rows[i].kind);
        buffer_free(&out);
        arena_free(&arena);
        free(text);
        free(expected);
    }
}

static void the_exports_own_fields_are_left_out(void **state) {
    (void)state;
    static const char text[] = "{\"_component\":\"\",\"_table\":\"lists\",\"_ts\":1767225600000000000,"
                               "\"_deleted\":true,\"_creationTime\":5.25,\"_id\":\"j1\",\"_tables\":1.0}";
    struct arena arena = {0};
    struct convex_document document;
    assert_true(convex_document_read(text, strlen(text), &arena, &document));
    assert_string_equal(document.table, "lists");
    assert_string_equal(document.id, "j1");
    assert_int_equal(document.ts, INT64_C(1767225600000000000));
    assert_true(document.deleted);
    struct row row = document.row;
    struct buffer out = {0};
    row_append_json(&out, &row);
    assert_string_equal(buffer_text(&out), "{\"_creationTime\":5.25,\"_id\":\"j1\",\"_tables\":1.0}");
    assert_null(row_get(&row, "_ts"));
    buffer_free(&out);
    arena_free(&arena);
}

/* What is no document, or holds what no number or text can be. */
static void documents_that_are_none(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "7",
                                        "[]",
                                        "{\"a\":1",
                                        "{\"a\":9223372036854775808}",
                                        "{\"a\":-9223372036854775809}",
                                        "{\"a\":1e999}",
                                        "{\"a\":\"\xff\"}",
                                        "{\"a\":\"\\x\"}",
                                        "{\"a\":\"\\ud800\"}",
                                        "{\"a\":[\"\xff\"]}",
                                        "{\"\xff\":1}",
                                        "{a:1}",
                                        "{\"a\":01}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct arena arena = {0};
        struct convex_document document;
        if (convex_document_read(texts[i], strlen(texts[i]), &arena, &document))
            fail_msg("%s", texts[i]);
        arena_free(&arena);
    }
}

static void pages(void **state) {
    (void)state;
    static const char text[] =
        " { \"hasMore\" : true, \"cursor\":\"{\\\"id\\\":\\\"a\\\"}\",\n\"values\":[{\"_id\":\"a\"},"
        "{\"_id\":7.0,\"_id\":\"b\"}],\"snapshot\":1767225600000000001 } ";
    struct arena arena = {0};
    struct convex_page page;
    assert_true(convex_page_read(text, strlen(text), &arena, &page));
    assert_true(page.more);
    assert_string_equal(page.page_cursor, "{\"id\":\"a\"}");
    assert_int_equal(page.cursor, 0);
    assert_int_equal(page.snapshot, INT64_C(1767225600000000001));
    assert_int_equal(page.count, 2);
    assert_string_equal(page.documents[1].id, "b"); /* of two fields of one name the last counts */
    assert_int_equal(page.documents[1].row.count, 1);
    int64_t head;
    assert_true(convex_page_read_head(text, strlen(text), &head));
    assert_int_equal(head, INT64_C(1767225600000000001));
    assert_true(convex_page_read_head("{\"snapshot\":0}", 14, &head));
    assert_false(convex_page_read_head("{\"snapshot\":123}", 16, &head));
    assert_false(convex_page_read_head("{}", 2, &head));
    static const char *const wrong[] = {"{\"values\":[]} x",
                                        "{\"values\":{}}",
                                        "{\"values\":[7]}",
                                        "{}",
                                        "[]",
                                        "{\"values\":[],\"cursor\":\"\xff\"}",
                                        "{\"values\":[}]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (convex_page_read(wrong[i], strlen(wrong[i]), &arena, &page))
            fail_msg("%s", wrong[i]);
    /* many rows of many columns */
    struct buffer many = {0};
    buffer_append_text(&many, "{\"values\":[");
    for (int i = 0; i < 100; i++) {
        buffer_printf(&many, "%s{\"_id\":\"k%d\"", i > 0 ? "," : "", i);
        for (int j = 0; j < i; j++)
            buffer_printf(&many, ",\"c%d\":%d", j, i);
        buffer_append_char(&many, '}');
    }
    buffer_append_text(&many, "]}");
    assert_true(convex_page_read(many.data, many.length, &arena, &page));
    assert_int_equal(page.count, 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(page.documents[i].row.count, i + 1);
    assert_int_equal(row_get(&page.documents[99].row, "c98")->integer, 99);
    buffer_free(&many);
    arena_free(&arena);
}

static void tables_by_pattern(void **state) {
    (void)state;
    static const char text[] = "{\"todos\":{},\"list_b\":{},\"Lists\":{},\"list_a\":{},\"lists\":{},"
                               "\"powersync_checkpoints\":{},\"powersync_x\":{}}";
    static const struct {
        const char *tag, *schema, *name;
        bool prefix;
        const char *matched;
    } rows[] = {{"default", "convex", "lists", false, "lists"},
                {"default", "convex", "LISTS", false, ""},
                {"default", "convex", "list", false, ""},
                {"default", "convex", "list", true, "list_a list_b lists"},
                {"default", "convex", "", true, "Lists list_a list_b lists powersync_x todos"},
                {"default", "convex", "powersync_checkpoints", false, ""},
                {"default", "convex", "powersync_", true, "powersync_x"},
                {"default", "public", "lists", false, ""},
                {"other", "convex", "lists", false, ""}};
    json_t *schemas = json_parse(text, strlen(text), NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct source_pattern pattern = {memory_copy_text(rows[i].tag), memory_copy_text(rows[i].schema),
                                         memory_copy_text(rows[i].name), rows[i].prefix};
        size_t count;
        const char **names = convex_schema_match(schemas, &pattern, &count);
        struct buffer out = {0};
        for (size_t j = 0; j < count; j++)
            buffer_printf(&out, "%s%s", j > 0 ? " " : "", names[j]);
        assert_string_equal(buffer_text(&out), rows[i].matched);
        buffer_free(&out);
        free(names);
        free(pattern.tag);
        free(pattern.schema);
        free(pattern.name);
    }
    json_decref(schemas);
}

static void column_types(void **state) {
    (void)state;
    static const struct {
        const char *schema, *type, *sqlite_type;
    } rows[] = {
        {"{\"$description\":\"Id(lists)\",\"type\":\"string\"}", "id", "text"},
        {"{\"$description\":\"int64 represented as base10 string\",\"type\":\"string\"}", "int64", "text"},
        {"{\"$description\":\"base64 bytes\",\"type\":\"string\"}", "bytes", "text"},
        {"{\"type\":\"string\"}", "string", "text"},
        {"{\"type\":\"number\"}", "float64", "real"},
        {"{\"$description\":\"float64\",\"anyOf\":[{\"type\":\"number\"},{\"type\":\"string\"}]}", "float64",
         "real"},
        {"{\"type\":\"boolean\"}", "boolean", "integer"},
        {"{\"type\":\"array\",\"items\":{}}", "array", "text"},
        {"{\"type\":\"object\",\"properties\":{}}", "object", "text"},
        {"{\"type\":\"null\"}", "null", "null"},
        {"{}", "unknown", "text"},
        {"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"number\"}]}", "float64", "real"},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]}", "unknown", "text"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text =
            memory_format("{\"powersync_checkpoints\":{},\"t\":{\"properties\":{\"c\":%s}}}", rows[i].schema);
        json_t *schemas = json_parse(text, strlen(text), NULL);
        struct arena arena = {0};
        struct source_schema schema = convex_schema_describe(schemas, &arena);
        assert_string_equal(schema.name, "convex");
        assert_int_equal(schema.n_tables, 1); /* not the service's own */
        assert_string_equal(schema.tables[0].name, "t");
        assert_string_equal(schema.tables[0].columns[0].name, "c");
        assert_string_equal(schema.tables[0].columns[0].type, rows[i].type);
        assert_string_equal(schema.tables[0].columns[0].sqlite_type, rows[i].sqlite_type);
        arena_free(&arena);
        json_decref(schemas);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(types),
                                       cmocka_unit_test(the_exports_own_fields_are_left_out),
                                       cmocka_unit_test(documents_that_are_none),
                                       cmocka_unit_test(pages),
                                       cmocka_unit_test(tables_by_pattern),
                                       cmocka_unit_test(column_types)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
