/* Routes share their capacity in groups: so many requests run at once, so many more wait for their turn, and
 * the next is refused. */
#ifndef MOCK_POWERSYNC_REQUEST_GROUP_H
#define MOCK_POWERSYNC_REQUEST_GROUP_H

#include <stdbool.h>
#include <stddef.h>

struct request_ticket {
    struct request_ticket *next; /* in the queue */
    bool waits;
};

struct request_group {
    size_t running_most;
    size_t queue_most;
    size_t running;
    size_t queued;
    struct request_ticket *first; /* the queue, in order of coming */
    struct request_ticket *last;
};

enum request_turn { TURN_NOW, TURN_LATER, TURN_NEVER };

/* A ticket must be given back when it is TURN_NOW or TURN_LATER. */
enum request_turn request_group_enter(struct request_group *group, struct request_ticket *ticket);
/* The request is over, or gave up waiting. Returns whose turn it is now, or NULL. */
struct request_ticket *request_group_leave(struct request_group *group, struct request_ticket *ticket);

#endif
