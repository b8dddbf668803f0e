/* Who is asking: the Authorization header (or the `adminKey` query key) against the deploy key. */
#ifndef MOCK_CONVEX_AUTH_H
#define MOCK_CONVEX_AUTH_H

#include "mock-convex/reply.h"
#include "mock-convex/request.h"

enum convex_identity {
    CONVEX_NOBODY, /* no header */
    CONVEX_USER,   /* Bearer token. Only its form is checked: this deployment has no auth providers */
    CONVEX_ADMIN,  /* the deploy key */
    CONVEX_ACTING  /* the deploy key, acting as a user */
};

/* False: the reply says why (400 or 401). A deploy key matches with any "type:" before its name, as in the
 * backend. */
bool convex_auth_identify(const struct convex_request *request, const char *deploy_key,
                          enum convex_identity *identity, struct convex_reply *reply);

#endif
