/* One line of a sync stream, field by field, as JSON text or as a BSON document: what a line consists of is
 * said once (sync_line.c) for all formats.
 */
#ifndef MOCK_POWERSYNC_LINE_WRITER_H
#define MOCK_POWERSYNC_LINE_WRITER_H

#include "base/bson.h"

enum line_format {
    LINE_NDJSON_RAW,      /* rows are JSON text inside of a JSON string */
    LINE_NDJSON_EMBEDDED, /* rows are JSON objects */
    LINE_BSON             /* rows are JSON text */
};

struct line_writer {
    enum line_format format;
    struct buffer *out;
    struct bson_writer bson;
    size_t depth;
    bool arrays[BSON_WRITER_DEPTH]; /* which levels are arrays */
    bool first;                     /* nothing is in the innermost level yet */
};

/* Starts a line at the end of `out`, and ends it: JSON with its newline. */
void line_begin(struct line_writer *line, enum line_format format, struct buffer *out);
void line_finish(struct line_writer *line);

/* Inside of an array the key is NULL. */
void line_object(struct line_writer *line, const char *key);
void line_array(struct line_writer *line, const char *key);
void line_close(struct line_writer *line); /* the innermost object or array */
void line_text(struct line_writer *line, const char *key, const char *text, size_t length);
void line_number(struct line_writer *line, const char *key, int64_t value);
void line_id(struct line_writer *line, const char *key, uint64_t id); /* travels as a decimal text */
void line_boolean(struct line_writer *line, const char *key, bool value);
void line_null(struct line_writer *line, const char *key);
void line_json(struct line_writer *line, const char *key, const char *json, size_t length); /* not in BSON */

#endif
