/* Every row of the table of types: what Convex's export says, what is synced. And what json_schemas says of
 * tables. */
#include "mock-powersync/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/replication/convex_row.h"
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
        json_t *document = json_parse(text, strlen(text), NULL);
        assert_non_null(document);
        struct arena arena = {0};
        struct row row = convex_row(document, &arena);
        struct buffer out = {0};
        row_append_json(&out, &row);
        assert_string_equal(buffer_text(&out), expected);
        assert_int_equal(row_get(&row, "v")->kind, rows[i].kind);
        buffer_free(&out);
        arena_free(&arena);
        json_decref(document);
        free(text);
        free(expected);
    }
}

static void the_exports_own_fields_are_left_out(void **state) {
    (void)state;
    static const char text[] = "{\"_component\":\"\",\"_table\":\"lists\",\"_ts\":1767225600000000000,"
                               "\"_deleted\":false,\"_creationTime\":5.25,\"_id\":\"j1\",\"_tables\":1.0}";
    json_t *document = json_parse(text, strlen(text), NULL);
    struct arena arena = {0};
    struct row row = convex_row(document, &arena);
    struct buffer out = {0};
    row_append_json(&out, &row);
    assert_string_equal(buffer_text(&out), "{\"_creationTime\":5.25,\"_id\":\"j1\",\"_tables\":1.0}");
    assert_null(row_get(&row, "_ts"));
    buffer_free(&out);
    arena_free(&arena);
    json_decref(document);
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
                                       cmocka_unit_test(tables_by_pattern), cmocka_unit_test(column_types)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
