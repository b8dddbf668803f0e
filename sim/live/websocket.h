/* An open WebSocket on a stream, whichever end it is: tells the actor what comes, sends, pings, closes.
 * Private to sim/live.
 *
 * It belongs to the connection or the client that has the stream; they read and drain the stream and call
 * websocket_settle from the loop. The host's operations only add to the stream's `out` and wake the owner. */
#ifndef SYNCLINE_LIVE_WEBSOCKET_H
#define SYNCLINE_LIVE_WEBSOCKET_H

#include "live/stream.h"
#include "live/websocket_end.h"

enum websocket_state {
    WEBSOCKET_GOES_ON,
    WEBSOCKET_SAID_ALL, /* closed properly and all sent: drain the stream */
    WEBSOCKET_BROKEN    /* close the stream; then call websocket_lose */
};

struct websocket_events {
    void (*message)(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                    size_t length);
    void (*closed)(void *context, uint64_t socket, int code, const char *reason);
};

struct websocket {
    struct live *live;
    struct stream *stream;
    struct slot_table *table; /* that has `id` */
    uint64_t id;              /* 0: over for the actor */
    struct websocket_events events;
    void *context;
    struct websocket_end end;
    bool said_goodbye;  /* a closing frame has been sent, */
    bool heard_goodbye; /* and one has come, or none is waited for */
    bool going_away;    /* the host stops */
    bool reset;
    bool lost;      /* nothing comes any more, once what is held has been looked at */
    uint64_t *ends; /* where each sent message that the kernel may not have ends, as a place in the stream */
    size_t first_end;  /* of those still of interest */
    size_t n_ends;     /* up to here */
    size_t room;       /* of `ends` */
    uint64_t pinged;   /* loop ms */
    uint64_t goodbye;  /* loop ms of the first closing frame */
    uint64_t idle_ms;  /* time limits, from the settings */
    uint64_t quiet_ms; /* how long the peer may be silent */
    uint64_t ping_ms;
};

/* Wakes the stream's owner. */
struct websocket *websocket_create(struct stream *stream, bool client, struct slot_table *table, uint64_t id,
                                   const struct websocket_events *events, void *context);
void websocket_free(struct websocket *websocket); /* NULL is ignored */

/* From the loop only: look at what came, send what is there. */
enum websocket_state websocket_settle(struct websocket *websocket);
/* From the loop only: pings and time limits. */
void websocket_check_idle(struct websocket *websocket);
/* From the loop when `tell`: the stream is gone; the actor learns it unless the socket was over. */
void websocket_lose(struct websocket *websocket, bool tell);

/* For host operations. */
void websocket_send(struct websocket *websocket, enum websocket_kind kind, const void *bytes, size_t length);
void websocket_close(struct websocket *websocket, int code, const char *reason);
void websocket_reset(struct websocket *websocket); /* break it; no event follows */
void websocket_go_away(struct websocket *websocket);
size_t websocket_unsent(struct websocket *websocket);

#endif
