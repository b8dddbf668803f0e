/* The PowerSync half of `syncline serve`: a service as service.yaml describes it, on real sockets. Without a
 * file it is one for the deployment beside it: everybody gets every row of the app's streams, or of all
 * tables of a backend file, and the tokens of `--issuer` are accepted. */
#ifndef SYNCLINE_CLI_SERVE_POWERSYNC_H
#define SYNCLINE_CLI_SERVE_POWERSYNC_H

#include "cli/serve_convex.h"
#include "cli/serve_metrics.h"
#include "mock-powersync/service_config.h"
#include "mock-powersync/storage/storage.h"

struct serve_powersync {
    struct service_config config;
    struct live *live;
    struct host *host, *door;
    struct storage *storage; /* of the file; NULL: the service has its own in memory */
    struct powersync_service *service;
    struct serve_metrics metrics;
    const struct fault_file *faults;
    struct buffer built_in; /* the sync config made for a backend file */
};

/* Reads the files and checks them, before anything listens. `app` is NULL when a backend file was given.
 * STATUS_INVALID and so on, with the place. After success serve_powersync_stop is needed. */
enum status serve_powersync_load(struct serve_powersync *powersync, const struct serve_options *options,
                                 struct error *error);
/* `convex` is NULL when there is no deployment beside. Listens and replicates when it returns. */
enum status serve_powersync_start(struct serve_powersync *powersync, struct live *live,
                                  const struct serve_options *options, const struct app *app,
                                  const struct serve_convex *convex, const struct fault_file *faults,
                                  struct error *error);
/* Its process is about to end: sync streams end, all else goes on. */
void serve_powersync_end(struct serve_powersync *powersync);
void serve_powersync_stop(struct serve_powersync *powersync);

void serve_powersync_print(const struct serve_powersync *powersync);
void serve_powersync_print_faults(const struct serve_powersync *powersync);

#endif
