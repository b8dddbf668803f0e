#include "check/wire_rows.h"

#include <assert.h>

void wire_rows_free(struct wire_rows *rows) {
    buffer_free(&rows->text);
}

static bool has_row(const struct sync_operation *operation) {
    return operation->object_type.bytes && operation->object_id.bytes && operation->subkey.bytes;
}

static bool has_no_row(const struct sync_operation *operation) {
    return !operation->object_type.bytes && !operation->object_id.bytes && !operation->subkey.bytes;
}

static void append_data(struct buffer *out, const struct sync_operation *operation) {
    assert(operation->data.bytes);
    if (operation->data_form == SYNC_DATA_TEXT && operation->data_escaped)
        sync_text_unescape(out, operation->data.bytes, operation->data.length);
    else
        buffer_append(out, operation->data.bytes, operation->data.length);
}

static bool data_is_object(struct wire_rows *rows, const struct sync_operation *operation) {
    buffer_clear(&rows->text);
    append_data(&rows->text, operation);
    return sync_text_is_object(buffer_text(&rows->text), rows->text.length);
}

static const char *put_form(struct wire_rows *rows, const struct sync_operation *operation,
                            enum wire_encoding encoding) {
    if (!has_row(operation))
        return "a PUT with object_type, object_id and subkey";
    bool text = operation->data_form == SYNC_DATA_TEXT;
    bool object = operation->data_form == SYNC_DATA_OBJECT;
    if (!text && !object)
        return "a PUT with data";
    if (encoding == WIRE_ENCODING_TEXT && !text)
        return "data as a string, as raw_data asks";
    if (encoding == WIRE_ENCODING_EMBEDDED && !object)
        return "data as an embedded object, without raw_data";
    if (text && !data_is_object(rows, operation))
        return "data that is the text of a JSON object";
    return NULL;
}

static const char *bare_form(const struct sync_operation *operation, enum wire_encoding encoding) {
    if (!has_no_row(operation))
        return "a MOVE or CLEAR without object_type, object_id and subkey";
    bool absent = operation->data_form == SYNC_DATA_ABSENT;
    bool null = operation->data_form == SYNC_DATA_NULL;
    if (encoding == WIRE_ENCODING_TEXT && !absent)
        return "a MOVE or CLEAR without data";
    if (encoding == WIRE_ENCODING_EMBEDDED && !null)
        return "a MOVE or CLEAR with data null, without raw_data";
    return absent || null ? NULL : "a MOVE or CLEAR without data";
}

const char *wire_rows_form(struct wire_rows *rows, const struct sync_operation *operation,
                           enum wire_encoding encoding) {
    /* Sums are announced signed, checksums of single rows are not. A CLEAR carries a sum. */
    if (operation->checksum_negative && operation->kind != SYNC_CLEAR)
        return "an unsigned checksum";
    switch (operation->kind) {
    case SYNC_PUT:
        return put_form(rows, operation, encoding);
    case SYNC_REMOVE:
        if (!has_row(operation))
            return "a REMOVE with object_type, object_id and subkey";
        return operation->data_form == SYNC_DATA_NULL ? NULL : "a REMOVE with data null";
    default:
        assert(operation->kind == SYNC_MOVE || operation->kind == SYNC_CLEAR);
        return bare_form(operation, encoding);
    }
}

static void append(struct buffer *out, const struct json_span *text) {
    buffer_append(out, text->bytes, text->length);
}

/* SHA-256 over put.TYPE.ID.DATA or delete.SUBKEY, first four bytes, little endian (PowerSync's hashData,
 * hashDelete). */
uint32_t wire_rows_checksum(struct wire_rows *rows, const struct sync_operation *operation) {
    assert(has_row(operation));
    struct buffer *text = &rows->text;
    buffer_clear(text);
    if (operation->kind == SYNC_PUT) {
        buffer_append(text, "put.", 4);
        append(text, &operation->object_type);
        buffer_append_char(text, '.');
        append(text, &operation->object_id);
        buffer_append_char(text, '.');
        append_data(text, operation);
    } else {
        assert(operation->kind == SYNC_REMOVE);
        buffer_append(text, "delete.", 7);
        append(text, &operation->subkey);
    }
    unsigned char digest[32];
    digest_sha256(text->data, text->length, digest);
    return (uint32_t)digest[0] | (uint32_t)digest[1] << 8 | (uint32_t)digest[2] << 16 |
           (uint32_t)digest[3] << 24;
}

/* Everything that the verdict depends on, with lengths so that no two operations look alike. */
static struct hash128 identity(struct wire_rows *rows, const struct sync_operation *operation,
                               enum wire_encoding encoding) {
    uint64_t head[6] = {(uint64_t)operation->kind << 32 | operation->checksum,
                        (uint64_t)operation->data_form << 32 | (uint64_t)encoding << 8 |
                            (uint64_t)operation->checksum_negative,
                        operation->object_type.length,
                        operation->object_id.length,
                        operation->subkey.length,
                        operation->data.length};
    struct buffer *text = &rows->text;
    buffer_clear(text);
    buffer_append(text, head, sizeof head);
    append(text, &operation->object_type);
    append(text, &operation->object_id);
    append(text, &operation->subkey);
    append(text, &operation->data);
    return hash128_of(text->data, text->length);
}

bool wire_rows_good(struct wire_rows *rows, const struct sync_operation *operation,
                    enum wire_encoding encoding) {
    if (operation->kind == SYNC_MOVE || operation->kind == SYNC_CLEAR)
        return wire_rows_form(rows, operation, encoding) == NULL;
    if (!has_row(operation))
        return false;
    struct hash128 hash = identity(rows, operation, encoding);
    struct hash128 *remembered = &rows->good[hash.low % WIRE_ROWS_REMEMBERED];
    if (hash128_equal(*remembered, hash))
        return true;
    if (wire_rows_form(rows, operation, encoding) ||
        wire_rows_checksum(rows, operation) != operation->checksum)
        return false;
    *remembered = hash;
    return true;
}
