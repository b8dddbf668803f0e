/* The property reactive-exact on a real deployment's WebSocket sessions: it has nothing to say about them,
 * and finds the deployment's planted bugs. */
#include "mock-convex/sync_script.h"

#include "app/app.h"
#include "check/check.h"

static const char *const names[] = {"tab-1"}, *const users[] = {"alice"};
static const char *const only_reactive[] = {"reactive-exact"};

struct tab {
    struct fixture *fixture;
    struct history *history;
    struct checker *checker;
    struct script script;
    char *values[2]; /* of the queries 0 and 1 */
    size_t transitions;
};

static const char *const paths[2] = {"pets:count", "pets:named"};
static const char *const arguments[2] = {"{}", "{\"uuid\":\"u1\"}"};

static enum status evaluate(void *context, const char *path, const char *args, const char *user, int64_t ts,
                            bool *failed, char **text, struct error *error) {
    struct tab *tab = context;
    return convex_deployment_evaluate(tab->fixture->deployment, path, args, user, ts, failed, text, error);
}

static int64_t stamp_of(const json_t *version) {
    struct buffer bytes = {0};
    uint64_t ts = 0;
    const char *text = json_text(version, "ts");
    assert_int_equal(base64_decode(&bytes, text, strlen(text), NULL), STATUS_OK);
    for (size_t i = 8; i-- > 0;) {
        ts = ts << 8 | (unsigned char)bytes.data[i];
    }
    buffer_free(&bytes);
    return (int64_t)ts;
}

/* Keeps the values and notes the transition, as a client does. */
static void hear(struct script *script, const char *text, size_t length) {
    struct tab *tab = script->context;
    json_t *json = json_parse(text, length, NULL), *items = json_object_get(json, "modifications");
    struct note_row rows[2];
    size_t n_rows = 0;
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const size_t id = (size_t)json_integer_value(json_object_get(item, "queryId"));
        assert_true(id < 2);
        free(tab->values[id]);
        tab->values[id] = json_dumps(json_object_get(item, "value"), JSON_COMPACT | JSON_ENCODE_ANY);
    }
    for (size_t i = 0; i < 2; i++) {
        if (tab->values[i] != NULL) {
            rows[n_rows++] = (struct note_row){"VALUE", paths[i], arguments[i], tab->values[i]};
        }
    }
    if (strcmp(json_text(json, "type"), "Transition") == 0) {
        const struct note note = {.kind = NOTE_TRANSITION,
                                  .timestamp = stamp_of(json_object_get(json, "endVersion")),
                                  .rows = rows,
                                  .n_rows = n_rows};
        host_note(tab->fixture->client, &note);
        tab->transitions++;
    }
    json_decref(json);
}

static void open(struct tab *tab, const char *mutant) {
    const struct app *app = app_find("todo");
    const struct check_settings settings = {.schema = app->schema,
                                            .sync_config = app->sync_config,
                                            .clients = names,
                                            .users = users,
                                            .n_clients = 1,
                                            .properties = only_reactive,
                                            .n_properties = 1,
                                            .evaluate = evaluate,
                                            .evaluate_context = tab};
    struct convex_deployment_options options = fixture_options();
    struct error error;
    memset(tab, 0, sizeof *tab);
    options.functions = script_functions;
    options.n_functions = LENGTH_OF(script_functions);
    tab->fixture = fixture_world();
    if (mutant != NULL) {
        world_enable_mutant(tab->fixture->world, mutant);
    }
    tab->history = history_create();
    history_attach(tab->history, tab->fixture->world, NULL);
    assert_int_equal(checker_create(tab->history, tab->fixture->world, &settings, &tab->checker, &error),
                     STATUS_OK);
    fixture_deploy(tab->fixture, &options);
    tab->script.hear = hear;
    tab->script.context = tab;
}

static void shut(struct tab *tab) {
    fixture_free(tab->fixture); /* sessions say goodbye to everybody who listens */
    checker_destroy(tab->checker);
    script_free(&tab->script);
    history_destroy(tab->history);
    free(tab->values[0]);
    free(tab->values[1]);
}

/* Pets come, change and go while a tab watches. Returns how many violations there are. */
static size_t watch(const char *mutant) {
    struct tab tab;
    const struct violation *const *violations;
    open(&tab, mutant);
    mutate(tab.fixture, "pets:add", "{\"uuid\":\"u1\"}");
    script_connect(&tab.script, tab.fixture, tab.fixture->client, "/api/1.48.0/sync");
    fixture_run(tab.fixture, 10 * TIME_MILLISECOND);
    script_say(&tab.script, tab.fixture->client,
               "{\"type\":\"Connect\",\"sessionId\":\"01234567-89ab-cdef-0123-456789abcdef\","
               "\"connectionCount\":0,\"lastCloseReason\":\"InitialConnect\",\"clientTs\":0}");
    script_say(&tab.script, tab.fixture->client,
               "{\"type\":\"ModifyQuerySet\",\"baseVersion\":0,\"newVersion\":1,\"modifications\":["
               "{\"type\":\"Add\",\"queryId\":0,\"udfPath\":\"pets:count\",\"args\":[{}]},"
               "{\"type\":\"Add\",\"queryId\":1,\"udfPath\":\"pets:named\",\"args\":[{\"uuid\":\"u1\"}]}]}");
    fixture_run(tab.fixture, 50 * TIME_MILLISECOND);
    assert_non_null(tab.values[0]);
    assert_non_null(tab.values[1]);
    for (int i = 0; i < 5; i++) {
        mutate(tab.fixture, "pets:increment", "{\"uuid\":\"u1\"}");
        mutate(tab.fixture, "pets:add", "{\"uuid\":\"u1\"}");
        mutate(tab.fixture, "pets:add", "{\"uuid\":\"u2\"}");
        fixture_run(tab.fixture, 20 * TIME_MILLISECOND);
    }
    checker_finish(tab.checker);
    const size_t count = checker_violations(tab.checker, &violations);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(violations[i]->property, "reactive-exact");
        if (mutant == NULL) {
            print_error("%s %s %s\n", violations[i]->explanation, violations[i]->expected,
                        violations[i]->seen);
        }
    }
    assert_true(tab.transitions > 1);
    shut(&tab);
    return count;
}

static void test_exact(void **state) {
    (void)state;
    assert_int_equal(watch(NULL), 0);
}

static void test_stale_subscription(void **state) {
    (void)state;
    assert_true(watch("stale-subscription") > 0);
}

static void test_split_snapshot(void **state) {
    (void)state;
    assert_true(watch("split-snapshot") > 0);
}

/* --- evaluation --- */

static void expect(struct tab *tab, const char *path, const char *args, int64_t ts, bool failed,
                   const char *expected) {
    bool has_failed;
    char *text = NULL;
    struct error error = {0};
    enum status status = convex_deployment_evaluate(tab->fixture->deployment, path, args, NULL, ts,
                                                    &has_failed, &text, &error);
    if (expected == NULL) {
        assert_int_equal(status, STATUS_INVALID);
        assert_null(text);
        return;
    }
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(has_failed, failed);
    assert_string_equal(text, expected);
    free(text);
}

/* As of each commit, long after it; a deletion included. Nothing of it is noted. */
static void test_evaluate(void **state) {
    struct tab tab;
    int64_t ts[4];
    (void)state;
    open(&tab, NULL);
    ts[0] = convex_deployment_latest(tab.fixture->deployment);
    mutate(tab.fixture, "pets:add", "{\"uuid\":\"u1\"}");
    ts[1] = convex_deployment_latest(tab.fixture->deployment);
    mutate(tab.fixture, "pets:increment", "{\"uuid\":\"u1\"}");
    ts[2] = convex_deployment_latest(tab.fixture->deployment);
    const size_t length = history_length(tab.history);
    expect(&tab, "pets:named", arguments[1], ts[0], false, "[]");
    expect(&tab, "pets:named", arguments[1], ts[1], false, "[0.0]");
    expect(&tab, "pets:named", arguments[1], ts[2] - 1, false, "[0.0]");
    expect(&tab, "pets:named", arguments[1], ts[2], false, "[1.0]");
    expect(&tab, "pets:count", "{}", ts[2], false, "1.0");
    expect(&tab, "pets:named", "{}", ts[2], true, "Server Error"); /* a production deployment says no more */
    expect(&tab, "pets:missing", "{}", ts[2], true, "Server Error");
    expect(&tab, "pets:increment", "{}", ts[2], true, "Server Error");
    expect(&tab, "pets:count", "[", ts[2], false, NULL);
    expect(&tab, "pets:count", "{}", ts[2] + 1, false, NULL);
    assert_int_equal(history_length(tab.history), length);
    shut(&tab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact), cmocka_unit_test(test_stale_subscription),
        cmocka_unit_test(test_split_snapshot), cmocka_unit_test(test_evaluate)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
