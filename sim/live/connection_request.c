/* The reading half of a connection: bytes to requests, by http_parser. */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "live/connection.h"

static int refuse(struct connection *connection, int status) {
    connection->incoming.refusal = status;
    return -1;
}

/* Counts header bytes; false above the limit. */
static bool count_header(struct connection *connection, size_t length) {
    connection->incoming.header_bytes += length;
    return connection->incoming.header_bytes <= live_header_bytes_most;
}

static int on_url(http_parser *parser, const char *at, size_t length) {
    struct connection *connection = parser->data;
    if (!count_header(connection, length))
        return refuse(connection, 431);
    buffer_append(&connection->incoming.target, at, length);
    return 0;
}

static int on_field(http_parser *parser, const char *at, size_t length) {
    struct connection *connection = parser->data;
    struct incoming *incoming = &connection->incoming;
    if (!count_header(connection, length))
        return refuse(connection, 431);
    if (incoming->head_complete)
        return 0;
    if (incoming->in_value || incoming->n_fields == 0) {
        if (incoming->n_fields == live_header_fields_most)
            return refuse(connection, 431);
        if (incoming->n_fields > 0)
            buffer_append_char(&incoming->text, '\0');
        incoming->fields[incoming->n_fields++] = (struct field_place){.name = incoming->text.length};
        incoming->in_value = false;
    }
    buffer_append(&incoming->text, at, length);
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t length) {
    struct connection *connection = parser->data;
    struct incoming *incoming = &connection->incoming;
    if (!count_header(connection, length))
        return refuse(connection, 431);
    if (incoming->head_complete)
        return 0;
    assert(incoming->n_fields > 0);
    if (!incoming->in_value) {
        buffer_append_char(&incoming->text, '\0');
        incoming->fields[incoming->n_fields - 1].value = incoming->text.length;
        incoming->in_value = true;
    }
    buffer_append(&incoming->text, at, length);
    return 0;
}

static struct http_header field_at(const struct incoming *incoming, size_t index) {
    const char *text = buffer_text(&incoming->text);
    assert(index < incoming->n_fields);
    return (struct http_header){.name = text + incoming->fields[index].name,
                                .value = text + incoming->fields[index].value};
}

static const char *field_named(const struct incoming *incoming, const char *name) {
    for (size_t i = 0; i < incoming->n_fields; i++)
        if (strcasecmp(field_at(incoming, i).name, name) == 0)
            return field_at(incoming, i).value;
    return NULL;
}

static int on_head_complete(http_parser *parser) {
    struct connection *connection = parser->data;
    struct incoming *incoming = &connection->incoming;
    incoming->head_complete = true;
    if (parser->http_major != 1)
        return refuse(connection, 505);
    if (parser->content_length != UINT64_MAX && parser->content_length > LIVE_BODY_LIMIT)
        return refuse(connection, 413);
    const char *expect = field_named(incoming, "expect");
    if (expect && strcasecmp(expect, "100-continue") == 0) {
        buffer_append_text(&connection->stream.out, "HTTP/1.1 100 Continue\r\n\r\n");
        connection_mark_due(connection);
    }
    return 0;
}

static int on_body(http_parser *parser, const char *at, size_t length) {
    struct connection *connection = parser->data;
    struct buffer *body = &connection->incoming.body;
    if (length > LIVE_BODY_LIMIT - body->length)
        return refuse(connection, 413);
    buffer_append(body, at, length);
    return 0;
}

static int on_complete(http_parser *parser) {
    struct connection *connection = parser->data;
    connection->incoming.complete = true;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings callbacks = {.on_url = on_url,
                                               .on_header_field = on_field,
                                               .on_header_value = on_value,
                                               .on_headers_complete = on_head_complete,
                                               .on_body = on_body,
                                               .on_message_complete = on_complete};

/* A header that was long once should not keep its memory; a body neither. */
void connection_parse_start(struct connection *connection) {
    struct incoming *incoming = &connection->incoming;
    buffer_clear(&incoming->target);
    buffer_clear(&incoming->text);
    buffer_free(&incoming->body);
    struct buffer target = incoming->target, text = incoming->text;
    *incoming = (struct incoming){.target = target, .text = text};
    http_parser_init(&connection->parser, HTTP_REQUEST);
    connection->parser.data = connection;
}

bool connection_parse(struct connection *connection) {
    struct incoming *incoming = &connection->incoming;
    struct buffer *held = &connection->stream.held;
    assert(connection->phase == CONNECTION_READING && !incoming->complete);
    if (held->length == 0)
        return false;
    size_t taken = http_parser_execute(&connection->parser, &callbacks, held->data, held->length);
    enum http_errno code = HTTP_PARSER_ERRNO(&connection->parser);
    assert(taken <= held->length);
    buffer_consume(held, taken);
    if (code != HPE_OK && code != HPE_PAUSED && !incoming->refusal)
        incoming->refusal = code == HPE_HEADER_OVERFLOW ? 431 : 400;
    return incoming->complete && !incoming->refusal;
}

const char *connection_field(const struct connection *connection, const char *name) {
    return field_named(&connection->incoming, name);
}

void connection_deliver(struct connection *connection) {
    struct incoming *incoming = &connection->incoming;
    struct live_node *node = connection->node;
    struct http_header headers[live_header_fields_most];
    assert(incoming->complete && connection->exchange != 0 && node->listening);
    for (size_t i = 0; i < incoming->n_fields; i++)
        headers[i] = field_at(incoming, i);
    const char *host = field_named(incoming, "host");
    const struct http_request request = {.authority = host ? host : node->address,
                                         .method = http_method_str(connection->parser.method),
                                         .target = buffer_text(&incoming->target),
                                         .headers = headers,
                                         .n_headers = incoming->n_fields,
                                         .body = incoming->body.length ? incoming->body.data : NULL,
                                         .body_length = incoming->body.length};
    node->listener.request(node->listener_context, connection->exchange, &request);
}
