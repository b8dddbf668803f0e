/* Cuts a stream's body into lines (NDJSON) or documents (BSON), wherever the network cut it into chunks. A
 * line that lies within one chunk is not copied. */
#ifndef SYNCLINE_CLIENT_LINE_SPLITTER_H
#define SYNCLINE_CLIENT_LINE_SPLITTER_H

#include "base/buffer.h"

/* A longer line is refused: the real service sends at most about 1 MiB in one, the bound keeps memory finite.
 */
#define LINE_SPLITTER_LIMIT ((size_t)16 * 1024 * 1024)

enum line_splitter_outcome {
    LINE_SPLITTER_LINE,
    LINE_SPLITTER_MORE,    /* all input is used up; the rest of a line is kept */
    LINE_SPLITTER_TOO_LONG /* nothing more can be read from this stream */
};

/* Zeroed: NDJSON, nothing pending. */
struct line_splitter {
    bool binary;
    bool delivered; /* `pending` holds the line that was delivered last */
    struct buffer pending;
};

/* The next line that begins in what is pending or in the `*length` bytes at `*bytes`, which move on. Blank
 * lines are skipped. `line` is borrowed until the next call. */
enum line_splitter_outcome line_splitter_next(struct line_splitter *splitter, const char **bytes,
                                              size_t *length, const char **line, size_t *line_length);
/* At the end of the body: a last line without its newline. */
enum line_splitter_outcome line_splitter_finish(struct line_splitter *splitter, const char **line,
                                                size_t *line_length);
void line_splitter_reset(struct line_splitter *splitter, bool binary);

#endif
