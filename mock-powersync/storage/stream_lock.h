/* The lock of one replication stream: of several replicators on a storage only its holder writes. A holder
 * that dies without letting go keeps it until it runs out. Times are ns of virtual time. A zeroed lock is
 * free. */
#ifndef MOCK_POWERSYNC_STREAM_LOCK_H
#define MOCK_POWERSYNC_STREAM_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct stream_lock {
    uint64_t holder; /* 0: nobody */
    int64_t until;   /* when somebody else may take it although it was not let go; INT64_MAX: never */
};

/* Take it, or hold it for longer. False: somebody else has it. */
bool stream_lock_take(struct stream_lock *lock, uint64_t holder, int64_t now, int64_t until);
void stream_lock_release(struct stream_lock *lock, uint64_t holder); /* ignored when somebody else has it */

#endif
