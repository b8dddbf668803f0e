/* One accepted connection: reads requests one after the other, hands each to the node's listener and sends
 * the answer. A response that is complete when it is first sent carries its length; one that is still being
 * written is chunked (on HTTP/1.0: ended by closing). Private to sim/live.
 *
 * The connection owns itself: connection_close frees it later, from the loop. All functions may be called
 * from host operations unless they say otherwise. */
#ifndef SYNCLINE_LIVE_CONNECTION_H
#define SYNCLINE_LIVE_CONNECTION_H

#include "live/stream.h"
#include "live/websocket.h"

enum connection_phase {
    CONNECTION_READING,   /* waits for a request, or is in the middle of one */
    CONNECTION_SERVING,   /* a request has been handed over; its response is not sent completely */
    CONNECTION_WEBSOCKET, /* the handshake was accepted: `websocket` has the word */
    CONNECTION_DRAINING   /* all is said: what still arrives is thrown away until the peer closes */
};

/* A header field as offsets into `text`. */
struct field_place {
    size_t name;
    size_t value;
};

/* The request that is being read. */
struct incoming {
    struct buffer target;
    struct buffer text; /* names and values, each terminated by 0 */
    struct buffer body;
    struct field_place fields[live_header_fields_most];
    size_t n_fields;
    size_t header_bytes;
    bool in_value;      /* the last piece of header was a value */
    bool head_complete; /* what looks like header from here on is a trailer */
    bool complete;
    int refusal; /* status to refuse it with; 0: none */
};

/* The response that is being written. */
struct outgoing {
    struct buffer head; /* status line and fields, without those of framing */
    struct buffer body; /* not sent yet */
    int status;
    bool responded;
    bool head_sent;
    bool chunked;
    bool ended;
    bool bodiless; /* HEAD, 204, 304: the body is not sent */
};

struct connection {
    struct stream stream;
    struct live_node *node;
    struct connection *next;
    struct connection *previous;
    struct connection *next_due;
    bool due;      /* on the list of connections that live_server_settle visits */
    bool reset;    /* the actor wants it broken */
    bool overflow; /* the peer reads too slowly */
    bool close_after;
    enum connection_phase phase;
    http_parser parser;
    struct incoming incoming;
    uint64_t exchange; /* 0: none, or its response is ended */
    struct outgoing outgoing;
    struct websocket *websocket; /* NULL: it speaks HTTP */
    uint64_t started;            /* loop ms when the present request, or draining, began */
};

/* Takes over an accepted socket. From the loop only. */
void connection_accept(struct live_node *node);
/* Send what is there, read on. From the loop only. */
void connection_settle(struct connection *connection);
/* Break or end it; the actor is told when `tell` and a response is owed. With `tell` from the loop only. */
void connection_close(struct connection *connection, bool reset, bool tell);
void connection_check_idle(struct connection *connection);

/* websocket_server.c: make the exchange a WebSocket. False: its request is no handshake. */
bool connection_upgrade(struct connection *connection, const struct websocket_server_events *events,
                        void *context);

/* The response. */
void connection_respond(struct connection *connection, const struct http_response *response);
void connection_write(struct connection *connection, const void *bytes, size_t length);
void connection_end(struct connection *connection);
/* Bytes of the response that the kernel has not taken; when they are many, it is offered them first. */
size_t connection_unsent(struct connection *connection);

/* connection_request.c: parse held bytes up to the end of a request at most. False: nothing more to do now.
 */
void connection_parse_start(struct connection *connection);
bool connection_parse(struct connection *connection);
void connection_deliver(struct connection *connection);
const char *connection_field(const struct connection *connection, const char *name); /* NULL: not there */

/* server.c: see to it that connection_settle is called. */
void connection_mark_due(struct connection *connection);
void connection_unlist(struct connection *connection);
void connection_enlist(struct connection *connection);

#endif
