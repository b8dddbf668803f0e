/* A stage and the events that it holds back. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "fault/fault_host_private.h"

struct fault_held {
    struct fault_held *next;
    int64_t due;
    struct fault_event event; /* what it points to lies in the arena */
    struct http_request request;
    struct http_response response;
    struct arena arena;
};

/* --- copies --- */

static const struct http_header *copy_headers(struct arena *arena, const struct http_header *headers,
                                              size_t count) {
    struct http_header *copy = arena_allocate(arena, (count + 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = (struct http_header){arena_copy_text(arena, headers[i].name),
                                       arena_copy_text(arena, headers[i].value)};
    return copy;
}

static void copy_request(struct fault_held *held, const struct http_request *request) {
    struct arena *arena = &held->arena;
    held->request = *request;
    held->request.authority = request->authority ? arena_copy_text(arena, request->authority) : NULL;
    held->request.method = arena_copy_text(arena, request->method);
    held->request.target = arena_copy_text(arena, request->target);
    held->request.headers = copy_headers(arena, request->headers, request->n_headers);
    held->request.body = request->body ? arena_copy_bytes(arena, request->body, request->body_length) : NULL;
    held->event.request = &held->request;
}

static struct fault_held *copy_event(const struct fault_event *event) {
    struct fault_held *held = memory_allocate(sizeof *held);
    held->event = *event;
    if (event->request)
        copy_request(held, event->request);
    if (event->response) {
        held->response = *event->response;
        held->response.headers =
            copy_headers(&held->arena, event->response->headers, event->response->n_headers);
        held->event.response = &held->response;
    }
    if (event->bytes)
        held->event.bytes = arena_copy_bytes(&held->arena, event->bytes, event->length);
    if (event->reason)
        held->event.reason = arena_copy_text(&held->arena, event->reason);
    return held;
}

static void free_held(struct fault_held *held) {
    arena_free(&held->arena);
    free(held);
}

/* --- the queue --- */

static void fire(void *context);

static void set_timer(struct fault_stage *stage) {
    struct host *inner = stage->exchange->host->inner;
    int64_t delay = stage->first->due - host_now(inner);
    stage->timer = host_timer_set(inner, delay > 0 ? delay : 0, fire, stage);
}

static void fire(void *context) {
    struct fault_stage *stage = context;
    struct fault_exchange *exchange = stage->exchange;
    struct fault_held *held = stage->first;
    stage->timer = 0;
    stage->first = held->next;
    if (!stage->first)
        stage->last = NULL;
    else
        set_timer(stage);
    fault_exchange_enter(exchange);
    fault_pass(stage, &held->event);
    free_held(held);
    fault_exchange_leave(exchange);
}

void fault_hold(struct fault_stage *stage, const struct fault_event *event, int64_t delay) {
    struct fault_held *held = copy_event(event);
    assert(delay >= 0);
    held->due = host_now(stage->exchange->host->inner) + delay;
    if (stage->last) {
        held->due = held->due > stage->last->due ? held->due : stage->last->due;
        stage->last->next = held;
    } else {
        stage->first = held;
    }
    stage->last = held;
    if (stage->first == held)
        set_timer(stage);
}

bool fault_holds(const struct fault_stage *stage, const struct fault_event *event) {
    for (const struct fault_held *held = stage->first; held; held = held->next)
        if (fault_event_is_inward(&held->event) == fault_event_is_inward(event))
            return true;
    return false;
}

void fault_stage_hurry(struct fault_stage *stage) {
    for (struct fault_held *held = stage->first; held; held = held->next)
        held->due = 0;
    if (!stage->first)
        return;
    host_timer_cancel(stage->exchange->host->inner, stage->timer);
    set_timer(stage);
}

void fault_stage_clear(struct fault_stage *stage) {
    host_timer_cancel(stage->exchange->host->inner, stage->timer);
    stage->timer = 0;
    while (stage->first) {
        struct fault_held *held = stage->first;
        stage->first = held->next;
        free_held(held);
    }
    stage->last = NULL;
}

size_t fault_exchange_held(const struct fault_exchange *exchange) {
    size_t count = 0;
    for (size_t i = 0; i < exchange->n_stages; i++)
        for (const struct fault_held *held = exchange->stages[i].first; held; held = held->next)
            count += held->event.kind == FAULT_EVENT_SEND;
    return count;
}

size_t fault_exchange_held_bytes(const struct fault_exchange *exchange) {
    size_t bytes = 0;
    for (size_t i = 0; i < exchange->n_stages; i++)
        for (const struct fault_held *held = exchange->stages[i].first; held; held = held->next)
            bytes += held->event.kind == FAULT_EVENT_WRITE ? held->event.length : 0;
    return bytes;
}

/* --- for kinds --- */

void fault_pass(struct fault_stage *stage, const struct fault_event *event) {
    size_t next = fault_event_is_inward(event) ? stage->index + 1 : stage->index - 1;
    fault_exchange_advance(stage->exchange, next, event);
}

int64_t fault_choose(struct fault_stage *stage, const struct reader_range *range) {
    if (range->low == range->high)
        return range->low;
    return host_random_between(stage->exchange->host->inner, stage->rule->choice, range->low, range->high);
}
