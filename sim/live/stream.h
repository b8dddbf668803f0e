/* A TCP connection, whichever end opened it: reads ahead up to a bound and writes what stands in `out`.
 * Private to sim/live.
 *
 * The stream is part of its owner and never calls it from inside a function of this header: `wake`, `lost`
 * and `released` come from the loop. After stream_close only `released` comes; then the owner may free both.
 */
#ifndef SYNCLINE_LIVE_STREAM_H
#define SYNCLINE_LIVE_STREAM_H

#include "live/live_private.h"

enum { stream_drain_ms = 2000 }; /* how long a peer may take to close its end after ours */

struct stream_events {
    void (*wake)(void *owner);             /* bytes have come, or `out` has been written */
    void (*lost)(void *owner, bool ended); /* the peer has ended its side, else: the connection is broken */
    void (*released)(void *owner);
};

struct stream {
    uv_tcp_t tcp;
    struct live *live;
    const struct stream_events *events;
    void *owner;
    struct buffer held;    /* read, not looked at */
    struct buffer out;     /* to be written */
    struct buffer writing; /* being written */
    uv_write_t write;
    uv_shutdown_t shutdown;
    bool write_pending;
    bool reading; /* uv_read_start is in effect */
    bool draining;
    bool closing;
    uint64_t handed; /* bytes that the kernel has taken, but for those of `writing` */
    uint64_t moved;  /* loop ms of the last progress in either direction, */
    uint64_t heard;  /* and of the last bytes that came */
};

/* `events` must be static. */
void stream_open(struct stream *stream, struct live *live, const struct stream_events *events, void *owner);
/* Read, unless enough is held for later. */
void stream_adjust_reading(struct stream *stream);
/* Give the kernel what it takes of `out`; the rest follows by itself. False: the connection is broken. */
bool stream_send(struct stream *stream);
bool stream_all_sent(const struct stream *stream);
size_t stream_waiting(const struct stream *stream);        /* bytes given to the stream, not yet written */
uint64_t stream_end_of_out(const struct stream *stream);   /* how many bytes it was given, ever */
uint64_t stream_bytes_handed(const struct stream *stream); /* how many of them the kernel has taken */
/* All is said: end our side and throw away what still comes. False: that is not possible any more. */
bool stream_drain(struct stream *stream);
void stream_close(struct stream *stream, bool reset);

#endif
