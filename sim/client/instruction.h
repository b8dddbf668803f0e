/* Reading the core's answers: a JSON array of objects with one key each. Most of an answer is status text
 * that a client in a simulation does not need, so values are found as spans of the text instead of being
 * parsed into a tree. */
#ifndef SYNCLINE_CLIENT_INSTRUCTION_H
#define SYNCLINE_CLIENT_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>

/* Text that somebody else owns; `at` NULL: nothing. */
struct span {
    const char *at;
    size_t length;
};

struct instruction {
    struct span name;  /* without quotes */
    struct span value; /* JSON text */
};

/* The next instruction of an answer; `rest` is what is left of it and starts as the whole text. False at the
 * end, and when the text is no such array. */
bool instruction_next(struct span *rest, struct instruction *instruction);
bool instruction_is(const struct instruction *instruction, const char *name);

/* The value of a member of a JSON object, or nothing. */
struct span span_member(struct span object, const char *key);
bool span_is(struct span span, const char *text);
bool span_contains(struct span span, const char *text);

#endif
