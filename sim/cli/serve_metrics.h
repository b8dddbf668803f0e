/* GET /metrics on a port of its own, as the real service's exporter has it: what a PowerSync service counts,
 * as Prometheus text. */
#ifndef SYNCLINE_CLI_SERVE_METRICS_H
#define SYNCLINE_CLI_SERVE_METRICS_H

#include "live/live.h"
#include "mock-powersync/service.h"

struct serve_metrics {
    struct host *host; /* NULL: not served */
    const struct powersync_service *service;
};

/* At `port` of the host that `address` (HOST:PORT) names. Both structs must outlive `live`. STATUS_IO. */
enum status serve_metrics_start(struct serve_metrics *metrics, struct live *live,
                                const struct powersync_service *service, const char *address, int64_t port,
                                struct error *error);
void serve_metrics_stop(struct serve_metrics *metrics); /* before the service goes */

#endif
