/* One stream in detail: priorities, chunks, interruption, subscriptions, keepalive and expiry. */
#include "mock-powersync/unit.h"

#include "mock-powersync/fixture.h"

static const char *const yaml = "config: {edition: 3}\n"
                                "streams:\n"
                                "  low:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT *, uuid AS id FROM todos\n"
                                "  urgent:\n"
                                "    auto_subscribe: true\n"
                                "    priority: 0\n"
                                "    query: SELECT uuid AS id, owner FROM lists\n"
                                "  own:\n"
                                "    auto_subscribe: true\n"
                                "    priority: 1\n"
                                "    query: SELECT *, uuid AS id FROM lists WHERE owner = auth.user_id()\n"
                                "  extra:\n"
                                "    priority: 2\n"
                                "    query: SELECT *, uuid AS id FROM notes\n";

static int set_up(void **state) {
    *state = fixture_create();
    return 0;
}

static int tear_down(void **state) {
    fixture_destroy(*state);
    return 0;
}

static void put(struct fixture *fixture, const char *table, int number, const char *owner) {
    char *id = memory_format("%s%d", table, number);
    char *fields = memory_format(",\"uuid\":\"u-%s\",\"owner\":\"%s\"", id, owner);
    fake_put(fixture->fake, fixture->fake->latest + 1, table, id, fields);
    free(id);
    free(fields);
}

static void start(struct fixture *fixture) {
    fixture_start(fixture, yaml);
    run_for(fixture, TIME_SECOND);
}

/* S8 */
static void priorities(void **state) {
    struct fixture *fixture = *state;
    put(fixture, "lists", 1, "alice");
    put(fixture, "todos", 1, "alice");
    start(fixture);
    struct client *client = client_open(fixture, "alice-1", "alice", "{\"raw_data\":true}");
    run_for(fixture, 100 * TIME_MILLISECOND);
    assert_kinds(client, "checkpoint data partial_checkpoint_complete data partial_checkpoint_complete data "
                         "checkpoint_complete");
    assert_string_equal(json_text(line_of(client, 1, "data"), "bucket"), "1#urgent|0[]");
    assert_json(line(client, 2), "{\"partial_checkpoint_complete\":{\"last_op_id\":\"3\",\"priority\":0}}");
    assert_string_equal(json_text(line_of(client, 3, "data"), "bucket"), "1#own|0[\"alice\"]");
    assert_json(line(client, 4), "{\"partial_checkpoint_complete\":{\"last_op_id\":\"3\",\"priority\":1}}");
    assert_string_equal(json_text(line_of(client, 5, "data"), "bucket"), "1#low|0[]");
    forget_lines(client);
    put(fixture, "todos", 2, "alice"); /* one priority: nothing partial */
    run_for(fixture, 2 * TIME_SECOND);
    assert_kinds(client, "checkpoint_diff data checkpoint_complete");
    forget_lines(client);
    put(fixture, "lists", 2, "bob"); /* for alice only in the stream for everybody */
    run_for(fixture, 2 * TIME_SECOND);
    assert_kinds(client, "checkpoint_diff data checkpoint_complete");
    assert_string_equal(json_text(line_of(client, 1, "data"), "bucket"), "1#urgent|0[]");
    client_close(client);
}

/* All data lines chain, hold at most `limit` operations, and together are exactly the bucket. */
static void check_chunks(struct client *client, const char *bucket, size_t operations, size_t limit) {
    char after[32] = "0";
    size_t seen = 0;
    int64_t last = 0;
    for (size_t i = 0; i < line_count(client); i++) {
        const json_t *data = json_object_get(line(client, i), "data");
        if (!data || strcmp(json_text(data, "bucket"), bucket) != 0)
            continue;
        assert_string_equal(json_text(data, "after"), after);
        const json_t *list = json_object_get(data, "data");
        assert_in_range(json_array_size(list), 1, limit);
        for (size_t j = 0; j < json_array_size(list); j++) {
            int64_t op = strtoll(json_text(at(list, j), "op_id"), NULL, 10);
            assert_true(op > last);
            last = op;
        }
        snprintf(after, sizeof after, "%s", json_text(data, "next_after"));
        assert_int_equal(last, strtoll(after, NULL, 10));
        seen += json_array_size(list);
        if (json_array_size(list) < limit)
            assert_true(json_is_false(json_object_get(data, "has_more")));
        else
            assert_true(json_is_true(json_object_get(data, "has_more")));
    }
    assert_int_equal(seen, operations);
}

static void chunks_by_count(void **state) {
    struct fixture *fixture = *state;
    world_pin_knob(fixture->world, "powersync.chunk-operations", 7);
    for (int i = 0; i < 25; i++)
        put(fixture, "todos", i, "alice");
    start(fixture);
    struct client *client = client_open(fixture, "alice-1", "alice", "{\"raw_data\":true}");
    run_for(fixture, 200 * TIME_MILLISECOND);
    check_chunks(client, "1#low|0[]", 25, 7);
    client_close(client);
}

static void chunks_by_size(void **state) {
    struct fixture *fixture = *state;
    char *text = memory_allocate(400001);
    memset(text, 'x', 400000);
    for (int i = 0; i < 5; i++) {
        char id[8];
        snprintf(id, sizeof id, "t%d", i);
        char *fields = memory_format(",\"uuid\":\"%s\",\"text\":\"%s%s%s%s\"", id, text, i == 2 ? text : "",
                                     i == 2 ? text : "", i == 2 ? text : "");
        fake_put(fixture->fake, FAKE_START + 10 + i, "todos", id, fields);
        free(fields);
    }
    free(text);
    start(fixture);
    struct client *client = client_open(fixture, "alice-1", "alice", "{\"raw_data\":true}");
    run_for(fixture, 200 * TIME_MILLISECOND);
    /* 0.4 + 0.4 | 1.6 alone | 0.4 + 0.4 MB */
    static const size_t sizes[] = {2, 1, 2};
    size_t found = 0;
    for (size_t i = 0; i < line_count(client); i++) {
        const json_t *data = json_object_get(line(client, i), "data");
        if (!data)
            continue;
        assert_true(found < 3);
        assert_int_equal(json_array_size(json_object_get(data, "data")), sizes[found]);
        assert_int_equal(json_is_true(json_object_get(data, "has_more")), found < 2);
        found++;
    }
    assert_int_equal(found, 3);
    client_close(client);
}

/* S9, S10: 1500 operations of low priority; after 1000 of them a change interrupts if it is this client's. */
static void interruption(void **state) {
    (void)state;
    for (int relevant = 0; relevant < 2; relevant++) {
        struct fixture *fixture = fixture_create();
        fixture->fake->snapshot_rows = 3000;
        world_pin_knob(fixture->world, "powersync.chunk-operations", 100);
        for (int i = 0; i < 1500; i++)
            put(fixture, "todos", i, "alice");
        fixture_start(fixture, "config: {edition: 3}\n"
                               "streams:\n"
                               "  low:\n"
                               "    auto_subscribe: true\n"
                               "    query: SELECT *, uuid AS id FROM todos\n"
                               "  own:\n"
                               "    auto_subscribe: true\n"
                               "    priority: 1\n"
                               "    query: SELECT *, uuid AS id FROM lists WHERE owner = auth.user_id()\n");
        /* Replication polls at 1.0x s; the stream starts shortly before, and reads take a few ms. */
        run_for(fixture, 900 * TIME_MILLISECOND);
        put(fixture, "lists", 1, relevant ? "alice" : "bob");
        int64_t poll = fixture->fake->request_times[fixture->fake->n_requests - 1] + TIME_SECOND;
        run_for(fixture, poll - world_now(fixture->world) - 3 * TIME_MILLISECOND);
        struct client *client = client_open(fixture, "alice-1", "alice", "{\"raw_data\":true}");
        run_for(fixture, 500 * TIME_MILLISECOND);
        check_chunks(client, "1#low|0[]", 1500, 100);
        size_t diff = 0, completes = 0, partials = 0;
        for (size_t i = 0; i < line_count(client); i++) {
            const char *kind = line_kind(line(client, i));
            diff = strcmp(kind, "checkpoint_diff") == 0 ? i : diff;
            completes += strcmp(kind, "checkpoint_complete") == 0;
            partials += strcmp(kind, "partial_checkpoint_complete") == 0;
        }
        assert_int_equal(completes, 1);
        if (!relevant) {
            assert_int_equal(diff, 0);
            assert_int_equal(partials, 1); /* the empty urgent group of the first checkpoint */
        } else {
            assert_in_range(diff, 2 + 10, 2 + 14); /* after 1000 operations, before the end */
            const json_t *updated =
                json_object_get(line_of(client, diff, "checkpoint_diff"), "updated_buckets");
            assert_int_equal(json_array_size(updated), 1);
            assert_string_equal(json_text(line_of(client, diff + 1, "data"), "bucket"), "1#own|0[\"alice\"]");
            assert_string_equal(line_kind(line(client, diff + 2)), "partial_checkpoint_complete");
            assert_string_equal(json_text(line_of(client, diff + 3, "data"), "bucket"), "1#low|0[]");
            assert_int_equal(partials, 2);
        }
        client_close(client);
        fixture_destroy(fixture);
    }
}

/* S22, S23 */
static void subscriptions(void **state) {
    struct fixture *fixture = *state;
    start(fixture);
    struct client *client = client_open(
        fixture, "alice-1", "alice",
        "{\"streams\":{\"subscriptions\":[{\"stream\":\"own\",\"parameters\":null,\"override_priority\":0},"
        "{\"stream\":\"nobody\",\"parameters\":null,\"override_priority\":null},"
        "{\"stream\":\"extra\",\"parameters\":{},\"override_priority\":null}]}}");
    run_for(fixture, 100 * TIME_MILLISECOND);
    const json_t *checkpoint = line_of(client, 0, "checkpoint");
    assert_json(
        json_object_get(checkpoint, "streams"),
        "[{\"name\":\"low\",\"is_default\":true,\"errors\":[]},{\"name\":\"urgent\",\"is_default\":true,"
        "\"errors\":[]},{\"name\":\"own\",\"is_default\":true,\"errors\":[]},{\"name\":\"extra\","
        "\"is_default\":false,\"errors\":[]}]");
    const json_t *buckets = json_object_get(checkpoint, "buckets");
    assert_int_equal(json_array_size(buckets), 4);
    assert_json(at(buckets, 2),
                "{\"bucket\":\"1#own|0[\\\"alice\\\"]\",\"checksum\":0,\"count\":0,\"priority\":0,"
                "\"subscriptions\":[{\"sub\":0},{\"default\":2}]}");
    assert_json(at(buckets, 3), "{\"bucket\":\"1#extra|0[]\",\"checksum\":0,\"count\":0,\"priority\":2,"
                                "\"subscriptions\":[{\"sub\":2}]}");
    client_close(client);
    client =
        client_open(fixture, "alice-1", "alice",
                    "{\"streams\":{\"include_defaults\":false,\"subscriptions\":[{\"stream\":\"extra\","
                    "\"parameters\":null,\"override_priority\":1},{\"stream\":\"extra\",\"parameters\":null,"
                    "\"override_priority\":null}]}}");
    run_for(fixture, 100 * TIME_MILLISECOND);
    assert_json(
        line(client, 0),
        "{\"checkpoint\":{\"last_op_id\":\"0\",\"buckets\":[{\"bucket\":\"1#extra|0[]\",\"checksum\":0,"
        "\"count\":0,\"priority\":1,\"subscriptions\":[{\"sub\":0},{\"sub\":1}]}],\"streams\":[{\"name\":"
        "\"extra\",\"is_default\":false,\"errors\":[]}]}}");
    client_close(client);
}

/* S15, and what comes before the end */
static void token_expiry(void **state) {
    struct fixture *fixture = *state;
    start(fixture);
    static const int64_t lives[] = {2, 30, -30};
    for (size_t i = 0; i < 3; i++) {
        json_t *claims = good_claims(fixture, "alice");
        json_object_set_new(claims, "iat", json_integer(wall_seconds(fixture) - 100));
        json_object_set_new(claims, "exp", json_integer(wall_seconds(fixture) + lives[i]));
        char *header = authorization_of(claims, TEST_SECRET);
        struct client *client =
            client_send(fixture, "alice-1", "POST", "/sync/stream", header, "application/json", "{}");
        free(header);
        run_for(fixture, 40 * TIME_SECOND);
        assert_true(client->ended);
        assert_int_equal(client->status, 200);
        size_t last = line_count(client) - 1;
        assert_json(line(client, last), "{\"token_expires_in\":0}");
        if (lives[i] < 0)
            assert_int_equal(last, 0);
        else if (lives[i] == 2) /* two priorities and the rest, all empty; too short for a warning */
            assert_kinds(client, "checkpoint partial_checkpoint_complete partial_checkpoint_complete "
                                 "checkpoint_complete token_expires_in");
        else
            assert_json(line(client, 4), "{\"token_expires_in\":20}");
        client_close(client);
    }
}

static void keepalive(void **state) {
    struct fixture *fixture = *state;
    start(fixture);
    struct client *client = client_open(fixture, "alice-1", "alice", "{}");
    run_for(fixture, 17900 * TIME_MILLISECOND);
    assert_int_equal(line_count(client), 4); /* nothing in the first 18 s */
    run_for(fixture, 4200 * TIME_MILLISECOND);
    assert_int_equal(line_count(client), 5);
    int64_t seconds = json_integer_value(line_of(client, 4, "token_expires_in"));
    assert_in_range(seconds, 3600 - 23, 3600 - 17);
    client_close(client);
}

/* Many commits while a stream pauses: one line for all, and the mark says so. */
static void commits_coalesce(void **state) {
    struct fixture *fixture = *state;
    fixture->fake->delta_rows = 1; /* a page, so a commit, for each row, without pauses */
    start(fixture);
    struct client *client = client_open(fixture, "alice-1", "alice", "{}");
    run_for(fixture, 300 * TIME_MILLISECOND);
    forget_lines(client);
    for (int i = 0; i < 20; i++)
        put(fixture, "todos", i, "alice");
    run_for(fixture, 2 * TIME_SECOND);
    size_t diffs = 0, operations = 0;
    for (size_t i = 0; i < line_count(client); i++) {
        diffs += json_object_get(line(client, i), "checkpoint_diff") != NULL;
        operations += json_array_size(json_object_get(json_object_get(line(client, i), "data"), "data"));
    }
    assert_int_equal(operations, 20);
    assert_in_range(diffs, 2, 10); /* commits are 2 ms apart, lines at least 10 ms */
    const struct world_counter *marks;
    size_t n_marks = world_marks(fixture->world, &marks), reached = 0;
    for (size_t i = 0; i < n_marks; i++)
        if (strcmp(marks[i].name, "service.checkpoint-coalesced") == 0)
            reached = marks[i].reached;
    assert_in_range(reached, 1, diffs);
    client_close(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(priorities),    TEST(chunks_by_count), TEST(chunks_by_size), cmocka_unit_test(interruption),
        TEST(subscriptions), TEST(token_expiry),    TEST(keepalive),      TEST(commits_coalesce)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
