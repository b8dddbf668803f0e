#include "mock-convex/function/slots.h"

#include <assert.h>
#include <string.h>

static void unlink_slot(struct convex_slot *slot) {
    struct convex_slots *slots = slot->slots;
    *(slot->previous != NULL ? &slot->previous->next : &slots->first) = slot->next;
    *(slot->next != NULL ? &slot->next->previous : &slots->last) = slot->previous;
    slot->next = slot->previous = NULL;
}

static void fire_granted(void *context) {
    struct convex_slot *slot = context;
    assert(slot->holds);
    slot->timer = 0;
    slot->granted(slot->context);
}

static void fire_refused(void *context) {
    struct convex_slot *slot = context;
    void (*refused)(void *) = slot->refused;
    void *owner = slot->context;
    slot->timer = 0;
    convex_slot_leave(slot);
    refused(owner);
}

bool convex_slot_take(struct convex_slots *slots, struct convex_slot *slot) {
    assert(slot->slots == NULL);
    if (slots->limit == 0) {
        return true;
    }
    slot->slots = slots;
    slot->holds = slots->taken < slots->limit;
    if (slot->holds) {
        slots->taken++;
        return true;
    }
    assert(slot->granted != NULL && (slots->patience == 0 || slot->refused != NULL));
    slot->previous = slots->last;
    *(slots->last != NULL ? &slots->last->next : &slots->first) = slot;
    slots->last = slot;
    slot->timer = slots->patience > 0 ? host_timer_set(slots->host, slots->patience, fire_refused, slot) : 0;
    return false;
}

/* The place goes to who has waited longest. */
static void pass_on(struct convex_slots *slots) {
    struct convex_slot *next = slots->first;
    if (next == NULL) {
        slots->taken--;
        return;
    }
    unlink_slot(next);
    host_timer_cancel(slots->host, next->timer);
    next->holds = true;
    next->timer = host_timer_set(slots->host, 0, fire_granted, next);
}

void convex_slot_leave(struct convex_slot *slot) {
    struct convex_slots *slots = slot->slots;
    if (slots == NULL) {
        return;
    }
    host_timer_cancel(slots->host, slot->timer);
    bool held = slot->holds;
    if (!held) {
        unlink_slot(slot);
    }
    memset(slot, 0, sizeof *slot);
    if (held) {
        pass_on(slots);
    }
}
