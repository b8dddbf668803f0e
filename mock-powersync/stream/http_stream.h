/* A sync stream over HTTP: which form the client gets (NDJSON or BSON, gzip when it asks), the response's
 * head with its first byte, and no more lines than the client reads.
 */
#ifndef MOCK_POWERSYNC_HTTP_STREAM_H
#define MOCK_POWERSYNC_HTTP_STREAM_H

#include "mock-powersync/stream/sync_stream.h"

/* What the request's headers ask for. */
struct http_stream_form {
    bool bson;
    bool gzip;
};
struct http_stream_form http_stream_form(const struct http_request *request);

struct http_stream_options {
    struct sync_stream_environment *environment;
    uint64_t exchange;
    struct http_stream_form form;
    void (*ended)(void *context); /* the exchange was answered completely, and the stream is gone */
    void *context;
};

struct http_stream;
/* Serve a stream in answer to the exchange. `request` and `user` are only borrowed for the call. */
struct http_stream *http_stream_create(const struct http_stream_options *options,
                                       const struct sync_request *request, const struct auth_user *user);
/* The client has gone, or the process ends; `ended` is not called. */
void http_stream_destroy(struct http_stream *stream); /* may be NULL */

#endif
