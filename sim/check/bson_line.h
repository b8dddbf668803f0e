/* Binary sync lines as the text lines that mean the same: what the grammar and the other wire checks read.
 * Just enough of BSON for that: documents, arrays, strings, numbers, booleans, null. */
#ifndef SYNCLINE_CHECK_BSON_LINE_H
#define SYNCLINE_CHECK_BSON_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

#define BSON_LINE_NESTING 100
#define BSON_LINE_LENGTH ((size_t)64 * 1024 * 1024) /* bytes of one document */

/* Appends the document as compact JSON. False: `bytes` is not exactly one such document. */
bool bson_line_append(struct buffer *out, const void *bytes, size_t length);

/* Cuts a body into documents, wherever its chunks end, and hands each over as JSON text. */
struct bson_line_splitter {
    struct buffer rest; /* an incomplete document; a zeroed splitter is empty */
    struct buffer line;
    bool broken; /* bytes that are no BSON came: nothing more is read */
};

/* A document that cannot be read is handed over as the text "bson". */
void bson_line_split(struct bson_line_splitter *splitter, const void *bytes, size_t length,
                     void (*line)(void *context, const char *bytes, size_t length), void *context);
void bson_line_splitter_free(struct bson_line_splitter *splitter);

#endif
