#include "mock-convex/http/identity.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "mock-convex/value/value_check.h"

static bool is_one_of(const char *name, const char *const *names) {
    while (*names != NULL && strcmp(*names, name) != 0) {
        names++;
    }
    return *names != NULL;
}

/* Sets a field when it can be one. */
static void set(struct convex_value *user, const char *name, const json_t *json) {
    struct convex_value *value, *probe = convex_object();
    if (convex_from_json(json, &value, NULL) == STATUS_OK) {
        convex_object_set(probe, name, value);
        if (convex_value_check(probe, CONVEX_NESTING_MAX, NULL) == STATUS_OK) {
            convex_object_set(user, name, convex_copy(value));
        }
    }
    convex_free(probe);
}

static void set_identifier(struct convex_value *user, const char *issuer, const char *subject) {
    char *identifier = memory_format("%s|%s", issuer, subject);
    convex_object_set(user, "tokenIdentifier", convex_string(identifier));
    free(identifier);
}

static struct convex_value *copy_fields(const json_t *json, const char *const *but) {
    struct convex_value *user = convex_object();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, name, value) {
        if (!is_one_of(name, but)) {
            set(user, name, value);
        }
    }
    return user;
}

struct convex_value *convex_identity_of_claims(const json_t *claims) {
    static const char *const token_only[] = {"iss", "sub", "aud", "exp", "iat", "nbf", NULL};
    const char *issuer = json_text(claims, "iss"), *subject = json_text(claims, "sub");
    assert(issuer != NULL && subject != NULL);
    struct convex_value *user = copy_fields(claims, token_only);
    convex_object_set(user, "issuer", convex_string(issuer));
    convex_object_set(user, "subject", convex_string(subject));
    set_identifier(user, issuer, subject);
    return user;
}

struct convex_value *convex_identity_of_description(const json_t *description) {
    static const char *const none[] = {NULL};
    struct convex_value *user = copy_fields(description, none);
    const char *issuer = convex_object_text(user, "issuer"), *subject = convex_object_text(user, "subject");
    if (convex_object_text(user, "tokenIdentifier") == NULL && issuer != NULL && subject != NULL) {
        set_identifier(user, issuer, subject);
    }
    return user;
}
