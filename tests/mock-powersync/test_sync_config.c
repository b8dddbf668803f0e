/* Which sync configs are taken and how, and where the others are refused. */
#include "mock-powersync/unit.h"

#include <string.h>

#include "base/json.h"
#include "mock-powersync/config/evaluate.h"
#include "mock-powersync/config/sync_config.h"
#include "mock-powersync/document.h"

#define HEAD "config:\n  edition: 3\nstreams:\n  a:\n    query: "

struct refusal {
    const char *yaml;
    int line, column;
    const char *words; /* part of the message */
};

static const struct refusal refusals[] = {
    {"streams: {a: {query: SELECT * FROM t}}", 1, 11, "config: {edition: 2} or, better, 3"},
    {"config: {edition: 3, magic: 1}\nstreams: {a: {query: SELECT * FROM t}}", 1, 22, "unknown key"},
    {"config: {edition: 3}\nbucket_definitions: {}", 2, 1, "unknown key"},
    {"config: {edition: 3}\nstreams: {}", 1, 1, "at least one stream"},
    {"config: {edition: 3}\nstreams:\n  a: {auto_subscribe: true}", 3, 6, "query or queries"},
    {"config: {edition: 3}\nstreams:\n  a: {query: SELECT * FROM t, queries: []}", 3, 6, "query or queries"},
    {"config: {edition: 3}\nstreams:\n  a: {queries: []}", 3, 7, "at least one query"},
    {"config: {edition: 3}\nstreams:\n  a: {query: SELECT * FROM t, priority: 4}", 3, 31, "0, 1, 2 or 3"},
    {"config: {edition: 3}\nstreams:\n  a: {query: SELECT * FROM t, auto_subscribe: 1}", 3, 31,
     "true or false"},
    {"config: {edition: 3, fixed_json_extract: false}\nstreams: {a: {query: SELECT * FROM t}}", 1, 22,
     "only true"},
    {"config: {edition: 3, unstable_sqlite_expression_engine: true}\nstreams: {}", 1, 22, "only false"},
    {"config: {edition: 3, timestamp_max_precision: days}\nstreams: {}", 1, 22, "seconds, milliseconds"},
    {HEAD "SELEC *", 5, 12, "syntax error at or near \"SELEC\""},
    {HEAD "SELECT * FROM t; SELECT 1", 5, 29, "one SELECT"},
    {HEAD "DELETE FROM t", 5, 12, "only SELECT"},
    {HEAD "SELECT * FROM t, u", 5, 19, "several tables"},
    {HEAD "SELECT t.* FROM t LEFT JOIN u ON true", 5, 30, "only inner joins"},
    {HEAD "SELECT t.* FROM t JOIN u USING (n)", 5, 37, "USING"},
    {HEAD "SELECT 1 AS x", 5, 12, "selects no column"},
    {HEAD "SELECT 1 AS x FROM t", 5, 12, "selects no column"},
    {HEAD "SELECT t.a, u.b FROM t, u", 5, 24, "all columns of a query must be of one table"},
    {HEAD "SELECT value FROM json_each(auth.parameter('x'))", 5, 19, "not those of functions"},
    {HEAD "SELECT x.* FROM t", 5, 19, "unknown table \"x\""},
    {HEAD "SELECT t.* FROM t AS u", 5, 19, "unknown table \"t\""},
    {HEAD "SELECT t.* FROM t, t", 5, 31, "already given"},
    {HEAD "SELECT * FROM t GROUP BY a", 5, 28, "GROUP BY"},
    {HEAD "SELECT * FROM t ORDER BY a", 5, 28, "ORDER BY"},
    {HEAD "SELECT * FROM t LIMIT 1", 5, 28, "LIMIT"},
    {HEAD "SELECT * FROM t UNION SELECT * FROM t", 5, 28, "not supported"},
    {HEAD "SELECT * FROM t WHERE a > auth.user_id()", 5, 38, "only be compared with ="},
    {HEAD "SELECT t.* FROM t, u WHERE t.a > u.a", 5, 45, "only be compared with ="},
    {HEAD "SELECT * FROM t WHERE a = request.user_id()", 5, 38, "or have no schema"},
    {HEAD "SELECT * FROM t WHERE a = auth.user_id('x')", 5, 38, "unknown request function"},
    {HEAD "SELECT * FROM t WHERE NOT (a = auth.user_id())", 5, 43, "only be compared with ="},
    {HEAD "SELECT * FROM t WHERE a NOT IN (SELECT x FROM u)", 5, 51, "only be compared with ="},
    {HEAD "SELECT * FROM t WHERE a IN (SELECT * FROM u)", 5, 40, "single column"},
    {HEAD "SELECT * FROM t WHERE a = (SELECT x FROM u)", 5, 38, "after IN, with &&, and in FROM only"},
    {HEAD "SELECT * FROM t WHERE a IN (1, 2)", 5, 41, "syntax error at or near \",\""},
    {HEAD "SELECT * FROM t WHERE a = coalesce(b, c)", 5, 38, "function coalesce is not supported"},
    {HEAD "SELECT * FROM t WHERE a IN ARRAY[]", 5, 45, "at least one value"},
    {HEAD "SELECT auth.user_id() AS u, a FROM t", 5, 19, "cannot be synced"},
    {HEAD "SELECT a FROM t, json_each(t.x) AS y, json_each(y.value) AS z", 5, 50, "not another function"},
    {"config: {edition: 3}\nwith: {a: SELECT * FROM t}\nstreams: {s: {query: SELECT * FROM t}}", 2, 18,
     "* is not supported"},
    {"config: {edition: 3}\nwith: 1\nstreams: {s: {query: SELECT * FROM t}}", 2, 1, "mapping of names"},
};

static void refused_with_place(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *refusal = &refusals[i];
        struct sync_config *config;
        struct error error = {0};
        if (sync_config_parse(&config, refusal->yaml, "sync.yaml", &error) != STATUS_INVALID)
            fail_msg("%s is taken", refusal->yaml);
        char text[1400];
        error_format(&error, text, sizeof text);
        if (!strstr(error.message, refusal->words) || error.line != refusal->line ||
            error.column != refusal->column)
            fail_msg("%s\n  gave %s\n  wanted %d:%d: ...%s...", refusal->yaml, text, refusal->line,
                     refusal->column, refusal->words);
        assert_string_equal(error.file, "sync.yaml");
    }
}

static const char *const good =
    "config:\n"
    "  edition: 3\n"
    "streams:\n"
    "  own:\n"
    "    auto_subscribe: true\n"
    "    priority: 1\n"
    "    query: SELECT *, uuid AS id FROM lists WHERE owner_id = auth.user_id()\n"
    "  all:\n"
    "    queries:\n"
    "      - SELECT t.uuid AS id, \"ownerId\", t.Name FROM convex.todos AS \"t\"\n"
    "      - SELECT * FROM lists AS \"Lists\" WHERE auth.user_id() = \"Lists\".\"sharedWith\"\n"
    "      - SELECT * FROM notes\n";

static void accepted(void **state) {
    (void)state;
    struct sync_config *config;
    struct error error = {0};
    if (sync_config_parse(&config, good, "sync.yaml", &error))
        fail_msg("%s", error.message);
    assert_int_equal(config->n_streams, 2);
    assert_int_equal(config->n_patterns, 3);
    assert_string_equal(config->patterns[0].name, "lists");
    assert_string_equal(config->patterns[1].name, "todos");
    assert_false(sync_config_selects(config, &(struct source_table){"default", "convex", "Lists"}));
    assert_true(sync_config_selects(config, &(struct source_table){"default", "convex", "notes"}));

    const struct sync_stream_definition *own = sync_config_stream(config, "own");
    assert_true(own->auto_subscribe);
    assert_int_equal(own->priority, 1);
    assert_int_equal(own->n_queriers, 1);
    assert_int_equal(own->queriers[0].n_values, 1);
    const struct sync_stream_definition *all = sync_config_stream(config, "all");
    assert_false(all->auto_subscribe);
    assert_int_equal(all->priority, 3);
    assert_int_equal(all->n_queriers, 2);
    assert_null(sync_config_stream(config, "none"));

    const struct sync_plan *plan = &config->plan;
    assert_int_equal(plan->n_buckets, 3);
    assert_int_equal(plan->n_indexes, 0);
    assert_string_equal(plan->buckets[0].name, "own|0");
    const struct plan_evaluator *lists = &plan->evaluators[plan->buckets[0].evaluators[0]];
    assert_string_equal(lists->object_type, "lists");
    assert_string_equal(lists->rows.parameters[0]->text, "owner_id");
    assert_int_equal(lists->n_columns, 2);
    assert_null(lists->columns[0].expression);
    assert_string_equal(lists->columns[1].expression->text, "uuid");
    assert_string_equal(lists->columns[1].name, "id");
    assert_string_equal(plan->buckets[1].name, "all|0"); /* the third query shares it */
    assert_int_equal(plan->buckets[1].n_evaluators, 2);
    const struct plan_evaluator *todos = &plan->evaluators[plan->buckets[1].evaluators[0]];
    assert_string_equal(todos->object_type, "t");
    assert_int_equal(todos->rows.n_parameters, 0);
    assert_string_equal(todos->columns[1].expression->text, "ownerId");
    assert_string_equal(todos->columns[2].name, "name"); /* unquoted names fold to lower case */
    assert_string_equal(plan->buckets[2].name, "all|1");
    const struct plan_evaluator *shared = &plan->evaluators[plan->buckets[2].evaluators[0]];
    assert_string_equal(shared->object_type, "Lists");
    assert_string_equal(shared->rows.parameters[0]->text, "sharedWith");
    sync_config_destroy(config);
}

/* A missing value gives no bucket; arrays give one each; what is no array is an error that names no bucket.
 */
static void requests_get_buckets(void **state) {
    (void)state;
    static const struct {
        const char *connection, *buckets;
        bool complete;
    } requests[] = {
        {"{\"team\":\"t\",\"ids\":[1.0,\"x\",null]}", "1#a|0[\"t\"] 1#a|1[1] 1#a|1[\"x\"] ", true},
        {"{}", "", true},
        {"{\"team\":2.5,\"ids\":\"x\"}", "1#a|0[2.5] ", false}};
    struct sync_config *config;
    assert_int_equal(sync_config_parse(&config,
                                       HEAD
                                       "SELECT * FROM t WHERE team = connection.parameter('team') OR n IN "
                                       "connection.parameter('ids')",
                                       "sync.yaml", NULL),
                     STATUS_OK);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        const struct sync_request_values values = {"{\"sub\":\"u\"}", requests[i].connection, "{}"};
        struct arena arena = {0};
        struct buffer all = {0};
        struct request_bucket *found;
        const char *reason;
        size_t count;
        bool complete =
            evaluate_request(&config->streams[0], 1, &values, NULL, &arena, &found, &count, &reason);
        for (size_t j = 0; j < count; j++)
            buffer_printf(&all, "%s ", found[j].name);
        assert_string_equal(buffer_text(&all), requests[i].buckets);
        assert_int_equal(complete, requests[i].complete);
        assert_int_equal(reason == NULL, complete);
        buffer_free(&all);
        arena_free(&arena);
    }
    sync_config_destroy(config);
}

/* The parameter index of a test: one row's entries. */
static bool find(void *context, const char *key, size_t key_length,
                 void (*each)(void *each_context, const char *tuple, size_t length), void *each_context) {
    const struct row_outputs *outputs = context;
    for (size_t i = 0; i < outputs->n_lookups; i++) {
        const struct lookup_output *lookup = &outputs->lookups[i];
        if (lookup->key_length != key_length || memcmp(lookup->key, key, key_length) != 0)
            continue;
        size_t j;
        json_t *tuple, *tuples = json_parse(lookup->values, lookup->values_length, NULL);
        json_array_foreach(tuples, j, tuple) {
            struct buffer text = {0};
            json_append(&text, tuple);
            each(each_context, text.data, text.length);
            buffer_free(&text);
        }
        json_decref(tuples);
    }
    return true;
}

static bool stop(void *context, const char *key, size_t key_length,
                 void (*each)(void *each_context, const char *tuple, size_t length), void *each_context) {
    (void)context, (void)key, (void)key_length, (void)each, (void)each_context;
    return false;
}

static struct row_outputs evaluate(const struct sync_config *config, const char *table, const char *document,
                                   json_t **json, struct arena *arena) {
    struct row_outputs outputs;
    *json = json_parse(document, strlen(document), NULL);
    struct row row = document_row(*json, arena);
    evaluate_row(config, 1, &(struct source_table){"default", "convex", table}, &row, arena, &outputs);
    return outputs;
}

/* A member of a team gets its lists; the row of another table leads there. */
static void lookups_lead_to_buckets(void **state) {
    (void)state;
    struct sync_config *config;
    assert_int_equal(sync_config_parse(&config,
                                       HEAD "SELECT * FROM t WHERE team IN (SELECT team FROM members WHERE "
                                            "who = auth.user_id() AND open)",
                                       "sync.yaml", NULL),
                     STATUS_OK);
    const struct sync_stream_definition *stream = &config->streams[0];
    assert_true(sync_stream_has_lookups(stream));
    assert_true(sync_config_selects(config, &(struct source_table){"default", "convex", "members"}));
    struct arena arena = {0};
    json_t *list, *member, *closed;
    struct row_outputs row = evaluate(config, "t", "{\"_id\":\"1\",\"team\":2}", &list, &arena);
    assert_int_equal(row.n_buckets, 1);
    assert_string_equal(row.buckets[0].bucket, "1#a|0[2]");
    assert_int_equal(row.n_lookups, 0);
    row = evaluate(config, "members", "{\"who\":\"u\",\"team\":2,\"open\":false}", &closed, &arena);
    assert_int_equal(row.n_lookups, 0);
    row = evaluate(config, "members", "{\"who\":\"u\",\"team\":2.0,\"open\":true}", &member, &arena);
    assert_int_equal(row.n_buckets, 0);
    assert_int_equal(row.n_lookups, 1);
    assert_string_equal(row.lookups[0].values, "[[2.0]]");

    struct sync_request_values values = {"{\"sub\":\"u\"}", "{}", "{}"};
    struct request_bucket *buckets;
    const char *reason;
    size_t count;
    struct lookup_source lookups = {find, &row};
    assert_true(evaluate_request(stream, 1, &values, &lookups, &arena, &buckets, &count, &reason));
    assert_int_equal(count, 1);
    assert_string_equal(buckets[0].name, "1#a|0[2]");
    assert_int_equal(buckets[0].priority, 3);
    lookups.find = stop;
    assert_false(evaluate_request(stream, 1, &values, &lookups, &arena, &buckets, &count, &reason));
    assert_int_equal(count, 0);
    values.auth = "{\"sub\":\"other\"}";
    lookups.find = find;
    assert_true(evaluate_request(stream, 1, &values, &lookups, &arena, &buckets, &count, &reason));
    assert_int_equal(count, 0);
    arena_free(&arena);
    json_decref(list);
    json_decref(member);
    json_decref(closed);
    sync_config_destroy(config);
}

static void warns(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *words;
        int line, column;
    } cases[] = {
        {HEAD "SELECT * FROM t WHERE a = subscription.parameter('x')", "clients can send any value", 5, 38},
        {HEAD "SELECT a AS b, * FROM t", "* overwrites", 5, 27},
        {HEAD "SELECT a, a + 1 FROM t", "give it an alias", 5, 22},
        {"config: {edition: 3}\nwith: {mine: SELECT a FROM t}\nstreams: {a: {query: SELECT * FROM t}}",
         "is not used", 2, 8},
        {HEAD "SELECT * FROM t WHERE a = subscription.parameter('x') AND b = auth.user_id()", NULL, 0, 0},
        {HEAD "SELECT * FROM t WHERE a = subscription.parameter('x')\n    "
              "accept_potentially_dangerous_queries: true",
         NULL, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sync_config *config;
        struct error error = {0};
        if (sync_config_parse(&config, cases[i].yaml, "sync.yaml", &error))
            fail_msg("%s: %s", cases[i].yaml, error.message);
        assert_int_equal(config->n_warnings, cases[i].words ? 1 : 0);
        if (cases[i].words) {
            assert_non_null(strstr(config->warnings[0].message, cases[i].words));
            assert_int_equal(config->warnings[0].line, cases[i].line);
            assert_int_equal(config->warnings[0].column, cases[i].column);
        }
        sync_config_destroy(config);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(refused_with_place), cmocka_unit_test(accepted),
                                       cmocka_unit_test(requests_get_buckets),
                                       cmocka_unit_test(lookups_lead_to_buckets), cmocka_unit_test(warns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
