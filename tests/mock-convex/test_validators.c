/* Validators: their JSON form, what they let through, and what is said of the rest. */
#include "fixture.h"

#include "mock-convex/validator.h"

/* Ids of the tables 10001 and 10002. */
#define ID1 "j57000820c20a1g7104gm2rc1m70ynr8"
#define ID2 "j97000820c20a1g7104gm2rc1m70yp0t"

static bool knows(const void *context, const char *table, uint32_t number) {
    assert_ptr_equal(context, "tables");
    return strcmp(table, "pets") == 0 && number == 10001;
}

static json_t *parse(const char *text) {
    struct error error = {0};
    json_t *json = json_parse(text, strlen(text), &error);
    if (json == NULL) {
        fail_msg("%s: %s", text, error.message);
    }
    return json;
}

static struct convex_validator *make_validator(const char *text) {
    struct convex_validator *validator = NULL;
    struct error error = {0};
    json_t *json = parse(text);
    if (convex_validator_from_json(json, &validator, NULL, &error) != STATUS_OK) {
        fail_msg("%s: %s", text, error.message);
    }
    json_decref(json);
    return validator;
}

static const struct {
    const char *validator, *value;
    const char *problem; /* NULL: fits. Else how the message ends */
} values[] = {
    {"\"any\"", "null", NULL},
    {"\"any\"", "{\"a\":[1]}", NULL},
    {"\"null\"", "null", NULL},
    {"null", "null", NULL},
    {"\"null\"", "0", " Value: 0.0. Validator: v.null()"},
    {"\"number\"", "1", NULL},
    {"\"float64\"", "1.5", NULL},
    {"\"number\"", "{\"$float\":\"AAAAAAAA+H8=\"}", NULL},
    {"\"number\"", "{\"$integer\":\"BwAAAAAAAAA=\"}",
     " Value: {\"$integer\":\"BwAAAAAAAAA=\"}. Validator: v.float64()"},
    {"\"int64\"", "{\"$integer\":\"BwAAAAAAAAA=\"}", NULL},
    {"\"int64\"", "7", " Value: 7.0. Validator: v.int64()"},
    {"\"boolean\"", "true", NULL},
    {"\"boolean\"", "1", " Value: 1.0. Validator: v.boolean()"},
    {"\"string\"", "\"\"", NULL},
    {"\"string\"", "null", "The value does not match the validator. Value: null. Validator: v.string()"},
    {"\"bytes\"", "{\"$bytes\":\"AQI=\"}", NULL},
    {"\"bytes\"", "\"AQI=\"", " Value: \"AQI=\". Validator: v.bytes()"},
    {"\"id pets\"", "\"" ID1 "\"", NULL},
    {"\"id pets\"", "\"" ID2 "\"",
     "The id is not of the table 'pets'. Value: \"" ID2 "\". Validator: v.id(\"pets\")"},
    {"\"id others\"", "\"" ID1 "\"",
     "The id is not of the table 'others'. Value: \"" ID1 "\". Validator: v.id(\"others\")"},
    {"\"id pets\"", "\"j57\"", "The value is no document id. Value: \"j57\". Validator: v.id(\"pets\")"},
    {"\"id pets\"", "\"" ID1 "\\u0000\"",
     "The value is no document id. Value: \"" ID1 "\\u0000\". Validator: v.id(\"pets\")"},
    {"\"id pets\"", "1", "The value is no document id. Value: 1.0. Validator: v.id(\"pets\")"},
    {"{\"literal\":\"a\"}", "\"a\"", NULL},
    {"{\"literal\":\"a\"}", "\"b\"", " Value: \"b\". Validator: v.literal(\"a\")"},
    {"{\"literal\":1}", "1.0", NULL},
    {"{\"literal\":1}", "{\"$integer\":\"AQAAAAAAAAA=\"}",
     " Value: {\"$integer\":\"AQAAAAAAAAA=\"}. Validator: v.literal(1.0)"},
    {"{\"literal\":{\"$integer\":\"AQAAAAAAAAA=\"}}", "1", " Value: 1.0. Validator: v.literal(1n)"},
    {"{\"literal\":true}", "true", NULL},
    {"{\"literal\":true}", "false", " Value: false. Validator: v.literal(true)"},
    {"{\"array\":\"string\"}", "[]", NULL},
    {"{\"array\":\"string\"}", "[\"a\",\"b\"]", NULL},
    {"{\"array\":\"string\"}", "[\"a\",1]", " Path: [1]. Value: 1.0. Validator: v.string()"},
    {"{\"array\":\"string\"}", "{}", " Value: {}. Validator: v.array(v.string())"},
    {"{\"record\":{\"keys\":\"string\",\"values\":\"number\"}}", "{\"a\":1,\"b\":2}", NULL},
    {"{\"record\":{\"keys\":\"string\",\"values\":\"number\"}}", "{\"a\":1,\"b\":\"c\"}",
     " Path: .b. Value: \"c\". Validator: v.float64()"},
    {"{\"record\":{\"keys\":\"id pets\",\"values\":\"any\"}}", "{\"" ID1 "\":1}", NULL},
    {"{\"record\":{\"keys\":\"id pets\",\"values\":\"any\"}}", "{\"x\":1}",
     "The value is no document id. Path: .x. Value: \"x\". Validator: v.id(\"pets\")"},
    {"{\"record\":{\"keys\":\"string\",\"values\":\"any\"}}", "[]",
     " Value: []. Validator: v.record(v.string(), v.any())"},
    {"{\"object\":{}}", "{}", NULL},
    {"{}", "{}", NULL},
    {"{}", "{\"a\":1}", "The object has an extra field 'a'. Value: {\"a\":1.0}. Validator: v.object({})"},
    {"{\"a\":\"string\",\"b?\":\"number\"}", "{\"a\":\"x\"}", NULL},
    {"{\"a\":\"string\",\"b?\":\"number\"}", "{\"a\":\"x\",\"b\":1}", NULL},
    {"{\"a\":\"string\",\"b\":{\"optional\":\"number\"}}", "{\"a\":\"x\"}", NULL},
    {"{\"a\":\"string\",\"b?\":\"number\"}", "{\"a\":\"x\",\"b\":null}",
     " Path: .b. Value: null. Validator: v.float64()"},
    {"{\"a\":\"string\",\"b?\":\"number\"}", "{\"b\":1}",
     "The object lacks the required field 'a'. Value: {\"b\":1.0}. Validator: "
     "v.object({a: v.string(), b: v.optional(v.float64())})"},
    {"{\"a\":\"string\",\"b?\":\"number\"}", "{\"a\":\"x\",\"c\":1}",
     "The object has an extra field 'c'. Value: {\"a\":\"x\",\"c\":1.0}. Validator: "
     "v.object({a: v.string(), b: v.optional(v.float64())})"},
    {"{\"todos\":{\"array\":{\"text\":\"string\"}}}",
     "{\"todos\":[{\"text\":\"a\"},{\"text\":\"b\"},{\"text\":3}]}",
     "The value does not match the validator. Path: .todos[2].text. Value: 3.0. Validator: v.string()"},
    {"{\"union\":[\"string\",\"null\"]}", "null", NULL},
    {"{\"union\":[\"string\",\"null\"]}", "\"a\"", NULL},
    {"{\"a\":{\"union\":[\"string\",\"null\"]}}", "{\"a\":1}",
     "The value fits no member of the union. Path: .a. Value: 1.0. Validator: v.union(v.string(), v.null())"},
    {"{\"union\":[]}", "null", "The value fits no member of the union. Value: null. Validator: v.union()"},
    /* A mapping with a word of the form and something else is an object with that field. */
    {"{\"array\":\"string\",\"b\":\"string\"}", "{\"array\":\"a\",\"b\":\"b\"}", NULL},
    {"{\"object\":{\"object\":\"string\"}}", "{\"object\":\"a\"}", NULL}};

static void test_values(void **state) {
    (void)state;
    const struct convex_validator_tables tables = {.knows = knows, .context = "tables"};
    for (size_t i = 0; i < LENGTH_OF(values); i++) {
        struct convex_validator *validator = make_validator(values[i].validator);
        struct convex_value *value = NULL;
        struct error error = {0};
        json_t *json = parse(values[i].value);
        assert_int_equal(convex_from_json(json, &value, NULL), STATUS_OK);
        enum status status = convex_validate(validator, value, &tables, &error);
        const char *problem = values[i].problem != NULL ? values[i].problem : "";
        size_t length = strlen(error.message), tail = strlen(problem);
        if (status != (values[i].problem == NULL ? STATUS_OK : STATUS_INVALID) || length < tail ||
            strcmp(error.message + length - tail, problem) != 0) {
            fail_msg("%s with %s: %s", values[i].validator, values[i].value, error.message);
        }
        assert_int_equal(convex_validate(validator, value, &tables, NULL), status);
        convex_free(value);
        convex_validator_free(validator);
        json_decref(json);
    }
}

/* Without tables an id is checked for its form only. */
static void test_ids_without_tables(void **state) {
    (void)state;
    struct convex_validator *validator = make_validator("\"id nowhere\"");
    struct convex_value *good = convex_string(ID2), *bad = convex_string(ID2 "0");
    assert_int_equal(convex_validate(validator, good, NULL, NULL), STATUS_OK);
    assert_int_equal(convex_validate(validator, bad, NULL, NULL), STATUS_INVALID);
    convex_free(good);
    convex_free(bad);
    convex_validator_free(validator);
}

/* Long values and validators are cut, at a whole character. */
static void test_long_messages(void **state) {
    (void)state;
    struct convex_validator *validator = make_validator("{\"a\":\"null\"}");
    struct convex_value *value = convex_object();
    struct error error = {0};
    struct buffer text = {0};
    buffer_append_char(&text, 'x');
    for (size_t i = 0; i < 1000; i++) {
        buffer_append_text(&text, "\xe2\x82\xac");
    }
    convex_object_set(value, "a", convex_string(buffer_text(&text)));
    assert_int_equal(convex_validate(validator, value, NULL, &error), STATUS_INVALID);
    const char *cut = strstr(error.message, "...");
    assert_non_null(cut);
    assert_memory_equal(cut - 3, "\xe2\x82\xac", 3);
    assert_non_null(strstr(error.message, "Validator: v.null()"));
    convex_free(value);
    convex_validator_free(validator);
    buffer_free(&text);
}

static const struct {
    const char *json, *message;
    const char *key; /* of the fault; NULL: an item, or the whole */
    size_t index;
    bool whole;
} refused[] = {
    {"\"text\"", "\"text\" is no validator", NULL, 0, true},
    {"\"String\"", "no validator", NULL, 0, true},
    {"\"id\"", "\"id\" is no validator", NULL, 0, true},
    {"\"id a b\"", "cannot be the name of a table", NULL, 0, true},
    {"\"id \"", "cannot be the name of a table", NULL, 0, true},
    {"1", "a word or a mapping", NULL, 0, true},
    {"[]", "a word or a mapping", NULL, 0, true},
    {"true", "a word or a mapping", NULL, 0, true},
    {"{\"optional\":\"string\"}", "only a field of an object", NULL, 0, true},
    {"{\"a\":\"text\"}", "\"text\" is no validator", "a", 0, false},
    {"{\"object\":{\"a\":{\"b\":\"text\"}}}", "\"text\" is no validator", "b", 0, false},
    {"{\"object\":\"string\"}", "mapping of its fields", "object", 0, false},
    {"{\"a?\":\"string\",\"a\":\"string\"}", "twice", "a", 0, false},
    {"{\"$a\":\"string\"}", "name of a field", "$a", 0, false},
    {"{\"\":\"string\"}", "name of a field", "", 0, false},
    {"{\"\xc3\xa9\":\"string\"}", "name of a field", "\xc3\xa9", 0, false},
    {"{\"a\":{\"optional\":{\"optional\":\"string\"}}}", "only a field", "optional", 0, false},
    {"{\"array\":[\"string\"]}", "a word or a mapping", "array", 0, false},
    {"{\"union\":\"string\"}", "a list of validators", "union", 0, false},
    {"{\"union\":[\"string\",\"null\",\"x\"]}", "\"x\" is no validator", NULL, 2, false},
    {"{\"record\":{\"keys\":\"string\"}}", "`keys` and `values`", "record", 0, false},
    {"{\"record\":{\"keys\":\"string\",\"values\":\"any\",\"x\":1}}", "nothing else", "record", 0, false},
    {"{\"record\":{\"keys\":\"number\",\"values\":\"any\"}}", "strings or ids", "keys", 0, false},
    {"{\"record\":{\"keys\":{\"union\":[\"string\",\"null\"]},\"values\":\"any\"}}", "strings or ids", "keys",
     0, false},
    {"{\"record\":{\"keys\":\"string\",\"values\":\"x\"}}", "\"x\" is no validator", "values", 0, false},
    {"{\"literal\":null}", "a string, a number or a boolean", "literal", 0, false},
    {"{\"literal\":[1]}", "a string, a number or a boolean", "literal", 0, false},
    {"{\"literal\":{\"$integer\":\"\"}}", "no value", "literal", 0, false}};

static void test_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(refused); i++) {
        struct convex_validator *validator = NULL;
        struct convex_validator_fault fault = {0};
        struct error error = {0};
        json_t *json = parse(refused[i].json);
        assert_int_equal(convex_validator_from_json(json, &validator, &fault, &error), STATUS_INVALID);
        assert_null(validator);
        if (strstr(error.message, refused[i].message) == NULL ||
            (fault.key == NULL) != (refused[i].key == NULL) ||
            (fault.key != NULL && strcmp(fault.key, refused[i].key) != 0) ||
            fault.index != refused[i].index || (fault.parent == NULL) != refused[i].whole) {
            fail_msg("%s: %s, at %s %zu", refused[i].json, error.message, fault.key, fault.index);
        }
        if (fault.key != NULL) {
            assert_non_null(json_object_get(fault.parent, fault.key));
        }
        json_decref(json);
    }
}

static void test_nesting(void **state) {
    (void)state;
    for (size_t depth = 60; depth < 200; depth += 10) {
        struct convex_validator *validator = NULL;
        json_t *json = json_string("any");
        for (size_t i = 0; i < depth; i++) {
            json = json_pack("{s:o}", "array", json);
        }
        enum status status = convex_validator_from_json(json, &validator, NULL, NULL);
        assert_int_equal(status, depth <= CONVEX_VALIDATOR_NESTING_MAX ? STATUS_OK : STATUS_INVALID);
        convex_validator_free(validator);
        json_decref(json);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_ids_without_tables),
        cmocka_unit_test(test_long_messages), cmocka_unit_test(test_refused), cmocka_unit_test(test_nesting)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
