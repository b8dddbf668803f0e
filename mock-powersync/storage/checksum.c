#include "mock-powersync/storage/checksum.h"

#include <assert.h>
#include <string.h>

#include "base/buffer.h"
#include "base/digest.h"

/* Namespace of the real service's row ids: a396dd91-09fc-4017-a28d-3df722f651e9. */
static const unsigned char namespace_bytes[16] = {0xa3, 0x96, 0xdd, 0x91, 0x09, 0xfc, 0x40, 0x17,
                                                  0xa2, 0x8d, 0x3d, 0xf7, 0x22, 0xf6, 0x51, 0xe9};

static uint32_t first_four(const struct buffer *text) {
    unsigned char hash[32];
    digest_sha256(text->data, text->length, hash);
    return (uint32_t)hash[0] | (uint32_t)hash[1] << 8 | (uint32_t)hash[2] << 16 | (uint32_t)hash[3] << 24;
}

uint32_t checksum_put(const char *object_type, const char *object_id, const char *data, size_t data_length) {
    struct buffer text = {0};
    buffer_reserve(&text, strlen("put...") + strlen(object_type) + strlen(object_id) + data_length);
    buffer_append_text(&text, "put.");
    buffer_append_text(&text, object_type);
    buffer_append_char(&text, '.');
    buffer_append_text(&text, object_id);
    buffer_append_char(&text, '.');
    buffer_append(&text, data, data_length);
    uint32_t checksum = first_four(&text);
    buffer_free(&text);
    return checksum;
}

uint32_t checksum_remove(const char *subkey) {
    struct buffer text = {0};
    buffer_append_text(&text, "delete.");
    buffer_append_text(&text, subkey);
    uint32_t checksum = first_four(&text);
    buffer_free(&text);
    return checksum;
}

static void append_int32(struct buffer *out, size_t number) {
    assert(number < INT32_MAX);
    for (int shift = 0; shift < 32; shift += 8)
        buffer_append_char(out, (char)(unsigned char)(number >> shift & 0xff));
}

static void append_bson_text(struct buffer *out, const char *name, const char *value) {
    buffer_append_char(out, 0x02);
    buffer_append(out, name, strlen(name) + 1);
    append_int32(out, strlen(value) + 1);
    buffer_append(out, value, strlen(value) + 1);
}

void subkey_make(const char *table, const char *id, unsigned char out[16]) {
    struct buffer text = {0};
    /* document: length, two text elements (type, name, length, bytes, 0), final 0 */
    size_t length = 4 + (1 + 6 + 4 + strlen(table) + 1) + (1 + 3 + 4 + strlen(id) + 1) + 1;
    buffer_reserve(&text, sizeof namespace_bytes + length);
    buffer_append(&text, namespace_bytes, sizeof namespace_bytes);
    append_int32(&text, length);
    append_bson_text(&text, "table", table);
    append_bson_text(&text, "id", id);
    buffer_append_char(&text, 0);
    assert(text.length == sizeof namespace_bytes + length);
    unsigned char hash[20];
    digest_sha1(text.data, text.length, hash);
    buffer_free(&text);
    hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x50);
    hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
    memcpy(out, hash, 16);
}

void subkey_text(const unsigned char subkey[16], char out[37]) {
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = digits[subkey[i] >> 4];
        out[at++] = digits[subkey[i] & 15];
    }
    out[at] = '\0';
    assert(at == 36);
}
