/* What the files of the faulty door share. Private to sim/fault. */
#ifndef SYNCLINE_FAULT_FAULT_HOST_PRIVATE_H
#define SYNCLINE_FAULT_FAULT_HOST_PRIVATE_H

#include "base/map.h"
#include "fault/fault_host.h"
#include "fault/kind.h"

struct fault_host {
    struct host base; /* first: what the actor calls */
    struct host *inner;
    struct fault_settings settings;
    struct fault_count *counts; /* one a rule */
    struct http_server_events listener;
    void *listener_context;
    struct map exchanges; /* id -> struct fault_exchange: those that rules strike */
    uint64_t echoes;      /* ids given to duplicates so far */
    bool stopped;
};

/* Ids of duplicates: no inner host counts so far. What the actor does with them is for nobody. */
#define FAULT_ECHO_BIT (UINT64_C(1) << 63)

struct fault_exchange {
    struct fault_host *host;
    uint64_t id;
    bool peer_open;  /* the inner host still knows it */
    bool actor_open; /* the actor has seen it and is not done */
    bool accepted;   /* a WebSocket */
    struct websocket_server_events events;
    void *events_context;
    uint64_t leaving; /* timer: the actor is to learn that the peer has gone; 0: none */
    int leave_code;
    char leave_reason[WEBSOCKET_REASON_LIMIT + 1];
    unsigned busy; /* calls that are in it */
    size_t n_stages;
    struct fault_stage stages[];
};

/* door.c: events of the inner host */
extern const struct http_server_events fault_door_events;
extern const struct websocket_server_events fault_door_socket_events;

/* exchange.c */
/* NULL: no rule has anything to do with the request. */
struct fault_exchange *fault_exchange_create(struct fault_host *host, uint64_t id,
                                             const struct http_request *request);
struct fault_exchange *fault_exchange_find(struct fault_host *host, uint64_t id);
/* Send an event in at its end, and let the exchange go when that was its last. */
void fault_exchange_send(struct fault_exchange *exchange, const struct fault_event *event);
/* On from `next`, the index of a stage, counted from the peer; beyond the ends are peer and actor. */
void fault_exchange_advance(struct fault_exchange *exchange, size_t next, const struct fault_event *event);
void fault_exchange_enter(struct fault_exchange *exchange);
void fault_exchange_leave(struct fault_exchange *exchange);  /* may free it */
void fault_exchange_settle(struct fault_exchange *exchange); /* free it if it is over */
void fault_exchange_free(struct fault_exchange *exchange);
size_t fault_exchange_held(const struct fault_exchange *exchange);       /* messages to the peer */
size_t fault_exchange_held_bytes(const struct fault_exchange *exchange); /* of HTTP bodies to the peer */

/* stage.c */
void fault_stage_hurry(struct fault_stage *stage); /* what it holds goes now */
void fault_stage_clear(struct fault_stage *stage);

/* trigger.c: counts a match of the rule; true when it strikes. */
bool fault_trigger(struct fault_host *host, size_t rule);

#endif
