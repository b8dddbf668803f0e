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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_verdicts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
