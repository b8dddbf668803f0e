/* Who is signed in at a plain Convex client: the package's AuthenticationManager, and the app that feeds it.
 *
 * The app calls setAuth when it starts and fetches tokens from its issuer (GET
 * /token?user=U&audience=convex). The socket is paused until the first token is there. A token is presented
 * with Authenticate and confirmed by the transition that has its identity version; after the first one a
 * fresh token is fetched at once, and then ten seconds before the newest runs out, by its own `exp` - `iat`.
 * A refused token closes the socket, which opens again with a fresh one; after two refusals of fresh tokens,
 * and when there is no other token to be had, the client goes on as nobody. The app signs in again after five
 * seconds if no token could be fetched, and not when tokens were refused. */
#ifndef SYNCLINE_CLIENT_REACTIVE_AUTH_H
#define SYNCLINE_CLIENT_REACTIVE_AUTH_H

#include <jansson.h>

#include "client/http_call.h"
#include "client/reactive_client.h"

enum reactive_auth_state {
    REACTIVE_NO_AUTH,
    REACTIVE_CACHED_TOKEN,    /* presented, not confirmed */
    REACTIVE_INITIAL_REFETCH, /* the first attempt gave no token */
    REACTIVE_FRESH_TOKEN,     /* presented, not confirmed */
    REACTIVE_REFETCH_LATER,   /* confirmed; a timer runs */
    REACTIVE_NOT_REFETCHING   /* confirmed; the fresh token was the same text, so no timer runs */
};

/* What a token is fetched for. */
enum reactive_fetch {
    REACTIVE_FETCH_FIRST,
    REACTIVE_FETCH_AGAIN,
    REACTIVE_FETCH_FRESH,
    REACTIVE_FETCH_REAUTH
};

struct reactive_auth {
    char *issuer, *user; /* NULL: nobody signs in */
    bool began;          /* the app has called setAuth since it started */
    enum reactive_auth_state state;
    char *token;       /* what is presented; NULL: none */
    unsigned attempts; /* fresh tokens that were refused, one after the other */
    struct http_call call;
    enum reactive_fetch fetch;
    uint64_t refresh; /* timer: 0 unless state is REACTIVE_REFETCH_LATER */
    uint64_t again;   /* timer: the app signs in again */
    char **versions;  /* who was presented on this socket: [n] is identity version n + 1; NULL: nobody */
    size_t n_versions, capacity;
    bool outstanding; /* presented when this socket was opened, not confirmed yet */
};

void reactive_auth_begin(struct reactive_client *client); /* the app calls setAuth; without user: nothing */
/* First words on a new socket: after Connect, before the queries. */
void reactive_auth_introduce(struct reactive_client *client);
/* The socket is no longer paused: present what came meanwhile. */
void reactive_auth_resume(struct reactive_client *client);
void reactive_auth_transition(struct reactive_client *client, uint32_t start, uint32_t end);
/* An AuthError. False: it breaks the protocol. */
bool reactive_auth_error(struct reactive_client *client, const json_t *message);
/* All that was begun is over, and the newest identity is the server's too. */
bool reactive_auth_settled(const struct reactive_client *client);
void reactive_auth_stop(struct reactive_client *client);   /* no fetch and no timer goes on */
void reactive_auth_forget(struct reactive_client *client); /* after a crash: the process's memory is gone */
void reactive_auth_free(struct reactive_auth *auth);

#endif
