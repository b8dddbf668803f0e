/* How many streams of one process may read from storage at once; the others wait their turn, first come,
 * first served.
 */
#ifndef MOCK_POWERSYNC_FETCH_SLOTS_H
#define MOCK_POWERSYNC_FETCH_SLOTS_H

#include "kernel/host.h"

#define FETCH_WAIT_LIMIT (30 * TIME_SECOND)

struct fetch_slots {
    struct host *host;
    size_t free;
    struct fetch_place *first, *last; /* who waits */
};

/* A stream's place: in the queue, or holding a slot, or neither. Zeroed: neither. */
struct fetch_place {
    struct fetch_slots *slots;
    bool holds;
    uint64_t timer; /* waits, or was called and has not run yet */
    struct fetch_place *next, *previous;
    void (*granted)(void *context);
    void (*gave_up)(void *context); /* after FETCH_WAIT_LIMIT; it waits no more */
    void *context;
};

/* True: it holds a slot now (or did already). False: it waits, and one of its functions will be called later.
 */
bool fetch_slots_take(struct fetch_slots *slots, struct fetch_place *place);
/* Give the slot back, or leave the queue. */
void fetch_slots_leave(struct fetch_place *place);

#endif
