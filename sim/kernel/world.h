/* A world: the virtual clock, the event queue and everything that is drawn from the seed. One seed, one
 * world; one world per process at a time (SQLite's VFS is per process). The hosts of its nodes are made by
 * sim/net, which adds HTTP. Same settings and seed give the same sequence of events, byte for byte. */
#ifndef SYNCLINE_KERNEL_WORLD_H
#define SYNCLINE_KERNEL_WORLD_H

#include "base/digest.h"
#include "base/map.h"
#include "kernel/host.h"

struct world;

struct world_settings {
    uint64_t seed;
    bool fault_points;   /* let fault points live in a quarter of the seeds */
    bool random_knobs;   /* let knobs leave their usual values (each in a quarter of the seeds) */
    uint64_t max_events; /* 0: no limit; above this world_run returns STATUS_LIMIT: some loop does not end */
};

/* Observers see everything in the order in which it happens. `wire` sees every HTTP and WebSocket
 * event of sim/net. */
enum wire_kind {
    WIRE_REQUEST,      /* a request left the client: bytes = body, text = "METHOD target" */
    WIRE_REQUEST_SEEN, /* it reached the server */
    WIRE_RESPONSE,     /* the server wrote status and headers: status */
    WIRE_WRITE,        /* the server wrote body bytes */
    WIRE_END,          /* the server ended the body */
    WIRE_HEAD_SEEN,    /* the client saw the head */
    WIRE_BODY_SEEN,    /* the client saw body bytes */
    WIRE_END_SEEN,     /* the client saw the end */
    WIRE_FAILED,       /* the client saw a failure */
    WIRE_ABORTED,      /* the client gave up */
    WIRE_CLOSED,       /* the server saw that the client has gone, or reset the connection */
    /* A WebSocket starts with WIRE_REQUEST and, when it breaks, ends as other exchanges do. `up` is from the
     * client to the server, `down` the way back. */
    WIRE_SOCKET_ACCEPT,         /* the server accepted the handshake */
    WIRE_SOCKET_ACCEPT_SEEN,    /* it is open for the client */
    WIRE_SOCKET_UP,             /* the client sent a message: bytes, status = enum websocket_kind */
    WIRE_SOCKET_UP_SEEN,        /* the server saw it */
    WIRE_SOCKET_DOWN,           /* the server sent a message: as above */
    WIRE_SOCKET_DOWN_SEEN,      /* the client saw it */
    WIRE_SOCKET_UP_CLOSE,       /* the client closed: status = code (0: none), bytes = reason */
    WIRE_SOCKET_UP_CLOSE_SEEN,  /* the server saw it */
    WIRE_SOCKET_DOWN_CLOSE,     /* the server closed: as above */
    WIRE_SOCKET_DOWN_CLOSE_SEEN /* the client saw it */
};

/* The node that answers in place of everybody: what it says is nobody's word. */
#define WIRE_CAPTIVE_PORTAL "captive-portal"

struct wire_event {
    enum wire_kind kind;
    uint64_t exchange;
    const char *client; /* node names */
    const char *server;
    int process;        /* of the client: kernel/note.h */
    const char *target; /* "POST /sync/stream" */
    const void *bytes;  /* borrowed; NULL when there are none */
    size_t length;
    int status;                         /* WIRE_RESPONSE, WIRE_HEAD_SEEN, WIRE_SOCKET_* */
    const struct http_request *request; /* WIRE_REQUEST and WIRE_REQUEST_SEEN: the whole request, else NULL */
    const struct http_response *response; /* WIRE_RESPONSE and WIRE_HEAD_SEEN: the whole head, else NULL */
};

struct world_observer {
    void (*note)(void *context, int64_t now, const char *node, const struct note *note); /* may be NULL */
    void (*wire)(void *context, int64_t now, const struct wire_event *event);            /* may be NULL */
    void *context;
};

struct world *world_create(const struct world_settings *settings);
void world_destroy(struct world *world); /* after everything that lives in it: actors, net, VFS */

uint64_t world_seed(const struct world *world);
int64_t world_now(const struct world *world);     /* ns */
uint64_t world_events(const struct world *world); /* events run so far */
uint64_t world_schedule(struct world *world, int64_t delay, void (*fire)(void *), void *context);
void world_cancel(struct world *world, uint64_t event);
/* Run until virtual time `until` (inclusive; the clock then stands there), or until world_stop. */
enum status world_run(struct world *world, int64_t until, struct error *error);
void world_stop(struct world *world);

void world_observe(struct world *world, const struct world_observer *observer); /* copied; at most 8 */
void world_emit_wire(struct world *world, const struct wire_event *event);      /* for sim/net */
void world_emit_note(struct world *world, const char *node, const struct note *note);

/* A named random stream of this world: "plan.writes". */
struct random_stream;
uint64_t world_random(struct world *world, const char *scope, const char *choice);

/* Clock trouble: this node's wall clock = TIME_WALL_START + now + offset + now * drift / 1e9. */
void world_set_clock(struct world *world, const char *node, int64_t offset_ns, int64_t drift_ppb);
int64_t world_wall_clock(struct world *world, const char *node);

/* Mutants, pinned knobs and driven fault points, set before the run. */
void world_enable_mutant(struct world *world, const char *name);
bool world_mutant(const struct world *world, const char *name);
void world_pin_knob(struct world *world, const char *name, int64_t value);
/* The n-th time (from 1) that the named point is reached, do this (a scenario drives it; exclusive of
 * chance). */
void world_drive_fault_point(struct world *world, const char *name, uint64_t nth, struct fault_point action);

/* From now on no fault point fires any more, driven ones included: the world heals. */
void world_calm(struct world *world);

/* Counters for the report, in order of first use: name -> count. Fault points count firings, with the names
 * that were only reached present with 0. */
struct world_counter {
    const char *name;
    uint64_t reached;
    uint64_t fired; /* for marks: equal to reached */
};
size_t world_marks(const struct world *world, const struct world_counter **counters);
size_t world_fault_points(const struct world *world, const struct world_counter **counters);
/* Knobs that were asked: reached = value. */
size_t world_knobs(const struct world *world, const struct world_counter **counters);

/* The operations that do not need a network, for hosts of sim/net and of unit tests: fills now, wall_clock,
 * random, timer_set, timer_cancel, note, fault_point, knob, mark, mutant. The host must be a struct
 * world_host. */
struct world_host {
    struct host host; /* first */
    struct world *world;
    int process; /* kernel/note.h; 0: the node has but one */
};
void world_host_operations(struct host_operations *operations);

#endif
