/* Components other than the root: tables and functions of their own, and what the export shows of them. */
#include "sync_script.h"

#define JSON "application/json"
#define ROOT_ADD "{\"path\":\"pets:add\",\"args\":{\"uuid\":\"r\"}}"
#define SHOP_ADD "{\"componentPath\":\"shop\",\"path\":\"pets:add\",\"args\":{\"uuid\":\"s\"}}"
#define CART_ADD "{\"componentPath\":\"shop/cart\",\"path\":\"pets:add\",\"args\":{\"uuid\":\"c\"}}"

/* A root function that calls one of shop, by the path in its arguments. */
static enum status reach_mutation(struct convex_context *context, const struct convex_value *args,
                                  struct convex_value **result, struct error *error) {
    return convex_run_mutation(context, convex_object_text(args, "call"), args, result, error);
}

static enum status reach_schedule(struct convex_context *context, const struct convex_value *args,
                                  struct convex_value **result, struct error *error) {
    char id[40];
    (void)result;
    return convex_schedule(context, 0, convex_object_text(args, "call"), args, id, error);
}

static enum status reach_table(struct convex_context *context, const struct convex_value *args,
                               struct convex_value **result, struct error *error) {
    const struct convex_value **documents = NULL;
    size_t count = 0;
    enum status status = convex_find(context, convex_object_text(args, "table"), "by_creation_time", NULL, 0,
                                     SIZE_MAX, &documents, &count, error);
    *result = convex_float64((double)count);
    free(documents);
    return status;
}

static const struct convex_table tables[] = {
    {.name = "pets", .indexes = pet_indexes, .n_indexes = 2},
    {.name = "pets", .component = "shop", .indexes = pet_indexes, .n_indexes = 2},
    {.name = "orders", .component = "shop"},
    {.name = "pets", .component = "shop/cart", .indexes = pet_indexes, .n_indexes = 2}};
static const struct convex_function functions[] = {
    {.path = "pets:add", .kind = CONVEX_MUTATION, .run = pets_add},
    {.path = "pets:count", .kind = CONVEX_QUERY, .run = pets_count},
    {.path = "pets:add", .component = "shop", .kind = CONVEX_MUTATION, .run = pets_add},
    {.path = "pets:remove", .component = "shop", .kind = CONVEX_MUTATION, .run = pets_remove},
    {.path = "pets:count", .component = "shop", .kind = CONVEX_QUERY, .run = pets_count},
    {.path = "reach:mutation", .component = "shop", .kind = CONVEX_MUTATION, .run = reach_mutation},
    {.path = "reach:table", .component = "shop", .kind = CONVEX_QUERY, .run = reach_table},
    {.path = "pets:add", .component = "shop/cart", .kind = CONVEX_MUTATION, .run = pets_add},
    {.path = "pets:count", .component = "shop/cart", .kind = CONVEX_QUERY, .run = pets_count},
    {.path = "empty:fn", .component = "bare/below", .kind = CONVEX_QUERY, .run = pets_echo},
    {.path = "reach:mutation", .kind = CONVEX_MUTATION, .run = reach_mutation},
    {.path = "reach:action", .kind = CONVEX_ACTION, .run = reach_mutation},
    {.path = "reach:schedule", .kind = CONVEX_MUTATION, .run = reach_schedule},
    {.path = "reach:table", .kind = CONVEX_QUERY, .run = reach_table}};

static struct fixture *make(void) {
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    options.deploy_key = "dev:syncline-1|0123456789abcdef"; /* error texts are shown */
    options.tables = tables;
    options.n_tables = LENGTH_OF(tables);
    options.functions = functions;
    options.n_functions = LENGTH_OF(functions);
    fixture_deploy(fixture, &options);
    return fixture;
}

/* POST with the deploy key; the caller frees the JSON. */
static json_t *post(struct fixture *fixture, const char *target, const char *body) {
    struct answer answer;
    struct error error = {0};
    send_request(fixture, &answer, "POST", target, AUTHORIZED, JSON, body, strlen(body));
    wait_for(fixture, &answer);
    if (answer.status != 200) {
        fail_msg("%s %s: %d %s", target, body, answer.status, buffer_text(&answer.body));
    }
    json_t *json = json_parse(buffer_text(&answer.body), answer.body.length, &error);
    assert_non_null(json);
    buffer_free(&answer.body);
    return json;
}

static void call(struct fixture *fixture, const char *body) {
    json_t *json = post(fixture, "/api/function", body);
    if (strcmp(json_text(json, "status"), "success") != 0) {
        fail_msg("%s: %s", body, json_text(json, "errorMessage"));
    }
    json_decref(json);
}

/* What pets:count of the component says. */
static int count(struct fixture *fixture, const char *component) {
    char body[200];
    snprintf(body, sizeof body, "{\"componentPath\":\"%s\",\"path\":\"pets:count\",\"args\":{}}", component);
    json_t *json = post(fixture, "/api/function", body);
    int number = (int)json_number_value(json_object_get(json, "value"));
    json_decref(json);
    return number;
}

static void refused(struct fixture *fixture, const char *body, const char *reason) {
    json_t *json = post(fixture, "/api/function", body);
    assert_string_equal(json_text(json, "status"), "error");
    if (strstr(json_text(json, "errorMessage"), reason) == NULL) {
        fail_msg("%s: %s", body, json_text(json, "errorMessage"));
    }
    json_decref(json);
}

/* "component/table uuid" of the rows, in a fixed order, joined by "; ". */
static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *describe(const json_t *page) {
    const json_t *values = json_object_get(page, "values");
    char *rows[32];
    size_t n = json_array_size(values);
    struct buffer out = {0};
    assert_true(n < LENGTH_OF(rows));
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(values, i);
        const char *uuid = json_text(row, "uuid");
        rows[i] = memory_format("[%s]%s %s", json_text(row, "_component"), json_text(row, "_table"),
                                uuid != NULL ? uuid : "-");
    }
    qsort(rows, n, sizeof rows[0], compare_texts);
    for (size_t i = 0; i < n; i++) {
        buffer_printf(&out, "%s%s", i > 0 ? "; " : "", rows[i]);
        free(rows[i]);
    }
    buffer_append_text(&out, "");
    char *text = memory_copy_text(buffer_text(&out));
    buffer_free(&out);
    return text;
}

static void check_deltas(struct fixture *fixture, const char *method, const char *query,
                         const char *expected) {
    char target[300];
    snprintf(target, sizeof target, "/api/document_deltas%s", method[0] == 'G' ? query : "");
    json_t *page = method[0] == 'G' ? get_json(fixture, target) : post(fixture, target, query);
    char *text = describe(page);
    assert_string_equal(text, expected);
    free(text);
    json_decref(page);
}

/* All pages of a snapshot together. */
static void check_snapshot(struct fixture *fixture, const char *filter, const char *expected) {
    json_t *all = json_object(), *values = json_array();
    char *target = memory_format("/api/list_snapshot?%s", filter);
    for (int pages = 0; target != NULL; pages++) {
        assert_true(pages < 20);
        json_t *page = get_json(fixture, target);
        json_array_extend(values, json_object_get(page, "values"));
        free(target);
        target = NULL;
        const char *cursor = json_text(page, "cursor");
        if (cursor != NULL) {
            struct buffer encoded = {0};
            for (const char *at = cursor; *at != 0; at++) {
                buffer_printf(&encoded, "%%%02X", (unsigned char)*at);
            }
            target =
                memory_format("/api/list_snapshot?%s&cursor=%s&snapshot=%lld", filter, buffer_text(&encoded),
                              (long long)json_integer_value(json_object_get(page, "snapshot")));
            buffer_free(&encoded);
        }
        json_decref(page);
    }
    json_object_set_new(all, "values", values);
    char *text = describe(all);
    assert_string_equal(text, expected);
    free(text);
    json_decref(all);
}

static void fill(struct fixture *fixture) {
    call(fixture, ROOT_ADD);
    call(fixture, SHOP_ADD);
    call(fixture, CART_ADD);
}

static void test_functions_see_their_own_tables(void **state) {
    struct fixture *fixture = make();
    (void)state;
    call(fixture, SHOP_ADD);
    call(fixture, SHOP_ADD);
    call(fixture, CART_ADD);
    assert_int_equal(count(fixture, ""), 0);
    assert_int_equal(count(fixture, "shop"), 2);
    assert_int_equal(count(fixture, "shop/cart"), 1);
    refused(fixture, "{\"path\":\"reach:table\",\"args\":{\"table\":\"orders\"}}", "orders");
    refused(fixture, "{\"path\":\"reach:table\",\"args\":{\"table\":\"shop//orders\"}}", "there is no table");
    call(fixture, "{\"componentPath\":\"shop\",\"path\":\"reach:table\",\"args\":{\"table\":\"orders\"}}");
    refused(fixture, "{\"componentPath\":\"shop/none\",\"path\":\"pets:add\",\"args\":{}}",
            "Could not find the public function");
    refused(fixture, "{\"componentPath\":\"shop\",\"path\":\"reach:schedule\",\"args\":{}}",
            "Could not find the public function");
    fixture_free(fixture);
}

/* Numbers count in every component by itself, so the first tables have ids that begin alike (sheet 3.3). */
static void test_numbers_repeat(void **state) {
    struct fixture *fixture = make();
    (void)state;
    fill(fixture);
    json_t *page = get_json(fixture, "/api/document_deltas?cursor=0");
    const json_t *values = json_object_get(page, "values");
    assert_int_equal(json_array_size(values), 3);
    for (size_t i = 0; i < 3; i++) {
        const char *id = json_text(json_array_get(values, i), "_id");
        assert_int_equal(strncmp(id, "j57", 3), 0);
    }
    json_decref(page);
    struct convex_value *order = convex_object(); /* the second table of shop, the third of all */
    const struct convex_value *const orders[] = {order};
    assert_int_equal(convex_deployment_replace_table(fixture->deployment, "shop//orders", orders, 1, NULL),
                     STATUS_OK);
    convex_free(order);
    page = get_json(fixture, "/api/list_snapshot?component=shop&table_name=orders");
    const char *id = json_text(json_array_get(json_object_get(page, "values"), 0), "_id");
    assert_int_equal(strncmp(id, "j97", 3), 0);
    json_decref(page);
    fixture_free(fixture);
}

static void test_calls_reach_down(void **state) {
    struct fixture *fixture = make();
    (void)state;
    call(fixture, "{\"path\":\"reach:mutation\",\"args\":{\"call\":\"shop//pets:add\",\"uuid\":\"a\"}}");
    assert_int_equal(count(fixture, "shop"), 1);
    call(fixture, "{\"path\":\"reach:action\",\"args\":{\"call\":\"shop//pets:add\",\"uuid\":\"b\"}}");
    assert_int_equal(count(fixture, "shop"), 2);
    call(fixture, "{\"path\":\"reach:schedule\",\"args\":{\"call\":\"shop//pets:add\",\"uuid\":\"c\"}}");
    fixture_run(fixture, TIME_SECOND);
    assert_int_equal(count(fixture, "shop"), 3);
    /* from shop to what is below it, and back to its own table */
    call(fixture, "{\"componentPath\":\"shop\",\"path\":\"reach:mutation\",\"args\":{\"call\":"
                  "\"cart//pets:add\",\"uuid\":\"d\"}}");
    assert_int_equal(count(fixture, "shop/cart"), 1);
    call(fixture, "{\"componentPath\":\"shop\",\"path\":\"reach:mutation\",\"args\":{\"call\":"
                  "\"pets:add\",\"uuid\":\"e\"}}");
    assert_int_equal(count(fixture, "shop"), 4);
    assert_int_equal(count(fixture, ""), 0);
    refused(fixture, "{\"path\":\"reach:mutation\",\"args\":{\"call\":\"none//pets:add\",\"uuid\":\"f\"}}",
            "Could not find the function");
    fixture_free(fixture);
}

/* From outside only the deploy key names a component, and no path reaches into one. */
static void test_who_may(void **state) {
    static const struct expectation rows[] = {
        {"without the key", "POST", "/api/function", NULL, JSON, SHOP_ADD, 403, "BadDeployKey"},
        {"a full name is no path", "POST", "/api/mutation", AUTHORIZED, JSON,
         "{\"path\":\"shop//pets:add\",\"args\":{}}", 400, "BadConvexFunctionIdentifier"},
        {"a component that is a number", "POST", "/api/function", AUTHORIZED, JSON,
         "{\"componentPath\":7,\"path\":\"pets:add\",\"args\":{}}", 400, "BadJsonBody"},
        {"null is the root", "POST", "/api/function", AUTHORIZED, JSON,
         "{\"componentPath\":null,\"path\":\"pets:add\",\"args\":{}}", 200, ""}};
    struct fixture *fixture = make();
    (void)state;
    check_expectations(fixture, rows, LENGTH_OF(rows));
    assert_int_equal(count(fixture, ""), 1);
    fixture_free(fixture);
}

static void test_rows_name_their_component(void **state) {
    struct fixture *fixture = make();
    (void)state;
    fill(fixture);
#define ALL "[]pets r; [shop/cart]pets c; [shop]pets s"
    check_deltas(fixture, "GET", "?cursor=0", ALL);
    check_deltas(fixture, "GET", "?cursor=0&table_name=pets", "[]pets r");
    check_deltas(fixture, "GET", "?cursor=0&component=shop", "[shop]pets s");
    check_deltas(fixture, "GET", "?cursor=0&component=", "[]pets r");
    check_deltas(fixture, "GET", "?cursor=0&table_name=pets&component=shop/cart", "[shop/cart]pets c");
    check_deltas(fixture, "GET", "?cursor=0&table_name=orders", "");
    check_deltas(fixture, "POST",
                 "{\"cursor\":0,\"selection\":{\"_other\":\"excluded\",\"shop\":{\"_other\":\"included\"}}}",
                 "[shop]pets s");
    check_deltas(fixture, "POST",
                 "{\"cursor\":0,\"selection\":{\"_other\":\"included\",\"shop/cart\":\"excluded\"}}",
                 "[]pets r; [shop]pets s");
    check_deltas(fixture, "POST",
                 "{\"cursor\":0,\"selection\":{\"_other\":\"included\",\"\":{\"_other\":\"excluded\"}}}",
                 "[shop/cart]pets c; [shop]pets s");
    check_snapshot(fixture, "", ALL);
    check_snapshot(fixture, "table_name=pets", "[]pets r");
    check_snapshot(fixture, "component=shop", "[shop]pets s");
    check_snapshot(fixture, "component=shop&table_name=pets", "[shop]pets s");
    call(fixture, "{\"componentPath\":\"shop\",\"path\":\"pets:remove\",\"args\":{\"uuid\":\"s\"}}");
    check_deltas(fixture, "GET", "?cursor=0&component=shop", "[shop]pets -; [shop]pets s");
    fixture_free(fixture);
}

static void check_keys(const json_t *object, const char *expected) {
    struct buffer out = {0};
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)object, name, member) {
        buffer_printf(&out, "%s%s", out.length > 0 ? "," : "", name);
    }
    buffer_append_text(&out, "");
    assert_string_equal(buffer_text(&out), expected);
    buffer_free(&out);
}

/* Flat: same names overwrite each other; components without tables are `{}` (sheet 1.9). */
static void test_schemas(void **state) {
    struct fixture *fixture = make();
    (void)state;
    call(fixture, ROOT_ADD);
    json_t *json = get_json(fixture, "/api/json_schemas"); /* shop/cart's pets, which are none yet */
    check_keys(json_object_get(json_object_get(json, "pets"), "properties"), "_creationTime,_id");
    json_decref(json);
    call(fixture, SHOP_ADD);
    call(fixture, CART_ADD);
    json = get_json(fixture, "/api/json_schemas");
    check_keys(json, "orders,pets,powersync_checkpoints");
    check_keys(json_object_get(json_object_get(json, "pets"), "properties"),
               "_creationTime,_id,count,name,uuid");
    json_decref(json);
    json = get_json(fixture, "/api/json_schemas?byComponent=true");
    check_keys(json_object_get(json, ""), "pets,powersync_checkpoints");
    check_keys(json_object_get(json, "shop"), "orders,pets");
    check_keys(json_object_get(json, "shop/cart"), "pets");
    check_keys(json_object_get(json, "bare"), "");
    check_keys(json_object_get(json, "bare/below"), "");
    assert_int_equal(json_object_size(json), 5);
    const json_t *id = json_object_get(
        json_object_get(json_object_get(json_object_get(json, "shop"), "orders"), "properties"), "_id");
    assert_string_equal(json_text(id, "$description"), "Id(orders)");
    json_decref(json);
    json = get_json(fixture, "/api/get_table_column_names");
    const json_t *shop = json_object_get(json_object_get(json, "byComponent"), "shop");
    assert_int_equal(json_array_size(shop), 2);
    assert_string_equal(json_text(json_array_get(shop, 0), "name"), "orders");
    assert_int_equal(json_array_size(json_object_get(json_array_get(shop, 0), "columns")), 2);
    assert_int_equal(json_array_size(json_object_get(json_array_get(shop, 1), "columns")), 5);
    json_decref(json);
    fixture_free(fixture);
}

static void test_data_sync(void **state) {
    struct fixture *fixture = make();
    (void)state;
    fill(fixture);
    json_t *page = post(fixture, "/api/v1/data/sync",
                        "{\"selection\":{\"_other\":\"excluded\",\"shop\":{\"_other\":\"excluded\","
                        "\"pets\":{\"_other\":\"included\"}}}}");
    const json_t *truncate = json_array_get(json_object_get(page, "truncates"), 0);
    const json_t *value = json_array_get(json_object_get(page, "values"), 0);
    assert_int_equal(json_array_size(json_object_get(page, "values")), 1);
    assert_string_equal(json_text(truncate, "component"), "shop");
    assert_string_equal(json_text(value, "component"), "shop");
    assert_string_equal(json_text(value, "table"), "pets");
    assert_string_equal(json_text(json_object_get(value, "value"), "uuid"), "s");
    json_decref(page);
    fixture_free(fixture);
}

/* delete_tables names the component; the other tables called pets stay. */
static void test_table_changes(void **state) {
    struct fixture *fixture = make();
    (void)state;
    fill(fixture);
    json_decref(post(fixture, "/api/delete_tables", "{\"tableNames\":[\"pets\"],\"componentId\":\"shop\"}"));
    check_deltas(fixture, "GET", "?cursor=0", "[]pets r; [shop/cart]pets c");
    assert_int_equal(convex_deployment_replace_table(fixture->deployment, "shop/cart//pets", NULL, 0, NULL),
                     STATUS_OK);
    check_deltas(fixture, "GET", "?cursor=0", "[]pets r");
    assert_int_equal(convex_deployment_drop_table(fixture->deployment, "cart//pets", NULL), STATUS_NOT_FOUND);
    fixture_free(fixture);
}

static void test_declarations(void **state) {
    static const struct convex_table twice[] = {{.name = "a", .component = "shop"},
                                                {.name = "a", .component = "shop"}};
    static const struct convex_table bad[] = {{.name = "a", .component = "shop//cart"}};
    struct fixture *fixture = make();
    struct error error = {0};
    (void)state;
    assert_int_equal(
        convex_deployment_push(fixture->deployment, twice, 2, functions, LENGTH_OF(functions), &error),
        STATUS_INVALID);
    assert_int_equal(
        convex_deployment_push(fixture->deployment, bad, 1, functions, LENGTH_OF(functions), &error),
        STATUS_INVALID);
    fill(fixture);
    assert_int_equal(convex_deployment_push(fixture->deployment, tables, LENGTH_OF(tables), functions,
                                            LENGTH_OF(functions), &error),
                     STATUS_OK);
    check_deltas(fixture, "GET", "?cursor=0", ALL);
    fixture_free(fixture);
}

#define SESSION                                                                                              \
    "{\"type\":\"Connect\",\"sessionId\":\"3f0c0000-0000-4000-8000-000000000001\",\"connectionCount\":0,"    \
    "\"lastCloseReason\":"                                                                                   \
    "\"InitialConnect\"}"
#define WATCH                                                                                                \
    "{\"type\":\"ModifyQuerySet\",\"baseVersion\":0,\"newVersion\":1,\"modifications\":[{\"type\":\"Add\","  \
    "\"queryId\":0,"                                                                                         \
    "\"udfPath\":\"pets:count\",\"args\":[{}],\"componentPath\":\"shop\"}]}"
#define MUTATE                                                                                               \
    "{\"type\":\"Mutation\",\"requestId\":0,\"udfPath\":\"pets:add\",\"args\":[{}],\"componentPath\":"       \
    "\"shop\"}"

static void say(struct script *script, const char *text) {
    script_say(script, script->fixture->client, text);
    fixture_run(script->fixture, 100 * TIME_MILLISECOND);
}

/* On the WebSocket, too, an admin may name a component; anybody else ends the session. */
static void test_websocket(void **state) {
    struct fixture *fixture = make();
    struct script admin = {0}, user = {0};
    (void)state;
    script_connect(&admin, fixture, fixture->client, "/api/sync");
    fixture_run(fixture, 100 * TIME_MILLISECOND);
    say(&admin, SESSION);
    say(&admin,
        "{\"type\":\"Authenticate\",\"baseVersion\":0,\"tokenType\":\"Admin\",\"value\":\"" DEPLOY_KEY "\"}");
    say(&admin, WATCH);
    assert_non_null(strstr(buffer_text(&admin.log), "\"queryId\":0,\"value\":0.0"));
    say(&admin, MUTATE);
    assert_non_null(strstr(buffer_text(&admin.log), "\"success\":true"));
    assert_non_null(strstr(buffer_text(&admin.log), "\"queryId\":0,\"value\":1.0"));
    assert_int_equal(count(fixture, "shop"), 1);
    assert_int_equal(count(fixture, ""), 0);
    script_connect(&user, fixture, fixture->client, "/api/sync");
    fixture_run(fixture, 100 * TIME_MILLISECOND);
    say(&user, SESSION);
    say(&user, MUTATE);
    assert_non_null(strstr(buffer_text(&user.log), "FatalError"));
    assert_false(user.open);
    assert_int_equal(count(fixture, "shop"), 1);
    fixture_run(fixture, 6 * TIME_DAY); /* the result is kept for a week: sent again, it is known */
    say(&admin, MUTATE);
    assert_int_equal(count(fixture, "shop"), 1);
    fixture_run(fixture, 3 * TIME_DAY);
    say(&admin, MUTATE);
    assert_int_equal(count(fixture, "shop"), 2);
    say(&admin, MUTATE); /* known again */
    assert_int_equal(count(fixture, "shop"), 2);
    script_free(&admin);
    script_free(&user);
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest all[] = {cmocka_unit_test(test_functions_see_their_own_tables),
                                     cmocka_unit_test(test_numbers_repeat),
                                     cmocka_unit_test(test_calls_reach_down),
                                     cmocka_unit_test(test_who_may),
                                     cmocka_unit_test(test_rows_name_their_component),
                                     cmocka_unit_test(test_schemas),
                                     cmocka_unit_test(test_data_sync),
                                     cmocka_unit_test(test_table_changes),
                                     cmocka_unit_test(test_declarations),
                                     cmocka_unit_test(test_websocket)};
    return cmocka_run_group_tests(all, NULL, NULL);
}
