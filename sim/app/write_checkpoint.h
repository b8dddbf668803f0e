/* Custom write checkpoints, the backend's part: a row for each device says how many of its uploads are there.
 * It is written in the transaction of the upload, so that replication brings both together, and its number is
 * the answer that the app completes its transaction with. */
#ifndef SYNCLINE_APP_WRITE_CHECKPOINT_H
#define SYNCLINE_APP_WRITE_CHECKPOINT_H

#include "app/app.h"

#define APP_WRITE_CHECKPOINTS "write_checkpoints"
extern const struct convex_table app_write_checkpoints; /* for deployments of scenarios that use them */

/* `result` {checkpoint: "<number>"}: the next of this device, or with `repeated` (the upload was there
 * already) the newest one. */
enum status app_write_checkpoint(struct convex_context *context, const char *user, const char *client,
                                 bool repeated, struct convex_value **result, struct error *error);

#endif
