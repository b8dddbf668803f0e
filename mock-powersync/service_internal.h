/* What service.c and routes.c share. */
#ifndef MOCK_POWERSYNC_SERVICE_INTERNAL_H
#define MOCK_POWERSYNC_SERVICE_INTERNAL_H

#include "mock-powersync/http/checkpoint_request.h"
#include "mock-powersync/replication/replicator.h"
#include "mock-powersync/service.h"
#include "mock-powersync/storage/storage.h"
#include "mock-powersync/stream/sync_stream.h"

struct powersync_service {
    struct host *host;
    struct powersync_options options; /* texts are copies in `texts` */
    struct arena texts;
    struct auth_settings auth;

    /* Storage: survives a crash. */
    struct storage *storage;
    struct replication_stream *stream; /* held */

    /* The process. */
    bool running;
    struct powersync_metrics metrics;
    struct source *source;
    struct replicator *replicator;
    struct sync_stream_environment stream_environment;
    struct checkpoint_request_environment request_environment;
    struct map streams;  /* exchange key -> struct sync_stream */
    struct map requests; /* exchange key -> struct checkpoint_request */
};

/* An exchange id as a map key. */
struct exchange_key {
    char text[24];
};
struct exchange_key exchange_key(uint64_t exchange);

/* The listener's events; the context is the service. */
void routes_request(void *context, uint64_t exchange, const struct http_request *request);
void routes_closed(void *context, uint64_t exchange);

#endif
