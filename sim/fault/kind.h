/* What a fault is made of. A fault is one file in sim/fault with one `struct door_fault`, listed in kinds.c.
 *
 * A request or a WebSocket that rules strike becomes a `struct fault_exchange` with one stage for each of
 * these rules, as layers between the peer (outside) and the actor (inside). Everything that passes is an
 * event: it enters at one end and each stage's `pass` decides what becomes of it: fault_pass hands it to the
 * next stage in its direction, fault_hold does so later, doing neither swallows it. A stage may make events
 * of its own. Events and what they point to are borrowed for the call.
 *
 * `struck` is set while an event is the one that the rule strikes (the request, or the message), and stays
 * set in the stage. Nothing here calls the actor from inside a call of the actor. */
#ifndef SYNCLINE_FAULT_KIND_H
#define SYNCLINE_FAULT_KIND_H

#include "fault/rules.h"

enum fault_event_kind {
    /* from the peer to the actor */
    FAULT_EVENT_REQUEST,
    FAULT_EVENT_CLOSED,  /* the peer of a plain exchange has gone */
    FAULT_EVENT_MESSAGE, /* of a WebSocket */
    FAULT_EVENT_GONE,    /* the peer has closed the WebSocket */
    /* from the actor to the peer */
    FAULT_EVENT_RESPOND,
    FAULT_EVENT_WRITE,
    FAULT_EVENT_END,
    FAULT_EVENT_RESET,
    FAULT_EVENT_ACCEPTED, /* tells that the WebSocket is open; not to be held */
    FAULT_EVENT_SEND,
    FAULT_EVENT_CLOSE
};

struct fault_event {
    enum fault_event_kind kind;
    const struct http_request *request;   /* REQUEST */
    bool echo;                            /* REQUEST: a copy whose answer nobody gets */
    const struct http_response *response; /* RESPOND */
    const void *bytes;                    /* WRITE, MESSAGE, SEND */
    size_t length;
    enum websocket_kind message; /* MESSAGE, SEND */
    int code;                    /* GONE, CLOSE */
    const char *reason;
};

static inline bool fault_event_is_inward(const struct fault_event *event) {
    return event->kind <= FAULT_EVENT_GONE;
}

struct fault_held; /* an event that waits, see stage.c */

struct fault_stage {
    const struct fault_rule *rule;
    const void *parameters; /* rule->parameters */
    struct fault_exchange *exchange;
    size_t index;    /* 0: next to the peer */
    bool struck;     /* the rule has struck here */
    uint64_t passed; /* free for the kind: bytes, messages */
    bool over;       /* free for the kind: its work is done */
    struct fault_held *first, *last;
    uint64_t timer; /* of the first; 0: nothing waits */
};

struct door_fault {
    const char *name;           /* in `do:` */
    const char *summary;        /* one line for people */
    bool requests;              /* rules without `message` may use it */
    bool messages;              /* rules with `message` may */
    size_t size;                /* of its parameters */
    const struct field *fields; /* of its parameters; NULL: none */
    const char *alone;          /* the field that a plain value stands for: `do: {delay: 2s}`; or NULL */
    /* Set defaults before reading, check what was read; each may be NULL. */
    void (*prepare)(void *parameters);
    enum status (*check)(struct reader *reader, struct reader_value value, void *parameters);
    /* `struck`: this event is the one that the rule strikes. */
    void (*pass)(struct fault_stage *stage, const struct fault_event *event, bool struck);
    /* The faults of a simulated world end; what waits goes on by itself. May be NULL. */
    void (*heal)(struct fault_stage *stage);
};

extern const struct door_fault *const door_faults[]; /* ends with NULL */

extern const struct door_fault fault_answer, fault_delay, fault_delay_response, fault_reset,
    fault_lose_response, fault_truncate, fault_slow, fault_duplicate, fault_drop_parameter, fault_close,
    fault_silence, fault_fatal_error, fault_auth_error, fault_swallow, fault_extend;

/* On to the next stage in the event's direction, or to the peer or the actor. */
void fault_pass(struct fault_stage *stage, const struct fault_event *event);
/* The same `delay` ns later, and never before what the stage already holds. Copies the event. */
void fault_hold(struct fault_stage *stage, const struct fault_event *event, int64_t delay);
/* Does the stage hold an event of the same direction? Then the next one has to be held as well. */
bool fault_holds(const struct fault_stage *stage, const struct fault_event *event);
/* The actor learns soon that the peer has gone (WebSockets: with this code and reason). */
void fault_leave_actor(struct fault_stage *stage, int code, const char *reason);
/* A number from the range, from the rule's random numbers. */
int64_t fault_choose(struct fault_stage *stage, const struct reader_range *range);

#endif
