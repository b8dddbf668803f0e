/* A PowerSync service behind a host: replicates from a source, keeps buckets, answers sync streams and write
 * checkpoints, and the routes of operators. One of these is one process; processes that share a storage work
 * together as those of the real service do. See docs/mock-powersync.md for routes and fidelity limits. */
#ifndef MOCK_POWERSYNC_SERVICE_H
#define MOCK_POWERSYNC_SERVICE_H

#include "base/buffer.h"
#include "base/error.h"
#include "kernel/host.h"

struct powersync_service;
struct storage;

/* What a process does. The API and the replicator of one storage know of each other only through it. */
enum powersync_role { POWERSYNC_UNIFIED, POWERSYNC_API, POWERSYNC_REPLICATION };

/* replication.connections[0] */
struct powersync_source_options {
    const char *type;         /* NULL: "convex" */
    const char *deployment;   /* a URL with http:// or https://, or an authority: node name or host:port */
    const char *deploy_key;   /* not empty */
    int64_t polling_interval; /* ns; 0: 1 s */
    int64_t request_timeout;  /* ns; 0: 60 s */
};

/* client_auth */
struct powersync_auth_options {
    const char *jwks; /* {"keys":[...]} as JSON text, or NULL */
    const char *const *jwks_uris;
    size_t n_jwks_uris;
    const char *const *audiences; /* none: only Supabase's tokens are accepted */
    size_t n_audiences;
    bool supabase;
    const char *supabase_jwt_secret; /* raw text; counts only with `supabase` */
    bool block_local; /* jwks_uris may not name addresses of this machine or a private network */
};

/* api.parameters; 0: the usual */
struct powersync_limits {
    size_t max_concurrent_connections;    /* 200 */
    size_t max_data_fetches;              /* 10 */
    size_t max_buckets;                   /* 1000 a connection */
    size_t max_parameter_results;         /* 1000 a computation */
    int64_t checkpoint_request_retention; /* ns; 60 min */
};

/* All is copied. 0 and NULL mean the usual value unless said otherwise. */
struct powersync_options {
    enum powersync_role role;
    struct storage *storage; /* borrowed, may be shared; NULL: one of its own in memory */
    const char *sync_config; /* YAML text; NULL: what the storage holds, or nothing until it is deployed */
    const char *sync_config_file; /* its name in messages */
    bool sync_config_is_managed;  /* it comes from a file: the deploy route is refused (PSYNC_S4105) */
    struct powersync_source_options source;
    struct powersync_auth_options auth;
    const char *const *api_tokens; /* none: operators' routes refuse everybody */
    size_t n_api_tokens;
    struct powersync_limits limits;
    const char *write_checkpoint_table; /* custom write checkpoints: the app's backend writes them into this
                                           table as {user_id, client_id, checkpoint}; NULL: managed ones */
    bool strict_expiry;                 /* recognise Convex's real words for an expired cursor */
    int64_t keepalive_interval;         /* ns; 20 s, +-10 % */
    int64_t notification_delay;         /* ns between a commit and the API's hearing of it; 0: at once */
    int64_t job_lock; /* ns that a dead replicator's lock on a stream lasts; 0: it is free at once */
};

/* STATUS_INVALID with file, line and column when the sync config is wrong, or saying which option is. Listens
 * and starts replicating at once. */
enum status powersync_service_create(struct host *host, const struct powersync_options *options,
                                     struct powersync_service **service, struct error *error);
void powersync_service_destroy(struct powersync_service *service);

/* The process is about to end: sync streams break off and no new ones are served (503 PSYNC_S2003); all else
 * goes on until it is destroyed. */
void powersync_service_shut_down(struct powersync_service *service);

/* The service's process ended: streams and jobs are gone, storage stays. The host's timers and exchanges must
 * already be gone (net_crash_node). Restart listens and resumes replication from storage. */
void powersync_service_crash(struct powersync_service *service);
void powersync_service_restart(struct powersync_service *service);

/* Deploy a sync config, as the deploy route does. Text that is deployed already is left alone; else it is
 * replicated anew in new buckets while clients keep the old ones. STATUS_INVALID with file (NULL: "sync
 * config"), line and column. */
enum status powersync_service_deploy(struct powersync_service *service, const char *text, const char *file,
                                     struct error *error);

/* Shorten the histories of all buckets, and forget old write checkpoints that clients supplied. STATUS_IO:
 * the storage's file could not be written. */
enum status powersync_service_compact(struct powersync_service *service, struct error *error);

/* What the process has counted, as Prometheus text. */
void powersync_service_metrics(const struct powersync_service *service, struct buffer *out);

/* Where replication stands, for reports and settling: the LSN up to which clients can see (0: nothing). */
int64_t powersync_service_position(const struct powersync_service *service);

#endif
