/* A Convex deployment behind a host: documents with real ids, a multi-version store with commit timestamps,
 * mutations as transactions, the streaming export API and the function API, deploy key checks. Routes: see
 * docs/mock-convex.md. Everything it keeps is in memory; a crash of its node (destroy + create with the kept
 * store) loses no commit. */
#ifndef MOCK_CONVEX_DEPLOYMENT_H
#define MOCK_CONVEX_DEPLOYMENT_H

#include "kernel/host.h"
#include "mock-convex/function.h"

struct convex_deployment;

struct convex_deployment_options {
    const char *deploy_key;            /* "prod:happy-animal-123|0123abcd"; compared whole */
    const struct convex_table *tables; /* declared tables; powersync_checkpoints is always there */
    size_t n_tables;
    const struct convex_function *functions; /* powersync_checkpoints:createCheckpoint is always there */
    size_t n_functions;
    int64_t mutation_time_low;  /* ns of virtual time between a mutation's begin and its commit, uniform */
    int64_t mutation_time_high; /* usual 1 ms .. 15 ms */
    int64_t read_time;          /* ns that answering any other request takes; usual 2 ms */
};

/* Listens at once. The host must outlive the deployment; options are copied, function and table arrays
 * borrowed. */
struct convex_deployment *convex_deployment_create(struct host *host,
                                                   const struct convex_deployment_options *options);
void convex_deployment_destroy(struct convex_deployment *deployment);

/* Run a mutation now, outside HTTP and without virtual time, as a deployment's own seed script would.
 * `result` may be NULL; else the caller frees it. */
enum status convex_deployment_run(struct convex_deployment *deployment, const char *path,
                                  const struct convex_value *args, struct convex_value **result,
                                  struct error *error);

int64_t
convex_deployment_latest(const struct convex_deployment *deployment); /* newest commit timestamp, ns */

#endif
