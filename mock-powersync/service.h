/* A PowerSync service behind a host: replicates from a Convex deployment by polling, keeps buckets, answers
 * sync streams and write checkpoints. Storage is in memory; see docs/mock-powersync.md for routes and
 * fidelity limits. */
#ifndef MOCK_POWERSYNC_SERVICE_H
#define MOCK_POWERSYNC_SERVICE_H

#include "base/error.h"
#include "kernel/host.h"

struct powersync_service;

struct powersync_options {
    const char *sync_config;      /* YAML text, edition 3 */
    const char *sync_config_file; /* its name in messages */
    const char *deployment;       /* authority of the Convex deployment: node name or host:port */
    const char *deploy_key;
    int64_t polling_interval; /* ns; usual 1 s; > 0 */
    int64_t request_timeout;  /* ns; usual 60 s */
    const char *key_id;       /* kid of the HS256 key, or NULL */
    const char *key_secret;   /* raw secret text */
    const char *audience;
    int64_t keepalive_interval; /* ns; usual 20 s, +-10 % */
};

/* STATUS_INVALID with file, line and column when the sync config is wrong. Listens and starts replicating at
 * once. */
enum status powersync_service_create(struct host *host, const struct powersync_options *options,
                                     struct powersync_service **service, struct error *error);
void powersync_service_destroy(struct powersync_service *service);

/* The service's process ended: streams and jobs are gone, storage stays. The host's timers and exchanges must
 * already be gone (net_crash_node). Restart listens and resumes replication from storage. */
void powersync_service_crash(struct powersync_service *service);
void powersync_service_restart(struct powersync_service *service);

/* Where replication stands, for reports and settling: the commit timestamp up to which clients can see (0:
 * nothing). */
int64_t powersync_service_position(const struct powersync_service *service);

#endif
