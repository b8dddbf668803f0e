/* What holds for every HTTP request: other origins, the client's version, request ids, plain routes, bodies.
 */
#include "fixture.h"

#define MOST_HEADERS 6
#define JSON_TYPE                                                                                            \
    { "Content-Type", "application/json" }
#define COUNT "{\"path\":\"pets:count\",\"args\":{}}"

struct exchange {
    struct answer answer;  /* first: the fixture's callbacks fill it */
    struct buffer headers; /* "name: value\n" each */
};

static void keep_head(void *context, uint64_t exchange, const struct http_response *response) {
    struct exchange *kept = context;
    answer_head(&kept->answer, exchange, response);
    for (size_t i = 0; i < response->n_headers; i++) {
        buffer_printf(&kept->headers, "%s: %s\n", response->headers[i].name, response->headers[i].value);
    }
}

static void ask(struct fixture *fixture, struct exchange *kept, const char *method, const char *target,
                const struct http_header *headers, const char *body) {
    static const struct http_client_events events = {keep_head, answer_body, answer_end, answer_failed};
    size_t count = 0;
    while (count < MOST_HEADERS && headers[count].name != NULL) {
        count++;
    }
    const struct http_request request = {.authority = "convex",
                                         .method = method,
                                         .target = target,
                                         .headers = headers,
                                         .n_headers = count,
                                         .body = body,
                                         .body_length = body != NULL ? strlen(body) : 0};
    memset(kept, 0, sizeof *kept);
    kept->answer.fixture = fixture;
    host_http_send(fixture->client, &request, &events, kept);
    wait_for(fixture, &kept->answer);
}

static void release(struct exchange *kept) {
    buffer_free(&kept->answer.body);
    buffer_free(&kept->headers);
}

#define ORIGIN                                                                                               \
    { "Origin", "https://app.example" }
#define VARY "vary: origin, access-control-request-method, access-control-request-headers\n"
#define ALLOWED                                                                                              \
    "access-control-allow-origin: https://app.example\naccess-control-allow-credentials: true\n" VARY

static const struct {
    const char *what, *method, *target;
    struct http_header headers[MOST_HEADERS];
    const char *body;
    int status;
    const char *says; /* header lines after content-length and content-type */
} cors[] = {
    {"asked beforehand",
     "OPTIONS",
     "/api/query",
     {ORIGIN,
      {"Access-Control-Request-Method", "POST"},
      {"Access-Control-Request-Headers", "content-type,convex-client"}},
     NULL,
     200,
     "access-control-allow-methods: GET,POST,OPTIONS,PATCH,DELETE,PUT\naccess-control-max-age: 86400\n"
     "access-control-allow-headers: content-type,convex-client\n" ALLOWED},
    {"asked beforehand on any path",
     "OPTIONS",
     "/nothing",
     {ORIGIN},
     NULL,
     200,
     "access-control-allow-methods: GET,POST,OPTIONS,PATCH,DELETE,PUT\naccess-control-max-age: "
     "86400\n" ALLOWED},
    {"a query", "POST", "/api/query", {ORIGIN, JSON_TYPE}, COUNT, 200, ALLOWED},
    {"a mutation",
     "POST",
     "/api/mutation",
     {ORIGIN, JSON_TYPE},
     "{\"path\":\"pets:add\",\"args\":{}}",
     200,
     ALLOWED},
    {"a mutation that throws",
     "POST",
     "/api/mutation",
     {ORIGIN, JSON_TYPE},
     "{\"path\":\"pets:throw\",\"args\":{}}",
     200,
     ALLOWED},
    {"by its address", "POST", "/api/run/pets/add", {ORIGIN, JSON_TYPE}, "{\"args\":{}}", 200, ALLOWED},
    {"an error", "GET", "/api/json_schemas", {ORIGIN}, NULL, 403, ALLOWED},
    {"another", "POST", "/api/query", {ORIGIN}, COUNT, 400, ALLOWED},
    {"a path that is not there", "GET", "/nothing", {ORIGIN}, NULL, 404, ALLOWED},
    {"another method", "DELETE", "/api/query", {ORIGIN}, NULL, 405, ALLOWED},
    {"no origin", "POST", "/api/query", {JSON_TYPE}, COUNT, 200, ""},
    {"no origin, a mutation",
     "POST",
     "/api/mutation",
     {JSON_TYPE},
     "{\"path\":\"pets:add\",\"args\":{}}",
     200,
     ""},
};

static void test_cors(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    for (size_t i = 0; i < LENGTH_OF(cors); i++) {
        struct exchange kept;
        ask(fixture, &kept, cors[i].method, cors[i].target, cors[i].headers, cors[i].body);
        const char *rest = buffer_text(&kept.headers);
        for (int skip = 0; skip < (kept.answer.body.length > 0 ? 2 : 1); skip++) {
            rest = strchr(rest, '\n') + 1;
        }
        if (kept.answer.status != cors[i].status || strcmp(rest, cors[i].says) != 0) {
            fail_msg("%s: %d\n%s", cors[i].what, kept.answer.status, buffer_text(&kept.headers));
        }
        release(&kept);
    }
    fixture_free(fixture);
}

static const struct {
    const char *client;
    int status;
    const char *code;
} clients[] = {
    {"npm-1.48.0", 200, ""},
    {"npm-0.19.2", 200, ""},
    {"npm-0.20.0", 200, ""},
    {"npm-1.0.0-alpha.3", 200, ""},
    {"npm-0.19.1", 400, "ClientVersionUnsupported"},
    {"npm-0.19.0", 400, "ClientVersionUnsupported"},
    {"npm-0.3.7", 400, "ClientVersionUnsupported"},
    {"npm-cli-0.19.1", 400, "ClientVersionUnsupported"},
    {"npm-cli-1.2.0", 200, ""},
    {"actions-0.18.0", 400, "ClientVersionUnsupported"},
    {"actions-1.0.0", 200, ""},
    {"python-0.5.0", 200, ""},
    {"powersync-0.0.1", 200, ""},
    {"npm", 400, "InvalidClientVersion"},
    {"", 400, "InvalidClientVersion"},
    {"npm-", 400, "InvalidClientVersion"},
    {"npm-x", 400, "InvalidClientVersion"},
    {"npm-1.2", 400, "InvalidClientVersion"},
    {"-1.2.3", 400, "InvalidClientVersion"},
    {"npm-1.2.3.4", 400, "InvalidClientVersion"},
    {"npm-99999999999999999999.0.0", 400, "InvalidClientVersion"},
};

static void test_client_versions(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    for (size_t i = 0; i < LENGTH_OF(clients); i++) {
        const struct http_header headers[MOST_HEADERS] = {JSON_TYPE, {"convex-client", clients[i].client}};
        struct exchange kept;
        char code[64];
        ask(fixture, &kept, "POST", "/api/query", headers, COUNT);
        error_code(&kept.answer.body, code);
        bool told = strstr(buffer_text(&kept.headers), "x-convex-deprecation-state: ") != NULL &&
                    strstr(buffer_text(&kept.headers), "x-convex-deprecation-message: ") != NULL;
        if (kept.answer.status != clients[i].status || strcmp(code, clients[i].code) != 0 ||
            told != (strcmp(code, "ClientVersionUnsupported") == 0)) {
            fail_msg("%s: %d %s\n%s", clients[i].client, kept.answer.status, code,
                     buffer_text(&kept.headers));
        }
        release(&kept);
    }
    fixture_free(fixture);
}

/* The version in the WebSocket's path stands for npm-<version>. */
static void test_version_of_the_socket(void **state) {
    (void)state;
    static const struct http_header upgrade[MOST_HEADERS] = {
        {"Connection", "Upgrade"},
        {"Upgrade", "websocket"},
        {"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
    static const struct {
        const char *target, *code;
    } rows[] = {{"/api/0.19.1/sync", "ClientVersionUnsupported"},
                {"/api/x/sync", "InvalidClientVersion"},
                {"/api/1.2/sync", "InvalidClientVersion"}};
    struct fixture *fixture = fixture_make();
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct exchange kept;
        char code[64];
        ask(fixture, &kept, "GET", rows[i].target, upgrade, NULL);
        error_code(&kept.answer.body, code);
        assert_int_equal(kept.answer.status, 400);
        assert_string_equal(code, rows[i].code);
        release(&kept);
    }
    fixture_free(fixture);
}

/* The caller's name for a request stands in what it is told of a failure; else 16 hexadecimal digits. */
static void test_request_ids(void **state) {
    (void)state;
    static const char body[] = "{\"path\":\"pets:throw\",\"args\":{}}";
    static const struct http_header named[MOST_HEADERS] = {JSON_TYPE, {"Convex-Request-Id", "my-request-7"}};
    static const struct http_header bad[MOST_HEADERS] = {JSON_TYPE, {"Convex-Request-Id", "a b"}};
    static const struct http_header none[MOST_HEADERS] = {JSON_TYPE};
    struct fixture *fixture = fixture_make();
    struct exchange kept;
    ask(fixture, &kept, "POST", "/api/mutation", named, body);
    assert_non_null(strstr(buffer_text(&kept.answer.body),
                           "\"errorMessage\":\"[Request ID: my-request-7] Server Error\""));
    release(&kept);
    for (int i = 0; i < 2; i++) {
        ask(fixture, &kept, "POST", "/api/mutation", i == 0 ? bad : none, body);
        const char *id = strstr(buffer_text(&kept.answer.body), "[Request ID: ");
        assert_non_null(id);
        assert_int_equal(strspn(id + 13, "0123456789abcdef"), 16);
        assert_int_equal(id[13 + 16], ']');
        release(&kept);
    }
    fixture_free(fixture);
}

static const struct {
    const char *method, *target, *body;
    int status;
    const char *type, *answer; /* NULL: any */
} plain[] = {
    {"GET", "/", NULL, 200, "text/plain; charset=utf-8", NULL},
    {"GET", "/version", NULL, 200, "text/plain; charset=utf-8", NULL},
    {"GET", "/instance_version", NULL, 200, "text/plain; charset=utf-8", NULL},
    {"GET", "/instance_name", NULL, 200, "text/plain; charset=utf-8", "syncline-1"},
    {"POST", "/echo", "any \x01\xff bytes", 200, "application/octet-stream", "any \x01\xff bytes"},
    {"POST", "/echo", NULL, 200, "", ""},
    {"GET", "/echo", NULL, 405, "", ""},
    {"POST", "/instance_name", NULL, 405, "", ""},
    {"GET", "/nothing", NULL, 404, "", ""},
    {"PATCH", "/api/query", NULL, 405, "", ""},
};

static void test_plain_routes(void **state) {
    (void)state;
    static const struct http_header none[MOST_HEADERS] = {{NULL, NULL}};
    struct fixture *fixture = fixture_make();
    for (size_t i = 0; i < LENGTH_OF(plain); i++) {
        struct exchange kept;
        ask(fixture, &kept, plain[i].method, plain[i].target, none, plain[i].body);
        const char *body = buffer_text(&kept.answer.body);
        if (kept.answer.status != plain[i].status || strcmp(kept.answer.content_type, plain[i].type) != 0 ||
            (plain[i].answer != NULL ? strcmp(body, plain[i].answer) != 0 : *body == 0)) {
            fail_msg("%s %s: %d %s %s", plain[i].method, plain[i].target, kept.answer.status,
                     kept.answer.content_type, body);
        }
        release(&kept);
    }
    fixture_free(fixture);
}

#define QUERY "/api/query"
static const struct expectation bodies[] = {
    {"JSON", "POST", QUERY, NULL, "application/json", COUNT, 200, ""},
    {"in capitals, with a parameter", "POST", QUERY, NULL, "Application/JSON; charset=utf-8", COUNT, 200, ""},
    {"with a suffix", "POST", QUERY, NULL, "application/vnd.api+json", COUNT, 200, ""},
    {"of another family, with a suffix", "POST", QUERY, NULL, "model/gltf+json", COUNT, 200, ""},
    {"a suffix alone", "POST", QUERY, NULL, "+json", COUNT, 400, "BadJsonBody"},
    {"a suffix of nothing", "POST", QUERY, NULL, "application/+json", COUNT, 400, "BadJsonBody"},
    {"text", "POST", QUERY, NULL, "text/plain", COUNT, 400, "BadJsonBody"},
    {"text that is called so", "POST", QUERY, NULL, "text/json", COUNT, 400, "BadJsonBody"},
    {"none", "POST", QUERY, NULL, NULL, COUNT, 400, "BadJsonBody"},
    {"no body", "POST", QUERY, NULL, "application/json", NULL, 400, "BadJsonBody"},
    {"half of it", "POST", QUERY, NULL, "application/json", "{\"path\":", 400, "BadJsonBody"},
    {"the key in the query", "GET", "/api/check_admin_key?adminKey=prod:syncline-1%7C0123456789abcdef", NULL,
     NULL, NULL, 200, ""},
    {"another key in the query", "GET", "/api/check_admin_key?adminKey=x", NULL, NULL, NULL, 401,
     "BadAdminKey"},
    {"the header goes first", "GET", "/api/check_admin_key?adminKey=x", AUTHORIZED, NULL, NULL, 200, ""},
};

static void test_bodies(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    check_expectations(fixture, bodies, LENGTH_OF(bodies));
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cors),
        cmocka_unit_test(test_client_versions),
        cmocka_unit_test(test_version_of_the_socket),
        cmocka_unit_test(test_request_ids),
        cmocka_unit_test(test_plain_routes),
        cmocka_unit_test(test_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
