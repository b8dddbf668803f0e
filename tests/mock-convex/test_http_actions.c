/* HTTP actions: which function a request leads to, what it sees, what comes of its result. */
#include "fixture.h"

/* The request, as it came. */
static enum status echo(struct convex_context *context, const struct convex_value *args,
                        struct convex_value **result, struct error *error) {
    struct buffer text = {0};
    (void)error;
    buffer_append_text(&text, (const char *)convex_data(context));
    buffer_append_char(&text, ' ');
    convex_append_json(&text, args, CONVEX_FORMAT_ENCODED);
    *result = convex_object();
    convex_object_set(*result, "body", convex_string(buffer_text(&text)));
    buffer_free(&text);
    return STATUS_OK;
}

/* A webhook: what is delivered twice is stored once. */
static enum status hook(struct convex_context *context, const struct convex_value *args,
                        struct convex_value **result, struct error *error) {
    struct convex_value *call = convex_object(), *stored = NULL, *headers = convex_object();
    convex_object_set(call, "uuid", convex_copy(convex_object_get(args, "body")));
    enum status status = convex_run_mutation(context, "pets:once", call, &stored, error);
    convex_free(call);
    if (status != STATUS_OK) {
        convex_free(headers);
        return status;
    }
    convex_object_set(headers, "X-Stored", convex_string(stored->as.boolean ? "yes" : "no"));
    convex_object_set(headers, "Content-Length", convex_string("99"));
    *result = convex_object();
    convex_object_set(*result, "status", convex_float64(stored->as.boolean ? 201 : 200));
    convex_object_set(*result, "headers", headers);
    convex_object_set(*result, "body", convex_bytes("\xff\x00!", 3));
    convex_free(stored);
    return STATUS_OK;
}

static enum status once(struct convex_context *context, const struct convex_value *args,
                        struct convex_value **result, struct error *error) {
    char id[40];
    double number;
    enum status status = pet_find(context, args, id, &number, error);
    if (status == STATUS_OK) {
        bool fresh = id[0] == 0;
        *result = convex_boolean(fresh);
        status =
            fresh ? convex_insert(context, "pets", pet_make(convex_object_text(args, "uuid"), "x"), id, error)
                  : STATUS_OK;
    }
    return status;
}

static enum status nothing(struct convex_context *context, const struct convex_value *args,
                           struct convex_value **result, struct error *error) {
    (void)context;
    (void)args;
    (void)result;
    (void)error;
    return STATUS_OK;
}

static enum status strange(struct convex_context *context, const struct convex_value *args,
                           struct convex_value **result, struct error *error) {
    (void)context;
    (void)args;
    (void)error;
    *result = convex_object();
    convex_object_set(*result, "status", convex_float64(99));
    return STATUS_OK;
}

static const struct convex_function site_functions[] = {
    {.path = "http:exact", .kind = CONVEX_HTTP_ACTION, .data = "exact", .run = echo},
    {.path = "http:short", .kind = CONVEX_HTTP_ACTION, .data = "short", .run = echo},
    {.path = "http:long", .kind = CONVEX_HTTP_ACTION, .data = "long", .run = echo},
    {.path = "http:options", .kind = CONVEX_HTTP_ACTION, .data = "options", .run = echo},
    {.path = "http:hook", .kind = CONVEX_HTTP_ACTION, .run = hook},
    {.path = "http:nothing", .kind = CONVEX_HTTP_ACTION, .run = nothing},
    {.path = "http:strange", .kind = CONVEX_HTTP_ACTION, .run = strange},
    {.path = "http:throw", .kind = CONVEX_HTTP_ACTION, .run = pets_throw},
    {.path = "pets:once", .kind = CONVEX_MUTATION, .run = once},
    {.path = "pets:count", .kind = CONVEX_QUERY, .run = pets_count}};
static const struct convex_http_route site_routes[] = {
    {"GET", "/a/", "http:short"},        {"GET", "/a/b/", "http:long"},   {"GET", "/a/b/c", "http:exact"},
    {"OPTIONS", "/a/", "http:options"},  {"POST", "/hook", "http:hook"},  {"GET", "/none", "http:nothing"},
    {"GET", "/strange", "http:strange"}, {"GET", "/throw", "http:throw"}, {"GET", "/query", "pets:count"}};

static struct fixture *make(void) {
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    options.functions = site_functions;
    options.n_functions = LENGTH_OF(site_functions);
    options.http_routes = site_routes;
    options.n_http_routes = LENGTH_OF(site_routes);
    options.site = net_node(fixture->net, "convex-site");
    fixture_deploy(fixture, &options);
    return fixture;
}

static void ask(struct fixture *fixture, struct answer *answer, const char *authority, const char *method,
                const char *target, const char *body) {
    static const struct http_client_events events = {answer_head, answer_body, answer_end, answer_failed};
    const struct http_header headers[] = {{"X-Thing", "1"}, {"x-thing", "2"}};
    const struct http_request request = {.authority = authority,
                                         .method = method,
                                         .target = target,
                                         .headers = headers,
                                         .n_headers = 2,
                                         .body = body,
                                         .body_length = body != NULL ? strlen(body) : 0};
    memset(answer, 0, sizeof *answer);
    answer->fixture = fixture;
    host_http_send(fixture->client, &request, &events, answer);
    wait_for(fixture, answer);
}

static const struct {
    const char *method, *path;
    int status;
    const char *body; /* how it begins */
} rows[] = {
    {"GET", "/a/b/c", 200, "exact "},
    {"GET", "/a/b/c/", 200, "long "},
    {"GET", "/a/b/d", 200, "long "},
    {"GET", "/a/x", 200, "short "},
    {"GET", "/a/", 200, "short "},
    {"GET", "/a", 404, ""},
    {"GET", "/", 404, ""},
    {"POST", "/a/x", 404, ""}, /* another method */
    {"OPTIONS", "/a/x", 200, "options "},
    {"OPTIONS", "/hook", 404, ""}, /* only when routed */
    {"GET", "/query", 404, ""},    /* not an HTTP action */
    {"GET", "/none", 200, ""},
    {"GET", "/strange", 500, "{\"code\":\"InternalServerError\",\"message\":\"[Request ID: "},
    {"GET", "/throw", 500, "{\"code\":\"InternalServerError\",\"message\":\"[Request ID: "},
};

/* The same on the second port and below /http/ on the first. */
static void test_routes(void **state) {
    (void)state;
    struct fixture *fixture = make();
    for (size_t i = 0; i < 2 * LENGTH_OF(rows); i++) {
        struct answer answer;
        char target[64];
        size_t row = i / 2;
        snprintf(target, sizeof target, "%s%s", i % 2 == 0 ? "" : "/http", rows[row].path);
        ask(fixture, &answer, i % 2 == 0 ? "convex-site" : "convex", rows[row].method, target, NULL);
        if (answer.status != rows[row].status ||
            strncmp(buffer_text(&answer.body), rows[row].body, strlen(rows[row].body)) != 0) {
            fail_msg("%s %s: %d %s", rows[row].method, target, answer.status, buffer_text(&answer.body));
        }
        /* a production deployment keeps reasons to itself */
        assert_null(strstr(buffer_text(&answer.body), "not allowed"));
        buffer_free(&answer.body);
    }
    fixture_free(fixture);
}

static void test_request(void **state) {
    (void)state;
    struct fixture *fixture = make();
    struct answer answer;
    ask(fixture, &answer, "convex", "GET", "/http/a/b/c?x=1&y=%C3%A9&x=2", "caf\xc3\xa9");
    assert_string_equal(
        buffer_text(&answer.body),
        "exact {\"body\":\"caf\xc3\xa9\",\"headers\":{\"x-thing\":\"1, 2\"},\"method\":\"GET\","
        "\"path\":\"/a/b/c\",\"query\":{\"x\":\"1\",\"y\":\"\xc3\xa9\"}}");
    buffer_free(&answer.body);
    ask(fixture, &answer, "convex", "GET", "/http/a/b/c", "\xff");
    assert_non_null(strstr(buffer_text(&answer.body), "{\"body\":{\"$bytes\":\"/w==\"}"));
    buffer_free(&answer.body);
    ask(fixture, &answer, "convex-site", "HEAD", "/a/b/c", NULL); /* as GET, without the body */
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body.length, 0);
    fixture_free(fixture);
}

static void test_webhook(void **state) {
    (void)state;
    struct fixture *fixture = make();
    for (int i = 0; i < 2; i++) {
        struct answer answer;
        ask(fixture, &answer, "convex-site", "POST", "/hook", "delivery-1");
        assert_int_equal(answer.status, i == 0 ? 201 : 200);
        assert_int_equal(answer.body.length, 3);
        assert_memory_equal(answer.body.data, "\xff\x00!", 3);
        buffer_free(&answer.body);
    }
    assert_int_equal(fixture->commits, 1);
    /* two deliveries at once: the transactions conflict, and one of them finds the other's row */
    struct answer first, second;
    send_request(fixture, &first, "POST", "/http/hook", NULL, NULL, "delivery-2", 10);
    send_request(fixture, &second, "POST", "/http/hook", NULL, NULL, "delivery-2", 10);
    wait_for(fixture, &first);
    wait_for(fixture, &second);
    assert_int_equal(first.status + second.status, 200 + 201);
    assert_int_equal(fixture->commits, 2);
    buffer_free(&first.body);
    buffer_free(&second.body);
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_routes), cmocka_unit_test(test_request),
                                       cmocka_unit_test(test_webhook)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
