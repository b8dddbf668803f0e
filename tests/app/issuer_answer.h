/* Test support: what the issuer answered to one request. */
#ifndef TESTS_APP_ISSUER_ANSWER_H
#define TESTS_APP_ISSUER_ANSWER_H

#include <stdbool.h>

#include "base/buffer.h"
#include "kernel/host.h"

struct answer {
    int status;
    struct buffer body;
    bool ended;
};

static inline void on_head(void *context, uint64_t exchange, const struct http_response *response) {
    (void)exchange;
    ((struct answer *)context)->status = response->status;
}

static inline void on_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    (void)exchange;
    buffer_append(&((struct answer *)context)->body, bytes, length);
}

static inline void on_end(void *context, uint64_t exchange) {
    (void)exchange;
    ((struct answer *)context)->ended = true;
}

#endif
