#include "mock-powersync/http/key_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static void add(struct key_set *set, struct jwt_key *key, bool supabase) {
    MEMORY_RESERVE(set->keys, set->capacity, set->count + 1);
    set->keys[set->count++] = (struct auth_key){key, supabase};
}

/* A list of "key_ops" must have "verify" in it. */
static bool may_verify(const json_t *jwk) {
    const json_t *operations = json_object_get(jwk, "key_ops");
    bool found = !json_is_array(operations);
    for (size_t i = 0; !found && i < json_array_size(operations); i++) {
        const char *name = json_string_value(json_array_get(operations, i));
        found = name && strcmp(name, "verify") == 0;
    }
    return found;
}

static enum status add_jwk(struct key_set *set, const json_t *jwk, bool public, struct error *error) {
    struct jwt_key *key;
    enum status status = jwt_key_from_jwk(jwk, &key, error);
    if (status)
        return public ? STATUS_OK : status;
    if (public && (jwt_key_is_secret(key) || !may_verify(jwk)))
        jwt_key_free(key);
    else
        add(set, key, false);
    return STATUS_OK;
}

enum status key_set_add(struct key_set *set, const json_t *jwks, bool public, struct error *error) {
    const json_t *list = json_object_get(jwks, "keys");
    size_t before = set->count;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < json_array_size(list) && !status; i++)
        if (!json_is_object(json_array_get(list, i)))
            status = error_set(error, STATUS_INVALID, "a key of the set is not an object");
    if (!json_is_array(list))
        status = error_set(error, STATUS_INVALID, "a key set has a list \"keys\"");
    for (size_t i = 0; i < json_array_size(list) && !status; i++)
        status = add_jwk(set, json_array_get(list, i), public, error);
    while (status && set->count > before)
        jwt_key_free(set->keys[--set->count].key);
    return status;
}

void key_set_add_supabase(struct key_set *set, const char *secret) {
    char *text = jwt_jwks_of_secret(NULL, secret);
    json_t *jwks = json_parse(text, strlen(text), NULL);
    struct jwt_key *key;
    if (jwt_key_from_jwk(json_array_get(json_object_get(jwks, "keys"), 0), &key, NULL) == STATUS_OK)
        add(set, key, true);
    json_decref(jwks);
    free(text);
}

void key_set_clear(struct key_set *set) {
    for (size_t i = 0; i < set->count; i++)
        jwt_key_free(set->keys[i].key);
    free(set->keys);
    *set = (struct key_set){0};
}
