#include "base/random.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

#include "base/exponential_table.h"

static uint64_t stream_key(uint64_t seed, const char *name) {
    return XXH3_64bits_withSeed(name, strlen(name), seed);
}

/* The 64-bit finaliser of SplitMix64, twice, with the key in both rounds: neighbouring counters and related
 * keys give unrelated values. */
static uint64_t mix(uint64_t key, uint64_t counter) {
    uint64_t z = key + (counter + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    z = (z ^ z >> 31) + key;
    z = (z ^ z >> 33) * UINT64_C(0xff51afd7ed558ccd);
    z = (z ^ z >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return z ^ z >> 33;
}

struct random_stream random_stream_make(uint64_t seed, const char *name) {
    return (struct random_stream){.key = stream_key(seed, name), .counter = 0};
}

uint64_t random_at(uint64_t seed, const char *name, uint64_t counter) {
    return mix(stream_key(seed, name), counter);
}

uint64_t random_next(struct random_stream *stream) {
    return mix(stream->key, stream->counter++);
}

/* Multiplication instead of division; the few values that would make some results likelier are drawn again.
 */
uint64_t random_below(struct random_stream *stream, uint64_t bound) {
    assert(bound >= 1);
    unsigned __int128 product = (unsigned __int128)random_next(stream) * bound;
    if ((uint64_t)product < bound) {
        uint64_t unfair = (0 - bound) % bound; /* 2^64 mod bound */
        while ((uint64_t)product < unfair)
            product = (unsigned __int128)random_next(stream) * bound;
    }
    uint64_t result = (uint64_t)(product >> 64);
    assert(result < bound);
    return result;
}

int64_t random_between(struct random_stream *stream, int64_t low, int64_t high) {
    assert(low <= high);
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t step = span == UINT64_MAX ? random_next(stream) : random_below(stream, span + 1);
    int64_t result = (int64_t)((uint64_t)low + step);
    assert(result >= low && result <= high);
    return result;
}

bool random_chance(struct random_stream *stream, uint64_t numerator, uint64_t denominator) {
    assert(denominator >= 1);
    return random_below(stream, denominator) < numerator;
}

/* With u = m * 2^-zeros, m in [0.5, 1): -ln(u) = zeros * ln 2 - ln(m), where -ln(m) is read from the table
 * with linear interpolation. All in units of 2^-32. */
int64_t random_exponential(struct random_stream *stream, int64_t mean) {
    assert(mean >= 0);
    const uint64_t limit = UINT64_C(16) << 32;
    uint64_t u = random_next(stream);
    uint64_t value = limit;
    if (u != 0) {
        unsigned zeros = (unsigned)__builtin_clzll(u);
        uint64_t fraction = u << zeros << 1; /* bits after the leading 1 */
        size_t index = (size_t)(fraction >> 56);
        uint64_t between = fraction >> 24 & UINT32_MAX;
        uint64_t high = exponential_table[index];
        uint64_t low = exponential_table[index + 1];
        assert(high > low);
        value = zeros * (uint64_t)exponential_table[0] + high - ((high - low) * between >> 32);
        value = value < limit ? value : limit;
    }
    unsigned __int128 scaled = (unsigned __int128)value * (uint64_t)mean >> 32;
    assert(mean == 0 || scaled <= (unsigned __int128)16 * (uint64_t)mean);
    return scaled > INT64_MAX ? INT64_MAX : (int64_t)scaled;
}

void random_bytes(struct random_stream *stream, void *out, size_t length) {
    unsigned char *bytes = out;
    for (size_t i = 0; i < length; i += 8) {
        uint64_t value = random_next(stream);
        for (size_t k = 0; k < 8 && i + k < length; k++)
            bytes[i + k] = (unsigned char)(value >> (8 * k)); /* the same on any byte order */
    }
}

void random_uuid(struct random_stream *stream, char out[37]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];
    random_bytes(stream, bytes, sizeof bytes);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* variant of RFC 9562 */
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = digits[bytes[i] >> 4];
        out[at++] = digits[bytes[i] & 15];
    }
    assert(at == 36);
    out[at] = 0;
}
