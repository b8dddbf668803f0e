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
#include "base/jwt_vectors.h"

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

/* RFC 7515, appendix A.2 and A.3; RFC 8037, appendix A. */
#define RFC_CLAIMS                                                                                           \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
static const char rs256_jwk[] = "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_"
                                "wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1"
                                "Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_"
                                "7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-"
                                "KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_"
                                "I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2et"
                                "hFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\",\"d\":"
                                "\"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88v"
                                "LNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-"
                                "pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzu"
                                "bSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_"
                                "0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj"
                                "3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ\"}";
static const char rs256_token[] =
    "eyJhbGciOiJSUzI1NiJ9." RFC_CLAIMS
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
    "O8W2Fp5jujGbds9uJdbF9CUAr"
    "7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_"
    "eSN9383LcOLn6_dO--xi"
    "12jzDwusC-"
    "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypG"
    "lUPQGe77Rw";
static const char es256_jwk[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
    "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}";
static const char es256_token[] =
    "eyJhbGciOiJFUzI1NiJ9." RFC_CLAIMS
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
static const char eddsa_jwk[] = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                                "\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
                                "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
static const char eddsa_signed[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
static const char eddsa_signature[] =
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

static struct jwt_key *key_of(const char *text, bool only_public) {
    struct jwt_key *key;
    json_t *jwk = json_parse(text, strlen(text), NULL), *public = jwt_jwk_public(jwk);
    assert_non_null(json_object_get(jwk, "d"));
    assert_null(json_object_get(public, "d"));
    assert_int_equal(jwt_key_from_jwk(only_public ? public : jwk, &key, NULL), STATUS_OK);
    json_decref(public);
    json_decref(jwk);
    return key;
}

static void check_vector(const char *jwk, const char *token, enum jwt_algorithm algorithm) {
    for (int only_public = 0; only_public < 2; only_public++) {
        struct jwt_key *key = key_of(jwk, only_public == 1);
        struct jwt jwt;
        assert_int_equal(jwt_parse(&jwt, token, NULL), STATUS_OK);
        assert_int_equal(jwt_key_algorithm(key), algorithm);
        assert_true(jwt_verify(&jwt, token, key, algorithm));
        for (enum jwt_algorithm other = JWT_UNKNOWN; other <= JWT_EDDSA; other++)
            assert_int_equal(jwt_verify(&jwt, token, key, other), other == algorithm);
        for (size_t i = 0; i < jwt.signature_length; i += 7) { /* another signature */
            jwt.signature[i] ^= 0x10;
            assert_false(jwt_verify(&jwt, token, key, algorithm));
            jwt.signature[i] ^= 0x10;
        }
        jwt.signature_length--;
        assert_false(jwt_verify(&jwt, token, key, algorithm));
        jwt.signature_length++;
        json_object_set_new(jwt.header, "alg", json_string("none")); /* what it says of itself does not fit */
        assert_false(jwt_verify(&jwt, token, key, algorithm));
        json_object_set_new(jwt.header, "alg", json_string(jwt_algorithm_name(algorithm)));
        assert_true(jwt_verify(&jwt, token, key, algorithm));
        char *changed = strdup(token); /* other claims */
        changed[jwt.signed_length - 2] ^= 1;
        assert_false(jwt_verify(&jwt, changed, key, algorithm));
        free(changed);
        jwt_free(&jwt);
        jwt_key_free(key);
    }
}

static void test_rfc_7515_rs256(void **state) {
    (void)state;
    check_vector(rs256_jwk, rs256_token, JWT_RS256);
    struct jwt_key *key = key_of(rs256_jwk, false);
    unsigned char signature[512];
    struct buffer text = {0};
    const char *dot = strrchr(rs256_token, '.');
    size_t length = jwt_key_sign(key, rs256_token, (size_t)(dot - rs256_token), signature);
    base64url_append(&text, signature, length);
    assert_string_equal(buffer_text(&text), dot + 1); /* RS256 always signs the same */
    buffer_free(&text);
    jwt_key_free(key);
}

static void test_rfc_7515_es256(void **state) {
    (void)state;
    check_vector(es256_jwk, es256_token, JWT_ES256);
}

static void test_rfc_8037_eddsa(void **state) {
    (void)state;
    struct jwt_key *key = key_of(eddsa_jwk, false), *public = key_of(eddsa_jwk, true);
    unsigned char signature[512];
    struct buffer text = {0};
    size_t length = jwt_key_sign(key, eddsa_signed, strlen(eddsa_signed), signature);
    base64url_append(&text, signature, length);
    assert_string_equal(buffer_text(&text), eddsa_signature);
    assert_true(jwt_key_verify(public, JWT_EDDSA, eddsa_signed, strlen(eddsa_signed), signature, length));
    assert_false(
        jwt_key_verify(public, JWT_EDDSA, eddsa_signed, strlen(eddsa_signed) - 1, signature, length));
    signature[0] ^= 1;
    assert_false(jwt_key_verify(public, JWT_EDDSA, eddsa_signed, strlen(eddsa_signed), signature, length));
    buffer_free(&text);
    jwt_key_free(key);
    jwt_key_free(public);
}

static void test_sign_with_any_key(void **state) {
    (void)state;
    static const char *const jwks[] = {
        rs256_jwk, es256_jwk, eddsa_jwk,
        "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"s\",\"alg\":\"HS256\"}"};
    json_t *claims = json_pack("{s:s}", "sub", "alice");
    for (size_t i = 0; i < sizeof jwks / sizeof *jwks; i++) {
        struct jwt_key *key;
        struct jwt jwt;
        json_t *jwk = json_parse(jwks[i], strlen(jwks[i]), NULL);
        json_object_set_new(jwk, "kid", json_string("k 1"));
        assert_int_equal(jwt_key_from_jwk(jwk, &key, NULL), STATUS_OK);
        char *token = jwt_sign(key, claims);
        assert_int_equal(jwt_parse(&jwt, token, NULL), STATUS_OK);
        assert_string_equal(json_text(jwt.header, "kid"), "k 1");
        assert_string_equal(json_text(jwt.header, "alg"), jwt_algorithm_name(jwt_key_algorithm(key)));
        assert_string_equal(json_text(jwt.claims, "sub"), "alice");
        assert_true(jwt_verify(&jwt, token, key, jwt_key_algorithm(key)));
        if (jwt_key_algorithm(key) == JWT_HS256) {
            assert_true(jwt_verify_hs256(&jwt, token, "secret", 6));
        }
        free(token);
        jwt_free(&jwt);
        jwt_key_free(key);
        json_decref(jwk);
    }
    json_decref(claims);
}

static struct jwt_key *key_with(const char *text, const char *algorithm) {
    struct jwt_key *key;
    json_t *jwk = json_parse(text, strlen(text), NULL);
    if (algorithm)
        json_object_set_new(jwk, "alg", json_string(algorithm));
    enum status status = jwt_key_from_jwk(jwk, &key, NULL);
    assert_int_equal(status, key ? STATUS_OK : STATUS_INVALID);
    json_decref(jwk);
    return key;
}

static bool verifies(const struct jwt_key *key, enum jwt_algorithm algorithm, const char *token) {
    const char *dot = strrchr(token, '.');
    struct buffer signature = {0};
    assert_int_equal(base64url_decode(&signature, dot + 1, strlen(dot + 1), NULL), STATUS_OK);
    bool good = jwt_key_verify(key, algorithm, token, (size_t)(dot - token),
                               (const unsigned char *)signature.data, signature.length);
    buffer_free(&signature);
    return good;
}

static void test_longer_digests(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof jwt_vectors / sizeof *jwt_vectors; i++) {
        enum jwt_algorithm right = jwt_vectors[i].algorithm;
        const char *token = jwt_vectors[i].token, *name = jwt_algorithm_name(right);
        struct jwt_key *any = key_with(jwt_vectors[i].jwk, NULL), *fixed = key_with(jwt_vectors[i].jwk, name);
        char *changed = strdup(token);
        changed[strchr(changed, '.') - changed + 3] ^= 1;
        for (enum jwt_algorithm other = JWT_UNKNOWN; other <= JWT_EDDSA; other++) {
            /* without "alg" all of the kind, but a curve has one algorithm only */
            bool kind = other != JWT_UNKNOWN && strncmp(jwt_algorithm_name(other), name, 2) == 0 &&
                        (name[0] != 'E' || other == right);
            assert_int_equal(jwt_key_allows(any, other), kind);
            assert_int_equal(jwt_key_allows(fixed, other), other == right);
            if (kind)
                assert_int_equal(verifies(any, other, token), other == right);
        }
        assert_true(verifies(fixed, right, token));
        assert_false(verifies(fixed, right, changed));
        free(changed);
        jwt_key_free(any);
        jwt_key_free(fixed);
    }
    assert_null(key_with(jwt_vectors[0].jwk, "RS256"));
    assert_null(key_with(jwt_vectors[2].jwk, "ES256"));
}

static void test_set_of_a_secret(void **state) {
    (void)state;
    char *text = jwt_jwks_of_secret("k \"1\"", "secret"), *plain = jwt_jwks_of_secret(NULL, "secret");
    json_t *set = json_parse(text, strlen(text), NULL);
    struct jwt_key *key;
    assert_int_equal(jwt_key_from_jwk(json_array_get(json_object_get(set, "keys"), 0), &key, NULL),
                     STATUS_OK);
    assert_true(jwt_key_is_secret(key) && jwt_key_algorithm(key) == JWT_HS256);
    assert_string_equal(jwt_key_id(key), "k \"1\"");
    assert_string_equal(plain, "{\"keys\":[{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"c2VjcmV0\"}]}");
    jwt_key_free(key);
    json_decref(set);
    free(text);
    free(plain);
}

/* A public key taken as a secret for HS256 is the classic mistake. */
static void test_no_confusion(void **state) {
    (void)state;
    struct jwt_key *key = key_of(rs256_jwk, true);
    json_t *claims = json_pack("{s:s}", "sub", "mallory");
    char *token = jwt_sign_hs256(NULL, claims, rs256_jwk, strlen(rs256_jwk));
    struct jwt jwt;
    assert_int_equal(jwt_parse(&jwt, token, NULL), STATUS_OK);
    for (enum jwt_algorithm algorithm = JWT_UNKNOWN; algorithm <= JWT_EDDSA; algorithm++)
        assert_false(jwt_verify(&jwt, token, key, algorithm));
    jwt_free(&jwt);
    free(token);
    json_decref(claims);
    jwt_key_free(key);
    assert_int_equal(jwt_algorithm_parse("none"), JWT_UNKNOWN);
    assert_int_equal(jwt_algorithm_parse(NULL), JWT_UNKNOWN);
    assert_int_equal(jwt_algorithm_parse("EdDSA"), JWT_EDDSA);
}

static void test_refuses_keys(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "{}",
        "{\"kty\":\"oct\"}",
        "{\"kty\":\"oct\",\"k\":\"\"}",
        "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"alg\":\"RS256\"}",
        "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"use\":\"enc\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"enc\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
        "{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":7,\"e\":\"AQAB\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
        /* not on the curve */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qY\"}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct jwt_key *key;
        struct error error = {0};
        json_t *jwk = json_parse(wrong[i], strlen(wrong[i]), NULL);
        assert_non_null(jwk);
        if (jwt_key_from_jwk(jwk, &key, &error) != STATUS_INVALID)
            fail_msg("accepted: %s", wrong[i]);
        assert_null(key);
        assert_true(*error.message != 0);
        json_decref(jwk);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_7515_token),    cmocka_unit_test(test_signing),
        cmocka_unit_test(test_refuses),           cmocka_unit_test(test_rfc_7515_rs256),
        cmocka_unit_test(test_rfc_7515_es256),    cmocka_unit_test(test_rfc_8037_eddsa),
        cmocka_unit_test(test_sign_with_any_key), cmocka_unit_test(test_no_confusion),
        cmocka_unit_test(test_refuses_keys),      cmocka_unit_test(test_longer_digests),
        cmocka_unit_test(test_set_of_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
