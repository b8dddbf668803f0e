/* What comes in from the inner host. What no rule strikes goes straight to the actor. */
#include "fault/fault_host_private.h"

static void on_request(void *context, uint64_t id, const struct http_request *request) {
    struct fault_host *host = context;
    struct fault_exchange *exchange = fault_exchange_create(host, id, request);
    if (exchange)
        fault_exchange_send(exchange, &(struct fault_event){.kind = FAULT_EVENT_REQUEST, .request = request});
    else
        host->listener.request(host->listener_context, id, request);
}

static void on_closed(void *context, uint64_t id) {
    struct fault_host *host = context;
    struct fault_exchange *exchange = fault_exchange_find(host, id);
    if (exchange) {
        exchange->peer_open = false;
        fault_exchange_send(exchange, &(struct fault_event){.kind = FAULT_EVENT_CLOSED});
    } else if (host->listener.closed) {
        host->listener.closed(host->listener_context, id);
    }
}

const struct http_server_events fault_door_events = {.request = on_request, .closed = on_closed};

static void on_message(void *context, uint64_t id, enum websocket_kind kind, const void *bytes,
                       size_t length) {
    (void)id;
    fault_exchange_send(context,
                        &(struct fault_event){
                            .kind = FAULT_EVENT_MESSAGE, .message = kind, .bytes = bytes, .length = length});
}

static void on_gone(void *context, uint64_t id, int code, const char *reason) {
    struct fault_exchange *exchange = context;
    (void)id;
    exchange->peer_open = false;
    fault_exchange_send(exchange,
                        &(struct fault_event){.kind = FAULT_EVENT_GONE, .code = code, .reason = reason});
}

const struct websocket_server_events fault_door_socket_events = {.message = on_message, .closed = on_gone};
