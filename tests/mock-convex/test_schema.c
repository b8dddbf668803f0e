/* Schemas: documents are held to them when they are written and when another schema is deployed, and tables
 * come into being by themselves where there is none. */
#include "schema_app.h"

#include "base/random.h"

/* --- writes --- */

#define ID "?" /* stands for the id of the row that a case is about */

static const struct {
    const char *path, *args;
    const char *message; /* NULL: fine. Else how it ends, after "... schema of the table "todos": " */
} writes[] = {
    {"app:insert", "{\"table\":\"todos\",\"document\":{\"text\":\"a\"}}", NULL},
    {"app:insert", "{\"table\":\"todos\",\"document\":{\"text\":\"a\",\"done\":true}}", NULL},
    {"app:insert", "{\"table\":\"todos\",\"document\":{\"text\":\"a\",\"owner\":\"?\"}}",
     "The id is not of the table 'users'. Path: .owner. Value: \"?\". Validator: v.id(\"users\")"},
    {"app:insert", "{\"table\":\"todos\",\"document\":{\"text\":\"a\",\"owner\":\"!\"}}", NULL},
    {"app:insert", "{\"table\":\"todos\",\"document\":{\"text\":1}}",
     "The value does not match the validator. Path: .text. Value: 1.0. Validator: v.string()"},
    {"app:insert", "{\"table\":\"todos\",\"document\":{}}",
     "The object lacks the required field 'text'. Value: {}. Validator: v.object({text: v.string(), "
     "done: v.optional(v.boolean()), owner: v.optional(v.id(\"users\"))})"},
    {"app:insert", "{\"table\":\"free\",\"document\":{\"anything\":[1]}}", NULL},
    {"app:patch", "{\"table\":\"todos\",\"id\":\"?\",\"document\":{\"done\":true}}", NULL},
    {"app:patch", "{\"table\":\"todos\",\"id\":\"?\",\"document\":{\"done\":\"yes\"}}",
     "The value does not match the validator. Path: .done. Value: \"yes\". Validator: v.boolean()"},
    {"app:patch", "{\"table\":\"todos\",\"id\":\"?\",\"document\":{\"more\":1}}",
     "The object has an extra field 'more'. Value: {\"done\":true,\"more\":1.0,\"text\":\"a\"}. Validator: "
     "v.object({text: v.string(), done: v.optional(v.boolean()), owner: v.optional(v.id(\"users\"))})"},
    {"app:replace", "{\"table\":\"todos\",\"id\":\"?\",\"document\":{\"text\":\"b\"}}", NULL},
    {"app:replace", "{\"table\":\"todos\",\"id\":\"?\",\"document\":{\"done\":true}}",
     "The object lacks the required field 'text'. Value: {\"done\":true}. Validator: v.object({text: "
     "v.string(), done: v.optional(v.boolean()), owner: v.optional(v.id(\"users\"))})"}};

/* "?" and "!" in a text become ids. */
static char *fill_ids(const char *text, const char *todo, const char *user) {
    struct buffer out = {0};
    for (; *text != 0; text++) {
        buffer_printf(&out, "%.*s", *text == '?' || *text == '!' ? 0 : 1, text);
        buffer_append_text(&out, *text == '?' ? todo : *text == '!' ? user : "");
    }
    return buffer_take(&out);
}

static void test_writes(void **state) {
    (void)state;
    struct convex_validator *todo =
        app_validator("{\"text\":\"string\",\"done?\":\"boolean\",\"owner?\":\"id users\"}");
    const struct convex_table tables[] = {
        {.name = "todos", .document = todo}, {.name = "users"}, {.name = "free"}};
    struct fixture *fixture = app_deploy(tables, LENGTH_OF(tables), false);
    struct buffer out = {0};
    char id[40], user[40];
    app_add(fixture, "todos", "{\"text\":\"a\"}", id);
    app_add(fixture, "users", "{}", user);
    for (size_t i = 0; i < LENGTH_OF(writes); i++) {
        char *args = fill_ids(writes[i].args, id, user);
        char *message = fill_ids(writes[i].message != NULL ? writes[i].message : "", id, user);
        size_t commits = fixture->commits;
        enum status status = app_run(fixture, writes[i].path, args, &out);
        bool fine = writes[i].message == NULL;
        size_t length = strlen(message);
        if (status != (fine ? STATUS_OK : STATUS_INVALID) || fixture->commits != commits + fine ||
            (!fine && (out.length < length || strcmp(out.data + out.length - length, message) != 0 ||
                       strstr(out.data, "\"todos\": ") == NULL))) {
            fail_msg("%s %s: %s", writes[i].path, args, buffer_text(&out));
        }
        free(args);
        free(message);
    }
    buffer_free(&out);
    fixture_free(fixture);
    convex_validator_free(todo);
}

/* Over HTTP it is the function's own error: 200. */
static void test_over_http(void **state) {
    (void)state;
    struct convex_validator *todo = app_validator("{\"text\":\"string\"}");
    const struct convex_table tables[] = {{.name = "todos", .document = todo}};
    struct fixture *fixture = app_deploy(tables, 1, false);
    struct answer answer;
    send_mutation(fixture, &answer, "app:insert", "{\"table\":\"todos\",\"document\":{}}");
    wait_for(fixture, &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(buffer_text(&answer.body), "{\"status\":\"error\",\"errorMessage\":"));
    assert_non_null(strstr(buffer_text(&answer.body), "schema of the table \\\"todos\\\""));
    assert_int_equal(fixture->commits, 0);
    buffer_free(&answer.body);
    fixture_free(fixture);
    convex_validator_free(todo);
}

/* --- another schema --- */

static enum status push(struct fixture *fixture, const struct convex_table *tables, size_t count,
                        struct error *error) {
    return convex_deployment_push(fixture->deployment, tables, count, app_second, LENGTH_OF(app_second),
                                  error);
}

static const struct convex_index by_text[] = {{.name = "by_text", .fields = {"text"}, .n_fields = 1}};
static const struct convex_index by_done[] = {{.name = "by_done", .fields = {"done"}, .n_fields = 1}};

static void test_push(void **state) {
    (void)state;
    struct convex_validator *todo = app_validator("{\"text\":\"string\",\"done?\":\"boolean\"}");
    const struct convex_table first[] = {{.name = "todos", .indexes = by_text, .n_indexes = 1},
                                         {.name = "notes"}};
    const struct convex_table second[] = {
        {.name = "todos", .document = todo, .indexes = by_done, .n_indexes = 1}, {.name = "users"}};
    struct fixture *fixture = app_deploy(first, LENGTH_OF(first), false);
    struct buffer before = {0}, after = {0};
    struct error error = {0};
    char id[40];
    app_add(fixture, "todos", "{\"text\":\"a\",\"done\":true}", id);
    app_add(fixture, "todos", "{\"text\":\"b\",\"done\":false}", id);
    app_add(fixture, "notes", "{\"x\":1}", id);
    app_run(fixture, "app:list", "{\"table\":\"todos\"}", &before);
    assert_int_equal(app_count(fixture, "{\"table\":\"users\"}"), -1);
    assert_int_equal(app_count(fixture, "{\"table\":\"todos\",\"index\":\"by_done\"}"), -1);
    int64_t latest = convex_deployment_latest(fixture->deployment);
    assert_int_equal(push(fixture, second, LENGTH_OF(second), &error), STATUS_OK);

    assert_true(convex_deployment_latest(fixture->deployment) > latest);
    app_run(fixture, "app:list", "{\"table\":\"todos\"}", &after); /* with ids and times as before */
    assert_string_equal(buffer_text(&after), buffer_text(&before));
    assert_int_equal(app_count(fixture, "{\"table\":\"todos\",\"index\":\"by_done\",\"key\":true}"), 1);
    assert_int_equal(app_count(fixture, "{\"table\":\"todos\",\"index\":\"by_text\"}"), -1);
    assert_int_equal(app_count(fixture, "{\"table\":\"users\"}"), 0);
    assert_int_equal(app_count(fixture, "{\"table\":\"notes\"}"), 1); /* stays */
    assert_int_equal(app_run(fixture, "app:version", "{}", &after), STATUS_OK);
    assert_string_equal(buffer_text(&after), "2.0");
    assert_int_equal(app_run(fixture, "app:old", "{}", &after), STATUS_NOT_FOUND);
    assert_int_equal(app_run(fixture, "powersync_checkpoints:createCheckpoint", "{}", &after), STATUS_OK);
    assert_int_equal(app_run(fixture, "app:insert", "{\"table\":\"todos\",\"document\":{}}", &after),
                     STATUS_INVALID);
    app_add(fixture, "users", "{}", id);
    app_add(fixture, "todos", "{\"text\":\"c\",\"done\":true}", id);
    assert_int_equal(app_count(fixture, "{\"table\":\"todos\",\"index\":\"by_done\",\"key\":true}"), 2);
    buffer_free(&before);
    buffer_free(&after);
    fixture_free(fixture);
    convex_validator_free(todo);
}

/* A document that does not fit keeps everything as it was, also what came before it in the schema. */
static void test_push_refused_whole(void **state) {
    (void)state;
    struct convex_validator *todo = app_validator("{\"text\":\"string\"}");
    struct convex_validator *note = app_validator("{\"lines\":{\"array\":\"string\"}}");
    const struct convex_table first[] = {{.name = "todos"}, {.name = "notes"}};
    const struct convex_table second[] = {
        {.name = "users"},
        {.name = "todos", .document = todo, .indexes = by_text, .n_indexes = 1},
        {.name = "notes", .document = note}};
    struct fixture *fixture = app_deploy(first, LENGTH_OF(first), false);
    struct buffer out = {0};
    struct error error = {0};
    char id[40], *args;
    app_add(fixture, "todos", "{\"text\":\"a\"}", id);
    app_add(fixture, "notes", "{\"lines\":[\"a\",7]}", id);
    int64_t latest = convex_deployment_latest(fixture->deployment);
    assert_int_equal(push(fixture, second, LENGTH_OF(second), &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "\"notes\""));
    assert_non_null(strstr(error.message, id));
    assert_non_null(strstr(error.message, "Path: .lines[1]."));

    assert_int_equal(convex_deployment_latest(fixture->deployment), latest);
    assert_int_equal(app_count(fixture, "{\"table\":\"users\"}"), -1);
    assert_int_equal(app_count(fixture, "{\"table\":\"todos\",\"index\":\"by_text\"}"), -1);
    app_run(fixture, "app:version", "{}", &out);
    assert_string_equal(buffer_text(&out), "1.0");
    args = memory_format("{\"table\":\"notes\",\"id\":\"%s\",\"document\":{\"lines\":[]}}", id);
    assert_int_equal(app_run(fixture, "app:replace", args, &out), STATUS_OK); /* nothing is enforced */
    free(args);
    assert_int_equal(push(fixture, second, LENGTH_OF(second), &error), STATUS_OK); /* it fits now */
    assert_int_equal(app_count(fixture, "{\"table\":\"todos\",\"index\":\"by_text\"}"), 1);
    buffer_free(&out);
    fixture_free(fixture);
    convex_validator_free(todo);
    convex_validator_free(note);
}

static void test_bad_declarations(void **state) {
    (void)state;
    static const struct convex_index two[] = {{.name = "a", .fields = {"x"}, .n_fields = 1},
                                              {.name = "a", .fields = {"y"}, .n_fields = 1}};
    static const struct convex_index reserved = {.name = "by_id", .fields = {"x"}, .n_fields = 1};
    static const struct convex_index none = {.name = "a"};
    static const struct convex_index twice = {.name = "a", .fields = {"x", "x"}, .n_fields = 2};
    static const struct convex_index system = {.name = "a", .fields = {"_id"}, .n_fields = 1};
    static const struct convex_table bad[] = {{.name = "_todos"},
                                              {.name = "to-dos"},
                                              {.name = ""},
                                              {.name = "a", .indexes = two, .n_indexes = 2},
                                              {.name = "a", .indexes = &reserved, .n_indexes = 1},
                                              {.name = "a", .indexes = &none, .n_indexes = 1},
                                              {.name = "a", .indexes = &twice, .n_indexes = 1},
                                              {.name = "a", .indexes = &system, .n_indexes = 1}};
    static const struct convex_table same[] = {{.name = "a"}, {.name = "a"}};
    static const struct convex_function paths[] = {
        {.path = "app.js:x", .kind = CONVEX_QUERY, .run = app_version},
        {.path = "app", .kind = CONVEX_QUERY, .run = app_version}};
    static const struct convex_function doubled[] = {
        {.path = "app:x", .kind = CONVEX_QUERY, .run = app_version},
        {.path = "app:x", .kind = CONVEX_QUERY, .run = app_version}};
    struct fixture *fixture = app_deploy(NULL, 0, false);
    struct convex_deployment *deployment = fixture->deployment;
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        assert_int_equal(push(fixture, &bad[i], 1, NULL), STATUS_INVALID);
    }
    assert_int_equal(push(fixture, same, 2, NULL), STATUS_INVALID);
    assert_int_equal(convex_deployment_push(deployment, NULL, 0, &paths[0], 1, NULL), STATUS_INVALID);
    assert_int_equal(convex_deployment_push(deployment, NULL, 0, &paths[1], 1, NULL), STATUS_INVALID);
    assert_int_equal(convex_deployment_push(deployment, NULL, 0, doubled, 2, NULL), STATUS_INVALID);
    assert_int_equal(app_count(fixture, "{\"table\":\"a\"}"), -1);
    fixture_free(fixture);
}

/* What a running mutation has written was checked against the old schema: it conflicts, runs again, fails. */
static void test_push_while_running(void **state) {
    (void)state;
    struct convex_validator *todo = app_validator("{\"text\":\"string\"}");
    const struct convex_table first[] = {{.name = "todos"}};
    const struct convex_table second[] = {{.name = "todos", .document = todo}};
    struct fixture *fixture = app_deploy(first, 1, false);
    struct answer answer;
    send_mutation(fixture, &answer, "app:insert", "{\"table\":\"todos\",\"document\":{\"text\":1}}");
    fixture_run(fixture, 3 * TIME_MILLISECOND); /* 1 to get there, 5 to commit */
    assert_int_equal(answer.status, 0);
    assert_int_equal(push(fixture, second, 1, NULL), STATUS_OK);
    wait_for(fixture, &answer);
    assert_non_null(strstr(buffer_text(&answer.body), "does not fit the schema"));
    assert_int_equal(fixture->commits, 0);
    buffer_free(&answer.body);
    fixture_free(fixture);
    convex_validator_free(todo);
}

/* Random documents, random sets of indexes: every index that is declared finds what a look at all documents
 * finds. */
static void check_index(struct fixture *fixture, const struct convex_index *index) {
    struct buffer all = {0};
    app_run(fixture, "app:list", "{\"table\":\"t\"}", &all);
    json_t *documents = json_parse(all.data, all.length, NULL);
    for (int key = 0; key < 3; key++) {
        int expected = 0;
        for (size_t i = 0; i < json_array_size(documents); i++) {
            const json_t *field = json_object_get(json_array_get(documents, i), index->fields[0]);
            expected += field != NULL && json_number_value(field) == key;
        }
        char *args = memory_format("{\"table\":\"t\",\"index\":\"%s\",\"key\":%d}", index->name, key);
        assert_int_equal(app_count(fixture, args), expected);
        free(args);
    }
    json_decref(documents);
    buffer_free(&all);
}

static void test_random_indexes(void **state) {
    (void)state;
    static const struct convex_index indexes[] = {{.name = "by_a", .fields = {"a"}, .n_fields = 1},
                                                  {.name = "by_b", .fields = {"b"}, .n_fields = 1},
                                                  {.name = "by_ab", .fields = {"a", "b"}, .n_fields = 2},
                                                  {.name = "by_a", .fields = {"b"}, .n_fields = 1}};
    static const struct {
        size_t first, count;
    } sets[] = {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {3, 1}};
    struct convex_table tables[100];
    struct random_stream random = random_stream_make(3, "indexes");
    tables[0] = (struct convex_table){.name = "t"};
    struct fixture *fixture = app_deploy(tables, 1, false);
    char ids[300][40];
    size_t n_ids = 0;
    for (size_t round = 1; round < LENGTH_OF(tables); round++) {
        for (int i = 0; i < 3; i++) {
            unsigned a = (unsigned)random_below(&random, 3), b = (unsigned)random_below(&random, 3);
            char *document = memory_format("{\"a\":%u,\"b\":%u}", a, b);
            if (n_ids < 5 || random_chance(&random, 1, 3)) {
                app_add(fixture, "t", document, ids[n_ids++]);
            } else {
                struct buffer out = {0};
                const char *id = ids[random_below(&random, n_ids)];
                char *args = memory_format("{\"table\":\"t\",\"id\":\"%s\",\"document\":%s}", id, document);
                assert_int_equal(app_run(fixture, "app:replace", args, &out), STATUS_OK);
                free(args);
                buffer_free(&out);
            }
            free(document);
        }
        size_t set = (size_t)random_below(&random, LENGTH_OF(sets));
        tables[round] = (struct convex_table){
            .name = "t", .indexes = indexes + sets[set].first, .n_indexes = sets[set].count};
        assert_int_equal(push(fixture, &tables[round], 1, NULL), STATUS_OK);
        for (size_t i = 0; i < tables[round].n_indexes; i++) {
            check_index(fixture, &tables[round].indexes[i]);
        }
    }
    fixture_free(fixture);
}

/* --- without a schema --- */

static void test_schemaless(void **state) {
    (void)state;
    struct fixture *fixture = app_deploy(NULL, 0, true);
    struct buffer out = {0};
    char id[40];
    struct convex_id binary;
    assert_int_equal(app_count(fixture, "{\"table\":\"notes\"}"), 0);
    /* the table comes with the commit only */
    assert_int_equal(
        app_run(fixture, "app:insert", "{\"table\":\"notes\",\"document\":{},\"throws\":1}", &out),
        STATUS_INVALID);
    json_t *columns = NULL;
    struct answer answer;
    send_request(fixture, &answer, "GET", "/api/json_schemas", "Convex dev:syncline-1|0123456789abcdef", NULL,
                 NULL, 0);
    wait_for(fixture, &answer);
    columns = json_parse(buffer_text(&answer.body), answer.body.length, NULL);
    assert_non_null(json_object_get(columns, "powersync_checkpoints"));
    assert_null(json_object_get(columns, "notes"));
    json_decref(columns);
    buffer_free(&answer.body);

    app_add(fixture, "notes", "{\"x\":1}", id);
    assert_int_equal(convex_id_decode(id, &binary), STATUS_OK);
    assert_int_equal(binary.table, 10002); /* after powersync_checkpoints; the failed call left no gap */
    assert_int_equal(app_count(fixture, "{\"table\":\"notes\"}"), 1);
    assert_int_equal(app_run(fixture, "app:insert", "{\"table\":\"_x\",\"document\":{}}", &out),
                     STATUS_INVALID);
    assert_int_equal(app_run(fixture, "app:insert", "{\"table\":\"a b\",\"document\":{}}", &out),
                     STATUS_INVALID);
    assert_int_equal(app_run(fixture, "app:patch", "{\"table\":\"none\",\"id\":\"x\",\"document\":{}}", &out),
                     STATUS_NOT_FOUND);
    buffer_free(&out);
    fixture_free(fixture);
}

/* Two mutations that make the same table, and two that make one each: all succeed, one of them later. */
static void test_schemaless_together(void **state) {
    (void)state;
    struct fixture *fixture = app_deploy(NULL, 0, true);
    struct answer answers[4];
    static const char *const names[] = {"same", "same", "one", "two"};
    for (size_t i = 0; i < 4; i++) {
        char *args = memory_format("{\"table\":\"%s\",\"document\":{\"n\":%zu}}", names[i], i);
        send_mutation(fixture, &answers[i], "app:insert", args);
        free(args);
    }
    for (size_t i = 0; i < 4; i++) {
        wait_for(fixture, &answers[i]);
        assert_non_null(strstr(buffer_text(&answers[i].body), "\"success\""));
        buffer_free(&answers[i].body);
    }
    assert_int_equal(app_count(fixture, "{\"table\":\"same\"}"), 2);
    assert_int_equal(app_count(fixture, "{\"table\":\"one\"}"), 1);
    assert_int_equal(app_count(fixture, "{\"table\":\"two\"}"), 1);
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_writes),
                                       cmocka_unit_test(test_over_http),
                                       cmocka_unit_test(test_push),
                                       cmocka_unit_test(test_push_refused_whole),
                                       cmocka_unit_test(test_bad_declarations),
                                       cmocka_unit_test(test_push_while_running),
                                       cmocka_unit_test(test_random_indexes),
                                       cmocka_unit_test(test_schemaless),
                                       cmocka_unit_test(test_schemaless_together)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
