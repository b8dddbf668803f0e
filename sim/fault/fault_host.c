#include "fault/fault_host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "fault/fault_host_private.h"

static struct fault_host *of(struct host *host) {
    return (struct fault_host *)host;
}

/* --- handed on --- */

static int64_t now(struct host *host) {
    return host_now(of(host)->inner);
}

static int64_t wall_clock(struct host *host) {
    const struct fault_settings *settings = &of(host)->settings;
    int64_t time = host_wall_clock(of(host)->inner);
    for (size_t i = 0; i < settings->n_clock_steps; i++)
        if (host_now(of(host)->inner) >= settings->clock_steps[i].at)
            time += settings->clock_steps[i].by;
    return time;
}

static uint64_t draw(struct host *host, const char *choice) {
    return host_random(of(host)->inner, choice);
}

static uint64_t timer_set(struct host *host, int64_t delay, void (*fire)(void *context), void *context) {
    return host_timer_set(of(host)->inner, delay, fire, context);
}

static void timer_cancel(struct host *host, uint64_t timer) {
    host_timer_cancel(of(host)->inner, timer);
}

static uint64_t http_send(struct host *host, const struct http_request *request,
                          const struct http_client_events *events, void *context) {
    return host_http_send(of(host)->inner, request, events, context);
}

static void http_abort(struct host *host, uint64_t exchange) {
    host_http_abort(of(host)->inner, exchange);
}

static uint64_t websocket_connect(struct host *host, const struct http_request *request,
                                  const struct websocket_client_events *events, void *context) {
    return host_websocket_connect(of(host)->inner, request, events, context);
}

static void note(struct host *host, const struct note *noted) {
    host_note(of(host)->inner, noted);
}

static struct fault_point fault_point(struct host *host, const char *name) {
    return host_fault_point(of(host)->inner, name);
}

static int64_t knob(struct host *host, const char *name, int64_t usual, int64_t low, int64_t high) {
    const struct fault_settings *settings = &of(host)->settings;
    for (size_t i = 0; i < settings->n_knobs; i++) {
        int64_t value = settings->knobs[i].value;
        if (!strcmp(settings->knobs[i].name, name))
            return value < low ? low : value > high ? high : value;
    }
    return host_knob(of(host)->inner, name, usual, low, high);
}

static void mark(struct host *host, const char *name) {
    host_mark(of(host)->inner, name);
}

static bool mutant(struct host *host, const char *name) {
    return host_mutant(of(host)->inner, name);
}

/* --- the door --- */

static void http_listen(struct host *host, const struct http_server_events *events, void *context) {
    struct fault_host *door = of(host);
    door->listener = events ? *events : (struct http_server_events){0};
    door->listener_context = context;
    host_http_listen(door->inner, events ? &fault_door_events : NULL, door);
}

/* What the actor does to an exchange that no rule strikes goes to the inner host; what it does to a duplicate
 * goes nowhere. True: done. */
static bool is_plain(struct host *host, uint64_t id, struct fault_exchange **exchange) {
    *exchange = id & FAULT_ECHO_BIT ? NULL : fault_exchange_find(of(host), id);
    return !*exchange && !(id & FAULT_ECHO_BIT);
}

static void say(struct fault_exchange *exchange, const struct fault_event *event) {
    if (!exchange || !exchange->actor_open)
        return;
    if (event->kind == FAULT_EVENT_END || event->kind == FAULT_EVENT_RESET ||
        event->kind == FAULT_EVENT_CLOSE)
        exchange->actor_open = false;
    if (!exchange->actor_open) {
        host_timer_cancel(exchange->host->inner, exchange->leaving);
        exchange->leaving = 0;
    }
    if (exchange->peer_open)
        fault_exchange_send(exchange, event);
    else
        fault_exchange_settle(exchange); /* nobody is there, and no rule is to count it */
}

static void http_respond(struct host *host, uint64_t id, const struct http_response *response) {
    struct fault_exchange *exchange;
    if (is_plain(host, id, &exchange))
        host_http_respond(of(host)->inner, id, response);
    say(exchange, &(struct fault_event){.kind = FAULT_EVENT_RESPOND, .response = response});
}

static void http_write(struct host *host, uint64_t id, const void *bytes, size_t length) {
    struct fault_exchange *exchange;
    if (is_plain(host, id, &exchange))
        host_http_write(of(host)->inner, id, bytes, length);
    say(exchange, &(struct fault_event){.kind = FAULT_EVENT_WRITE, .bytes = bytes, .length = length});
}

static void http_end(struct host *host, uint64_t id) {
    struct fault_exchange *exchange;
    if (is_plain(host, id, &exchange))
        host_http_end(of(host)->inner, id);
    say(exchange, &(struct fault_event){.kind = FAULT_EVENT_END});
}

static void http_reset(struct host *host, uint64_t id) {
    struct fault_exchange *exchange;
    if (is_plain(host, id, &exchange))
        host_http_reset(of(host)->inner, id);
    say(exchange, &(struct fault_event){.kind = FAULT_EVENT_RESET});
}

static size_t http_unsent(struct host *host, uint64_t id) {
    struct fault_exchange *exchange;
    if (is_plain(host, id, &exchange) || exchange)
        return host_http_unsent(of(host)->inner, id) + (exchange ? fault_exchange_held_bytes(exchange) : 0);
    return 0;
}

static bool websocket_accept(struct host *host, uint64_t id, const struct websocket_server_events *events,
                             void *context) {
    struct fault_exchange *exchange;
    if (is_plain(host, id, &exchange))
        return host_websocket_accept(of(host)->inner, id, events, context);
    if (!exchange || !exchange->actor_open ||
        !host_websocket_accept(of(host)->inner, id, &fault_door_socket_events, exchange))
        return false;
    exchange->accepted = true;
    exchange->events = *events;
    exchange->events_context = context;
    fault_exchange_send(exchange, &(struct fault_event){.kind = FAULT_EVENT_ACCEPTED});
    return true;
}

static void websocket_send(struct host *host, uint64_t id, enum websocket_kind kind, const void *bytes,
                           size_t length) {
    struct fault_exchange *exchange;
    if (is_plain(host, id, &exchange))
        host_websocket_send(of(host)->inner, id, kind, bytes, length);
    say(exchange,
        &(struct fault_event){.kind = FAULT_EVENT_SEND, .message = kind, .bytes = bytes, .length = length});
}

static void websocket_close(struct host *host, uint64_t id, int code, const char *reason) {
    struct fault_exchange *exchange;
    if (is_plain(host, id, &exchange))
        host_websocket_close(of(host)->inner, id, code, reason);
    say(exchange,
        &(struct fault_event){.kind = FAULT_EVENT_CLOSE, .code = code, .reason = reason ? reason : ""});
}

static size_t websocket_unsent(struct host *host, uint64_t id) {
    struct fault_exchange *exchange;
    if (is_plain(host, id, &exchange) || exchange)
        return host_websocket_unsent(of(host)->inner, id) + (exchange ? fault_exchange_held(exchange) : 0);
    return 0;
}

static const struct host_operations operations = {.now = now,
                                                  .wall_clock = wall_clock,
                                                  .random = draw,
                                                  .timer_set = timer_set,
                                                  .timer_cancel = timer_cancel,
                                                  .http_send = http_send,
                                                  .http_abort = http_abort,
                                                  .http_listen = http_listen,
                                                  .http_respond = http_respond,
                                                  .http_write = http_write,
                                                  .http_end = http_end,
                                                  .http_reset = http_reset,
                                                  .http_unsent = http_unsent,
                                                  .websocket_connect = websocket_connect,
                                                  .websocket_accept = websocket_accept,
                                                  .websocket_send = websocket_send,
                                                  .websocket_close = websocket_close,
                                                  .websocket_unsent = websocket_unsent,
                                                  .note = note,
                                                  .fault_point = fault_point,
                                                  .knob = knob,
                                                  .mark = mark,
                                                  .mutant = mutant};

/* --- life --- */

struct host *fault_host_create(struct host *inner, const struct fault_settings *settings) {
    struct fault_host *host = memory_allocate(sizeof *host);
    host->base = (struct host){&operations, inner->name, inner->unheard};
    host->inner = inner;
    host->settings = *settings;
    host->counts = memory_allocate_array(settings->rules.count + 1, sizeof *host->counts);
    return &host->base;
}

void fault_host_crash(struct host *host) {
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&of(host)->exchanges, &i)) != NULL;)
        fault_exchange_free(entry->value);
    map_clear(&of(host)->exchanges, NULL);
    of(host)->listener = (struct http_server_events){0};
}

void fault_host_destroy(struct host *host) {
    if (!host)
        return;
    fault_host_crash(host);
    map_free(&of(host)->exchanges, NULL);
    free(of(host)->counts);
    free(host);
}

/* An exchange may go with its healing: a map may lose its current entry. */
void fault_host_stop(struct host *host) {
    struct map_entry *entry;
    of(host)->stopped = true;
    for (size_t i = 0; (entry = map_next(&of(host)->exchanges, &i)) != NULL;) {
        struct fault_exchange *exchange = entry->value;
        fault_exchange_enter(exchange);
        for (size_t j = 0; j < exchange->n_stages; j++) {
            struct fault_stage *stage = &exchange->stages[j];
            if (stage->rule->kind->heal)
                stage->rule->kind->heal(stage);
            fault_stage_hurry(stage);
        }
        fault_exchange_leave(exchange);
    }
}

const struct fault_count *fault_host_counts(const struct host *host) {
    return ((const struct fault_host *)host)->counts;
}
