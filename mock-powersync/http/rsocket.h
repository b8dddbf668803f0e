/* Sync streams over RSocket in a WebSocket, as older SDKs and some of today's ask for them. A connection says
 * in its SETUP who it is, then requests streams; each line is one BSON document in one PAYLOAD and needs one
 * credit. Errors are texts, "[PSYNC_S2101] why".
 *
 * Not here: fragments, leases, resumption, and other kinds of request than REQUEST_STREAM; they are refused.
 */
#ifndef MOCK_POWERSYNC_RSOCKET_H
#define MOCK_POWERSYNC_RSOCKET_H

#include "mock-powersync/http/auth.h"
#include "mock-powersync/stream/stream_transport.h"
#include "mock-powersync/stream/sync_stream.h"

struct rsocket_server;

struct rsocket_options {
    struct host *host;
    struct auth *auth;       /* borrowed */
    size_t connections_most; /* above it a SETUP is refused (PSYNC_S2304) */
    /* Open what `path` names for `user`; takes `body`, which may be anything. NULL with `error` filled:
     * refused. The transport is borrowed as long as the stream lives, and may be used from inside this call.
     */
    struct sync_stream *(*open)(void *context, const char *path, json_t *body, const struct auth_user *user,
                                const struct stream_transport *transport, struct http_error *error);
    void *context;
};

struct rsocket_server *rsocket_server_create(const struct rsocket_options *options);
/* Drops all without a word, as at the end of a process; NULL is ignored. */
void rsocket_server_destroy(struct rsocket_server *server);
/* Ends all connections with close code 1001, and takes no others. */
void rsocket_server_go_away(struct rsocket_server *server);

/* Take a request that may be a WebSocket's handshake, whatever its path. False: it is none, nothing is done.
 */
bool rsocket_server_accept(struct rsocket_server *server, uint64_t exchange);
size_t rsocket_server_connections(const struct rsocket_server *server);

#endif
