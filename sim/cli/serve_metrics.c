#include "cli/serve_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void answer(void *context, uint64_t exchange, const struct http_request *request) {
    const struct serve_metrics *metrics = context;
    static const struct http_header text = {"content-type", "text/plain; version=0.0.4; charset=utf-8"};
    const bool is_known = strcmp(request->method, "GET") == 0 && strcmp(request->target, "/metrics") == 0;
    const struct http_response response = {
        .status = is_known ? 200 : 404, .headers = &text, .n_headers = is_known ? 1 : 0};
    struct buffer body = {0};
    if (is_known)
        powersync_service_metrics(metrics->service, &body);
    host_http_respond(metrics->host, exchange, &response);
    host_http_write(metrics->host, exchange, buffer_text(&body), body.length);
    host_http_end(metrics->host, exchange);
    buffer_free(&body);
}

static void closed(void *context, uint64_t exchange) {
    (void)context; /* answers are complete at once */
    (void)exchange;
}

enum status serve_metrics_start(struct serve_metrics *metrics, struct live *live,
                                const struct powersync_service *service, const char *address, int64_t port,
                                struct error *error) {
    static const struct http_server_events events = {answer, closed};
    const char *colon = strrchr(address, ':');
    char *place = memory_format("%.*s:%lld", colon ? (int)(colon - address) : 0, address, (long long)port);
    metrics->host = live_node(live, "powersync-metrics");
    metrics->service = service;
    host_http_listen(metrics->host, &events, metrics);
    enum status status = live_serve(live, metrics->host, place, error);
    free(place);
    return status;
}

void serve_metrics_stop(struct serve_metrics *metrics) {
    if (metrics->host)
        host_http_listen(metrics->host, NULL, NULL);
}
