/* SHA-1 and SHA-256 are called directly: OpenSSL's newer functions look the algorithm up for each digest,
 * which takes longer than the digest of a row. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/digest.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>
#include <xxhash.h>

struct hash128 hash128_of(const void *bytes, size_t length) {
    assert(bytes || length == 0);
    XXH128_hash_t hash = XXH3_128bits(bytes, length);
    return (struct hash128){.high = hash.high64, .low = hash.low64};
}

bool hash128_equal(struct hash128 a, struct hash128 b) {
    return a.high == b.high && a.low == b.low;
}

struct hash128 hash128_add(struct hash128 set, struct hash128 member) {
    uint64_t low = set.low + member.low;
    return (struct hash128){.high = set.high + member.high + (low < set.low), .low = low};
}

struct hash128 hash128_subtract(struct hash128 set, struct hash128 member) {
    uint64_t borrow = set.low < member.low;
    return (struct hash128){.high = set.high - member.high - borrow, .low = set.low - member.low};
}

static const char hex_digits[] = "0123456789abcdef";

void hash128_text(struct hash128 hash, char out[33]) {
    for (int i = 0; i < 16; i++) {
        out[i] = hex_digits[hash.high >> (60 - 4 * i) & 15];
        out[16 + i] = hex_digits[hash.low >> (60 - 4 * i) & 15];
    }
    out[32] = 0;
}

void digest_sha256(const void *bytes, size_t length, unsigned char out[32]) {
    assert(bytes || length == 0);
    SHA256_CTX state;
    int good = SHA256_Init(&state) && SHA256_Update(&state, bytes, length) && SHA256_Final(out, &state);
    assert(good);
    (void)good;
}

void digest_sha1(const void *bytes, size_t length, unsigned char out[20]) {
    assert(bytes || length == 0);
    SHA_CTX state;
    int good = SHA1_Init(&state) && SHA1_Update(&state, bytes, length) && SHA1_Final(out, &state);
    assert(good);
    (void)good;
}

void digest_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
                        unsigned char out[32]) {
    assert(key_length <= INT32_MAX);
    unsigned int written = 32;
    /* An empty key still needs an address: NULL means "the key of the last call" to OpenSSL. */
    unsigned char *result =
        HMAC(EVP_sha256(), key_length ? key : "", (int)key_length, bytes, length, out, &written);
    assert(result == out && written == 32);
    (void)result;
}

void hex_append(struct buffer *out, const void *bytes, size_t length) {
    assert(bytes || length == 0);
    const unsigned char *from = bytes;
    for (size_t i = 0; i < length; i++) {
        buffer_append_char(out, hex_digits[from[i] >> 4]);
        buffer_append_char(out, hex_digits[from[i] & 15]);
    }
}
