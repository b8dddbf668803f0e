/* Faults at the servers' doors in a simulated world: the hosts that the deployment, the service's processes,
 * the app's server and the issuer get. */
#ifndef SYNCLINE_SCENARIO_SERVER_FAULTS_H
#define SYNCLINE_SCENARIO_SERVER_FAULTS_H

#include "fault/fault_file.h"

/* NULL when nothing is to go wrong there: the node's own host serves. */
struct server_doors {
    struct host *convex, *backend, *issuer;
};

/* The host to serve on: a door around the node, or the node. `*door` belongs to the caller. */
struct host *server_door_open(struct host *node, const struct fault_settings *settings, struct host **door);
void server_doors_stop(const struct server_doors *doors);
void server_doors_close(struct server_doors *doors);

#endif
