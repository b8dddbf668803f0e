/* The SDK's download loop: start an iteration, fetch the token, POST /sync/stream, hand each line to the
 * engine, do what it asks, and begin again: at once or after the retry delay (constant, +-10 %; there is no
 * back-off). */
#ifndef SYNCLINE_CLIENT_SDK_STREAM_H
#define SYNCLINE_CLIENT_SDK_STREAM_H

#include "client/engine.h"

struct sdk_stream;

struct sdk_stream *sdk_stream_create(struct client *client);
void sdk_stream_destroy(struct sdk_stream *stream);

void sdk_stream_start(struct sdk_stream *stream);
void sdk_stream_stop(struct sdk_stream *stream); /* the app disconnects */
void sdk_stream_forget(
    struct sdk_stream *stream); /* the process has ended: timers and exchanges are gone already */

bool sdk_stream_started(const struct sdk_stream *stream);
void sdk_stream_double(struct sdk_stream *stream); /* mutant second-stream: from now on there are two */

/* A local event for the running iteration, between two lines; lost when there is none. */
void sdk_stream_send(struct sdk_stream *stream, enum engine_event event);
/* Somebody needs a stream now: do not wait any longer to try again. */
void sdk_stream_hurry(struct sdk_stream *stream);
/* The running iteration fails with this reason; without one nothing happens. */
void sdk_stream_fail(struct sdk_stream *stream, const char *reason);
bool sdk_stream_connected(const struct sdk_stream *stream);
bool sdk_stream_connecting(const struct sdk_stream *stream);

#endif
