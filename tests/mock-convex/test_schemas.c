/* json_schemas and get_table_column_names: inferred from what is stored. Expected texts follow the table of
 * type encodings in docs/mock-convex.md. */
#include "fixture.h"

/* Each field of `args` becomes a field of one new document of the table "things". */
static enum status things_add(struct convex_context *context, const struct convex_value *args,
                              struct convex_value **result, struct error *error) {
    char id[40];
    enum status status = convex_insert(context, "things", convex_copy(args), id, error);
    *result = convex_string(id);
    return status;
}

static const struct convex_table things_table = {.name = "things"};
static const struct convex_function things_function = {
    .path = "things:add", .kind = CONVEX_MUTATION, .run = things_add};

static struct fixture *make(void) {
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    options.tables = &things_table;
    options.n_tables = 1;
    options.functions = &things_function;
    options.n_functions = 1;
    fixture_deploy(fixture, &options);
    return fixture;
}

static void expect(struct fixture *fixture, const char *target, const char *expected) {
    struct answer answer;
    send_request(fixture, &answer, "GET", target, AUTHORIZED, NULL, NULL, 0);
    wait_for(fixture, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(buffer_text(&answer.body), expected);
    buffer_free(&answer.body);
}

#define HEAD "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"type\":\"object\",\"properties\":{"
#define SYSTEM                                                                                               \
    "\"_creationTime\":{\"type\":\"number\"},\"_id\":{\"$description\":\"Id(things)\",\"type\":\"string\"}"
#define END "},\"additionalProperties\":false,\"required\":[\"_creationTime\",\"_id\""
#define CHECKPOINTS                                                                                          \
    "\"powersync_checkpoints\":" HEAD "\"_creationTime\":{\"type\":\"number\"},\"_id\":{\"$description\":"   \
    "\"Id(powersync_checkpoints)\",\"type\":\"string\"}" END "]}"
#define DELTA                                                                                                \
    ",\"_table\":{\"type\":\"string\"},\"_component\":{\"type\":\"string\"},\"_ts\":{\"type\":\"integer\"}," \
    "\"_deleted\":{\"type\":\"boolean\"}"

static void test_empty_tables(void **state) {
    (void)state;
    struct fixture *fixture = make();
    expect(fixture, "/api/json_schemas", "{" CHECKPOINTS ",\"things\":" HEAD SYSTEM END "]}}");
    expect(fixture, "/api/json_schemas?byComponent=true&deltaSchema=false",
           "{\"\":{" CHECKPOINTS ",\"things\":" HEAD SYSTEM END "]}}}");
    expect(fixture, "/api/get_table_column_names",
           "{\"byComponent\":{\"\":[{\"name\":\"powersync_checkpoints\",\"columns\":[\"_creationTime\",\"_"
           "id\"]},"
           "{\"name\":\"things\",\"columns\":[\"_creationTime\",\"_id\"]}]}}");
    fixture_free(fixture);
}

/* Documents with one field "x" each, and the schema of that field. */
static const struct {
    const char *documents[3];
    const char *format;
    const char *schema;
    bool optional;
} types[] = {
    {{"{\"x\":\"a\"}"}, "json", "{\"type\":\"string\"}", false},
    {{"{\"x\":1}"}, "json", "{\"type\":\"number\"}", false},
    {{"{\"x\":true}"}, "json", "{\"type\":\"boolean\"}", false},
    {{"{\"x\":null}"}, "json", "{\"type\":\"null\"}", false},
    {{"{\"x\":{\"$integer\":\"BwAAAAAAAAA=\"}}"},
     "json",
     "{\"$description\":\"int64 represented as base10 string\",\"type\":\"string\"}",
     false},
    {{"{\"x\":{\"$integer\":\"BwAAAAAAAAA=\"}}"},
     "export_json",
     "{\"$description\":\"int64\",\"type\":\"number\"}",
     false},
    {{"{\"x\":{\"$bytes\":\"AQI=\"}}"},
     "json",
     "{\"$description\":\"base64 bytes\",\"type\":\"string\"}",
     false},
    {{"{\"x\":\"j57000820c20a1g7104gm2rc1m70ynr8\"}"},
     "json",
     "{\"$description\":\"Id(things)\",\"type\":\"string\"}",
     false},
    {{"{\"x\":\"j57000820c20a1g7104gm2rc1m70ynr8\"}", "{\"x\":\"other\"}"},
     "json",
     "{\"type\":\"string\"}",
     false},
    {{"{\"x\":\"a\"}", "{\"x\":null}"},
     "json",
     "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}",
     false},
    {{"{\"x\":\"a\"}", "{}"}, "json", "{\"type\":\"string\"}", true},
    {{"{\"x\":[]}"}, "json", "{\"type\":\"array\",\"items\":false}", false},
    {{"{\"x\":[1,\"a\"]}", "{\"x\":[]}"},
     "json",
     "{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"number\"},{\"type\":\"string\"}]}}",
     false},
    {{"{\"x\":{\"a\":1}}", "{\"x\":{\"a\":2,\"b\":true}}"},
     "json",
     "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"},\"b\":{\"type\":\"boolean\"}},"
     "\"additionalProperties\":false,\"required\":[\"a\"]}",
     false},
    {{"{\"x\":{\"$float\":\"AAAAAAAA+H8=\"}}"},
     "json",
     "{\"$description\":\"float64\",\"anyOf\":[{\"type\":\"number\"},{\"type\":\"string\"}]}",
     false},
    {{"{\"x\":{\"$integer\":\"BwAAAAAAAAA=\"}}"},
     "convex_encoded_json",
     "{\"type\":\"object\",\"properties\":{\"$integer\":{\"type\":\"string\"}},\"additionalProperties\":"
     "false,\"required\":[\"$integer\"]}",
     false},
    {{"{\"x\":{\"$bytes\":\"AQI=\"}}"},
     "convex_json",
     "{\"type\":\"object\",\"properties\":{\"$bytes\":{\"type\":\"string\"}},\"additionalProperties\":false,"
     "\"required\":[\"$bytes\"]}",
     false},
    {{"{\"x\":{\"$bytes\":\"AQI=\"}}"},
     "export_json",
     "{\"type\":\"object\",\"properties\":{\"$bytes\":{\"type\":\"string\"}},\"additionalProperties\":false,"
     "\"required\":[\"$bytes\"]}",
     false},
    {{"{\"x\":{\"$float\":\"AAAAAAAA+H8=\"}}"},
     "convex_encoded_json",
     "{\"$description\":\"float64\",\"anyOf\":[{\"type\":\"number\"},"
     "{\"type\":\"object\",\"properties\":{\"$float\":{\"type\":\"string\"}},\"additionalProperties\":false,"
     "\"required\":[\"$float\"]}"
     "]}",
     false},
    {{"{\"x\":{\"$float\":\"AAAAAAAA+H8=\"}}"},
     "export_json",
     "{\"$description\":\"float64\",\"anyOf\":[{\"type\":\"number\"},"
     "{\"type\":\"object\",\"properties\":{\"$float\":{\"type\":\"string\"}},\"additionalProperties\":false,"
     "\"required\":[\"$float\"]}"
     "]}",
     false},
    {{"{\"x\":{\"$integer\":\"BwAAAAAAAAA=\"}}"},
     "convex_clean_json",
     "{\"$description\":\"int64 represented as base10 string\",\"type\":\"string\"}",
     false}};

static void test_types(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(types); i++) {
        struct fixture *fixture = make();
        struct buffer target = {0}, expected = {0};
        for (size_t j = 0; j < 3 && types[i].documents[j] != NULL; j++) {
            mutate(fixture, "things:add", types[i].documents[j]);
        }
        for (int delta = 0; delta < 2; delta++) {
            buffer_clear(&target);
            buffer_clear(&expected);
            buffer_printf(&target, "/api/json_schemas?format=%s&deltaSchema=%s", types[i].format,
                          delta ? "true" : "false");
            buffer_append_text(&expected, "{" CHECKPOINTS);
            if (delta) { /* into the properties of the checkpoint table, before their end */
                buffer_clear(&expected);
                buffer_append_text(&expected,
                                   "{\"powersync_checkpoints\":" HEAD
                                   "\"_creationTime\":{\"type\":\"number\"},\"_id\":{\"$description\":"
                                   "\"Id(powersync_checkpoints)\",\"type\":\"string\"}" DELTA END "]}");
            }
            buffer_printf(&expected, ",\"things\":%s%s,\"x\":%s%s%s%s]}}", HEAD, SYSTEM, types[i].schema,
                          delta ? DELTA : "", END, types[i].optional ? "" : ",\"x\"");
            expect(fixture, buffer_text(&target), buffer_text(&expected));
        }
        buffer_free(&target);
        buffer_free(&expected);
        fixture_free(fixture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_empty_tables), cmocka_unit_test(test_types)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
