/* JSON Web Tokens in compact form. Making tokens lives here because the mock issuer and tests need it; the
 * rules of who accepts which token live with the parties (mock-powersync/auth, mock-convex/http/auth). */
#ifndef SYNCLINE_BASE_JWT_H
#define SYNCLINE_BASE_JWT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/jwt_key.h"

/* HS256 over header {"alg":"HS256","typ":"JWT","kid":kid} (no kid when NULL) and `claims`. The caller frees
 * the text. */
char *jwt_sign_hs256(const char *kid, const json_t *claims, const void *secret, size_t secret_length);

struct jwt {
    json_t *header; /* object */
    json_t *claims; /* object */
    unsigned char signature[512];
    size_t signature_length;
    size_t signed_length; /* bytes of the token text that the signature covers */
};

/* Split and decode; verifies nothing. STATUS_INVALID when it is not a three-part JWS of JSON objects. */
enum status jwt_parse(struct jwt *jwt, const char *token, struct error *error);
void jwt_free(struct jwt *jwt);
/* True when the HMAC-SHA256 of the signed part under `secret` is the signature (constant time). */
bool jwt_verify_hs256(const struct jwt *jwt, const char *token, const void *secret, size_t secret_length);

/* The same for any key. The header says {"alg":..,"typ":"JWT","kid":..} of the key, which must have its
 * private part. ES is different every time: not for simulated worlds. */
char *jwt_sign(const struct jwt_key *key, const json_t *claims);
/* True when the token says `algorithm`, the key is one for it, and the signature is the key's. What the token
 * says of itself never decides how it is verified. */
bool jwt_verify(const struct jwt *jwt, const char *token, const struct jwt_key *key,
                enum jwt_algorithm algorithm);

#endif
