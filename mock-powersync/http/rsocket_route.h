/* What can be asked for over RSocket: the sync stream of one service. */
#ifndef MOCK_POWERSYNC_RSOCKET_ROUTE_H
#define MOCK_POWERSYNC_RSOCKET_ROUTE_H

#include "mock-powersync/http/rsocket.h"

struct powersync_service;

/* The process's end of RSocket connections. */
struct rsocket_server *rsocket_route_create(struct powersync_service *service);

#endif
