#include "mock-convex/auth.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/jwt.h"
#include "base/memory.h"

/* "prod:name|secret" -> "name|secret". The word before the name only says what kind of key it is; any word
 * will do. */
static const char *without_type(const char *key) {
    const char *bar = strchr(key, '|');
    const char *start = key;
    for (const char *at = key; bar != NULL && at < bar && *at != ' '; at++) {
        if (*at == ':') {
            start = at + 1;
        }
    }
    return start;
}

/* The part after "key:" is base64 of a JSON object that describes the user. */
static bool is_user_description(const char *text) {
    struct buffer bytes = {0};
    json_t *json = NULL;
    if (base64_decode(&bytes, text, strlen(text), NULL) == STATUS_OK) {
        json = json_parse(buffer_text(&bytes), bytes.length, NULL);
    }
    bool is_object = json_is_object(json);
    json_decref(json);
    buffer_free(&bytes);
    return is_object;
}

static bool identify_key(const char *key, const char *deploy_key, enum convex_identity *identity,
                         struct convex_reply *reply) {
    const char *given = without_type(key), *expected = without_type(deploy_key);
    size_t length = strlen(expected);
    *identity = CONVEX_ADMIN;
    if (strcmp(given, expected) == 0) {
        return true;
    }
    if (strncmp(given, expected, length) == 0 && given[length] == ':') {
        *identity = CONVEX_ACTING;
        return is_user_description(given + length + 1) ||
               convex_reply_error(reply, 400, "HeaderParseFailure",
                                  "The Authorization header does not describe a user to act as.");
    }
    return convex_reply_error(reply, 401, "BadAdminKey", "The deploy key is not valid for this deployment.");
}

static bool identify_token(const char *token, enum convex_identity *identity, struct convex_reply *reply) {
    struct jwt jwt = {0};
    *identity = CONVEX_USER;
    if (jwt_parse(&jwt, token, NULL) != STATUS_OK) {
        return convex_reply_error(reply, 401, "InvalidAuthHeader",
                                  "The bearer token is not a JSON Web Token.");
    }
    jwt_free(&jwt);
    return true;
}

static bool is_ascii(const char *text) {
    for (; *text != 0; text++) {
        if ((unsigned char)*text >= 0x80) {
            return false;
        }
    }
    return true;
}

bool convex_auth_identify(const struct convex_request *request, const char *deploy_key,
                          enum convex_identity *identity, struct convex_reply *reply) {
    assert(deploy_key != NULL);
    const char *header = convex_request_header(request, "authorization");
    *identity = CONVEX_NOBODY;
    if (header == NULL) {
        const char *key = convex_query_get(&request->query, "adminKey");
        return key == NULL || identify_key(key, deploy_key, identity, reply);
    }
    if (!is_ascii(header)) {
        return convex_reply_error(reply, 400, "HeaderParseFailure",
                                  "The Authorization header is not ASCII text.");
    }
    if (strlen(header) < 7) {
        return convex_reply_error(reply, 400, "InvalidHeaderFailure",
                                  "The Authorization header is too short.");
    }
    if (strncasecmp(header, "convex ", 7) == 0) {
        return identify_key(header + 7, deploy_key, identity, reply);
    }
    if (strncasecmp(header, "bearer ", 7) == 0) {
        return identify_token(header + 7, identity, reply);
    }
    return convex_reply_error(reply, 400, "InvalidAdminKey",
                              "The Authorization header has an unknown scheme.");
}
