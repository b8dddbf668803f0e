#include "check/bson_line.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/json.h"

struct bson_reader {
    const unsigned char *bytes;
    size_t length;
    size_t at;
    struct buffer *out;
};

static bool append_document(struct bson_reader *reader, bool is_array, int depth);

static bool has(const struct bson_reader *reader, size_t count) {
    return reader->length - reader->at >= count;
}

static uint64_t read_little_endian(struct bson_reader *reader, size_t count) {
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++)
        value |= (uint64_t)reader->bytes[reader->at++] << (8 * i);
    return value;
}

static bool read_text(struct bson_reader *reader) {
    if (!has(reader, 4))
        return false;
    const size_t length = (size_t)read_little_endian(reader, 4);
    if (length == 0 || !has(reader, length) || reader->bytes[reader->at + length - 1] != 0)
        return false;
    buffer_append_json_string(reader->out, (const char *)reader->bytes + reader->at, length - 1);
    reader->at += length;
    return true;
}

static bool read_double(struct bson_reader *reader) {
    if (!has(reader, 8))
        return false;
    const uint64_t bits = read_little_endian(reader, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (!(value >= -9007199254740992.0 && value <= 9007199254740992.0) || (double)(int64_t)value != value)
        return false; /* lines have whole numbers only */
    buffer_printf(reader->out, "%" PRId64, (int64_t)value);
    return true;
}

static bool read_value(struct bson_reader *reader, unsigned char type, int depth) {
    switch (type) {
    case 0x01:
        return read_double(reader);
    case 0x02:
        return read_text(reader);
    case 0x03:
    case 0x04:
        return append_document(reader, type == 0x04, depth + 1);
    case 0x08:
        if (!has(reader, 1))
            return false;
        buffer_append_text(reader->out, reader->bytes[reader->at++] != 0 ? "true" : "false");
        return true;
    case 0x0a:
        buffer_append_text(reader->out, "null");
        return true;
    case 0x10:
        if (!has(reader, 4))
            return false;
        buffer_printf(reader->out, "%" PRId32, (int32_t)(uint32_t)read_little_endian(reader, 4));
        return true;
    case 0x12:
        if (!has(reader, 8))
            return false;
        buffer_printf(reader->out, "%" PRId64, (int64_t)read_little_endian(reader, 8));
        return true;
    default:
        return false;
    }
}

static bool append_document(struct bson_reader *reader, bool is_array, int depth) {
    const size_t start = reader->at;
    if (depth > BSON_LINE_NESTING || !has(reader, 5))
        return false;
    const size_t length = (size_t)read_little_endian(reader, 4);
    if (length < 5 || length > reader->length - start || reader->bytes[start + length - 1] != 0)
        return false;
    buffer_append_char(reader->out, is_array ? '[' : '{');
    for (bool first = true; reader->at < start + length - 1; first = false) {
        const unsigned char type = reader->bytes[reader->at++];
        const char *name = (const char *)reader->bytes + reader->at;
        const size_t name_length = strnlen(name, start + length - reader->at);
        if (name_length == start + length - reader->at)
            return false;
        reader->at += name_length + 1;
        buffer_append_text(reader->out, first ? "" : ",");
        if (!is_array) {
            buffer_append_json_string(reader->out, name, name_length);
            buffer_append_char(reader->out, ':');
        }
        if (!read_value(reader, type, depth))
            return false;
    }
    if (reader->at != start + length - 1)
        return false;
    reader->at++;
    buffer_append_char(reader->out, is_array ? ']' : '}');
    return true;
}

bool bson_line_append(struct buffer *out, const void *bytes, size_t length) {
    struct bson_reader reader = {.bytes = bytes, .length = length, .out = out};
    return append_document(&reader, false, 0) && reader.at == length;
}

static size_t document_length(const struct buffer *rest) {
    const unsigned char *bytes = (const unsigned char *)rest->data;
    return (size_t)bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
}

void bson_line_split(struct bson_line_splitter *splitter, const void *bytes, size_t length,
                     void (*line)(void *context, const char *bytes, size_t length), void *context) {
    size_t used = 0;
    if (splitter->broken)
        return;
    buffer_append(&splitter->rest, bytes, length);
    while (!splitter->broken && splitter->rest.length - used >= 4) {
        const struct buffer rest = {.data = splitter->rest.data + used,
                                    .length = splitter->rest.length - used};
        const size_t needed = document_length(&rest);
        const bool possible = needed >= 5 && needed <= BSON_LINE_LENGTH;
        if (possible && rest.length < needed)
            break;
        buffer_clear(&splitter->line);
        if (!possible || !bson_line_append(&splitter->line, rest.data, needed)) {
            buffer_clear(&splitter->line);
            buffer_append_text(&splitter->line, "bson");
        }
        splitter->broken = !possible;
        used += possible ? needed : 0;
        line(context, buffer_text(&splitter->line), splitter->line.length);
    }
    buffer_consume(&splitter->rest, used);
}

void bson_line_splitter_free(struct bson_line_splitter *splitter) {
    buffer_free(&splitter->rest);
    buffer_free(&splitter->line);
}
