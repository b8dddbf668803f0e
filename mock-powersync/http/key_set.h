/* A set of keys that tokens are verified with, and what each key asks of its tokens. */
#ifndef MOCK_POWERSYNC_KEY_SET_H
#define MOCK_POWERSYNC_KEY_SET_H

#include "base/jwt_key.h"

struct auth_key {
    struct jwt_key *key;
    bool supabase; /* its tokens are for "authenticated" and may live longer */
};

struct key_set {
    struct auth_key *keys;
    size_t count;
    size_t capacity;
};

/* Take the keys of {"keys":[...]} after those that are there. Public: from a JWKS URI, where only public keys
 * that may verify are taken and others passed over; else a key that cannot be read is refused.
 * STATUS_INVALID: not a key set, and nothing was taken. */
enum status key_set_add(struct key_set *set, const json_t *jwks, bool public, struct error *error);
/* The wildcard key of Supabase's secret. */
void key_set_add_supabase(struct key_set *set, const char *secret);
void key_set_clear(struct key_set *set);

#endif
