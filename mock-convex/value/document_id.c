#include "mock-convex/value/document_id.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* A table number in at most 5 bytes, the internal id, the footer. */
#define BINARY_MAX (5 + 16 + 2)

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* Fletcher-16 with sums modulo 256; the id format's version (0) would be XORed in. */
static uint16_t checksum(const unsigned char *bytes, size_t length) {
    unsigned low = 0, high = 0;
    for (size_t i = 0; i < length; i++) {
        low = (low + bytes[i]) & 0xff;
        high = (high + low) & 0xff;
    }
    return (uint16_t)(high << 8 | low);
}

void convex_id_encode(const struct convex_id *id, char text[CONVEX_ID_TEXT_MAX]) {
    unsigned char bytes[BINARY_MAX];
    size_t length = 0;
    for (uint32_t rest = id->table;; rest >>= 7) {
        bytes[length++] = (unsigned char)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
        if (rest <= 0x7f) {
            break;
        }
    }
    memcpy(bytes + length, id->internal, 16);
    length += 16;
    uint16_t footer = checksum(bytes, length);
    bytes[length++] = (unsigned char)(footer & 0xff);
    bytes[length++] = (unsigned char)(footer >> 8);
    assert(length <= BINARY_MAX);

    size_t out = 0;
    unsigned bits = 0, held = 0; /* `held` bits not yet written, in the low end of `bits` */
    for (size_t i = 0; i < length; i++) {
        bits = (bits << 8 | bytes[i]) & 0xfff;
        for (held += 8; held >= 5; held -= 5) {
            text[out++] = alphabet[bits >> (held - 5) & 31];
        }
    }
    if (held > 0) {
        text[out++] = alphabet[bits << (5 - held) & 31];
    }
    assert(out < CONVEX_ID_TEXT_MAX);
    text[out] = 0;
}

/* base32 to bytes. False: a foreign character, too long, or bits left over that are not zero. */
static bool decode_text(const char *text, unsigned char bytes[BINARY_MAX], size_t *length) {
    unsigned bits = 0, held = 0;
    *length = 0;
    for (; *text != 0; text++) {
        const char *place = strchr(alphabet, *text);
        if (place == NULL) {
            return false;
        }
        bits = (bits << 5 | (unsigned)(place - alphabet)) & 0xfff;
        held += 5;
        if (held >= 8) {
            if (*length == BINARY_MAX) {
                return false;
            }
            held -= 8;
            bytes[(*length)++] = (unsigned char)(bits >> held);
        }
    }
    return held < 5 && (bits & ((1u << held) - 1)) == 0;
}

enum status convex_id_decode(const char *text, struct convex_id *id) {
    assert(text != NULL && id != NULL);
    unsigned char bytes[BINARY_MAX];
    size_t length, at = 0;
    if (!decode_text(text, bytes, &length) || length < 1 + 16 + 2) {
        return STATUS_INVALID;
    }
    uint64_t table = 0;
    for (;; at++) {
        if (at == 5 || at == length) {
            return STATUS_INVALID;
        }
        table |= (uint64_t)(bytes[at] & 0x7f) << (7 * at);
        if (bytes[at] <= 0x7f) {
            break;
        }
    }
    if (at > 0 && bytes[at] == 0) { /* a longer spelling of a smaller number */
        return STATUS_INVALID;
    }
    at++;
    if (table == 0 || table > UINT32_MAX || length != at + 16 + 2) {
        return STATUS_INVALID;
    }
    uint16_t footer = checksum(bytes, at + 16);
    if (bytes[at + 16] != (footer & 0xff) || bytes[at + 17] != footer >> 8) {
        return STATUS_INVALID;
    }
    id->table = (uint32_t)table;
    memcpy(id->internal, bytes + at, 16);
    return STATUS_OK;
}
