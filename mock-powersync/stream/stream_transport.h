/* What a sync stream sends its lines through: an HTTP response, or a request stream of RSocket. The transport
 * owns the connection and the struct sync_stream. No function may call back into the stream.
 */
#ifndef MOCK_POWERSYNC_STREAM_TRANSPORT_H
#define MOCK_POWERSYNC_STREAM_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

struct http_error;

struct stream_transport {
    /* One line: JSON with its newline, or one BSON document. The bytes are borrowed for the call. The
     * transport counts data_sent_bytes; the stream counts the rest. */
    void (*write)(void *context, const void *bytes, size_t length);
    /* The stream is over, cleanly. The stream does nothing more: destroy it, now or later. */
    void (*end)(void *context);
    /* The same after an error: before the first line an answer with it, after that the connection breaks. The
     * error and its texts are borrowed for the call. */
    void (*fail)(void *context, const struct http_error *error);
    /* May one more line be written now? Asked before each. Where not (no credits, a reader that does not keep
     * up) nothing is written except the last line of an expired token, until the transport calls
     * sync_stream_resume. */
    bool (*ready)(void *context);
    bool keepalives; /* periodic token_expires_in lines, or only those about the token's end */
    void *context;
};

#endif
