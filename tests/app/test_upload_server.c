/* The app's own server between clients and a deployment: who may upload, what arrives, what is refused, and
 * that a second arrival changes nothing. */
#include "cmocka_all.h"
#include "issuer_answer.h"

#include <stdlib.h>
#include <string.h>

#include "app/upload_server.h"
#include "base/json.h"
#include "base/jwt.h"
#include "base/memory.h"
#include "net/net.h"

struct fixture {
    struct world *world;
    struct net *net;
    struct convex_deployment *deployment;
    struct app_issuer *issuer;
    struct upload_server *server;
    struct host *client;
    struct map documents; /* uuid -> json_t * */
    size_t commits;
};

static void free_json(void *value) {
    json_decref(value);
}

static void on_note(void *context, int64_t now, const char *node, const struct note *note) {
    struct fixture *fixture = context;
    (void)now;
    (void)node;
    fixture->commits += note->kind == NOTE_COMMIT;
    for (size_t i = 0; note->kind == NOTE_COMMIT && i < note->n_rows; i++) {
        const char *values = note->rows[i].values;
        json_t *document = values ? json_parse(values, strlen(values), NULL) : NULL;
        const char *uuid = json_text(document, "uuid");
        if (uuid)
            json_decref(map_set(&fixture->documents, uuid, json_incref(document)));
        json_decref(document);
    }
}

static int set_up(void **state) {
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    const struct app *app = app_find("notes");
    fixture->world = world_create(&(struct world_settings){.seed = 1, .max_events = 100000});
    const struct world_observer observer = {.note = on_note, .context = fixture};
    world_observe(fixture->world, &observer);
    fixture->net = net_create(fixture->world, &(struct net_settings){.latency = TIME_MILLISECOND});
    const struct convex_deployment_options options = {.deploy_key = "dev:x|y",
                                                      .tables = app->tables,
                                                      .n_tables = app->n_tables,
                                                      .functions = app->functions,
                                                      .n_functions = app->n_functions,
                                                      .mutation_time_low = TIME_MILLISECOND,
                                                      .mutation_time_high = TIME_MILLISECOND,
                                                      .read_time = TIME_MILLISECOND};
    fixture->deployment = convex_deployment_create(net_node(fixture->net, "convex"), &options);
    fixture->issuer =
        app_issuer_create(net_node(fixture->net, "issuer"), "key-1", "secret", "powersync", TIME_HOUR);
    const struct upload_server_settings settings = {
        .deployment = "convex", .deploy_key = "dev:x|y", .issuer = fixture->issuer};
    fixture->server = upload_server_create(net_node(fixture->net, "backend"), &settings);
    fixture->client = net_node(fixture->net, "alice-1");
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    upload_server_destroy(fixture->server);
    app_issuer_destroy(fixture->issuer);
    if (fixture->deployment)
        convex_deployment_destroy(fixture->deployment);
    net_destroy(fixture->net);
    world_destroy(fixture->world);
    map_free(&fixture->documents, free_json);
    free(fixture);
    return 0;
}

static void on_failed(void *context, uint64_t exchange, enum http_failure failure) {
    (void)context;
    (void)exchange;
    fail_msg("the exchange failed: %d", (int)failure);
}

static char *token_of(struct fixture *fixture, const char *user, const char *audience, int64_t seconds) {
    json_t *claims = json_object();
    json_object_set_new(claims, "sub", json_string(user));
    json_object_set_new(claims, "aud", json_string(audience));
    json_object_set_new(claims, "exp",
                        json_integer(host_wall_clock(fixture->client) / TIME_SECOND + seconds));
    char *token = jwt_sign_hs256("key-1", claims, "secret", 6);
    json_decref(claims);
    return token;
}

/* Returns the status; `expected` is the whole body, NULL: any. Takes the token. */
static int ask(struct fixture *fixture, const char *method, const char *target, char *token, const char *body,
               const char *expected) {
    static const struct http_client_events events = {on_head, on_body, on_end, on_failed};
    struct answer answer = {0};
    char *bearer = memory_format("Bearer %s", token ? token : "");
    const struct http_header header = {"authorization", bearer};
    const struct http_request request = {.authority = "backend",
                                         .method = method,
                                         .target = target,
                                         .headers = &header,
                                         .n_headers = token ? 1 : 0,
                                         .body = body,
                                         .body_length = strlen(body)};
    struct error error = {0};
    host_http_send(fixture->client, &request, &events, &answer);
    assert_int_equal(world_run(fixture->world, world_now(fixture->world) + 40 * TIME_SECOND, &error),
                     STATUS_OK);
    assert_true(answer.ended);
    if (expected)
        assert_string_equal(buffer_text(&answer.body), expected);
    buffer_free(&answer.body);
    free(bearer);
    free(token);
    return answer.status;
}

static int put(struct fixture *fixture, const char *user, const char *body, const char *expected) {
    return ask(fixture, "PUT", "/api/powersync/upload", token_of(fixture, user, "powersync", 600), body,
               expected);
}

static const char one_note[] =
    "{\"client_id\":\"c1\",\"transactions\":[{\"op_id\":\"7\",\"ops\":[{\"op\":\"PUT\","
    "\"table\":\"notes\",\"id\":\"n1\",\"data\":{\"title\":\"a\",\"done\":1,"
    "\"remind_at\":1767225600}}]}]}";

static const json_t *field(struct fixture *fixture, const char *uuid, const char *name) {
    const json_t *document = map_get(&fixture->documents, uuid);
    assert_non_null(document);
    return json_object_get(document, name);
}

static void test_who_may_upload(void **state) {
    struct fixture *fixture = *state;
    const char *path = "/api/powersync/upload";
    assert_int_equal(ask(fixture, "PUT", path, NULL, one_note, NULL), 401);
    assert_int_equal(ask(fixture, "PUT", path, token_of(fixture, "alice", "convex", 600), one_note, NULL),
                     401);
    assert_int_equal(ask(fixture, "PUT", path, token_of(fixture, "alice", "powersync", -1), one_note, NULL),
                     401);
    char *forged = token_of(fixture, "alice", "powersync", 600);
    char *last = &forged[strlen(forged) - 5];
    *last = *last == 'A' ? 'B' : 'A';
    assert_int_equal(ask(fixture, "PUT", path, forged, one_note, NULL), 401);
    assert_int_equal(fixture->commits, 0);
    assert_int_equal(put(fixture, "alice", one_note, "{\"results\":[{\"op_id\":\"7\"}]}"), 200);
    assert_int_equal(fixture->commits, 1);
}

static void test_what_arrives(void **state) {
    struct fixture *fixture = *state;
    put(fixture, "alice", one_note, NULL);
    assert_string_equal(json_string_value(field(fixture, "n1", "ownerId")), "alice");
    assert_true(json_is_true(field(fixture, "n1", "done")));
    assert_true(json_number_value(field(fixture, "n1", "remindAt")) == 1767225600000.0);
    assert_true(json_is_null(field(fixture, "n1", "deletedAt")));
}

static void test_second_arrival(void **state) {
    struct fixture *fixture = *state;
    put(fixture, "alice", one_note, NULL);
    put(fixture, "alice", one_note, "{\"results\":[{\"op_id\":\"7\"}]}");
    assert_int_equal(fixture->commits, 1);
    /* The same number of another device is another transaction. */
    put(fixture, "alice",
        "{\"client_id\":\"c2\",\"transactions\":[{\"op_id\":\"7\",\"ops\":[{\"op\":\"PUT\",\"table\":"
        "\"folders\",\"id\":\"f1\",\"data\":{\"name\":\"b\"}}]}]}",
        NULL);
    assert_int_equal(fixture->commits, 2);
}

static void test_deleting_is_a_mark(void **state) {
    struct fixture *fixture = *state;
    put(fixture, "alice", one_note, NULL);
    put(fixture, "alice",
        "{\"client_id\":\"c1\",\"transactions\":[{\"op_id\":\"8\",\"ops\":[{\"op\":\"DELETE\",\"table\":"
        "\"notes\",\"id\":\"n1\"}]}]}",
        NULL);
    assert_true(json_is_number(field(fixture, "n1", "deletedAt")));
    const double when = json_number_value(field(fixture, "n1", "deletedAt"));
    static const char late[] =
        "{\"client_id\":\"c1\",\"transactions\":[{\"op_id\":\"9\",\"ops\":[{\"op\":\"DELETE\",\"table\":"
        "\"notes\",\"id\":\"n1\"},{\"op\":\"PATCH\",\"table\":\"notes\",\"id\":\"n1\",\"data\":{\"title\":"
        "\"late\"}}]}]}";
    for (int arrival = 1; arrival <= 2; arrival++) /* a second one is told the same */
        put(fixture, "alice", late, "{\"results\":[{\"op_id\":\"9\",\"missed\":[\"notes/n1\"]}]}");
    ask(fixture, "POST", "/api/sync", token_of(fixture, "alice", "powersync", 600),
        "{\"client_id\":\"c1\",\"batch\":[{\"op_id\":12,\"tx_id\":10,\"op\":\"PATCH\",\"type\":\"notes\","
        "\"id\":"
        "\"n1\",\"data\":{\"done\":1}}]}",
        "{\"rejected\":[],\"missed\":[{\"tx_id\":\"10\",\"rows\":[\"notes/n1\"]}]}");
    assert_true(json_number_value(field(fixture, "n1", "deletedAt")) == when);
    assert_string_equal(json_string_value(field(fixture, "n1", "title")), "a");
}

static void test_rows_of_others(void **state) {
    struct fixture *fixture = *state;
    static const char *const operations[] = {
        "{\"op\":\"PUT\",\"table\":\"notes\",\"id\":\"n1\",\"data\":{\"title\":\"mine\"}}",
        "{\"op\":\"PATCH\",\"table\":\"notes\",\"id\":\"n1\",\"data\":{\"title\":\"mine\"}}",
        "{\"op\":\"DELETE\",\"table\":\"notes\",\"id\":\"n1\"}"};
    put(fixture, "alice", one_note, NULL);
    for (int i = 0; i < 3; i++) {
        char *body =
            memory_format("{\"client_id\":\"c9\",\"transactions\":[{\"op_id\":\"%d\",\"ops\":[%s]}]}", i + 1,
                          operations[i]);
        assert_int_equal(put(fixture, "bob", body, NULL), 200);
        free(body);
    }
    assert_int_equal(fixture->commits, 1);
    assert_string_equal(json_string_value(field(fixture, "n1", "title")), "a");
}

static void notes_upload(struct fixture *fixture, const char *user, int number, const char *operations,
                         const char *answer) {
    char *body = memory_format("{\"client_id\":\"c-%s\",\"transactions\":[{\"op_id\":\"%d\",\"ops\":[%s]}]}",
                               user, number, operations);
    put(fixture, user, body, answer);
    free(body);
}

#define PUT_FOLDER "{\"op\":\"PUT\",\"table\":\"folders\",\"id\":\"f\",\"data\":{\"name\":\"f\"}}"
#define PUT_NOTE                                                                                             \
    "{\"op\":\"PUT\",\"table\":\"notes\",\"id\":\"n\",\"data\":{\"title\":\"n\",\"folder_id\":\"f\"}}"

/* A folder is there as long as a note is in it, and both have one owner. */
static void test_folders(void **state) {
    struct fixture *fixture = *state;
    static const char delete_folder[] = "{\"op\":\"DELETE\",\"table\":\"folders\",\"id\":\"f\"}";
    static const char delete_note[] = "{\"op\":\"DELETE\",\"table\":\"notes\",\"id\":\"n\"}";
    notes_upload(fixture, "alice", 1, PUT_FOLDER "," PUT_NOTE, NULL);
    notes_upload(fixture, "alice", 2, delete_folder, NULL);
    assert_true(json_is_null(field(fixture, "f", "deletedAt")));
    notes_upload(fixture, "alice", 3, delete_note, NULL);
    notes_upload(fixture, "alice", 4, delete_folder, NULL);
    assert_true(json_is_number(field(fixture, "f", "deletedAt")));
    notes_upload(fixture, "alice", 5, PUT_NOTE, NULL);
    assert_true(json_is_null(field(fixture, "f", "deletedAt")));
    notes_upload(fixture, "bob", 1,
                 "{\"op\":\"PUT\",\"table\":\"notes\",\"id\":\"his\",\"data\":{\"title\":\"n\",\"folder_id\":"
                 "\"f\"}}",
                 NULL);
    assert_null(map_get(&fixture->documents, "his"));
}

static void hand_over(struct fixture *fixture, const char *to) {
    struct convex_value *args = convex_object();
    struct error error = {0};
    convex_object_set(args, "folder", convex_string("f"));
    convex_object_set(args, "to", convex_string(to));
    assert_int_equal(convex_deployment_run(fixture->deployment, "notes:handOver", args, NULL, &error),
                     STATUS_OK);
    convex_free(args);
}

static void test_hand_over(void **state) {
    struct fixture *fixture = *state;
    notes_upload(fixture, "alice", 1, PUT_FOLDER "," PUT_NOTE, NULL);
    hand_over(fixture, "bob");
    assert_string_equal(json_string_value(field(fixture, "f", "ownerId")), "bob");
    assert_string_equal(json_string_value(field(fixture, "n", "ownerId")), "bob");
    notes_upload(fixture, "alice", 2,
                 "{\"op\":\"PATCH\",\"table\":\"notes\",\"id\":\"n\",\"data\":{\"done\":1}}", NULL);
    assert_true(json_is_null(field(fixture, "n", "done")));
}

/* The middle one is refused as a whole; the others are there. */
static void test_refused_in_a_batch(void **state) {
    struct fixture *fixture = *state;
    const char *body =
        "{\"client_id\":\"c1\",\"batch\":["
        "{\"op_id\":1,\"tx_id\":1,\"op\":\"PUT\",\"type\":\"notes\",\"id\":\"a\",\"data\":{\"title\":\"a\"}},"
        "{\"op_id\":2,\"tx_id\":2,\"op\":\"PUT\",\"type\":\"notes\",\"id\":\"b\",\"data\":{\"title\":\"b\"}},"
        "{\"op_id\":3,\"tx_id\":2,\"op\":\"PUT\",\"type\":\"notes\",\"id\":\"c\",\"data\":{\"title\":\"\"}},"
        "{\"op_id\":4,\"tx_id\":3,\"op\":\"PUT\",\"type\":\"notes\",\"id\":\"d\",\"data\":{\"title\":\"d\"}}]"
        "}";
    assert_int_equal(
        ask(fixture, "POST", "/api/sync", token_of(fixture, "alice", "powersync", 600), body,
            "{\"rejected\":[{\"tx_id\":\"2\",\"error\":\"notes.title: the value does not fit the "
            "column's type text\"}]}"),
        200);
    assert_int_equal(fixture->commits, 2);
    assert_non_null(map_get(&fixture->documents, "a"));
    assert_null(map_get(&fixture->documents, "b"));
    assert_null(map_get(&fixture->documents, "c"));
    assert_non_null(map_get(&fixture->documents, "d"));
}

static void test_bad_requests(void **state) {
    struct fixture *fixture = *state;
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"client_id\":\"c\"}",
        "{\"client_id\":\"c\",\"transactions\":[1]}",
        "{\"client_id\":\"c\",\"transactions\":[{\"op_id\":\"x\",\"ops\":[]}]}",
        "{\"client_id\":\"c\",\"transactions\":[{\"op_id\":\"1\",\"ops\":[{\"op\":\"PUT\"}]}]}",
        "{\"client_id\":\"c\",\"transactions\":[{\"op_id\":\"1\",\"ops\":[{\"op\":\"PUT\",\"table\":"
        "\"notes\","
        "\"id\":\"n\",\"data\":[]}]}]}"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        assert_int_equal(put(fixture, "alice", bodies[i], NULL), 400);
    assert_int_equal(ask(fixture, "POST", "/api/powersync/upload", NULL, one_note, NULL), 405);
    assert_int_equal(ask(fixture, "GET", "/api/sync", NULL, "", NULL), 405);
    assert_int_equal(ask(fixture, "PUT", "/upload", NULL, one_note, NULL), 404);
    assert_int_equal(put(fixture, "alice", "{\"client_id\":\"c\",\"transactions\":[]}", "{\"results\":[]}"),
                     200);
    assert_int_equal(fixture->commits, 0);
}

static void test_too_many_operations(void **state) {
    struct fixture *fixture = *state;
    struct buffer body = {0};
    buffer_append_text(&body, "{\"client_id\":\"c\",\"batch\":[1");
    for (int i = 0; i < 10000; i++)
        buffer_append_text(&body, ",1");
    buffer_append_text(&body, "]}");
    assert_int_equal(ask(fixture, "POST", "/api/sync", token_of(fixture, "alice", "powersync", 600),
                         buffer_text(&body), NULL),
                     413);
    buffer_free(&body);
}

static void test_deployment_down(void **state) {
    struct fixture *fixture = *state;
    net_crash_node(fixture->net, "convex");
    convex_deployment_destroy(fixture->deployment);
    fixture->deployment = NULL;
    assert_int_equal(put(fixture, "alice", one_note, NULL), 503);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(test_who_may_upload), TEST(test_what_arrives),
                                       TEST(test_second_arrival), TEST(test_deleting_is_a_mark),
                                       TEST(test_rows_of_others), TEST(test_refused_in_a_batch),
                                       TEST(test_folders),        TEST(test_hand_over),
                                       TEST(test_bad_requests),   TEST(test_too_many_operations),
                                       TEST(test_deployment_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
