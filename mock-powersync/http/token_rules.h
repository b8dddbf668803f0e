/* Which tokens are accepted: the rules of the real service, in its order. Pure: the keys must be there. */
#ifndef MOCK_POWERSYNC_TOKEN_RULES_H
#define MOCK_POWERSYNC_TOKEN_RULES_H

#include "base/jwt.h"
#include "mock-powersync/http/auth.h"
#include "mock-powersync/http/key_set.h"

/* The token of an Authorization header: "Token x" or "Bearer x", one space, case matters. NULL: there is
 * none. `header` may be NULL. */
const char *token_of_header(const char *header);

/* Is the algorithm one that tokens may have at all? */
bool token_check_algorithm(const struct jwt *jwt, struct http_error *error);

/* The key among these sets that a token is accepted under: the one of its kid, whatever comes of it; else the
 * first without an id whose signature is right. False with `error` set, or with error->status 0: no key fits.
 */
bool token_find_key(const struct jwt *jwt, const char *token, const struct key_set *const *sets,
                    size_t n_sets, const struct auth_key **key, struct http_error *error);

struct token_audiences {
    const char *const *names;
    size_t count;
};

/* Claims, times, audience, lifetime and parameters, in this order; `now` in seconds since the Unix epoch. */
bool token_check_claims(const json_t *claims, const struct auth_key *key,
                        const struct token_audiences *audiences, int64_t now, struct http_error *error);

/* The user of checked claims. Free with auth_user_free. */
void token_read_user(json_t *claims, struct auth_user *user);
void auth_user_free(struct auth_user *user);

#endif
