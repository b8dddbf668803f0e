/* The HTTP client of a Convex deployment's export API: which requests the service makes, and what an answer
 * or a failure means. Sends one request a call; the host gives transport headers (connection, content-length,
 * accept-encoding). */
#ifndef MOCK_POWERSYNC_CONVEX_SOURCE_H
#define MOCK_POWERSYNC_CONVEX_SOURCE_H

#include <jansson.h>

#include "base/buffer.h"
#include "kernel/host.h"

struct convex_source {
    struct host *host;
    const char *deployment; /* borrowed, as below */
    const char *deploy_key;
    int64_t request_timeout; /* ns */
};

struct convex_reply {
    json_t *body;        /* an object, borrowed; NULL: the request failed */
    int64_t retry_delay; /* ns that the real service waits after this failure */
    bool cursor_expired; /* the failure's words say so */
    const char *message; /* of the failure */
};

/* One request under way. */
struct convex_call;

/* `done` is called once, later, with a reply that is only valid during the call. */
struct convex_call *convex_source_head(const struct convex_source *source,
                                       void (*done)(void *, const struct convex_reply *), void *context);
struct convex_call *convex_source_schemas(const struct convex_source *source,
                                          void (*done)(void *, const struct convex_reply *), void *context);
struct convex_call *convex_source_snapshot(const struct convex_source *source, int64_t snapshot,
                                           const char *table, const char *cursor,
                                           void (*done)(void *, const struct convex_reply *), void *context);
struct convex_call *convex_source_deltas(const struct convex_source *source, int64_t cursor,
                                         void (*done)(void *, const struct convex_reply *), void *context);
struct convex_call *convex_source_marker(const struct convex_source *source,
                                         void (*done)(void *, const struct convex_reply *), void *context);

/* Give up; `done` is not called. NULL is ignored. Not needed after `done`. */
void convex_call_cancel(struct convex_call *call);

/* A field that must be a timestamp: 0 or 19 digits. False when it is not. */
bool convex_reply_timestamp(const json_t *body, const char *key, int64_t *timestamp);

#define CONVEX_DELAY_OTHER (20 * TIME_SECOND) /* after a failure that is not about a request */

#endif
