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

/* Pages (of the head, snapshots, deltas) come as text, of which only its shape has been looked at; the rest
 * as JSON. Either way it is an object. Borrowed. */
struct convex_reply {
    const struct source_failure *failure; /* NULL: the request succeeded */
    json_t *body;
    const char *text;
    size_t length;
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

#endif
