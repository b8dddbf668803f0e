/* The mutation that uploads run: what becomes of client operations, and that a second arrival changes
 * nothing. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/json.h"
#include "base/memory.h"
#include "net/net.h"

struct fixture {
    struct world *world;
    struct net *net;
    struct convex_deployment *deployment;
    struct map documents; /* document id -> json_t * */
    size_t commits;
};

static void free_json(void *value) {
    json_decref(value);
}

static void on_note(void *context, int64_t now, const char *node, const struct note *note) {
    struct fixture *fixture = context;
    (void)now;
    (void)node;
    if (note->kind != NOTE_COMMIT)
        return;
    fixture->commits++;
    for (size_t i = 0; i < note->n_rows; i++) {
        const struct note_row *row = &note->rows[i];
        json_t *document = row->values ? json_parse(row->values, strlen(row->values), NULL) : NULL;
        json_decref(document ? map_set(&fixture->documents, row->id, document)
                             : map_remove(&fixture->documents, row->id));
        if (document)
            json_object_set_new(document, "table", json_string(row->table));
    }
}

static int set_up(void **state) {
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    const struct app *app = app_find("todo");
    fixture->world = world_create(&(struct world_settings){.seed = 1, .max_events = 100000});
    const struct world_observer observer = {.note = on_note, .context = fixture};
    world_observe(fixture->world, &observer);
    fixture->net = net_create(fixture->world, &(struct net_settings){.latency = TIME_MILLISECOND});
    const struct convex_deployment_options options = {.deploy_key = "prod:x|y",
                                                      .tables = app->tables,
                                                      .n_tables = app->n_tables,
                                                      .functions = app->functions,
                                                      .n_functions = app->n_functions,
                                                      .mutation_time_low = TIME_MILLISECOND,
                                                      .mutation_time_high = TIME_MILLISECOND,
                                                      .read_time = TIME_MILLISECOND};
    fixture->deployment = convex_deployment_create(net_node(fixture->net, "convex"), &options);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    convex_deployment_destroy(fixture->deployment);
    net_destroy(fixture->net);
    world_destroy(fixture->world);
    map_free(&fixture->documents, free_json);
    free(fixture);
    return 0;
}

static enum status apply_args(struct fixture *fixture, const char *text, struct error *error) {
    json_t *json = json_parse(text, strlen(text), error);
    assert_non_null(json);
    struct convex_value *args = NULL;
    assert_int_equal(convex_from_json(json, &args, error), STATUS_OK);
    enum status status =
        convex_deployment_run(fixture->deployment, "sync:applyTransaction", args, NULL, error);
    convex_free(args);
    json_decref(json);
    return status;
}

static enum status apply(struct fixture *fixture, int transaction, const char *operations,
                         struct error *error) {
    char *text = memory_format("{\"clientId\":\"c1\",\"transactionId\":\"%d\",\"operations\":%s}",
                               transaction, operations);
    enum status status = apply_args(fixture, text, error);
    free(text);
    return status;
}

static void apply_well(struct fixture *fixture, int transaction, const char *operations) {
    struct error error = {0};
    if (apply(fixture, transaction, operations, &error) != STATUS_OK)
        fail_msg("%s: %s", operations, error.message);
}

/* The document with this uuid, or NULL; how many have it. */
static const json_t *find(struct fixture *fixture, const char *uuid, size_t *count) {
    const json_t *found = NULL;
    *count = 0;
    size_t position = 0;
    for (struct map_entry *entry; (entry = map_next(&fixture->documents, &position));)
        if (json_text(entry->value, "uuid") && !strcmp(json_text(entry->value, "uuid"), uuid)) {
            found = entry->value;
            ++*count;
        }
    return found;
}

static size_t receipts(struct fixture *fixture) {
    size_t count = 0, position = 0;
    for (struct map_entry *entry; (entry = map_next(&fixture->documents, &position));)
        count += !strcmp(json_text(entry->value, "table"), "upload_receipts");
    return count;
}

static const char put_one[] =
    "[{\"op\":\"PUT\",\"table\":\"todos\",\"id\":\"u1\",\"data\":{\"description\":\"a\",\"completed\":1,"
    "\"rank\":2.5,\"list_uuid\":\"l1\",\"owner_id\":\"alice\"}}]";

static void test_put(void **state) {
    struct fixture *fixture = *state;
    apply_well(fixture, 1, put_one);
    size_t count;
    const json_t *todo = find(fixture, "u1", &count);
    assert_int_equal(count, 1);
    assert_string_equal(json_text(todo, "table"), "todos");
    assert_string_equal(json_text(todo, "description"), "a");
    assert_true(json_is_true(json_object_get(todo, "completed"))); /* integer on the client, boolean here */
    assert_true(json_is_real(json_object_get(todo, "rank")) &&
                json_real_value(json_object_get(todo, "rank")) == 2.5);
    assert_true(
        json_is_null(json_object_get(todo, "shared_with"))); /* a column that PUT leaves out is null */
    assert_true(json_is_null(json_object_get(todo, "created_at")));
    assert_int_equal(receipts(fixture), 1);
    /* An integer from the client becomes a Float64: printed with a decimal point. */
    apply_well(
        fixture, 2,
        "[{\"op\":\"PATCH\",\"table\":\"todos\",\"id\":\"u1\",\"data\":{\"rank\":7,\"completed\":0}}]");
    todo = find(fixture, "u1", &count);
    assert_true(json_is_real(json_object_get(todo, "rank")) &&
                json_real_value(json_object_get(todo, "rank")) == 7.0);
    assert_true(json_is_false(json_object_get(todo, "completed")));
    assert_string_equal(json_text(todo, "description"), "a"); /* PATCH leaves the rest alone */
}

static void test_put_again_is_an_update(void **state) {
    struct fixture *fixture = *state;
    apply_well(fixture, 1, put_one);
    apply_well(fixture, 2,
               "[{\"op\":\"PUT\",\"table\":\"todos\",\"id\":\"u1\",\"data\":{\"description\":\"b\"}}]");
    size_t count;
    const json_t *todo = find(fixture, "u1", &count);
    assert_int_equal(count, 1);
    assert_string_equal(json_text(todo, "description"), "b");
    assert_true(json_is_null(json_object_get(todo, "rank"))); /* PUT states the whole row */
}

static void test_second_arrival(void **state) {
    struct fixture *fixture = *state;
    apply_well(fixture, 1, put_one);
    apply_well(fixture, 2,
               "[{\"op\":\"PATCH\",\"table\":\"todos\",\"id\":\"u1\",\"data\":{\"description\":\"b\"}}]");
    size_t commits = fixture->commits, count;
    apply_well(fixture, 1, put_one);
    assert_int_equal(fixture->commits, commits);
    assert_string_equal(json_text(find(fixture, "u1", &count), "description"), "b");
    assert_int_equal(count, 1);
    assert_int_equal(receipts(fixture), 2);
    /* The same number of another client is another transaction. */
    struct error error = {0};
    assert_int_equal(
        apply_args(fixture,
                   "{\"clientId\":\"c2\",\"transactionId\":\"1\",\"operations\":[{\"op\":\"PATCH\","
                   "\"table\":\"todos\",\"id\":\"u1\",\"data\":{\"description\":\"c\"}}]}",
                   &error),
        STATUS_OK);
    assert_string_equal(json_text(find(fixture, "u1", &count), "description"), "c");
}

static void test_delete(void **state) {
    struct fixture *fixture = *state;
    size_t count;
    apply_well(fixture, 1, put_one);
    apply_well(fixture, 2, "[{\"op\":\"DELETE\",\"table\":\"todos\",\"id\":\"u1\"}]");
    assert_null(find(fixture, "u1", &count));
    /* Who comes second changes nothing, and is told that all is well. */
    apply_well(fixture, 3, "[{\"op\":\"DELETE\",\"table\":\"todos\",\"id\":\"u1\"}]");
    apply_well(fixture, 4,
               "[{\"op\":\"PATCH\",\"table\":\"todos\",\"id\":\"u1\",\"data\":{\"description\":\"b\"}}]");
    assert_null(find(fixture, "u1", &count));
    assert_int_equal(receipts(fixture), 4);
}

/* A bad operation anywhere refuses the whole transaction, its receipt too. */
static void test_refused_as_a_whole(void **state) {
    struct fixture *fixture = *state;
    static const char *const bad[] = {
        "{\"op\":\"PUT\",\"table\":\"unknown\",\"id\":\"u2\",\"data\":{}}",
        "{\"op\":\"UPSERT\",\"table\":\"todos\",\"id\":\"u2\",\"data\":{}}",
        "{\"op\":\"PUT\",\"table\":\"todos\",\"data\":{}}",
        "{\"op\":\"PUT\",\"table\":\"todos\",\"id\":\"u2\",\"data\":{\"completed\":\"yes\"}}",
        "{\"op\":\"PUT\",\"table\":\"todos\",\"id\":\"u2\",\"data\":{\"description\":1}}",
        "{\"op\":\"PUT\",\"table\":\"todos\",\"id\":\"u2\",\"data\":{\"rank\":\"1\"}}",
        "{\"op\":\"PUT\",\"table\":\"todos\",\"id\":\"u2\",\"data\":[]}",
        "5",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *operations =
            memory_format("[{\"op\":\"PUT\",\"table\":\"lists\",\"id\":\"l1\",\"data\":{}},%s]", bad[i]);
        struct error error = {0};
        if (apply(fixture, 1, operations, &error) != STATUS_INVALID)
            fail_msg("%s is taken", operations);
        assert_true(error.message[0] != '\0');
        assert_int_equal(fixture->commits, 0);
        free(operations);
    }
    static const char *const bad_args[] = {"{}", "{\"clientId\":\"c\",\"transactionId\":1,\"operations\":[]}",
                                           "{\"clientId\":\"c\",\"transactionId\":\"1\"}",
                                           "{\"clientId\":\"c\",\"transactionId\":\"1\",\"operations\":{}}"};
    for (size_t i = 0; i < sizeof bad_args / sizeof *bad_args; i++) {
        struct error error = {0};
        assert_int_equal(apply_args(fixture, bad_args[i], &error), STATUS_INVALID);
    }
    assert_int_equal(fixture->commits, 0);
    apply_well(fixture, 1, put_one);
    assert_int_equal(fixture->commits, 1);
}

static void test_seed(void **state) {
    struct fixture *fixture = *state;
    static const char *const users[] = {"alice", "bob", "carol"};
    struct error error = {0};
    assert_int_equal(app_find("todo")->seed(fixture->deployment, users, 3, 2, 5, 42, &error), STATUS_OK);
    assert_int_equal(fixture->documents.count, 3 * 2 * (1 + 5));
    size_t shared = 0, position = 0;
    for (struct map_entry *entry; (entry = map_next(&fixture->documents, &position));) {
        const char *owner = json_text(entry->value, "owner_id"),
                   *with = json_text(entry->value, "shared_with");
        assert_non_null(owner);
        assert_true(!with || strcmp(owner, with) != 0);
        shared += with != NULL;
    }
    assert_int_equal(shared, 3 * (1 + 5)); /* one list of each user, with its to-dos */
    assert_int_equal(receipts(fixture), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_put),    TEST(test_put_again_is_an_update), TEST(test_second_arrival),
        TEST(test_delete), TEST(test_refused_as_a_whole),     TEST(test_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
