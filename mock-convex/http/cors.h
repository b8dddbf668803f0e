/* What lets pages of other origins use a deployment: every origin and every header may, with credentials. */
#ifndef MOCK_CONVEX_CORS_H
#define MOCK_CONVEX_CORS_H

#include "mock-convex/http/reply.h"
#include "mock-convex/http/request.h"

/* The answer to OPTIONS on any path. */
void convex_cors_preflight(const struct convex_request *request, struct convex_reply *reply);
/* What any other answer says to a request with this Origin header. NULL: nothing. */
void convex_cors_allow(struct convex_reply *reply, const char *origin);

#endif
