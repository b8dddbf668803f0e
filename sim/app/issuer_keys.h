/* The key pairs of the mock issuer, as JWKs with their private parts: for tests and simulations only, they
 * are no secret. RSA and Ed25519, because those sign the same every time. */
#ifndef SYNCLINE_APP_ISSUER_KEYS_H
#define SYNCLINE_APP_ISSUER_KEYS_H

enum { APP_ISSUER_KEYS = 3 };
extern const char *const app_issuer_keys[APP_ISSUER_KEYS]; /* "rsa-1", "ed-1", "rsa-2" */

#endif
