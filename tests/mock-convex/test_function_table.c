/* The function API, row by row: every endpoint, the forms of paths and arguments, what is refused and how,
 * who may call what, log lines, default formats; and bad input at every endpoint. */
#include "schema_app.h"

#include "sync_script.h"

#define DEV_KEY "dev:syncline-1|0123456789abcdef"
#define ADMIN "Convex " DEV_KEY
#define JSON "application/json"

/* --- the app --- */

static enum status run_null(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error) {
    (void)context, (void)args, (void)result, (void)error;
    return STATUS_OK;
}

/* {as}: returns it. */
static enum status run_give(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error) {
    (void)context, (void)error;
    *result = convex_copy(convex_object_get(args, "as"));
    return STATUS_OK;
}

static enum status run_int64(struct convex_context *context, const struct convex_value *args,
                             struct convex_value **result, struct error *error) {
    (void)context, (void)args, (void)error;
    *result = convex_int64(7);
    return STATUS_OK;
}

/* Logs three lines; the count of pets, or {throws} an error. */
static enum status run_logs(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error) {
    struct convex_value *count = NULL;
    char text[32];
    enum status status = pets_count(context, args, &count, error);
    if (status != STATUS_OK) {
        return status;
    }
    snprintf(text, sizeof text, "%d", (int)count->as.number);
    convex_free(count);
    convex_log(context, "LOG", "'hi'");
    convex_log(context, "WARN", text);
    convex_log(context, "ERROR", "\xff\"");
    (void)result;
    return convex_object_get(args, "throws") != NULL ? error_set(error, STATUS_INVALID, "thrown") : STATUS_OK;
}

static enum status run_many_logs(struct convex_context *context, const struct convex_value *args,
                                 struct convex_value **result, struct error *error) {
    (void)result, (void)error;
    size_t count = (size_t)convex_object_get(args, "count")->as.number;
    for (size_t i = 0; i < count; i++) {
        convex_log(context, "LOG", "x");
    }
    return STATUS_OK;
}

/* Reads all pets, logs how many there are, adds one. */
static enum status run_log_and_add(struct convex_context *context, const struct convex_value *args,
                                   struct convex_value **result, struct error *error) {
    struct convex_value *value = NULL;
    enum status status = run_logs(context, args, &value, error);
    return status == STATUS_OK ? pets_add(context, args, result, error) : status;
}

static enum status run_act(struct convex_context *context, const struct convex_value *args,
                           struct convex_value **result, struct error *error) {
    convex_log(context, "INFO", "acting");
    return convex_run_query(context, "f:hidden", args, result, error);
}

static struct convex_validator *checked_args, *checked_returns;
static struct convex_function functions[16];

static size_t make_functions(void) {
    const struct convex_function all[] = {
        {.path = "f:q", .kind = CONVEX_QUERY, .run = run_null},
        {.path = "f:default", .kind = CONVEX_QUERY, .run = run_null},
        {.path = "dir/mod:fn", .kind = CONVEX_QUERY, .run = run_null},
        {.path = "f:m", .kind = CONVEX_MUTATION, .run = run_null},
        {.path = "f:a", .kind = CONVEX_ACTION, .run = run_act},
        {.path = "f:seven", .kind = CONVEX_QUERY, .run = run_int64},
        {.path = "f:hidden", .kind = CONVEX_QUERY, .run = run_null, .internal = true},
        {.path = "f:hiddenM", .kind = CONVEX_MUTATION, .run = run_null, .internal = true},
        {.path = "f:checked",
         .kind = CONVEX_QUERY,
         .run = run_give,
         .args = checked_args,
         .returns = checked_returns},
        {.path = "f:logs", .kind = CONVEX_QUERY, .run = run_logs},
        {.path = "f:many", .kind = CONVEX_QUERY, .run = run_many_logs},
        {.path = "f:logAndAdd", .kind = CONVEX_MUTATION, .run = run_log_and_add},
        {.path = "f:http", .kind = CONVEX_HTTP_ACTION, .run = run_null},
        {.path = "pets:add", .kind = CONVEX_MUTATION, .run = pets_add},
        {.path = "f:give", .kind = CONVEX_QUERY, .run = run_give}};
    memcpy(functions, all, sizeof all);
    return LENGTH_OF(all);
}

static struct fixture *deploy(const char *key) {
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    options.deploy_key = key;
    options.functions = functions;
    options.n_functions = make_functions();
    fixture_deploy(fixture, &options);
    return fixture;
}

static int make_validators(void **state) {
    (void)state;
    checked_args = app_validator("{\"as\":{\"union\":[\"string\",\"number\"]}}");
    checked_returns = app_validator("\"string\"");
    return 0;
}

static int free_validators(void **state) {
    (void)state;
    convex_validator_free(checked_args);
    convex_validator_free(checked_returns);
    return 0;
}

/* --- row by row --- */

#define OK_NULL "{\"status\":\"success\",\"value\":null}"
#define CALL(path) "{\"path\":\"" path "\",\"args\":{}}"
#define NOT_FOUND(path) "\\nUncaught Error: Could not find the public function '" path "'."

static const struct {
    const char *what, *method, *target, *authorization, *body;
    int status;
    const char *reply; /* the whole body, or after "..." a part of it */
} rows[] = {
    /* endpoints */
    {"query", "POST", "/api/query", NULL, CALL("f:q"), 200, OK_NULL},
    {"query by GET", "GET", "/api/query?path=f:q&args=%7B%7D", NULL, NULL, 200, OK_NULL},
    {"query by GET, format", "GET", "/api/query?path=f:seven&args=%7B%7D&format=convex_encoded_json", NULL,
     NULL, 200, "{\"status\":\"success\",\"value\":{\"$integer\":\"BwAAAAAAAAA=\"}}"},
    {"mutation", "POST", "/api/mutation", NULL, CALL("f:m"), 200, OK_NULL},
    {"action", "POST", "/api/action", NULL, CALL("f:a"), 200,
     "{\"status\":\"success\",\"value\":null,\"logLines\":[\"[INFO] acting\"]}"},
    {"function: a query", "POST", "/api/function", ADMIN, CALL("f:q"), 200, OK_NULL},
    {"function: a mutation", "POST", "/api/function", ADMIN, CALL("f:m"), 200, OK_NULL},
    {"function: an action", "POST", "/api/function", ADMIN, CALL("f:a"), 200, "...\"value\":null"},
    {"function: root component", "POST", "/api/function", ADMIN,
     "{\"path\":\"f:q\",\"args\":{},\"componentPath\":\"\"}", 200, OK_NULL},
    {"function: null component", "POST", "/api/function", ADMIN,
     "{\"path\":\"f:q\",\"args\":{},\"componentPath\":null}", 200, OK_NULL},
    {"function: a component that is not there", "POST", "/api/function", ADMIN,
     "{\"path\":\"f:q\",\"args\":{},\"componentPath\":\"c\"}", 200, "..." NOT_FOUND("f:q")},
    {"function: no key", "POST", "/api/function", NULL, CALL("f:q"), 403, "...\"BadDeployKey\""},
    {"run", "POST", "/api/run/f/q", NULL, "{\"args\":{}}", 200, OK_NULL},
    {"run: a mutation", "POST", "/api/run/f/m", NULL, "{\"args\":{}}", 200, OK_NULL},
    {"run: a folder", "POST", "/api/run/dir/mod/fn", NULL, "{\"args\":{}}", 200, OK_NULL},
    {"run: a single segment", "POST", "/api/run/f", NULL, "{\"args\":{}}", 400, "...\"MissingIdentifier\""},
    {"batch", "POST", "/api/query_batch", NULL, "{\"queries\":[" CALL("f:q") "," CALL("f:seven") "]}", 200,
     "{\"results\":[" OK_NULL ",{\"status\":\"success\",\"value\":\"7\"}]}"},
    {"empty batch", "POST", "/api/query_batch", NULL, "{\"queries\":[]}", 200, "{\"results\":[]}"},
    /* paths */
    {"with .js", "POST", "/api/query", NULL, CALL("f.js:q"), 200, OK_NULL},
    {"no colon: the default export", "POST", "/api/query", NULL, CALL("f"), 200, OK_NULL},
    {".js and default", "POST", "/api/query", NULL, CALL("f.js"), 200, OK_NULL},
    {"a folder", "POST", "/api/query", NULL, CALL("dir/mod:fn"), 200, OK_NULL},
    {"a folder and .js", "POST", "/api/query", NULL, CALL("dir/mod.js:fn"), 200, OK_NULL},
    {"cannot be parsed", "POST", "/api/query", NULL, CALL("f:q:r"), 400,
     "...\"BadConvexFunctionIdentifier\""},
    /* arguments */
    {"args as an array", "POST", "/api/query", NULL, "{\"path\":\"f:q\",\"args\":[{}]}", 200, OK_NULL},
    {"numbers are Float64", "POST", "/api/query", NULL, "{\"path\":\"f:give\",\"args\":{\"as\":3}}", 200,
     "{\"status\":\"success\",\"value\":3.0}"},
    {"encoded args, clean answer", "POST", "/api/query", NULL,
     "{\"path\":\"f:give\",\"args\":{\"as\":{\"$integer\":\"//////////8=\"}}}", 200,
     "{\"status\":\"success\",\"value\":\"-1\"}"},
    {"a timestamp of the future is not for clients", "POST", "/api/query", NULL,
     "{\"path\":\"f:give\",\"args\":{\"as\":{\"$commitTs\":null}}}", 200, "...ArgumentValidationError"},
    /* formats */
    {"json", "POST", "/api/query", NULL, "{\"path\":\"f:seven\",\"args\":{},\"format\":\"json\"}", 200,
     "{\"status\":\"success\",\"value\":\"7\"}"},
    {"export_json", "POST", "/api/query", NULL,
     "{\"path\":\"f:seven\",\"args\":{},\"format\":\"export_json\"}", 200,
     "{\"status\":\"success\",\"value\":7}"},
    {"unknown format", "POST", "/api/query", NULL, "{\"path\":\"f:seven\",\"args\":{},\"format\":\"x\"}", 400,
     "...\"BadFormat\""},
    /* errors that are 200 */
    {"unknown function", "POST", "/api/query", NULL, CALL("f:none"), 200, "..." NOT_FOUND("f:none")},
    {"wrong kind", "POST", "/api/mutation", NULL, CALL("f:q"), 200, "...'f:q' is not a mutation."},
    {"an action as a query", "POST", "/api/query", NULL, CALL("f:a"), 200, "...'f:a' is not a query."},
    {"internal", "POST", "/api/query", NULL, CALL("f:hidden"), 200, "..." NOT_FOUND("f:hidden")},
    {"internal, by GET", "GET", "/api/query?path=f:hidden&args=%7B%7D", NULL, NULL, 200,
     "..." NOT_FOUND("f:hidden")},
    {"internal, a mutation", "POST", "/api/mutation", NULL, CALL("f:hiddenM"), 200,
     "..." NOT_FOUND("f:hiddenM")},
    {"internal, run", "POST", "/api/run/f/hidden", NULL, "{\"args\":{}}", 200, "..." NOT_FOUND("f:hidden")},
    {"internal, in a batch", "POST", "/api/query_batch", NULL, "{\"queries\":[" CALL("f:hidden") "]}", 200,
     "..." NOT_FOUND("f:hidden")},
    {"internal, the key", "POST", "/api/query", ADMIN, CALL("f:hidden"), 200, OK_NULL},
    {"internal, the key by GET", "GET", "/api/query?path=f:hidden&args=%7B%7D", ADMIN, NULL, 200, OK_NULL},
    {"internal, the key, a mutation", "POST", "/api/mutation", ADMIN, CALL("f:hiddenM"), 200, OK_NULL},
    {"internal, the key, run", "POST", "/api/run/f/hidden", ADMIN, "{\"args\":{}}", 200, OK_NULL},
    {"internal, the key, in a batch", "POST", "/api/query_batch", ADMIN,
     "{\"queries\":[" CALL("f:hidden") "]}", 200, "{\"results\":[" OK_NULL "]}"},
    {"internal, the key, function", "POST", "/api/function", ADMIN, CALL("f:hiddenM"), 200, OK_NULL},
    {"an HTTP action is no function", "POST", "/api/action", ADMIN, CALL("f:http"), 200,
     "..." NOT_FOUND("f:http")},
    {"args that fit", "POST", "/api/query", NULL, "{\"path\":\"f:checked\",\"args\":{\"as\":\"x\"}}", 200,
     "{\"status\":\"success\",\"value\":\"x\"}"},
    {"args that do not", "POST", "/api/query", NULL, "{\"path\":\"f:checked\",\"args\":{\"as\":null}}", 200,
     "...\\nUncaught Error: ArgumentValidationError: The value fits no member of the union. Path: .as. "
     "Value: "
     "null. Validator: v.union(v.string(), v.float64())"},
    {"args missing", "POST", "/api/query", NULL, CALL("f:checked"), 200,
     "...\\nUncaught Error: ArgumentValidationError: The object lacks the required field 'as'."},
    {"a result that does not fit", "POST", "/api/query", NULL, "{\"path\":\"f:checked\",\"args\":{\"as\":1}}",
     200,
     "...\\nUncaught Error: ReturnsValidationError: The value does not match the validator. Value: 1.0. "
     "Validator: v.string()"},
    /* log lines */
    {"log lines", "POST", "/api/query", NULL, CALL("f:logs"), 200,
     "{\"status\":\"success\",\"value\":null,\"logLines\":[\"[LOG] 'hi'\",\"[WARN] 0\",\"[ERROR] "
     "\xef\xbf\xbd\\\"\"]}"},
    {"log lines of an error", "POST", "/api/query", NULL, "{\"path\":\"f:logs\",\"args\":{\"throws\":1}}",
     200, "...thrown\",\"logLines\":[\"[LOG] 'hi'\",\"[WARN] 0\",\"[ERROR] \xef\xbf\xbd\\\"\"]}"},
    {"no lines, no field", "POST", "/api/query", NULL, "{\"path\":\"f:many\",\"args\":{\"count\":0}}", 200,
     OK_NULL}};

static void request(struct fixture *fixture, struct answer *answer, const char *method, const char *target,
                    const char *authorization, const char *type, const char *body, size_t length) {
    send_request(fixture, answer, method, target, authorization, type, body, length);
    wait_for(fixture, answer);
}

static void test_rows(void **state) {
    (void)state;
    struct fixture *fixture = deploy(DEV_KEY);
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct answer answer;
        request(fixture, &answer, rows[i].method, rows[i].target, rows[i].authorization,
                rows[i].body != NULL ? JSON : NULL, rows[i].body,
                rows[i].body != NULL ? strlen(rows[i].body) : 0);
        const char *text = buffer_text(&answer.body);
        bool part = strncmp(rows[i].reply, "...", 3) == 0;
        if (answer.status != rows[i].status ||
            (part ? strstr(text, rows[i].reply + 3) == NULL : strcmp(text, rows[i].reply) != 0)) {
            fail_msg("%s: %d %s", rows[i].what, answer.status, text);
        }
        buffer_free(&answer.body);
    }
    fixture_free(fixture);
}

/* A production deployment shows no lines, neither of successes nor of errors. */
static void test_redacted_lines(void **state) {
    (void)state;
    static const char *const bodies[] = {CALL("f:logs"), "{\"path\":\"f:logs\",\"args\":{\"throws\":1}}"};
    struct fixture *fixture = deploy(DEPLOY_KEY);
    for (size_t i = 0; i < LENGTH_OF(bodies); i++) {
        struct answer answer;
        request(fixture, &answer, "POST", "/api/query", NULL, JSON, bodies[i], strlen(bodies[i]));
        assert_int_equal(answer.status, 200);
        assert_null(strstr(buffer_text(&answer.body), "logLines"));
        buffer_free(&answer.body);
    }
    fixture_free(fixture);
}

/* At most 256 lines; the last one tells that there were more. */
static void test_line_limit(void **state) {
    (void)state;
    struct fixture *fixture = deploy(DEV_KEY);
    for (size_t count = 254; count < 260; count++) {
        struct answer answer;
        char *body = memory_format("{\"path\":\"f:many\",\"args\":{\"count\":%zu}}", count);
        request(fixture, &answer, "POST", "/api/query", NULL, JSON, body, strlen(body));
        json_t *json = json_parse(buffer_text(&answer.body), answer.body.length, NULL);
        const json_t *lines = json_object_get(json, "logLines");
        assert_int_equal(json_array_size(lines), count < 256 ? count : 256);
        const char *last = json_string_value(json_array_get(lines, json_array_size(lines) - 1));
        assert_int_equal(strncmp(last, "[ERROR] ", 8) == 0, count > 255);
        json_decref(json);
        free(body);
        buffer_free(&answer.body);
    }
    fixture_free(fixture);
}

/* Two mutations that conflict: the second runs twice and answers with the lines of its last attempt. */
static void test_lines_of_last_attempt(void **state) {
    (void)state;
    struct fixture *fixture = deploy(DEV_KEY);
    struct answer answers[2];
    size_t ones = 0;
    for (size_t i = 0; i < 2; i++) {
        send_mutation(fixture, &answers[i], "f:logAndAdd", "{}");
    }
    for (size_t i = 0; i < 2; i++) {
        wait_for(fixture, &answers[i]);
        json_t *json = json_parse(buffer_text(&answers[i].body), answers[i].body.length, NULL);
        const json_t *lines = json_object_get(json, "logLines");
        assert_int_equal(json_array_size(lines), 3);
        ones += strcmp(json_string_value(json_array_get(lines, 1)), "[WARN] 1") == 0;
        json_decref(json);
        buffer_free(&answers[i].body);
    }
    assert_int_equal(ones, 1);
    fixture_free(fixture);
}

/* --- on a WebSocket --- */

static void expect_line(struct script *script, const char *text) {
    if (strstr(buffer_text(&script->log), text) == NULL) {
        fail_msg("no %s in\n%s", text, buffer_text(&script->log));
    }
    buffer_clear(&script->log);
}

static void test_websocket_lines(void **state) {
    (void)state;
    struct fixture *fixture = deploy(DEV_KEY);
    struct script script = {0};
    script_connect(&script, fixture, fixture->client, "/api/1.48.0/sync");
    fixture_run(fixture, TIME_SECOND);
    script_say(&script, fixture->client,
               "{\"type\":\"Connect\",\"sessionId\":\"11111111-2222-4333-8444-555555555555\","
               "\"connectionCount\":0,\"lastCloseReason\":\"InitialConnect\"}");
    script_say(&script, fixture->client,
               "{\"type\":\"ModifyQuerySet\",\"baseVersion\":0,\"newVersion\":1,\"modifications\":[{\"type\":"
               "\"Add\",\"queryId\":0,\"udfPath\":\"f:logs\",\"args\":[{}]},{\"type\":\"Add\",\"queryId\":1,"
               "\"udfPath\":\"f:hidden\",\"args\":[{}]}]}");
    fixture_run(fixture, TIME_SECOND);
    assert_non_null(strstr(buffer_text(&script.log), "Could not find the public function 'f:hidden'."));
    expect_line(&script, "\"value\":null,\"logLines\":[\"[LOG] 'hi'\",\"[WARN] 0\"");
    script_say(&script, fixture->client,
               "{\"type\":\"Mutation\",\"requestId\":0,\"udfPath\":\"f:logAndAdd\",\"args\":[{}]}");
    fixture_run(fixture, TIME_SECOND);
    /* The value of the query is the same, what it logs is not: it is sent. */
    assert_non_null(strstr(buffer_text(&script.log), "\"type\":\"QueryUpdated\",\"queryId\":0,\"value\":null,"
                                                     "\"logLines\":[\"[LOG] 'hi'\",\"[WARN] 1\""));
    expect_line(&script, "\"logLines\":[\"[LOG] 'hi'\",\"[WARN] 0\",\"[ERROR] \xef\xbf\xbd\\\"\"]}");
    script_say(&script, fixture->client,
               "{\"type\":\"Action\",\"requestId\":1,\"udfPath\":\"f:a\",\"args\":[{}]}");
    fixture_run(fixture, TIME_SECOND);
    expect_line(&script, "\"logLines\":[\"[INFO] acting\"]}");
    script_free(&script);
    fixture_free(fixture);
}

/* A push: open queries run again, with the new functions. */
static void test_websocket_push(void **state) {
    (void)state;
    struct fixture *fixture = app_deploy(pet_tables, LENGTH_OF(pet_tables), false);
    struct script script = {0};
    script_connect(&script, fixture, fixture->client, "/api/1.48.0/sync");
    fixture_run(fixture, TIME_SECOND);
    script_say(&script, fixture->client,
               "{\"type\":\"Connect\",\"sessionId\":\"11111111-2222-4333-8444-555555555555\","
               "\"connectionCount\":0,\"lastCloseReason\":\"InitialConnect\"}");
    script_say(&script, fixture->client,
               "{\"type\":\"ModifyQuerySet\",\"baseVersion\":0,\"newVersion\":1,\"modifications\":[{\"type\":"
               "\"Add\",\"queryId\":0,\"udfPath\":\"app:version\",\"args\":[{}]},{\"type\":\"Add\","
               "\"queryId\":1,\"udfPath\":\"app:old\",\"args\":[{}]}]}");
    fixture_run(fixture, TIME_SECOND);
    assert_non_null(strstr(buffer_text(&script.log), "\"queryId\":1,\"value\":1.0"));
    expect_line(&script, "\"queryId\":0,\"value\":1.0");
    assert_int_equal(convex_deployment_push(fixture->deployment, pet_tables, LENGTH_OF(pet_tables),
                                            app_second, LENGTH_OF(app_second), NULL),
                     STATUS_OK);
    fixture_run(fixture, TIME_SECOND);
    assert_non_null(strstr(buffer_text(&script.log), "Could not find the public function 'app:old'."));
    expect_line(&script, "\"queryId\":0,\"value\":2.0");
    script_free(&script);
    fixture_free(fixture);
}

/* --- formats by client --- */

static const struct {
    const char *client;
    bool encoded;
} clients[] = {{"npm-1.48.0", false},         {"npm-1.4.1", false},           {"npm-1.4.0", true},
               {"npm-0.20.0", true},          {"npm-1.4.1-alpha.0", true},    {"npm-1.10.0", false},
               {"npm-cli-1.3.9", true},       {"npm-cli-1.4.1", false},       {"actions-1.0.0", true},
               {"actions-1.4.1", false},      {"python-0.4.9", true},         {"python-0.5.0", false},
               {"python-convex-0.4.0", true}, {"python-convex-0.6.0", false}, {"rust-0.1.0", false},
               {"unknown-0.0.1", false}};

static void ask_as(struct fixture *fixture, const char *client, const char *target, const char *body,
                   struct answer *answer) {
    static const struct http_client_events events = {answer_head, answer_body, answer_end, answer_failed};
    const struct http_header headers[] = {{"Convex-Client", client}, {"Content-Type", JSON}};
    const struct http_request http = {.authority = "convex",
                                      .method = "POST",
                                      .target = target,
                                      .headers = headers,
                                      .n_headers = LENGTH_OF(headers),
                                      .body = body,
                                      .body_length = strlen(body)};
    memset(answer, 0, sizeof *answer);
    answer->fixture = fixture;
    host_http_send(fixture->client, &http, &events, answer);
    wait_for(fixture, answer);
}

static void test_default_formats(void **state) {
    (void)state;
    static const char *const targets[] = {"/api/query", "/api/query_batch", "/api/run/f/seven"};
    static const char *const bodies[] = {CALL("f:seven"), "{\"queries\":[" CALL("f:seven") "]}",
                                         "{\"args\":{}}"};
    struct fixture *fixture = deploy(DEV_KEY);
    for (size_t i = 0; i < LENGTH_OF(clients); i++) {
        for (size_t j = 0; j < LENGTH_OF(targets); j++) {
            struct answer answer;
            bool encoded = clients[i].encoded && j < 2; /* run: clean whatever the client is */
            ask_as(fixture, clients[i].client, targets[j], bodies[j], &answer);
            if (answer.status != 200 ||
                (strstr(buffer_text(&answer.body), "{\"$integer\":\"BwAAAAAAAAA=\"}") != NULL) != encoded) {
                fail_msg("%s at %s: %d %s", clients[i].client, targets[j], answer.status,
                         buffer_text(&answer.body));
            }
            buffer_free(&answer.body);
        }
    }
    fixture_free(fixture);
}

/* --- bad input everywhere --- */

static const struct {
    const char *target, *before, *after; /* a good body is before + args + after */
} endpoints[] = {{"/api/query", "{\"path\":\"f:q\",\"args\":", "}"},
                 {"/api/mutation", "{\"path\":\"f:m\",\"args\":", "}"},
                 {"/api/action", "{\"path\":\"f:a\",\"args\":", "}"},
                 {"/api/function", "{\"path\":\"f:q\",\"args\":", "}"},
                 {"/api/run/f/q", "{\"args\":", "}"},
                 {"/api/query_batch", "{\"queries\":[{\"path\":\"f:q\",\"args\":", "}]}"},
                 {"/api/query_at_ts", "{\"ts\":\"AQAAAAAAAAA=\",\"path\":\"f:q\",\"args\":", "}"}};

static void expect_bad(struct fixture *fixture, const char *target, const char *type, const char *body,
                       size_t length, const char *what) {
    struct answer answer;
    char code[64];
    request(fixture, &answer, "POST", target, ADMIN, type, body, length);
    error_code(&answer.body, code);
    if (answer.status != 400 || strcmp(code, "BadJsonBody") != 0) {
        fail_msg("%s at %s: %d %s", what, target, answer.status, buffer_text(&answer.body));
    }
    buffer_free(&answer.body);
}

static void append_deep(struct buffer *body, size_t depth) {
    buffer_append_text(body, "{\"a\":");
    for (size_t i = 0; i < depth; i++) {
        buffer_append_char(body, '[');
    }
    for (size_t i = 0; i < depth; i++) {
        buffer_append_char(body, ']');
    }
    buffer_append_char(body, '}');
}

static void test_bad_bodies(void **state) {
    (void)state;
    static const char *const bad_args[] = {"\"{}\"",          "1", "null", "true", "{\"a\":\"\xff\"}",
                                           "{\"a\":\"\xc3\"}"};
    static const char *const types[] = {NULL, "text/plain", "application/x-www-form-urlencoded", "json", ""};
    struct fixture *fixture = deploy(DEV_KEY);
    for (size_t i = 0; i < LENGTH_OF(endpoints); i++) {
        const char *target = endpoints[i].target;
        struct buffer body = {0};
        buffer_printf(&body, "%s{}%s", endpoints[i].before, endpoints[i].after);
        for (size_t length = 0; length < body.length; length++) {
            expect_bad(fixture, target, JSON, body.data, length, "truncated");
        }
        for (size_t j = 0; j < LENGTH_OF(types); j++) {
            expect_bad(fixture, target, types[j], body.data, body.length, "content type");
        }
        for (size_t j = 0; j < LENGTH_OF(bad_args); j++) {
            buffer_clear(&body);
            buffer_printf(&body, "%s%s%s", endpoints[i].before, bad_args[j], endpoints[i].after);
            expect_bad(fixture, target, JSON, body.data, body.length, "args");
        }
        buffer_clear(&body);
        buffer_append_text(&body, endpoints[i].before);
        append_deep(&body, 1000);
        buffer_append_text(&body, endpoints[i].after);
        expect_bad(fixture, target, JSON, body.data, body.length, "nested");
        static const char *const others[] = {
            "[]", "null", "\"a\"", "12", "{\"path\":[],\"args\":{}}", "{\"queries\":{}}"};
        for (size_t j = 0; j < LENGTH_OF(others); j++) {
            if (strcmp(target, "/api/run/f/q") != 0 || j < 4) { /* it needs no path */
                expect_bad(fixture, target, JSON, others[j], strlen(others[j]), "type");
            }
        }
        buffer_free(&body);
    }
    fixture_free(fixture);
}

/* 16 MiB and 2000 bytes are taken, one byte more is not. */
static void test_body_limit(void **state) {
    (void)state;
    const size_t limit = ((size_t)16 << 20) + 2000;
    struct fixture *fixture = deploy(DEV_KEY);
    char *body = memory_allocate(limit + 2);
    for (size_t i = 0; i < LENGTH_OF(endpoints); i++) {
        struct buffer good = {0};
        struct answer answer;
        buffer_printf(&good, "%s{}%s", endpoints[i].before, endpoints[i].after);
        memset(body, ' ', limit + 1);
        memcpy(body, good.data, good.length);
        expect_bad(fixture, endpoints[i].target, JSON, body, limit + 1, "one byte too many");
        request(fixture, &answer, "POST", endpoints[i].target, ADMIN, JSON, body, limit);
        assert_null(strstr(buffer_text(&answer.body), "BadJsonBody"));
        buffer_free(&answer.body);
        buffer_free(&good);
    }
    free(body);
    fixture_free(fixture);
}

static void test_bad_query_strings(void **state) {
    (void)state;
    static const struct expectation bad[] = {
        {"no path", "GET", "/api/query?args=%7B%7D", NULL, NULL, NULL, 400, "BadQueryArgs"},
        {"no args", "GET", "/api/query?path=f:q", NULL, NULL, NULL, 400, "BadQueryArgs"},
        {"args cut", "GET", "/api/query?path=f:q&args=%7B", NULL, NULL, NULL, 400, "BadQueryArgs"},
        {"args of the wrong type", "GET", "/api/query?path=f:q&args=1", NULL, NULL, NULL, 400,
         "BadQueryArgs"},
        {"path twice", "GET", "/api/query?path=f:q&path=f:q&args=%7B%7D", NULL, NULL, NULL, 400,
         "BadQueryArgs"},
        {"args before a bad path", "GET", "/api/query?path=::&args=1", NULL, NULL, NULL, 400, "BadQueryArgs"},
        {"bad path", "GET", "/api/query?path=::&args=%7B%7D", NULL, NULL, NULL, 400,
         "BadConvexFunctionIdentifier"},
        {"unknown keys", "GET", "/api/query?path=f:q&args=%7B%7D&x=1&x=2", NULL, NULL, NULL, 200, ""}};
    struct fixture *fixture = deploy(DEV_KEY);
    check_expectations(fixture, bad, LENGTH_OF(bad));
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_redacted_lines),
                                       cmocka_unit_test(test_line_limit),
                                       cmocka_unit_test(test_lines_of_last_attempt),
                                       cmocka_unit_test(test_websocket_lines),
                                       cmocka_unit_test(test_websocket_push),
                                       cmocka_unit_test(test_default_formats),
                                       cmocka_unit_test(test_bad_bodies),
                                       cmocka_unit_test(test_body_limit),
                                       cmocka_unit_test(test_bad_query_strings)};
    return cmocka_run_group_tests(tests, make_validators, free_validators);
}
