/* The function API beyond POST /api/query and /api/mutation: one table an endpoint, thrown values, actions.
 */
#include "base/digest.h"
#include "fixture.h"

#define JSON "application/json"
#define COUNT "{\"path\":\"pets:count\",\"args\":{}}"
#define ADD "{\"path\":\"pets:add\",\"args\":{}}"

/* throw new ConvexError({code: 7n}), after a write. */
static enum status throw_value(struct convex_context *context, const struct convex_value *args,
                               struct convex_value **result, struct error *error) {
    char id[40];
    (void)args;
    (void)result;
    convex_insert(context, "pets", pet_make("thrown", "never"), id, NULL);
    struct convex_value *data = convex_object();
    convex_object_set(data, "code", convex_int64(7));
    return convex_throw(context, data, error);
}

static enum status catch_value(struct convex_context *context, const struct convex_value *args,
                               struct convex_value **result, struct error *error) {
    throw_value(context, args, result, NULL);
    convex_catch(context);
    return error_set(error, STATUS_INVALID, "something else");
}

/* Adds a pet, counts, adds another one, and then throws if it is told to. */
static enum status act(struct convex_context *context, const struct convex_value *args,
                       struct convex_value **result, struct error *error) {
    struct convex_value *id = NULL, *none = convex_object();
    enum status status = convex_run_mutation(context, "pets:add", none, &id, error);
    convex_free(id);
    id = NULL;
    if (status == STATUS_OK) {
        status = convex_run_query(context, "pets:count", none, result, error);
    }
    const char *then = convex_object_text(args, "then");
    if (status == STATUS_OK && then != NULL) {
        status = convex_run_mutation(context, then, none, &id, error);
    }
    convex_free(id);
    convex_free(none);
    return status;
}

static enum status act_on_tables(struct convex_context *context, const struct convex_value *args,
                                 struct convex_value **result, struct error *error) {
    char id[40];
    (void)args;
    (void)result;
    assert_null(convex_get(context, "pets", "x"));
    return convex_insert(context, "pets", pet_make("a", "a"), id, error);
}

static enum status call_mutation(struct convex_context *context, const struct convex_value *args,
                                 struct convex_value **result, struct error *error) {
    return convex_run_mutation(context, "pets:add", args, result, error);
}

static enum status large_result(struct convex_context *context, const struct convex_value *args,
                                struct convex_value **result, struct error *error) {
    const struct convex_value *length = convex_object_get(args, "length");
    size_t count = (size_t)length->as.number;
    char *bytes = memory_allocate(count);
    (void)context;
    (void)error;
    *result = convex_bytes(bytes, count);
    free(bytes);
    return STATUS_OK;
}

static const struct convex_function more_functions[] = {
    {.path = "more:throw", .kind = CONVEX_MUTATION, .run = throw_value},
    {.path = "more:catch", .kind = CONVEX_MUTATION, .run = catch_value},
    {.path = "more:sneak", .kind = CONVEX_QUERY, .run = call_mutation},
    {.path = "more/deep:act", .kind = CONVEX_ACTION, .run = act},
    {.path = "more:act", .kind = CONVEX_ACTION, .run = act},
    {.path = "more:tables", .kind = CONVEX_ACTION, .run = act_on_tables},
    {.path = "more:large", .kind = CONVEX_QUERY, .run = large_result}};

static struct fixture *make(const char *deploy_key, struct convex_function *functions) {
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    memcpy(functions, pet_functions, sizeof pet_functions);
    memcpy(functions + LENGTH_OF(pet_functions), more_functions, sizeof more_functions);
    options.deploy_key = deploy_key;
    options.functions = functions;
    options.n_functions = LENGTH_OF(pet_functions) + LENGTH_OF(more_functions);
    fixture_deploy(fixture, &options);
    return fixture;
}

struct functions {
    struct convex_function list[LENGTH_OF(pet_functions) + LENGTH_OF(more_functions)];
};

static const struct expectation get_query[] = {
    {"GET", "GET", "/api/query?path=pets:count&args=%7B%7D", NULL, NULL, NULL, 200, ""},
    {"an array", "GET", "/api/query?path=pets:count&args=[{}]&format=json", NULL, NULL, NULL, 200, ""},
    {"another kind", "GET", "/api/query?path=pets:add&args={}", NULL, NULL, NULL, 200, ""},
    {"no path", "GET", "/api/query?args={}", NULL, NULL, NULL, 400, "BadQueryArgs"},
    {"no args", "GET", "/api/query?path=pets:count", NULL, NULL, NULL, 400, "BadQueryArgs"},
    {"broken args", "GET", "/api/query?path=pets:count&args={", NULL, NULL, NULL, 400, "BadQueryArgs"},
    {"a number", "GET", "/api/query?path=pets:count&args=1", NULL, NULL, NULL, 400, "BadQueryArgs"},
    {"twice", "GET", "/api/query?path=pets:count&path=a&args={}", NULL, NULL, NULL, 400, "BadQueryArgs"},
    {"query before key", "GET", "/api/query?args={}", "Convex x", NULL, NULL, 400, "BadQueryArgs"},
    {"a wrong key", "GET", "/api/query?path=pets:count&args={}", "Convex x", NULL, NULL, 401, "BadAdminKey"},
    {"no function path", "GET", "/api/query?path=::&args={}", NULL, NULL, NULL, 400,
     "BadConvexFunctionIdentifier"},
    {"format", "GET", "/api/query?path=pets:count&args={}&format=xml", NULL, NULL, NULL, 400, "BadFormat"}};

static const struct expectation action[] = {
    {"an action", "POST", "/api/action", NULL, JSON, "{\"path\":\"more:act\",\"args\":{}}", 200, ""},
    {"another kind", "POST", "/api/action", NULL, JSON, COUNT, 200, ""},
    {"no args", "POST", "/api/action", NULL, JSON, "{\"path\":\"more:act\"}", 400, "BadJsonBody"},
    {"no path", "POST", "/api/action", NULL, JSON, "{\"path\":\":\",\"args\":{}}", 400,
     "BadConvexFunctionIdentifier"},
    {"format after the run", "POST", "/api/action", NULL, JSON,
     "{\"path\":\"more:act\",\"args\":{},\"format\":\"xml\"}", 400, "BadFormat"},
    {"GET", "GET", "/api/action", NULL, NULL, NULL, 405, ""}};

static const struct expectation function[] = {
    {"a query", "POST", "/api/function", AUTHORIZED, JSON, COUNT, 200, ""},
    {"a mutation", "POST", "/api/function", AUTHORIZED, JSON, ADD, 200, ""},
    {"an action", "POST", "/api/function", AUTHORIZED, JSON, "{\"path\":\"more:act\",\"args\":{}}", 200, ""},
    {"the root", "POST", "/api/function", AUTHORIZED, JSON,
     "{\"componentPath\":\"\",\"path\":\"pets:count\",\"args\":{}}", 200, ""},
    {"a number as component", "POST", "/api/function", AUTHORIZED, JSON,
     "{\"componentPath\":1,\"path\":\"pets:count\",\"args\":{}}", 400, "BadJsonBody"},
    {"nobody", "POST", "/api/function", NULL, JSON, COUNT, 403, "BadDeployKey"},
    {"a user", "POST", "/api/function", TOKEN, JSON, COUNT, 403, "BadDeployKey"},
    {"a wrong key", "POST", "/api/function", "Convex x", JSON, COUNT, 401, "BadAdminKey"},
    {"a bad body", "POST", "/api/function", AUTHORIZED, JSON, "{", 400, "BadJsonBody"},
    {"format", "POST", "/api/function", AUTHORIZED, JSON,
     "{\"path\":\"pets:count\",\"args\":{},\"format\":\"xml\"}", 400, "BadFormat"}};

static const struct expectation run[] = {
    {"a query", "POST", "/api/run/pets/count", NULL, JSON, "{\"args\":{}}", 200, ""},
    {"a folder", "POST", "/api/run/more/deep/act", NULL, JSON, "{\"args\":{}}", 200, ""},
    {"one segment", "POST", "/api/run/pets", NULL, JSON, "{\"args\":{}}", 400, "MissingIdentifier"},
    {"no segment", "POST", "/api/run/", NULL, JSON, "{\"args\":{}}", 400, "MissingIdentifier"},
    {"no export", "POST", "/api/run/pets/", NULL, JSON, "{\"args\":{}}", 400, "BadConvexFunctionIdentifier"},
    {"no args", "POST", "/api/run/pets/count", NULL, JSON, "{}", 400, "BadJsonBody"},
    {"format", "POST", "/api/run/pets/count", NULL, JSON, "{\"args\":{},\"format\":\"xml\"}", 400,
     "BadFormat"},
    {"GET", "GET", "/api/run/pets/count", NULL, NULL, NULL, 405, ""}};

static const struct expectation query_batch[] = {
    {"none", "POST", "/api/query_batch", NULL, JSON, "{\"queries\":[]}", 200, ""},
    {"no array", "POST", "/api/query_batch", NULL, JSON, "{\"queries\":{}}", 400, "BadJsonBody"},
    {"absent", "POST", "/api/query_batch", NULL, JSON, "{}", 400, "BadJsonBody"},
    {"no query", "POST", "/api/query_batch", NULL, JSON, "{\"queries\":[1]}", 400, "BadJsonBody"},
    {"a bad path", "POST", "/api/query_batch", NULL, JSON,
     "{\"queries\":[" COUNT ",{\"path\":\"\",\"args\":{}}]}", 400, "BadConvexFunctionIdentifier"},
    {"a bad format", "POST", "/api/query_batch", NULL, JSON,
     "{\"queries\":[" COUNT ",{\"path\":\"pets:count\",\"args\":{},\"format\":\"xml\"}]}", 400, "BadFormat"}};

static const struct expectation query_at_ts[] = {
    {"timestamp 1 is long past", "POST", "/api/query_at_ts", NULL, JSON,
     "{\"path\":\"pets:count\",\"args\":{},\"ts\":\"AQAAAAAAAAA=\"}", 503, "InternalServerError"},
    {"the future", "POST", "/api/query_at_ts", NULL, JSON,
     "{\"path\":\"pets:count\",\"args\":{},\"ts\":\"//////////8=\"}", 500, "InternalServerError"},
    {"7 bytes", "POST", "/api/query_at_ts", NULL, JSON,
     "{\"path\":\"pets:count\",\"args\":{},\"ts\":\"AQAAAAAAAA==\"}", 500, "InternalServerError"},
    {"no base64", "POST", "/api/query_at_ts", NULL, JSON,
     "{\"path\":\"pets:count\",\"args\":{},\"ts\":\"?\"}", 500, "InternalServerError"},
    {"no ts", "POST", "/api/query_at_ts", NULL, JSON, COUNT, 400, "BadJsonBody"},
    {"a number", "POST", "/api/query_at_ts", NULL, JSON, "{\"path\":\"pets:count\",\"args\":{},\"ts\":1}",
     400, "BadJsonBody"}};

static void test_statuses(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(DEPLOY_KEY, functions.list);
    check_expectations(fixture, get_query, LENGTH_OF(get_query));
    check_expectations(fixture, action, LENGTH_OF(action));
    check_expectations(fixture, function, LENGTH_OF(function));
    check_expectations(fixture, run, LENGTH_OF(run));
    check_expectations(fixture, query_batch, LENGTH_OF(query_batch));
    check_expectations(fixture, query_at_ts, LENGTH_OF(query_at_ts));
    fixture_free(fixture);
}

/* The body of a 200; the caller frees it. */
static struct buffer post(struct fixture *fixture, const char *target, const char *body) {
    struct answer answer;
    send_request(fixture, &answer, "POST", target, AUTHORIZED, JSON, body, strlen(body));
    wait_for(fixture, &answer);
    if (answer.status != 200) {
        fail_msg("%s %s: %d %s", target, body, answer.status, buffer_text(&answer.body));
    }
    return answer.body;
}

static void expect(struct fixture *fixture, const char *target, const char *body, const char *reply) {
    struct buffer text = post(fixture, target, body);
    assert_string_equal(buffer_text(&text), reply);
    buffer_free(&text);
}

static void test_successes(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(DEPLOY_KEY, functions.list);
    /* the action counts one pet between its two mutations: each is a transaction of its own */
    expect(fixture, "/api/action", "{\"path\":\"more:act\",\"args\":{\"then\":\"pets:add\"}}",
           "{\"status\":\"success\",\"value\":1.0}");
    assert_int_equal(fixture->commits, 2);
    expect(fixture, "/api/run/pets.js/count", "{\"args\":{}}", "{\"status\":\"success\",\"value\":2.0}");
    expect(fixture, "/api/function", COUNT, "{\"status\":\"success\",\"value\":2.0}");
    expect(fixture, "/api/query_batch", "{\"queries\":[]}", "{\"results\":[]}");
    expect(fixture, "/api/query_batch", "{\"queries\":[" COUNT "," COUNT "]}",
           "{\"results\":[{\"status\":\"success\",\"value\":2.0},{\"status\":\"success\",\"value\":2.0}]}");
    expect(fixture, "/api/run/pets/echo", "{\"args\":{\"a\":{\"$integer\":\"BwAAAAAAAAA=\"}}}",
           "{\"status\":\"success\",\"value\":{\"a\":\"7\"}}"); /* clean JSON by default */
    fixture_free(fixture);
}

/* 200 with status error, and what a development deployment says about it; commits that stay. */
static const struct {
    const char *target, *body;
    const char *reason;
    const char *data; /* errorData; NULL: none */
    size_t commits;
} failures[] = {
    {"/api/mutation", "{\"path\":\"more:throw\",\"args\":{}}", "Uncaught ConvexError: {\"code\":\"7\"}",
     "{\"code\":\"7\"}", 0},
    {"/api/mutation", "{\"path\":\"more:throw\",\"args\":{},\"format\":\"convex_encoded_json\"}",
     "Uncaught ConvexError", "{\"code\":{\"$integer\":\"BwAAAAAAAAA=\"}}", 0},
    {"/api/run/more/throw", "{\"args\":{}}", "Uncaught ConvexError", "{\"code\":\"7\"}", 0},
    {"/api/mutation", "{\"path\":\"more:catch\",\"args\":{}}", "Uncaught Error: something else", NULL, 0},
    {"/api/query", "{\"path\":\"more:sneak\",\"args\":{}}", "can call queries only", NULL, 0},
    {"/api/mutation", "{\"path\":\"more:act\",\"args\":{}}", "is not a mutation", NULL, 0},
    {"/api/action", COUNT, "is not an action", NULL, 0},
    {"/api/action", "{\"path\":\"more:tables\",\"args\":{}}", "has no database", NULL, 0},
    /* what the action's first mutation committed stays, and it is not run again */
    {"/api/action", "{\"path\":\"more:act\",\"args\":{\"then\":\"more:throw\"}}", "Uncaught ConvexError",
     "{\"code\":\"7\"}", 1},
    {"/api/action", "{\"path\":\"more:act\",\"args\":{\"then\":\"pets:nothing\"}}", "Could not find", NULL,
     1},
    {"/api/action", "{\"path\":\"more:act\",\"args\":{\"then\":\"pets:count\"}}", "is not a mutation", NULL,
     1},
    {"/api/function", "{\"componentPath\":\"sub\",\"path\":\"pets:count\",\"args\":{}}", "Could not find",
     NULL, 0},
    {"/api/action", "{\"path\":\"more:act\",\"args\":[1]}", "ArgumentValidationError", NULL, 0},
    /* a value counts length + 2 bytes: 16 MiB are enough for 16777214 */
    {"/api/query", "{\"path\":\"more:large\",\"args\":{\"length\":16777215}}", "16 MiB", NULL, 0}};

static void check_failure(const struct buffer *body, bool development, const char *reason, const char *data) {
    json_t *json = json_parse(buffer_text(body), body->length, NULL);
    json_t *expected = data != NULL ? json_parse(data, strlen(data), NULL) : NULL;
    const char *message = json_text(json, "errorMessage");
    assert_string_equal(json_text(json, "status"), "error");
    assert_int_equal(strstr(message, reason) != NULL, development);
    assert_int_equal(strlen(message) == 43, !development); /* "[Request ID: <16 hex>] Server Error" */
    assert_true(json_equal(json_object_get(json, "errorData"), expected) ||
                (expected == NULL && json_object_get(json, "errorData") == NULL));
    json_decref(expected);
    json_decref(json);
}

static void test_failures(void **state) {
    (void)state;
    for (int development = 0; development <= 1; development++) {
        struct functions functions;
        const char *key = development ? "dev:syncline-1|0123456789abcdef" : DEPLOY_KEY;
        struct fixture *fixture = make(key, functions.list);
        for (size_t i = 0; i < LENGTH_OF(failures); i++) {
            fixture->commits = 0;
            struct buffer body = post(fixture, failures[i].target, failures[i].body);
            check_failure(&body, development, failures[i].reason, failures[i].data);
            assert_int_equal(fixture->commits, failures[i].commits);
            buffer_free(&body);
        }
        fixture_free(fixture);
    }
}

static void test_result_of_16_mib(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(DEPLOY_KEY, functions.list);
    struct buffer body =
        post(fixture, "/api/query", "{\"path\":\"more:large\",\"args\":{\"length\":16777214}}");
    assert_non_null(strstr(buffer_text(&body), "\"success\""));
    buffer_free(&body);
    fixture_free(fixture);
}

/* A timestamp of query_ts names a state that later commits do not change, for 10 s of commits. */
static void test_consistent_query(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(DEPLOY_KEY, functions.list);
    mutate(fixture, "pets:add", "{\"count\":3}");
    int64_t latest = convex_deployment_latest(fixture->deployment);
    struct answer answer;
    send_request(fixture, &answer, "POST", "/api/query_ts", NULL, NULL, NULL, 0);
    wait_for(fixture, &answer);
    assert_int_equal(answer.status, 200);
    json_t *json = json_parse(buffer_text(&answer.body), answer.body.length, NULL);
    const char *ts = json_text(json, "ts");
    struct buffer bytes = {0};
    assert_int_equal(base64_decode(&bytes, ts, strlen(ts), NULL), STATUS_OK);
    assert_int_equal(bytes.length, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal((unsigned char)bytes.data[i], (unsigned char)((uint64_t)latest >> (8 * i)));
    }
    char body[128];
    snprintf(body, sizeof body, "{\"path\":\"pets:count\",\"args\":{},\"ts\":\"%s\"}", ts);
    expect(fixture, "/api/query_at_ts", body, "{\"status\":\"success\",\"value\":3.0}");
    mutate(fixture, "pets:add", "{}");
    expect(fixture, "/api/query_at_ts", body, "{\"status\":\"success\",\"value\":3.0}");
    expect(fixture, "/api/query", COUNT, "{\"status\":\"success\",\"value\":4.0}");
    fixture_run(fixture, 11 * TIME_SECOND);
    mutate(fixture, "pets:add", "{}");
    struct expectation gone = {"too old", "POST", "/api/query_at_ts",   NULL, JSON,
                               body,      503,    "InternalServerError"};
    check_expectations(fixture, &gone, 1);
    buffer_free(&bytes);
    json_decref(json);
    buffer_free(&answer.body);
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses), cmocka_unit_test(test_successes), cmocka_unit_test(test_failures),
        cmocka_unit_test(test_result_of_16_mib), cmocka_unit_test(test_consistent_query)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
