/* A failure file: a pinned scenario (YAML) with comment lines before it that say where it came from and what
 * happened, so that it can be read, edited, run like any scenario, and replayed and compared. docs/results.md
 * has the format. */
#ifndef SYNCLINE_RUNNER_FAILURE_FILE_H
#define SYNCLINE_RUNNER_FAILURE_FILE_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"

struct failure {
    char *scenario; /* path of the scenario that the plan was made from; texts are owned */
    uint64_t seed;
    char *engine;
    char *property;   /* the first violated property */
    char *client;     /* or "" */
    char *trace_hash; /* 32 digits, or "" when the run did not end */
    uint64_t trace_length;
    char **trace_marks; /* 16 digits each: the hash after each 1024 records */
    size_t n_trace_marks;
};

/* The comment lines for a worker's result, then `plan`. */
void failure_file_write(struct buffer *out, const char *scenario, uint64_t seed, const char *engine,
                        const json_t *result, const char *plan);

/* Reads the comment lines. STATUS_NOT_FOUND: the text does not start as a failure file (a plain scenario). */
enum status failure_file_parse(const char *text, const char *path, struct failure *failure,
                               struct error *error);
void failure_free(struct failure *failure);

/* Where two traces first differ, by their marks: the number of records after which both were still equal.
 * `marks` is a worker's "trace_marks". */
uint64_t failure_equal_records(const struct failure *failure, const json_t *marks);

#endif
