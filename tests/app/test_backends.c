/* What the backends of the apps make of uploads, and that apps fit together. */
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
    struct map documents; /* "table uuid" -> json_t */
    size_t transactions;
};

static void free_json(void *value) {
    json_decref(value);
}

static void on_note(void *context, int64_t now, const char *node, const struct note *note) {
    struct fixture *fixture = context;
    (void)now, (void)node;
    for (size_t i = 0; note->kind == NOTE_COMMIT && i < note->n_rows; i++) {
        const struct note_row *row = &note->rows[i];
        json_t *document = json_parse(row->values, strlen(row->values), NULL);
        const char *uuid = json_text(document, "uuid");
        char *key = memory_format("%s %s", row->table, uuid ? uuid : row->id);
        json_decref(map_set(&fixture->documents, key, document));
        free(key);
    }
}

static struct fixture *open_app(const char *name) {
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    const struct app *app = app_find(name);
    assert_non_null(app);
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
    static const char *const users[] = {"alice", "bob"};
    struct error error = {0};
    if (app->seed(fixture->deployment, users, 2, 1, 3, 7, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return fixture;
}

static void close_app(struct fixture *fixture) {
    convex_deployment_destroy(fixture->deployment);
    net_destroy(fixture->net);
    world_destroy(fixture->world);
    map_free(&fixture->documents, free_json);
    free(fixture);
}

static enum status upload(struct fixture *fixture, const char *operations) {
    char *text = memory_format("{\"clientId\":\"c\",\"transactionId\":\"%zu\",\"operations\":[%s]}",
                               ++fixture->transactions, operations);
    struct error error = {0};
    json_t *json = json_parse(text, strlen(text), &error);
    struct convex_value *args = NULL;
    assert_non_null(json);
    assert_int_equal(convex_from_json(json, &args, &error), STATUS_OK);
    enum status status =
        convex_deployment_run(fixture->deployment, "sync:applyTransaction", args, NULL, &error);
    convex_free(args);
    json_decref(json);
    free(text);
    return status;
}

static const json_t *document(struct fixture *fixture, const char *key) {
    const json_t *found = map_get(&fixture->documents, key);
    assert_non_null(found);
    return found;
}

static int whole(struct fixture *fixture, const char *key, const char *field) {
    return (int)json_number_value(json_object_get(document(fixture, key), field));
}

/* The id of the nth row of a table, in the order of seeding. */
static const char *id_of(struct fixture *fixture, const char *table, size_t nth) {
    const struct map_entry *entry;
    const size_t length = strlen(table);
    for (size_t i = 0; (entry = map_next(&fixture->documents, &i));)
        if (!strncmp(entry->key, table, length) && entry->key[length] == ' ' && nth-- == 0)
            return entry->key + length + 1;
    fail_msg("too few rows in %s", table);
    return NULL;
}

static void transfer(struct fixture *fixture, const char *id, const char *from, const char *to, int amount) {
    char *operation = memory_format("{\"op\":\"PUT\",\"table\":\"transfers\",\"id\":\"%s\",\"data\":{"
                                    "\"from_account\":\"%s\",\"to_account\":\"%s\",\"amount\":%d}}",
                                    id, from, to, amount);
    assert_int_equal(upload(fixture, operation), STATUS_OK);
    free(operation);
}

static void test_bank(void **state) {
    (void)state;
    struct fixture *fixture = open_app("bank");
    const char *a = id_of(fixture, "accounts", 0), *b = id_of(fixture, "accounts", 1);
    char *key_a = memory_format("accounts %s", a), *key_b = memory_format("accounts %s", b);
    transfer(fixture, "t1", a, b, 30);
    assert_string_equal(json_text(document(fixture, "transfers t1"), "state"), "accepted");
    assert_int_equal(whole(fixture, key_a, "balance"), 70);
    assert_int_equal(whole(fixture, key_b, "balance"), 130);
    transfer(fixture, "t2", a, b, 71); /* more than there is */
    transfer(fixture, "t3", a, a, 1);
    transfer(fixture, "t4", a, "nobody", 1);
    transfer(fixture, "t5", b, a, -5);
    for (int i = 2; i <= 5; i++) {
        char *key = memory_format("transfers t%d", i);
        assert_string_equal(json_text(document(fixture, key), "state"), "refused");
        free(key);
    }
    assert_int_equal(whole(fixture, key_a, "balance"), 70);
    assert_int_equal(whole(fixture, key_b, "balance"), 130);
    free(key_a);
    free(key_b);
    close_app(fixture);
}

static void test_counter(void **state) {
    (void)state;
    struct fixture *fixture = open_app("counter");
    const char *counter = id_of(fixture, "counters", 0);
    char *key = memory_format("counters %s", counter);
    for (int i = 1; i <= 2; i++) {
        char *operation = memory_format("{\"op\":\"PUT\",\"table\":\"increments\",\"id\":\"i%d\",\"data\":{"
                                        "\"counter\":\"%s\",\"amount\":%d}}",
                                        i, counter, i + 1);
        assert_int_equal(upload(fixture, operation), STATUS_OK);
        free(operation);
    }
    assert_int_equal(whole(fixture, key, "value"), 5);
    assert_int_equal(whole(fixture, "increments i1", "total"), 2);
    assert_int_equal(whole(fixture, "increments i2", "total"), 5);
    assert_int_equal(upload(fixture, "{\"op\":\"PUT\",\"table\":\"increments\",\"id\":\"i3\",\"data\":{"
                                     "\"counter\":\"none\",\"amount\":1}}"),
                     STATUS_INVALID);
    free(key);
    close_app(fixture);
}

static void test_tickets(void **state) {
    (void)state;
    struct fixture *fixture = open_app("tickets"); /* with the numbers 1 and 2 */
    assert_int_equal(upload(fixture, "{\"op\":\"PUT\",\"table\":\"tickets\",\"id\":\"a\",\"data\":{"
                                     "\"title\":\"a\",\"closed\":0}},"
                                     "{\"op\":\"PUT\",\"table\":\"tickets\",\"id\":\"b\",\"data\":{"
                                     "\"title\":\"b\",\"closed\":0}}"),
                     STATUS_OK);
    assert_int_equal(whole(fixture, "tickets a", "number"), 3);
    assert_int_equal(whole(fixture, "tickets b", "number"), 4);
    assert_int_equal(
        upload(fixture, "{\"op\":\"PATCH\",\"table\":\"tickets\",\"id\":\"a\",\"data\":{\"closed\":1}}"),
        STATUS_OK);
    assert_int_equal(whole(fixture, "tickets a", "number"), 3);
    assert_true(json_is_true(json_object_get(document(fixture, "tickets a"), "closed")));
    close_app(fixture);
}

/* What came with a change stands beside it: why, and the name before. */
static void test_profile(void **state) {
    (void)state;
    struct fixture *fixture = open_app("profile");
    assert_int_equal(upload(fixture, "{\"op\":\"PUT\",\"table\":\"profiles\",\"id\":\"p\",\"data\":{"
                                     "\"name\":\"Ann\"},\"metadata\":\"joined\"}"),
                     STATUS_OK);
    assert_string_equal(json_text(document(fixture, "profiles p"), "comment"), "joined");
    assert_null(json_text(document(fixture, "profiles p"), "was"));
    assert_int_equal(upload(fixture, "{\"op\":\"PATCH\",\"table\":\"profiles\",\"id\":\"p\",\"data\":{"
                                     "\"name\":\"Anna\"},\"old\":{\"name\":\"Ann\"}}"),
                     STATUS_OK);
    assert_string_equal(json_text(document(fixture, "profiles p"), "comment"), "joined");
    assert_string_equal(json_text(document(fixture, "profiles p"), "was"), "Ann");
    close_app(fixture);
}

static void put_tag(struct fixture *fixture, const char *id, const char *name, enum status expected) {
    char *operation = memory_format("{\"op\":\"PUT\",\"table\":\"tags\",\"id\":\"%s\",\"data\":{"
                                    "\"entry_id\":\"e\",\"name\":\"%s\",\"colour\":\"%s\"}}",
                                    id, name, id);
    assert_int_equal(upload(fixture, operation), expected);
    free(operation);
}

/* The second row with a pair is dropped, merged into the first, or refused. */
static void test_diary_pairs(void **state) {
    (void)state;
    for (int64_t way = 0; way <= 2; way++) {
        struct fixture *fixture = open_app("diary");
        world_pin_knob(fixture->world, "diary.duplicate-tags", way);
        put_tag(fixture, "red", "home", STATUS_OK);
        put_tag(fixture, "blue", "garden", STATUS_OK);
        put_tag(fixture, "green", "home", way == 2 ? STATUS_INVALID : STATUS_OK);
        assert_null(map_get(&fixture->documents, "tags green"));
        assert_string_equal(json_text(document(fixture, "tags red"), "colour"), way == 1 ? "green" : "red");
        assert_non_null(map_get(&fixture->documents, "tags blue"));
        close_app(fixture);
    }
}

static void test_diary_entries(void **state) {
    (void)state;
    struct fixture *fixture = open_app("diary");
    assert_int_equal(upload(fixture,
                            "{\"op\":\"PUT\",\"table\":\"entries\",\"id\":\"old-1\",\"data\":{\"text\":"
                            "\"x\",\"source\":\"page 1\",\"starred\":\"true\",\"written_at\":"
                            "\"2026-01-01 01:00:05.123456+01:00\"}}"),
                     STATUS_OK);
    assert_true(json_is_true(json_object_get(document(fixture, "entries old-1"), "starred")));
    assert_string_equal(json_text(document(fixture, "entries old-1"), "written_at"),
                        "2026-01-01T00:00:05.123Z");
    assert_int_equal(upload(fixture,
                            "{\"op\":\"PATCH\",\"table\":\"entries\",\"id\":\"old-1\",\"data\":{\"text\":"
                            "\"edited\"}}"),
                     STATUS_OK);
    assert_int_equal(upload(fixture,
                            "{\"op\":\"PUT\",\"table\":\"entries\",\"id\":\"old-1\",\"data\":{\"text\":"
                            "\"x\",\"source\":\"page 1\"}}"),
                     STATUS_OK); /* the other device imports it, too */
    assert_string_equal(json_text(document(fixture, "entries old-1"), "text"), "edited");
    assert_int_equal(upload(fixture, "{\"op\":\"PATCH\",\"table\":\"entries\",\"id\":\"old-1\",\"data\":{"
                                     "\"written_at\":\"yesterday\"}}"),
                     STATUS_INVALID);
    close_app(fixture);
}

/* The tables of all apps have names of their own, and each app has what the rest relies on. */
static void test_apps_fit_together(void **state) {
    struct map seen = {0};
    (void)state;
    for (size_t a = 0; app_all()[a]; a++) {
        const struct app *app = app_all()[a];
        assert_ptr_equal(app_find(app->name), app);
        assert_non_null(app->actions[0].name);
        for (size_t t = 0; t < app->schema->n_tables; t++) {
            const char *table = app->schema->tables[t].name;
            bool deployed = app->schema->tables[t].local_only; /* nobody sends those */
            if (map_has(&seen, table))
                fail_msg("two apps have a table %s", table);
            map_set(&seen, table, (void *)(uintptr_t)app);
            for (size_t i = 0; i < app->n_tables; i++)
                deployed = deployed || !strcmp(app->tables[i].name, table);
            if (!deployed)
                fail_msg("the deployment of %s has no table %s", app->name, table);
        }
    }
    assert_null(app_find("no such app"));
    map_free(&seen, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bank),
                                       cmocka_unit_test(test_counter),
                                       cmocka_unit_test(test_tickets),
                                       cmocka_unit_test(test_profile),
                                       cmocka_unit_test(test_diary_pairs),
                                       cmocka_unit_test(test_diary_entries),
                                       cmocka_unit_test(test_apps_fit_together)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
