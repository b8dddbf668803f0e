/* What the files of sim/live share. Private to sim/live.
 *
 * Nothing calls an actor from inside a host operation: operations append to buffers and put connections and
 * exchanges on lists; live_settle, run by the loop before it waits, sends and goes on. */
#ifndef SYNCLINE_LIVE_LIVE_PRIVATE_H
#define SYNCLINE_LIVE_LIVE_PRIVATE_H

#include <curl/curl.h>
#include <http_parser.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/map.h"
#include "kernel/event_queue.h"
#include "live/live.h"
#include "live/slot_table.h"

/* Bodies above this never reach a server: kernel/host.h. */
#define LIVE_BODY_LIMIT (((size_t)16 << 20) + ((size_t)64 << 10))

enum {
    live_header_bytes_most = 64 << 10, /* request line and header of one request */
    live_header_fields_most = 128,
    live_held_most = 64 << 10, /* bytes read ahead while an exchange is in progress */
    live_read_size = 64 << 10
};

struct connection;
struct websocket_client;

struct live_node {
    struct host host; /* first */
    struct live *live;
    char *name;
    bool listening;
    struct http_server_events listener;
    void *listener_context;
    bool serving; /* `server` is open */
    uv_tcp_t server;
    char address[80];
};

struct live {
    struct live_settings settings;
    struct host_operations operations;
    uv_loop_t loop;
    uv_prepare_t settle;
    uv_timer_t clock; /* the next of `timers` */
    uv_timer_t sweep; /* idle connections */
    uv_timer_t grace;
    uv_signal_t signals[2];
    void (*ending)(void *context); /* at the first signal; NULL: nothing */
    void *ending_context;
    int64_t started; /* uv_hrtime at creation, ns */
    struct event_queue *timers;
    struct map nodes;   /* name -> struct live_node */
    struct map streams; /* "node.choice" -> struct random_stream */
    bool stopping;

    /* server */
    struct connection *first_connection;
    struct connection *first_due; /* connections with something to send or to read */
    struct connection **last_due;
    size_t connections;
    uint64_t connections_ever;
    struct slot_table served; /* exchange -> struct connection */
    char read_buffer[live_read_size];

    /* client */
    CURLM *multi;
    uv_timer_t multi_timer;
    struct slot_table sent; /* exchange -> struct call */
    struct call *first_call;
    struct call *first_changed; /* calls to start or to drop */
    struct call **last_changed;

    /* WebSockets that nodes of this host opened */
    struct slot_table opened; /* exchange -> struct websocket_client */
    struct websocket_client *first_opened;
    struct websocket_client *first_opened_due;
    struct websocket_client **last_opened_due;
};

static inline struct live *live_of(struct host *host) {
    return ((struct live_node *)host)->live;
}
int64_t live_now(const struct live *live);

/* clock.c: now, wall_clock, random, timers */
void live_clock_open(struct live *live);
void live_clock_operations(struct host_operations *operations);

/* server.c */
void live_server_operations(struct host_operations *operations);
void live_server_open(struct live *live);
void live_server_stop(struct live *live);    /* no new connections, close idle ones */
void live_server_abandon(struct live *live); /* close all connections, no events */
bool live_server_settle(struct live *live);  /* true: something was done */
/* The connection of an exchange whose server is this node and that is not over, or NULL. */
struct connection *live_served_by(struct host *host, uint64_t exchange);
/* "host:port" or "[host]:port" with a numeric host. STATUS_INVALID: it is not of this form. */
enum status live_parse_address(const char *text, struct sockaddr_storage *address, struct error *error);

/* client.c */
void live_client_operations(struct host_operations *operations);
void live_client_open(struct live *live);
void live_client_abandon(struct live *live); /* drop all calls, no events */
bool live_client_settle(struct live *live);
/* The address of a node of ours, or what the authority says. */
const char *live_address_of(const struct live *live, const char *authority);

/* websocket_operations.c */
void live_websocket_operations(struct host_operations *operations);

/* websocket_client.c */
void live_websocket_client_open(struct live *live);
void live_websocket_client_abandon(struct live *live); /* drop all, no events */
bool live_websocket_client_settle(struct live *live);
void live_websocket_client_sweep(struct live *live);                    /* time limits and pings */
void live_websocket_client_abort(struct host *host, uint64_t exchange); /* ignored when it is none of these */

#endif
