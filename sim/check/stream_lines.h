/* The lines of a sync stream as the service wrote them: which exchanges are streams, and how their bodies are
 * cut. Binary lines are handed over as the text lines that they would have been. For the properties that
 * watch the wire. */
#ifndef SYNCLINE_CHECK_STREAM_LINES_H
#define SYNCLINE_CHECK_STREAM_LINES_H

#include "base/buffer.h"
#include "check/sync_line.h"
#include "kernel/world.h"

enum stream_encoding { STREAM_NO_LINES, STREAM_TEXT, STREAM_BINARY };

/* Zeroed: nothing was seen. */
struct stream_lines {
    enum stream_encoding encoding;
    struct sync_line_splitter text;
    struct buffer documents; /* STREAM_BINARY: what is not a whole one yet */
    bool broken;             /* bytes came that begin no document: nothing more is read */
};

/* POST /sync/stream */
bool stream_lines_is_stream(const struct wire_event *event);
/* An exchange id as 16 hex digits: maps have text keys. */
void stream_lines_key(uint64_t exchange, char key[17]);
/* From status and content type of the head. */
enum stream_encoding stream_lines_encoding(const struct wire_event *event);
/* A document that cannot be read is handed over as a text that is no line. */
void stream_lines_body(struct stream_lines *lines, const void *bytes, size_t length,
                       void (*line)(void *context, const char *bytes, size_t length), void *context);
size_t stream_lines_left(const struct stream_lines *lines); /* bytes of an incomplete line */
void stream_lines_free(struct stream_lines *lines);

/* "" when there is no such header. */
const char *stream_lines_header(const struct http_response *response, const char *name);
bool stream_lines_media_type(const char *value, const char *wanted); /* parameters do not matter */

#endif
