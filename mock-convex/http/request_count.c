#include "mock-convex/http/request_count.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "mock-convex/http/router.h"

/* One that is counted. In the deployment's map, by the bytes of its exchange. */
struct counted {
    struct convex_deployment *deployment;
    uint64_t exchange;
    uint64_t timer; /* ends its time */
    struct convex_slot slot;
    struct http_request http; /* while it waits; in `memory` */
    struct arena memory;
    void (*go)(struct convex_deployment *deployment, uint64_t exchange, const struct http_request *http);
};

struct http_request convex_request_copy(struct arena *memory, const struct http_request *http) {
    struct http_request copy = *http;
    struct http_header *headers = arena_allocate(memory, (http->n_headers + 1) * sizeof *headers);
    for (size_t i = 0; i < http->n_headers; i++) {
        headers[i].name = arena_copy_text(memory, http->headers[i].name);
        headers[i].value = arena_copy_text(memory, http->headers[i].value);
    }
    copy.authority = http->authority != NULL ? arena_copy_text(memory, http->authority) : NULL;
    copy.method = arena_copy_text(memory, http->method);
    copy.target = arena_copy_text(memory, http->target);
    copy.headers = headers;
    copy.body = http->body_length > 0 ? arena_copy_bytes(memory, http->body, http->body_length) : NULL;
    return copy;
}

static void free_counted(struct counted *counted) {
    host_timer_cancel(counted->deployment->host, counted->timer);
    convex_slot_leave(&counted->slot);
    arena_free(&counted->memory);
    free(counted);
}

void convex_request_over(struct convex_deployment *deployment, const struct host *host, uint64_t exchange) {
    if (host != deployment->host) {
        return;
    }
    struct counted *counted = map_remove_bytes(&deployment->exchanges, &exchange, sizeof exchange);
    if (counted != NULL) {
        free_counted(counted);
    }
}

/* Its time is over: 408, and it goes on as if the peer had gone. */
static void time_out(void *context) {
    struct counted *counted = context;
    struct convex_deployment *deployment = counted->deployment;
    uint64_t exchange = counted->exchange;
    struct convex_reply reply = {.status = 408};
    counted->timer = 0;
    convex_reply_send(&reply, deployment->host, exchange);
    convex_router_closed(deployment, exchange);
}

static void granted(void *context) {
    struct counted *counted = context;
    struct arena memory = counted->memory; /* the request may be over before it returns */
    struct http_request http = counted->http;
    counted->memory = (struct arena){0};
    counted->go(counted->deployment, counted->exchange, &http);
    arena_free(&memory);
}

bool convex_request_count(struct convex_deployment *deployment, uint64_t exchange,
                          const struct http_request *http,
                          void (*go)(struct convex_deployment *deployment, uint64_t exchange,
                                     const struct http_request *http)) {
    const struct convex_limits *limits = &deployment->switches.limits;
    if (limits->requests == 0 && limits->request_timeout == 0) {
        return true;
    }
    struct counted *counted = memory_allocate(sizeof *counted);
    *counted = (struct counted){.deployment = deployment, .exchange = exchange, .go = go};
    counted->slot.granted = granted;
    counted->slot.context = counted;
    void *before = map_set_bytes(&deployment->exchanges, &exchange, sizeof exchange, counted);
    assert(before == NULL);
    (void)before;
    if (limits->request_timeout > 0) {
        counted->timer = host_timer_set(deployment->host, limits->request_timeout, time_out, counted);
    }
    if (convex_slot_take(&deployment->request_slots, &counted->slot)) {
        return true;
    }
    counted->http = convex_request_copy(&counted->memory, http);
    return false;
}

void convex_request_drop_all(struct convex_deployment *deployment) {
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&deployment->exchanges, &i)) != NULL;) {
        struct counted *counted = entry->value;
        host_timer_cancel(deployment->host, counted->timer);
        host_timer_cancel(deployment->host, counted->slot.timer);
        arena_free(&counted->memory);
        free(counted);
    }
    map_free(&deployment->exchanges, NULL);
}
