/* A plain Convex client: an app's process that talks to the deployment over the WebSocket sync protocol, as
 * BaseConvexClient of npm's `convex` 1.48 does. It keeps a set of subscribed queries, sends mutations and
 * actions, reconnects with the package's back-off and sends again what was not finished. Nothing survives the
 * process: after a crash it has a new session and no calls.
 *
 * It tells what it sees with NOTE_TRANSITION, what it calls with NOTE_CALL_STARTED and NOTE_CALL_ENDED, and
 * the state of its socket with NOTE_CONNECTION. A message that breaks the protocol is noted and the socket is
 * closed and opened again; after a FatalError the client is dead until its process starts again. */
#ifndef SYNCLINE_CLIENT_REACTIVE_CLIENT_H
#define SYNCLINE_CLIENT_REACTIVE_CLIENT_H

#include "kernel/host.h"

struct reactive_settings {
    const char *deployment; /* authority */
};

enum reactive_call_kind { REACTIVE_MUTATION, REACTIVE_ACTION };

struct reactive_client;

/* Copies the settings; the host must outlive it. */
struct reactive_client *reactive_client_create(struct host *host, const struct reactive_settings *settings);
void reactive_client_destroy(struct reactive_client *client);

/* Who signs in when the app starts, with tokens of the issuer (authority): see reactive_auth.h. Before the
 * first connect, once. */
void reactive_client_set_auth(struct reactive_client *client, const char *issuer, const char *user);
/* Token identifier ("issuer|subject") under which the newest transition of this socket was made; NULL:
 * nobody. Borrowed. */
const char *reactive_client_identity(const struct reactive_client *client);

void reactive_client_connect(struct reactive_client *client);    /* idempotent */
void reactive_client_disconnect(struct reactive_client *client); /* close; calls wait for the next connect */

/* Arguments are one JSON object in Convex's encoded form; both texts are copied. Subscribing twice to the
 * same query gives the same id. The app's subscriptions outlive a crash (it makes them again when it starts),
 * its calls do not. */
uint32_t reactive_client_subscribe(struct reactive_client *client, const char *path, const char *args);
void reactive_client_unsubscribe(struct reactive_client *client, uint32_t query); /* unknown: ignored */
/* Returns the request's number. `step`: the plan step's id for the history, or NULL. */
uint32_t reactive_client_call(struct reactive_client *client, enum reactive_call_kind kind, const char *path,
                              const char *args, const char *step);

/* What the client shows for a query now, encoded JSON; NULL: nothing yet, or an error. Borrowed. */
const char *reactive_client_value(const struct reactive_client *client, uint32_t query);
/* Newest timestamp that was applied on this socket, 0: none. */
uint64_t reactive_client_timestamp(const struct reactive_client *client);
const char *reactive_client_session(const struct reactive_client *client); /* a UUID */
bool reactive_client_dead(const struct reactive_client *client);           /* after a FatalError */
/* Connected, signed in as far as it will be, every call has ended and every query has an answer on this
 * socket (or the client is dead). */
bool reactive_client_settled(const struct reactive_client *client);

/* The process ends (net_crash_node must have been called for its node) and starts again. */
void reactive_client_crash(struct reactive_client *client);
void reactive_client_restart(struct reactive_client *client); /* connects if it was connected */

/* Back-off before retry number `retries` (from 0) after a close with this reason, before jitter: ns. `own`:
 * the client closed the socket itself. */
int64_t reactive_backoff(bool own, const char *reason, unsigned retries);

#endif
