/* Every HTTP request to a deployment: which route it is for, and the answers that are decided and wait for
 * their time. */
#ifndef MOCK_CONVEX_ROUTER_H
#define MOCK_CONVEX_ROUTER_H

#include "mock-convex/state.h"

void convex_router_request(struct convex_deployment *deployment, uint64_t exchange,
                           const struct http_request *http);
/* The peer of the exchange has gone. */
void convex_router_closed(struct convex_deployment *deployment, uint64_t exchange);
void convex_router_drop_all(struct convex_deployment *deployment); /* answers that wait are not sent */

/* A request to the second host, for an HTTP action. */
void convex_router_site_request(struct convex_deployment *deployment, uint64_t exchange,
                                const struct http_request *http);

#endif
