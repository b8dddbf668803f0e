/* Values: three encodings out, one in, order, sizes, index keys. Expected texts come from the tables of
 * docs/mock-convex.md and from float_vectors.h. */
#include "fixture.h"

#include <math.h>

#include "float_vectors.h"
#include "mock-convex/store/index_key.h"
#include "mock-convex/store/ordered_list.h"
#include "mock-convex/value/float_text.h"
#include "mock-convex/value/value_check.h"

static void test_floats_print_as_the_backend_does(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(float_vectors); i++) {
        struct buffer out = {0};
        double number;
        memcpy(&number, &float_vectors[i].bits, sizeof number);
        convex_append_float(&out, number);
        assert_string_equal(buffer_text(&out), float_vectors[i].text);
        buffer_free(&out);
    }
}

/* A value in encoded JSON, and its text in the three formats. */
static const struct {
    const char *input;
    const char *clean, *encoded, *export;
} encodings[] = {
    {"null", "null", "null", "null"},
    {"true", "true", "true", "true"},
    {"\"a\\\"b\\n\\u00e9\"", "\"a\\\"b\\n\xc3\xa9\"", "\"a\\\"b\\n\xc3\xa9\"", "\"a\\\"b\\n\xc3\xa9\""},
    {"{\"$integer\":\"BwAAAAAAAAA=\"}", "\"7\"", "{\"$integer\":\"BwAAAAAAAAA=\"}", "7"},
    {"{\"$integer\":\"//////////8=\"}", "\"-1\"", "{\"$integer\":\"//////////8=\"}", "-1"},
    {"7", "7.0", "7.0", "7.0"},
    {"7.0", "7.0", "7.0", "7.0"},
    {"{\"$float\":\"AAAAAAAAAIA=\"}", "-0.0", "{\"$float\":\"AAAAAAAAAIA=\"}", "-0.0"},
    {"{\"$float\":\"AAAAAAAA+H8=\"}", "\"NaN\"", "{\"$float\":\"AAAAAAAA+H8=\"}",
     "{\"$float\":\"AAAAAAAA+H8=\"}"},
    {"{\"$float\":\"AAAAAAAA8H8=\"}", "\"Infinity\"", "{\"$float\":\"AAAAAAAA8H8=\"}",
     "{\"$float\":\"AAAAAAAA8H8=\"}"},
    {"{\"$float\":\"AAAAAAAA8P8=\"}", "\"-Infinity\"", "{\"$float\":\"AAAAAAAA8P8=\"}",
     "{\"$float\":\"AAAAAAAA8P8=\"}"},
    {"{\"$bytes\":\"AQI=\"}", "\"AQI=\"", "{\"$bytes\":\"AQI=\"}", "{\"$bytes\":\"AQI=\"}"},
    {"[1,[\"x\"],[]]", "[1.0,[\"x\"],[]]", "[1.0,[\"x\"],[]]", "[1.0,[\"x\"],[]]"},
    {"{\"b\":{\"$integer\":\"BwAAAAAAAAA=\"},\"_id\":2,\"B\":3,\"a\":null}",
     "{\"B\":3.0,\"_id\":2.0,\"a\":null,\"b\":\"7\"}",
     "{\"B\":3.0,\"_id\":2.0,\"a\":null,\"b\":{\"$integer\":\"BwAAAAAAAAA=\"}}",
     "{\"B\":3.0,\"_id\":2.0,\"a\":null,\"b\":7}"},
    {"{}", "{}", "{}", "{}"}};

static struct convex_value *decode(const char *text, struct error *error) {
    struct convex_value *value = NULL;
    json_t *json = json_parse(text, strlen(text), error);
    assert_non_null(json);
    enum status status = convex_from_json(json, &value, error);
    assert_int_equal(status == STATUS_OK, value != NULL);
    json_decref(json);
    return value;
}

static void check_text(const struct convex_value *value, enum convex_format format, const char *expected) {
    struct buffer out = {0};
    convex_append_json(&out, value, format);
    assert_string_equal(buffer_text(&out), expected);
    buffer_free(&out);
}

static void test_encodings(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(encodings); i++) {
        struct error error = {0};
        struct convex_value *value = decode(encodings[i].input, &error);
        assert_non_null(value);
        check_text(value, CONVEX_FORMAT_JSON, encodings[i].clean);
        check_text(value, CONVEX_FORMAT_ENCODED, encodings[i].encoded);
        check_text(value, CONVEX_FORMAT_EXPORT, encodings[i].export);
        struct convex_value *copy = convex_copy(value);
        assert_int_equal(convex_compare(value, copy), 0);
        convex_free(copy);
        convex_free(value);
    }
}

static void test_format_names(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum status status;
        enum convex_format format;
    } names[] = {{"json", STATUS_OK, CONVEX_FORMAT_JSON},
                 {"convex_clean_json", STATUS_OK, CONVEX_FORMAT_JSON},
                 {"convex_encoded_json", STATUS_OK, CONVEX_FORMAT_ENCODED},
                 {"convex_json", STATUS_OK, CONVEX_FORMAT_ENCODED},
                 {"export_json", STATUS_OK, CONVEX_FORMAT_EXPORT},
                 {"", STATUS_INVALID, CONVEX_FORMAT_JSON},
                 {"JSON", STATUS_INVALID, CONVEX_FORMAT_JSON},
                 {"encoded", STATUS_INVALID, CONVEX_FORMAT_JSON}};
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        enum convex_format format = CONVEX_FORMAT_JSON;
        assert_int_equal(convex_format_parse(names[i].name, &format), names[i].status);
        assert_int_equal(format, names[i].format);
    }
}

static const char *const refused[] = {"{\"$integer\":\"BwAAAAAAAA==\"}", /* 7 bytes */
                                      "{\"$integer\":\"BwAAAAAAAAA\"}",  /* no padding */
                                      "{\"$integer\":7}",
                                      "{\"$float\":\"AAAAAAAA8D8=\"}", /* an ordinary 1.0 */
                                      "{\"$bytes\":\"*\"}",
                                      "{\"$bytes\":null}",
                                      "{\"$set\":[]}",
                                      "{\"$map\":\"\"}",
                                      "{\"$undefined\":\"\"}",
                                      "{\"$commitTs\":null}",
                                      "{\"$integer\":\"BwAAAAAAAAA=\",\"x\":1}",
                                      "{\"a\":1,\"$b\":2}",
                                      "{\"\":1}",
                                      "{\"\xc3\xa9\":1}",
                                      "{\"a\\tb\":1}",
                                      "[{\"deep\":[{\"$x\":\"\"}]}]"};

static void test_refused_values(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(refused); i++) {
        struct error error = {0};
        struct convex_value *value = decode(refused[i], &error);
        if (value != NULL) {
            fail_msg("accepted: %s", refused[i]);
        }
        assert_int_equal(error.status, STATUS_INVALID);
    }
}

/* `count` copies of open, the middle, `count` copies of close. */
static struct convex_value *decode_repeated(size_t count, const char *open, const char *middle,
                                            const char *close) {
    struct buffer text = {0};
    struct error error = {0};
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(&text, open);
    }
    buffer_append_text(&text, middle);
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(&text, close);
    }
    struct convex_value *value = decode(buffer_text(&text), &error);
    buffer_free(&text);
    return value;
}

static struct convex_value *decode_fields(size_t count) {
    struct buffer text = {0};
    struct error error = {0};
    for (size_t i = 0; i < count; i++) {
        buffer_printf(&text, "%s\"f%zu\":null", i == 0 ? "{" : ",", i);
    }
    buffer_append_char(&text, '}');
    struct convex_value *value = decode(buffer_text(&text), &error);
    buffer_free(&text);
    return value;
}

static struct convex_value *decode_array_of(size_t count) {
    struct buffer text = {0};
    struct error error = {0};
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(&text, i == 0 ? "[0" : ",0");
    }
    buffer_append_char(&text, ']');
    struct convex_value *value = decode(buffer_text(&text), &error);
    buffer_free(&text);
    return value;
}

static struct convex_value *decode_name_of(size_t length) {
    struct buffer text = {0};
    struct error error = {0};
    buffer_append_text(&text, "{\"");
    for (size_t i = 0; i < length; i++) {
        buffer_append_char(&text, 'n');
    }
    buffer_append_text(&text, "\":1}");
    struct convex_value *value = decode(buffer_text(&text), &error);
    buffer_free(&text);
    return value;
}

/* At each limit: accepted; one above: refused. */
static void test_limits(void **state) {
    (void)state;
    struct convex_value *accepted[] = {decode_repeated(64, "[", "1", "]"),
                                       decode_repeated(64, "{\"a\":", "1", "}"), decode_array_of(8192),
                                       decode_fields(1024), decode_name_of(1024)};
    struct convex_value *too_much[] = {decode_repeated(65, "[", "1", "]"),
                                       decode_repeated(65, "{\"a\":", "1", "}"), decode_array_of(8193),
                                       decode_fields(1025), decode_name_of(1025)};
    for (size_t i = 0; i < LENGTH_OF(accepted); i++) {
        assert_non_null(accepted[i]);
        assert_null(too_much[i]);
        convex_free(accepted[i]);
    }
}

static void test_document_rules(void **state) {
    (void)state;
    static const struct {
        const char *document;
        enum status status;
    } documents[] = {{"{}", STATUS_OK},
                     {"{\"_id\":\"x\",\"_creationTime\":1}", STATUS_OK},
                     {"{\"_other\":1}", STATUS_INVALID},
                     {"{\"a\":{\"_other\":1}}", STATUS_OK},
                     {"[]", STATUS_INVALID},
                     {"null", STATUS_INVALID}};
    for (size_t i = 0; i < LENGTH_OF(documents); i++) {
        struct error error = {0};
        struct convex_value *document = decode(documents[i].document, &error);
        assert_int_equal(convex_document_check(document, &error), documents[i].status);
        convex_free(document);
    }
    struct convex_value *deep = decode_repeated(16, "{\"a\":", "1", "}");
    struct convex_value *deeper = decode_repeated(17, "{\"a\":", "1", "}");
    assert_int_equal(convex_document_check(deep, NULL), STATUS_OK);
    assert_int_equal(convex_document_check(deeper, NULL), STATUS_INVALID);
    convex_free(deep);
    convex_free(deeper);
    /* 1 MiB exactly: object 2 + name 1 + 1 + string 2 + length. */
    for (size_t over = 0; over < 2; over++) {
        size_t length = ((size_t)1 << 20) - 6 + over;
        char *text = memory_allocate(length + 1);
        memset(text, 'x', length);
        struct convex_value *large = convex_object();
        convex_object_set(large, "a", convex_string(text));
        assert_int_equal(convex_size(large), ((size_t)1 << 20) + over);
        assert_int_equal(convex_document_check(large, NULL), over == 0 ? STATUS_OK : STATUS_INVALID);
        convex_free(large);
        free(text);
    }
}

static void test_sizes(void **state) {
    (void)state;
    static const struct {
        const char *value;
        size_t size;
    } sizes[] = {{"null", 1},
                 {"false", 1},
                 {"5", 9},
                 {"{\"$integer\":\"BwAAAAAAAAA=\"}", 9},
                 {"\"abc\"", 5},
                 {"{\"$bytes\":\"AQI=\"}", 4},
                 {"[]", 2},
                 {"[null,5]", 12},
                 {"{\"ab\":null}", 6}};
    for (size_t i = 0; i < LENGTH_OF(sizes); i++) {
        struct error error = {0};
        struct convex_value *value = decode(sizes[i].value, &error);
        assert_int_equal(convex_size(value), sizes[i].size);
        convex_free(value);
    }
}

/* Each value is below all that follow. */
static const char *const ascending[] = {"null",
                                        "{\"$integer\":\"AAAAAAAAAIA=\"}", /* the smallest */
                                        "{\"$integer\":\"//////////8=\"}", /* -1 */
                                        "{\"$integer\":\"AAAAAAAAAAA=\"}",
                                        "{\"$integer\":\"BQAAAAAAAAA=\"}", /* 5, yet below every Float64 */
                                        "{\"$float\":\"AAAAAAAA8P8=\"}",   /* -Infinity */
                                        "-1e300",
                                        "-1",
                                        "-1e-300",
                                        "{\"$float\":\"AAAAAAAAAIA=\"}", /* -0 */
                                        "0",
                                        "1e-300",
                                        "1",
                                        "2",
                                        "1e300",
                                        "{\"$float\":\"AAAAAAAA8H8=\"}", /* Infinity */
                                        "{\"$float\":\"AAAAAAAA+H8=\"}", /* NaN */
                                        "false",
                                        "true",
                                        "\"\"",
                                        "\"A\"",
                                        "\"a\"",
                                        "\"a\\u0001\"",
                                        "\"aa\"",
                                        "\"b\"",
                                        "\"\xc3\xa9\"",
                                        "{\"$bytes\":\"\"}",
                                        "{\"$bytes\":\"AA==\"}",
                                        "{\"$bytes\":\"AAA=\"}",
                                        "{\"$bytes\":\"AAE=\"}",
                                        "{\"$bytes\":\"AQ==\"}",
                                        "{\"$bytes\":\"/w==\"}",
                                        "[]",
                                        "[null]",
                                        "[null,null]",
                                        "[1]",
                                        "[1,1]",
                                        "[2]",
                                        "[[]]",
                                        "{}",
                                        "{\"a\":1}",
                                        "{\"a\":1,\"b\":1}",
                                        "{\"a\":2}",
                                        "{\"aa\":0}",
                                        "{\"b\":0}"};

static void test_order_of_values_and_index_keys(void **state) {
    (void)state;
    struct convex_value *values[LENGTH_OF(ascending)];
    struct buffer keys[LENGTH_OF(ascending)] = {{0}};
    struct buffer undefined = {0};
    convex_index_key_append(&undefined, NULL);
    for (size_t i = 0; i < LENGTH_OF(ascending); i++) {
        struct error error = {0};
        values[i] = decode(ascending[i], &error);
        convex_index_key_append(&keys[i], values[i]);
        assert_true(convex_key_compare(undefined.data, undefined.length, keys[i].data, keys[i].length) < 0);
    }
    for (size_t i = 0; i < LENGTH_OF(ascending); i++) {
        for (size_t j = 0; j < LENGTH_OF(ascending); j++) {
            int order = convex_compare(values[i], values[j]);
            int by_key = convex_key_compare(keys[i].data, keys[i].length, keys[j].data, keys[j].length);
            if ((order < 0) != (i < j) || (order == 0) != (i == j) || (by_key < 0) != (i < j)) {
                fail_msg("%s and %s: %d %d", ascending[i], ascending[j], order, by_key);
            }
            if (i != j) { /* no key is a prefix of another */
                size_t shorter = keys[i].length < keys[j].length ? keys[i].length : keys[j].length;
                assert_memory_not_equal(keys[i].data, keys[j].data, shorter);
            }
        }
    }
    for (size_t i = 0; i < LENGTH_OF(ascending); i++) {
        convex_free(values[i]);
        buffer_free(&keys[i]);
    }
    buffer_free(&undefined);
}

static void test_objects(void **state) {
    (void)state;
    struct convex_value *object = convex_object();
    for (int i = 0; i < 40; i++) {
        char name[8];
        snprintf(name, sizeof name, "f%02d", (i * 7) % 40);
        convex_object_set(object, name, convex_float64(i));
    }
    convex_object_set(object, "f00", convex_string("new"));
    for (size_t i = 0; i + 1 < object->as.object.count; i++) {
        assert_true(strcmp(object->as.object.fields[i].name, object->as.object.fields[i + 1].name) < 0);
    }
    assert_int_equal(object->as.object.count, 40);
    assert_string_equal(convex_object_text(object, "f00"), "new");
    assert_null(convex_object_text(object, "f01"));
    convex_object_remove(object, "f00");
    convex_object_remove(object, "absent");
    assert_null(convex_object_get(object, "f00"));
    assert_int_equal(object->as.object.count, 39);
    convex_free(object);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_floats_print_as_the_backend_does),
                                       cmocka_unit_test(test_encodings),
                                       cmocka_unit_test(test_format_names),
                                       cmocka_unit_test(test_refused_values),
                                       cmocka_unit_test(test_limits),
                                       cmocka_unit_test(test_document_rules),
                                       cmocka_unit_test(test_sizes),
                                       cmocka_unit_test(test_order_of_values_and_index_keys),
                                       cmocka_unit_test(test_objects)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
