/* A token issuer: an OIDC provider as far as those who verify tokens see it, and the app's token server. Who
 * a user is was proved elsewhere.
 *
 * GET /token?user=U answers {"token": JWT} for anybody who asks: for PowerSync, HS256 with the secret that
 * both share. GET /token?user=U&audience=A with another audience than PowerSync's: signed with the newest key
 * pair, "iss" its own address. GET /.well-known/openid-configuration and /.well-known/jwks.json tell who
 * verifies where the public keys are. */
#ifndef SYNCLINE_APP_ISSUER_H
#define SYNCLINE_APP_ISSUER_H

#include "kernel/host.h"

#define APP_ISSUER_AUDIENCE "convex" /* what apps ask for when they want a token for Convex */

struct app_issuer;

/* Listens at once. Its address is https://<name of the node> until told otherwise. */
struct app_issuer *app_issuer_create(struct host *host, const char *key_id, const char *secret,
                                     const char *audience, int64_t lifetime /* of a token, ns */);
void app_issuer_destroy(struct app_issuer *issuer);
void app_issuer_set_url(struct app_issuer *issuer, const char *url); /* without a slash at its end */
const char *app_issuer_url(const struct app_issuer *issuer);

/* A new key signs from now on; the one before stays published for `grace` ns (0: it goes at once). There are
 * three keys, taken in turns. */
void app_issuer_rotate(struct app_issuer *issuer, int64_t grace);

/* Tokens for PowerSync are signed with the newest key pair as well: who verifies them fetches the keys. */
void app_issuer_use_pairs(struct app_issuer *issuer);

/* The user of a valid token for PowerSync, for who belongs to the same house; NULL: it is none. `now` is the
 * asker's wall clock, ns. The caller frees it. */
char *app_issuer_verify(struct app_issuer *issuer, const char *token, int64_t now);

/* While it is mistaken, tokens for PowerSync are made out to its audience with a slash behind it, as a wrong
 * setting does; nobody may take them. */
void app_issuer_mistake_audience(struct app_issuer *issuer, bool mistaken);

/* From now on this part of the tokens for devices is not as it should be: expired, not valid yet, signed with
 * another key or with one that nobody knows, or stamped by a clock that is 55 s wrong, which must be borne.
 */
void app_issuer_spoil(struct app_issuer *issuer, int64_t per_million);

/* {"keys":[..]}: the public halves of the first `count` (at most 3) of its key pairs, for a service that has
 * them in its configuration. The caller frees the text. */
char *app_issuer_listed_keys(size_t count);

enum app_issuer_keys {
    APP_ISSUER_RIGHT_KEYS,
    APP_ISSUER_NO_KEYS,   /* an empty set */
    APP_ISSUER_WRONG_KEYS /* other keys under the same ids: no signature is right */
};
/* What jwks.json holds from now on. */
void app_issuer_publish(struct app_issuer *issuer, enum app_issuer_keys keys);

#endif
