/* Which streams one connection has, by default or because it asked, and which buckets that gives it now. The
 * config, the request and the token's claims must outlive it.
 */
#ifndef MOCK_POWERSYNC_SUBSCRIPTIONS_H
#define MOCK_POWERSYNC_SUBSCRIPTIONS_H

#include "mock-powersync/config/evaluate.h"
#include "mock-powersync/stream/sync_line.h"
#include "mock-powersync/stream/sync_request.h"

struct subscription {
    const struct sync_stream_definition *stream;
    size_t stream_index; /* into `streams` */
    struct sync_line_reason reason;
    int priority;     /* what the client wants; -1: as the config says */
    char *parameters; /* JSON text */
};

struct subscriptions {
    struct subscription *items; /* of a stream: what the client asked for first, the default last */
    size_t count;
    size_t capacity;
    struct sync_line_stream
        *streams; /* as the checkpoint line tells them; errors from the first evaluation */
    size_t n_streams;
    size_t streams_capacity;
    bool has_lookups; /* some buckets may come and go */
    char *claims;     /* as JSON text for expressions, and */
    char *connection; /* the parameters of the connection */
};

void subscriptions_make(struct subscriptions *subscriptions, const struct sync_config *config,
                        const struct sync_request *request, const json_t *claims);
void subscriptions_free(struct subscriptions *subscriptions);

/* Take from `subscriptions` what one of them gives: `lookups` may be NULL for those without. `number` is the
 * replication stream's. What cannot be evaluated gives less, and a reason (a constant, else NULL). */
const char *subscription_evaluate(const struct subscriptions *subscriptions, size_t index, int number,
                                  const struct lookup_source *lookups, struct arena *arena,
                                  struct request_bucket **buckets, size_t *count);
/* Remember for the checkpoint line what was wrong with a subscription. */
void subscription_add_error(struct subscriptions *subscriptions, size_t index, const char *message);

#endif
