/* What service.c and the routes share. */
#ifndef MOCK_POWERSYNC_SERVICE_INTERNAL_H
#define MOCK_POWERSYNC_SERVICE_INTERNAL_H

#include "mock-powersync/http/auth.h"
#include "mock-powersync/http/checkpoint_batcher.h"
#include "mock-powersync/http/request_group.h"
#include "mock-powersync/http/route.h"
#include "mock-powersync/http/rsocket.h"
#include "mock-powersync/replication/replicator.h"
#include "mock-powersync/service.h"
#include "mock-powersync/storage/storage.h"
#include "mock-powersync/stream/sync_stream.h"

struct powersync_service {
    struct host *host;
    struct powersync_options options; /* complete; texts are copies in `texts` */
    struct arena texts;
    struct storage *storage; /* survives the process */

    /* The process: all of it is gone with a crash. */
    bool running;
    bool closing; /* no more sync streams */
    struct powersync_metrics metrics;
    struct auth *auth;
    struct source *source;
    struct replicator *replicator;      /* NULL: this process does not replicate */
    struct checkpoint_batcher *batcher; /* NULL: this process serves no users, nor has it what follows */
    struct sync_stream_environment stream_environment;
    struct rsocket_server *rsocket;
    struct request_group groups[ROUTE_GROUPS];
    struct map calls; /* exchange key -> struct route_call */
};

/* An exchange id as a map key. */
struct exchange_key {
    char text[24];
};
struct exchange_key exchange_key(uint64_t exchange);

/* May sync streams be opened? Until the first snapshot is committed there is no active sync config: false
 * with 500 PSYNC_S2302. False with 503 PSYNC_S2003 when the process is about to end. */
bool service_is_active(const struct powersync_service *service, struct http_error *error);

#endif
