/* Actions that wait: what they see when they are run again, what they may call, how they end. */
#include "sync_script.h"

/* Adds a pet, sleeps a second, asks for time, chance and the number of pets, adds another one. */
static enum status act_long(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error) {
    struct convex_value *id = NULL, *count = NULL;
    enum status status = convex_run_mutation(context, "pets:add", args, &id, error);
    convex_free(id);
    if (status != STATUS_OK) {
        return status;
    }
    int64_t before = convex_now_ms(context);
    uint64_t chance = convex_random(context);
    status = convex_sleep(context, TIME_SECOND, error);
    if (status != STATUS_OK) {
        return status;
    }
    int64_t after = convex_now_ms(context);
    status = convex_run_query(context, "pets:count", args, &count, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = convex_run_mutation(context, "pets:add", args, &id, error);
    if (status != STATUS_OK) {
        convex_free(count);
        return status;
    }
    convex_free(id);
    *result = convex_object();
    convex_object_set(*result, "count", count);
    convex_object_set(*result, "slept", convex_float64((double)(after - before)));
    convex_object_set(*result, "lucky", convex_boolean(chance == convex_random(context)));
    return STATUS_OK;
}

/* Behaves otherwise whenever it is run again: not how an action may be written. */
static int runs;
static enum status act_fickle(struct convex_context *context, const struct convex_value *args,
                              struct convex_value **result, struct error *error) {
    struct convex_value *id = NULL;
    (void)result;
    runs++;
    enum status status =
        convex_run_mutation(context, runs == 1 ? "pets:add" : "pets:blink", args, &id, error);
    convex_free(id);
    return status == STATUS_PENDING ? status : STATUS_OK;
}

/* Makes fewer calls whenever it is run again. */
static enum status act_shy(struct convex_context *context, const struct convex_value *args,
                           struct convex_value **result, struct error *error) {
    struct convex_value *id = NULL;
    (void)result;
    return runs++ == 0 ? convex_run_mutation(context, "pets:add", args, &id, error) : STATUS_OK;
}

/* Takes STATUS_PENDING for its own business. */
static enum status act_deaf(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error) {
    struct convex_value *id = NULL;
    (void)result;
    convex_run_mutation(context, "pets:add", args, &id, error);
    return STATUS_OK;
}

static enum status act_endless(struct convex_context *context, const struct convex_value *args,
                               struct convex_value **result, struct error *error) {
    (void)args;
    (void)result;
    (void)error;
    for (int i = 0; i < 1001; i++) {
        convex_random(context);
    }
    return STATUS_OK;
}

static enum status act_outer(struct convex_context *context, const struct convex_value *args,
                             struct convex_value **result, struct error *error) {
    const char *path = convex_object_text(args, "path");
    return convex_run_action(context, path != NULL ? path : "act:outer", args, result, error);
}

static enum status act_sleep(struct convex_context *context, const struct convex_value *args,
                             struct convex_value **result, struct error *error) {
    const struct convex_value *seconds = convex_object_get(args, "seconds");
    (void)result;
    return convex_sleep(context, (int64_t)seconds->as.number * TIME_SECOND, error);
}

/* Asks a server, and says what it answered. */
static enum status act_fetch(struct convex_context *context, const struct convex_value *args,
                             struct convex_value **result, struct error *error) {
    return convex_fetch(context, convex_object_text(args, "url"), convex_object_get(args, "request"), result,
                        error);
}

/* A mutation that calls: all of it is one transaction. */
static enum status both(struct convex_context *context, const struct convex_value *args,
                        struct convex_value **result, struct error *error) {
    struct convex_value *id = NULL, *count = NULL;
    const char *then = convex_object_text(args, "then");
    enum status status = convex_run_mutation(context, "pets:add", args, &id, error);
    convex_free(id);
    if (status == STATUS_OK) {
        status = convex_run_query(context, "pets:count", args, &count, error);
    }
    if (status == STATUS_OK && then != NULL) {
        struct convex_value *nothing = NULL; /* its failure is swallowed */
        convex_run_mutation(context, then, args, &nothing, NULL);
        convex_free(nothing);
    }
    *result = count;
    return status;
}

static enum status dig(struct convex_context *context, const struct convex_value *args,
                       struct convex_value **result, struct error *error) {
    return convex_run_query(context, "act:dig", args, result, error);
}

static const struct convex_function act_functions[] = {
    {.path = "act:long", .kind = CONVEX_ACTION, .run = act_long},
    {.path = "act:fickle", .kind = CONVEX_ACTION, .run = act_fickle},
    {.path = "act:shy", .kind = CONVEX_ACTION, .run = act_shy},
    {.path = "act:deaf", .kind = CONVEX_ACTION, .run = act_deaf},
    {.path = "act:endless", .kind = CONVEX_ACTION, .run = act_endless},
    {.path = "act:outer", .kind = CONVEX_ACTION, .run = act_outer},
    {.path = "act:sleep", .kind = CONVEX_ACTION, .run = act_sleep},
    {.path = "act:fetch", .kind = CONVEX_ACTION, .run = act_fetch},
    {.path = "act:both", .kind = CONVEX_MUTATION, .run = both},
    {.path = "act:dig", .kind = CONVEX_QUERY, .run = dig}};

struct functions {
    struct convex_function list[LENGTH_OF(pet_functions) + LENGTH_OF(act_functions)];
};

static struct fixture *make(struct functions *functions) {
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    memcpy(functions->list, pet_functions, sizeof pet_functions);
    memcpy(functions->list + LENGTH_OF(pet_functions), act_functions, sizeof act_functions);
    options.deploy_key = "dev:syncline-1|0123456789abcdef"; /* tells reasons */
    options.functions = functions->list;
    options.n_functions = LENGTH_OF(functions->list);
    fixture_deploy(fixture, &options);
    runs = 0;
    return fixture;
}

static struct answer call(struct fixture *fixture, const char *target, const char *path, const char *args) {
    struct answer answer;
    struct buffer body = {0};
    buffer_printf(&body, "{\"path\":\"%s\",\"args\":%s}", path, args);
    send_request(fixture, &answer, "POST", target, NULL, "application/json", body.data, body.length);
    wait_for(fixture, &answer);
    buffer_free(&body);
    return answer;
}

static void test_long(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(&functions);
    struct answer answer = call(fixture, "/api/action", "act:long", "{}");
    assert_string_equal(
        buffer_text(&answer.body),
        "{\"status\":\"success\",\"value\":{\"count\":1.0,\"lucky\":false,\"slept\":1000.0}}");
    /* it ran four times, and each mutation once */
    assert_int_equal(fixture->commits, 2);
    /* two links of 1 ms, 2 ms until it begins, two mutations of 5 ms, a second of sleep */
    assert_int_equal(answer.at / TIME_MILLISECOND, 1 + 2 + 5 + 1000 + 5 + 1);
    buffer_free(&answer.body);
    fixture_free(fixture);
}

/* How calls end in errors that say why. */
static const struct {
    const char *target, *path, *args, *reason;
    size_t commits;
} failures[] = {{"/api/action", "act:fickle", "{}", "it must always make the same", 1},
                {"/api/action", "act:shy", "{}", "fewer calls", 1},
                {"/api/action", "act:deaf", "{}", "although a call had returned STATUS_PENDING", 1},
                {"/api/action", "act:endless", "{}", "1000 calls", 0},
                {"/api/action", "act:outer", "{}", "more than 64 deep", 0},
                {"/api/action", "act:outer", "{\"path\":\"pets:add\"}", "is not an action", 0},
                {"/api/action", "act:outer", "{\"path\":\"act:none\"}", "Could not find", 0},
                {"/api/action", "act:sleep", "{\"seconds\":601}", "10 minutes", 0},
                {"/api/action", "act:fetch", "{\"url\":\"ftp://x/\",\"request\":{}}", "no URL", 0},
                {"/api/action", "act:fetch", "{\"url\":\"http://nobody/\",\"request\":{}}", "refused", 0},
                {"/api/action", "act:fetch",
                 "{\"url\":\"http://peer/\",\"request\":{\"headers\":{\"a b\":\"c\"}}}", "the header", 0},
                /* a mutation inside a mutation: what it has written cannot be left behind */
                {"/api/mutation", "act:both", "{\"then\":\"pets:throw\"}", "not allowed here", 0},
                {"/api/query", "act:dig", "{}", "more than 64 deep", 0}};

static void test_failures(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(failures); i++) {
        struct functions functions;
        struct fixture *fixture = make(&functions);
        struct answer answer = call(fixture, failures[i].target, failures[i].path, failures[i].args);
        if (answer.status != 200 || strstr(buffer_text(&answer.body), "\"status\":\"error\"") == NULL ||
            strstr(buffer_text(&answer.body), failures[i].reason) == NULL) {
            fail_msg("%s %s: %d %s", failures[i].path, failures[i].args, answer.status,
                     buffer_text(&answer.body));
        }
        fixture_run(fixture, TIME_SECOND);
        assert_int_equal(fixture->commits, failures[i].commits);
        buffer_free(&answer.body);
        fixture_free(fixture);
    }
}

static void test_nested(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(&functions);
    struct answer answer = call(fixture, "/api/mutation", "act:both", "{\"then\":\"pets:add\"}");
    /* the query sees what the transaction has written */
    assert_string_equal(buffer_text(&answer.body), "{\"status\":\"success\",\"value\":1.0}");
    assert_int_equal(fixture->commits, 1); /* with both pets */
    buffer_free(&answer.body);
    answer = call(fixture, "/api/query", "pets:count", "{}");
    assert_string_equal(buffer_text(&answer.body), "{\"status\":\"success\",\"value\":2.0}");
    buffer_free(&answer.body);
    answer = call(fixture, "/api/action", "act:outer", "{\"path\":\"act:long\"}");
    assert_non_null(strstr(buffer_text(&answer.body), "\"count\":3.0"));
    buffer_free(&answer.body);
    fixture_free(fixture);
}

/* convex_deployment_run has no time to wait. */
static void test_run_now(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(&functions);
    struct convex_value *args = convex_object();
    struct error error = {0};
    assert_int_equal(convex_deployment_run(fixture->deployment, "act:long", args, NULL, &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.message, "has to wait"));
    assert_int_equal(fixture->commits, 1); /* the step before */
    convex_free(args);
    fixture_free(fixture);
}

/* --- a server that is asked --- */

struct peer {
    struct host *host;
    char seen[256];
};

static void peer_request(void *context, uint64_t exchange, const struct http_request *request) {
    static const struct http_header headers[] = {
        {"X-Kind", "a"}, {"x-kind", "b"}, {"Content-Type", "application/octet-stream"}};
    const struct http_response response = {.status = 201, .headers = headers, .n_headers = 3};
    struct peer *peer = context;
    snprintf(peer->seen, sizeof peer->seen, "%s %s %.*s", request->method, request->target,
             (int)request->body_length, request->body_length > 0 ? (const char *)request->body : "");
    host_http_respond(peer->host, exchange, &response);
    host_http_write(peer->host, exchange, "\xff\x01", 2);
    host_http_end(peer->host, exchange);
}

static void peer_closed(void *context, uint64_t exchange) {
    (void)context;
    (void)exchange;
}

static void test_fetch(void **state) {
    (void)state;
    static const struct http_server_events events = {.request = peer_request, .closed = peer_closed};
    struct functions functions;
    struct fixture *fixture = make(&functions);
    struct peer peer = {.host = net_node(fixture->net, "peer")};
    host_http_listen(peer.host, &events, &peer);
    struct answer answer =
        call(fixture, "/api/action", "act:fetch",
             "{\"url\":\"https://peer?a=1#top\",\"request\":{\"method\":\"PUT\",\"body\":\"hello\"}}");
    assert_string_equal(peer.seen, "PUT /?a=1 hello");
    assert_string_equal(
        buffer_text(&answer.body),
        "{\"status\":\"success\",\"value\":{\"body\":\"/wE=\",\"headers\":{"
        "\"content-type\":\"application/octet-stream\",\"x-kind\":\"a, b\"},\"status\":201.0}}");
    buffer_free(&answer.body);
    host_http_listen(peer.host, NULL, NULL);
    fixture_free(fixture);
}

/* --- over WebSockets --- */

#define ACTION(id, path, args)                                                                               \
    "{\"type\":\"Action\",\"requestId\":" id ",\"udfPath\":\"" path "\",\"args\":[" args "]}"
#define DONE(id)                                                                                             \
    "{\"type\":\"ActionResponse\",\"requestId\":" id ",\"success\":true,\"result\":null,\"logLines\":[]}\n"

static void test_in_flight(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(&functions);
    struct script script = {0};
    script_connect(&script, fixture, fixture->client, "/api/sync");
    fixture_run(fixture, 100 * TIME_MILLISECOND);
    script_say(&script, fixture->client, ACTION("0", "act:sleep", "{\"seconds\":2}"));
    script_say(&script, fixture->client, ACTION("1", "act:sleep", "{\"seconds\":1}"));
    fixture_run(fixture, 500 * TIME_MILLISECOND);
    assert_string_equal(buffer_text(&script.log), "");
    fixture_run(fixture, 2 * TIME_SECOND);
    assert_string_equal(buffer_text(&script.log), DONE("1") DONE("0")); /* nobody waits for the other */
    /* one above 1000 in flight ends the socket; the actions go on and nobody is told */
    buffer_clear(&script.log);
    for (int i = 0; i <= 1000; i++) {
        script_say(&script, fixture->client, ACTION("2", "act:sleep", "{\"seconds\":1}"));
    }
    fixture_run(fixture, 500 * TIME_MILLISECOND);
    assert_string_equal(buffer_text(&script.log), "closed 1013 'TooManyInflightActionsForSingleClient'\n");
    fixture_run(fixture, 2 * TIME_SECOND);
    script_free(&script);
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_long),   cmocka_unit_test(test_failures),
                                       cmocka_unit_test(test_nested), cmocka_unit_test(test_run_now),
                                       cmocka_unit_test(test_fetch),  cmocka_unit_test(test_in_flight)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
