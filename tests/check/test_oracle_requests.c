/* What clients ask for, in the oracle: parameters of the connection and of subscriptions, membership through
 * other tables, arrays, wildcards, and the service's NULLs. Each case is a stream, three documents and the
 * ids that one client then has; which they are follows from the sync config's meaning, not from any SQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "check/oracle.h"
#include "kernel/time.h"

static const struct client_column columns[] = {{"name", "text"}};
static const struct client_table tables[] = {
    {"docs", columns, 1}, {"log_a", columns, 1}, {"log_b", columns, 1}, {"logs", columns, 1}};
static const struct client_schema schema = {tables, 4};

/* What the deployment holds in every case. */
static const struct note_row documents[] = {
    {.table = "docs",
     .id = "d1",
     .values = "{\"_id\":\"d1\",\"team\":\"red\",\"n\":1,\"tags\":[\"x\",\"y\"]}"},
    {.table = "docs", .id = "d2", .values = "{\"_id\":\"d2\",\"team\":\"blue\",\"n\":2,\"tags\":[]}"},
    {.table = "docs", .id = "d3", .values = "{\"_id\":\"d3\",\"team\":null,\"n\":3,\"tags\":[\"y\",\"z\"]}"},
    {.table = "members", .id = "m1", .values = "{\"_id\":\"m1\",\"team\":\"red\",\"user\":\"ann\"}"},
    {.table = "members", .id = "m2", .values = "{\"_id\":\"m2\",\"team\":\"blue\",\"user\":\"ben\"}"},
    {.table = "offices", .id = "o1", .values = "{\"_id\":\"o1\",\"member\":\"m1\",\"city\":\"Rome\"}"},
    {.table = "log_a", .id = "a1", .values = "{\"_id\":\"a1\",\"name\":\"one\"}"},
    {.table = "log_b", .id = "b1", .values = "{\"_id\":\"b1\",\"name\":\"two\"}"},
};

static const char *const ids[] = {"d1", "d2", "d3", "a1", "b1"};

struct request_case {
    const char *where; /* of a stream on docs; or a whole query */
    const char *with;  /* common table expressions; or NULL */
    bool automatic;
    const char *parameters;      /* of the connection */
    const char *subscription[2]; /* parameters of each subscription to the stream; NULL: none */
    const char *expected;        /* ids in the order of `ids` */
};

static void expect_table_rows(const struct oracle_user *user, struct buffer *seen) {
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        for (size_t t = 0; t < schema.n_tables; t++) {
            const struct oracle_row *row = oracle_user_row(user, tables[t].name, ids[i]);
            if (row == NULL || row->text == NULL)
                continue;
            buffer_append_text(seen, seen->length > 0 ? " " : "");
            if (t > 0)
                buffer_printf(seen, "%s/", tables[t].name);
            buffer_append_text(seen, ids[i]);
        }
}

static void run_case(const struct request_case *item) {
    struct buffer config = {0}, seen = {0};
    const bool whole = strncmp(item->where, "SELECT", 6) == 0;
    buffer_printf(
        &config,
        "config: {edition: 3}\n%s%s%sstreams:\n  s:\n    auto_subscribe: %s\n    query: |-\n      %s%s\n",
        item->with ? "with:\n  " : "", item->with ? item->with : "", item->with ? "\n" : "",
        item->automatic ? "true" : "false", whole ? "" : "SELECT *, _id AS id FROM docs WHERE ", item->where);
    struct client_subscription subscriptions[2];
    struct oracle_request request = {.parameters = item->parameters, .subscriptions = subscriptions};
    for (size_t i = 0; i < 2 && item->subscription[i] != NULL; i++)
        subscriptions[request.n_subscriptions++] = (struct client_subscription){"s", item->subscription[i]};
    static const char *const users[] = {"ann"};
    struct oracle *oracle;
    struct error error = {0};
    if (oracle_create(buffer_text(&config), &schema, users, &request, 1, &oracle, &error) != STATUS_OK)
        fail_msg("%s: %s", item->where, error.message);
    struct history *history = history_create();
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        const struct note note = {.kind = NOTE_COMMIT,
                                  .timestamp = TIME_WALL_START + (int64_t)i,
                                  .rows = &documents[i],
                                  .n_rows = 1};
        oracle_record(oracle, history_add(history, (int64_t)i, "convex", &note));
    }
    expect_table_rows(oracle_client(oracle, 0), &seen);
    if (strcmp(buffer_text(&seen), item->expected) != 0)
        fail_msg("%s: expected \"%s\", seen \"%s\"", item->where, item->expected, buffer_text(&seen));
    history_destroy(history);
    oracle_destroy(oracle);
    buffer_free(&config);
    buffer_free(&seen);
}

#define RUN(...)                                                                                             \
    do {                                                                                                     \
        const struct request_case item = {__VA_ARGS__};                                                      \
        run_case(&item);                                                                                     \
    } while (0)

static void test_request_values(void **state) {
    (void)state;
    RUN("team = auth.user_id()", NULL, true, NULL, {NULL}, "");
    RUN("auth.user_id() = 'ann'", NULL, true, NULL, {NULL}, "d1 d2 d3");
    RUN("auth.parameter('sub') = 'ben'", NULL, true, NULL, {NULL}, "");
    RUN("auth.parameters() ->> 'sub' = 'ann'", NULL, true, NULL, {NULL}, "d1 d2 d3");
    RUN("team = connection.parameter('t')", NULL, true, "{\"t\":\"blue\"}", {NULL}, "d2");
    RUN("team = connection.parameter('t')", NULL, true, NULL, {NULL}, "");
    RUN("n = connection.parameter('a.b')", NULL, true, "{\"a.b\":3,\"a\":{\"b\":1}}", {NULL}, "d3");
    RUN("n = connection.parameter('$.a.b')", NULL, true, "{\"a.b\":3,\"a\":{\"b\":1}}", {NULL}, "d1");
}

static void test_subscriptions(void **state) {
    (void)state;
    RUN("team = subscription.parameter('t')", NULL, false, NULL, {NULL}, "");
    RUN("team = subscription.parameter('t')", NULL, false, NULL, {"{\"t\":\"red\"}"}, "d1");
    RUN("team = subscription.parameter('t')", NULL, false, NULL, {"{\"t\":\"red\"}", "{\"t\":\"blue\"}"},
        "d1 d2");
    /* The default subscription of a stream has no parameters, and stays beside the others. */
    RUN("ifnull(subscription.parameter('t'), 'blue') = team", NULL, true, NULL, {"{\"t\":\"red\"}"}, "d1 d2");
    RUN("team IN (SELECT team FROM members WHERE _id = subscription.parameter('m'))", NULL, false, NULL,
        {"{\"m\":\"m2\"}", "{\"m\":\"m1\"}"}, "d1 d2");
}

static void test_membership(void **state) {
    (void)state;
    RUN("team IN (SELECT team FROM members WHERE \"user\" = auth.user_id())", NULL, true, NULL, {NULL}, "d1");
    RUN("team IN (SELECT team FROM members WHERE _id IN (SELECT member FROM offices WHERE city = 'Rome'))",
        NULL, true, NULL, {NULL}, "d1");
    RUN("team IN mine", "mine: SELECT team FROM members WHERE \"user\" = auth.user_id()", true, NULL, {NULL},
        "d1");
    RUN("SELECT docs.*, docs._id AS id FROM docs INNER JOIN members AS m ON m.team = docs.team WHERE "
        "m.\"user\" = "
        "auth.user_id()",
        NULL, true, NULL, {NULL}, "d1");
}

static void test_arrays(void **state) {
    (void)state;
    RUN("team IN connection.parameter('teams')", NULL, true, "{\"teams\":[\"blue\",\"red\"]}", {NULL},
        "d1 d2");
    RUN("'y' IN tags", NULL, true, NULL, {NULL}, "d1 d3");
    RUN("team IN ARRAY['red', 'green']", NULL, true, NULL, {NULL}, "d1");
    RUN("n IN ROW(2, 3)", NULL, true, NULL, {NULL}, "d2 d3");
    RUN("tags && connection.parameter('tags')", NULL, true, "{\"tags\":[\"z\",\"q\"]}", {NULL}, "d3");
    RUN("connection.parameters() ->> 'tags' && tags AND n < 3", NULL, true, "{\"tags\":[\"y\"]}", {NULL},
        "d1");
    RUN("SELECT docs.*, docs._id AS id FROM docs, json_each(docs.tags) AS tag WHERE tag.value = "
        "connection.parameter('tag')",
        NULL, true, "{\"tag\":\"y\"}", {NULL}, "d1 d3");
    RUN("n::text = '2'", NULL, true, NULL, {NULL}, "d2");
}

/* != and NOT admit rows with NULL, in the service's default engine. */
static void test_nulls(void **state) {
    (void)state;
    RUN("team != 'red'", NULL, true, NULL, {NULL}, "d2 d3");
    RUN("team <> 'red' AND n > 0", NULL, true, NULL, {NULL}, "d2 d3");
    RUN("NOT team = 'red'", NULL, true, NULL, {NULL}, "d2 d3");
    RUN("NOT (team = 'red' OR n = 2)", NULL, true, NULL, {NULL}, "d3");
    RUN("NOT n BETWEEN 1 AND 2 AND n = 3", NULL, true, NULL, {NULL}, "d3");
    RUN("team NOT IN ARRAY['red']", NULL, true, NULL, {NULL}, "d2 d3");
    RUN("team IS NOT NULL", NULL, true, NULL, {NULL}, "d1 d2");
    RUN("(n + 1) != 2", NULL, true, NULL, {NULL}, "d2 d3");
}

static void test_wildcards(void **state) {
    (void)state;
    RUN("SELECT *, _id AS id FROM \"log_%\"", NULL, true, NULL, {NULL}, "log_a/a1 log_b/b1");
    RUN("SELECT *, _id AS id FROM \"log_%\" AS logs", NULL, true, NULL, {NULL}, "logs/a1 logs/b1");
    RUN("SELECT *, _id AS id FROM \"log_%\" WHERE name = 'two'", NULL, true, NULL, {NULL}, "log_b/b1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_values), cmocka_unit_test(test_subscriptions),
        cmocka_unit_test(test_membership),     cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_nulls),          cmocka_unit_test(test_wildcards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
