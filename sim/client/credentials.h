/* The token of a client: fetched from the app's issuer (GET /token?user=...), kept until somebody invalidates
 * it. An app with a configuration asks for that first (GET /api/powersync/config?user=...): it says where the
 * service is and whose session this is, and a token of anybody else is not used. Each caller that finds
 * nothing kept fetches for itself, as the JS SDK does. */
#ifndef SYNCLINE_CLIENT_CREDENTIALS_H
#define SYNCLINE_CLIENT_CREDENTIALS_H

#include "client/http_call.h"

struct credentials {
    struct host *host;
    const char *issuer; /* borrowed */
    const char *config; /* borrowed; NULL: there is no configuration */
    const char *user;   /* borrowed; NULL: nobody is signed in */
    bool expired;       /* the app's session is over: no new token */
    char *token;        /* NULL: none */
    char *endpoint;     /* authority of the service; NULL: nobody said */
    char *config_user;  /* whose session it is, as the configuration says; NULL: nobody said */
};

/* One caller's wait. Zeroed: idle. */
struct credentials_wait {
    struct http_call call;
    struct credentials *credentials;
    char *endpoint, *user;                          /* of the configuration that came with it */
    bool keep;                                      /* what arrives is kept for everybody */
    void (*done)(void *context, const char *token); /* NULL: none to be had */
    void *context;
};

/* `done` may run before this returns: when a token is kept, or when the app has none to give. */
void credentials_get(struct credentials *credentials, struct credentials_wait *wait,
                     void (*done)(void *context, const char *token), void *context);
/* Fetch without keeping the result: the SDKs do that when a token is about to expire, and the restart of the
 * stream fetches once more. Never calls `done` before it returns, and not at all when the app has none to
 * give. */
void credentials_prefetch(struct credentials *credentials, struct credentials_wait *wait,
                          void (*done)(void *context, const char *token), void *context);
void credentials_cancel(struct credentials_wait *wait); /* an idle wait is ignored */
void credentials_forget(struct credentials_wait *wait); /* after a crash */
bool credentials_waiting(const struct credentials_wait *wait);

void credentials_refused(struct credentials *credentials);    /* a service answered 401 */
void credentials_invalidate(struct credentials *credentials); /* the token goes */
void credentials_forget_all(struct credentials *credentials); /* the process ends */
/* Whose session it is: what the configuration said last, or who is signed in. */
const char *credentials_user(const struct credentials *credentials);

#endif
