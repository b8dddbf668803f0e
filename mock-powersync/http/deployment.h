/* Deploying sync configs on an operator's order. */
#ifndef MOCK_POWERSYNC_DEPLOYMENT_H
#define MOCK_POWERSYNC_DEPLOYMENT_H

#include "mock-powersync/http/http_error.h"

struct powersync_service;
struct replication_stream;

/* NULL with `error` filled: 422 PSYNC_S4105, the config comes from a file; 422 PSYNC_R0001, it is wrong. */
struct replication_stream *deployment_new(struct powersync_service *service, const char *text,
                                          struct http_error *error);
/* Deploy what is served once more, from nothing. NULL with `error` filled: 422 PSYNC_S4104, nothing is
 * served; with `alone` 409 PSYNC_S4106, something is being deployed. */
struct replication_stream *deployment_again(struct powersync_service *service, bool alone,
                                            struct http_error *error);

#endif
