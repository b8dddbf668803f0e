/* An answer that is not a success: what the error body says and with which status. */
#ifndef MOCK_POWERSYNC_HTTP_ERROR_H
#define MOCK_POWERSYNC_HTTP_ERROR_H

#include "base/buffer.h"
#include "kernel/host.h"

struct http_error {
    int status; /* 0: no error */
    const char *name;
    const char *code; /* "PSYNC_S2101" */
    const char *description;
    char details[512]; /* "" when there are none */
};

/* Fill `error` and return false, for `return http_error_set(...)`. */
bool http_error_set(struct http_error *error, int status, const char *name, const char *code,
                    const char *description);
bool http_error_authorization(struct http_error *error, const char *code, const char *description);

/* A wall clock time (ns since the Unix epoch) as JavaScript's dates are told: "2026-01-01T00:00:00.000Z",
 * with quotes. */
void http_append_time(struct buffer *out, int64_t time);

void http_error_append(struct buffer *out, const struct http_error *error); /* the body that tells it */

/* Answer with status, headers and this JSON text. */
void http_respond_json(struct host *host, uint64_t exchange, int status, const char *json);
void http_respond_error(struct host *host, uint64_t exchange, const struct http_error *error);

#endif
