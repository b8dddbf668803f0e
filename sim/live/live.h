/* The host interface (kernel/host.h) on real sockets: one libuv loop, an HTTP/1.1 server, libcurl as the
 * client, and both ends of WebSockets. Actors run on it unchanged.
 *
 * Everything happens in live_run, on the calling thread. Times are the machine's monotonic clock since
 * live_create, in ns (timers fire up to 1 ms late); wall clocks are the machine's. Random numbers are drawn
 * from the seed by (node, choice) exactly as a world draws them, so the same calls see the same numbers here
 * and in a simulation. Knobs have their usual values, fault points never fire, marks are not counted.
 *
 * Peers are not trusted. A request that cannot be read is answered 400, one with more than 64 KiB or 128
 * fields of header 431, one whose body is above 16 MiB + 64 KiB 413; the connection is then closed. Above
 * `connections_most` new connections are closed at once. A connection on which nothing moves for
 * `idle_timeout` while something is expected from the peer is closed; a response that has more than
 * `unsent_most` bytes waiting for a slow reader is reset.
 *
 * WebSockets have no compression and no subprotocol, and no TLS. Both ends send an empty PING at once and
 * every `websocket_ping`; an end that has heard nothing for `websocket_timeout` closes with 1000. A peer that
 * breaks a rule is closed with 1002, text that is not UTF-8 with 1007, a message above 16 MiB + 64 KiB with
 * 1009; the actor sees that code too, and 1001 when live_stop ends the socket. */
#ifndef SYNCLINE_LIVE_LIVE_H
#define SYNCLINE_LIVE_LIVE_H

#include "base/error.h"
#include "kernel/host.h"

struct live;

/* Zero means the usual value. */
struct live_settings {
    uint64_t seed;
    size_t connections_most;   /* accepted at once; usual and highest 10,000 */
    size_t unsent_most;        /* bytes for one connection; usual 256 MiB */
    int64_t idle_timeout;      /* ns; usual 60 s */
    int64_t websocket_ping;    /* ns; usual 5 s, at least 1 ms */
    int64_t websocket_timeout; /* ns; usual 120 s */
    int64_t grace;             /* ns that exchanges in progress get after live_stop; usual 2 s */
    int64_t wall_start;        /* wall clocks at live_create, ns since the Unix epoch; usual: the machine's */
    const char *authorities_file; /* PEM: whose certificates https takes, borrowed; NULL: the system's */
    const char *const *mutants;   /* NULL-terminated, borrowed; NULL: none */
    /* What actors note; may be NULL. */
    void (*note)(void *context, int64_t now, const char *node, const struct note *note);
    void *note_context;
};

/* SIGPIPE is ignored from here on, in the whole process. */
struct live *live_create(const struct live_settings *settings);
/* After the actors. Closes what is open. */
void live_destroy(struct live *live);

/* A node; the host lives as long as `live`. Names are unique. Requests to a node's name go to the address it
 * serves; any other authority is host:port, or a URL with http:// or https:// and no path. */
struct host *live_node(struct live *live, const char *name);

/* Serve the node's listener (host_http_listen) at `address`: "127.0.0.1:3210", "[::1]:3210"; port 0 lets the
 * system choose. Numeric addresses only. While the node has no listener, connections are closed at once.
 * STATUS_INVALID (no such form), STATUS_IO (cannot be bound). At most once per node. */
enum status live_serve(struct live *live, struct host *host, const char *address, struct error *error);
/* "127.0.0.1:41297": what live_serve bound; "" before. */
const char *live_address(struct live *live, struct host *host);
/* True when only this machine can reach `address` (as given to live_serve). */
bool live_address_is_loopback(const char *address);

/* Call live_stop on SIGINT and SIGTERM, and before it `ending` (NULL: nothing), where actors end what would
 * go on by itself; the second signal ends at once. */
void live_stop_on_signals(struct live *live, void (*ending)(void *context), void *context);

/* Run until live_stop has taken effect. */
void live_run(struct live *live);
/* No new connections; idle ones are closed, exchanges in progress may finish within the grace. May be called
 * from callbacks. */
void live_stop(struct live *live);

/* For tests and reports. */
size_t live_connections(const struct live *live); /* open on the server side, WebSockets included */
uint64_t live_connections_ever(const struct live *live);

#endif
