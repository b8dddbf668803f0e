/* The virtual network: nodes, links between them, and HTTP exchanges with streaming bodies over those links.
 * A WebSocket is an exchange whose client asked for one: all that is said of exchanges holds for it. What
 * travels are its messages, each whole; net.split-chunks does not touch them.
 *
 * A node's host (kernel/host.h) is made here. Every message (request, response head, body chunk, end) crosses
 * the link from its sender to its receiver: it arrives after the link's latency plus jitter, never before an
 * earlier message of the same exchange and direction. While a link is cut, messages wait (as TCP retransmits)
 * and arrive after healing; an exchange that waits longer than `give_up` fails with HTTP_FAILURE_TIMEOUT at
 * the client and `closed` at the server. Each one-way direction is cut on its own. */
#ifndef SYNCLINE_NET_NET_H
#define SYNCLINE_NET_NET_H

#include "kernel/world.h"

struct net;

struct net_settings {
    int64_t latency; /* ns one way, of every link until net_set_latency */
    int64_t jitter;  /* mean of the exponential part added to each message, ns */
    int64_t give_up; /* ns, see above; usual 30 s; 0: never */
};

/* Rates of wire faults, per million exchanges (0: off). Each fault is counted under its name. */
struct net_faults {
    uint32_t refuse; /* "net.refuse": the connection attempt is refused */
    uint32_t reset;  /* "net.reset": the exchange is reset at a random moment: half of them near one of the
                        first messages, half after 1 ms .. 65 s, so long streams meet it too */
    uint32_t lose_response; /* "net.lose-response": the server processes it, the answer never arrives */
    uint32_t stall;         /* "net.stall": one message of the exchange is held for stall_time */
    int64_t stall_time;     /* mean, ns */
    bool split_chunks;      /* "net.split-chunks": body chunks are cut and merged at random */
};

/* The world must outlive the net, and the net the actors on its hosts. */
struct net *net_create(struct world *world, const struct net_settings *settings);
void net_destroy(struct net *net);

/* A node; the host lives as long as the net. Names are unique. */
struct host *net_node(struct net *net, const char *name);

/* One more process on the node of that name (at once after it, before anything happens): it has the node's
 * name, clock and links, and timers and exchanges of its own. Notes and wire events then say which process
 * it is: the node's own host is 1. Only the first may listen. */
struct host *net_process(struct net *net, const char *name);

/* The node's processes end: their exchanges are reset (the peers learn it as fast as the links are), its
 * listener and timers are gone, pending events to it dropped. Afterwards the same host can be used again, by
 * the process that comes next. A request that was still on its way is served or refused by whatever is there
 * when it arrives. */
void net_crash_node(struct net *net, const char *name);
void net_crash_process(struct net *net, struct host *process); /* one of them */

/* The same without a word to those who have begun to hear an answer from it: their ends stay open for ever,
 * as after a loss of power. Until it listens again nobody can reach it. */
void net_vanish_node(struct net *net, const char *name);

/* The node joins another network, where `to` takes every request that it sends, whomever it is for (NULL: the
 * usual one again). Its requests that are under way are reset when that begins. */
void net_divert_node(struct net *net, const char *name, const char *to);

/* The node's processor stops: its timers wait, nothing gets to it and nothing from it, and what it would hear
 * of broken connections it hears when it wakes. Its peers see a cut. Counted, as cuts are; a crash does not
 * wake it. */
void net_sleep_node(struct net *net, const char *name);
void net_wake_node(struct net *net, const char *name);
/* The same of one process: the node's links stay open, and its peers see somebody who does not read. */
void net_freeze_process(struct host *process);
void net_thaw_process(struct net *net, struct host *process);

void net_set_faults(struct net *net,
                    const struct net_faults *faults); /* for exchanges that start from now on */
/* NULL means every node, also nodes that do not exist yet; what is set last counts. */
void net_set_latency(struct net *net, const char *from, const char *to, int64_t latency, int64_t jitter);
/* Cut or heal one direction. NULL means every node. Cuts are counted: a link is open when all its cuts are
 * healed. */
void net_cut(struct net *net, const char *from, const char *to);
void net_heal(struct net *net, const char *from, const char *to);
/* All cuts gone, all fault rates zero, held and stalled messages go, faults that exchanges were still to meet
 * are off. */
void net_heal_all(struct net *net);

/* The control of the determinism test: the n-th delay drawn (from 1) has its lowest bit changed. 0: none. */
void net_flip_delay(struct net *net, uint64_t nth);

/* How often each fault took effect, in a fixed order; `name` is static text. Besides the names above:
 * "net.held" (messages that met a cut) and "net.give-up". */
struct net_counter {
    const char *name;
    uint64_t count;
};
size_t net_counters(const struct net *net, const struct net_counter **counters);
uint64_t net_exchanges(const struct net *net);

#endif
