/* Hashes and text encodings: XXH3-128 for traces and sets, SHA-256 and HMAC for the wire, base64 and hex. */
#ifndef SYNCLINE_BASE_DIGEST_H
#define SYNCLINE_BASE_DIGEST_H

#include "base/buffer.h"
#include "base/error.h"

struct hash128 {
    uint64_t high;
    uint64_t low;
};

struct hash128 hash128_of(const void *bytes, size_t length);
bool hash128_equal(struct hash128 a, struct hash128 b);
/* Set hash: add and subtract members (128-bit modular sums, so order does not matter). */
struct hash128 hash128_add(struct hash128 set, struct hash128 member);
struct hash128 hash128_subtract(struct hash128 set, struct hash128 member);
void hash128_text(struct hash128 hash, char out[33]); /* 32 lower-case hex digits */

void digest_sha256(const void *bytes, size_t length, unsigned char out[32]);
void digest_sha1(const void *bytes, size_t length, unsigned char out[20]); /* for uuid v5 only */
void digest_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
                        unsigned char out[32]);

void base64_append(struct buffer *out, const void *bytes, size_t length);    /* standard alphabet, padded */
void base64url_append(struct buffer *out, const void *bytes, size_t length); /* URL alphabet, no padding */
enum status base64_decode(struct buffer *out, const char *text, size_t length, struct error *error);
enum status base64url_decode(struct buffer *out, const char *text, size_t length, struct error *error);
void hex_append(struct buffer *out, const void *bytes, size_t length);

#endif
