/* GET /write-checkpoint.json, for clients of old: answers only when a checkpoint has reached the source's
 * head, with that checkpoint's op id. */
#ifndef MOCK_POWERSYNC_LEGACY_CHECKPOINT_H
#define MOCK_POWERSYNC_LEGACY_CHECKPOINT_H

struct route_call;

void legacy_checkpoint_start(struct route_call *call);

#endif
