/* docs/known-differences.md, line by line: where a line says that core and model differ, they do, and a line
 * next to it is the same to both. When a test fails here, one of them has changed: correct the page. */
#include "bench_world.h"

#define CHECKPOINT "{\"checkpoint\":{\"last_op_id\":\"2\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":3}]}}"

struct pair {
    struct bench_world bench;
    struct engine *engine;
};

static struct pair open_pair(void) {
    struct pair pair = {.bench = bench_open_for(CLIENT_ENGINE_BOTH, 1)};
    struct engine_result result;
    struct error error = {0};

    assert_int_equal(
        engine_create(pair.bench.pool, net_node(pair.bench.net, "alice-1"), &pair.engine, &error), STATUS_OK);
    assert_int_equal(engine_start(pair.engine, &result, &error), STATUS_OK);
    assert_int_equal(engine_send(pair.engine, ENGINE_ESTABLISHED, &result, &error), STATUS_OK);
    assert_null(engine_both_difference(pair.engine));
    return pair;
}

static void close_pair(struct pair *pair) {
    engine_destroy(pair->engine);
    bench_close(&pair->bench);
}

static bool differs_after(struct pair *pair, const void *bytes, size_t length, bool binary) {
    struct engine_result result;

    engine_line(pair->engine, bytes, length, binary, &result, NULL);
    return engine_both_difference(pair->engine) != NULL;
}

static bool text_differs(const char *line) {
    struct pair pair = open_pair();
    const bool differs = differs_after(&pair, CHECKPOINT, strlen(CHECKPOINT), false) ||
                         differs_after(&pair, line, strlen(line), false);

    close_pair(&pair);
    return differs;
}

/* {"later": [[[...]]]}, `depth` arrays. */
static char *deep_line(size_t depth) {
    char *line = memory_allocate(2 * depth + 16);
    size_t at = (size_t)sprintf(line, "{\"later\":");

    memset(line + at, '[', depth);
    memset(line + at + depth, ']', depth);
    line[at + 2 * depth] = '}';
    return line;
}

static void test_unknown_fields(void **state) {
    char *deep = deep_line(200), *shallow = deep_line(50);

    (void)state;
    assert_true(text_differs("{\"later\":\"\\ud800\"}"));
    assert_false(text_differs("{\"later\":\"\\ud83d\\ude00\"}"));
    assert_true(text_differs(deep));
    assert_false(text_differs(shallow));
    free(deep);
    free(shallow);
}

#define DATA(op)                                                                                             \
    "{\"data\":{\"bucket\":\"a\",\"data\":[{\"op_id\":\"1\",\"op\":" op                                      \
    ",\"object_type\":\"lists\",\"object_id\":\"l\",\"data\":\"{}\",\"checksum\":1}]}}"

static void test_op_as_object(void **state) {
    (void)state;
    assert_true(text_differs(DATA("{\"PUT\":null}")));
    assert_false(text_differs(DATA("\"PUT\"")));
}

/* lists/l + subkey "x/y", and lists/"l/x" + subkey "y": one key in the core's op log. */
static void test_slashes_in_ids(void **state) {
    static const char line[] =
        "{\"data\":{\"bucket\":\"a\",\"data\":["
        "{\"op_id\":\"1\",\"op\":\"PUT\",\"object_type\":\"lists\",\"object_id\":\"l\",\"subkey\":\"x/y\","
        "\"data\":\"{\\\"name\\\":\\\"one\\\"}\",\"checksum\":1},"
        "{\"op_id\":\"2\",\"op\":\"PUT\",\"object_type\":\"lists\",\"object_id\":\"l/x\",\"subkey\":\"y\","
        "\"data\":\"{\\\"name\\\":\\\"two\\\"}\",\"checksum\":2}]}}";
    static const char complete[] = "{\"checkpoint_complete\":{\"last_op_id\":\"2\"}}";
    struct pair pair = open_pair();

    (void)state;
    assert_false(differs_after(&pair, CHECKPOINT, strlen(CHECKPOINT), false));
    assert_false(differs_after(&pair, line, strlen(line), false));
    assert_true(differs_after(&pair, complete, strlen(complete), false)); /* one row or two */
    close_pair(&pair);
}

/* {"checkpoint_complete": [1]}; and with {"last_op_id": "2"} instead. */
static void test_array_for_object(void **state) {
    static const char array[] = "\x26\0\0\0\x04"
                                "checkpoint_complete\0"
                                "\x0c\0\0\0\x10"
                                "0\0\x01\0\0\0\0";
    static const char object[] = "\x31\0\0\0\x03"
                                 "checkpoint_complete\0"
                                 "\x17\0\0\0\x02"
                                 "last_op_id\0\x02\0\0\0"
                                 "2\0\0";
    struct pair pair = open_pair();

    (void)state;
    assert_int_equal(array[0], sizeof array);
    assert_int_equal(object[0], sizeof object);
    assert_false(differs_after(&pair, CHECKPOINT, strlen(CHECKPOINT), false));
    assert_true(differs_after(&pair, array, sizeof array, true));
    close_pair(&pair);
    pair = open_pair();
    assert_false(differs_after(&pair, CHECKPOINT, strlen(CHECKPOINT), false));
    assert_false(differs_after(&pair, object, sizeof object, true));
    close_pair(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_fields), cmocka_unit_test(test_op_as_object),
        cmocka_unit_test(test_slashes_in_ids), cmocka_unit_test(test_array_for_object)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
