/* The HTTP client of a Convex deployment's export API: which requests the service makes, and what an answer
 * or a failure means. Sends one request a call; the host gives transport headers (connection, content-length,
 * accept-encoding). */
#ifndef MOCK_POWERSYNC_CONVEX_CLIENT_H
#define MOCK_POWERSYNC_CONVEX_CLIENT_H

#include <jansson.h>

#include "mock-powersync/replication/convex_settings.h"

struct convex_client {
    struct host *host;
    struct convex_address address;
    char *authorization;
    int64_t request_timeout; /* ns */
    bool strict_expiry;
};

struct convex_reply {
    json_t *body;                         /* an object, borrowed; NULL: the request failed */
    const struct source_failure *failure; /* then why */
};

/* One request under way. */
struct convex_call;

/* The settings have been checked; nothing is borrowed. */
void convex_client_open(struct convex_client *client, struct host *host,
                        const struct source_settings *settings);
void convex_client_close(struct convex_client *client); /* no call may be under way */

/* `done` is called once, later, with a reply that is only valid during the call. */
struct convex_call *convex_client_head(const struct convex_client *client,
                                       void (*done)(void *, const struct convex_reply *), void *context);
struct convex_call *convex_client_schemas(const struct convex_client *client,
                                          void (*done)(void *, const struct convex_reply *), void *context);
struct convex_call *convex_client_snapshot(const struct convex_client *client, int64_t snapshot,
                                           const char *table, const char *cursor,
                                           void (*done)(void *, const struct convex_reply *), void *context);
struct convex_call *convex_client_deltas(const struct convex_client *client, int64_t cursor,
                                         void (*done)(void *, const struct convex_reply *), void *context);
struct convex_call *convex_client_marker(const struct convex_client *client,
                                         void (*done)(void *, const struct convex_reply *), void *context);

/* Give up; `done` is not called. NULL is ignored. Not needed after `done`. */
void convex_call_cancel(struct convex_call *call);

/* A field that must be a timestamp: 0 or 19 digits, so that their texts compare like numbers. False when it
 * is not. */
bool convex_reply_timestamp(const json_t *body, const char *key, int64_t *timestamp);

#endif
