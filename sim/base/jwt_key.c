#include "base/jwt_key.h"

#include <assert.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/memory.h"

enum { RSA_BITS_LEAST = 1024, RSA_BITS_MOST = 4096, ED25519_BYTES = 32, COORDINATE_MOST = 66 };

struct jwt_key {
    enum jwt_algorithm algorithm; /* what it signs with */
    bool fixed;                   /* good for nothing else */
    char *id;                     /* NULL: none */
    struct buffer secret;         /* HS */
    EVP_PKEY *pair;               /* the others */
};

static const struct {
    const char *name;
    const EVP_MD *(*digest)(void); /* NULL: the signature hashes by itself */
    size_t coordinate;             /* bytes of each of ECDSA's two numbers; 0: not ECDSA */
    char kind;
} algorithms[] = {[JWT_HS256] = {"HS256", EVP_sha256, 0, 'H'},  [JWT_HS384] = {"HS384", EVP_sha384, 0, 'H'},
                  [JWT_HS512] = {"HS512", EVP_sha512, 0, 'H'},  [JWT_RS256] = {"RS256", EVP_sha256, 0, 'R'},
                  [JWT_RS384] = {"RS384", EVP_sha384, 0, 'R'},  [JWT_RS512] = {"RS512", EVP_sha512, 0, 'R'},
                  [JWT_ES256] = {"ES256", EVP_sha256, 32, 'E'}, [JWT_ES384] = {"ES384", EVP_sha384, 48, 'E'},
                  [JWT_ES512] = {"ES512", EVP_sha512, 66, 'E'}, [JWT_EDDSA] = {"EdDSA", NULL, 0, 'O'}};
enum { ALGORITHMS = sizeof algorithms / sizeof *algorithms };

enum jwt_algorithm jwt_algorithm_parse(const char *name) {
    for (size_t i = 1; name && i < ALGORITHMS; i++)
        if (!strcmp(name, algorithms[i].name))
            return (enum jwt_algorithm)i;
    return JWT_UNKNOWN;
}

const char *jwt_algorithm_name(enum jwt_algorithm algorithm) {
    assert(algorithm != JWT_UNKNOWN);
    return algorithms[algorithm].name;
}

enum jwt_algorithm jwt_key_algorithm(const struct jwt_key *key) {
    return key->algorithm;
}

/* A curve has one algorithm only. */
bool jwt_key_allows(const struct jwt_key *key, enum jwt_algorithm algorithm) {
    return algorithm == key->algorithm ||
           (!key->fixed && !algorithms[key->algorithm].coordinate && algorithm != JWT_UNKNOWN &&
            algorithms[algorithm].kind == algorithms[key->algorithm].kind);
}

bool jwt_key_is_secret(const struct jwt_key *key) {
    return algorithms[key->algorithm].kind == 'H';
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

static const struct {
    const char *name, *group;
    enum jwt_algorithm algorithm;
} curves[] = {
    {"P-256", "prime256v1", JWT_ES256}, {"P-384", "secp384r1", JWT_ES384}, {"P-521", "secp521r1", JWT_ES512}};
enum { CURVES = sizeof curves / sizeof *curves };

static EVP_PKEY *make_point(const char *group, size_t size, const struct buffer *x, const struct buffer *y,
                            const struct buffer *d) {
    unsigned char point[1 + 2 * COORDINATE_MOST] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(point + 1, x->data, size);
    memcpy(point + 1 + size, y->data, size);
    BIGNUM *number = d->length > 0 ? BN_bin2bn((const unsigned char *)d->data, (int)d->length, NULL) : NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size);
    if (number)
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number);
    EVP_PKEY *pair = make_pair("EC", builder, number != NULL); /* refuses a point that is not on the curve */
    OSSL_PARAM_BLD_free(builder);
    BN_free(number);
    return pair;
}

static EVP_PKEY *make_ec(const json_t *jwk, enum jwt_algorithm *algorithm) {
    const char *curve = json_text(jwk, "crv");
    struct buffer x = {0}, y = {0}, d = {0};
    EVP_PKEY *pair = NULL;
    size_t i = 0;
    while (i < CURVES && (!curve || strcmp(curve, curves[i].name) != 0))
        i++;
    *algorithm = i < CURVES ? curves[i].algorithm : JWT_UNKNOWN;
    size_t size = algorithms[*algorithm].coordinate;
    if (i < CURVES && read_bytes(jwk, "x", &x) && read_bytes(jwk, "y", &y) && read_bytes(jwk, "d", &d) &&
        x.length == size && y.length == size && (d.length == 0 || d.length == size))
        pair = make_point(curves[i].group, size, &x, &y, &d);
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
        x.length == ED25519_BYTES && (d.length == 0 || d.length == ED25519_BYTES))
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
        key->pair = make_ec(jwk, &key->algorithm);
    } else if (type && !strcmp(type, "OKP")) {
        key->algorithm = JWT_EDDSA;
        key->pair = make_ed25519(jwk);
    }
    return key->pair != NULL;
}

/* Make it good for what its "alg" says only. */
static bool fix(struct jwt_key *key, const char *name) {
    enum jwt_algorithm algorithm = jwt_algorithm_parse(name);
    if (!name)
        return true;
    if (!jwt_key_allows(key, algorithm))
        return false;
    key->algorithm = algorithm;
    key->fixed = true;
    return true;
}

enum status jwt_key_from_jwk(const json_t *jwk, struct jwt_key **key, struct error *error) {
    const char *use = json_text(jwk, "use"), *id = json_text(jwk, "kid");
    struct jwt_key *made = memory_allocate(sizeof *made);
    *key = NULL;
    if (!fill(made, jwk) || (use && strcmp(use, "sig") != 0) || !fix(made, json_text(jwk, "alg"))) {
        jwt_key_free(made);
        return error_set(error, STATUS_INVALID, "the JWK is no key for HS, RS, ES or EdDSA");
    }
    made->id = id ? memory_copy_text(id) : NULL;
    *key = made;
    return STATUS_OK;
}

char *jwt_jwks_of_secret(const char *id, const char *secret) {
    struct buffer text = {0};
    buffer_append_text(&text, "{\"keys\":[{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"");
    base64url_append(&text, secret, strlen(secret));
    buffer_append_char(&text, '"');
    if (id) {
        buffer_append_text(&text, ",\"kid\":");
        buffer_append_json_text(&text, id);
    }
    buffer_append_text(&text, "}]}");
    return buffer_take(&text);
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
static size_t from_der(const unsigned char *der, size_t length, size_t coordinate,
                       unsigned char signature[512]) {
    ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &der, (long)length);
    assert(numbers);
    BN_bn2binpad(ECDSA_SIG_get0_r(numbers), signature, (int)coordinate);
    BN_bn2binpad(ECDSA_SIG_get0_s(numbers), signature + coordinate, (int)coordinate);
    ECDSA_SIG_free(numbers);
    return 2 * coordinate;
}

/* 0: not two numbers. The caller frees `*der`. */
static size_t to_der(const unsigned char *signature, size_t length, size_t coordinate, unsigned char **der) {
    *der = NULL;
    if (length != 2 * coordinate)
        return 0;
    ECDSA_SIG *numbers = ECDSA_SIG_new();
    ECDSA_SIG_set0(numbers, BN_bin2bn(signature, (int)coordinate, NULL),
                   BN_bin2bn(signature + coordinate, (int)coordinate, NULL));
    int size = i2d_ECDSA_SIG(numbers, der);
    ECDSA_SIG_free(numbers);
    return size > 0 ? (size_t)size : 0;
}

static const EVP_MD *digest_of(enum jwt_algorithm algorithm) {
    return algorithms[algorithm].digest ? algorithms[algorithm].digest() : NULL;
}

static size_t sign_secret(const struct jwt_key *key, enum jwt_algorithm algorithm, const void *bytes,
                          size_t length, unsigned char signature[512]) {
    unsigned int written = 0;
    unsigned char *result = HMAC(digest_of(algorithm), key->secret.data, (int)key->secret.length, bytes,
                                 length, signature, &written);
    assert(result);
    (void)result;
    return written;
}

size_t jwt_key_sign(const struct jwt_key *key, const void *bytes, size_t length,
                    unsigned char signature[512]) {
    if (jwt_key_is_secret(key))
        return sign_secret(key, key->algorithm, bytes, length, signature);
    size_t size = 512, coordinate = algorithms[key->algorithm].coordinate;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int good = EVP_DigestSignInit(context, NULL, digest_of(key->algorithm), NULL, key->pair) == 1 &&
               EVP_DigestSign(context, signature, &size, bytes, length) == 1;
    assert(good);
    (void)good;
    EVP_MD_CTX_free(context);
    if (coordinate) {
        unsigned char der[2 * COORDINATE_MOST + 16];
        assert(size <= sizeof der);
        memcpy(der, signature, size);
        size = from_der(der, size, coordinate, signature);
    }
    return size;
}

static bool verify_pair(const struct jwt_key *key, enum jwt_algorithm algorithm, const void *bytes,
                        size_t length, const unsigned char *signature, size_t signature_length) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = EVP_DigestVerifyInit(context, NULL, digest_of(algorithm), NULL, key->pair) == 1 &&
                EVP_DigestVerify(context, signature, signature_length, bytes, length) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

bool jwt_key_verify(const struct jwt_key *key, enum jwt_algorithm algorithm, const void *bytes, size_t length,
                    const unsigned char *signature, size_t signature_length) {
    assert(jwt_key_allows(key, algorithm));
    size_t coordinate = algorithms[algorithm].coordinate;
    if (jwt_key_is_secret(key)) {
        unsigned char expected[512];
        return sign_secret(key, algorithm, bytes, length, expected) == signature_length &&
               CRYPTO_memcmp(signature, expected, signature_length) == 0;
    }
    if (coordinate) {
        unsigned char *der;
        size_t size = to_der(signature, signature_length, coordinate, &der);
        bool good = size > 0 && verify_pair(key, algorithm, bytes, length, der, size);
        OPENSSL_free(der);
        return good;
    }
    return verify_pair(key, algorithm, bytes, length, signature, signature_length);
}
