#include "base/jwt.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"

/* "header.claims", which is what gets signed. */
static void append_signed_part(struct buffer *token, enum jwt_algorithm algorithm, const char *kid,
                               const json_t *claims) {
    struct buffer json = {0};
    assert(json_is_object(claims));
    buffer_printf(&json, "{\"alg\":\"%s\",\"typ\":\"JWT\"", jwt_algorithm_name(algorithm));
    if (kid) {
        buffer_append_text(&json, ",\"kid\":");
        buffer_append_json_text(&json, kid);
    }
    buffer_append_char(&json, '}');
    base64url_append(token, json.data, json.length);
    buffer_append_char(token, '.');
    buffer_clear(&json);
    json_append(&json, claims);
    base64url_append(token, json.data, json.length);
    buffer_free(&json);
}

char *jwt_sign_hs256(const char *kid, const json_t *claims, const void *secret, size_t secret_length) {
    struct buffer token = {0};
    unsigned char signature[32];
    append_signed_part(&token, JWT_HS256, kid, claims);
    digest_hmac_sha256(secret, secret_length, token.data, token.length, signature);
    buffer_append_char(&token, '.');
    base64url_append(&token, signature, sizeof signature);
    return buffer_take(&token);
}

char *jwt_sign(const struct jwt_key *key, const json_t *claims) {
    struct buffer token = {0};
    unsigned char signature[512];
    append_signed_part(&token, jwt_key_algorithm(key), jwt_key_id(key), claims);
    size_t length = jwt_key_sign(key, token.data, token.length, signature);
    buffer_append_char(&token, '.');
    base64url_append(&token, signature, length);
    return buffer_take(&token);
}

/* One base64url part that must hold a JSON object. */
static enum status parse_part(json_t **object, const char *what, const char *text, size_t length,
                              struct error *error) {
    struct buffer bytes = {0};
    enum status status = base64url_decode(&bytes, text, length, error);
    if (status == STATUS_OK) {
        *object = json_parse(bytes.data, bytes.length, error);
        if (*object && !json_is_object(*object)) {
            json_decref(*object);
            *object = NULL;
            error_set(error, STATUS_INVALID, "not a JSON object");
        }
        status = *object ? STATUS_OK : STATUS_INVALID;
    }
    if (status != STATUS_OK)
        error_prefix(error, "JWT %s", what);
    buffer_free(&bytes);
    return status;
}

static enum status parse_signature(struct jwt *jwt, const char *text, struct error *error) {
    struct buffer bytes = {0};
    enum status status = base64url_decode(&bytes, text, strlen(text), error);
    if (status == STATUS_OK && bytes.length > sizeof jwt->signature)
        status = error_set(error, STATUS_INVALID, "longer than %zu bytes", sizeof jwt->signature);
    if (status != STATUS_OK) {
        error_prefix(error, "JWT signature");
    } else if (bytes.length > 0) {
        memcpy(jwt->signature, bytes.data, bytes.length);
        jwt->signature_length = bytes.length;
    }
    buffer_free(&bytes);
    return status;
}

enum status jwt_parse(struct jwt *jwt, const char *token, struct error *error) {
    memset(jwt, 0, sizeof *jwt);
    const char *first = strchr(token, '.');
    const char *second = first ? strchr(first + 1, '.') : NULL;
    if (!second || strchr(second + 1, '.'))
        return error_set(error, STATUS_INVALID, "a JWT has three parts between dots");
    jwt->signed_length = (size_t)(second - token);
    enum status status = parse_part(&jwt->header, "header", token, (size_t)(first - token), error);
    if (status == STATUS_OK)
        status = parse_part(&jwt->claims, "claims", first + 1, (size_t)(second - first - 1), error);
    if (status == STATUS_OK)
        status = parse_signature(jwt, second + 1, error);
    if (status != STATUS_OK)
        jwt_free(jwt);
    return status;
}

void jwt_free(struct jwt *jwt) {
    json_decref(jwt->header);
    json_decref(jwt->claims);
    memset(jwt, 0, sizeof *jwt);
}

bool jwt_verify_hs256(const struct jwt *jwt, const char *token, const void *secret, size_t secret_length) {
    assert(jwt->signed_length <= strlen(token));
    unsigned char expected[32];
    digest_hmac_sha256(secret, secret_length, token, jwt->signed_length, expected);
    return jwt->signature_length == sizeof expected &&
           CRYPTO_memcmp(jwt->signature, expected, sizeof expected) == 0;
}

bool jwt_verify(const struct jwt *jwt, const char *token, const struct jwt_key *key,
                enum jwt_algorithm algorithm) {
    assert(jwt->signed_length <= strlen(token));
    return algorithm != JWT_UNKNOWN && jwt_key_allows(key, algorithm) &&
           jwt_algorithm_parse(json_text(jwt->header, "alg")) == algorithm &&
           jwt_key_verify(key, algorithm, token, jwt->signed_length, jwt->signature, jwt->signature_length);
}
