/* The public keys of one auth provider: asked for over the network, kept for a while, asked for again when a
 * token names a key that is not there. Who needs them before they came leaves a waiter.
 *
 * Kept for 5 minutes; an unknown key id asks again at most every 10 s; an answer that has not come after 10 s
 * counts as a failure. A failure is never kept: the next who needs the keys asks again. */
#ifndef MOCK_CONVEX_AUTH_KEYS_H
#define MOCK_CONVEX_AUTH_KEYS_H

#include "base/jwt.h"
#include "kernel/host.h"

#define AUTH_KEYS_LIFETIME (300 * TIME_SECOND)
#define AUTH_KEYS_PAUSE (10 * TIME_SECOND)   /* between two requests for the sake of an unknown key id */
#define AUTH_KEYS_TIMEOUT (10 * TIME_SECOND) /* of discovery and key set together */
#define AUTH_KEYS_MOST 64                    /* of one set; the rest is not looked at */
#define AUTH_KEYS_BODY_MOST ((size_t)1 << 20)

/* Embedded in whatever waits. `ready` is called once, when the keys came or could not be had. */
struct auth_waiter {
    void (*ready)(void *context);
    void *context;
    struct auth_waiter *next, **link; /* `link` NULL: does not wait */
};

struct auth_keys;

/* Either by OIDC discovery below `issuer` (no slash at its end), or, for a custom provider, the set at
 * `jwks`; the other one is NULL. http:, https: and, `jwks` only, data: URLs. A custom provider's keys must
 * all have "kid" and "alg", and its answer a JSON content type. */
struct auth_keys *auth_keys_make(struct host *host, const char *issuer, const char *jwks);
void auth_keys_free(struct auth_keys *keys); /* waiters are dropped, not called */

/* Must the keys be asked for before a token with this key id (NULL: none) can be judged? */
bool auth_keys_wanting(const struct auth_keys *keys, const char *kid);
/* Ask for them, or join those who wait already. */
void auth_keys_wait(struct auth_keys *keys, struct auth_waiter *waiter);
void auth_waiter_cancel(struct auth_waiter *waiter);

/* Why there are no keys: the HTTP status of the answer, 400 when that says nothing, 0: there are some. */
int auth_keys_failure(const struct auth_keys *keys);
/* Counts the sets that came: what was verified by an older one counts no more. */
uint64_t auth_keys_generation(const struct auth_keys *keys);
/* Is the signature that of one of the keys? A token with a key id is held against that key only. */
bool auth_keys_verify(const struct auth_keys *keys, const struct jwt *jwt, const char *token,
                      enum jwt_algorithm algorithm);

#endif
