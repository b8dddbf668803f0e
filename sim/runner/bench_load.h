/* Load for a server: many connections in one uv loop, plain HTTP with requests sent ahead, WebSockets, or
 * answers that are streams of lines. No more of each protocol than a benchmark of our own server needs: an
 * answer has a content-length or chunks, frames of the server are whole messages. What arrives is checked by
 * the caller. */
#ifndef SYNCLINE_RUNNER_BENCH_LOAD_H
#define SYNCLINE_RUNNER_BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/error.h"

struct load_connection;

enum load_protocol { LOAD_HTTP, LOAD_WEBSOCKETS, LOAD_LINES };

struct load_events {
    /* The connection is there (WebSockets: open). */
    void (*opened)(void *context, struct load_connection *connection);
    /* An answer's body, a message, or one line of a chunked answer without its newline. False: not what was
     * wanted; the load fails. */
    bool (*received)(void *context, struct load_connection *connection, int status, const char *bytes,
                     size_t length);
};

struct load {
    uv_loop_t *loop;
    int port;
    enum load_protocol protocol;
    const struct load_events *events;
    void *context;
    struct load_connection **connections;
    size_t n_connections, n_open, n_closed;
    bool failed, closing;
    struct error error; /* of the first failure */
};

struct load_connection {
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct load *load;
    size_t index;
    bool upgraded, closed, reconnecting;
    bool in_chunks;               /* the answer under way is chunked */
    int status;                   /* of it */
    struct buffer in, out, lines; /* out: not written yet; lines: the beginning of one */
    uint64_t number;              /* for the caller */
    char read_buffer[65536];
};

void load_start(struct load *load, uv_loop_t *loop, int port, size_t connections, enum load_protocol protocol,
                const struct load_events *events, void *context);
/* Queue bytes of a request; load_flush writes what is queued. `headers` end with \r\n each. */
void load_request(struct load_connection *connection, const char *method, const char *target,
                  const char *headers, const char *body, size_t length);
void load_message(struct load_connection *connection, const char *text, size_t length);
void load_flush(struct load_connection *connection);
/* Close the connection and open it again; `opened` follows. */
void load_reconnect(struct load_connection *connection);
void load_stop(struct load *load); /* closes and frees everything */
void load_fail(struct load *load, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
