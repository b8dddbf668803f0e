#include "base/jwt_key.h"

#include <assert.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/memory.h"

enum { RSA_BITS_LEAST = 1024, RSA_BITS_MOST = 4096, COORDINATE = 32 };

struct jwt_key {
    enum jwt_algorithm algorithm;
    char *id;             /* NULL: none */
    struct buffer secret; /* HS256 */
    EVP_PKEY *pair;       /* the others */
};

static const struct {
    const char *name;
    enum jwt_algorithm algorithm;
} algorithms[] = {{"HS256", JWT_HS256}, {"RS256", JWT_RS256}, {"ES256", JWT_ES256}, {"EdDSA", JWT_EDDSA}};

enum jwt_algorithm jwt_algorithm_parse(const char *name) {
    for (size_t i = 0; name && i < sizeof algorithms / sizeof *algorithms; i++)
        if (!strcmp(name, algorithms[i].name))
            return algorithms[i].algorithm;
    return JWT_UNKNOWN;
}

const char *jwt_algorithm_name(enum jwt_algorithm algorithm) {
    assert(algorithm != JWT_UNKNOWN);
    return algorithms[algorithm - 1].name;
}

enum jwt_algorithm jwt_key_algorithm(const struct jwt_key *key) {
    return key->algorithm;
}

const char *jwt_key_id(const struct jwt_key *key) {
    return key->id;
}

void jwt_key_free(struct jwt_key *key) {
    if (!key)
        return;
    EVP_PKEY_free(key->pair);
    buffer_free(&key->secret);
    free(key->id);
    free(key);
}

/* --- from a JWK --- */

/* A member that holds base64url. Absent members leave `bytes` empty. */
static bool read_bytes(const json_t *jwk, const char *name, struct buffer *bytes) {
    const json_t *member = json_object_get(jwk, name);
    buffer_clear(bytes);
    return !member || (json_is_string(member) && json_string_length(member) <= 1024 &&
                       base64url_decode(bytes, json_string_value(member), json_string_length(member), NULL) ==
                           STATUS_OK);
}

static EVP_PKEY *make_pair(const char *type, OSSL_PARAM_BLD *builder, bool is_private) {
    EVP_PKEY *pair = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    if (!context || !parameters || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pair, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, parameters) !=
            1)
        pair = NULL;
    OSSL_PARAM_free(parameters);
    EVP_PKEY_CTX_free(context);
    return pair;
}

static EVP_PKEY *make_rsa(const json_t *jwk) {
    static const struct {
        const char *member, *parameter;
    } parts[] = {{"n", OSSL_PKEY_PARAM_RSA_N},          {"e", OSSL_PKEY_PARAM_RSA_E},
                 {"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                 {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                 {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
    enum { PARTS = sizeof parts / sizeof *parts };
    BIGNUM *numbers[PARTS] = {NULL};
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    struct buffer bytes = {0};
    bool good = true;
    for (size_t i = 0; i < PARTS && good; i++) {
        good = read_bytes(jwk, parts[i].member, &bytes) && (bytes.length > 0 || i >= 2);
        if (good && bytes.length > 0) {
            numbers[i] = BN_bin2bn((const unsigned char *)bytes.data, (int)bytes.length, NULL);
            OSSL_PARAM_BLD_push_BN(builder, parts[i].parameter, numbers[i]);
        }
    }
    good = good && BN_num_bits(numbers[0]) >= RSA_BITS_LEAST && BN_num_bits(numbers[0]) <= RSA_BITS_MOST &&
           BN_is_odd(numbers[0]) && BN_is_odd(numbers[1]) && BN_num_bits(numbers[1]) <= 64 &&
           !BN_is_one(numbers[1]);
    EVP_PKEY *pair = good ? make_pair("RSA", builder, numbers[2] != NULL) : NULL;
    for (size_t i = 0; i < PARTS; i++)
        BN_free(numbers[i]);
    OSSL_PARAM_BLD_free(builder);
    buffer_free(&bytes);
    return pair;
}

static EVP_PKEY *make_ec(const json_t *jwk) {
    const char *curve = json_text(jwk, "crv");
    struct buffer x = {0}, y = {0}, d = {0};
    EVP_PKEY *pair = NULL;
    if (curve && !strcmp(curve, "P-256") && read_bytes(jwk, "x", &x) && read_bytes(jwk, "y", &y) &&
        read_bytes(jwk, "d", &d) && x.length == COORDINATE && y.length == COORDINATE &&
        (d.length == 0 || d.length == COORDINATE)) {
        unsigned char point[1 + 2 * COORDINATE] = {POINT_CONVERSION_UNCOMPRESSED};
        memcpy(point + 1, x.data, COORDINATE);
        memcpy(point + 1 + COORDINATE, y.data, COORDINATE);
        BIGNUM *number = d.length > 0 ? BN_bin2bn((const unsigned char *)d.data, (int)d.length, NULL) : NULL;
        OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point);
        if (number)
            OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number);
        pair = make_pair("EC", builder, number != NULL); /* refuses a point that is not on the curve */
        OSSL_PARAM_BLD_free(builder);
        BN_free(number);
    }
    buffer_free(&x);
    buffer_free(&y);
    buffer_free(&d);
    return pair;
}

static EVP_PKEY *make_ed25519(const json_t *jwk) {
    const char *curve = json_text(jwk, "crv");
    struct buffer x = {0}, d = {0};
    EVP_PKEY *pair = NULL;
    if (curve && !strcmp(curve, "Ed25519") && read_bytes(jwk, "x", &x) && read_bytes(jwk, "d", &d) &&
        x.length == COORDINATE && (d.length == 0 || d.length == COORDINATE))
        pair = d.length > 0
                   ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, (unsigned char *)d.data, d.length)
                   : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (unsigned char *)x.data, x.length);
    buffer_free(&x);
    buffer_free(&d);
    return pair;
}

static bool fill(struct jwt_key *key, const json_t *jwk) {
    const char *type = json_text(jwk, "kty");
    if (type && !strcmp(type, "oct")) {
        key->algorithm = JWT_HS256;
        return read_bytes(jwk, "k", &key->secret) && key->secret.length > 0;
    }
    if (type && !strcmp(type, "RSA")) {
        key->algorithm = JWT_RS256;
        key->pair = make_rsa(jwk);
    } else if (type && !strcmp(type, "EC")) {
        key->algorithm = JWT_ES256;
        key->pair = make_ec(jwk);
    } else if (type && !strcmp(type, "OKP")) {
        key->algorithm = JWT_EDDSA;
        key->pair = make_ed25519(jwk);
    }
    return key->pair != NULL;
}

enum status jwt_key_from_jwk(const json_t *jwk, struct jwt_key **key, struct error *error) {
    const char *algorithm = json_text(jwk, "alg"), *use = json_text(jwk, "use"), *id = json_text(jwk, "kid");
    struct jwt_key *made = memory_allocate(sizeof *made);
    *key = NULL;
    if (!fill(made, jwk) || (use && strcmp(use, "sig") != 0) ||
        (algorithm && jwt_algorithm_parse(algorithm) != made->algorithm)) {
        jwt_key_free(made);
        return error_set(error, STATUS_INVALID, "the JWK is no key for HS256, RS256, ES256 or EdDSA");
    }
    made->id = id ? memory_copy_text(id) : NULL;
    *key = made;
    return STATUS_OK;
}

json_t *jwt_jwk_public(const json_t *jwk) {
    static const char *const secrets[] = {"d", "p", "q", "dp", "dq", "qi"};
    json_t *copy = json_copy((json_t *)(uintptr_t)jwk);
    assert(!json_object_get(jwk, "k"));
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        json_object_del(copy, secrets[i]);
    return copy;
}

/* --- signatures --- */

/* A JWT has the two numbers side by side; OpenSSL has them in DER. */
static size_t from_der(const unsigned char *der, size_t length, unsigned char signature[512]) {
    ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &der, (long)length);
    assert(numbers);
    BN_bn2binpad(ECDSA_SIG_get0_r(numbers), signature, COORDINATE);
    BN_bn2binpad(ECDSA_SIG_get0_s(numbers), signature + COORDINATE, COORDINATE);
    ECDSA_SIG_free(numbers);
    return (size_t)2 * COORDINATE;
}

/* 0: not two numbers. The caller frees `*der`. */
static size_t to_der(const unsigned char *signature, size_t length, unsigned char **der) {
    *der = NULL;
    if (length != (size_t)2 * COORDINATE)
        return 0;
    ECDSA_SIG *numbers = ECDSA_SIG_new();
    ECDSA_SIG_set0(numbers, BN_bin2bn(signature, COORDINATE, NULL),
                   BN_bin2bn(signature + COORDINATE, COORDINATE, NULL));
    int size = i2d_ECDSA_SIG(numbers, der);
    ECDSA_SIG_free(numbers);
    return size > 0 ? (size_t)size : 0;
}

static const EVP_MD *digest_of(const struct jwt_key *key) {
    return key->algorithm == JWT_EDDSA ? NULL : EVP_sha256(); /* Ed25519 hashes by itself */
}

size_t jwt_key_sign(const struct jwt_key *key, const void *bytes, size_t length,
                    unsigned char signature[512]) {
    if (key->algorithm == JWT_HS256) {
        digest_hmac_sha256(key->secret.data, key->secret.length, bytes, length, signature);
        return 32;
    }
    size_t size = 512;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int good = EVP_DigestSignInit(context, NULL, digest_of(key), NULL, key->pair) == 1 &&
               EVP_DigestSign(context, signature, &size, bytes, length) == 1;
    assert(good);
    (void)good;
    EVP_MD_CTX_free(context);
    if (key->algorithm == JWT_ES256) {
        unsigned char der[128];
        assert(size <= sizeof der);
        memcpy(der, signature, size);
        size = from_der(der, size, signature);
    }
    return size;
}

static bool verify_pair(const struct jwt_key *key, const void *bytes, size_t length,
                        const unsigned char *signature, size_t signature_length) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = EVP_DigestVerifyInit(context, NULL, digest_of(key), NULL, key->pair) == 1 &&
                EVP_DigestVerify(context, signature, signature_length, bytes, length) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

bool jwt_key_verify(const struct jwt_key *key, const void *bytes, size_t length,
                    const unsigned char *signature, size_t signature_length) {
    if (key->algorithm == JWT_HS256) {
        unsigned char expected[32];
        digest_hmac_sha256(key->secret.data, key->secret.length, bytes, length, expected);
        return signature_length == sizeof expected &&
               CRYPTO_memcmp(signature, expected, sizeof expected) == 0;
    }
    if (key->algorithm == JWT_ES256) {
        unsigned char *der;
        size_t size = to_der(signature, signature_length, &der);
        bool good = size > 0 && verify_pair(key, bytes, length, der, size);
        OPENSSL_free(der);
        return good;
    }
    return verify_pair(key, bytes, length, signature, signature_length);
}
