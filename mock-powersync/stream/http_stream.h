/* Sync streams over HTTP: which form a client gets (NDJSON or BSON, gzip when it asks), the response's head
 * with its first byte, and no more lines than the client reads. Owns all that are open in one process.
 */
#ifndef MOCK_POWERSYNC_HTTP_STREAM_H
#define MOCK_POWERSYNC_HTTP_STREAM_H

#include "mock-powersync/stream/sync_stream.h"

struct http_streams {
    struct sync_stream_environment *environment;
    /* A stream has answered completely: its exchange is over. */
    void (*ended)(void *context, uint64_t exchange);
    void *context;
    struct map open; /* exchange -> struct http_stream */
};

/* What the request's headers ask for. */
struct http_stream_form {
    bool bson;
    bool gzip;
};
struct http_stream_form http_stream_form(const struct http_request *request);

/* Serve a stream in answer to the exchange. `request` and `user` are only borrowed for the call. */
void http_streams_open(struct http_streams *streams, uint64_t exchange, struct http_stream_form form,
                       const struct sync_request *request, const struct auth_user *user);
/* The client has gone. Exchanges that are no streams are ignored. */
void http_streams_closed(struct http_streams *streams, uint64_t exchange);
/* The process ends: all break off. */
void http_streams_free(struct http_streams *streams);

#endif
