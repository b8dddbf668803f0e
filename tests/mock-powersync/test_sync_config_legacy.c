/* Sync configs of editions 1 and 2: what is refused and where, buckets of rows and of requests, lookups. All
 * the finer rules have the real evaluator as their judge (tests/interop/sync_config_legacy.mjs). */
#include "mock-powersync/unit.h"

#include <string.h>

#include "base/json.h"
#include "mock-powersync/config/evaluate.h"
#include "mock-powersync/config/sync_config.h"
#include "mock-powersync/document.h"

#define BUCKET "bucket_definitions:\n  a:\n    data: [SELECT id FROM t]\n    parameters: "
#define DATA "bucket_definitions:\n  a:\n    parameters: SELECT request.user_id() AS u\n    data:\n      - "
#define STREAM "config: {edition: 2}\nstreams:\n  a:\n    query: "

struct refusal {
    const char *yaml;
    int line, column;
    const char *words; /* part of the message */
};

static const struct refusal refusals[] = {
    {"{}", 1, 1, "are required"},
    {"streams: {a: {query: SELECT id FROM t}}", 1, 11, "edition: 2"},
    {"config: {edition: 4}\nbucket_definitions: {}", 1, 10, "1, 2 or 3"},
    {"config: {magic: 1}\nbucket_definitions: {}", 1, 10, "unknown key"},
    {"config: {storage_version: 1}\nbucket_definitions: {}", 1, 10, "only storage version 2"},
    {"config: {timestamp_max_precision: seconds}\nbucket_definitions: {}", 1, 10, "timestamps_iso8601"},
    {"config: {unstable_sqlite_expression_engine: true}\nbucket_definitions: {}", 1, 10, "edition 3"},
    {"bucket_definitions: {a: {}}", 1, 25, "list of queries"},
    {"bucket_definitions: {a: {data: [], priority: 4}}", 1, 36, "0, 1, 2 or 3"},
    {"bucket_definitions: {a: {data: [], magic: 4}}", 1, 36, "unknown key"},
    {"bucket_definitions: {a: 1}", 1, 22, "must be a mapping"},
    {"config: {edition: 2}\nbucket_definitions: {a: {data: []}}\nstreams: {a: {query: SELECT id FROM t}}", 3,
     11, "bucket definition of this name"},
    {"config: {edition: 2}\nstreams: {a: {queries: [SELECT id FROM t]}}", 2, 15, "edition 3"},
    {BUCKET "SELECT request.user_id()", 4, 24, "AS name"},
    {BUCKET "SELECT auth.user_id() AS u", 4, 24, "auth.user_id is not defined"},
    {BUCKET "SELECT upper(name) AS u FROM users", 4, 24, "only constants and parameters"},
    {BUCKET "SELECT id FROM users u", 4, 32, "alias"},
    {BUCKET "SELECT id FROM users, teams", 4, 32, "exactly one table"},
    {BUCKET "SELECT * FROM users", 4, 24, "name the columns"},
    {BUCKET "SELECT id FROM users WHERE a IN user_parameters.x AND b IN user_parameters.y", 4, 17,
     "arrays of parameters"},
    {BUCKET "SELECT id FROM users WHERE a = token_parameters.x OR b = token_parameters.y", 4, 44,
     "same parameters"},
    {BUCKET "SELECT 1 AS a, 5 AS _priority", 4, 32, "0, 1, 2 or 3"},
    {BUCKET "SELECT value AS x FROM other('[]')", 4, 40, "json_each"},
    {DATA "SELECT id FROM t", 5, 9, "all parameters of the bucket"},
    {DATA "SELECT id FROM t WHERE upper(bucket.u) = owner", 5, 32, "in expressions"},
    {DATA "SELECT id FROM t WHERE bucket.u IN a AND bucket.u IN b", 5, 32, "several IN"},
    {DATA "SELECT name FROM t WHERE owner = bucket.u", 5, 9, "column \"id\""},
    {DATA "SELECT id FROM t WHERE owner > bucket.u", 5, 32, "in expressions"},
    {DATA "SELECT DISTINCT id FROM t WHERE owner = bucket.u", 5, 16, "DISTINCT"},
    {DATA "SELECT id, CASE WHEN a THEN b END AS x FROM t WHERE owner = bucket.u", 5, 20, "CASE"},
    {STREAM "SELECT id FROM t WHERE NOT owner = auth.user_id()", 4, 39, "NOT is not supported"},
    {STREAM "SELECT id FROM t WHERE a IN (SELECT b FROM u)", 4, 35, "depend on the request"},
    {STREAM "SELECT id FROM t WHERE owner = request.user_id()", 4, 43, "not defined here"},
};

static void refused_with_place(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct sync_config *config;
        struct error error = {0};
        assert_int_equal(sync_config_parse(&config, refusals[i].yaml, "sync.yaml", &error), STATUS_INVALID);
        if (!strstr(error.message, refusals[i].words) || error.line != refusals[i].line ||
            error.column != refusals[i].column)
            fail_msg("%s\nsays %s:%d:%d: %s, should say %d:%d: ...%s...", refusals[i].yaml, error.file,
                     error.line, error.column, error.message, refusals[i].line, refusals[i].column,
                     refusals[i].words);
    }
}

/* A config, one row of the table index that it fills, and what requests get. */
struct setting {
    struct sync_config *config;
    struct arena arena;
    struct row_outputs outputs;
    json_t *document;
};

static void open_config(struct setting *setting, const char *yaml) {
    struct error error = {0};
    *setting = (struct setting){0};
    if (sync_config_parse(&setting->config, yaml, "sync.yaml", &error))
        fail_msg("%s:%d:%d: %s", error.file, error.line, error.column, error.message);
}

static void close_config(struct setting *setting) {
    json_decref(setting->document);
    arena_free(&setting->arena);
    sync_config_destroy(setting->config);
}

static void put(struct setting *setting, const char *table, const char *document) {
    json_decref(setting->document);
    setting->document = json_parse(document, strlen(document), NULL);
    struct row row = document_row(setting->document, &setting->arena);
    evaluate_row(setting->config, 1, &(struct source_table){"default", "convex", table}, &row,
                 &setting->arena, &setting->outputs);
}

static void assert_outputs(const struct setting *setting, const char *expected) {
    struct buffer all = {0};
    for (size_t i = 0; i < setting->outputs.n_buckets; i++) {
        const struct bucket_output *output = &setting->outputs.buckets[i];
        buffer_printf(&all, "%s %s %s %s\n", output->bucket, output->object_type, output->object_id,
                      output->data);
    }
    assert_string_equal(buffer_text(&all), expected);
    buffer_free(&all);
}

static bool find(void *context, const char *key, size_t key_length,
                 void (*each)(void *each_context, const char *tuple, size_t length), void *each_context) {
    const struct row_outputs *outputs = context;
    for (size_t i = 0; i < outputs->n_lookups; i++) {
        const struct lookup_output *lookup = &outputs->lookups[i];
        if (lookup->key_length == key_length && memcmp(lookup->key, key, key_length) == 0)
            each(each_context, lookup->values + 1, lookup->values_length - 2); /* the one tuple */
    }
    return true;
}

static bool stop(void *context, const char *key, size_t key_length,
                 void (*each)(void *each_context, const char *tuple, size_t length), void *each_context) {
    (void)context, (void)key, (void)key_length, (void)each, (void)each_context;
    return false;
}

static void assert_buckets(struct setting *setting, size_t stream, const char *claims, const char *connection,
                           const char *expected) {
    const struct sync_request_values values = {claims, connection, "{}"};
    const struct lookup_source lookups = {find, &setting->outputs};
    struct buffer all = {0};
    struct request_bucket *buckets;
    const char *reason;
    size_t count;
    bool complete = evaluate_request(&setting->config->streams[stream], 1, &values, &lookups, &setting->arena,
                                     &buckets, &count, &reason);
    for (size_t i = 0; i < count; i++)
        buffer_printf(&all, "%s:%d ", buckets[i].name, buckets[i].priority);
    buffer_append_text(&all, complete ? "" : reason);
    assert_string_equal(buffer_text(&all), expected);
    buffer_free(&all);
}

/* The shapes of the fact sheet: a global bucket and one for each user. */
static void bucket_definitions(void **state) {
    (void)state;
    struct setting setting;
    open_config(&setting, "bucket_definitions:\n"
                          "  by_user:\n"
                          "    priority: 1\n"
                          "    parameters: SELECT request.user_id() AS user_id\n"
                          "    data:\n"
                          "      - SELECT _id AS id, name, owner FROM lists WHERE owner = bucket.user_id\n"
                          "  global:\n"
                          "    data: [\"SELECT _id AS id, name FROM categories\"]\n");
    assert_int_equal(setting.config->edition, 1);
    assert_int_equal(setting.config->n_streams, 2);
    assert_true(setting.config->streams[0].is_bucket_definition);
    assert_false(sync_stream_has_lookups(&setting.config->streams[0]));
    put(&setting, "lists", "{\"_id\":\"l1\",\"name\":\"Inbox\",\"owner\":\"user1\"}");
    assert_outputs(&setting,
                   "1#by_user[\"user1\"] lists l1 {\"id\":\"l1\",\"name\":\"Inbox\",\"owner\":\"user1\"}\n");
    put(&setting, "lists", "{\"_id\":\"l2\",\"owner\":null}");
    assert_outputs(&setting, "");
    put(&setting, "categories", "{\"_id\":\"c1\",\"name\":\"x\"}");
    assert_outputs(&setting, "1#global[] categories c1 {\"id\":\"c1\",\"name\":\"x\"}\n");
    assert_buckets(&setting, 0, "{\"sub\":\"user1\"}", "{}", "1#by_user[\"user1\"]:1 ");
    assert_buckets(&setting, 1, "{\"sub\":\"user1\"}", "{}", "1#global[]:3 ");
    close_config(&setting);
}

/* * leaves out names with _ before them and never replaces a column that has a value. */
static void old_star(void **state) {
    (void)state;
    struct setting setting;
    open_config(&setting, "bucket_definitions: {g: {data: [\"SELECT _id AS id, 'x' AS name, * FROM t\"]}}\n");
    put(&setting, "t", "{\"_id\":\"1\",\"id\":\"own\",\"name\":\"n\",\"other\":1.0,\"none\":null}");
    assert_outputs(&setting, "1#g[] t 1 {\"id\":\"1\",\"name\":\"x\",\"other\":1.0,\"none\":null}\n");
    close_config(&setting);
}

static void json_paths(void **state) {
    (void)state;
    static const char *const forms[][2] = {
        {"bucket_definitions: {g: {data: [\"SELECT _id AS id, o ->> 'a.b' AS x, o ->> 'n' AS y FROM t\"]}}\n",
         "{\"id\":\"1\",\"x\":2,\"y\":\"null\"}"},
        {"config: {edition: 2}\n"
         "bucket_definitions: {g: {data: [\"SELECT _id AS id, o ->> 'a.b' AS x, o ->> 'n' AS y FROM t\"]}}\n",
         "{\"id\":\"1\",\"x\":3,\"y\":null}"},
        {"config: {fixed_json_extract: true}\n"
         "bucket_definitions: {g: {data: [\"SELECT _id AS id, o ->> '$.a.b' AS x, o ->> 'n' AS y FROM "
         "t\"]}}\n",
         "{\"id\":\"1\",\"x\":2,\"y\":null}"}};
    for (size_t i = 0; i < 3; i++) {
        struct setting setting;
        open_config(&setting, forms[i][0]);
        put(&setting, "t", "{\"_id\":\"1\",\"o\":{\"a\":{\"b\":2},\"a.b\":3,\"n\":null}}");
        assert_int_equal(setting.outputs.n_buckets, 1);
        assert_string_equal(setting.outputs.buckets[0].data, forms[i][1]);
        close_config(&setting);
    }
}

/* Rows of a table lead from the user to teams, with a priority of the query. */
static void parameters_from_a_table(void **state) {
    (void)state;
    struct setting setting;
    open_config(
        &setting,
        "bucket_definitions:\n"
        "  teams:\n"
        "    parameters: SELECT team, 0 AS _priority FROM members WHERE who = token_parameters.user_id "
        "AND open\n"
        "    data: [\"SELECT _id AS id FROM t WHERE team = bucket.team\"]\n");
    assert_true(sync_stream_has_lookups(&setting.config->streams[0]));
    assert_string_equal(setting.config->patterns[0].name, "t"); /* data first */
    assert_string_equal(setting.config->patterns[1].name, "members");
    put(&setting, "members", "{\"who\":\"u\",\"team\":2.0,\"open\":false}");
    assert_int_equal(setting.outputs.n_lookups, 0);
    put(&setting, "members", "{\"who\":\"u\",\"team\":2.0,\"open\":true}");
    assert_int_equal(setting.outputs.n_lookups, 1);
    assert_buckets(&setting, 0, "{\"sub\":\"u\"}", "{}", "1#teams[2]:0 ");
    assert_buckets(&setting, 0, "{\"sub\":\"v\"}", "{}", "");
    const struct lookup_source stopped = {stop, NULL};
    const struct sync_request_values values = {"{\"sub\":\"u\"}", "{}", "{}"};
    struct request_bucket *buckets;
    const char *reason;
    size_t count;
    assert_false(evaluate_request(&setting.config->streams[0], 1, &values, &stopped, &setting.arena, &buckets,
                                  &count, &reason));
    assert_int_equal(count, 0);
    assert_string_equal(reason, "Too many parameter query results");
    close_config(&setting);
}

static void parameters_from_an_array(void **state) {
    (void)state;
    struct setting setting;
    open_config(&setting,
                "bucket_definitions:\n"
                "  teams:\n"
                "    parameters: SELECT value AS team FROM json_each(request.parameters() -> 'teams')\n"
                "    data: [\"SELECT _id AS id FROM t WHERE team = bucket.team\"]\n");
    assert_buckets(&setting, 0, "{}", "{\"teams\":[\"a\",1.0]}", "1#teams[\"a\"]:3 1#teams[1]:3 ");
    assert_buckets(&setting, 0, "{}", "{}", "");
    close_config(&setting);
}

/* One variant for each part of an OR; the priority counts for nothing, and says so. */
static void early_streams(void **state) {
    (void)state;
    struct setting setting;
    open_config(&setting,
                "config: {edition: 2}\n"
                "streams:\n"
                "  s:\n"
                "    priority: 1\n"
                "    query: SELECT *, _id AS id FROM t WHERE owner = auth.user_id() OR team IN (SELECT team "
                "FROM members WHERE who = auth.user_id())\n");
    assert_int_equal(setting.config->n_warnings, 2);
    assert_int_equal(setting.config->warnings[1].line, 4);
    assert_false(setting.config->streams[0].auto_subscribe);
    put(&setting, "t", "{\"_id\":\"1\",\"owner\":\"u\",\"team\":\"a\"}");
    assert_outputs(&setting, "1#s|0[\"u\"] t 1 {\"owner\":\"u\",\"team\":\"a\",\"id\":\"1\"}\n"
                             "1#s|1[\"a\"] t 1 {\"owner\":\"u\",\"team\":\"a\",\"id\":\"1\"}\n");
    put(&setting, "members", "{\"who\":\"u\",\"team\":\"a\"}");
    assert_int_equal(setting.outputs.n_lookups, 1);
    assert_buckets(&setting, 0, "{\"sub\":\"u\"}", "{}", "1#s|0[\"u\"]:3 1#s|1[\"a\"]:3 ");
    close_config(&setting);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_with_place),
        cmocka_unit_test(bucket_definitions),
        cmocka_unit_test(old_star),
        cmocka_unit_test(json_paths),
        cmocka_unit_test(parameters_from_a_table),
        cmocka_unit_test(parameters_from_an_array),
        cmocka_unit_test(early_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
