/* HTTP requests that are being answered, where the switches limit how many there may be at once or how long
 * one may take. WebSockets and the second port are not counted. */
#ifndef MOCK_CONVEX_REQUEST_COUNT_H
#define MOCK_CONVEX_REQUEST_COUNT_H

#include "base/memory.h"
#include "mock-convex/state.h"

/* A request has come. True: go on with it. False: it waits for its turn, and `go` (with a copy of the
 * request) will be called. */
bool convex_request_count(struct convex_deployment *deployment, uint64_t exchange,
                          const struct http_request *http,
                          void (*go)(struct convex_deployment *deployment, uint64_t exchange,
                                     const struct http_request *http));
/* It has been answered, or its peer has gone. Nothing happens to one that is not counted. */
void convex_request_over(struct convex_deployment *deployment, const struct host *host, uint64_t exchange);
void convex_request_drop_all(struct convex_deployment *deployment);

/* A copy of a request in `memory`. */
struct http_request convex_request_copy(struct arena *memory, const struct http_request *http);

#endif
