/* Write checkpoints: the three routes, batches, and what happens when something fails in between. */
#include "mock-powersync/unit.h"

#include "mock-powersync/fixture.h"

static const char *const yaml = "config: {edition: 3}\n"
                                "streams:\n"
                                "  own:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT *, uuid AS id FROM lists WHERE owner = auth.user_id()\n";

#define JSON "application/json"
#define GENERATED "/write-checkpoint2.json?client_id="
#define SOON (200 * TIME_MILLISECOND)

static int set_up(void **state) {
    struct fixture *fixture = fixture_create();
    fixture_start(fixture, yaml);
    run_for(fixture, 500 * TIME_MILLISECOND);
    fixture->fake->n_requests = 0;
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    fixture_destroy(*state);
    return 0;
}

static size_t asked(const struct fixture *fixture, const char *request) {
    size_t count = 0;
    for (size_t i = 0; i < fixture->fake->n_requests; i++)
        count += strcmp(fixture->fake->requests[i], request) == 0;
    return count;
}

#define HEAD "GET /api/list_snapshot"
#define MARKER "POST /api/mutation"

/* What it is called on the wire: with or without a query. */
static size_t heads(const struct fixture *fixture) {
    size_t count = 0;
    for (size_t i = 0; i < fixture->fake->n_requests; i++)
        count += strncmp(fixture->fake->requests[i], HEAD, strlen(HEAD)) == 0;
    return count;
}

static struct client *supply(struct fixture *fixture, const char *user, const char *client_id,
                             const char *id) {
    char *body = memory_format("{\"client_id\":\"%s\",\"checkpoint_request_id\":%s}", client_id, id);
    char *header = authorization_of(good_claims(fixture, user), TEST_SECRET);
    struct client *client =
        client_send(fixture, "alice-1", "POST", "/sync/checkpoint-request", header, JSON, body);
    free(header);
    free(body);
    return client;
}

static void assert_answer(struct client *client, int status, const char *body) {
    assert_int_equal(client->status, status);
    assert_string_equal(buffer_text(&client->body), body);
    assert_true(client->ended);
    client_close(client);
}

static void assert_failed(struct client *client, int status, const char *code) {
    json_t *body = json_parse(buffer_text(&client->body), client->body.length, NULL);
    assert_int_equal(client->status, status);
    assert_string_equal(json_text(json_object_get(body, "error"), "code"), code);
    json_decref(body);
    client_close(client);
}

/* S13: ids count for each user and client by themselves. */
static void keys(void **state) {
    struct fixture *fixture = *state;
    static const struct {
        const char *user, *target, *id;
    } cases[] = {{"alice", GENERATED "c1", "1"},
                 {"alice", GENERATED "c1", "2"},
                 {"alice", GENERATED "c2", "1"},
                 {"bob", GENERATED "c1", "1"},
                 {"alice", "/write-checkpoint2.json", "1"},
                 {"alice", GENERATED "c1", "3"},
                 {"alice/c1", "/write-checkpoint2.json", "4"}}; /* the same key, as in the real service */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client *client = client_get(fixture, "alice-1", cases[i].user, cases[i].target);
        run_for(fixture, SOON);
        char *body = memory_format("{\"data\":{\"write_checkpoint\":\"%s\"}}", cases[i].id);
        assert_answer(client, 200, body);
        free(body);
    }
}

/* S14 */
static void supplied_ids_rise(void **state) {
    struct fixture *fixture = *state;
    static const char *const cases[][2] = {{"\"5\"", "5"},
                                           {"3", "5"},
                                           {"\"5\"", "5"},
                                           {"9", "9"},
                                           {"\"9223372036854775807\"", "9223372036854775807"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client *client = supply(fixture, "alice", "c1", cases[i][0]);
        run_for(fixture, SOON);
        char *body = memory_format("{\"data\":{\"checkpoint_request_id\":\"%s\"}}", cases[i][1]);
        assert_answer(client, 200, body);
        free(body);
    }
}

/* The query counts, too, and the body wins. */
static void query_and_body(void **state) {
    struct fixture *fixture = *state;
    char *header = authorization_of(good_claims(fixture, "alice"), TEST_SECRET);
    static const struct {
        const char *target, *body, *id;
    } cases[] = {{"/sync/checkpoint-request?client_id=c1&checkpoint_request_id=4", NULL, "4"},
                 {"/sync/checkpoint-request?client_id=c%31", "{\"checkpoint_request_id\":2}", "4"},
                 {"/sync/checkpoint-request?checkpoint_request_id=7&client_id=c1",
                  "{\"checkpoint_request_id\":6,\"more\":[]}", "6"}};
    for (size_t i = 0; i < 3; i++) {
        struct client *client = client_send(fixture, "alice-1", "POST", cases[i].target, header,
                                            cases[i].body ? JSON : NULL, cases[i].body);
        run_for(fixture, SOON);
        char *body = memory_format("{\"data\":{\"checkpoint_request_id\":\"%s\"}}", cases[i].id);
        assert_answer(client, 200, body);
        free(body);
    }
    struct client *client =
        client_send(fixture, "alice-1", "GET", GENERATED "a&client_id=b", header, NULL, NULL);
    run_for(fixture, SOON);
    assert_failed(client, 400, "PSYNC_S2001"); /* a list is no text */
    free(header);
}

/* Requests of one instant share a head and a marker. */
static void same_instant(void **state) {
    struct fixture *fixture = *state;
    struct client *clients[20];
    for (size_t i = 0; i < 20; i++) {
        char *target = memory_format(GENERATED "c%zu", i);
        clients[i] = client_get(fixture, "alice-1", "alice", target);
        free(target);
    }
    run_for(fixture, SOON);
    for (size_t i = 0; i < 20; i++)
        assert_answer(clients[i], 200, "{\"data\":{\"write_checkpoint\":\"1\"}}");
    assert_int_equal(heads(fixture), 1);
    assert_int_equal(asked(fixture, MARKER), 1);
}

/* The greatest id that was supplied under a key is stored, and is everybody's answer. */
static void same_key(void **state) {
    struct fixture *fixture = *state;
    struct client *clients[6];
    static const char *const ids[] = {"3", "8", "5", "4"};
    for (size_t i = 0; i < 6; i++) {
        clients[i] = i < 4 ? supply(fixture, "alice", i < 3 ? "c1" : "c2", ids[i])
                           : client_get(fixture, "alice-1", "bob", GENERATED "c1");
        run_for(fixture, TIME_MILLISECOND / 10); /* they come in this order */
    }
    run_for(fixture, SOON);
    for (size_t i = 0; i < 3; i++)
        assert_answer(clients[i], 200, "{\"data\":{\"checkpoint_request_id\":\"8\"}}");
    assert_answer(clients[3], 200, "{\"data\":{\"checkpoint_request_id\":\"4\"}}");
    assert_answer(clients[4], 200, "{\"data\":{\"write_checkpoint\":\"1\"}}");
    assert_answer(clients[5], 200, "{\"data\":{\"write_checkpoint\":\"1\"}}");
    assert_int_equal(heads(fixture), 1);
}

/* Three batches run at once; all that comes meanwhile goes together in the fourth. */
static void three_batches(void **state) {
    struct fixture *fixture = *state;
    struct client *clients[10];
    fixture->fake->hold = true;
    for (size_t i = 0; i < 10; i++) {
        char *target = memory_format(GENERATED "c%zu", i);
        clients[i] = client_get(fixture, "alice-1", "alice", target);
        free(target);
        run_for(fixture, 5 * TIME_MILLISECOND);
    }
    assert_int_equal(heads(fixture), 3);
    assert_int_equal(fixture->fake->n_held, 3);
    fake_release(fixture->fake); /* the heads; the markers are held, too */
    run_for(fixture, 20 * TIME_MILLISECOND);
    assert_int_equal(asked(fixture, MARKER), 3);
    fixture->fake->hold = false;
    fake_release(fixture->fake);
    run_for(fixture, SOON);
    for (size_t i = 0; i < 10; i++)
        assert_answer(clients[i], 200, "{\"data\":{\"write_checkpoint\":\"1\"}}");
    assert_int_equal(heads(fixture), 4);
    assert_int_equal(asked(fixture, MARKER), 4);
}

/* An id that a client supplied again, when a checkpoint has passed its head, needs no marker; one that is
 * given out always does. */
static void no_needless_marker(void **state) {
    struct fixture *fixture = *state;
    client_close(supply(fixture, "alice", "c1", "5"));
    run_for(fixture, 3 * TIME_SECOND); /* the marker was replicated */
    assert_int_equal(asked(fixture, MARKER), 1);
    struct client *client = supply(fixture, "alice", "c1", "5");
    run_for(fixture, SOON);
    assert_answer(client, 200, "{\"data\":{\"checkpoint_request_id\":\"5\"}}");
    assert_int_equal(asked(fixture, MARKER), 1);
    client = supply(fixture, "alice", "c1", "6");
    run_for(fixture, SOON);
    assert_answer(client, 200, "{\"data\":{\"checkpoint_request_id\":\"6\"}}");
    assert_int_equal(asked(fixture, MARKER), 2);
    client = supply(fixture, "alice", "c1", "6"); /* still pending */
    run_for(fixture, SOON);
    assert_answer(client, 200, "{\"data\":{\"checkpoint_request_id\":\"6\"}}");
    assert_int_equal(asked(fixture, MARKER), 3);
}

/* A failing source fails the whole batch, once; a marker that fails has consumed the id. */
static void failures(void **state) {
    struct fixture *fixture = *state;
    fixture->fake->fail_heads = 1;
    struct client *first = client_get(fixture, "alice-1", "alice", GENERATED "c1"),
                  *second = client_get(fixture, "alice-1", "bob", GENERATED "c1");
    run_for(fixture, SOON);
    assert_failed(first, 500, "PSYNC_S2001");
    assert_failed(second, 500, "PSYNC_S2001");
    assert_int_equal(heads(fixture), 1);
    fixture->fake->fail_markers = 1;
    first = client_get(fixture, "alice-1", "alice", GENERATED "c1");
    run_for(fixture, SOON);
    assert_failed(first, 500, "PSYNC_S2001");
    first = client_get(fixture, "alice-1", "alice", GENERATED "c1");
    run_for(fixture, SOON);
    assert_answer(first, 200, "{\"data\":{\"write_checkpoint\":\"2\"}}");
}

/* A request goes on without its caller: its id is announced. */
static void without_its_caller(void **state) {
    struct fixture *fixture = *state;
    fixture->fake->hold = true;
    struct client *client = client_get(fixture, "alice-1", "alice", GENERATED "c1");
    run_for(fixture, 20 * TIME_MILLISECOND);
    client_close(client);
    run_for(fixture, 20 * TIME_MILLISECOND);
    fixture->fake->hold = false;
    fake_release(fixture->fake);
    run_for(fixture, SOON);
    assert_int_equal(asked(fixture, MARKER), 1);
    client = client_get(fixture, "alice-1", "alice", GENERATED "c1");
    run_for(fixture, SOON);
    assert_answer(client, 200, "{\"data\":{\"write_checkpoint\":\"2\"}}");
}

/* 100 run, 100 wait, the next is refused without a word; whoever gave up makes room. */
static void overload(void **state) {
    struct fixture *fixture = *state;
    struct client *clients[201];
    fixture->fake->hold = true;
    for (size_t i = 0; i < 201; i++)
        clients[i] = client_get(fixture, "alice-1", "alice", GENERATED "c1");
    run_for(fixture, 50 * TIME_MILLISECOND);
    size_t refused = 0, last = 0;
    for (size_t i = 0; i < 201; i++)
        if (clients[i]->status) {
            assert_int_equal(clients[i]->status, 429);
            assert_int_equal(clients[i]->body.length, 0);
            assert_true(clients[i]->ended);
            refused++;
            last = i;
        }
    assert_int_equal(refused, 1);
    assert_int_equal(fixture->fake->n_held, 1);
    client_close(clients[last]);
    clients[last] = client_get(fixture, "alice-1", "alice", "/write-checkpoint.json"); /* the same group */
    run_for(fixture, 50 * TIME_MILLISECOND);
    assert_int_equal(clients[last]->status, 429);
    client_close(clients[last]);
    client_close(clients[(last + 1) % 201]);
    run_for(fixture, 50 * TIME_MILLISECOND);
    clients[last] = client_get(fixture, "alice-1", "alice", GENERATED "c1");
    run_for(fixture, 50 * TIME_MILLISECOND);
    assert_int_equal(clients[last]->status, 0);
    fixture->fake->hold = false;
    fake_release(fixture->fake);
    run_for(fixture, SOON);
    for (size_t i = 0; i < 201; i++)
        if (i != (last + 1) % 201) {
            assert_int_equal(clients[i]->status, 200);
            client_close(clients[i]);
        }
}

/* Clients of old wait for the checkpoint itself. */
static void legacy(void **state) {
    struct fixture *fixture = *state;
    fake_put(fixture->fake, FAKE_START + 1000, "lists", "j1", ",\"uuid\":\"u1\",\"owner\":\"alice\"");
    struct client *client = client_get(fixture, "alice-1", "alice", "/write-checkpoint.json");
    run_for(fixture, SOON);
    assert_int_equal(client->status, 0);
    assert_int_equal(asked(fixture, MARKER), 1);
    run_for(fixture, TIME_SECOND);
    assert_answer(client, 200, "{\"data\":{\"checkpoint\":\"1\"}}");
    fake_put(fixture->fake, fixture->fake->latest + 1000, "lists", "j2", ",\"uuid\":\"u2\"");
    fixture->fake->silent = true; /* no replication any more: 50 s, then an error */
    client = client_get(fixture, "alice-1", "alice", "/write-checkpoint.json");
    run_for(fixture, 49900 * TIME_MILLISECOND);
    assert_int_equal(client->status, 0);
    run_for(fixture, 200 * TIME_MILLISECOND);
    assert_failed(client, 500, "PSYNC_S2001");
}

static void legacy_failures(void **state) {
    struct fixture *fixture = *state;
    fixture->fake->fail_heads = 1;
    struct client *client = client_get(fixture, "alice-1", "alice", "/write-checkpoint.json");
    run_for(fixture, SOON);
    assert_failed(client, 500, "PSYNC_S2001");
    client = client_get(fixture, "alice-1", "alice", "/write-checkpoint.json");
    run_for(fixture, SOON);
    client_close(client); /* gave up; nothing may be left behind */
    run_for(fixture, 2 * TIME_SECOND);
}

static void nothing_deployed(void **state) {
    struct fixture *fixture = *state;
    powersync_service_destroy(fixture->service);
    fixture->fake->hold = true; /* the snapshot never comes */
    fixture_start(fixture, yaml);
    struct client *client = client_get(fixture, "alice-1", "alice", GENERATED "c1");
    run_for(fixture, SOON);
    assert_failed(client, 500, "PSYNC_S2302");
}

/* Custom ones: data like other data, seen with the commit that they came with, on an idle source too; each
 * device's alone, and never lower. Ids that are given out meanwhile are told to nobody. */
static void custom(void **state) {
    struct fixture *fixture = *state;
    powersync_service_destroy(fixture->service);
    fixture->service =
        fixture_start_on(fixture->service_host,
                         (struct powersync_options){.sync_config = yaml, .write_checkpoint_table = "done"});
    run_for(fixture, TIME_SECOND);
    struct client *mine =
        client_open(fixture, "alice-1", "alice", "{\"client_id\":\"c1\",\"raw_data\":true}");
    struct client *other =
        client_open(fixture, "alice-2", "alice", "{\"client_id\":\"c2\",\"raw_data\":true}");
    struct client *given = client_get(fixture, "alice-1", "alice", GENERATED "c1");
    run_for(fixture, 2 * TIME_SECOND);
    assert_answer(given, 200, "{\"data\":{\"write_checkpoint\":\"1\"}}");
    forget_lines(mine);
    forget_lines(other);
    fake_put(fixture->fake, fixture->fake->latest + 1000, "done", "d1",
             ",\"user_id\":\"alice\",\"client_id\":\"c1\",\"checkpoint\":\"41\"");
    run_for(fixture, 2 * TIME_SECOND);
    assert_kinds(mine, "checkpoint_diff checkpoint_complete");
    assert_string_equal(json_text(line_of(mine, 0, "checkpoint_diff"), "write_checkpoint"), "41");
    assert_int_equal(line_count(other), 0);
    forget_lines(mine);
    fake_put(fixture->fake, fixture->fake->latest + 1000, "done", "d2",
             ",\"user_id\":\"alice\",\"client_id\":\"c1\",\"checkpoint\":\"40\"");
    fake_put(fixture->fake, fixture->fake->latest + 1000, "done", "d3", ",\"user_id\":\"alice\"");
    run_for(fixture, 2 * TIME_SECOND);
    assert_int_equal(line_count(mine), 0);
    client_close(mine);
    client_close(other);
}

/* Rows that make no custom write checkpoint, or somebody else's: nobody is told, and the next good one
 * counts. */
static void custom_refused(void **state) {
    struct fixture *fixture = *state;
    static const char *const rows[] = {
        "",
        ",\"user_id\":\"alice\",\"client_id\":\"c1\"",
        ",\"client_id\":\"c1\",\"checkpoint\":\"41\"",
        ",\"user_id\":7.5,\"client_id\":\"c1\",\"checkpoint\":\"41\"",
        ",\"user_id\":\"alice\",\"client_id\":\"c1\",\"checkpoint\":true",
        ",\"user_id\":\"alice\",\"client_id\":\"c1\",\"checkpoint\":\"\"",
        ",\"user_id\":\"alice\",\"client_id\":\"c1\",\"checkpoint\":\"0\"",
        ",\"user_id\":\"alice\",\"client_id\":\"c1\",\"checkpoint\":\"-41\"",
        ",\"user_id\":\"alice\",\"client_id\":\"c1\",\"checkpoint\":\" 41\"",
        ",\"user_id\":\"alice\",\"client_id\":\"c1\",\"checkpoint\":\"41 or so\"",
        ",\"user_id\":\"alice\",\"client_id\":\"c1\",\"checkpoint\":\"9223372036854775808\"",
        ",\"user_id\":\"alice\",\"client_id\":\"c2\",\"checkpoint\":\"41\"",
        ",\"user_id\":\"bob\",\"client_id\":\"c1\",\"checkpoint\":\"41\"",
        ",\"user_id\":\"alice\",\"checkpoint\":\"41\"", /* of no device */
    };
    powersync_service_destroy(fixture->service);
    fixture->service =
        fixture_start_on(fixture->service_host,
                         (struct powersync_options){.sync_config = yaml, .write_checkpoint_table = "done"});
    run_for(fixture, TIME_SECOND);
    struct client *client =
        client_open(fixture, "alice-1", "alice", "{\"client_id\":\"c1\",\"raw_data\":true}");
    run_for(fixture, 2 * TIME_SECOND);
    forget_lines(client);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char id[16];
        snprintf(id, sizeof id, "d%zu", i);
        fake_put(fixture->fake, fixture->fake->latest + 1000, "done", id, rows[i]);
    }
    run_for(fixture, 2 * TIME_SECOND);
    assert_int_equal(line_count(client), 0);
    fake_put(fixture->fake, fixture->fake->latest + 1000, "done", "good",
             ",\"user_id\":\"alice\",\"client_id\":\"c1\",\"checkpoint\":\"1\"");
    run_for(fixture, 2 * TIME_SECOND);
    assert_kinds(client, "checkpoint_diff checkpoint_complete");
    assert_string_equal(json_text(line_of(client, 0, "checkpoint_diff"), "write_checkpoint"), "1");
    client_close(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(keys),
                                       TEST(supplied_ids_rise),
                                       TEST(query_and_body),
                                       TEST(same_instant),
                                       TEST(same_key),
                                       TEST(three_batches),
                                       TEST(no_needless_marker),
                                       TEST(failures),
                                       TEST(without_its_caller),
                                       TEST(overload),
                                       TEST(legacy),
                                       TEST(legacy_failures),
                                       TEST(nothing_deployed),
                                       TEST(custom),
                                       TEST(custom_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
