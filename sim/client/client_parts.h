/* The inside of a client, shared by client.c and the SDK's loops. The loops hold state in memory only: a
 * crash drops it, the engine's database stays. */
#ifndef SYNCLINE_CLIENT_CLIENT_PARTS_H
#define SYNCLINE_CLIENT_CLIENT_PARTS_H

#include "client/credentials.h"
#include "client/engine.h"

struct client {
    struct host *host;
    char *user, *service, *backend, *issuer;
    const struct upload_path *upload;
    size_t upload_batch;
    int64_t upload_throttle; /* ns */
    int64_t retry_delay;     /* ns */

    struct engine *engine;
    struct credentials credentials;
    struct sdk_stream *stream;
    struct sdk_upload *uploads;

    bool wants_connection; /* the app called connect */
    bool crashed;
    bool phantom_planted; /* mutant phantom-row */
};

/* Tell what one engine call changed in the app's view, and plant the phantom row of the mutant of that name.
 */
void client_tell_view(struct client *client, const char *text, const struct engine_result *result);
/* NOTE_TEXT */
void client_tell(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
