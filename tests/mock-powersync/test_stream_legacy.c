/* Streams of clients whose config is of edition 1 or 2: buckets that rows of a table decide, defaults that
 * come with a subscription. */
#include "mock-powersync/unit.h"

#include "mock-powersync/fixture.h"

static const char *const yaml = "bucket_definitions:\n"
                                "  by_team:\n"
                                "    priority: 1\n"
                                "    parameters: SELECT team FROM members WHERE who = request.user_id()\n"
                                "    data: [SELECT uuid AS id FROM lists WHERE team = bucket.team]\n"
                                "  all:\n"
                                "    data: [SELECT uuid AS id FROM notes]\n";

static int set_up(void **state) {
    *state = fixture_create();
    return 0;
}

static int tear_down(void **state) {
    fixture_destroy(*state);
    return 0;
}

static void put(struct fixture *fixture, const char *table, const char *id, const char *fields) {
    fake_put(fixture->fake, fixture->fake->latest + 1, table, id, fields);
}

static void start(struct fixture *fixture, const char *config) {
    fixture->fake->schemas = "{\"lists\":{},\"members\":{},\"notes\":{},\"powersync_checkpoints\":{}}";
    put(fixture, "members", "m1", ",\"who\":\"alice\",\"team\":\"a\"");
    put(fixture, "lists", "l1", ",\"uuid\":\"u1\",\"team\":\"a\"");
    put(fixture, "lists", "l2", ",\"uuid\":\"u2\",\"team\":\"b\"");
    fixture_start(fixture, config);
    run_for(fixture, TIME_SECOND);
}

/* The buckets of a line: those that need no lookup come first. */
static void assert_buckets(const json_t *buckets, const char *expected) {
    struct buffer names = {0};
    for (size_t i = 0; i < json_array_size(buckets); i++)
        buffer_printf(&names, "%s %s ", json_text(at(buckets, i), "bucket"),
                      json_integer_or(at(buckets, i), "priority", -1) == 1 ? "first" : "last");
    assert_string_equal(buffer_text(&names), expected);
    buffer_free(&names);
}

static void rows_decide(void **state) {
    struct fixture *fixture = *state;
    start(fixture, yaml);
    struct client *client = client_open(fixture, "alice-1", "alice", "{\"raw_data\":true}");
    run_for(fixture, 100 * TIME_MILLISECOND);
    assert_kinds(client, "checkpoint data partial_checkpoint_complete checkpoint_complete");
    const json_t *checkpoint = line_of(client, 0, "checkpoint");
    assert_json(json_object_get(checkpoint, "streams"),
                "[{\"name\":\"by_team\",\"is_default\":true,\"errors\":[]},"
                "{\"name\":\"all\",\"is_default\":true,\"errors\":[]}]");
    assert_buckets(json_object_get(checkpoint, "buckets"), "1#all[] last 1#by_team[\"a\"] first ");
    assert_string_equal(json_text(line_of(client, 1, "data"), "bucket"), "1#by_team[\"a\"]");
    forget_lines(client);
    put(fixture, "members", "m1", ",\"who\":\"alice\",\"team\":\"b\"");
    run_for(fixture, 2 * TIME_SECOND);
    assert_kinds(client, "checkpoint_diff data checkpoint_complete");
    const json_t *diff = line_of(client, 0, "checkpoint_diff");
    assert_json(json_object_get(diff, "removed_buckets"), "[\"1#by_team[\\\"a\\\"]\"]");
    assert_buckets(json_object_get(diff, "updated_buckets"), "1#by_team[\"b\"] first ");
    client_close(client);
}

/* Without defaults there is nothing, but a subscription brings them back. */
static void named_definitions(void **state) {
    struct fixture *fixture = *state;
    start(fixture, yaml);
    struct client *client = client_open(fixture, "alice-1", "alice",
                                        "{\"streams\":{\"include_defaults\":false,\"subscriptions\":[]}}");
    run_for(fixture, 100 * TIME_MILLISECOND);
    const json_t *checkpoint = line_of(client, 0, "checkpoint");
    assert_json(json_object_get(checkpoint, "buckets"), "[]");
    assert_json(json_object_get(checkpoint, "streams"), "[]");
    client_close(client);
    client = client_open(fixture, "alice-1", "alice",
                         "{\"streams\":{\"include_defaults\":false,\"subscriptions\":[{\"stream\":\"all\","
                         "\"parameters\":null,\"override_priority\":0}]}}");
    run_for(fixture, 100 * TIME_MILLISECOND);
    assert_json(json_object_get(line_of(client, 0, "checkpoint"), "buckets"),
                "[{\"bucket\":\"1#all[]\",\"checksum\":0,\"count\":0,\"priority\":3,"
                "\"subscriptions\":[{\"default\":0}]}]");
    client_close(client);
}

/* Edition 2: an explicit subscription brings the default one, too (fact sheet 6.5). */
static void default_comes_along(void **state) {
    struct fixture *fixture = *state;
    start(fixture, "config: {edition: 2}\n"
                   "streams:\n"
                   "  s: {auto_subscribe: true, query: SELECT uuid AS id FROM lists}\n");
    struct client *client = client_open(
        fixture, "alice-1", "alice",
        "{\"streams\":{\"include_defaults\":false,\"subscriptions\":[{\"stream\":\"s\",\"parameters\":{},"
        "\"override_priority\":1}]}}");
    run_for(fixture, 100 * TIME_MILLISECOND);
    const json_t *bucket = at(json_object_get(line_of(client, 0, "checkpoint"), "buckets"), 0);
    assert_string_equal(json_text(bucket, "bucket"), "1#s|0[]");
    assert_int_equal(json_integer_or(bucket, "priority", -1), 1);
    assert_json(json_object_get(bucket, "subscriptions"), "[{\"sub\":0},{\"default\":0}]");
    client_close(client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_decide, set_up, tear_down),
        cmocka_unit_test_setup_teardown(named_definitions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(default_comes_along, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
