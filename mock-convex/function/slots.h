/* A number of places for things that run at once, and a queue of those who wait for one, first come, first
 * served. Nothing here fails; whoever takes a place gives it back with convex_slot_leave. */
#ifndef MOCK_CONVEX_SLOTS_H
#define MOCK_CONVEX_SLOTS_H

#include "kernel/host.h"

struct convex_slot;

struct convex_slots {
    struct host *host;
    int64_t limit;    /* 0: none, everybody has a place */
    int64_t patience; /* ns that somebody waits; 0: for ever */
    int64_t taken;
    struct convex_slot *first, *last; /* who waits */
};

/* One who takes a place; zeroed at first, and not moved while it waits. */
struct convex_slot {
    struct convex_slots *slots; /* NULL: has none and waits for none */
    bool holds;
    struct convex_slot *next, *previous;
    uint64_t timer;
    void (*granted)(void *context); /* after waiting; from a timer, never from inside a call */
    void (*refused)(void *context); /* patience is over; the slot is zeroed */
    void *context;
};

/* True: it has a place now. False: one of `granted` and `refused` (set by the caller) will be called. */
bool convex_slot_take(struct convex_slots *slots, struct convex_slot *slot);
/* Give the place back, or wait no longer. */
void convex_slot_leave(struct convex_slot *slot);

#endif
