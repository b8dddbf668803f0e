/* Test support: two or more nodes whose every event is written to a log, one line each with the virtual time
 * in milliseconds: "12 client body: abc". A test compares the whole log, so it reads as the story of the run.
 */
#ifndef SYNCLINE_TESTS_NET_NET_LOG_H
#define SYNCLINE_TESTS_NET_NET_LOG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buffer.h"
#include "net/net.h"

#define MS TIME_MILLISECOND

struct net_log {
    struct world *world;
    struct net *net;
    struct host *client;
    struct host *server;
    struct buffer text;
    struct buffer wire;
    struct hash128 wire_hash;
    uint64_t served;   /* the newest exchange that the server saw */
    bool silent;       /* the server only takes requests; otherwise it answers "ok" at once */
    uint64_t received; /* body bytes that clients saw */
};

static inline void log_time(struct net_log *log) {
    buffer_printf(&log->text, "%lld ", (long long)(world_now(log->world) / MS));
}

static inline void log_head(void *context, uint64_t exchange, const struct http_response *response) {
    struct net_log *log = context;
    log_time(log);
    buffer_printf(&log->text, "client #%d head %d\n", (int)exchange, response->status);
}

static inline void log_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    struct net_log *log = context;
    log->received += length;
    log_time(log);
    buffer_printf(&log->text, "client #%d body %.*s\n", (int)exchange, (int)length, (const char *)bytes);
}

static inline void log_end(void *context, uint64_t exchange) {
    struct net_log *log = context;
    log_time(log);
    buffer_printf(&log->text, "client #%d end\n", (int)exchange);
}

static inline void log_failed(void *context, uint64_t exchange, enum http_failure failure) {
    static const char *const names[] = {"refused", "reset", "timeout"};
    struct net_log *log = context;
    log_time(log);
    buffer_printf(&log->text, "client #%d %s\n", (int)exchange, names[failure]);
}

static const struct http_client_events client_events = {
    .head = log_head, .body = log_body, .end = log_end, .failed = log_failed};

static inline void answer(struct net_log *log, uint64_t exchange, const char *body) {
    host_http_respond(log->server, exchange, &(struct http_response){.status = 200});
    host_http_write(log->server, exchange, body, strlen(body));
    host_http_end(log->server, exchange);
}

static inline void log_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct net_log *log = context;
    log_time(log);
    buffer_printf(&log->text, "server #%d %s %s\n", (int)exchange, request->method, request->target);
    log->served = exchange;
    if (!log->silent)
        answer(log, exchange, "ok");
}

static inline void log_closed(void *context, uint64_t exchange) {
    struct net_log *log = context;
    log_time(log);
    buffer_printf(&log->text, "server #%d closed\n", (int)exchange);
}

static const struct http_server_events server_events = {.request = log_request, .closed = log_closed};

static inline void log_wire(void *context, int64_t now, const struct wire_event *event) {
    static const char *const names[] = {
        "request",       "request-seen", "response",       "write",   "end",       "head-seen",
        "body-seen",     "end-seen",     "failed",         "aborted", "closed",    "accept",
        "accept-seen",   "up",           "up-seen",        "down",    "down-seen", "up-close",
        "up-close-seen", "down-close",   "down-close-seen"};
    struct net_log *log = context;
    struct buffer line = {0};
    buffer_printf(&line, "%s #%d %s>%s %s %d ", names[event->kind], (int)event->exchange, event->client,
                  event->server, event->target, event->status);
    buffer_append(&log->wire, line.data, line.length);
    buffer_append(&log->wire, event->bytes, event->length);
    buffer_append_char(&log->wire, '\n');
    buffer_printf(&line, "%lld", (long long)now);
    buffer_append(&line, event->bytes, event->length);
    buffer_append(&line, &log->wire_hash, sizeof log->wire_hash); /* order matters */
    log->wire_hash = hash128_of(line.data, line.length);
    buffer_free(&line);
}

/* Latency 10 ms each way, no jitter unless the caller sets some, 5 s until an exchange is given up. */
static inline void log_open(struct net_log *log, uint64_t seed, int64_t jitter) {
    memset(log, 0, sizeof *log);
    log->world = world_create(&(struct world_settings){.seed = seed, .max_events = 1000000});
    log->net = net_create(log->world, &(struct net_settings){10 * MS, jitter, 5 * TIME_SECOND});
    log->client = net_node(log->net, "alice-1");
    log->server = net_node(log->net, "convex");
    host_http_listen(log->server, &server_events, log);
    world_observe(log->world, &(struct world_observer){.wire = log_wire, .context = log});
}

static inline void log_close(struct net_log *log) {
    net_destroy(log->net);
    world_destroy(log->world);
    buffer_free(&log->text);
    buffer_free(&log->wire);
}

static inline uint64_t send_to(struct net_log *log, const char *authority, const char *body) {
    struct http_request request = {.authority = authority, .method = "POST", .target = "/x"};
    request.body = body;
    request.body_length = body ? strlen(body) : 0;
    return host_http_send(log->client, &request, &client_events, log);
}

static inline void run_for(struct net_log *log, int64_t duration) {
    struct error error = {0};
    if (world_run(log->world, world_now(log->world) + duration, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

/* Compare the log so far and start a new one. */
static inline void check_log(struct net_log *log, const char *expected) {
    assert_string_equal(buffer_text(&log->text), expected);
    buffer_clear(&log->text);
}

static inline uint64_t counter_of(struct net_log *log, const char *name) {
    const struct net_counter *counters;
    size_t count = net_counters(log->net, &counters);
    for (size_t i = 0; i < count; i++)
        if (strcmp(counters[i].name, name) == 0)
            return counters[i].count;
    fail_msg("no counter %s", name);
    return 0;
}

#endif
