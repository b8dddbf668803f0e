#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "client/upload.h"

static void assert_verdict(int status, const char *body, enum upload_verdict verdict, const char *reason) {
    const struct upload_transaction transaction = {.transaction = 1, .first = 1};
    struct buffer out = {0};

    assert_int_equal(upload_convex_mutation.answer(status, body, strlen(body), &transaction, &out), verdict);
    assert_string_equal(buffer_text(&out), reason);
    buffer_free(&out);
}

/* Bodies as the deployment's function API gives them (200 also for a function that throws). */
static void test_verdicts(void **state) {
    (void)state;
    assert_verdict(200, "{\"status\":\"success\",\"value\":null,\"logLines\":[]}", UPLOAD_ACCEPTED, "");
    assert_verdict(200, "{\"status\":\"error\",\"errorMessage\":\"Uncaught Error: no\"}", UPLOAD_REJECTED,
                   "Uncaught Error: no");
    assert_verdict(200, "{\"status\":\"error\"}", UPLOAD_REJECTED, "error without a message");
    assert_verdict(200, "<html>captive portal</html>", UPLOAD_RETRY, "HTTP 200 without a status");
    assert_verdict(200, "[]", UPLOAD_RETRY, "HTTP 200 without a status");
    assert_verdict(200, "", UPLOAD_RETRY, "HTTP 200 without a status");
    assert_verdict(400, "{\"code\":\"BadJsonBody\",\"message\":\"x\"}", UPLOAD_REJECTED, "HTTP 400");
    assert_verdict(403, "", UPLOAD_REJECTED, "HTTP 403");
    assert_verdict(401, "", UPLOAD_RETRY, "HTTP 401");
    assert_verdict(408, "", UPLOAD_RETRY, "HTTP 408");
    assert_verdict(429, "", UPLOAD_RETRY, "HTTP 429");
    assert_verdict(503, "{\"code\":\"OptimisticConcurrencyControlFailure\",\"message\":\"x\"}", UPLOAD_RETRY,
                   "HTTP 503");
    assert_verdict(302, "", UPLOAD_RETRY, "HTTP 302");
}

/* Two local transactions, as ps_crud has them: 3 (entries 5 and 6) and 4 (entry 7). */
static void assert_request(const struct upload_path *path, size_t count, const char *target,
                           const char *body) {
    json_t *first = json_loads("[{\"op\":\"PUT\",\"id\":\"a\",\"type\":\"notes\",\"data\":{\"x\":1}},"
                               "{\"op\":\"DELETE\",\"id\":\"b\",\"type\":\"notes\"}]",
                               0, NULL);
    json_t *second =
        json_loads("[{\"op\":\"PATCH\",\"id\":\"c\",\"type\":\"notes\",\"data\":{\"x\":null}}]", 0, NULL);
    const struct upload_transaction transactions[] = {{3, 5, first}, {4, 7, second}};
    const struct upload_request request = {
        .client_id = "client", .transactions = transactions, .count = count};
    struct buffer seen_target = {0}, seen_body = {0};

    path->request(&request, &seen_target, &seen_body);
    assert_string_equal(buffer_text(&seen_target), target);
    assert_string_equal(buffer_text(&seen_body), body);
    buffer_free(&seen_target);
    buffer_free(&seen_body);
    json_decref(first);
    json_decref(second);
}

static void test_requests(void **state) {
    (void)state;
    assert_request(
        &upload_convex_mutation, 1, "/api/mutation",
        "{\"path\":\"sync:applyTransaction\",\"args\":{\"clientId\":\"client\",\"transactionId\":\"3\","
        "\"operations\":[{\"op\":\"PUT\",\"table\":\"notes\",\"id\":\"a\",\"data\":{\"x\":1}},"
        "{\"op\":\"DELETE\",\"table\":\"notes\",\"id\":\"b\"}]},\"format\":\"json\"}");
    assert_request(&upload_endpoint, 1, "/api/powersync/upload",
                   "{\"client_id\":\"client\",\"transactions\":[{\"op_id\":\"3\",\"ops\":["
                   "{\"op\":\"PUT\",\"table\":\"notes\",\"id\":\"a\",\"data\":{\"x\":1}},"
                   "{\"op\":\"DELETE\",\"table\":\"notes\",\"id\":\"b\"}]}]}");
    assert_request(
        &upload_sync, 2, "/api/sync",
        "{\"client_id\":\"client\",\"batch\":["
        "{\"op_id\":5,\"tx_id\":3,\"op\":\"PUT\",\"type\":\"notes\",\"id\":\"a\",\"data\":{\"x\":1}},"
        "{\"op_id\":6,\"tx_id\":3,\"op\":\"DELETE\",\"type\":\"notes\",\"id\":\"b\"},"
        "{\"op_id\":7,\"tx_id\":4,\"op\":\"PATCH\",\"type\":\"notes\",\"id\":\"c\",\"data\":{\"x\":null}}]}");
}

static void assert_says(const struct upload_path *path, int64_t number, int status, const char *body,
                        enum upload_verdict verdict, const char *reason) {
    const struct upload_transaction transaction = {.transaction = number, .first = 1};
    struct buffer out = {0};

    assert_int_equal(path->answer(status, body, strlen(body), &transaction, &out), verdict);
    assert_string_equal(buffer_text(&out), reason);
    buffer_free(&out);
}

static void test_server_verdicts(void **state) {
    static const char results[] =
        "{\"results\":[{\"op_id\":\"3\"},{\"op_id\":\"4\",\"error\":\"too long\"}]}";
    static const char rejected[] = "{\"rejected\":[{\"tx_id\":\"4\",\"error\":\"too long\"}]}";

    (void)state;
    assert_says(&upload_endpoint, 3, 200, results, UPLOAD_ACCEPTED, "");
    assert_says(&upload_endpoint, 4, 200, results, UPLOAD_REJECTED, "too long");
    assert_says(&upload_endpoint, 5, 200, results, UPLOAD_RETRY, "HTTP 200 without a result");
    assert_says(&upload_endpoint, 3, 200, "<html>", UPLOAD_RETRY, "HTTP 200 without a result");
    assert_says(&upload_endpoint, 3, 422, "{\"error\":\"x\"}", UPLOAD_REJECTED, "HTTP 422");
    assert_says(&upload_endpoint, 3, 503, "", UPLOAD_RETRY, "HTTP 503");
    assert_says(&upload_endpoint, 3, 401, "", UPLOAD_RETRY, "HTTP 401");
    assert_says(&upload_sync, 3, 200, rejected, UPLOAD_ACCEPTED, "");
    assert_says(&upload_sync, 4, 200, rejected, UPLOAD_REJECTED, "too long");
    assert_says(&upload_sync, 3, 200, "{}", UPLOAD_RETRY, "HTTP 200 without a result");
    assert_says(&upload_sync, 3, 400, "", UPLOAD_REJECTED, "HTTP 400");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_verdicts), cmocka_unit_test(test_requests),
                                       cmocka_unit_test(test_server_verdicts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
