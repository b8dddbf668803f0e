/* Errors: a status, a message for people and, for input files, the place it came from.
 *
 * A function that can fail returns an enum status and takes a `struct error *` as its last argument. On
 * failure the error is filled in; on success it is untouched. Callers that do not care pass NULL. Nothing
 * here allocates. Running out of memory is not an error that anybody handles: it aborts the process (see
 * base/memory.h). */
#ifndef SYNCLINE_BASE_ERROR_H
#define SYNCLINE_BASE_ERROR_H

#include <stdarg.h>

enum status {
    STATUS_OK = 0,
    STATUS_INVALID,   /* input is wrong: the sender or the author of a file must change it */
    STATUS_NOT_FOUND, /* the thing named does not exist */
    STATUS_CONFLICT,  /* a concurrent change won; trying again may succeed */
    STATUS_LIMIT,     /* a documented limit was reached */
    STATUS_DENIED,    /* credentials are missing or do not allow it */
    STATUS_IO,        /* the operating system refused */
    STATUS_MISSING,   /* an optional part of the installation is not there (for example the client core) */
    STATUS_INTERNAL,  /* a bug in Syncline */
    STATUS_PENDING    /* no failure: the answer is not there yet, the caller will be run again */
};

struct error {
    enum status status;
    char message[1024]; /* one sentence, no final newline */
    char file[256];     /* path of the input, or "" */
    int line;           /* from 1; 0 when unknown */
    int column;         /* from 1; 0 when unknown */
};

/* Fill `error` (may be NULL) and return `status`. The place stays empty. */
enum status error_set(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with a place in a file. `line` and `column` count from 1. */
enum status error_set_at(struct error *error, enum status status, const char *file, int line, int column,
                         const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Put words before the message that is there: "while reading the plan: <message>". */
void error_prefix(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "file:line:column: message" into `out` (as much as fits, always terminated). */
void error_format(const struct error *error, char *out, unsigned long size);

#endif
