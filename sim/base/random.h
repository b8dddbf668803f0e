/* Counter-based random numbers: value = f(seed, name of the choice, counter). Two streams with different
 * names never influence each other, so adding a client or a fault does not shift anybody else's numbers.
 * Integer arithmetic only. */
#ifndef SYNCLINE_BASE_RANDOM_H
#define SYNCLINE_BASE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random_stream {
    uint64_t key;     /* hash of seed and name */
    uint64_t counter; /* values drawn so far */
};

/* `name` says what is chosen: "link.alice-1>convex.delay". */
struct random_stream random_stream_make(uint64_t seed, const char *name);
/* The value at a given counter, without a stream. */
uint64_t random_at(uint64_t seed, const char *name, uint64_t counter);

uint64_t random_next(struct random_stream *stream);
uint64_t random_below(struct random_stream *stream, uint64_t bound); /* 0 .. bound-1; bound >= 1; unbiased */
int64_t random_between(struct random_stream *stream, int64_t low, int64_t high); /* both ends included */
bool random_chance(struct random_stream *stream, uint64_t numerator, uint64_t denominator);
/* Exponentially distributed with the given mean (>= 0), by table and integers; at most 16 times the mean. */
int64_t random_exponential(struct random_stream *stream, int64_t mean);
void random_bytes(struct random_stream *stream, void *out, size_t length);
void random_uuid(struct random_stream *stream, char out[37]); /* version 4, lower case */

#endif
