/* Pending events, popped in order of (time, tie key, number). The tie key comes from the seed, so that the
 * order of events at one instant is explored and not fixed; the number (order of pushing) only breaks equal
 * tie keys. */
#ifndef SYNCLINE_KERNEL_EVENT_QUEUE_H
#define SYNCLINE_KERNEL_EVENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event {
    int64_t time; /* ns */
    uint64_t tie; /* random */
    uint64_t id;  /* from 1, never reused; the handle for cancelling */
    void (*fire)(void *context);
    void *context;
};

struct event_queue; /* opaque */

struct event_queue *event_queue_create(void);
void event_queue_destroy(struct event_queue *queue);
uint64_t event_queue_push(struct event_queue *queue, int64_t time, uint64_t tie, void (*fire)(void *),
                          void *context);
/* False when the event has already been popped or cancelled. */
bool event_queue_cancel(struct event_queue *queue, uint64_t id);
bool event_queue_pop(struct event_queue *queue, struct event *event); /* false: empty */
bool event_queue_peek(const struct event_queue *queue, int64_t *time);
size_t event_queue_length(const struct event_queue *queue);

#endif
