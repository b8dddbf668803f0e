#include "net/net.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "net/net_private.h"

static const char *const counter_names[NET_COUNTERS] = {
    [NET_REFUSE] = "net.refuse",
    [NET_RESET] = "net.reset",
    [NET_LOSE_RESPONSE] = "net.lose-response",
    [NET_STALL] = "net.stall",
    [NET_SPLIT_CHUNKS] = "net.split-chunks",
    [NET_HELD] = "net.held",
    [NET_GIVE_UP] = "net.give-up",
};

struct net *net_create(struct world *world, const struct net_settings *settings) {
    assert(settings->latency >= 0 && settings->jitter >= 0 && settings->give_up >= 0);
    struct net *net = memory_allocate(sizeof *net);
    net->world = world;
    net->settings = *settings;
    for (size_t i = 0; i < NET_COUNTERS; i++)
        net->counters[i].name = counter_names[i];
    world_host_operations(&net->operations);
    timer_operations(&net->operations);
    http_operations(&net->operations);
    socket_operations(&net->operations);
    return net;
}

static void free_node(void *value) {
    for (struct node *node = value, *next; node; node = next) {
        next = node->sibling;
        timers_clear(node);
        free(node->diverted);
        free(node->name);
        free(node);
    }
}

void net_destroy(struct net *net) {
    if (!net)
        return;
    while (net->first)
        exchange_free(net->first);
    map_free(&net->nodes, free_node);
    links_free(net);
    assert(net->exchanges.count == 0 && net->timers.count == 0);
    id_table_free(&net->exchanges);
    id_table_free(&net->timers);
    free(net);
}

static struct node *make_process(struct net *net, const char *name) {
    struct node *node = memory_allocate(sizeof *node);
    node->name = memory_copy_text(name);
    node->net = net;
    node->base.world = net->world;
    node->base.host.name = node->name;
    node->base.host.operations = &net->operations;
    return node;
}

struct host *net_node(struct net *net, const char *name) {
    assert(name && *name && !map_has(&net->nodes, name));
    struct node *node = make_process(net, name);
    map_set(&net->nodes, name, node);
    return &node->base.host;
}

struct host *net_process(struct net *net, const char *name) {
    struct node *first = map_get(&net->nodes, name);
    assert(first);
    struct node *last = first;
    while (last->sibling)
        last = last->sibling;
    first->base.process = 1;
    last->sibling = make_process(net, name);
    last->sibling->base.process = last->base.process + 1;
    return &last->sibling->base.host;
}

/* The node's ends of an exchange are gone, without a word to the node; the other end learns it over the link.
 */
static void crash_exchange(struct exchange *exchange, const struct node *node, bool silent) {
    bool was_server = exchange->server == node && exchange->server_open;
    if (was_server)
        exchange->server_open = false;
    if (exchange->client == node && exchange->client_open)
        exchange_leave_client(exchange);
    if (was_server && exchange->client_open && !(silent && exchange->responded))
        lane_send(&exchange->to_client, message_failure(HTTP_FAILURE_RESET));
    exchange_settle(exchange);
}

static void end_process(struct net *net, struct node *node, bool silent) {
    timers_clear(node);
    node->listening = false;
    node->listener = (struct http_server_events){0};
    node->listener_context = NULL;
    for (struct exchange *exchange = net->first, *next; exchange; exchange = next) {
        next = exchange->next;
        if (exchange->client == node || exchange->server == node)
            crash_exchange(exchange, node, silent);
    }
}

static void end_node(struct net *net, const char *name, bool silent) {
    struct node *node = map_get(&net->nodes, name);
    assert(node);
    for (; node; node = node->sibling)
        end_process(net, node, silent);
}

void net_crash_process(struct net *net, struct host *process) {
    end_process(net, (struct node *)process, false);
}

void net_crash_node(struct net *net, const char *name) {
    end_node(net, name, false);
}

void net_vanish_node(struct net *net, const char *name) {
    end_node(net, name, true);
}

void net_freeze_process(struct host *process) {
    ((struct node *)process)->sleeps++;
}

static void wake(struct node *node) {
    assert(node->sleeps > 0);
    if (--node->sleeps == 0)
        timers_wake(node);
}

void net_thaw_process(struct net *net, struct host *process) {
    wake((struct node *)process);
    links_release(net, false);
}

static void divert(struct node *node, const char *to) {
    struct net *net = node->net;
    free(node->diverted);
    node->diverted = memory_copy_text(to);
    for (struct exchange *exchange = net->first, *next; to && exchange; exchange = next) {
        next = exchange->next;
        if (exchange->client == node && exchange->client_open)
            lane_send(&exchange->to_client, message_failure(HTTP_FAILURE_RESET));
    }
}

void net_divert_node(struct net *net, const char *name, const char *to) {
    struct node *node = map_get(&net->nodes, name);
    assert(node);
    for (; node; node = node->sibling)
        divert(node, to);
}

void net_sleep_node(struct net *net, const char *name) {
    struct node *node = map_get(&net->nodes, name);
    assert(node);
    for (; node; node = node->sibling)
        node->sleeps++;
    net_cut(net, name, NULL);
    net_cut(net, NULL, name);
}

void net_wake_node(struct net *net, const char *name) {
    struct node *node = map_get(&net->nodes, name);
    assert(node);
    for (; node; node = node->sibling)
        wake(node);
    net_heal(net, name, NULL);
    net_heal(net, NULL, name);
}

void net_set_faults(struct net *net, const struct net_faults *faults) {
    assert(faults->stall_time >= 0);
    net->faults = *faults;
}

void net_flip_delay(struct net *net, uint64_t nth) {
    net->flip = nth;
}

size_t net_counters(const struct net *net, const struct net_counter **counters) {
    *counters = net->counters;
    return NET_COUNTERS;
}

uint64_t net_exchanges(const struct net *net) {
    return net->n_exchanges;
}
