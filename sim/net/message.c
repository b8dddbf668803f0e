#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/net_private.h"

/* Memory behind a message, handed out piece by piece. */
struct room {
    char *at;
    char *end;
};

static struct message *allocate(enum message_kind kind, size_t size, struct room *room) {
    struct message *message = malloc(sizeof *message + size);
    if (!message)
        message = memory_allocate(sizeof *message + size); /* aborts with the usual words */
    *message = (struct message){.kind = kind};
    room->at = (char *)(message + 1);
    room->end = room->at + size;
    return message;
}

static void *take(struct room *room, size_t size) {
    char *at = room->at;
    assert(size <= (size_t)(room->end - at));
    room->at += size;
    return at;
}

static const void *put(struct room *room, const void *bytes, size_t length) {
    char *at = take(room, length);
    if (length > 0)
        memcpy(at, bytes, length);
    return at;
}

static const char *put_text(struct room *room, const char *text) {
    return put(room, text, strlen(text) + 1);
}

static size_t headers_size(const struct http_header *headers, size_t count) {
    size_t size = count * sizeof *headers;
    for (size_t i = 0; i < count; i++)
        size += strlen(headers[i].name) + strlen(headers[i].value) + 2;
    return size;
}

/* Must come first in the room: it needs the alignment. */
static const struct http_header *put_headers(struct room *room, const struct http_header *headers,
                                             size_t count) {
    if (count == 0)
        return NULL;
    struct http_header *copy = take(room, count * sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i].name = put_text(room, headers[i].name);
        copy[i].value = put_text(room, headers[i].value);
    }
    return copy;
}

struct message *message_request(const struct http_request *request) {
    assert(request->authority && request->method && request->target);
    assert(request->body || request->body_length == 0);
    size_t size = headers_size(request->headers, request->n_headers) + strlen(request->authority) +
                  strlen(request->method) + strlen(request->target) + 3 + request->body_length + 1;
    struct room room;
    struct message *message = allocate(MESSAGE_REQUEST, size, &room);
    struct http_request *copy = &message->as.request;
    copy->headers = put_headers(&room, request->headers, request->n_headers);
    copy->n_headers = request->n_headers;
    copy->authority = put_text(&room, request->authority);
    copy->method = put_text(&room, request->method);
    copy->target = put_text(&room, request->target);
    copy->body_length = request->body_length;
    if (request->body_length > 0) {
        copy->body = put(&room, request->body, request->body_length);
        *(char *)take(&room, 1) = 0; /* not counted, but kind to those who print it */
    }
    return message;
}

struct message *message_response(const struct http_response *response) {
    assert(response->status >= 100 && response->status <= 599);
    struct room room;
    struct message *message =
        allocate(MESSAGE_HEAD, headers_size(response->headers, response->n_headers), &room);
    struct http_response *copy = &message->as.response;
    copy->status = response->status;
    copy->headers = put_headers(&room, response->headers, response->n_headers);
    copy->n_headers = response->n_headers;
    assert(room.at == room.end);
    return message;
}

struct message *message_body(const void *first, size_t first_length, const void *second,
                             size_t second_length) {
    struct room room;
    size_t length = first_length + second_length;
    struct message *message = allocate(MESSAGE_BODY, length + 1, &room);
    message->as.body.bytes = put(&room, first, first_length);
    (void)put(&room, second, second_length);
    message->as.body.length = length;
    *(char *)take(&room, 1) = 0;
    return message;
}

struct message *message_plain(enum message_kind kind) {
    assert(kind == MESSAGE_CLOSE || kind == MESSAGE_END || kind == MESSAGE_ACCEPT);
    struct room room;
    return allocate(kind, 0, &room);
}

struct message *message_failure(enum http_failure failure) {
    struct room room;
    struct message *message = allocate(MESSAGE_FAILURE, 0, &room);
    message->as.failure = failure;
    return message;
}

struct message *message_data(enum websocket_kind kind, const void *bytes, size_t length) {
    assert(kind == WEBSOCKET_TEXT || kind == WEBSOCKET_BINARY);
    struct room room;
    struct message *message = allocate(MESSAGE_DATA, length + 1, &room);
    message->as.data.kind = kind;
    message->as.data.bytes = put(&room, bytes, length);
    message->as.data.length = length;
    *(char *)take(&room, 1) = 0;
    return message;
}

struct message *message_goodbye(int code, const char *reason) {
    struct room room;
    struct message *message = allocate(MESSAGE_GOODBYE, strlen(reason) + 1, &room);
    message->as.goodbye.code = code;
    message->as.goodbye.reason = put_text(&room, reason);
    return message;
}
