/* Is the process alive? Everything it does happens in its event loop, so one that answers is. */
#include "mock-powersync/http/route.h"
#include "mock-powersync/service_internal.h"

static void handle_probe(struct route_call *call, const struct auth_user *user) {
    struct buffer body = {0};
    (void)user;
    buffer_append_text(&body, "{\"ready\":true,\"started\":true,\"touched_at\":");
    http_append_time(&body, host_wall_clock(call->service->host));
    buffer_append_char(&body, '}');
    route_call_answer(call, 200, body.data);
    buffer_free(&body);
}

const struct route probe_routes[] = {
    {"GET", "/probes/startup", GROUP_ADMIN, ACCESS_ALL, false, NULL, handle_probe},
    {"GET", "/probes/liveness", GROUP_ADMIN, ACCESS_ALL, false, NULL, handle_probe},
    {"GET", "/probes/readiness", GROUP_ADMIN, ACCESS_ALL, false, NULL, handle_probe},
};
