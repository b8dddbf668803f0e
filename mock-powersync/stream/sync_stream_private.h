/* What the parts of a sync stream share: sync_stream.c (its life, what wakes it, the token),
 * sync_sync_stream_announce.c (checkpoint lines), sync_sync_stream_send.c (data and completions).
 *
 * A stream is busy from the first look at a checkpoint until the pause after its last line; who wakes it
 * meanwhile only counts. A function that ends the stream (sync_stream_fail, sync_stream_end) may destroy it:
 * nothing may be touched afterwards.
 */
#ifndef MOCK_POWERSYNC_SYNC_STREAM_PRIVATE_H
#define MOCK_POWERSYNC_SYNC_STREAM_PRIVATE_H

#include "mock-powersync/stream/stream_buckets.h"
#include "mock-powersync/stream/stream_lookups.h"
#include "mock-powersync/stream/subscriptions.h"
#include "mock-powersync/stream/sync_stream.h"

struct sync_stream {
    struct sync_stream_environment *environment;
    struct stream_transport transport;
    enum line_format format;
    int64_t expires;           /* seconds since the Unix epoch */
    struct http_error refusal; /* why nothing can be announced; status 0: it can */

    struct replication_stream *source; /* held; NULL: nothing is served */
    struct bucket_storage *storage;    /* its buckets */
    struct watch source_watch;
    struct subscriptions subscriptions;
    struct bucket_wishes fixed; /* what the subscriptions without lookups give */
    struct stream_lookups lookups;
    bool lookups_changed; /* since the buckets were last computed */
    struct stream_buckets buckets;
    struct write_checkpoint *record; /* what this client may be told about its uploads */
    struct watch record_watch;

    bool announced;           /* the first checkpoint line was sent */
    int64_t write_checkpoint; /* as last announced */
    uint64_t checkpoint;      /* op id of the checkpoint being sent */
    size_t sent;              /* operations sent for it */
    size_t turn;              /* buckets before this place in their order have nothing to send */
    size_t batch_left;        /* operations that the present read may still bring; 0: there is none */
    bool invalid;             /* compaction went beyond it: it will not be completed */

    bool busy;
    bool blocked; /* waits for the transport, then: */
    void (*next)(struct sync_stream *stream);
    unsigned wakes;    /* commits with news since the last look */
    uint64_t woken_by; /* the commit of the last wake: several changed buckets of one commit count once */
    struct fetch_place fetch;
    uint64_t timer;
    uint64_t keepalive_timer;
    struct buffer line; /* being made */
};

/* Write the line that was made. */
void sync_stream_write(struct sync_stream *stream);
void sync_stream_write_line(struct sync_stream *stream, const struct buffer *line); /* another one */
void sync_stream_set_timer(struct sync_stream *stream, int64_t delay, void (*fire)(void *context));
/* True: the transport takes more. False: `next` will be called when it does. */
bool sync_stream_is_ready(struct sync_stream *stream, void (*next)(struct sync_stream *stream));
void sync_stream_fail(struct sync_stream *stream, const struct http_error *error);
void sync_stream_end(struct sync_stream *stream);
void sync_stream_wake(void *context); /* something changed; the context is the stream */
/* The checkpoint is dealt with: look for the next one after `pause`. */
void sync_stream_rest(struct sync_stream *stream, int64_t pause);

enum announcement { ANNOUNCED, NOTHING_NEW, STREAM_OVER };
/* Write the next checkpoint or diff line, if the storage's checkpoint holds news for this client. After
 * STREAM_OVER the stream may be gone. */
enum announcement sync_stream_announce(struct sync_stream *stream);

/* Send what belongs to the announced checkpoint. */
void sync_stream_send(struct sync_stream *stream);

#endif
