#include "mock-powersync/stream/fetch_slots.h"

#include <assert.h>

static void unqueue(struct fetch_place *place) {
    struct fetch_slots *slots = place->slots;
    *(place->previous ? &place->previous->next : &slots->first) = place->next;
    *(place->next ? &place->next->previous : &slots->last) = place->previous;
    place->next = place->previous = NULL;
    host_timer_cancel(slots->host, place->timer);
    place->timer = 0;
}

static void wait_is_over(void *context) {
    struct fetch_place *place = context;
    place->timer = 0;
    unqueue(place);
    place->slots = NULL;
    place->gave_up(place->context);
}

static void run(void *context) {
    struct fetch_place *place = context;
    place->timer = 0;
    place->granted(place->context);
}

bool fetch_slots_take(struct fetch_slots *slots, struct fetch_place *place) {
    if (place->holds)
        return true;
    assert(!place->slots && place->granted && place->gave_up);
    place->slots = slots;
    place->holds = slots->free > 0;
    if (place->holds) {
        slots->free--;
        return true;
    }
    place->previous = slots->last;
    *(slots->last ? &slots->last->next : &slots->first) = place;
    slots->last = place;
    place->timer = host_timer_set(slots->host, FETCH_WAIT_LIMIT, wait_is_over, place);
    return false;
}

void fetch_slots_leave(struct fetch_place *place) {
    struct fetch_slots *slots = place->slots;
    if (!slots)
        return;
    if (!place->holds) {
        unqueue(place);
    } else if (slots->first) {
        struct fetch_place *next = slots->first;
        unqueue(next);
        next->holds = true;
        next->timer = host_timer_set(slots->host, 0, run, next);
    } else {
        slots->free++;
    }
    host_timer_cancel(slots->host, place->timer);
    place->timer = 0;
    place->holds = false;
    place->slots = NULL;
}
