#include "app/captive_portal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct captive_portal {
    struct host *host;
};

static void on_request(void *context, uint64_t exchange, const struct http_request *request) {
    static const char page[] =
        "<!DOCTYPE html>\n<html><head><title>Free Wi-Fi</title></head>\n<body>Sign in</body></html>\n";
    static const struct http_header header = {"content-type", "text/html; charset=utf-8"};
    const struct http_response response = {.status = 200, .headers = &header, .n_headers = 1};
    struct captive_portal *portal = context;
    (void)request;
    host_http_respond(portal->host, exchange, &response);
    host_http_write(portal->host, exchange, page, strlen(page));
    host_http_end(portal->host, exchange);
}

static void on_closed(void *context, uint64_t exchange) {
    (void)context;
    (void)exchange; /* every answer is written at once */
}

struct captive_portal *captive_portal_create(struct host *host) {
    static const struct http_server_events events = {on_request, on_closed};
    struct captive_portal *portal = memory_allocate(sizeof *portal);
    portal->host = host;
    host_http_listen(host, &events, portal);
    return portal;
}

void captive_portal_destroy(struct captive_portal *portal) {
    if (!portal)
        return;
    host_http_listen(portal->host, NULL, NULL);
    free(portal);
}
