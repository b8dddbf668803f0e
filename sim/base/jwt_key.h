/* Keys that sign and verify JSON Web Tokens, read from JWKs (RFC 7517, 7518 section 6, 8037): symmetric (HS),
 * RSA with PKCS #1 (RS), P-256, P-384 and P-521 (ES256, ES384, ES512) and Ed25519 (EdDSA). A key with its
 * private part also verifies. */
#ifndef SYNCLINE_BASE_JWT_KEY_H
#define SYNCLINE_BASE_JWT_KEY_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

enum jwt_algorithm {
    JWT_UNKNOWN,
    JWT_HS256,
    JWT_HS384,
    JWT_HS512,
    JWT_RS256,
    JWT_RS384,
    JWT_RS512,
    JWT_ES256,
    JWT_ES384,
    JWT_ES512,
    JWT_EDDSA
};

/* JWT_UNKNOWN for NULL and any other name ("none" included). */
enum jwt_algorithm jwt_algorithm_parse(const char *name);
const char *jwt_algorithm_name(enum jwt_algorithm algorithm); /* not of JWT_UNKNOWN */

struct jwt_key;

/* STATUS_INVALID: the object is no key of these kinds, is a key for something else ("use", "alg"), or its
 * numbers are none. RSA: 1024 to 4096 bits. */
enum status jwt_key_from_jwk(const json_t *jwk, struct jwt_key **key, struct error *error);
void jwt_key_free(struct jwt_key *key);

/* What it signs with: its "alg"; without one the 256 bit algorithm of its kind, or the curve's. */
enum jwt_algorithm jwt_key_algorithm(const struct jwt_key *key);
/* May a token that says `algorithm` be verified with it? Only its "alg"; without one all of its kind. */
bool jwt_key_allows(const struct jwt_key *key, enum jwt_algorithm algorithm);
bool jwt_key_is_secret(const struct jwt_key *key); /* symmetric: who can verify can sign */
const char *jwt_key_id(const struct jwt_key *key); /* "kid", NULL: none */
/* {"keys":[{"kty":"oct","alg":"HS256","k":..,"kid":..}]} as text, with no kid when `id` is NULL: the key set
 * of a raw secret. The caller frees it. */
char *jwt_jwks_of_secret(const char *id, const char *secret);
/* The same JWK without its private members, for publishing. Not of a symmetric key. The caller owns it. */
json_t *jwt_jwk_public(const json_t *jwk);

/* --- for jwt.c --- */

/* Signs with jwt_key_algorithm. Signatures have at most 512 bytes. ES draws random numbers from OpenSSL: not
 * for simulated worlds. The others give the same signature every time. The key must have its private part. */
size_t jwt_key_sign(const struct jwt_key *key, const void *bytes, size_t length,
                    unsigned char signature[512]);
bool jwt_key_verify(const struct jwt_key *key, enum jwt_algorithm algorithm, const void *bytes, size_t length,
                    const unsigned char *signature, size_t signature_length);

#endif
