#include "mock-convex/http/cors.h"

#include <assert.h>

void convex_cors_allow(struct convex_reply *reply, const char *origin) {
    if (origin != NULL) {
        convex_reply_header(reply, "access-control-allow-origin", origin);
        convex_reply_header(reply, "access-control-allow-credentials", "true");
        convex_reply_header(reply, "vary",
                            "origin, access-control-request-method, access-control-request-headers");
    }
}

void convex_cors_preflight(const struct convex_request *request, struct convex_reply *reply) {
    const char *wanted = convex_request_header(request, "access-control-request-headers");
    assert(reply->status == 0);
    reply->status = 200;
    convex_reply_header(reply, "access-control-allow-methods", "GET,POST,OPTIONS,PATCH,DELETE,PUT");
    convex_reply_header(reply, "access-control-max-age", "86400");
    if (wanted != NULL) {
        convex_reply_header(reply, "access-control-allow-headers", wanted);
    }
}
