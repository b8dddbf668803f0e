/* Who is asking: the rules by which the service accepts a user's token. */
#ifndef MOCK_POWERSYNC_AUTH_H
#define MOCK_POWERSYNC_AUTH_H

#include <jansson.h>

#include "base/jwt_key.h"
#include "mock-powersync/config/row.h"
#include "mock-powersync/http/http_error.h"

struct auth_settings {
    const struct jwt_key *key;
    const char *audience; /* NULL: no token is accepted */
};

struct auth_user {
    json_t *claims;
    struct sql_value id; /* auth.user_id(); borrows from the claims */
    char *id_text;       /* part of write checkpoint keys */
    int64_t expires;     /* seconds since the Unix epoch */
};

/* `header` is the Authorization header's value or NULL; `now` the wall clock in seconds. False: `error` says
 * why. On success free with auth_user_free. */
bool auth_check(const struct auth_settings *settings, const char *header, int64_t now, struct auth_user *user,
                struct http_error *error);
void auth_user_free(struct auth_user *user);

#endif
