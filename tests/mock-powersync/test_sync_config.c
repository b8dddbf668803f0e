/* Which sync configs are taken and how, and where the others are refused. */
#include "mock-powersync/unit.h"

#include <string.h>

#include "mock-powersync/config/evaluate.h"
#include "mock-powersync/config/sync_config.h"

#define HEAD "config:\n  edition: 3\nstreams:\n  a:\n    query: "

struct refusal {
    const char *yaml;
    int line, column;
    const char *words; /* part of the message */
};

static const struct refusal refusals[] = {
    {"streams: {a: {query: SELECT * FROM t}}", 1, 1, "edition: 3"},
    {"config: {edition: 2}\nstreams: {a: {query: SELECT * FROM t}}", 1, 1, "edition 3"},
    {"config: {edition: 3, magic: 1}\nstreams: {a: {query: SELECT * FROM t}}", 1, 22, "unknown key"},
    {"config: {edition: 3}\nbucket_definitions: {}", 2, 1, "unknown key"},
    {"config: {edition: 3}\nstreams: {}", 1, 1, "at least one stream"},
    {"config: {edition: 3}\nstreams:\n  a: {auto_subscribe: true}", 3, 6, "query or queries"},
    {"config: {edition: 3}\nstreams:\n  a: {query: SELECT * FROM t, queries: []}", 3, 6, "query or queries"},
    {"config: {edition: 3}\nstreams:\n  a: {queries: []}", 3, 7, "at least one query"},
    {"config: {edition: 3}\nstreams:\n  a: {query: SELECT * FROM t, priority: 4}", 3, 31, "0, 1, 2 or 3"},
    {"config: {edition: 3}\nstreams:\n  a: {query: SELECT * FROM t, auto_subscribe: 1}", 3, 31,
     "true or false"},
    {"config: {edition: 3}\nstreams:\n  a: {query: SELECT * FROM t, with: {}}", 3, 31, "unknown key"},
    {HEAD "SELEC *", 5, 12, "syntax error at or near \"SELEC\""},
    {HEAD "SELECT * FROM t; SELECT 1", 5, 12, "one SELECT (at character 18"},
    {HEAD "DELETE FROM t", 5, 12, "only SELECT"},
    {HEAD "SELECT * FROM t, u", 5, 12, "exactly one table"},
    {HEAD "SELECT * FROM t JOIN u ON true", 5, 12, "JOIN"},
    {HEAD "SELECT 1", 5, 12, "exactly one table"},
    {HEAD "SELECT 1 AS x FROM t", 5, 12, "selects no column"},
    {HEAD "SELECT * FROM public.t", 5, 12, "the only schema is convex"},
    {HEAD "SELECT x.* FROM t", 5, 12, "unknown table \"x\""},
    {HEAD "SELECT t.* FROM t AS u", 5, 12, "unknown table \"t\""},
    {HEAD "SELECT * FROM \"t%\"", 5, 12, "wildcard"},
    {HEAD "SELECT DISTINCT a FROM t", 5, 12, "DISTINCT"},
    {HEAD "SELECT * FROM t GROUP BY a", 5, 12, "GROUP BY"},
    {HEAD "SELECT * FROM t ORDER BY a", 5, 12, "ORDER BY"},
    {HEAD "SELECT * FROM t LIMIT 1", 5, 12, "LIMIT"},
    {HEAD "SELECT * FROM t UNION SELECT * FROM t", 5, 12, "not supported"},
    {HEAD "SELECT * FROM t WHERE a > auth.user_id()", 5, 12, "only be compared with ="},
    {HEAD "SELECT * FROM t WHERE a = request.user_id()", 5, 12, "or have no schema (at character 27"},
    {HEAD "SELECT * FROM t WHERE a = auth.user_id('x')", 5, 12, "unknown request function"},
    {HEAD "SELECT * FROM t WHERE NOT (a = auth.user_id())", 5, 12, "only be compared with ="},
    {HEAD "SELECT * FROM t WHERE a IN (SELECT x FROM u)", 5, 12,
     "subqueries are not supported (at character 29"},
    {HEAD "SELECT * FROM t WHERE a IN (1, 2)", 5, 12, "syntax error at or near \",\""},
    {HEAD "SELECT * FROM t WHERE a = coalesce(b, c)", 5, 12, "function coalesce is not supported"},
    {HEAD "SELECT * FROM t WHERE a ->> '$.x[0]' = 1", 5, 12, "this path is not supported"},
    {HEAD "SELECT * FROM t WHERE a IN ARRAY[]", 5, 12, "at least one value"},
    {HEAD "SELECT auth.user_id() AS u, a FROM t", 5, 12, "cannot be synced (at character 8"},
    {HEAD "SELECT a FROM t WHERE 'x' IN a AND 'y' IN a", 5, 12, "one array in several conditions"},
};

static void refused_with_place(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *refusal = &refusals[i];
        struct sync_config *config;
        struct error error = {0};
        assert_int_equal(sync_config_parse(&config, refusal->yaml, "sync.yaml", &error), STATUS_INVALID);
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
    assert_int_equal(config->n_queries, 4);
    assert_int_equal(config->n_patterns, 3);
    assert_string_equal(config->patterns[0].name, "lists");
    assert_string_equal(config->patterns[1].name, "todos");
    assert_false(sync_config_selects(config, &(struct source_table){"default", "convex", "Lists"}));
    assert_true(sync_config_selects(config, &(struct source_table){"default", "convex", "notes"}));

    const struct sync_stream_definition *own = sync_config_stream(config, "own");
    assert_true(own->auto_subscribe);
    assert_int_equal(own->priority, 1);
    assert_int_equal(own->n_variants, 1);
    assert_int_equal(own->variants[0].branch->n_parameters, 1);
    const struct sync_stream_definition *all = sync_config_stream(config, "all");
    assert_false(all->auto_subscribe);
    assert_int_equal(all->priority, 3);
    assert_int_equal(all->n_variants, 2);

    const struct sync_query *query = &config->queries[0];
    assert_string_equal(query->object_type, "lists");
    assert_string_equal(query->branches[0].row_parameters[0].expression->text, "owner_id");
    assert_int_equal(query->n_items, 2);
    assert_null(query->items[0].expression);
    assert_string_equal(query->items[1].expression->text, "uuid");
    assert_string_equal(query->items[1].output, "id");
    query = &config->queries[1];
    assert_string_equal(query->object_type, "t");
    assert_int_equal(query->branches[0].n_parameters, 0);
    assert_string_equal(query->items[1].expression->text, "ownerId");
    assert_string_equal(query->items[2].output, "name"); /* unquoted names fold to lower case */
    query = &config->queries[2];
    assert_string_equal(query->table, "lists");
    assert_string_equal(query->object_type, "Lists");
    assert_string_equal(query->branches[0].row_parameters[0].expression->text, "sharedWith");
    assert_int_equal(query->branches[0].variant, 1);
    assert_int_equal(config->queries[3].branches[0].variant, 0); /* shares the family without a parameter */
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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(refused_with_place), cmocka_unit_test(accepted),
                                       cmocka_unit_test(requests_get_buckets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
