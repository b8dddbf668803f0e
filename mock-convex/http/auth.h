/* Who is asking: the Authorization header (or the `adminKey` query key) against the deploy key and the auth
 * providers. */
#ifndef MOCK_CONVEX_AUTH_H
#define MOCK_CONVEX_AUTH_H

#include "mock-convex/deployment.h"
#include "mock-convex/http/auth_keys.h"
#include "mock-convex/http/reply.h"
#include "mock-convex/http/request.h"

#define CONVEX_AUTH_LEEWAY (5 * TIME_SECOND) /* by which a token's times may be missed */

enum convex_identity {
    CONVEX_NOBODY, /* no header */
    CONVEX_USER,   /* Bearer token of one of the providers */
    CONVEX_ADMIN,  /* the deploy key, or another key */
    CONVEX_ACTING  /* the deploy key, acting as a user */
};

struct convex_caller {
    enum convex_identity identity;
    bool read_only; /* may look and run queries, no more */
    bool no_view;   /* may not look at data */
    const struct convex_value
        *user;       /* see convex_user; borrowed until the next look at a header; NULL: nobody */
    int64_t expires; /* wall clock, ns, when a token's time is over; INT64_MAX: never */
};

struct convex_auth;

/* Copies the options that it needs: keys and providers. */
struct convex_auth *convex_auth_make(struct host *host, const struct convex_deployment_options *options);
void convex_auth_free(struct convex_auth *auth);

/* False: the reply says why (400 or 401, or what the provider answered). A deploy key matches with any
 * "type:" before its name, as in the backend. Never waits: keys that are not there are keys that could not be
 * had. */
bool convex_auth_identify(struct convex_auth *auth, const struct convex_request *request,
                          struct convex_caller *caller, struct convex_reply *reply);
/* The same for the text of an Authorization header. */
bool convex_auth_identify_header(struct convex_auth *auth, const char *header, struct convex_caller *caller,
                                 struct convex_reply *reply);
/* False: 403 OperationNotPermitted, the key is good for looking only. */
bool convex_auth_may_write(const struct convex_caller *caller, struct convex_reply *reply);
/* False: 403 BadDeployKey, the caller has no deploy key. */
bool convex_auth_is_admin(const struct convex_caller *caller, struct convex_reply *reply);
/* The same, and the key may look at data; else 403 OperationNotPermitted. */
bool convex_auth_may_view(const struct convex_caller *caller, struct convex_reply *reply);
/* Must this header (NULL: none) wait for the keys of its token's provider? True: `waiter` will be called when
 * it need wait no longer. */
bool convex_auth_wait(struct convex_auth *auth, const char *header, struct auth_waiter *waiter);

#endif
