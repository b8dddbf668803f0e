#include "scenario/stage_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "app/issuer.h"
#include "app/issuer_keys.h"
#include "base/json.h"
#include "base/jwt.h"
#include "scenario/stage_private.h"

enum { TOLERANCE = 60 /* s, of clocks; both ends included */ };

const char stage_token_key_id[] = "syncline";
const char stage_token_secret[] = "a secret that only this world knows";
const char stage_token_audience[] = "powersync";

static bool has_key_pairs(const struct stage *stage) {
    return stage->scenario->token_keys != TOKEN_KEYS_SHARED;
}

/* Mutant one-listed-key: whoever wrote the configuration listed the key that signed then, and no other. */
void stage_tokens_open(struct stage *stage) {
    char *keys = NULL;
    if (stage->scenario->token_keys == TOKEN_KEYS_SHARED)
        keys = jwt_jwks_of_secret(stage_token_key_id, stage_token_secret);
    else if (stage->scenario->token_keys == TOKEN_KEYS_LISTED)
        keys = app_issuer_listed_keys(world_mutant(stage->world, "one-listed-key") ? 1 : APP_ISSUER_KEYS);
    stage->token_keys = keys ? arena_copy_text(&stage->arena, keys) : NULL;
    free(keys);
}

struct powersync_auth_options stage_tokens_rules(const struct stage *stage) {
    static const char *const audiences[] = {stage_token_audience};
    static const char *const addresses[] = {"http://issuer/.well-known/jwks.json"};
    const bool fetches = stage->scenario->token_keys == TOKEN_KEYS_PUBLISHED;
    return (struct powersync_auth_options){.jwks = stage->token_keys,
                                           .jwks_uris = fetches ? addresses : NULL,
                                           .n_jwks_uris = fetches ? 1 : 0,
                                           .audiences = audiences,
                                           .n_audiences = 1};
}

static bool is_signed(const struct stage *stage, const struct jwt *jwt, const char *token) {
    const char *key = json_text(jwt->header, "kid");
    return has_key_pairs(stage) ||
           (key && !strcmp(key, stage_token_key_id) &&
            jwt_verify_hs256(jwt, token, stage_token_secret, strlen(stage_token_secret)));
}

static const char *refuse(const struct stage *stage, const struct jwt *jwt, const char *token, int64_t now) {
    const char *audience = json_text(jwt->claims, "aud");
    const json_t *from = json_object_get(jwt->claims, "nbf");
    if (!is_signed(stage, jwt, token))
        return "signed with a key that it does not know";
    if (!audience || strcmp(audience, stage_token_audience) != 0)
        return "for another audience";
    if (json_integer_value(json_object_get(jwt->claims, "exp")) < now - TOLERANCE)
        return "expired";
    return from && json_integer_value(from) > now + TOLERANCE ? "not valid yet" : NULL;
}

const char *stage_tokens_refuse(void *context, const char *service, const char *token) {
    const struct stage *stage = context;
    struct jwt jwt = {0};
    if (jwt_parse(&jwt, token, NULL) != STATUS_OK)
        return "no token";
    const char *why = refuse(stage, &jwt, token, world_wall_clock(stage->world, service) / TIME_SECOND);
    jwt_free(&jwt);
    return why;
}
