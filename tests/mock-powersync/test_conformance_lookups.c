/* Conformance scenarios of the sync stream, by their numbers, where what a client gets depends on rows: the
 * set of its buckets changes while it is connected.
 */
#include "mock-powersync/unit.h"

#include "mock-powersync/stream/stream_limits.h"
#include "mock-powersync/stream_fixture.h"

static const char *const yaml = "config: {edition: 3}\n"
                                "streams:\n"
                                "  notices:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT _id AS id, name FROM notices\n"
                                "  lists:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT _id AS id, name FROM lists WHERE team IN "
                                "(SELECT team FROM members WHERE person = auth.user_id())\n";

static int set_up(void **state) {
    *state = stream_fixture_create(yaml);
    return 0;
}

static int tear_down(void **state) {
    stream_fixture_destroy(*state);
    return 0;
}

static void join(struct stream_fixture *fixture, const char *id, const char *person, const char *team) {
    char *fields = memory_format("\"person\":\"%s\",\"team\":\"%s\"", person, team);
    put_committed(fixture, "members", id, fields);
    free(fields);
}

static const json_t *diff(const struct reader *reader, size_t line, const char *list) {
    return json_object_get(lines_of(reader->lines, line, "checkpoint_diff"), list);
}

static void assert_bucket(const json_t *buckets, size_t index, const char *name) {
    assert_string_equal(json_text(at(buckets, index), "bucket"), name);
}

/* Rows decide from the beginning on; fixed buckets come first. */
static void resolved_at_the_checkpoint(void **state) {
    put_row(*state, "lists", "l1", "\"name\":\"x\",\"team\":\"blue\"");
    put_row(*state, "lists", "l2", "\"name\":\"x\",\"team\":\"red\"");
    join(*state, "m1", "alice", "blue");
    struct reader *reader = reader_open(*state, "alice", "{}");
    lines_assert_kinds(reader->lines, "checkpoint data checkpoint_complete");
    const json_t *buckets = json_object_get(lines_of(reader->lines, 0, "checkpoint"), "buckets");
    assert_int_equal(json_array_size(buckets), 2);
    assert_bucket(buckets, 0, "1#notices|0[]");
    assert_bucket(buckets, 1, "1#lists|0[\"blue\"]");
    assert_json(json_object_get(at(buckets, 1), "subscriptions"), "[{\"default\":1}]");
    reader_close(reader);
    reader = reader_open(*state, "bob", "{}");
    buckets = json_object_get(lines_of(reader->lines, 0, "checkpoint"), "buckets");
    assert_int_equal(json_array_size(buckets), 1);
}

static void s5_membership(void **state) {
    put_committed(*state, "lists", "l1", "\"name\":\"x\",\"team\":\"blue\"");
    struct reader *alice = reader_open(*state, "alice", "{}");
    struct reader *bob = reader_open(*state, "bob", "{}");
    reader_forget(alice);
    reader_forget(bob);
    join(*state, "m1", "alice", "blue"); /* no operation in any bucket */
    reader_expect(alice, "checkpoint_diff data checkpoint_complete");
    assert_bucket(diff(alice, 0, "updated_buckets"), 0, "1#lists|0[\"blue\"]");
    assert_json(diff(alice, 0, "removed_buckets"), "[]");
    assert_string_equal(json_text(lines_of(alice->lines, 1, "data"), "after"), "0");
    lines_assert_kinds(bob->lines, "");
    reader_forget(alice);
    put_committed(*state, "members", "m1", NULL);
    reader_expect(alice, "checkpoint_diff checkpoint_complete");
    assert_json(diff(alice, 0, "removed_buckets"), "[\"1#lists|0[\\\"blue\\\"]\"]");
    assert_json(diff(alice, 0, "updated_buckets"), "[]");
    reader_forget(alice);
    put_committed(*state, "lists", "l1", "\"name\":\"y\",\"team\":\"blue\""); /* hers no more */
    reader_expect(alice, "");
    join(*state, "m1", "alice", "blue"); /* what is forgotten starts at 0 again */
    reader_expect(alice, "checkpoint_diff data checkpoint_complete");
    assert_string_equal(json_text(lines_of(alice->lines, 1, "data"), "after"), "0");
    assert_int_equal(json_array_size(json_object_get(lines_of(alice->lines, 1, "data"), "data")), 2);
}

/* Clients throw away what the first checkpoint does not name, so its position counts no more. */
static void position_of_a_later_bucket(void **state) {
    put_committed(*state, "lists", "l1", "\"name\":\"x\",\"team\":\"blue\"");
    put_committed(*state, "lists", "l2", "\"name\":\"x\",\"team\":\"blue\"");
    struct reader *reader = reader_open(
        *state, "alice", "{\"buckets\":[{\"name\":\"1#lists|0[\\\"blue\\\"]\",\"after\":\"1\"}]}");
    reader_forget(reader);
    join(*state, "m1", "alice", "blue");
    reader_expect(reader, "checkpoint_diff data checkpoint_complete");
    assert_string_equal(json_text(lines_of(reader->lines, 1, "data"), "after"), "0");
    assert_int_equal(json_array_size(json_object_get(lines_of(reader->lines, 1, "data"), "data")), 2);
}

/* Membership and data of one transaction come in one checkpoint. */
static void parameter_and_data_together(void **state) {
    struct reader *reader = reader_open(*state, "alice", "{}");
    reader_forget(reader);
    put_row(*state, "lists", "l1", "\"name\":\"x\",\"team\":\"blue\"");
    put_row(*state, "notices", "n1", "\"name\":\"x\"");
    join(*state, "m1", "alice", "blue");
    reader_expect(reader, "checkpoint_diff data data checkpoint_complete");
    assert_int_equal(json_array_size(diff(reader, 0, "updated_buckets")), 2);
}

/* Two rows that give one bucket give it once; when one goes, it stays. */
static void reached_twice(void **state) {
    join(*state, "m1", "alice", "blue");
    join(*state, "m2", "alice", "blue");
    struct reader *reader = reader_open(*state, "alice", "{}");
    const json_t *buckets = json_object_get(lines_of(reader->lines, 0, "checkpoint"), "buckets");
    assert_int_equal(json_array_size(buckets), 2);
    reader_forget(reader);
    put_committed(*state, "members", "m2", NULL);
    reader_expect(reader, "");
}

static void s19_growth(void **state) {
    struct stream_fixture *fixture = *state;
    fixture->environment.max_buckets = 3;
    join(fixture, "m1", "alice", "t1");
    join(fixture, "m2", "alice", "t2");
    struct reader *reader = reader_open(fixture, "alice", "{}");
    lines_assert_kinds(reader->lines, "checkpoint checkpoint_complete");
    join(fixture, "m3", "alice", "t3");
    reader_run(reader, 100 * TIME_MILLISECOND);
    lines_assert_kinds(reader->lines, "checkpoint checkpoint_complete");
    assert_int_equal(reader->failed, 500);
    assert_string_equal(reader->code, "PSYNC_S2305");
    assert_string_equal(reader->text,
                        "Too many buckets: 4 (limit of 3)\nBy streams:\n  lists: 3\n  notices: 1");
}

/* Results are counted before duplicates are dropped: three memberships of one team are three. */
static void too_many_results(void **state) {
    struct stream_fixture *fixture = *state;
    fixture->environment.max_parameter_results = 2;
    join(fixture, "m1", "alice", "blue");
    join(fixture, "m2", "alice", "blue");
    struct reader *fine = reader_open(fixture, "alice", "{}");
    assert_int_equal(fine->failed, 0);
    join(fixture, "m3", "alice", "blue");
    struct reader *reader = reader_open(fixture, "alice", "{}");
    lines_assert_kinds(reader->lines, "");
    assert_int_equal(reader->failed, 500);
    assert_string_equal(reader->code, "PSYNC_S2305");
    assert_string_equal(reader->text,
                        "Too many parameter query results: 3 (limit of 2)\nBy streams:\n  lists: 3");
    assert_int_equal(fine->failed, 500); /* it worked until then */
    struct reader *other = reader_open(fixture, "bob", "{}");
    assert_int_equal(other->failed, 0);
}

/* The hundred greatest are named. */
static void many_definitions(void **state) {
    (void)state;
    struct stream_tally tally = {0};
    struct http_error error;
    char *text;
    for (int i = 0; i < 102; i++) {
        char name[8];
        snprintf(name, sizeof name, "s%d", i);
        stream_tally_add(&tally, name, i == 101 ? 5 : 1);
    }
    assert_false(stream_limit_exceeded(&error, &text, "buckets", "bucket definitions", &tally, 10));
    assert_non_null(strstr(text, "(limit of 10)\nBy bucket definitions:\n  s101: 5\n  s0: 1\n"));
    assert_non_null(strstr(text, "\n  s98: 1\n  and 2 in 2 more"));
    free(text);
    stream_tally_free(&tally);
}

/* Membership goes while rows are on their way: nothing more of them comes. */
static void interrupted_by_membership(void **state) {
    struct stream_fixture *fixture = *state;
    fixture->environment.batch_operations = 100;
    for (int i = 0; i < 1500; i++) {
        char id[16];
        snprintf(id, sizeof id, "l%d", i);
        put_row(fixture, "lists", id, "\"name\":\"x\",\"team\":\"blue\"");
    }
    join(fixture, "m1", "alice", "blue");
    struct reader *reader = reader_open_as(fixture, "alice", "{}", LINE_NDJSON_RAW);
    reader->room = 1 + 10;
    reader_run(reader, 100 * TIME_MILLISECOND);
    put_committed(fixture, "members", "m1", NULL);
    reader_resume(reader);
    reader_run(reader, 100 * TIME_MILLISECOND);
    assert_int_equal(json_array_size(reader->lines), 1 + 10 + 2);
    assert_json(diff(reader, 11, "removed_buckets"), "[\"1#lists|0[\\\"blue\\\"]\"]");
    lines_of(reader->lines, 12, "checkpoint_complete");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(resolved_at_the_checkpoint),
                                       TEST(s5_membership),
                                       TEST(position_of_a_later_bucket),
                                       TEST(parameter_and_data_together),
                                       TEST(reached_twice),
                                       TEST(s19_growth),
                                       TEST(too_many_results),
                                       TEST(interrupted_by_membership),
                                       cmocka_unit_test(many_definitions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
