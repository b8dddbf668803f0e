/* The SDK's upload loop: one local transaction at a time to the app's backend, in order; when the queue is
 * empty, a write checkpoint id from the service, which the engine then waits for before it publishes
 * anything. */
#ifndef SYNCLINE_CLIENT_SDK_UPLOAD_H
#define SYNCLINE_CLIENT_SDK_UPLOAD_H

#include "client/client.h"

struct sdk_upload;

struct sdk_upload *sdk_upload_create(struct client *client);
void sdk_upload_destroy(struct sdk_upload *uploads);

void sdk_upload_start(struct sdk_upload *uploads);
void sdk_upload_stop(
    struct sdk_upload *uploads); /* the app disconnects: an upload without an answer is given up */
void sdk_upload_forget(struct sdk_upload *uploads); /* the process has ended */

/* Something may be there to upload: the queue changed, or the service is there again. One trigger is kept
 * while a run is going on; without a connection nothing happens. */
void sdk_upload_trigger(struct sdk_upload *uploads);
/* The counter of checkpoint requests has its seed, or will not get it from this stream. */
void sdk_upload_seeded(struct sdk_upload *uploads);
bool sdk_upload_uploading(const struct sdk_upload *uploads); /* a run is at work, or waits to try again */
/* The last write checkpoint that came since the process began or connected; 0: none. */
int64_t sdk_upload_write_checkpoint(const struct sdk_upload *uploads);

#endif
