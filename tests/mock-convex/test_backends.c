/* The sample backends in backends/, each in a deployment and called as apps call it. */
#include "fixture.h"

#include "mock-convex/backend.h"

/* --- helpers --- */

struct sample {
    struct convex_backend *backend;
    struct fixture *fixture;
};

/* With `dev:`, so that errors say what they are. */
static struct sample start(const char *name) {
    struct sample sample = {.fixture = fixture_world()};
    struct error error = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/backends/%s.yaml", SYNCLINE_SOURCE_DIR, name);
    if (convex_backend_load(path, &sample.backend, &error) != STATUS_OK) {
        fail_msg("%s:%d:%d: %s", error.file, error.line, error.column, error.message);
    }
    struct convex_deployment_options options = fixture_options();
    options.deploy_key = "dev:syncline-1|0123456789abcdef";
    options.tables = sample.backend->tables;
    options.n_tables = sample.backend->n_tables;
    options.functions = sample.backend->functions;
    options.n_functions = sample.backend->n_functions;
    options.http_routes = sample.backend->http_routes;
    options.n_http_routes = sample.backend->n_http_routes;
    fixture_deploy(sample.fixture, &options);
    return sample;
}

static void stop(struct sample *sample) {
    fixture_free(sample->fixture);
    convex_backend_free(sample->backend);
}

static void send_call(struct sample *sample, struct answer *answer, const char *kind, const char *path,
                      const char *args) {
    struct buffer body = {0};
    char target[64];
    snprintf(target, sizeof target, "/api/%s", kind);
    buffer_printf(&body, "{\"path\":\"%s\",\"args\":%s,\"format\":\"json\"}", path, args);
    send_request(sample->fixture, answer, "POST", target, NULL, "application/json", body.data, body.length);
    buffer_free(&body);
}

/* The answer of a call; the caller frees the JSON. */
static json_t *call(struct sample *sample, const char *kind, const char *path, const char *args) {
    struct answer answer;
    send_call(sample, &answer, kind, path, args);
    wait_for(sample->fixture, &answer);
    assert_int_equal(answer.status, 200);
    json_t *json = json_parse(buffer_text(&answer.body), answer.body.length, NULL);
    assert_non_null(json);
    buffer_free(&answer.body);
    return json;
}

/* Call and compare the value, as JSON text with sorted keys. */
static void expect(struct sample *sample, const char *kind, const char *path, const char *args,
                   const char *expected) {
    json_t *json = call(sample, kind, path, args);
    struct buffer text = {0};
    if (json_object_get(json, "value") != NULL) {
        json_append_sorted(&text, json_object_get(json, "value"));
    }
    if (strcmp(json_text(json, "status"), "success") != 0 || strcmp(buffer_text(&text), expected) != 0) {
        fail_msg("%s %s: %s %s, expected %s", path, args, buffer_text(&text),
                 json_text(json, "errorMessage") != NULL ? json_text(json, "errorMessage") : "", expected);
    }
    buffer_free(&text);
    json_decref(json);
}

/* Call and expect that it throws this value. */
static void expect_thrown(struct sample *sample, const char *path, const char *args, const char *expected) {
    json_t *json = call(sample, "mutation", path, args);
    struct buffer text = {0};
    json_append_sorted(&text, json_object_get(json, "errorData"));
    assert_string_equal(json_text(json, "status"), "error");
    assert_string_equal(buffer_text(&text), expected);
    assert_non_null(strstr(json_text(json, "errorMessage"), ".yaml:")); /* where */
    buffer_free(&text);
    json_decref(json);
}

/* The text that a call gives; the caller frees it. */
static char *text_of(struct sample *sample, const char *kind, const char *path, const char *args) {
    json_t *json = call(sample, kind, path, args);
    char *text = memory_copy_text(json_text(json, "value"));
    assert_non_null(text);
    json_decref(json);
    return text;
}

/* How many of these answers are successes; frees them. */
static size_t successes(struct sample *sample, struct answer *answers, size_t count) {
    size_t good = 0;
    for (size_t i = 0; i < count; i++) {
        wait_for(sample->fixture, &answers[i]);
        good += strstr(buffer_text(&answers[i].body), "\"success\"") != NULL;
        buffer_free(&answers[i].body);
    }
    return good;
}

/* --- the samples --- */

static void test_counter(void **state) {
    (void)state;
    struct sample sample = start("counter");
    struct answer answers[5];
    char expected[32];
    expect(&sample, "query", "counters:value", "{\"name\":\"a\"}", "0.0");
    expect(&sample, "mutation", "counters:increment", "{\"name\":\"a\"}", "1.0");
    expect(&sample, "mutation", "counters:increment", "{\"name\":\"a\",\"by\":2.5}", "3.5");
    for (size_t i = 0; i < LENGTH_OF(answers); i++) {
        send_call(&sample, &answers[i], "mutation", "counters:increment", "{\"name\":\"b\"}");
    }
    snprintf(expected, sizeof expected, "%zu.0", successes(&sample, answers, LENGTH_OF(answers)));
    expect(&sample, "query", "counters:value", "{\"name\":\"b\"}", expected);
    assert_true(expected[0] >= '1');
    stop(&sample);
}

#define INT64_100 "{\"$integer\":\"ZAAAAAAAAAA=\"}"
#define INT64_30 "{\"$integer\":\"HgAAAAAAAAA=\"}"
#define INT64_0 "{\"$integer\":\"AAAAAAAAAAA=\"}"

/* Four accounts of 100, 24 transfers of 30 at once: some are refused, none makes or loses money. */
static void test_bank(void **state) {
    (void)state;
    struct sample sample = start("bank");
    struct answer answers[24];
    for (char owner = 'a'; owner <= 'd'; owner++) {
        char args[96];
        snprintf(args, sizeof args, "{\"owner\":\"%c\",\"balance\":" INT64_100 "}", owner);
        free(text_of(&sample, "mutation", "accounts:open", args));
    }
    expect_thrown(&sample, "accounts:open", "{\"owner\":\"a\",\"balance\":" INT64_0 "}",
                  "{\"code\":\"ACCOUNT_EXISTS\",\"owner\":\"a\"}");
    for (size_t i = 0; i < LENGTH_OF(answers); i++) {
        char args[128];
        snprintf(args, sizeof args, "{\"from\":\"%c\",\"to\":\"%c\",\"amount\":" INT64_30 "}",
                 (char)('a' + i % 4), (char)('a' + (i + 1 + i / 4 % 3) % 4));
        send_call(&sample, &answers[i], "mutation", "accounts:transfer", args);
    }
    size_t good = successes(&sample, answers, LENGTH_OF(answers));
    assert_true(good >= 4);
    assert_int_equal(sample.fixture->commits, 4 + good);
    expect(&sample, "query", "accounts:total", "{}", "\"400\"");
    stop(&sample);
}

static void test_bank_refusals(void **state) {
    (void)state;
    struct sample sample = start("bank");
    free(text_of(&sample, "mutation", "accounts:open", "{\"owner\":\"a\",\"balance\":" INT64_30 "}"));
    free(text_of(&sample, "mutation", "accounts:open", "{\"owner\":\"b\",\"balance\":" INT64_0 "}"));
    expect_thrown(&sample, "accounts:transfer", "{\"from\":\"a\",\"to\":\"b\",\"amount\":" INT64_100 "}",
                  "{\"balance\":\"30\",\"code\":\"INSUFFICIENT_FUNDS\",\"needed\":\"100\"}");
    expect_thrown(&sample, "accounts:transfer", "{\"from\":\"a\",\"to\":\"b\",\"amount\":" INT64_0 "}",
                  "{\"code\":\"BAD_TRANSFER\"}");
    expect_thrown(&sample, "accounts:transfer", "{\"from\":\"a\",\"to\":\"x\",\"amount\":" INT64_30 "}",
                  "{\"code\":\"NO_ACCOUNT\"}");
    json_t *json =
        call(&sample, "mutation", "accounts:transfer", "{\"from\":\"a\",\"to\":\"b\",\"amount\":5}");
    assert_non_null(strstr(json_text(json, "errorMessage"), "ArgumentValidationError")); /* no Int64 */
    json_decref(json);
    assert_int_equal(sample.fixture->commits, 2);
    expect(&sample, "mutation", "accounts:transfer", "{\"from\":\"a\",\"to\":\"b\",\"amount\":" INT64_30 "}",
           "null");
    assert_non_null(strstr(buffer_text(&sample.fixture->notes), "\"balance\":\"0\",\"owner\":\"a\"}"));
    assert_non_null(strstr(buffer_text(&sample.fixture->notes), "\"balance\":\"30\",\"owner\":\"b\"}"));
    stop(&sample);
}

/* Two sign-ups with one address at once: exactly one wins. */
static void test_signup(void **state) {
    (void)state;
    struct sample sample = start("signup");
    struct answer answers[2];
    send_call(&sample, &answers[0], "mutation", "users:signUp",
              "{\"email\":\"Ann@example.org\",\"name\":\"Ann\"}");
    send_call(&sample, &answers[1], "mutation", "users:signUp",
              "{\"email\":\"ann@Example.org\",\"name\":\"Anna\"}");
    assert_int_equal(successes(&sample, answers, 2), 1);
    assert_int_equal(sample.fixture->commits, 1);
    expect_thrown(&sample, "users:signUp", "{\"email\":\"ann@example.org\",\"name\":\"x\"}",
                  "{\"code\":\"EMAIL_TAKEN\",\"email\":\"ann@example.org\"}");
    json_t *json = call(&sample, "mutation", "users:signUp", "{\"email\":\"BOB@x\",\"name\":\"Bob\"}");
    const char *line = json_string_value(json_array_get(json_object_get(json, "logLines"), 0));
    assert_string_equal(line, "[LOG] 'signed up' 'bob@x'");
    json_decref(json);
    expect(&sample, "query", "users:named", "{\"email\":\"bob@X\"}", "\"Bob\"");
    expect(&sample, "query", "users:named", "{\"email\":\"nobody@x\"}", "null");
    stop(&sample);
}

/* A child before its parent, uploads that come twice, and two at once. */
static void test_uuid_mapping(void **state) {
    (void)state;
    struct sample sample = start("uuid-mapping");
    static const char task[] = "{\"uuid\":\"t1\",\"title\":\"paint\",\"project_uuid\":\"p1\"}";
    static const char project[] = "{\"uuid\":\"p1\",\"name\":\"house\"}";
    struct answer answers[2];
    char *first = text_of(&sample, "mutation", "tasks:put", task);
    assert_null(strstr(buffer_text(&sample.fixture->notes), "\"project\":"));
    char *parent = text_of(&sample, "mutation", "projects:put", project);
    char expected[96];
    snprintf(expected, sizeof expected, "\"project\":\"%s\"", parent);
    assert_non_null(strstr(buffer_text(&sample.fixture->notes), expected));
    char *again = text_of(&sample, "mutation", "tasks:put", task);
    assert_string_equal(first, again);
    size_t commits = sample.fixture->commits;
    free(text_of(&sample, "mutation", "projects:put", project));
    assert_int_equal(sample.fixture->commits, commits); /* nothing changed */
    for (size_t i = 0; i < 2; i++) {
        send_call(&sample, &answers[i], "mutation", "projects:put", "{\"uuid\":\"p2\",\"name\":\"x\"}");
    }
    for (size_t i = 0; i < 2; i++) {
        wait_for(sample.fixture, &answers[i]);
    }
    assert_string_equal(buffer_text(&answers[0].body), buffer_text(&answers[1].body)); /* one document */
    assert_int_equal(successes(&sample, answers, 2), 2);
    expect(&sample, "mutation", "tasks:remove", "{\"uuid\":\"t1\"}", "null");
    expect(&sample, "mutation", "tasks:remove", "{\"uuid\":\"t1\"}", "null");
    free(first);
    free(again);
    free(parent);
    stop(&sample);
}

/* An offline device's queue, sent twice; then the clean-up a day after a to-do was done. */
static void test_todo(void **state) {
    (void)state;
    struct sample sample = start("todo");
    static const char batch[] =
        "{\"batch\":[{\"op\":\"PUT\",\"type\":\"lists\",\"id\":\"l1\",\"data\":{\"name\":\"shop\",\"owner_"
        "id\":\"a\"}},"
        "{\"op\":\"PUT\",\"type\":\"todos\",\"id\":\"t1\",\"data\":{\"text\":\"milk\",\"list_uuid\":\"l1\","
        "\"owner_id\":\"a\",\"done\":0}},"
        "{\"op\":\"PUT\",\"type\":\"todos\",\"id\":\"t2\",\"data\":{\"text\":\"tea\",\"list_uuid\":\"l1\","
        "\"owner_id\":\"a\"}},"
        "{\"op\":\"PATCH\",\"type\":\"todos\",\"id\":\"t1\",\"data\":{\"text\":\"oat milk\",\"done\":1}},"
        "{\"op\":\"PATCH\",\"type\":\"todos\",\"id\":\"gone\",\"data\":{\"text\":\"x\"}}]}";
    for (int i = 0; i < 2; i++) {
        expect(&sample, "mutation", "sync:upload", batch, "null");
    }
    json_t *json = call(&sample, "query", "todos:ofList", "{\"list_uuid\":\"l1\"}");
    assert_int_equal(json_array_size(json_object_get(json, "value")), 2);
    json_decref(json);
    json = call(&sample, "query", "todos:ofList", "{\"list_uuid\":\"l1\",\"done\":true}");
    const json_t *done = json_object_get(json, "value");
    assert_int_equal(json_array_size(done), 1);
    assert_string_equal(json_text(json_array_get(done, 0), "text"), "oat milk");
    json_decref(json);
    expect_thrown(&sample, "sync:upload", "{\"batch\":[{\"op\":\"PUT\",\"type\":\"x\",\"id\":\"1\"}]}",
                  "{\"code\":\"UNKNOWN_TABLE\",\"table\":\"x\"}");
    json = call(&sample, "mutation", "sync:applyToTodo", "{\"op\":\"DELETE\",\"uuid\":\"t1\",\"data\":null}");
    assert_string_equal(json_text(json, "status"), "error"); /* internal */
    json_decref(json);

    expect(&sample, "mutation", "todos:finish", "{\"uuid\":\"t1\"}", "null");
    expect(&sample, "mutation", "todos:finish", "{\"uuid\":\"t2\"}", "null");
    expect(&sample, "mutation", "todos:reopen", "{\"uuid\":\"t2\"}", "null");
    fixture_run(sample.fixture, 23 * 3600 * TIME_SECOND);
    json = call(&sample, "query", "todos:ofList", "{\"list_uuid\":\"l1\"}");
    assert_int_equal(json_array_size(json_object_get(json, "value")), 2);
    json_decref(json);
    fixture_run(sample.fixture, 3600 * TIME_SECOND + TIME_SECOND);
    json = call(&sample, "query", "todos:ofList", "{\"list_uuid\":\"l1\"}");
    const json_t *left = json_object_get(json, "value");
    assert_int_equal(json_array_size(left), 1);
    assert_string_equal(json_text(json_array_get(left, 0), "text"), "tea");
    json_decref(json);
    expect(&sample, "mutation", "sync:upload",
           "{\"batch\":[{\"op\":\"DELETE\",\"type\":\"lists\",\"id\":\"l1\"}]}", "null");
    expect(&sample, "query", "todos:ofList", "{\"list_uuid\":\"l1\"}", "[]");
    stop(&sample);
}

/* As the one that every deployment has: one document, its millisecond moves on. */
static void test_checkpoint(void **state) {
    (void)state;
    struct sample sample = start("checkpoint");
    for (int i = 0; i < 3; i++) {
        expect(&sample, "mutation", "powersync_checkpoints:createCheckpoint", "{}", "null");
    }
    assert_int_equal(sample.fixture->commits, 3);
    struct answer answer;
    send_request(sample.fixture, &answer, "GET", "/api/list_snapshot?table_name=powersync_checkpoints",
                 "Convex dev:syncline-1|0123456789abcdef", NULL, NULL, 0);
    wait_for(sample.fixture, &answer);
    json_t *json = json_parse(buffer_text(&answer.body), answer.body.length, NULL);
    const json_t *values = json_object_get(json, "values");
    assert_int_equal(json_array_size(values), 1);
    double updated = json_number_value(json_object_get(json_array_get(values, 0), "last_updated"));
    assert_true(updated > json_number_value(json_object_get(json_array_get(values, 0), "_creationTime")));
    json_decref(json);
    buffer_free(&answer.body);
    stop(&sample);
}

/* --- webhooks --- */

static void deliver(struct sample *sample, struct answer *answer, const char *delivery, const char *body) {
    static const struct http_client_events events = {answer_head, answer_body, answer_end, answer_failed};
    struct http_header header = {"X-Delivery-Id", delivery};
    struct http_request request = {.authority = "convex",
                                   .method = "POST",
                                   .target = "/http/payments",
                                   .headers = &header,
                                   .n_headers = delivery != NULL ? 1 : 0,
                                   .body = body,
                                   .body_length = strlen(body)};
    memset(answer, 0, sizeof *answer);
    answer->fixture = sample->fixture;
    host_http_send(sample->fixture->client, &request, &events, answer);
}

static void expect_delivered(struct sample *sample, struct answer *answer, int status, const char *body) {
    wait_for(sample->fixture, answer);
    assert_int_equal(answer->status, status);
    assert_string_equal(buffer_text(&answer->body), body);
    buffer_free(&answer->body);
}

static void test_webhooks(void **state) {
    (void)state;
    struct sample sample = start("webhooks");
    static const char body[] = "{\"order\":\"o1\",\"amount\":20}";
    struct answer answers[3];
    deliver(&sample, &answers[0], "d1", body);
    expect_delivered(&sample, &answers[0], 200, "recorded");
    deliver(&sample, &answers[0], "d1", body);
    expect_delivered(&sample, &answers[0], 200, "seen before");
    deliver(&sample, &answers[0], NULL, body);
    expect_delivered(&sample, &answers[0], 400, "no delivery id");
    for (size_t i = 0; i < LENGTH_OF(answers); i++) {
        deliver(&sample, &answers[i], "d2", body);
    }
    size_t recorded = 0;
    for (size_t i = 0; i < LENGTH_OF(answers); i++) {
        wait_for(sample.fixture, &answers[i]);
        assert_int_equal(answers[i].status, 200);
        recorded += strcmp(buffer_text(&answers[i].body), "recorded") == 0;
        buffer_free(&answers[i].body);
    }
    assert_int_equal(recorded, 1);
    json_t *json = call(&sample, "query", "orders:get", "{\"number\":\"o1\"}");
    assert_true(json_number_value(json_object_get(json_object_get(json, "value"), "paid")) == 40);
    json_decref(json);
    stop(&sample);
}

/* A server that answers the third request only. */
struct mail {
    struct host *host;
    int requests;
    char last[64];
};

static void mail_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct mail *mail = context;
    const struct http_response response = {.status = mail->requests == 1 ? 500 : 200};
    mail->requests++;
    snprintf(mail->last, sizeof mail->last, "%s %s %.*s", request->method, request->target,
             (int)request->body_length, (const char *)request->body);
    if (mail->requests == 1) {
        host_http_reset(mail->host, exchange);
        return;
    }
    host_http_respond(mail->host, exchange, &response);
    host_http_end(mail->host, exchange);
}

static void mail_closed(void *context, uint64_t exchange) {
    (void)context;
    (void)exchange;
}

/* Reset, status 500, success: an action that sleeps in between and then calls a mutation. */
static void test_confirm(void **state) {
    (void)state;
    static const struct http_server_events events = {.request = mail_request, .closed = mail_closed};
    struct sample sample = start("webhooks");
    struct mail mail = {.host = net_node(sample.fixture->net, "mail")};
    struct answer answer;
    deliver(&sample, &answer, "d1", "{\"order\":\"o1\",\"amount\":20}");
    expect_delivered(&sample, &answer, 200, "recorded");
    host_http_listen(mail.host, &events, &mail);
    int64_t before = world_now(sample.fixture->world);
    json_t *json =
        call(&sample, "action", "orders:confirm", "{\"number\":\"o1\",\"url\":\"http://mail/send\"}");
    assert_true(json_is_true(json_object_get(json, "value")));
    json_decref(json);
    assert_int_equal(mail.requests, 3);
    assert_string_equal(mail.last, "POST /send \"o1\"");
    assert_true(world_now(sample.fixture->world) - before >= 2 * TIME_SECOND);
    json = call(&sample, "query", "orders:get", "{\"number\":\"o1\"}");
    assert_true(json_is_true(json_object_get(json_object_get(json, "value"), "confirmed")));
    json_decref(json);
    host_http_listen(mail.host, NULL, NULL);
    expect(&sample, "action", "orders:confirm", "{\"number\":\"o1\",\"url\":\"http://nobody/\"}", "false");
    stop(&sample);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_counter),       cmocka_unit_test(test_bank),
                                       cmocka_unit_test(test_bank_refusals), cmocka_unit_test(test_signup),
                                       cmocka_unit_test(test_uuid_mapping),  cmocka_unit_test(test_todo),
                                       cmocka_unit_test(test_checkpoint),    cmocka_unit_test(test_webhooks),
                                       cmocka_unit_test(test_confirm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
