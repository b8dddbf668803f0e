/* Who is asking: checks users' tokens against the keys of the configuration and of its JWKS URIs, which it
 * fetches when needed. One of these belongs to a process: its cache dies with it. */
#ifndef MOCK_POWERSYNC_AUTH_H
#define MOCK_POWERSYNC_AUTH_H

#include <jansson.h>

#include "mock-powersync/config/row.h"
#include "mock-powersync/http/http_error.h"
#include "mock-powersync/service.h"

struct auth_user {
    json_t *claims;
    struct sql_value id; /* auth.user_id(); borrows from the claims */
    char *id_text;       /* part of write checkpoint keys */
    int64_t expires;     /* seconds since the Unix epoch */
};

struct auth;

/* STATUS_INVALID: the key set or an address is wrong. The options must outlive it. */
enum status auth_create(struct host *host, const struct powersync_auth_options *options, struct auth **auth,
                        struct error *error);
void auth_destroy(struct auth *auth); /* no call is under way any more */

/* A check that waits for keys. */
struct auth_call;

/* Check the Authorization header's value (or NULL, or a RSocket SETUP's token). `done` is called once: inside
 * this call when the keys are there, else later; either with a user, borrowed for the call, or with an error.
 * `*waiting` is the check while it waits, for auth_call_cancel, and NULL again before `done`. */
void auth_check(struct auth *auth, const char *authorization, struct auth_call **waiting,
                void (*done)(void *context, const struct auth_user *user, const struct http_error *error),
                void *context);
void auth_call_cancel(struct auth_call *call); /* `done` is not called; NULL is ignored */

#endif
