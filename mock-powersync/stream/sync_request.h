/* The body of POST /sync/stream: checked against the protocol's schema before anything else is looked at. */
#ifndef MOCK_POWERSYNC_SYNC_REQUEST_H
#define MOCK_POWERSYNC_SYNC_REQUEST_H

#include <jansson.h>

#include "base/map.h"
#include "mock-powersync/http/http_error.h"

struct sync_request {
    json_t *body;                /* owned */
    const json_t *subscriptions; /* array, or NULL */
    const char *client_id;       /* or NULL */
    bool include_defaults;
    bool raw_data;
};

/* False with 400 PSYNC_S2001 when the body does not fit the schema. Takes `body` either way. On success free
 * with sync_request_free. */
bool sync_request_read(struct sync_request *sync, json_t *body, struct http_error *error);
void sync_request_free(struct sync_request *sync);

/* The client's position in a bucket, 0 when it names none; the last entry of a name counts. False: not a
 * number. */
bool sync_request_positions(const struct sync_request *sync, struct map *positions, struct http_error *error);

#endif
