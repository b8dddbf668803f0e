/* Timers of nodes: the world's events, listed by node so that they end with its process. */
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "net/net_private.h"

static void remove_timer(struct timer *timer) {
    struct node *node = timer->node;
    if (timer->previous)
        timer->previous->next = timer->next;
    else
        node->timers = timer->next;
    if (timer->next)
        timer->next->previous = timer->previous;
    id_table_remove(&node->net->timers, timer->id);
    free(timer);
}

static void fire_timer(void *context) {
    struct timer *timer = context;
    void (*fire)(void *) = timer->fire;
    void *argument = timer->context;
    timer->event = 0;
    if (timer->node->sleeps > 0)
        return; /* timers_wake */
    remove_timer(timer);
    fire(argument);
}

static uint64_t timer_set(struct host *host, int64_t delay, void (*fire)(void *context), void *context) {
    assert(fire && delay >= 0);
    struct node *node = (struct node *)host;
    struct timer *timer = memory_allocate(sizeof *timer);
    timer->node = node;
    timer->fire = fire;
    timer->context = context;
    timer->event = world_schedule(node->net->world, delay, fire_timer, timer);
    timer->id = timer->event;
    timer->next = node->timers;
    if (node->timers)
        node->timers->previous = timer;
    node->timers = timer;
    id_table_add(&node->net->timers, timer->id, timer);
    return timer->id;
}

static void timer_cancel(struct host *host, uint64_t id) {
    struct node *node = (struct node *)host;
    struct timer *timer = id_table_get(&node->net->timers, id);
    if (!timer || timer->node != node)
        return;
    if (timer->event)
        world_cancel(node->net->world, timer->event);
    remove_timer(timer);
}

void timers_clear(struct node *node) {
    while (node->timers) {
        if (node->timers->event)
            world_cancel(node->net->world, node->timers->event);
        remove_timer(node->timers);
    }
}

void timers_wake(struct node *node) {
    for (struct timer *timer = node->timers; timer; timer = timer->next)
        if (!timer->event)
            timer->event = world_schedule(node->net->world, 0, fire_timer, timer);
}

void timer_operations(struct host_operations *operations) {
    operations->timer_set = timer_set;
    operations->timer_cancel = timer_cancel;
}
