/* The client's end of a WebSocket: connects, shakes hands, and then is a `struct websocket`. Private to
 * sim/live. It owns itself: when all is over the loop frees it. */
#ifndef SYNCLINE_LIVE_WEBSOCKET_CLIENT_H
#define SYNCLINE_LIVE_WEBSOCKET_CLIENT_H

#include "live/websocket.h"

struct websocket_client;

uint64_t websocket_client_create(struct host *host, const struct http_request *request,
                                 const struct websocket_client_events *events, void *context);
/* NULL: this node has no such client, or it is over. */
struct websocket_client *websocket_client_find(struct host *host, uint64_t id);
struct websocket *websocket_client_socket(struct websocket_client *client); /* NULL: not opened yet */
/* Give up one that is not open; no event follows. */
void websocket_client_drop(struct websocket_client *client);

#endif
