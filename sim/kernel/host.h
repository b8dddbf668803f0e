/* The host: all that an actor (deployment, service, client, issuer) may know of the outside world.
 *
 * An actor is a state machine that never blocks, reads no clock and opens no socket. It receives events and
 * calls its host. sim/net implements the host on the virtual clock, sim/live on real sockets; actors cannot
 * tell which. What travels is always the real bytes.
 *
 * Callbacks are never run from inside a call to the host, with one exception: none. (http_send, respond,
 * abort and so on only queue; timers of delay 0 run later.) So an actor never needs to guard against
 * re-entry.
 *
 * Exchange ids (WebSockets have them too) and timer ids are never 0 and never reused within a world. An id is
 * valid until its final event. */
#ifndef SYNCLINE_KERNEL_HOST_H
#define SYNCLINE_KERNEL_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/note.h"
#include "kernel/time.h"

struct http_header {
    const char *name; /* compared without case */
    const char *value;
};

struct http_request {
    const char *authority; /* whom to ask: a node name; on sockets also host:port or a URL without path */
    const char *method;
    const char *target; /* path and query, percent-encoded where needed */
    const struct http_header *headers;
    size_t n_headers;
    const void *body; /* NULL when empty */
    size_t body_length;
};

struct http_response {
    int status;
    const struct http_header *headers;
    size_t n_headers;
};

/* How an exchange failed, as the client's side sees it. */
enum http_failure {
    HTTP_FAILURE_REFUSED, /* nobody listens */
    HTTP_FAILURE_RESET,   /* connection reset */
    HTTP_FAILURE_TIMEOUT  /* the connection attempt was given up by the network (long partition) */
};

/* Client side of an exchange. Order: head? body* (end | failed). After `end` or `failed` nothing follows.
 * Bytes are borrowed for the duration of the call. A chunk boundary means nothing. */
struct http_client_events {
    void (*head)(void *context, uint64_t exchange, const struct http_response *response);
    void (*body)(void *context, uint64_t exchange, const void *bytes, size_t length);
    void (*end)(void *context, uint64_t exchange);
    void (*failed)(void *context, uint64_t exchange, enum http_failure failure);
};

/* Server side. `request` is called with the whole body (at most 16 MiB + 64 KiB; the host answers 413 above
 * that). `closed` tells that the peer has gone before the response was complete; the exchange is over. */
struct http_server_events {
    void (*request)(void *context, uint64_t exchange, const struct http_request *request);
    void (*closed)(void *context, uint64_t exchange);
};

/* What a WebSocket message holds; the values are the opcodes of RFC 6455. */
enum websocket_kind { WEBSOCKET_TEXT = 1, WEBSOCKET_BINARY = 2 };

/* Close codes that no end sends and the host makes up (RFC 6455, 7.1.5). */
enum {
    WEBSOCKET_NO_CODE = 1005,  /* the closing frame had none */
    WEBSOCKET_ABNORMAL = 1006, /* no closing frame: nobody listens, reset, crash, given up */
    WEBSOCKET_TOO_BIG = 1009   /* the host's answer to a message above the limit */
};
enum { WEBSOCKET_REASON_LIMIT = 123 }; /* bytes of a close reason */

/* Client side of a WebSocket. Order: (opened message* closed) | refused | closed. After `refused` or
 * `closed` nothing follows. `refused`: the server answered with plain HTTP; the body is not shown. Messages
 * come whole and in the order in which they were sent; bytes and reason are borrowed for the duration of the
 * call, and a reason is never NULL. Any of the functions may be NULL. */
struct websocket_client_events {
    void (*opened)(void *context, uint64_t socket);
    void (*refused)(void *context, uint64_t socket, const struct http_response *response);
    void (*message)(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                    size_t length);
    void (*closed)(void *context, uint64_t socket, int code, const char *reason);
};

/* Server side, after the handshake was accepted. A message above 16 MiB + 64 KiB is not shown: the host
 * closes with WEBSOCKET_TOO_BIG, and both ends see that code. */
struct websocket_server_events {
    void (*message)(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                    size_t length);
    void (*closed)(void *context, uint64_t socket, int code, const char *reason);
};

/* What a fault point asks the actor to do. */
enum fault_action {
    FAULT_NONE,
    FAULT_DELAY, /* go on after `delay` ns */
    FAULT_ERROR  /* behave as if the operation at this point failed */
};

struct fault_point {
    enum fault_action action;
    int64_t delay; /* ns, for FAULT_DELAY */
};

struct host;

struct host_operations {
    int64_t (*now)(struct host *host);
    int64_t (*wall_clock)(struct host *host);
    uint64_t (*random)(struct host *host, const char *choice);
    uint64_t (*timer_set)(struct host *host, int64_t delay, void (*fire)(void *context), void *context);
    void (*timer_cancel)(struct host *host, uint64_t timer);
    uint64_t (*http_send)(struct host *host, const struct http_request *request,
                          const struct http_client_events *events, void *context);
    void (*http_abort)(struct host *host, uint64_t exchange);
    void (*http_listen)(struct host *host, const struct http_server_events *events, void *context);
    void (*http_respond)(struct host *host, uint64_t exchange, const struct http_response *response);
    void (*http_write)(struct host *host, uint64_t exchange, const void *bytes, size_t length);
    void (*http_end)(struct host *host, uint64_t exchange);
    void (*http_reset)(struct host *host, uint64_t exchange);
    size_t (*http_unsent)(struct host *host, uint64_t exchange);
    uint64_t (*websocket_connect)(struct host *host, const struct http_request *request,
                                  const struct websocket_client_events *events, void *context);
    bool (*websocket_accept)(struct host *host, uint64_t exchange,
                             const struct websocket_server_events *events, void *context);
    void (*websocket_send)(struct host *host, uint64_t socket, enum websocket_kind kind, const void *bytes,
                           size_t length);
    void (*websocket_close)(struct host *host, uint64_t socket, int code, const char *reason);
    size_t (*websocket_unsent)(struct host *host, uint64_t socket);
    void (*note)(struct host *host, const struct note *note);
    struct fault_point (*fault_point)(struct host *host, const char *name);
    int64_t (*knob)(struct host *host, const char *name, int64_t usual, int64_t low, int64_t high);
    void (*mark)(struct host *host, const char *name);
    bool (*mutant)(struct host *host, const char *name);
};

struct host {
    const struct host_operations *operations;
    const char *name; /* the node's name: "alice-1", "convex", "powersync" */
    bool unheard;     /* nobody records its notes */
};

/* Virtual time since the start of the world, ns, never goes back. For timers and durations. */
static inline int64_t host_now(struct host *host) {
    return host->operations->now(host);
}
/* This node's idea of the time of day, ns since the Unix epoch. May be wrong, drift and step. */
static inline int64_t host_wall_clock(struct host *host) {
    return host->operations->wall_clock(host);
}
/* 64 random bits for the named choice; each (node, choice) is a stream of its own. */
static inline uint64_t host_random(struct host *host, const char *choice) {
    return host->operations->random(host, choice);
}
/* A number from low to high (both included) for the named choice. */
static inline int64_t host_random_between(struct host *host, const char *choice, int64_t low, int64_t high) {
    return low + (int64_t)(host_random(host, choice) % ((uint64_t)(high - low) + 1));
}
/* `value` ns +-percent, uniformly: the SDKs' and services' jitter. */
static inline int64_t host_jitter(struct host *host, const char *choice, int64_t value, int64_t percent) {
    return host_random_between(host, choice, value - value / 100 * percent, value + value / 100 * percent);
}
/* Call fire(context) once, `delay` ns (>= 0) from now, never from inside this call. */
static inline uint64_t host_timer_set(struct host *host, int64_t delay, void (*fire)(void *context),
                                      void *context) {
    return host->operations->timer_set(host, delay, fire, context);
}
/* Cancel a timer that has not fired. 0 and unknown ids are ignored. */
static inline void host_timer_cancel(struct host *host, uint64_t timer) {
    host->operations->timer_cancel(host, timer);
}
/* Start a request. Copies everything. Returns the exchange id. */
static inline uint64_t host_http_send(struct host *host, const struct http_request *request,
                                      const struct http_client_events *events, void *context) {
    return host->operations->http_send(host, request, events, context);
}
/* Client: give up an exchange; no event follows. 0 and finished ids are ignored. */
static inline void host_http_abort(struct host *host, uint64_t exchange) {
    host->operations->http_abort(host, exchange);
}
/* Server: become reachable under this node's name. At most one listener a node; NULL events stop listening.
 */
static inline void host_http_listen(struct host *host, const struct http_server_events *events,
                                    void *context) {
    host->operations->http_listen(host, events, context);
}
/* Server: send status and headers; once per exchange. Calls for finished exchanges are ignored, as all below.
 */
static inline void host_http_respond(struct host *host, uint64_t exchange,
                                     const struct http_response *response) {
    host->operations->http_respond(host, exchange, response);
}
static inline void host_http_write(struct host *host, uint64_t exchange, const void *bytes, size_t length) {
    host->operations->http_write(host, exchange, bytes, length);
}
static inline void host_http_end(struct host *host, uint64_t exchange) {
    host->operations->http_end(host, exchange);
}
/* Server: break the connection (RST). */
static inline void host_http_reset(struct host *host, uint64_t exchange) {
    host->operations->http_reset(host, exchange);
}
/* Server: how many bytes of the response the network still holds back because the peer reads slowly or cannot
 * be reached; some that only wait for the loop may be among them. 0 for exchanges that are over. */
static inline size_t host_http_unsent(struct host *host, uint64_t exchange) {
    return host->operations->http_unsent(host, exchange);
}
/* Client: open a WebSocket. The request's method is GET and it has no body; the host adds the headers of the
 * handshake (Connection, Upgrade, Sec-WebSocket-Version, Sec-WebSocket-Key). Copies everything. Returns the
 * id, which is an exchange id: host_http_abort drops the socket without a closing frame. */
static inline uint64_t host_websocket_connect(struct host *host, const struct http_request *request,
                                              const struct websocket_client_events *events, void *context) {
    return host->operations->websocket_connect(host, request, events, context);
}
/* Server: a handshake comes as an ordinary `request` event. Accept it with this, instead of
 * host_http_respond, or refuse it by answering as to any other request. Once accepted, the events given here
 * take over from those of the listener. False, and nothing is done: the request is no handshake, or the
 * exchange is over. */
static inline bool host_websocket_accept(struct host *host, uint64_t exchange,
                                         const struct websocket_server_events *events, void *context) {
    return host->operations->websocket_accept(host, exchange, events, context);
}
/* Either end: send one message. Ignored when this end is over; the client's must have been opened. */
static inline void host_websocket_send(struct host *host, uint64_t socket, enum websocket_kind kind,
                                       const void *bytes, size_t length) {
    host->operations->websocket_send(host, socket, kind, bytes, length);
}
/* Either end: close behind everything that was sent. This end is over at once, no event follows; the other
 * end sees the code and the reason. Code 0 sends none (WEBSOCKET_NO_CODE is seen), and then there is no
 * reason. A client that has not been opened yet just gives up. Ids that are over are ignored. */
static inline void host_websocket_close(struct host *host, uint64_t socket, int code, const char *reason) {
    host->operations->websocket_close(host, socket, code, reason);
}
/* Either end: how many of the messages it sent the network still holds back: the peer reads slowly, or cannot
 * be reached. 0 for ids that are over. */
static inline size_t host_websocket_unsent(struct host *host, uint64_t socket) {
    return host->operations->websocket_unsent(host, socket);
}
/* Would anybody hear a note? Notes that are costly to make need not be made for nobody. */
static inline bool host_is_heard(const struct host *host) {
    return !host->unheard;
}
static inline void host_note(struct host *host, const struct note *note) {
    host->operations->note(host, note);
}
/* Code at moments that matter asks whether to fail here. Names: "replicator.before-commit". */
static inline struct fault_point host_fault_point(struct host *host, const char *name) {
    return host->operations->fault_point(host, name);
}
/* A setting that may be drawn at random from low..high in some seeds; `usual` otherwise. The same for the
 * whole run (asked once per node and name). A scenario can pin it. */
static inline int64_t host_knob(struct host *host, const char *name, int64_t usual, int64_t low,
                                int64_t high) {
    return host->operations->knob(host, name, usual, low, high);
}
/* Count that an interesting state was reached. */
static inline void host_mark(struct host *host, const char *name) {
    host->operations->mark(host, name);
}
/* Is this deliberate bug switched on? */
static inline bool host_mutant(struct host *host, const char *name) {
    return host->operations->mutant(host, name);
}

#endif
