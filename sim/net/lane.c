#include <assert.h>
#include <stdlib.h>

#include "net/net_private.h"

static void schedule(struct lane *lane);
static void hold(struct lane *lane, struct message *message);

/* What was on its way to a node that sleeps waits as at a cut. */
static bool hold_for_sleeper(struct lane *lane) {
    const struct exchange *exchange = lane->exchange;
    const struct node *to = lane == &exchange->to_client ? exchange->client : exchange->server;
    if (!to || to->sleeps == 0)
        return false;
    for (struct message *message = lane->first; message; message = message->next)
        if (!message->held)
            hold(lane, message);
    return true;
}

static void arrive(void *context) {
    struct lane *lane = context;
    struct message *message = lane->first;
    assert(message && !message->held);
    lane->event = 0;
    if (hold_for_sleeper(lane))
        return;
    lane->first = message->next;
    if (lane->first)
        lane->first->previous = NULL;
    else
        lane->last = NULL;
    schedule(lane);
    exchange_deliver(lane, message);
}

/* Make the one event of the lane that of its first message, if that is on its way. */
static void schedule(struct lane *lane) {
    if (lane->event || !lane->first || lane->first->held)
        return;
    struct world *world = lane->exchange->net->world;
    assert(lane->first->arrival >= world_now(world));
    lane->event = world_schedule(world, lane->first->arrival - world_now(world), arrive, lane);
}

static void unschedule(struct lane *lane) {
    if (lane->event)
        world_cancel(lane->exchange->net->world, lane->event);
    lane->event = 0;
}

/* The arrival time of a message that starts now, behind one that arrives at `earliest`. */
static int64_t travel(struct lane *lane, int64_t earliest, int64_t extra) {
    struct net *net = lane->exchange->net;
    int64_t arrival = world_now(net->world) + link_delay(net, lane->link) + extra;
    return arrival > earliest ? arrival : earliest;
}

/* --- holding --- */

static void give_up(void *context) {
    struct exchange *exchange = context;
    assert(lane_holds(&exchange->to_server) || lane_holds(&exchange->to_client));
    exchange->give_up = 0;
    exchange->net->counters[NET_GIVE_UP].count++;
    exchange_break(exchange, HTTP_FAILURE_TIMEOUT);
}

/* Messages are held from the back: whatever is behind a held message is held too. */
bool lane_holds(const struct lane *lane) {
    return lane->last && lane->last->held;
}

size_t lane_waiting(const struct lane *lane) {
    size_t count = 0;
    for (const struct message *message = lane->first; message; message = message->next)
        count += count > 0 || message->held || message->stalled;
    return count;
}

/* What is on its way counts as taken by the other end. */
size_t lane_waiting_bytes(const struct lane *lane) {
    size_t bytes = 0;
    bool waits = false;
    for (const struct message *message = lane->first; message; message = message->next) {
        waits = waits || message->held || message->stalled;
        if (waits && message->kind == MESSAGE_BODY)
            bytes += message->as.body.length;
    }
    return bytes;
}

static void hold(struct lane *lane, struct message *message) {
    struct exchange *exchange = lane->exchange;
    struct net *net = exchange->net;
    message->held = true;
    net->counters[NET_HELD].count++;
    if (!exchange->give_up && net->settings.give_up > 0)
        exchange->give_up = world_schedule(net->world, net->settings.give_up, give_up, exchange);
}

void lane_release(struct lane *lane, bool all) {
    if (lane->link->cuts > 0)
        return;
    bool again = false; /* from here on every arrival is new */
    int64_t earliest = world_now(lane->exchange->net->world);
    for (struct message *message = lane->first; message; message = message->next) {
        again = again || message->held || (all && message->stalled);
        if (again) {
            if (message == lane->first)
                unschedule(lane);
            message->held = false;
            message->stalled = false;
            message->arrival = travel(lane, earliest, 0);
        }
        earliest = message->arrival;
    }
    if (again)
        lane->last_arrival = earliest;
    schedule(lane);
    exchange_drop_give_up(lane->exchange);
}

/* --- sending --- */

static void append(struct lane *lane, struct message *message) {
    message->previous = lane->last;
    if (lane->last)
        lane->last->next = message;
    else
        lane->first = message;
    lane->last = message;
}

void lane_send(struct lane *lane, struct message *message) {
    assert(!message->next && !message->held);
    struct exchange *exchange = lane->exchange;
    exchange->messages++;
    int64_t extra = fault_stall(exchange);
    bool wait = lane->link->cuts > 0 || lane_holds(lane);
    append(lane, message);
    if (wait) {
        hold(lane, message);
    } else {
        message->stalled = extra > 0;
        message->arrival = travel(lane, lane->last_arrival, extra);
        lane->last_arrival = message->arrival;
    }
    schedule(lane);
    fault_message_sent(exchange);
}

/* As if a proxy on the way had waited for the second part: both arrive when the second would have. */
void lane_merge(struct lane *lane, const void *bytes, size_t length) {
    struct message *last = lane->last;
    if (!last || last->kind != MESSAGE_BODY || last->held || lane->link->cuts > 0) {
        lane_send(lane, message_body(bytes, length, NULL, 0));
        return;
    }
    struct message *merged = message_body(last->as.body.bytes, last->as.body.length, bytes, length);
    merged->stalled = last->stalled;
    merged->arrival = travel(lane, lane->last_arrival, 0);
    lane->last_arrival = merged->arrival;
    if (lane->first == last)
        unschedule(lane);
    lane->last = last->previous;
    if (lane->last)
        lane->last->next = NULL;
    else
        lane->first = NULL;
    append(lane, merged);
    free(last);
    schedule(lane);
    lane->exchange->net->counters[NET_SPLIT_CHUNKS].count++;
}

void lane_clear(struct lane *lane) {
    unschedule(lane);
    while (lane->first) {
        struct message *next = lane->first->next;
        free(lane->first);
        lane->first = next;
    }
    lane->last = NULL;
}
