/* What is answered to one HTTP request: status and body, with the backend's error envelope. */
#ifndef MOCK_CONVEX_REPLY_H
#define MOCK_CONVEX_REPLY_H

#include "base/buffer.h"
#include "kernel/host.h"

#define CONVEX_REPLY_HEADERS_MOST 8

struct convex_reply {
    int status;               /* 0: not decided yet */
    struct buffer body;       /* JSON; empty for 404 and 405 of the router */
    const char *content_type; /* static; NULL: application/json */
    struct convex_reply_header {
        const char *name; /* static */
        char *value;
    } headers[CONVEX_REPLY_HEADERS_MOST]; /* besides content-length and content-type */
    size_t n_headers;
};

/* Adds a header; `name` is static, the value is copied. */
void convex_reply_header(struct convex_reply *reply, const char *name, const char *value);

/* {"code": .., "message": ..}. Replaces status and body. Returns false, so that checks can end with it. */
bool convex_reply_error(struct convex_reply *reply, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* 500 InternalServerError: an error whose cause the backend hides. Returns false. */
bool convex_reply_internal(struct convex_reply *reply);
/* Send it and free it. */
void convex_reply_send(struct convex_reply *reply, struct host *host, uint64_t exchange);
void convex_reply_free(struct convex_reply *reply);

#endif
