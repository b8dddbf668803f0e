/* The data lines that were written last, as bytes: after a commit many streams send the same operations, and
 * only the first has to encode them.
 */
#ifndef MOCK_POWERSYNC_DATA_LINES_H
#define MOCK_POWERSYNC_DATA_LINES_H

#include "mock-powersync/stream/sync_line.h"

enum {
    DATA_LINES = 16,
    DATA_LINES_LARGEST = 256 * 1024, /* bytes of data; longer lines are not kept */
    DATA_LINES_KEPT = 1024 * 1024    /* bytes of memory, beside that of the newest line */
};

/* What a line says; op ids never come again, so it is of one bucket. */
struct data_line_key {
    enum line_format format;
    uint64_t after, first_op, last_op;
    size_t count;
    bool has_more;
    uint64_t rewrites; /* of the bucket storage: compaction changes operations */
};

/* A zeroed struct is empty. */
struct data_lines {
    struct data_line_key keys[DATA_LINES];
    struct buffer lines[DATA_LINES]; /* empty: not there */
    unsigned next;                   /* the one that is given up next */
};

/* The line of `count` operations from `first` on, valid until the next call. */
const struct buffer *data_lines_get(struct data_lines *lines, enum line_format format,
                                    const struct bucket_storage *storage, const struct bucket *bucket,
                                    uint64_t after, size_t first, size_t count, bool has_more);
void data_lines_free(struct data_lines *lines);

#endif
