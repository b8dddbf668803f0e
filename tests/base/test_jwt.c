#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/jwt.h"

/* RFC 7515, appendix A.1. */
static const char rfc_token[] =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
static const char rfc_key[] =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

static void test_rfc_7515_token(void **state) {
    (void)state;
    struct buffer key = {0};
    assert_int_equal(base64url_decode(&key, rfc_key, strlen(rfc_key), NULL), STATUS_OK);
    struct jwt jwt;
    assert_int_equal(jwt_parse(&jwt, rfc_token, NULL), STATUS_OK);
    assert_string_equal(json_text(jwt.header, "alg"), "HS256");
    assert_string_equal(json_text(jwt.claims, "iss"), "joe");
    assert_int_equal(json_integer_or(jwt.claims, "exp", 0), 1300819380);
    assert_int_equal(jwt.signature_length, 32);
    assert_true(jwt_verify_hs256(&jwt, rfc_token, key.data, key.length));
    assert_false(jwt_verify_hs256(&jwt, rfc_token, key.data, key.length - 1));
    jwt.signature[31] ^= 1;
    assert_false(jwt_verify_hs256(&jwt, rfc_token, key.data, key.length));
    jwt.signature[31] ^= 1;
    jwt.signature_length = 31;
    assert_false(jwt_verify_hs256(&jwt, rfc_token, key.data, key.length));
    jwt_free(&jwt);
    buffer_free(&key);
}

static void test_signing(void **state) {
    (void)state;
    json_t *claims = json_parse("{\"sub\":\"alice\",\"exp\":12}", 24, NULL);
    assert_non_null(claims);
    char *token = jwt_sign_hs256("key 1", claims, "secret", 6);
    struct jwt jwt;
    assert_int_equal(jwt_parse(&jwt, token, NULL), STATUS_OK);
    assert_string_equal(json_text(jwt.header, "kid"), "key 1");
    assert_true(json_equal(jwt.claims, claims));
    assert_true(jwt_verify_hs256(&jwt, token, "secret", 6));
    assert_false(jwt_verify_hs256(&jwt, token, "Secret", 6));
    jwt_free(&jwt);
    free(token);
    /* python3: base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}') */
    token = jwt_sign_hs256(NULL, claims, "", 0);
    assert_memory_equal(token, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.", 37);
    free(token);
    json_decref(claims);
}

static void test_refuses(void **state) {
    (void)state;
    static const char *const wrong[] = {"",         ".",        "..",        "a.b",         "e30.e30.a.b",
                                        "e30.W10.", "W10.e30.", "e30.e30.!", "e30.e3.AAAA", "IjEi.e30."};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct jwt jwt;
        struct error error = {0};
        assert_int_equal(jwt_parse(&jwt, wrong[i], &error), STATUS_INVALID);
        assert_non_null(strstr(error.message, "JWT"));
        assert_null(jwt.header);
    }
    struct jwt jwt;
    assert_int_equal(jwt_parse(&jwt, "e30.e30.", NULL),
                     STATUS_OK); /* {} and {}, unsigned: for the caller to judge */
    assert_int_equal(jwt.signature_length, 0);
    assert_false(jwt_verify_hs256(&jwt, "e30.e30.", "", 0));
    jwt_free(&jwt);
    char large[900];
    memset(large, 'A', sizeof large);
    memcpy(large, "e30.e30.", 8);
    large[8 + 688] = 0; /* 516 bytes of signature */
    assert_int_equal(jwt_parse(&jwt, large, NULL), STATUS_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_7515_token),
        cmocka_unit_test(test_signing),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
