/* POST /api/mutation and /api/query: request -> status and code, the text of replies, and bodies of every bad
 * kind. */
#include "fixture.h"

#define JSON "application/json"
#define M "/api/mutation"
#define Q "/api/query"

static const struct expectation requests[] = {
    {"a mutation", "POST", M, NULL, JSON, "{\"path\":\"pets:add\",\"args\":{}}", 200, ""},
    {"args in an array", "POST", M, NULL, JSON, "{\"path\":\"pets:add\",\"args\":[{}]}", 200, ""},
    {"as PowerSync asks", "POST", M "?", AUTHORIZED, JSON,
     "{\"path\":\"powersync_checkpoints:createCheckpoint\",\"args\":{},\"format\":\"json\"}", 200, ""},
    {"unknown keys are ignored", "POST", M, NULL, JSON, "{\"path\":\"pets:add\",\"args\":{},\"x\":1}", 200,
     ""},
    {"a null format", "POST", M, NULL, JSON, "{\"path\":\"pets:add\",\"args\":{},\"format\":null}", 200, ""},
    {"with .js", "POST", M, NULL, JSON, "{\"path\":\"pets.js:add\",\"args\":{}}", 200, ""},
    {"a token", "POST", M, TOKEN, JSON, "{\"path\":\"pets:add\",\"args\":{}}", 200, ""},
    {"a broken token", "POST", M, "Bearer x", JSON, "{\"path\":\"pets:add\",\"args\":{}}", 401,
     "InvalidAuthHeader"},
    {"a wrong key", "POST", M, "Convex x", JSON, "{\"path\":\"pets:add\",\"args\":{}}", 401, "BadAdminKey"},
    {"a wrong key before a bad body", "POST", M, "Convex x", JSON, "{", 401, "BadAdminKey"},
    {"no content type", "POST", M, NULL, NULL, "{\"path\":\"pets:add\",\"args\":{}}", 400, "BadJsonBody"},
    {"another type", "POST", M, NULL, "application/jsonp", "{\"path\":\"pets:add\",\"args\":{}}", 400,
     "BadJsonBody"},
    {"no body", "POST", M, NULL, JSON, NULL, 400, "BadJsonBody"},
    {"no path", "POST", M, NULL, JSON, "{\"args\":{}}", 400, "BadJsonBody"},
    {"no args", "POST", M, NULL, JSON, "{\"path\":\"pets:add\"}", 400, "BadJsonBody"},
    {"null args", "POST", M, NULL, JSON, "{\"path\":\"pets:add\",\"args\":null}", 400, "BadJsonBody"},
    {"text args", "POST", M, NULL, JSON, "{\"path\":\"pets:add\",\"args\":\"{}\"}", 400, "BadJsonBody"},
    {"a number as path", "POST", M, NULL, JSON, "{\"path\":1,\"args\":{}}", 400, "BadJsonBody"},
    {"a number as format", "POST", M, NULL, JSON, "{\"path\":\"pets:add\",\"args\":{},\"format\":1}", 400,
     "BadJsonBody"},
    {"empty path", "POST", M, NULL, JSON, "{\"path\":\"\",\"args\":{}}", 400, "BadConvexFunctionIdentifier"},
    {"empty export", "POST", M, NULL, JSON, "{\"path\":\"pets:\",\"args\":{}}", 400,
     "BadConvexFunctionIdentifier"},
    {"empty module", "POST", M, NULL, JSON, "{\"path\":\":add\",\"args\":{}}", 400,
     "BadConvexFunctionIdentifier"},
    {"two colons", "POST", M, NULL, JSON, "{\"path\":\"a:b:c\",\"args\":{}}", 400,
     "BadConvexFunctionIdentifier"},
    {"a space", "POST", M, NULL, JSON, "{\"path\":\"pe ts:add\",\"args\":{}}", 400,
     "BadConvexFunctionIdentifier"},
    {"an export that begins with a digit", "POST", M, NULL, JSON, "{\"path\":\"pets:1\",\"args\":{}}", 400,
     "BadConvexFunctionIdentifier"},
    {"a path before bad args", "POST", M, NULL, JSON, "{\"path\":\"\",\"args\":{\"$x\":1}}", 400,
     "BadConvexFunctionIdentifier"},
    {"format after the run", "POST", M, NULL, JSON, "{\"path\":\"pets:add\",\"args\":{},\"format\":\"xml\"}",
     400, "BadFormat"},
    {"format after an error", "POST", M, NULL, JSON,
     "{\"path\":\"pets:throw\",\"args\":{},\"format\":\"xml\"}", 400, "BadFormat"},
    {"GET", "GET", M, NULL, NULL, NULL, 405, ""},
    {"a query", "POST", Q, NULL, JSON, "{\"path\":\"pets:count\",\"args\":{}}", 200, ""},
    {"a query, format", "POST", Q, NULL, JSON, "{\"path\":\"pets:count\",\"args\":{},\"format\":\"xml\"}",
     400, "BadFormat"},
    {"a query, bad body", "POST", Q, NULL, JSON, "{\"path\":", 400, "BadJsonBody"},
    {"a query, no path", "POST", Q, NULL, JSON, "{\"path\":\"::\",\"args\":{}}", 400,
     "BadConvexFunctionIdentifier"}};

static void test_requests(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    check_expectations(fixture, requests, LENGTH_OF(requests));
    fixture_free(fixture);
}

/* HTTP 200 with status error: what a caller that looks at the HTTP status alone takes for success. */
static const struct {
    const char *target, *body;
    const char *reason; /* shown by a development deployment */
} failures[] = {
    {M, "{\"path\":\"pets:throw\",\"args\":{}}", "pets are not allowed here"},
    {M, "{\"path\":\"pets:nothing\",\"args\":{}}", "Could not find"},
    {M, "{\"path\":\"pets\",\"args\":{}}", "pets:default"},
    {M, "{\"path\":\"pets:count\",\"args\":{}}", "is not a mutation"},
    {Q, "{\"path\":\"pets:add\",\"args\":{}}", "is not a query"},
    {M, "{\"path\":\"pets:add\",\"args\":[]}", "ArgumentValidationError"},
    {M, "{\"path\":\"pets:add\",\"args\":[{},{}]}", "ArgumentValidationError"},
    {M, "{\"path\":\"pets:add\",\"args\":[1]}", "ArgumentValidationError"},
    {M, "{\"path\":\"pets:add\",\"args\":{\"$x\":1}}", "ArgumentValidationError"},
    {M, "{\"path\":\"pets:add\",\"args\":{\"$integer\":\"BwAAAAAAAAA=\"}}", "ArgumentValidationError"},
    {M, "{\"path\":\"pets:add\",\"args\":{\"count\":20000}}", "TooManyWrites"},
    {M, "{\"path\":\"pets:stubborn\",\"args\":{}}", "TooManyWrites"}};

static void test_failures_are_200(void **state) {
    (void)state;
    for (int development = 0; development < 2; development++) {
        struct fixture *fixture = fixture_world();
        struct convex_deployment_options options = fixture_options();
        options.deploy_key = development ? "dev:syncline-1|0123456789abcdef" : DEPLOY_KEY;
        fixture_deploy(fixture, &options);
        for (size_t i = 0; i < LENGTH_OF(failures); i++) {
            struct answer answer;
            send_request(fixture, &answer, "POST", failures[i].target, NULL, JSON, failures[i].body,
                         strlen(failures[i].body));
            wait_for(fixture, &answer);
            json_t *json = json_parse(buffer_text(&answer.body), answer.body.length, NULL);
            const char *message = json_text(json, "errorMessage");
            assert_int_equal(answer.status, 200);
            assert_string_equal(json_text(json, "status"), "error");
            assert_null(json_object_get(json, "logLines"));
            /* "[Request ID: <16 hex>] Server Error", and the reason only in development */
            assert_memory_equal(message, "[Request ID: ", 13);
            assert_int_equal(strspn(message + 13, "0123456789abcdef"), 16);
            assert_memory_equal(message + 29, "] Server Error", 14);
            assert_int_equal(message[43], development ? '\n' : 0);
            assert_int_equal(strstr(message, failures[i].reason) != NULL, development);
            json_decref(json);
            buffer_free(&answer.body);
        }
        assert_int_equal(fixture->commits, 0);
        fixture_free(fixture);
    }
}

static void test_success_word_for_word(void **state) {
    (void)state;
    static const struct {
        const char *target, *body, *reply;
    } cases[] = {{M, "{\"path\":\"pets:echo\",\"args\":{\"b\":{\"$integer\":\"BwAAAAAAAAA=\"},\"a\":3}}",
                  "{\"status\":\"success\",\"value\":{\"a\":3.0,\"b\":\"7\"}}"},
                 {M,
                  "{\"path\":\"pets:echo\",\"format\":\"convex_encoded_json\",\"args\":[{\"b\":{\"$integer\":"
                  "\"BwAAAAAAAAA=\"}}]}",
                  "{\"status\":\"success\",\"value\":{\"b\":{\"$integer\":\"BwAAAAAAAAA=\"}}}"},
                 {M, "{\"path\":\"powersync_checkpoints:createCheckpoint\",\"args\":{},\"format\":\"json\"}",
                  "{\"status\":\"success\",\"value\":null}"},
                 {Q, "{\"path\":\"pets:count\",\"args\":{}}", "{\"status\":\"success\",\"value\":0.0}"}};
    struct fixture *fixture = fixture_make();
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct answer answer;
        send_request(fixture, &answer, "POST", cases[i].target, NULL, JSON, cases[i].body,
                     strlen(cases[i].body));
        wait_for(fixture, &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(buffer_text(&answer.body), cases[i].reply);
        buffer_free(&answer.body);
    }
    fixture_free(fixture);
}

/* The trap of the real backend: the mutation runs and commits, and only then its format is found unknown. */
static void test_bad_format_commits(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct expectation row = {"format", "POST",     M,
                              NULL,     JSON,       "{\"path\":\"pets:add\",\"args\":{},\"format\":\"xml\"}",
                              400,      "BadFormat"};
    check_expectations(fixture, &row, 1);
    assert_int_equal(fixture->commits, 1);
    fixture_free(fixture);
}

/* Bodies that no client should send. Each is cut at every length too; none may be anything but 400 or 200. */
static const char *const nasty[] = {
    "{\"path\":\"pets:echo\",\"args\":{\"a\":[1,2,{\"b\":null}],\"c\":\"\\u00e9\"}}",
    "{\"path\":\"pets:echo\",\"args\":{\"a\":1,\"a\":2}}",
    "{\"path\":\"pets:echo\",\"path\":\"pets:echo\",\"args\":{}}",
    "{\"path\":\"pets:echo\",\"args\":{\"a\":1e999}}",
    "{\"path\":\"pets:echo\",\"args\":{\"a\":99999999999999999999}}",
    "{\"path\":\"pets:echo\",\"args\":{\"a\":\"\xff\xfe\"}}",
    "{\"path\":\"pets:echo\",\"args\":{\"a\":\"\\ud800\"}}",
    "{\"path\":\"pets:echo\",\"args\":{\"a\":\"\\u0000\"}}",
    "{\"path\":\"pets:echo\",\"args\":{\"\\u0000\":1}}",
    "{\"path\":\"pets:echo\",\"args\":{\"a\":{\"$float\":\"\"}}}",
    "{\"path\":\"pets:\xc3\xa9\",\"args\":{}}",
    "{\"path\":\"pets:echo\",\"args\":{}} trailing",
    "{\"path\":\"pets:echo\",\"args\":{},}",
    "{'path':'pets:echo'}",
    "\xef\xbb\xbf{}",
    "null",
    "[]",
    "\"text\"",
    "12",
    "NaN",
    "<html>",
    "\x01\x02\x03"};

static void test_nasty_bodies(void **state) {
    (void)state;
    static const char *const targets[] = {M,
                                          Q,
                                          "/api/list_snapshot",
                                          "/api/document_deltas",
                                          "/api/action",
                                          "/api/function",
                                          "/api/run/pets/echo",
                                          "/api/query_batch",
                                          "/api/query_at_ts"};
    struct fixture *fixture = fixture_make();
    for (size_t i = 0; i < LENGTH_OF(nasty); i++) {
        for (size_t length = 0; length <= strlen(nasty[i]); length++) {
            const char *target = targets[(i + length) % LENGTH_OF(targets)];
            struct answer answer;
            char code[64];
            send_request(fixture, &answer, "POST", target, AUTHORIZED, JSON, nasty[i], length);
            wait_for(fixture, &answer);
            error_code(&answer.body, code);
            if (answer.status != 200 && answer.status != 400) {
                fail_msg("%s at %zu: %d %s", nasty[i], length, answer.status, code);
            }
            bool cut = length < strlen(nasty[i]) && nasty[i][length] != ' ' &&
                       (length == 0 || nasty[i][length - 1] != ' '); /* " trailing" may go */
            assert_true(!cut || answer.status == 400);
            buffer_free(&answer.body);
        }
    }
    fixture_free(fixture);
}

/* Nested `depth` deep as an argument: up to 64 levels of value it is echoed, above it is the caller's error,
 * and far above the JSON itself is refused. */
static void test_deep_bodies(void **state) {
    (void)state;
    static const struct {
        size_t depth; /* of arrays inside the arguments object */
        int status;
        const char *contains;
    } cases[] = {{63, 200, "\"success\""},
                 {64, 200, "\"error\""},
                 {1000, 400, "BadJsonBody"},
                 {200000, 400, "BadJsonBody"}};
    struct fixture *fixture = fixture_make();
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct buffer body = {0};
        struct answer answer;
        buffer_append_text(&body, "{\"path\":\"pets:echo\",\"args\":{\"a\":");
        for (size_t j = 0; j < cases[i].depth; j++) {
            buffer_append_char(&body, '[');
        }
        for (size_t j = 0; j < cases[i].depth; j++) {
            buffer_append_char(&body, ']');
        }
        buffer_append_text(&body, "}}");
        send_request(fixture, &answer, "POST", M, NULL, JSON, body.data, body.length);
        wait_for(fixture, &answer);
        assert_int_equal(answer.status, cases[i].status);
        assert_non_null(strstr(buffer_text(&answer.body), cases[i].contains));
        buffer_free(&answer.body);
        buffer_free(&body);
    }
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_requests),
                                       cmocka_unit_test(test_failures_are_200),
                                       cmocka_unit_test(test_success_word_for_word),
                                       cmocka_unit_test(test_bad_format_commits),
                                       cmocka_unit_test(test_nasty_bodies),
                                       cmocka_unit_test(test_deep_bodies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
