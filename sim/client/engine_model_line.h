/* One sync line, read: what the engine `model` acts on. Texts are borrowed from the line and from the
 * reader's scratch memory until the next line is read. */
#ifndef SYNCLINE_CLIENT_ENGINE_MODEL_LINE_H
#define SYNCLINE_CLIENT_ENGINE_MODEL_LINE_H

#include "base/buffer.h"
#include "base/error.h"
#include "client/engine_model_cursor.h"

enum line_kind {
    LINE_UNKNOWN,
    LINE_CHECKPOINT,
    LINE_DIFF,
    LINE_COMPLETE,
    LINE_PARTIAL,
    LINE_DATA,
    LINE_KEEPALIVE
};

/* Why a bucket is in a checkpoint: the n-th stream of the checkpoint, or the n-th subscription asked for. */
struct line_reason {
    bool is_default;
    int64_t index;
};

struct line_bucket {
    struct json_span name;
    uint32_t checksum;
    int64_t priority; /* 3 when the line has none */
    int64_t count;    /* -1: none */
    size_t first_reason, n_reasons;
};

struct line_stream {
    struct json_span name;
    bool is_default;
};

enum line_operation_kind { LINE_PUT, LINE_REMOVE, LINE_MOVE, LINE_CLEAR };

struct line_operation {
    int64_t id;
    enum line_operation_kind kind;
    uint32_t checksum;
    struct json_span type, row, subkey, data; /* bytes NULL: none */
};

struct model_line {
    enum line_kind kind;
    int64_t last_op; /* LINE_CHECKPOINT, LINE_DIFF */
    bool has_write_checkpoint;
    int64_t write_checkpoint;
    int64_t number;          /* LINE_PARTIAL: the priority; LINE_KEEPALIVE: seconds */
    struct json_span bucket; /* LINE_DATA */

    struct line_bucket *buckets; /* LINE_CHECKPOINT; LINE_DIFF: updated ones */
    size_t n_buckets, buckets_capacity;
    struct line_reason *reasons;
    size_t n_reasons, reasons_capacity;
    struct json_span *removed; /* LINE_DIFF */
    size_t n_removed, removed_capacity;
    struct line_stream *streams; /* LINE_CHECKPOINT */
    size_t n_streams, streams_capacity;
    struct line_operation *operations; /* LINE_DATA */
    size_t n_operations, operations_capacity;

    struct line_cursor cursor;
    struct buffer scratch;
};

/* STATUS_INVALID: refused. A zeroed struct model_line reads any number of lines, one after the other. */
enum status model_line_read(struct model_line *line, const void *bytes, size_t length, bool binary,
                            struct error *error);
void model_line_free(struct model_line *line);

#endif
