/* Test support: a server behind a door with fault rules, a client, and a log of what both see, one line each
 * with the virtual time in ms. The link takes 10 ms each way. The server answers "hello world" at once; it
 * accepts WebSockets and answers a message of type A with one of type B. */
#ifndef SYNCLINE_TESTS_FAULT_FAULT_WORLD_H
#define SYNCLINE_TESTS_FAULT_FAULT_WORLD_H

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "fault/fault_file.h"
#include "net/net.h"

struct fault_world {
    struct world *world;
    struct net *net;
    struct host *client, *door;
    struct arena arena;
    struct fault_file file;
    struct buffer log;
    bool streams;    /* the server does not end its answers */
    uint64_t socket; /* of the client */
    uint64_t seen;   /* exchange of the newest request that the server saw */
    bool same_twice; /* it saw one exchange twice */
};

static inline void tell(struct fault_world *w, const char *who, const char *what) {
    buffer_printf(&w->log, "%lld %s %s\n", (long long)(world_now(w->world) / TIME_MILLISECOND), who, what);
}

static inline void told(struct fault_world *w, const char *who, const char *what, const void *bytes,
                        size_t length) {
    buffer_printf(&w->log, "%lld %s %s %.*s\n", (long long)(world_now(w->world) / TIME_MILLISECOND), who,
                  what, (int)length, (const char *)bytes);
}

static inline void told_close(struct fault_world *w, const char *who, int code, const char *reason) {
    char text[160];
    snprintf(text, sizeof text, "%d%s%s", code, *reason ? " " : "", reason);
    told(w, who, "closed", text, strlen(text));
}

/* --- the server --- */

static inline void server_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                                  size_t length) {
    struct fault_world *w = context;
    told(w, "server", "got", bytes, length);
    if (length == strlen("{\"type\":\"A\"}"))
        host_websocket_send(w->door, socket, kind, "{\"type\":\"B\"}", 12);
}

static inline void server_gone(void *context, uint64_t socket, int code, const char *reason) {
    (void)socket;
    told_close(context, "server", code, reason);
}

static inline void server_request(void *context, uint64_t exchange, const struct http_request *request) {
    static const struct websocket_server_events events = {server_message, server_gone};
    struct fault_world *w = context;
    told(w, "server", request->method, request->target, strlen(request->target));
    w->same_twice = w->same_twice || exchange == w->seen;
    w->seen = exchange;
    if (host_websocket_accept(w->door, exchange, &events, w))
        return;
    host_http_respond(w->door, exchange, &(struct http_response){.status = 200});
    host_http_write(w->door, exchange, "hello world", 11);
    if (!w->streams)
        host_http_end(w->door, exchange);
}

static inline void server_closed(void *context, uint64_t exchange) {
    (void)exchange;
    tell(context, "server", "left");
}

/* --- the client --- */

static inline void client_head(void *context, uint64_t exchange, const struct http_response *response) {
    char text[64];
    (void)exchange;
    const char *type = response->n_headers > 0 ? response->headers[response->n_headers - 1].value : "";
    snprintf(text, sizeof text, "%d%s%s", response->status, *type ? " " : "", type);
    tell(context, "client", text);
}

static inline void client_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    (void)exchange;
    told(context, "client", "body", bytes, length);
}

static inline void client_end(void *context, uint64_t exchange) {
    (void)exchange;
    tell(context, "client", "end");
}

static inline void client_failed(void *context, uint64_t exchange, enum http_failure failure) {
    (void)exchange;
    tell(context, "client", failure == HTTP_FAILURE_RESET ? "reset" : "failed");
}

static inline void client_opened(void *context, uint64_t socket) {
    (void)socket;
    tell(context, "client", "open");
}

static inline void client_refused(void *context, uint64_t socket, const struct http_response *response) {
    client_head(context, socket, response);
}

static inline void client_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                                  size_t length) {
    (void)socket;
    (void)kind;
    told(context, "client", "got", bytes, length);
}

static inline void client_gone(void *context, uint64_t socket, int code, const char *reason) {
    (void)socket;
    told_close(context, "client", code, reason);
}

/* --- the world --- */

static inline void open_world(struct fault_world *w, const char *rules, uint64_t seed) {
    static const struct http_server_events events = {server_request, server_closed};
    struct yaml_document document;
    struct error error = {0};
    memset(w, 0, sizeof *w);
    w->world = world_create(&(struct world_settings){.seed = seed, .max_events = 1000000});
    w->net = net_create(w->world, &(struct net_settings){.latency = 10 * TIME_MILLISECOND});
    if (yaml_parse(&document, rules, strlen(rules), "rules.yaml", NULL, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    struct reader reader = {&document, &w->arena, &error};
    if (fault_file_read(&reader, (struct reader_value){NULL, NULL, document.root}, &w->file) != STATUS_OK)
        fail_msg("%d:%d: %s", error.line, error.column, error.message);
    yaml_release(&document);
    w->door = fault_host_create(net_node(w->net, "convex"), &w->file.convex);
    w->client = net_node(w->net, "alice-1");
    host_http_listen(w->door, &events, w);
}

static inline void close_world(struct fault_world *w) {
    fault_host_destroy(w->door);
    net_destroy(w->net);
    world_destroy(w->world);
    arena_free(&w->arena);
    buffer_free(&w->log);
}

static inline void run_for(struct fault_world *w, int64_t ms) {
    struct error error = {0};
    if (world_run(w->world, world_now(w->world) + ms * TIME_MILLISECOND, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static inline uint64_t ask(struct fault_world *w, const char *method, const char *target) {
    static const struct http_client_events events = {client_head, client_body, client_end, client_failed};
    return host_http_send(w->client,
                          &(struct http_request){.authority = "convex", .method = method, .target = target},
                          &events, w);
}

static inline void connect_socket(struct fault_world *w) {
    static const struct websocket_client_events events = {client_opened, client_refused, client_message,
                                                          client_gone};
    w->socket = host_websocket_connect(
        w->client, &(struct http_request){.authority = "convex", .method = "GET", .target = "/api/1/sync"},
        &events, w);
}

static inline void send_message(struct fault_world *w, const char *text) {
    host_websocket_send(w->client, w->socket, WEBSOCKET_TEXT, text, strlen(text));
}

/* Compare the log so far and start a new one. */
static inline void check_log(struct fault_world *w, const char *expected) {
    assert_string_equal(buffer_text(&w->log), expected);
    buffer_clear(&w->log);
}

static inline void check_count(struct fault_world *w, size_t rule, uint64_t struck, uint64_t matched) {
    assert_true(rule < w->file.convex.rules.count);
    assert_int_equal(fault_host_counts(w->door)[rule].struck, struck);
    assert_int_equal(fault_host_counts(w->door)[rule].matched, matched);
}

#endif
