/* Reading JSON in its text, without building anything: for large answers of which much is thrown away or
 * copied on at once. What lies inside nested values is checked for its shape only; use json_parse on a slice
 * that must be right in every byte. */
#ifndef SYNCLINE_BASE_JSON_SCAN_H
#define SYNCLINE_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_slice_kind {
    JSON_SLICE_NULL,
    JSON_SLICE_FALSE,
    JSON_SLICE_TRUE,
    JSON_SLICE_INTEGER, /* no point and no exponent */
    JSON_SLICE_REAL,
    JSON_SLICE_STRING,
    JSON_SLICE_ARRAY,
    JSON_SLICE_OBJECT
};

/* One value in the text, quotes and brackets included; borrows. */
struct json_slice {
    enum json_slice_kind kind;
    const char *text;
    size_t length;
    bool plain; /* a string of ASCII without escapes: what is between the quotes is the string */
};

/* A walk through the members of an object or the items of an array. */
struct json_walk {
    const char *at, *end;
    bool object;
    bool started;
    bool over; /* the closing bracket has been passed; `at` is behind it */
    bool bad;  /* the text is no JSON */
};

/* The walk begins at a bracket, or is bad. `text` may go on behind the value: see json_walk_is_whole. */
struct json_walk json_walk_begin(const char *text, size_t length);
/* The next value (and in an object its key, else `key` may be NULL). False: over or bad. */
bool json_walk_next(struct json_walk *walk, struct json_slice *key, struct json_slice *value);
/* The walk is over and nothing but white space follows. */
bool json_walk_is_whole(const struct json_walk *walk);

/* Is it the plain string `text`? */
bool json_slice_is(const struct json_slice *slice, const char *text);
/* False: no integer, or one beyond 64 bits. */
bool json_slice_integer(const struct json_slice *slice, int64_t *value);
/* Of a number of either kind; false: no number, or too large. */
bool json_slice_real(const struct json_slice *slice, double *value);

#endif
