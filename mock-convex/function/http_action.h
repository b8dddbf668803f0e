/* HTTP actions: requests to the `.site` host (the second port), or below /http/ on the first one, go to the
 * function that the routes name. An exact path goes before a prefix, the longest prefix before a shorter one;
 * the method must match, but HEAD takes the route of GET and gets no body. No route: 404. */
#ifndef MOCK_CONVEX_HTTP_ACTION_H
#define MOCK_CONVEX_HTTP_ACTION_H

#include "mock-convex/state.h"

#define CONVEX_HTTP_PREFIX "/http"

/* Is this path below the prefix? */
bool convex_http_is_route(const char *path);
/* A request on `host`, whose path (without the prefix) is `path`, by `user` (borrowed; NULL: nobody). True:
 * the action will answer the exchange when it has ended. False: the reply is decided. */
bool convex_http_start(struct convex_deployment *deployment, struct host *host, uint64_t exchange,
                       const struct convex_request *request, const char *path,
                       const struct convex_value *user, struct convex_reply *reply);

/* Listen on deployment->site, or stop; nothing when there is none. */
void convex_http_listen(struct convex_deployment *deployment);
void convex_http_stop(struct convex_deployment *deployment);

#endif
