/* Conformance of rows that come into buckets and leave them for reasons of their own: what cannot be
 * evaluated (S29) and what has no value for a bucket's parameter (S30). */
#include "mock-powersync/unit.h"

#include "mock-powersync/stream_fixture.h"

static const char config[] = "config: {edition: 3}\n"
                             "streams:\n"
                             "  tagged: {auto_subscribe: true, query: \"SELECT *, _id AS id FROM notes WHERE "
                             "json_extract(tags, '$.a') = 1\"}\n"
                             "  mine: {auto_subscribe: true, query: \"SELECT *, _id AS id FROM todos WHERE "
                             "owner = auth.user_id()\"}\n";

static int set_up(void **state) {
    *state = stream_fixture_create(config);
    return 0;
}

static int tear_down(void **state) {
    stream_fixture_destroy(*state);
    return 0;
}

/* The only operation of the only data line after a diff. */
static const char *operation_of(const struct reader *reader) {
    const json_t *operations = json_object_get(lines_of(reader->lines, 1, "data"), "data");
    assert_int_equal(json_array_size(operations), 1);
    return json_text(json_array_get(operations, 0), "op");
}

static void s29_row_that_cannot_be_evaluated(void **state) {
    put_committed(*state, "notes", "n1", "\"tags\":\"{\\\"a\\\":1}\"");
    struct reader *reader = reader_open(*state, "alice", "{}");
    lines_assert_kinds(reader->lines, "checkpoint data checkpoint_complete");

    reader_forget(reader);
    put_committed(*state, "notes", "n1", "\"tags\":\"no JSON\"");
    reader_expect(reader, "checkpoint_diff data checkpoint_complete");
    assert_string_equal(operation_of(reader), "REMOVE");

    reader_forget(reader);
    put_committed(*state, "notes", "n1", "\"tags\":\"{\\\"a\\\":1,\\\"b\\\":2}\"");
    reader_expect(reader, "checkpoint_diff data checkpoint_complete");
    assert_string_equal(operation_of(reader), "PUT");
    reader_close(reader);
}

static void s30_row_without_a_value_for_the_bucket(void **state) {
    static const char *const nobodys[] = {"\"name\":\"x\"", "\"name\":\"x\",\"owner\":null"};
    struct reader *reader = reader_open(*state, "alice", "{}");
    lines_assert_kinds(reader->lines, "checkpoint checkpoint_complete");
    for (size_t i = 0; i < 2; i++) {
        reader_forget(reader);
        put_committed(*state, "todos", "t1", nobodys[i]);
        reader_expect(reader, "");
        assert_int_equal(((struct stream_fixture *)*state)->buckets->n_operations, 0);
    }
    put_committed(*state, "todos", "t1", "\"name\":\"x\",\"owner\":\"alice\"");
    reader_expect(reader, "checkpoint_diff data checkpoint_complete");
    assert_string_equal(operation_of(reader), "PUT");
    assert_string_equal(json_text(lines_of(reader->lines, 1, "data"), "bucket"), "1#mine|0[\"alice\"]");

    reader_forget(reader);
    put_committed(*state, "todos", "t1", nobodys[1]);
    reader_expect(reader, "checkpoint_diff data checkpoint_complete");
    assert_string_equal(operation_of(reader), "REMOVE");
    reader_close(reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(s29_row_that_cannot_be_evaluated),
                                       TEST(s30_row_without_a_value_for_the_bucket)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
