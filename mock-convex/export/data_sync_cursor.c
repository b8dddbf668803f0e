#include "mock-convex/export/data_sync_cursor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/memory.h"

#define HEAD_BYTES (1 + 8 + 8 + 1 + 16 + 16)
#define CHECKSUM_BYTES 16

static void append_number(struct buffer *out, uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) {
        buffer_append_char(out, (char)(unsigned char)(number >> shift));
    }
}

static uint64_t read_number(const unsigned char *bytes) {
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

void convex_sync_cursor_append(struct buffer *out, const struct convex_sync_cursor *cursor, const char *key) {
    struct buffer bytes = {0};
    unsigned char digest[32];
    assert(cursor->n_done <= CONVEX_SYNC_TABLES_MAX);
    buffer_append_char(&bytes, 1); /* version */
    append_number(&bytes, (uint64_t)cursor->ts);
    append_number(&bytes, cursor->sync_id);
    buffer_append_char(&bytes, cursor->within ? 1 : 0);
    buffer_append(&bytes, cursor->tablet, 16);
    buffer_append(&bytes, cursor->internal, 16);
    for (size_t i = 0; i < cursor->n_done; i++) {
        buffer_append(&bytes, cursor->done[i], 16);
    }
    digest_hmac_sha256(key, strlen(key), bytes.data, bytes.length, digest);
    buffer_append(&bytes, digest, CHECKSUM_BYTES);
    hex_append(out, bytes.data, bytes.length);
    buffer_free(&bytes);
}

static int digit_of(char text) {
    return text >= '0' && text <= '9' ? text - '0' : text >= 'a' && text <= 'f' ? text - 'a' + 10 : -1;
}

/* False: no hex, or not of a possible length. */
static bool decode_hex(const char *text, struct buffer *bytes) {
    size_t length = strlen(text), rest = length / 2 - HEAD_BYTES - CHECKSUM_BYTES;
    if (length % 2 != 0 || length / 2 < HEAD_BYTES + CHECKSUM_BYTES || rest % 16 != 0 ||
        rest / 16 > CONVEX_SYNC_TABLES_MAX) {
        return false;
    }
    for (size_t i = 0; i < length; i += 2) {
        int high = digit_of(text[i]), low = digit_of(text[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        buffer_append_char(bytes, (char)(unsigned char)(high << 4 | low));
    }
    return true;
}

static enum status parse_bytes(struct convex_sync_cursor *cursor, const struct buffer *record,
                               const char *key) {
    const unsigned char *bytes = (const unsigned char *)record->data;
    unsigned char digest[32];
    size_t signed_length = record->length - CHECKSUM_BYTES;
    digest_hmac_sha256(key, strlen(key), bytes, signed_length, digest);
    if (memcmp(digest, bytes + signed_length, CHECKSUM_BYTES) != 0 || bytes[0] != 1) {
        return STATUS_INVALID;
    }
    cursor->ts = (int64_t)read_number(bytes + 1);
    cursor->sync_id = read_number(bytes + 9);
    cursor->within = bytes[17] != 0;
    memcpy(cursor->tablet, bytes + 18, 16);
    memcpy(cursor->internal, bytes + 34, 16);
    assert(cursor->ts >= 0); /* nothing else is ever signed */
    for (size_t at = HEAD_BYTES; at < signed_length; at += 16) {
        convex_sync_cursor_add_done(cursor, bytes + at);
    }
    return STATUS_OK;
}

enum status convex_sync_cursor_parse(struct convex_sync_cursor *cursor, const char *text, const char *key) {
    struct buffer record = {0};
    memset(cursor, 0, sizeof *cursor);
    enum status status = decode_hex(text, &record) ? parse_bytes(cursor, &record, key) : STATUS_INVALID;
    buffer_free(&record);
    return status;
}

void convex_sync_cursor_free(struct convex_sync_cursor *cursor) {
    free(cursor->done);
    memset(cursor, 0, sizeof *cursor);
}

bool convex_sync_cursor_is_done(const struct convex_sync_cursor *cursor, const unsigned char tablet[16]) {
    for (size_t i = 0; i < cursor->n_done; i++) {
        if (memcmp(cursor->done[i], tablet, 16) == 0) {
            return true;
        }
    }
    return false;
}

void convex_sync_cursor_add_done(struct convex_sync_cursor *cursor, const unsigned char tablet[16]) {
    assert(cursor->n_done < CONVEX_SYNC_TABLES_MAX);
    cursor->done = memory_resize(cursor->done, cursor->n_done + 1, sizeof *cursor->done);
    memcpy(cursor->done[cursor->n_done++], tablet, 16);
}
