#include "mock-convex/http/reply.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "mock-convex/value/utf8.h"

bool convex_reply_error(struct convex_reply *reply, int status, const char *code, const char *format, ...) {
    assert(status >= 400 && status <= 599);
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    reply->status = status;
    buffer_clear(&reply->body);
    buffer_append_text(&reply->body, "{\"code\":");
    buffer_append_json_text(&reply->body, code);
    buffer_append_text(&reply->body, ",\"message\":");
    convex_utf8_append_json(&reply->body, message);
    buffer_append_char(&reply->body, '}');
    return false;
}

bool convex_reply_internal(struct convex_reply *reply) {
    return convex_reply_error(
        reply, 500, "InternalServerError",
        "The request could not be completed because of an internal error. Try again later.");
}

void convex_reply_send(struct convex_reply *reply, struct host *host, uint64_t exchange) {
    assert(reply->status != 0);
    assert(exchange != 0);
    char length[32];
    snprintf(length, sizeof length, "%zu", reply->body.length);
    struct http_header headers[2 + CONVEX_REPLY_HEADERS_MOST];
    struct http_response response = {.status = reply->status, .headers = headers};
    headers[response.n_headers++] = (struct http_header){"content-length", length};
    if (reply->body.length > 0) {
        const char *type = reply->content_type != NULL ? reply->content_type : "application/json";
        headers[response.n_headers++] = (struct http_header){"content-type", type};
    }
    for (size_t i = 0; i < reply->n_headers; i++) {
        headers[response.n_headers++] = (struct http_header){reply->headers[i].name, reply->headers[i].value};
    }
    host_http_respond(host, exchange, &response);
    if (reply->body.length > 0) {
        host_http_write(host, exchange, reply->body.data, reply->body.length);
    }
    host_http_end(host, exchange);
    convex_reply_free(reply);
}

void convex_reply_header(struct convex_reply *reply, const char *name, const char *value) {
    assert(reply->n_headers < CONVEX_REPLY_HEADERS_MOST);
    reply->headers[reply->n_headers++] =
        (struct convex_reply_header){.name = name, .value = memory_copy_text(value)};
}

void convex_reply_free(struct convex_reply *reply) {
    for (size_t i = 0; i < reply->n_headers; i++) {
        free(reply->headers[i].value);
    }
    buffer_free(&reply->body);
    *reply = (struct convex_reply){0};
}
