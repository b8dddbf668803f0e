/* The Convex half of `syncline serve`: the deployment of an app or a backend file behind its faults, on real
 * sockets. */
#ifndef SYNCLINE_CLI_SERVE_CONVEX_H
#define SYNCLINE_CLI_SERVE_CONVEX_H

#include "app/app.h"
#include "cli/serve_options.h"
#include "fault/fault_file.h"
#include "live/live.h"
#include "mock-convex/backend.h"

struct serve_convex {
    struct live *live;
    struct host *host, *site, *door; /* site: NULL when its actions are below /http/ only */
    struct arena arena;
    struct convex_deployment_options options;
    struct convex_auth_provider provider;
    struct convex_deployment *deployment;
    const struct fault_file *faults;
};

/* Listens and is reachable when it returns. Everything given is borrowed until serve_convex_stop, which is
 * needed after a failure as well. STATUS_INVALID (the backend, an address), STATUS_IO. */
enum status serve_convex_start(struct serve_convex *convex, struct live *live,
                               const struct serve_options *options, const struct app *app,
                               const struct convex_backend *backend, const struct app_issuer *issuer,
                               const struct fault_file *faults, struct error *error);
void serve_convex_stop(struct serve_convex *convex);

void serve_convex_print(const struct serve_convex *convex);        /* where it is and what it has */
void serve_convex_print_faults(const struct serve_convex *convex); /* how often each rule struck */

#endif
