/* The service as its clients and its source see it: checkpoints, data, write checkpoints, replication after
 * trouble. */
#include "mock-powersync/unit.h"

#include "mock-powersync/fixture.h"

static const char *const yaml = "config: {edition: 3}\n"
                                "streams:\n"
                                "  own:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT *, uuid AS id FROM lists WHERE owner = auth.user_id()\n"
                                "  todos:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT *, uuid AS id FROM todos\n";

#define OPEN "{\"buckets\":[],\"raw_data\":true,\"client_id\":\"c1\"}"
#define OWN "1#own|0[\"alice\"]"

static int set_up(void **state) {
    *state = fixture_create();
    return 0;
}

static int tear_down(void **state) {
    fixture_destroy(*state);
    return 0;
}

static struct fixture *started(void **state) {
    struct fixture *fixture = *state;
    fixture_start(fixture, yaml);
    run_for(fixture, 500 * TIME_MILLISECOND);
    assert_true(powersync_service_position(fixture->service) > 0);
    return fixture;
}

static void put_list(struct fixture *fixture, int64_t ts, const char *id, const char *owner) {
    char *fields = memory_format(",\"uuid\":\"u-%s\",\"owner\":\"%s\"", id, owner);
    fake_put(fixture->fake, ts, "lists", id, fields);
    free(fields);
}

/* S1 */
static void first_connect_to_nothing(void **state) {
    struct fixture *fixture = started(state);
    struct client *client = client_open(fixture, "alice-1", "alice", OPEN);
    run_for(fixture, 100 * TIME_MILLISECOND);
    assert_int_equal(client->status, 200);
    assert_string_equal(client->content_type, "application/x-ndjson");
    assert_string_equal(client->accel_buffering, "no");
    assert_kinds(client, "checkpoint checkpoint_complete");
    assert_json(line(client, 0),
                "{\"checkpoint\":{\"last_op_id\":\"0\",\"buckets\":[{\"bucket\":\"1#own|0[\\\"alice\\\"]\","
                "\"checksum\":0,"
                "\"count\":0,\"priority\":3,\"subscriptions\":[{\"default\":0}]},{\"bucket\":\"1#todos|0[]\","
                "\"checksum\":0,\"count\":0,\"priority\":3,\"subscriptions\":[{\"default\":1}]}],\"streams\":"
                "[{\"name\":"
                "\"own\",\"is_default\":true,\"errors\":[]},{\"name\":\"todos\",\"is_default\":true,"
                "\"errors\":[]}]}}");
    assert_json(line(client, 1), "{\"checkpoint_complete\":{\"last_op_id\":\"0\"}}");
    client_close(client);
}

/* S2, S3 */
static void insert_then_update(void **state) {
    struct fixture *fixture = started(state);
    struct client *client = client_open(fixture, "alice-1", "alice", OPEN);
    run_for(fixture, 100 * TIME_MILLISECOND);
    forget_lines(client);
    put_list(fixture, FAKE_START + 1000, "j1", "alice");
    run_for(fixture, 2 * TIME_SECOND);
    assert_kinds(client, "checkpoint_diff data checkpoint_complete");
    const json_t *diff = line_of(client, 0, "checkpoint_diff");
    assert_string_equal(json_text(diff, "last_op_id"), "1");
    assert_int_equal(json_array_size(json_object_get(diff, "removed_buckets")), 0);
    const json_t *updated = json_object_get(diff, "updated_buckets");
    assert_int_equal(json_array_size(updated), 1);
    assert_string_equal(json_text(at(updated, 0), "bucket"), OWN);
    assert_int_equal(json_integer_or(at(updated, 0), "count", -1), 1);
    const json_t *operation = at(json_object_get(line_of(client, 1, "data"), "data"), 0);
    int64_t first = json_integer_or(operation, "checksum", -1);
    assert_int_equal((int32_t)first, json_integer_or(at(updated, 0), "checksum", 0));

    forget_lines(client);
    fake_put(fixture->fake, FAKE_START + 2000, "lists", "j1",
             ",\"uuid\":\"u-j1\",\"owner\":\"alice\",\"n\":1.0");
    run_for(fixture, 2 * TIME_SECOND);
    assert_kinds(client, "checkpoint_diff data checkpoint_complete");
    updated = json_object_get(line_of(client, 0, "checkpoint_diff"), "updated_buckets");
    assert_int_equal(json_integer_or(at(updated, 0), "count", -1), 2);
    const json_t *data = line_of(client, 1, "data");
    assert_string_equal(json_text(data, "after"), "1");
    assert_string_equal(json_text(data, "next_after"), "2");
    operation = at(json_object_get(data, "data"), 0);
    int64_t second = json_integer_or(operation, "checksum", -1);
    assert_int_equal((int32_t)(uint32_t)(first + second), json_integer_or(at(updated, 0), "checksum", 0));
    client_close(client);
}

/* S4: seen by the one who loses the row and the one who gets it */
static void row_changes_its_owner(void **state) {
    struct fixture *fixture = *state;
    put_list(fixture, FAKE_START + 1000, "j1", "alice");
    fixture = started(state);
    struct client *alice = client_open(fixture, "alice-1", "alice", OPEN);
    struct client *bob = client_open(fixture, "bob-1", "bob", OPEN);
    run_for(fixture, 100 * TIME_MILLISECOND);
    assert_kinds(alice, "checkpoint data checkpoint_complete");
    assert_kinds(bob, "checkpoint checkpoint_complete");
    forget_lines(alice);
    forget_lines(bob);
    put_list(fixture, FAKE_START + 2000, "j1", "bob");
    run_for(fixture, 2 * TIME_SECOND);
    const json_t *removed = at(json_object_get(line_of(alice, 1, "data"), "data"), 0);
    const json_t *put = at(json_object_get(line_of(bob, 1, "data"), "data"), 0);
    assert_string_equal(json_text(removed, "op"), "REMOVE");
    assert_true(json_is_null(json_object_get(removed, "data")));
    assert_string_equal(json_text(put, "op"), "PUT");
    assert_string_equal(json_text(put, "object_id"), "u-j1");
    assert_string_equal(json_text(put, "subkey"), json_text(removed, "subkey"));
    client_close(alice);
    client_close(bob);
}

/* S6, S7, and a position beyond the checkpoint */
static void reconnect_with_positions(void **state) {
    struct fixture *fixture = *state;
    put_list(fixture, FAKE_START + 1000, "j1", "alice");
    put_list(fixture, FAKE_START + 2000, "j2", "alice");
    fixture = started(state);
    static const char *const positions[] = {"0", "1", "2", "99"};
    static const size_t operations[] = {2, 1, 0, 0};
    for (size_t i = 0; i < 4; i++) {
        char *body = memory_format("{\"buckets\":[{\"name\":\"1#own|0[\\\"alice\\\"]\",\"after\":\"%s\"},"
                                   "{\"name\":\"9#unknown\",\"after\":\"7\"}]}",
                                   positions[i]);
        struct client *client = client_open(fixture, "alice-1", "alice", body);
        run_for(fixture, 100 * TIME_MILLISECOND);
        assert_kinds(client, operations[i] > 0 ? "checkpoint data checkpoint_complete"
                                               : "checkpoint checkpoint_complete");
        const json_t *bucket = at(json_object_get(line_of(client, 0, "checkpoint"), "buckets"), 0);
        assert_int_equal(json_integer_or(bucket, "count", -1), 2); /* over all operations */
        if (operations[i] > 0) {
            const json_t *data = line_of(client, 1, "data");
            assert_string_equal(json_text(data, "after"), positions[i]);
            assert_int_equal(json_array_size(json_object_get(data, "data")), operations[i]);
            /* raw_data absent: the row is an object */
            assert_true(json_is_object(json_object_get(at(json_object_get(data, "data"), 0), "data")));
        }
        client_close(client);
        free(body);
    }
}

/* S11: the requests to the source, the answer, and the announcement on an idle source */
static void write_checkpoint_on_an_idle_source(void **state) {
    struct fixture *fixture = started(state);
    struct client *stream = client_open(fixture, "alice-1", "alice", OPEN);
    run_for(fixture, 3 * TIME_SECOND);
    forget_lines(stream);
    size_t before = fixture->fake->n_requests;
    struct client *get = client_get(fixture, "alice-1", "alice", "/write-checkpoint2.json?client_id=c1");
    run_for(fixture, 20 * TIME_MILLISECOND);
    assert_int_equal(get->status, 200);
    assert_string_equal(get->content_type, "application/json; charset=utf-8");
    assert_string_equal(get->body.data, "{\"data\":{\"write_checkpoint\":\"1\"}}");
    assert_string_equal(fixture->fake->requests[before], "GET /api/list_snapshot?format=json");
    assert_string_equal(fixture->fake->requests[before + 1], "POST /api/mutation");
    run_for(fixture, 1200 * TIME_MILLISECOND);
    assert_kinds(stream, "checkpoint_diff checkpoint_complete");
    assert_json(line(stream, 0), "{\"checkpoint_diff\":{\"last_op_id\":\"0\",\"write_checkpoint\":\"1\","
                                 "\"removed_buckets\":[],\"updated_buckets\":[]}}");
    /* repeated on every line of the connection */
    put_list(fixture, fixture->fake->latest + 1000, "j1", "alice");
    run_for(fixture, 1200 * TIME_MILLISECOND);
    assert_string_equal(json_text(line_of(stream, 2, "checkpoint_diff"), "write_checkpoint"), "1");
    client_close(get);
    client_close(stream);
}

/* A marker that silently fails: answered all the same, announced only by the keepalive of an idle source. */
static void marker_that_marks_nothing(void **state) {
    struct fixture *fixture = started(state);
    fixture->fake->ignore_marker = true;
    struct client *stream = client_open(fixture, "alice-1", "alice", OPEN);
    struct client *get = client_get(fixture, "alice-1", "alice", "/write-checkpoint2.json?client_id=c1");
    run_for(fixture, 30 * TIME_SECOND);
    assert_int_equal(get->status, 200);
    assert_kinds(stream, "checkpoint checkpoint_complete token_expires_in");
    run_for(fixture, 40 * TIME_SECOND);
    const json_t *diff = NULL;
    for (size_t i = 2; i < line_count(stream) && !diff; i++)
        diff = json_object_get(line(stream, i), "checkpoint_diff");
    assert_string_equal(json_text(diff, "write_checkpoint"), "1");
    client_close(get);
    client_close(stream);
}

/* S12: announced only by a checkpoint that covers the head */
static void write_checkpoint_with_lag(void **state) {
    struct fixture *fixture = started(state);
    struct client *stream = client_open(fixture, "alice-1", "alice", OPEN);
    run_for(fixture, 2600 * TIME_MILLISECOND);
    forget_lines(stream);
    fixture->fake->delta_rows = 1;
    fixture->fake->silent = true;
    run_for(fixture, TIME_SECOND); /* the poll under way hangs */
    put_list(fixture, FAKE_START + 1000, "j1", "alice");
    put_list(fixture, FAKE_START + 2000, "j2", "alice");
    struct client *get = client_get(fixture, "alice-1", "alice", "/write-checkpoint2.json?client_id=c1");
    run_for(fixture, TIME_SECOND);
    assert_int_equal(get->status, 200);
    fixture->fake->silent = false;
    run_for(fixture, 110 * TIME_SECOND); /* time-out after 60 s, pause of 45 s */
    size_t diffs = 0, announced = 0;
    for (size_t i = 0; i < line_count(stream); i++) {
        const json_t *diff = json_object_get(line(stream, i), "checkpoint_diff");
        if (!diff)
            continue;
        diffs++;
        bool covers = strcmp(json_text(diff, "last_op_id"), "2") == 0;
        if (json_text(diff, "write_checkpoint")) {
            assert_true(covers);
            announced++;
        }
    }
    assert_true(diffs >= 1 && announced >= 1);
    client_close(get);
    client_close(stream);
}

/* S13 */
static void write_checkpoints_by_client(void **state) {
    struct fixture *fixture = started(state);
    struct client *one = client_open(fixture, "alice-1", "alice", "{\"client_id\":\"c1\"}");
    struct client *two = client_open(fixture, "alice-2", "alice", "{\"client_id\":\"c2\"}");
    run_for(fixture, TIME_SECOND);
    forget_lines(one);
    forget_lines(two);
    static const char *const ids[] = {"1", "2"};
    for (size_t i = 0; i < 2; i++) {
        struct client *get = client_get(fixture, "alice-1", "alice", "/write-checkpoint2.json?client_id=c1");
        run_for(fixture, TIME_SECOND + 200 * TIME_MILLISECOND);
        char *expected = memory_format("{\"data\":{\"write_checkpoint\":\"%s\"}}", ids[i]);
        assert_string_equal(get->body.data, expected);
        free(expected);
        client_close(get);
    }
    assert_kinds(one, "checkpoint_diff checkpoint_complete checkpoint_diff checkpoint_complete");
    assert_kinds(two, "");
    struct client *get = client_get(fixture, "alice-2", "alice", "/write-checkpoint2.json?client_id=c%32");
    run_for(fixture, TIME_SECOND + 200 * TIME_MILLISECOND);
    assert_string_equal(get->body.data, "{\"data\":{\"write_checkpoint\":\"1\"}}");
    assert_kinds(two, "checkpoint_diff checkpoint_complete");
    client_close(get);
    client_close(one);
    client_close(two);
}

/* S14 */
static void supplied_write_checkpoints(void **state) {
    struct fixture *fixture = started(state);
    static const char *const bodies[] = {"{\"client_id\":\"c1\",\"checkpoint_request_id\":\"5\"}",
                                         "{\"client_id\":\"c1\",\"checkpoint_request_id\":3}",
                                         "{\"client_id\":\"c1\",\"checkpoint_request_id\":5}",
                                         "{\"client_id\":\"c1\",\"checkpoint_request_id\":\"9\"}"};
    static const char *const replies[] = {"5", "5", "5", "9"};
    for (size_t i = 0; i < 4; i++) {
        char *header = authorization_of(good_claims(fixture, "alice"), TEST_SECRET);
        struct client *post = client_send(fixture, "alice-1", "POST", "/sync/checkpoint-request", header,
                                          "application/json", bodies[i]);
        run_for(fixture, 100 * TIME_MILLISECOND);
        char *expected = memory_format("{\"data\":{\"checkpoint_request_id\":\"%s\"}}", replies[i]);
        assert_string_equal(buffer_text(&post->body), expected);
        free(expected);
        free(header);
        client_close(post);
    }
}

/* The requests of a fresh start and of a restart, as recorded from the real service. */
static void requests_to_the_source(void **state) {
    struct fixture *fixture = *state;
    put_list(fixture, FAKE_START + 1000, "j1", "alice");
    fixture = started(state);
    static const char *const expected[] = {
        "GET /api/list_snapshot?format=json",
        "GET /api/json_schemas?format=json",
        "GET /api/json_schemas?format=json",
        "GET /api/list_snapshot?format=json&snapshot=1767225600000001000&table_name=lists",
        "GET /api/list_snapshot?format=json&snapshot=1767225600000001000&table_name=todos",
        "GET /api/json_schemas?format=json",
        "GET /api/json_schemas?format=json",
        "GET /api/document_deltas?format=json&cursor=1767225600000001000",
    };
    assert_int_equal(fixture->fake->n_requests, 8);
    for (size_t i = 0; i < 8; i++)
        assert_string_equal(fixture->fake->requests[i], expected[i]);
    assert_string_equal(fixture->fake->authorization, "Convex " TEST_KEY);
    run_for(fixture, TIME_SECOND);
    assert_int_equal(fixture->fake->n_requests, 9); /* one poll a second */

    net_crash_node(fixture->net, "powersync");
    powersync_service_crash(fixture->service);
    run_for(fixture, TIME_SECOND);
    assert_int_equal(fixture->fake->n_requests, 9);
    powersync_service_restart(fixture->service);
    run_for(fixture, 100 * TIME_MILLISECOND);
    assert_int_equal(fixture->fake->n_requests, 12);
    assert_string_equal(fixture->fake->requests[9], "GET /api/json_schemas?format=json");
    assert_string_equal(fixture->fake->requests[11],
                        "GET /api/document_deltas?format=json&cursor=1767225600000001000");
}

/* S24: crash anywhere in a snapshot of many pages; the end is the same and the boundary does not move. */
static void snapshot_resumes(void **state) {
    struct fixture *fixture = *state;
    fixture->fake->snapshot_rows = 2;
    for (int i = 0; i < 9; i++) {
        char id[4] = {'j', (char)('0' + i), 0, 0};
        put_list(fixture, FAKE_START + 1000 + i, id, "alice");
    }
    fixture_start(fixture, yaml);
    for (int crash = 0; crash < 6; crash++) {
        run_for(fixture, (5 + crash) * TIME_MILLISECOND);
        net_crash_node(fixture->net, "powersync");
        powersync_service_crash(fixture->service);
        if (crash == 2)
            put_list(fixture, FAKE_START + 5000, "k1", "alice"); /* after the boundary: by deltas */
        powersync_service_restart(fixture->service);
    }
    run_for(fixture, 2 * TIME_SECOND);
    struct client *client = client_open(fixture, "alice-1", "alice", OPEN);
    run_for(fixture, 100 * TIME_MILLISECOND);
    const json_t *bucket = at(json_object_get(line_of(client, 0, "checkpoint"), "buckets"), 0);
    assert_int_equal(json_integer_or(bucket, "count", -1), 10); /* no row twice, none lost */
    for (size_t i = 0; i < fixture->fake->n_requests; i++) {
        const char *at_snapshot = strstr(fixture->fake->requests[i], "&snapshot=");
        assert_true(!at_snapshot || strncmp(at_snapshot, "&snapshot=1767225600000001008", 29) == 0);
    }
    client_close(client);
}

/* S25 and the fault: a transaction is seen whole or not at all, also when the commit waits or fails. */
static void commit_is_whole(void **state) {
    for (int kind = 0; kind < 3; kind++) {
        struct fixture *fixture = fixture_create();
        struct fault_point action = {kind == 1 ? FAULT_DELAY : FAULT_ERROR, 5 * TIME_SECOND};
        if (kind > 0)
            world_drive_fault_point(fixture->world, "replicator.before-commit", 2, action);
        fixture_start(fixture, yaml);
        run_for(fixture, 500 * TIME_MILLISECOND);
        struct client *client = client_open(fixture, "alice-1", "alice", OPEN);
        run_for(fixture, 100 * TIME_MILLISECOND);
        forget_lines(client);
        for (int i = 0; i < 4; i++) {
            char id[4] = {'j', (char)('0' + i), 0, 0};
            put_list(fixture, FAKE_START + 1000, id, "alice");
        }
        int64_t late[] = {0, 5 * TIME_SECOND, 20 * TIME_SECOND};
        run_for(fixture, TIME_SECOND + late[kind] / 2);
        assert_int_equal(line_count(client), kind == 0 ? 3 : 0);
        run_for(fixture, TIME_SECOND + late[kind] / 2);
        const json_t *first = line_of(client, 0, "checkpoint_diff");
        int64_t count = json_integer_or(at(json_object_get(first, "updated_buckets"), 0), "count", -1);
        assert_int_equal(count, kind == 2 ? 8 : 4); /* after the error all rows are written again */
        client_close(client);
        fixture_destroy(fixture);
    }
    (void)state;
}

/* The mutant shows half a transaction for one polling interval. */
static void mutant_split_transaction(void **state) {
    struct fixture *fixture = *state;
    world_enable_mutant(fixture->world, "split-transaction");
    fixture = started(state);
    struct client *client = client_open(fixture, "alice-1", "alice", OPEN);
    run_for(fixture, 100 * TIME_MILLISECOND);
    forget_lines(client);
    put_list(fixture, FAKE_START + 1000, "j1", "alice");
    put_list(fixture, FAKE_START + 1000, "j2", "alice");
    put_list(fixture, FAKE_START + 1000, "j3", "alice");
    run_for(fixture, 3 * TIME_SECOND);
    assert_kinds(client, "checkpoint_diff data checkpoint_complete checkpoint_diff data checkpoint_complete");
    assert_int_equal(json_array_size(json_object_get(line_of(client, 1, "data"), "data")), 1);
    assert_int_equal(json_array_size(json_object_get(line_of(client, 4, "data"), "data")), 2);
    assert_int_equal(powersync_service_position(fixture->service), FAKE_START + 1000);
    client_close(client);
}

/* With the mapping stored late the marker is replicated first; with the right order that does no harm. */
static void mutant_ack_before_mapping(void **state) {
    (void)state;
    for (int mutant = 0; mutant < 2; mutant++) {
        struct fixture *fixture = fixture_create();
        if (mutant)
            world_enable_mutant(fixture->world, "ack-before-mapping");
        world_drive_fault_point(fixture->world, "service.before-mapping", 1,
                                (struct fault_point){FAULT_DELAY, 3 * TIME_SECOND});
        fixture_start(fixture, yaml);
        run_for(fixture, 2 * TIME_SECOND);
        struct client *stream = client_open(fixture, "alice-1", "alice", OPEN);
        struct client *get = client_get(fixture, "alice-1", "alice", "/write-checkpoint2.json?client_id=c1");
        run_for(fixture, 10 * TIME_SECOND);
        assert_int_equal(get->status, 200);
        assert_kinds(stream, mutant ? "checkpoint checkpoint_complete"
                                    : "checkpoint checkpoint_complete checkpoint_diff checkpoint_complete");
        client_close(get);
        client_close(stream);
        fixture_destroy(fixture);
    }
}

struct pause_case {
    int status;
    int64_t pause;
};

/* How long replication waits after each kind of failure. */
static void pauses_after_failures(void **state) {
    (void)state;
    static const struct pause_case cases[] = {{401, 120 * TIME_SECOND}, {403, 120 * TIME_SECOND},
                                              {429, 15 * TIME_SECOND},  {500, 10 * TIME_SECOND},
                                              {503, 10 * TIME_SECOND},  {400, 45 * TIME_SECOND},
                                              {200, 20 * TIME_SECOND}}; /* an object that is no page */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture *fixture = fixture_create();
        fixture_start(fixture, yaml);
        run_for(fixture, 500 * TIME_MILLISECOND);
        fixture->fake->fail_status = cases[i].status;
        fixture->fake->failures = 1;
        size_t before = fixture->fake->n_requests;
        run_for(fixture, 130 * TIME_SECOND);
        struct fake_convex *fake = fixture->fake;
        assert_string_equal(fake->requests[before],
                            "GET /api/document_deltas?format=json&cursor=1767225600000000000");
        int64_t gap = fake->request_times[before + 1] - fake->request_times[before];
        assert_in_range(gap, cases[i].pause, cases[i].pause + 10 * TIME_MILLISECOND);
        fixture_destroy(fixture);
    }
}

/* A source that breaks its word ends the job: nothing of the page is shown, and it is tried again 20 s later.
 */
static void timestamps_that_go_back(void **state) {
    struct fixture *fixture = started(state);
    struct client *client = client_open(fixture, "alice-1", "alice", OPEN);
    run_for(fixture, 100 * TIME_MILLISECOND);
    forget_lines(client);
    put_list(fixture, FAKE_START + 2000, "j1", "alice");
    fixture->fake->latest = FAKE_START + 1000;
    put_list(fixture, FAKE_START + 1000, "j2", "alice");
    run_for(fixture, 15 * TIME_SECOND);
    assert_kinds(client, "");
    struct fake_convex *fake = fixture->fake;
    fake->changes[1].ts = FAKE_START + 3000;
    fake->latest = FAKE_START + 3000;
    run_for(fixture, 7 * TIME_SECOND);
    assert_string_equal(line_kind(line(client, 0)), "checkpoint_diff");
    assert_string_equal(json_text(at(json_object_get(line_of(client, 1, "data"), "data"), 0), "object_id"),
                        "u-j1");
    client_close(client);
}

static void snapshot_of_another_boundary(void **state) {
    struct fixture *fixture = *state;
    fixture->fake->wrong_snapshot = true;
    fixture_start(fixture, yaml);
    run_for(fixture, 19 * TIME_SECOND);
    assert_int_equal(powersync_service_position(fixture->service), 0);
    fixture->fake->wrong_snapshot = false;
    run_for(fixture, 2 * TIME_SECOND);
    assert_int_equal(powersync_service_position(fixture->service), FAKE_START);
}

/* An idle source: one keepalive at once, then silence for the clients. */
static void idle_source(void **state) {
    struct fixture *fixture = started(state);
    struct client *client = client_open(fixture, "alice-1", "alice", OPEN);
    run_for(fixture, 70 * TIME_SECOND);
    assert_kinds(client, "checkpoint checkpoint_complete token_expires_in token_expires_in token_expires_in");
    assert_int_equal(powersync_service_position(fixture->service), FAKE_START);
    client_close(client);
}

/* Rows of tables that nothing selects move the cursor in memory only: after a crash they are read again. */
static void unselected_tables(void **state) {
    struct fixture *fixture = started(state);
    fake_put(fixture->fake, FAKE_START + 1000, "other", "o1", ",\"a\":1.0");
    run_for(fixture, 2 * TIME_SECOND);
    assert_int_equal(powersync_service_position(fixture->service), FAKE_START);
    assert_string_equal(fixture->fake->requests[fixture->fake->n_requests - 1],
                        "GET /api/document_deltas?format=json&cursor=1767225600000001000");
    net_crash_node(fixture->net, "powersync");
    powersync_service_crash(fixture->service);
    powersync_service_restart(fixture->service);
    run_for(fixture, 100 * TIME_MILLISECOND);
    assert_string_equal(fixture->fake->requests[fixture->fake->n_requests - 1],
                        "GET /api/document_deltas?format=json&cursor=1767225600000000000");
}

static void crash_cuts_streams(void **state) {
    struct fixture *fixture = started(state);
    struct client *client = client_open(fixture, "alice-1", "alice", OPEN);
    struct client *get = client_get(fixture, "alice-1", "alice", "/write-checkpoint2.json");
    run_for(fixture, 3 * TIME_MILLISECOND);
    net_crash_node(fixture->net, "powersync");
    powersync_service_crash(fixture->service);
    run_for(fixture, TIME_SECOND);
    assert_true(client->failed);
    assert_true(get->failed);
    struct client *refused = client_open(fixture, "alice-1", "alice", OPEN);
    run_for(fixture, TIME_SECOND);
    assert_true(refused->failed);
    powersync_service_restart(fixture->service);
    struct client *again = client_open(fixture, "alice-1", "alice", OPEN);
    run_for(fixture, 100 * TIME_MILLISECOND);
    assert_kinds(again, "checkpoint checkpoint_complete");
    client_close(client);
    client_close(get);
    client_close(refused);
    client_close(again);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(first_connect_to_nothing),
                                       TEST(insert_then_update),
                                       TEST(row_changes_its_owner),
                                       TEST(reconnect_with_positions),
                                       TEST(write_checkpoint_on_an_idle_source),
                                       TEST(marker_that_marks_nothing),
                                       TEST(write_checkpoint_with_lag),
                                       TEST(write_checkpoints_by_client),
                                       TEST(supplied_write_checkpoints),
                                       TEST(requests_to_the_source),
                                       TEST(snapshot_resumes),
                                       cmocka_unit_test(commit_is_whole),
                                       TEST(mutant_split_transaction),
                                       cmocka_unit_test(mutant_ack_before_mapping),
                                       cmocka_unit_test(pauses_after_failures),
                                       TEST(timestamps_that_go_back),
                                       TEST(snapshot_of_another_boundary),
                                       TEST(idle_source),
                                       TEST(unselected_tables),
                                       TEST(crash_cuts_streams)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
