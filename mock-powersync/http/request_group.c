#include "mock-powersync/http/request_group.h"

#include <assert.h>

enum request_turn request_group_enter(struct request_group *group, struct request_ticket *ticket) {
    assert(!ticket->waits && !ticket->next);
    if (group->running < group->running_most) {
        group->running++;
        return TURN_NOW;
    }
    if (group->queued >= group->queue_most)
        return TURN_NEVER;
    ticket->waits = true;
    if (group->last)
        group->last->next = ticket;
    else
        group->first = ticket;
    group->last = ticket;
    group->queued++;
    return TURN_LATER;
}

static void leave_queue(struct request_group *group, struct request_ticket *ticket) {
    struct request_ticket *before = NULL;
    for (struct request_ticket *at = group->first; at != ticket; at = at->next)
        before = at;
    if (before)
        before->next = ticket->next;
    else
        group->first = ticket->next;
    if (group->last == ticket)
        group->last = before;
    group->queued--;
    ticket->next = NULL;
    ticket->waits = false;
}

struct request_ticket *request_group_leave(struct request_group *group, struct request_ticket *ticket) {
    if (ticket->waits) {
        leave_queue(group, ticket);
        return NULL;
    }
    assert(group->running > 0);
    struct request_ticket *next = group->first;
    if (next)
        leave_queue(group, next); /* it takes the place */
    else
        group->running--;
    return next;
}
