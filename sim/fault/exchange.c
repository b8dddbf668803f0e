/* One request or WebSocket that rules strike: its stages, and its two ends. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/memory.h"
#include "fault/fault_host_private.h"

/* --- life --- */

static bool is_handshake(const struct http_request *request) {
    for (size_t i = 0; i < request->n_headers; i++)
        if (!strcasecmp(request->headers[i].name, "upgrade"))
            return !strcasecmp(request->headers[i].value, "websocket");
    return false;
}

static void add_stage(struct fault_exchange *exchange, const struct fault_rule *rule, bool struck) {
    size_t index = exchange->n_stages++;
    exchange->stages[index] = (struct fault_stage){
        .rule = rule, .parameters = rule->parameters, .exchange = exchange, .index = index, .struck = struck};
}

struct fault_exchange *fault_exchange_create(struct fault_host *host, uint64_t id,
                                             const struct http_request *request) {
    const struct fault_rules *rules = &host->settings.rules;
    struct fault_exchange *exchange = NULL;
    for (size_t i = 0; i < rules->count; i++) {
        const struct fault_rule *rule = &rules->rules[i];
        if (!fault_rule_matches(rule, request))
            continue;
        bool struck = !rule->message && fault_trigger(host, i);
        if (!struck && !(rule->message && is_handshake(request)))
            continue;
        if (!exchange)
            exchange = memory_allocate(sizeof *exchange + rules->count * sizeof *exchange->stages);
        add_stage(exchange, rule, struck);
    }
    if (!exchange)
        return NULL;
    exchange->host = host;
    exchange->id = id;
    exchange->peer_open = true;
    map_set_bytes(&host->exchanges, &exchange->id, sizeof exchange->id, exchange);
    return exchange;
}

struct fault_exchange *fault_exchange_find(struct fault_host *host, uint64_t id) {
    return host->exchanges.count > 0 ? map_get_bytes(&host->exchanges, &id, sizeof id) : NULL;
}

void fault_exchange_free(struct fault_exchange *exchange) {
    for (size_t i = 0; i < exchange->n_stages; i++)
        fault_stage_clear(&exchange->stages[i]);
    host_timer_cancel(exchange->host->inner, exchange->leaving);
    free(exchange);
}

void fault_exchange_enter(struct fault_exchange *exchange) {
    exchange->busy++;
}

static bool holds_anything(const struct fault_exchange *exchange) {
    for (size_t i = 0; i < exchange->n_stages; i++)
        if (exchange->stages[i].first)
            return true;
    return false;
}

void fault_exchange_leave(struct fault_exchange *exchange) {
    assert(exchange->busy > 0);
    if (--exchange->busy > 0 || exchange->peer_open || exchange->actor_open || holds_anything(exchange))
        return;
    map_remove_bytes(&exchange->host->exchanges, &exchange->id, sizeof exchange->id);
    fault_exchange_free(exchange);
}

/* --- the actor's end --- */

static void show_request(struct fault_exchange *exchange, const struct fault_event *event) {
    struct fault_host *host = exchange->host;
    uint64_t id = event->echo ? FAULT_ECHO_BIT | ++host->echoes : exchange->id;
    if (!host->listener.request)
        return;
    if (!event->echo)
        exchange->actor_open = true;
    host->listener.request(host->listener_context, id, event->request);
}

static void show_gone(struct fault_exchange *exchange, int code, const char *reason) {
    struct fault_host *host = exchange->host;
    exchange->actor_open = false;
    host_timer_cancel(host->inner, exchange->leaving);
    exchange->leaving = 0;
    if (exchange->accepted && exchange->events.closed)
        exchange->events.closed(exchange->events_context, exchange->id, code, reason);
    if (!exchange->accepted && host->listener.closed)
        host->listener.closed(host->listener_context, exchange->id);
}

static void reach_actor(struct fault_exchange *exchange, const struct fault_event *event) {
    if (event->kind == FAULT_EVENT_REQUEST) {
        show_request(exchange, event);
        return;
    }
    if (!exchange->actor_open || exchange->leaving != 0) /* it is told in a moment that nobody is there */
        return;
    if (event->kind != FAULT_EVENT_MESSAGE)
        show_gone(exchange, event->code, event->reason ? event->reason : "");
    else if (exchange->events.message)
        exchange->events.message(exchange->events_context, exchange->id, event->message, event->bytes,
                                 event->length);
}

static void tell_left(void *context) {
    struct fault_exchange *exchange = context;
    exchange->leaving = 0;
    fault_exchange_enter(exchange);
    if (exchange->actor_open)
        show_gone(exchange, exchange->leave_code, exchange->leave_reason);
    fault_exchange_leave(exchange);
}

void fault_leave_actor(struct fault_stage *stage, int code, const char *reason) {
    struct fault_exchange *exchange = stage->exchange;
    if (!exchange->actor_open || exchange->leaving != 0)
        return;
    size_t length = strnlen(reason, WEBSOCKET_REASON_LIMIT);
    memcpy(exchange->leave_reason, reason, length);
    exchange->leave_reason[length] = '\0';
    exchange->leave_code = code;
    exchange->leaving = host_timer_set(exchange->host->inner, 0, tell_left, exchange);
}

/* --- the peer's end --- */

static void reach_peer(struct fault_exchange *exchange, const struct fault_event *event) {
    struct host *inner = exchange->host->inner;
    if (!exchange->peer_open)
        return;
    switch (event->kind) {
    case FAULT_EVENT_RESPOND:
        host_http_respond(inner, exchange->id, event->response);
        break;
    case FAULT_EVENT_WRITE:
        host_http_write(inner, exchange->id, event->bytes, event->length);
        break;
    case FAULT_EVENT_END:
        exchange->peer_open = false;
        host_http_end(inner, exchange->id);
        break;
    case FAULT_EVENT_RESET:
        exchange->peer_open = false;
        host_http_reset(inner, exchange->id);
        break;
    case FAULT_EVENT_SEND:
        host_websocket_send(inner, exchange->id, event->message, event->bytes, event->length);
        break;
    case FAULT_EVENT_CLOSE:
        exchange->peer_open = false;
        host_websocket_close(inner, exchange->id, event->code, event->reason);
        break;
    default:
        assert(event->kind == FAULT_EVENT_ACCEPTED); /* the peer knows by itself */
    }
}

/* --- in between --- */

/* Does the message's `type` match the rule's glob? */
static bool has_type(const struct fault_event *event, const char *glob) {
    json_t *json = event->message == WEBSOCKET_TEXT
                       ? json_loadb(event->bytes, event->length, JSON_DECODE_INT_AS_REAL, NULL)
                       : NULL;
    const char *type = json_string_value(json_object_get(json, "type"));
    bool matches = fault_glob_matches(glob, type ? type : "", type ? strlen(type) : 0);
    json_decref(json);
    return matches;
}

static bool strikes(struct fault_stage *stage, const struct fault_event *event) {
    struct fault_host *host = stage->exchange->host;
    if (!stage->rule->message)
        return event->kind == FAULT_EVENT_REQUEST && !event->echo;
    if ((event->kind != FAULT_EVENT_MESSAGE && event->kind != FAULT_EVENT_SEND) || host->stopped)
        return false;
    if (!has_type(event, stage->rule->message) ||
        !fault_trigger(host, (size_t)(stage->rule - host->settings.rules.rules)))
        return false;
    stage->struck = true;
    return true;
}

void fault_exchange_advance(struct fault_exchange *exchange, size_t next, const struct fault_event *event) {
    if (next < exchange->n_stages) {
        struct fault_stage *stage = &exchange->stages[next];
        bool struck = strikes(stage, event);
        stage->rule->kind->pass(stage, event, struck);
    } else if (fault_event_is_inward(event)) {
        reach_actor(exchange, event);
    } else {
        reach_peer(exchange, event);
    }
}

void fault_exchange_settle(struct fault_exchange *exchange) {
    fault_exchange_enter(exchange);
    fault_exchange_leave(exchange);
}

void fault_exchange_send(struct fault_exchange *exchange, const struct fault_event *event) {
    fault_exchange_enter(exchange);
    fault_exchange_advance(exchange, fault_event_is_inward(event) ? 0 : exchange->n_stages - 1, event);
    fault_exchange_leave(exchange);
}
