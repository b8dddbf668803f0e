#include "mock-powersync/storage/stream_lock.h"

#include <assert.h>

bool stream_lock_take(struct stream_lock *lock, uint64_t holder, int64_t now, int64_t until) {
    assert(holder && until > now);
    if (lock->holder && lock->holder != holder && lock->until > now)
        return false;
    *lock = (struct stream_lock){holder, until};
    return true;
}

void stream_lock_release(struct stream_lock *lock, uint64_t holder) {
    if (lock->holder == holder)
        *lock = (struct stream_lock){0};
}
