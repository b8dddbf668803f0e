/* One line of a sync stream (PowerSync protocol v1, NDJSON) as a typed struct.
 *
 * A hand-written scanner: one pass over the bytes, no tree. It sits on every line of every run, and it is
 * what gets fuzzed. Texts of a parsed line are slices of the input or of the parser's scratch memory: both
 * must stay as they are while the line is used, so a parser holds one line at a time. The parser owns its
 * arrays and reuses them; a zeroed struct sync_line_parser is ready to use. Row data is not interpreted.
 *
 * Strict where the client core or the service is (op ids are decimal strings, a line has exactly one key,
 * checksums fit 32 bits), tolerant where clients must be: unknown kinds of lines and unknown fields are
 * skipped, though they must be well-formed JSON. Refused input leaves a reason and a byte offset. */
#ifndef SYNCLINE_CHECK_SYNC_LINE_H
#define SYNCLINE_CHECK_SYNC_LINE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/json_scan.h"

enum sync_line_kind {
    SYNC_LINE_CHECKPOINT,
    SYNC_LINE_CHECKPOINT_DIFF,
    SYNC_LINE_DATA,
    SYNC_LINE_PARTIAL_CHECKPOINT_COMPLETE,
    SYNC_LINE_CHECKPOINT_COMPLETE,
    SYNC_LINE_TOKEN_EXPIRES_IN,
    SYNC_LINE_UNKNOWN /* clients ignore it */
};

enum sync_operation_kind { SYNC_PUT, SYNC_REMOVE, SYNC_MOVE, SYNC_CLEAR };

enum sync_data_form {
    SYNC_DATA_ABSENT,
    SYNC_DATA_NULL,
    SYNC_DATA_TEXT,  /* a JSON string (raw_data=true): `data` is what stands between the quotes, still escaped
                      */
    SYNC_DATA_OBJECT /* an embedded JSON object: `data` is its text */
};

struct sync_operation {
    int64_t op_id; /* 0.. */
    enum sync_operation_kind kind;
    uint32_t checksum;      /* modulo 2^32 */
    bool checksum_negative; /* was written as a negative number */
    struct json_span object_type;
    struct json_span object_id;
    struct json_span subkey;
    enum sync_data_form data_form;
    bool data_escaped; /* SYNC_DATA_TEXT: there are escapes, use sync_text_unescape */
    struct json_span data;
};

struct sync_subscription {
    bool is_default; /* index into the checkpoint's streams, else into the request's subscriptions */
    uint32_t index;
};

struct sync_bucket {
    struct json_span name;
    uint32_t checksum;           /* modulo 2^32 */
    int64_t count;               /* -1: absent */
    int32_t priority;            /* 0 most urgent; 3 when absent */
    uint32_t first_subscription; /* in the line's subscriptions */
    uint32_t n_subscriptions;
};

struct sync_stream {
    struct json_span name;
    bool is_default;
    uint32_t n_errors;
};

struct sync_line {
    enum sync_line_kind kind;
    struct json_span key; /* of the only member, unescaped */
    bool spaced;          /* there is white space between tokens */

    int64_t last_op_id;                /* checkpoint, diff, complete, partial complete */
    int64_t write_checkpoint;          /* checkpoint, diff; -1: absent or null */
    const struct sync_bucket *buckets; /* checkpoint: all; diff: updated_buckets */
    size_t n_buckets;
    const struct json_span *removed; /* diff: removed_buckets */
    size_t n_removed;
    const struct sync_subscription *subscriptions;
    size_t n_subscriptions;
    bool has_streams;
    const struct sync_stream *streams; /* checkpoint */
    size_t n_streams;

    struct json_span bucket; /* data */
    int64_t after;           /* data; -1: absent, as next_after */
    int64_t next_after;
    bool has_more;
    const struct sync_operation *operations;
    size_t n_operations;

    int32_t priority;         /* partial complete */
    int32_t token_expires_in; /* seconds */
};

struct sync_line_parser {
    const char *reason; /* why the last line was refused, static text */
    size_t offset;      /* and at which byte, from 0 */
    struct sync_bucket *buckets;
    size_t buckets_capacity;
    struct json_span *removed;
    size_t removed_capacity;
    struct sync_subscription *subscriptions;
    size_t subscriptions_capacity;
    struct sync_stream *streams;
    size_t streams_capacity;
    struct sync_operation *operations;
    size_t operations_capacity;
    char *scratch; /* unescaped texts of the current line: never longer than the line */
    size_t scratch_capacity;
};

void sync_line_parser_free(struct sync_line_parser *parser);

/* Parse one line without its final newline. On STATUS_INVALID `line` is undefined; `error` (may be NULL) has
 * the reason and, as its column, the byte (from 1), and so have parser->reason and parser->offset. */
enum status sync_line_parse(struct sync_line_parser *parser, const char *bytes, size_t length,
                            struct sync_line *line, struct error *error);

/* Append what the inside of a JSON string means. Only for slices that sync_line_parse has accepted. */
void sync_text_unescape(struct buffer *out, const char *bytes, size_t length);

/* Whether the text is exactly one well-formed JSON object (any white space, nesting at most
 * JSON_SCAN_NESTING). */
bool sync_text_is_object(const char *bytes, size_t length);

#define SYNC_LINE_LENGTH                                                                                     \
    ((size_t)64 * 1024 * 1024) /* bytes; rows end at 15 MiB, escaping at most doubles that */

/* Cut a body into lines, wherever its chunks end. A line above the limit is handed over in pieces. */
struct sync_line_splitter {
    struct buffer rest; /* an incomplete line; a zeroed splitter is empty */
    size_t limit;       /* bytes; 0: SYNC_LINE_LENGTH */
};

void sync_line_split(struct sync_line_splitter *splitter, const void *bytes, size_t length,
                     void (*line)(void *context, const char *bytes, size_t length), void *context);
void sync_line_splitter_free(struct sync_line_splitter *splitter);

#endif
