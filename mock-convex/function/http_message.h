/* HTTP requests and responses as Convex values, for HTTP actions and for what actions fetch: objects with
 * "method", "status", "headers" (an object of texts) and "body" (a string, or bytes). */
#ifndef MOCK_CONVEX_HTTP_MESSAGE_H
#define MOCK_CONVEX_HTTP_MESSAGE_H

#include "kernel/host.h"
#include "mock-convex/value.h"

/* Text when the bytes are UTF-8, else bytes. */
struct convex_value *convex_body_value(const void *bytes, size_t length);
/* Names in lower case; the values of a repeated one joined by ", ". A field that no Convex object can hold is
 * left out. */
struct convex_value *convex_headers_value(const struct http_header *headers, size_t count);

/* What such an object says, taken apart. Borrowed from it, but for the array. */
struct convex_http_parts {
    const char *method; /* NULL: not said */
    int status;         /* 200 when not said */
    struct http_header *headers;
    size_t n_headers;
    const void *body;
    size_t body_length;
};
/* STATUS_INVALID: no object, or a part of the wrong kind, or one that would break the message. */
enum status convex_http_check(const struct convex_value *message, struct error *error);
/* Of a checked object. */
void convex_http_parts_read(struct convex_http_parts *parts, const struct convex_value *message);
void convex_http_parts_free(struct convex_http_parts *parts);

#endif
