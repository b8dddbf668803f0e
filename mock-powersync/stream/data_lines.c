#include "mock-powersync/stream/data_lines.h"

#include <assert.h>

static bool is_same(const struct data_line_key *a, const struct data_line_key *b) {
    return a->first_op == b->first_op && a->after == b->after && a->last_op == b->last_op &&
           a->count == b->count && a->format == b->format && a->has_more == b->has_more &&
           a->rewrites == b->rewrites;
}

static const struct buffer *find(const struct data_lines *lines, const struct data_line_key *key) {
    for (size_t i = 0; i < DATA_LINES; i++)
        if (lines->lines[i].length > 0 && is_same(&lines->keys[i], key))
            return &lines->lines[i];
    return NULL;
}

/* The oldest ones go when all take too much. */
static void limit(struct data_lines *lines) {
    size_t kept = 0;
    for (unsigned age = 1; age <= DATA_LINES; age++) {
        struct buffer *line = &lines->lines[(lines->next - age) % DATA_LINES];
        kept += line->capacity;
        if (kept > DATA_LINES_KEPT)
            buffer_free(line);
    }
}

const struct buffer *data_lines_get(struct data_lines *lines, enum line_format format,
                                    const struct bucket_storage *storage, const struct bucket *bucket,
                                    uint64_t after, size_t first, size_t count, bool has_more) {
    assert(count > 0 && first + count <= bucket->count);
    const struct data_line_key key = {.format = format,
                                      .after = after,
                                      .first_op = bucket->operations[first].op_id,
                                      .last_op = bucket->operations[first + count - 1].op_id,
                                      .count = count,
                                      .has_more = has_more,
                                      .rewrites = storage->rewrites};
    const struct buffer *known = find(lines, &key);
    if (known)
        return known;
    limit(lines);
    unsigned place = lines->next++ % DATA_LINES;
    struct buffer *line = &lines->lines[place];
    buffer_clear(line);
    lines->keys[place] = key;
    sync_line_data(line, format, bucket, after, first, count, has_more);
    return line;
}

void data_lines_free(struct data_lines *lines) {
    for (size_t i = 0; i < DATA_LINES; i++)
        buffer_free(&lines->lines[i]);
    *lines = (struct data_lines){0};
}
